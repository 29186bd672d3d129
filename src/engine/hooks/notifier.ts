/** `notify:` of the config: its command and its webhook, at an approval request and at the end of a run. */
import type { StoredEvent } from "../../event.ts";
import type { Run } from "../../run/run.ts";
import { shellWord } from "../../text/shell-word.ts";
import { problemOf } from "./hook-command.ts";
import { type AskEvent, approvalNotification, endNotification, type Notification } from "./notification.ts";
import { type EventListener, type HookSetup, type HooksDeps, placeOf, type TellFailure } from "./outlet.ts";
import { createSideJobs, type SideJobs } from "./side-jobs.ts";
import { postToWebhook } from "./webhook-post.ts";

export type Notifier = {
  jobs: SideJobs[];
  /** Returns undefined if the config has neither command nor webhook. */
  listen(setup: HookSetup, run: Run): EventListener | undefined;
};

const MOST_COMMANDS = { running: 4, waiting: 100 };
/** Many, because a receiver may hold its response to an approval request until somebody has decided. */
const MOST_POSTS = { running: 32, waiting: 100 };
const TIMEOUT_MS = 10_000;

/** @param signal of a post: nobody needs the response any more @param onDenied receives a denial with its reason */
type Post = { timeoutMs: number; signal?: AbortSignal; onDenied?: (reason: string) => void };

export function createNotifier({ clock, journal, newId }: Omit<HooksDeps, "warn">, tellFailure: TellFailure): Notifier {
  const commands = createSideJobs(MOST_COMMANDS);
  const posts = createSideJobs(MOST_POSTS);

  function runCommand({ id, title, text }: Notification, setup: HookSetup, run: Run): void {
    const { command } = setup.config.notify;
    if (command === undefined) return;
    commands.add(id, async (signal) => {
      const line = `${command} ${shellWord(title)} ${shellWord(text)}`;
      const problem = await problemOf({ ...placeOf(run, setup), command: line, timeoutMs: TIMEOUT_MS }, signal);
      if (problem !== undefined) tellFailure("notify.command", problem, setup);
    });
  }

  function post(notification: Notification, setup: HookSetup, { timeoutMs, signal: unneeded, onDenied }: Post): void {
    const { callWebhook } = setup;
    if (callWebhook === undefined) return;
    posts.add(notification.id, async (signal) => {
      const either = unneeded === undefined ? signal : AbortSignal.any([signal, unneeded]);
      const { denied, problem } = await postToWebhook(callWebhook, notification, { clock, timeoutMs }, either);
      if (problem !== undefined) tellFailure("notify.webhook", problem, setup);
      if (denied !== undefined) onDenied?.(setup.redact(denied));
    });
  }

  /** The owner of the run reads the denial like one from any other process. */
  function deny({ delegationId, childId: target, callId }: AskEvent, request: string, reason: string): void {
    const answer = { kind: "approval-answer", at: clock.now(), delegationId, id: newId(), target, callId } as const;
    journal.append([{ ...answer, request, allowed: false, by: "webhook", reason }]).catch(() => {
      // The journal has failed, and with it the run.
    });
  }

  function listen(setup: HookSetup, run: Run): EventListener | undefined {
    const { command, after_seconds: afterSeconds } = setup.config.notify;
    if (command === undefined && setup.callWebhook === undefined) return undefined;
    const startedAt = clock.elapsed();
    const pending = new Map<string, AbortController>();

    function onAsk(event: AskEvent): void {
      const asked = approvalNotification(event, run);
      if (asked === undefined) return;
      const decided = new AbortController();
      pending.set(keyOf(event), decided);
      runCommand(asked, setup, run);
      const timeoutMs = Math.max(0, asked.answerBy - clock.now());
      const onDenied = (reason: string) => deny(event, asked.request, reason);
      post(asked, setup, { timeoutMs, signal: decided.signal, onDenied });
    }

    function onEnd({ at }: StoredEvent): void {
      const seconds = (clock.elapsed() - startedAt) / 1000;
      for (const decided of pending.values()) decided.abort();
      const ended = endNotification(run, at, seconds);
      if (seconds >= afterSeconds) runCommand(ended, setup, run);
      post(ended, setup, { timeoutMs: TIMEOUT_MS });
    }

    return (event) => {
      if (event.kind === "approval-ask") onAsk(event);
      if (event.kind === "approval-end") pending.get(keyOf(event))?.abort();
      if (event.kind === "delegation-end" && event.delegationId === run.delegationId) onEnd(event);
    };
  }

  return { jobs: [commands, posts], listen };
}

function keyOf({ childId, callId }: { childId: string; callId: string }): string {
  return JSON.stringify([childId, callId]);
}
