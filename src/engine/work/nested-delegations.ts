/** The delegations that a run's children make: started in the order of the calls, and ended before their child ends. */
import type { Clock } from "../../clock.ts";
import type { Ready } from "../../plan.ts";
import { routeAt } from "../../result.ts";
import { nestedUsage, type Run, type RunChild } from "../../run/run.ts";
import type { Call } from "../../task.ts";
import type { ToolContext } from "../../tool.ts";
import type { ApprovalOptions } from "../control/approvals.ts";
import type { Budget } from "../limits/budget.ts";
import type { Setup } from "../setup/setup.ts";
import type { RunNested } from "../start/nested-call.ts";
import type { Recorder } from "./recorder.ts";

/** The delegating child, and every budget that its requests count against. */
export type Delegator = { child: RunChild; planned: Ready; budgets: readonly Budget[] };

export type NestedDelegations = {
  /** Runs a call to its end. @throws DeputyError `nothing-to-run` if no task can start */
  run(call: Call, by: Delegator, context: ToolContext): Promise<Run>;
  /** Settles once everything that a child delegated has ended. */
  settled(childId: string): Promise<void>;
};

export type NestedDelegationsDeps = {
  clock: Clock;
  setup: Setup;
  run: Run;
  recorder: Recorder;
  delegate: RunNested;
  approvalOptions: ApprovalOptions;
};

export function createNestedDelegations(deps: NestedDelegationsDeps): NestedDelegations {
  const { clock, run: parentRun, recorder, delegate, setup, approvalOptions } = deps;
  const underWay = new Map<string, Promise<Run>[]>();
  /** Settles when the newest delegation of a child has started, or failed to start. */
  const lastBegun = new Map<string, Promise<void>>();

  function run(call: Call, by: Delegator, context: ToolContext): Promise<Run> {
    const { childId } = by.child.tally;
    const nested = runInTurn(call, by, context);
    underWay.set(childId, [...(underWay.get(childId) ?? []), nested]);
    return nested;
  }

  /** Starts concurrent delegations one after another, so that they are numbered in the order of the calls. */
  async function runInTurn(call: Call, by: Delegator, context: ToolContext): Promise<Run> {
    const { childId } = by.child.tally;
    const previous = lastBegun.get(childId);
    const { promise: hasBegun, resolve: letNextBegin } = Promise.withResolvers<void>();
    lastBegun.set(childId, hasBegun);
    await previous;
    return runToEnd(call, by, context, letNextBegin);
  }

  /** Records the delegation's usage before its child sees the report. */
  async function runToEnd(
    call: Call,
    { child, planned, budgets }: Delegator,
    { callId = "", step = 0, hosts = [], signal }: ToolContext,
    onBegun: () => void,
  ): Promise<Run> {
    const { childId, position } = child.tally;
    const nested = await delegate({
      call,
      by: { childId, step, callId },
      planned,
      route: routeAt(planned, position),
      depth: parentRun.depth + 1,
      hosts,
      parent: { budgets, signal, publish: recorder.relay, approvalOptions },
      setup,
      onStart(nestedRun) {
        attach(child, nestedRun);
        onBegun();
      },
    }).finally(onBegun);
    const charge = nestedUsage(nested, child.tally);
    const { delegationId } = parentRun;
    await recorder.record({ kind: "delegation-charge", at: clock.now(), delegationId, childId, charge });
    return nested;
  }

  async function settled(childId: string): Promise<void> {
    await Promise.allSettled(underWay.get(childId) ?? []);
    underWay.delete(childId);
    lastBegun.delete(childId);
  }

  return { run, settled };
}

/** Attaches a run to its child; a run found again replaces the previous one. */
function attach({ delegations }: RunChild, run: Run): void {
  const known = delegations.findIndex(({ delegationId }) => delegationId === run.delegationId);
  delegations.splice(known < 0 ? delegations.length : known, 1, run);
}
