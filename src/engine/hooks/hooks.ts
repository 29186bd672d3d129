/**
 * Takes the events of this process's runs outside: to the commands of `hooks:` and to the command and webhook of
 * `notify:`. It sees each event once, when the process that recorded it publishes it, and never holds up or fails the
 * run.
 */
import { type Event, isStored, type StoredEvent } from "../../event.ts";
import { allChildren, type Run, type RunUpdate } from "../../run/run.ts";
import { createEventHooks } from "./event-hooks.ts";
import { createNotifier } from "./notifier.ts";
import type { HookSetup, HooksDeps, TellFailure } from "./outlet.ts";

export type Hooks = {
  /** Returns the function that receives each event of a run when it is published. */
  watch(setup: HookSetup, run: Run): (update: RunUpdate) => void;
  /** Passes on recorded events of a run that this process does not run. */
  tell(setup: HookSetup, run: Run, events: readonly StoredEvent[]): void;
  /** Resolves when every command and request that events have caused has ended. */
  settled(): Promise<void>;
  /** Waits for them a little, and ends what is left. */
  close(): Promise<void>;
};

/** Longest wait for what is left when Deputy closes, in milliseconds. */
const CLOSE_MS = 30_000;

export function createHooks(deps: HooksDeps): Hooks {
  const { clock, warn } = deps;
  const told = new Set<string>();
  const tellFailure: TellFailure = (subject, problem, { redact }) => {
    if (told.has(subject)) return;
    told.add(subject);
    warn(redact(`${subject} ${problem}. Its further failures are not shown.`));
  };
  const eventHooks = createEventHooks(tellFailure);
  const notifier = createNotifier(deps, tellFailure);
  const jobs = [eventHooks.jobs, ...notifier.jobs];

  function watch(setup: HookSetup, run: Run): (update: RunUpdate) => void {
    const listeners = [eventHooks.listen(setup, run), notifier.listen(setup, run)];
    const wanted = listeners.filter((listener) => listener !== undefined);
    return ({ event }) => {
      if (wanted.length === 0 || !isStored(event) || isCarried(event, run)) return;
      for (const listener of wanted) listener(event);
    };
  }

  function tell(setup: HookSetup, run: Run, events: readonly StoredEvent[]): void {
    const onUpdate = watch(setup, run);
    for (const event of events) onUpdate({ event, run });
  }

  async function settled(): Promise<void> {
    await Promise.all(jobs.map((each) => each.settled()));
  }

  async function close(): Promise<void> {
    if (jobs.every((each) => each.isIdle())) return;
    const inTime = new AbortController();
    await Promise.race([settled(), clock.sleep(CLOSE_MS, inTime.signal).catch(() => {})]);
    inTime.abort();
    for (const each of jobs) each.stop();
    await settled();
  }

  return { watch, tell, settled, close };
}

/** The events of a result that a retry took over happened in the earlier run. */
function isCarried(event: Event, run: Run): boolean {
  if (run.retryOf === undefined || !("childId" in event)) return false;
  return allChildren(run).some(({ tally }) => tally.childId === event.childId && tally.carriedFrom !== undefined);
}
