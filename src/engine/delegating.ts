/** What a child delegates, run to its end within the child's bounds: begun anew, or found again after a crash. */
import { DeputyError } from "../errors.ts";
import type { CallOptions, Calls } from "./calls.ts";
import { conduct, type Stage } from "./conduct.ts";
import { begunBy, boundsOf, type Delegate, firstOf, isOver, type Order } from "./nested.ts";
import { type Recalled, recallRun } from "./register.ts";
import { endsOfStopped, factsOf, type Reopening } from "./reopening.ts";

export type DelegatingDeps = Stage &
  Pick<Calls, "startOf"> &
  Reopening & {
    /** Makes this process the owner of a run. @throws DeputyError `run-owned` */
    own(delegationId: string): void;
  };

/** What the tree was begun with. `server`: the one that owns it. */
export type TreeOptions = { server?: string };

export function createDelegating(deps: DelegatingDeps): (options: TreeOptions) => Delegate {
  const { clock, journal, startOf, planResume, endAsked, reopen, own } = deps;

  /** What a child delegates: planned within its bounds, run to the end; one that a crash cut off goes on. */
  function delegating(options: TreeOptions): Delegate {
    return async (order) => {
      const { above, begun } = order;
      const { show } = above;
      const before = begunBy(journal, order.by);
      if (before !== undefined && isOver(before.run)) return before.run;
      const { setup, recalled, first } =
        before === undefined ? await start(order) : await rejoin(before, order, options);
      begun(recalled.run);
      first.forEach(show);
      const { answering } = above;
      await conduct(deps, setup, recalled, { show, answering, above, delegate: delegating(options) });
      return recalled.run;
    };
  }

  async function start(order: Order) {
    const { depth, route, planned, above } = order;
    const options: CallOptions = {
      surface: "child",
      askedBy: "model",
      workspace: planned.workspace,
      parentRoute: route,
      depth,
      bounds: boundsOf(order),
    };
    const { setup, start, stored } = await startOf(order.call, options, order);
    if (above.signal.aborted) throw new DeputyError("nothing-to-run", "Stopped before anything was started.");
    journal.claim(start.delegationId);
    await journal.append([start, ...stored]);
    return { setup, recalled: firstOf(start), first: [start] };
  }

  async function rejoin(before: Recalled, order: Order, { server }: TreeOptions) {
    const { delegationId } = before.run;
    const { setup } = order;
    own(delegationId);
    const found = recallRun(journal, delegationId);
    const plan = planResume(found.run, setup, { server, isBudgeted: boundsOf(order).isBudgeted });
    const recalled = await endAsked(found, server);
    const ends = endsOfStopped(recalled.run, clock.now(), server);
    return { setup, recalled, first: await reopen(recalled, factsOf(plan), ends) };
  }

  return delegating;
}
