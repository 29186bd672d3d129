/** The runs of this process: it owns each of them and supervises it to its end. */
import type { Event, StoredEvent } from "../../event.ts";
import type { DelegationResult } from "../../result.ts";
import { type RunUpdate, rootIdOf } from "../../run/run.ts";
import type { LoadedRun } from "../../run/run-store.ts";
import { present } from "../../values/present.ts";
import type { ApprovalOptions } from "../control/approvals.ts";
import type { LiveDelegation } from "../delegation.ts";
import type { Hooks } from "../hooks/hooks.ts";
import type { Setup } from "../setup/setup.ts";
import { createBroadcast } from "../work/broadcast.ts";
import { type LiveRun, liveRunIn } from "../work/live-run.ts";
import { createRunFeed } from "../work/run-feed.ts";
import type { Services } from "../work/services.ts";
import { supervise } from "../work/supervisor.ts";
import type { ChatExtras } from "../work/toolbox.ts";
import { claimRun, ownedBy } from "./claim-run.ts";
import { createNestedRuns } from "./nested-runs.ts";
import type { Resuming } from "./resume.ts";
import type { Calls } from "./start-call.ts";

export type RunsHereDeps = Services &
  Pick<Calls, "prepare"> &
  Resuming & {
    /** This process. */
    pid: number;
    hooks: Pick<Hooks, "watch">;
  };

/** Options for running a run. */
export type RunOptions = ApprovalOptions & {
  /** Maximum concurrent children, overriding the config. */
  concurrency?: number;
  /** Tools and hints that this surface adds for the agent of a conversation. */
  beside?: ChatExtras;
  /** The server that owns the run. */
  server?: string;
};

export type RunsHere = {
  /**
   * Makes this process the owner of a run, before `begin` or `disown`. @throws DeputyError `run-owned`, also if this
   * process already owns it
   */
  own(delegationId: string): Promise<void>;
  /** Releases a run that was not begun. */
  disown(delegationId: string): Promise<void>;
  /** Runs a run that this process owns. @param first recorded events that were not published yet */
  begin(setup: Setup, loaded: LoadedRun, first: readonly StoredEvent[], options: RunOptions): LiveDelegation;
  requestStop(delegationId: string, by: string, target?: string): Promise<void>;
  /** The run, if this process works on it or on a run above it. */
  live(delegationId: string): LiveRun | undefined;
  /** Stops all of them, and waits for them to end. */
  stopAll(by: string): Promise<void>;
};

export function createRunsHere(deps: RunsHereDeps): RunsHere {
  const { clock, journal, scheduler, pid, hooks } = deps;
  /** Undefined while the run is owned but not begun: the journal would let this process claim it again. */
  const here = new Map<string, (LiveRun & { result: Promise<DelegationResult> }) | undefined>();
  const runNestedWith = createNestedRuns(deps);

  async function own(delegationId: string): Promise<void> {
    if (here.has(delegationId)) throw ownedBy(delegationId, pid);
    here.set(delegationId, undefined);
    try {
      await claimRun(journal, delegationId);
    } catch (error) {
      here.delete(delegationId);
      throw error;
    }
  }

  async function disown(delegationId: string): Promise<void> {
    here.delete(delegationId);
    await journal.release(delegationId);
  }

  function begin(
    setup: Setup,
    loaded: LoadedRun,
    first: readonly StoredEvent[],
    { asker, answersFromElsewhere, concurrency, beside: chatExtras, server }: RunOptions,
  ): LiveDelegation {
    const { run } = loaded;
    const { delegationId } = run;
    const broadcast = createBroadcast<Event>();
    const feed = createRunFeed();
    const runHooks = hooks.watch(setup, run);
    const publish = (update: RunUpdate) => {
      broadcast.push(update.event);
      feed.publish(update);
      runHooks(update);
    };
    const { follow } = feed;
    scheduler.setCaps(concurrency ?? setup.config.delegation.max_concurrent_children, setup.limitsOf);
    // Runs before anything that `supervise` does in that turn.
    setImmediate(() => {
      first.forEach(broadcast.push);
      for (const event of first) runHooks({ event, run });
    });
    const result = supervise(deps, setup, loaded, {
      publish,
      approvalOptions: { asker, answersFromElsewhere },
      delegate: runNestedWith(present({ server })),
      chatExtras,
    }).finally(() => {
      here.delete(delegationId);
      broadcast.end();
      feed.end();
    });
    result.catch(() => {}); // The holder of the delegation sees the rejection; handling it is optional.
    here.set(delegationId, { run, follow, result });
    const stop = (by: string, target?: string) => requestStop(delegationId, by, target);
    return {
      id: delegationId,
      run,
      events: broadcast,
      async follow(onUpdate) {
        for (const event of first) onUpdate({ event, run });
        await follow(onUpdate);
      },
      result,
      stop,
    };
  }

  function live(delegationId: string): LiveRun | undefined {
    const root = here.get(rootIdOf(delegationId));
    return root && liveRunIn(root, delegationId);
  }

  function requestStop(delegationId: string, by: string, target?: string): Promise<void> {
    const request = { kind: "stop-request", at: clock.now(), delegationId, by, ...present({ target }) } as const;
    return journal.append([request]);
  }

  async function stopAll(by: string): Promise<void> {
    await Promise.all([...here.keys()].map((delegationId) => requestStop(delegationId, by)));
    await Promise.allSettled([...here.values()].map((begun) => begun?.result));
  }

  return { own, disown, begin, live, requestStop, stopAll };
}
