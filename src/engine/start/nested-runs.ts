/** Runs a child's delegations to their end within the child's bounds: new ones, and ones found after a crash. */
import { DeputyError } from "../../errors.ts";
import { isOver } from "../../run/run.ts";
import { catchUp, type LoadedRun } from "../../run/run-store.ts";
import type { Services } from "../work/services.ts";
import { supervise } from "../work/supervisor.ts";
import { claimRun } from "./claim-run.ts";
import { boundsOf, type NestedCall, nestedRunOf, newRun, type RunNested } from "./nested-call.ts";
import { endsOfStopped, factsOf, type Resuming } from "./resume.ts";
import type { CallOptions, Calls } from "./start-call.ts";

export type NestedRunDeps = Services & Pick<Calls, "prepare"> & Resuming;

/** Options of the whole tree. `server`: its owner. */
export type TreeOptions = { server?: string };

export function createNestedRuns(deps: NestedRunDeps): (options: TreeOptions) => RunNested {
  const { clock, journal, prepare, planResume, endAsked, recordResume } = deps;

  /** Runs a child's delegation: planned within its bounds, or continued if a crash interrupted it. */
  function runNestedWith(options: TreeOptions): RunNested {
    return async (nestedCall) => {
      const { parent, onStart } = nestedCall;
      const { publish } = parent;
      const before = await nestedRunOf(journal, nestedCall.by);
      if (before !== undefined && isOver(before.run)) return before.run;
      const { setup, loaded, first } =
        before === undefined ? await start(nestedCall) : await resumeNested(before, nestedCall, options);
      onStart(loaded.run);
      first.forEach(publish);
      await supervise(deps, setup, loaded, {
        publish: ({ event }) => publish(event),
        approvalOptions: parent.approvalOptions,
        parent,
        delegate: runNestedWith(options),
      });
      return loaded.run;
    };
  }

  async function start(nestedCall: NestedCall) {
    const { depth, route, planned, parent, hosts } = nestedCall;
    const options: CallOptions = {
      surface: "child",
      askedBy: "model",
      workspace: planned.workspace,
      parentRoute: route,
      depth,
      hosts,
      bounds: boundsOf(nestedCall),
    };
    const { setup, firstEvents } = await prepare(nestedCall.call, options, nestedCall);
    if (parent.signal.aborted) throw new DeputyError("nothing-to-run", "Stopped before anything was started.");
    const [start] = await journal.begin({ under: nestedCall.by.childId }, firstEvents);
    return { setup, loaded: newRun([start]), first: [start] };
  }

  async function resumeNested(loaded: LoadedRun, nestedCall: NestedCall, { server }: TreeOptions) {
    const { setup } = nestedCall;
    await claimRun(journal, loaded.run.delegationId);
    await catchUp(journal, loaded);
    const { isBudgeted } = boundsOf(nestedCall);
    const plan = await planResume(loaded.run, setup, { server, isBudgeted }, nestedCall.parent.signal);
    const ended = await endAsked(loaded, server);
    const ends = endsOfStopped(loaded.run, clock.now(), server);
    const resumed = await recordResume(loaded, factsOf(plan), ends);
    return { setup, loaded, first: [...ended, ...resumed] };
  }

  return runNestedWith;
}
