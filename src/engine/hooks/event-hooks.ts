/** `hooks:` of the config: commands that run at a run's events, one after another, with the event on standard input. */
import type { HookConfig } from "../../config-schema.ts";
import type { StoredEvent } from "../../event.ts";
import type { Run } from "../../run/run.ts";
import { jsonLine } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { problemOf } from "./hook-command.ts";
import { type EventListener, type HookSetup, placeOf, type TellFailure } from "./outlet.ts";
import { createSideJobs, type SideJobs } from "./side-jobs.ts";

export type EventHooks = {
  jobs: SideJobs;
  /** Returns undefined if the config has no hook. */
  listen(setup: HookSetup, run: Run): EventListener | undefined;
};

/** Commands that run at once, and events that may wait for theirs. */
const MOST = { running: 4, waiting: 1_000 };

export function createEventHooks(tellFailure: TellFailure): EventHooks {
  const jobs = createSideJobs(MOST);

  function start(hook: HookConfig, event: StoredEvent, setup: HookSetup, run: Run): void {
    const subject = `The hook \`${hook.command}\``;
    const added = jobs.add(run.delegationId, async (signal) => {
      const timeoutMs = hook.timeout_seconds * 1000;
      const command = { ...placeOf(run, setup), command: hook.command, input: inputOf(event, run), timeoutMs };
      const problem = await problemOf(command, signal);
      if (problem !== undefined) tellFailure(subject, `${problem}, at ${event.kind}`, setup);
    });
    if (!added) tellFailure(subject, `missed ${event.kind}, because too many events wait`, setup);
  }

  function listen(setup: HookSetup, run: Run): EventListener | undefined {
    const { hooks } = setup.config;
    if (hooks.length === 0) return undefined;
    return (event) => {
      for (const hook of hooks) if (matches(hook, event)) start(hook, event, setup, run);
    };
  }

  return { jobs, listen };
}

function matches({ on, status }: HookConfig, event: StoredEvent): boolean {
  if (![on].flat().includes(event.kind)) return false;
  return status === undefined || (event.kind === "child-end" && status.includes(event.ending.status));
}

/** The JSON that the command reads. */
function inputOf(event: StoredEvent, { surface }: Run): string {
  const childId = "childId" in event ? event.childId : undefined;
  return jsonLine({ delegation_id: event.delegationId, ...present({ child_id: childId }), surface, event });
}
