/**
 * Supervises a run in this process: its open children queue, run and end, requests reach them through the journal, and
 * the run ends. Nothing that it started outlives it.
 */
import type { Clock } from "../../clock.ts";
import type { DelegationResult } from "../../result.ts";
import { budgetOf, hasEnded, type Run, type RunUpdate, resultsOf, spentIn, workedMs } from "../../run/run.ts";
import type { LoadedRun } from "../../run/run-store.ts";
import { type ApprovalOptions, type Approvals, createApprovals } from "../control/approvals.ts";
import { createHostApprovals } from "../control/host-approvals.ts";
import { createBudget } from "../limits/budget.ts";
import type { Setup } from "../setup/setup.ts";
import type { ParentContext, RunNested } from "../start/nested-call.ts";
import { type OpenChild, runOpenChild } from "./child-runner.ts";
import { openInbox } from "./inbox.ts";
import { createInterrupts, stopWithParent } from "./interrupts.ts";
import { createNestedDelegations } from "./nested-delegations.ts";
import { createPrompts, createSkillsOf } from "./prompts.ts";
import { recordConflicts } from "./record-conflicts.ts";
import { createRecorder } from "./recorder.ts";
import type { Services } from "./services.ts";
import type { ChatExtras } from "./toolbox.ts";

/**
 * Connections of a run to its surroundings: its watchers, its approval handlers, and the constraints of a parent child.
 */
export type RunHooks = {
  chatExtras?: ChatExtras | undefined;
  /** Receives every event, live ones included, in order, each with the run as folded so far. */
  publish(update: RunUpdate): void;
  approvalOptions: ApprovalOptions;
  /** Runs the delegations of the children. */
  delegate: RunNested;
  /** Set if a child made this delegation. */
  parent?: ParentContext;
};

/**
 * Runs the unfinished children of a run to their end. Everything starts on the next turn of the event loop, so that the
 * caller can watch from the first event.
 * @param loaded the run so far; further events are folded into it
 * @returns the result; rejects only if the journal failed
 */
export async function supervise(
  services: Services,
  setup: Setup,
  { run, past, lastSeq }: LoadedRun,
  hooks: RunHooks,
): Promise<DelegationResult> {
  const { clock, journal } = services;
  const { delegationId } = run;
  const { publish, approvalOptions, delegate, parent, chatExtras } = hooks;
  const startedAt = clock.elapsed() - workedMs(run);
  const open = openChildren(run);
  const budgets = [...(parent?.budgets ?? []), createBudget(budgetOf(run, setup.config), spentIn(run.children))];
  const prompts = createPrompts(run, setup);
  const skillsOf = createSkillsOf(setup);
  const interrupts = createInterrupts();
  const recorder = createRecorder({ journal, run, publish, stop: interrupts.stop });
  const approvals = approvalsOf(setup, approvalOptions, clock);
  const hosts = createHostApprovals({
    ...{ clock, approvals, record: recorder.record },
    listed: setup.config.terminal.network,
    rules: setup.permissions,
  });
  const nested = createNestedDelegations({ clock, setup, run, recorder, delegate, approvalOptions });
  const own = { services, setup, run, past, budgets, prompts, skillsOf, recorder };
  const deps = { ...own, interrupts, approvals, hosts, nested, chatExtras };

  await nextTurn();
  const ignoreParent = parent && stopWithParent(interrupts, parent.signal);
  const closeInbox = openInbox({ journal, recorder, interrupts, approvals }, delegationId, lastSeq);
  await Promise.all(open.map((child) => runOpenChild(deps, child)));
  ignoreParent?.();
  await recordConflicts(services, run, recorder);
  await closeInbox();
  recorder.assertIntact();
  const durationMs = Math.round(clock.elapsed() - startedAt);
  await recorder.record({ kind: "delegation-end", at: clock.now(), delegationId, durationMs });
  await journal.release(delegationId);
  return resultsOf(run);
}

/** Reasons of decisions are without known keys. */
function approvalsOf({ config, redact }: Setup, options: ApprovalOptions, clock: Clock): Approvals {
  const approvals = createApprovals(options, config.delegation.approval_timeout_seconds * 1000, clock);
  return {
    ...approvals,
    async approve(question, signal) {
      const decision = await approvals.approve(question, signal);
      return { ...decision, reason: redact(decision.reason) };
    },
  };
}

/** Children that can start or continue. A rejected task is not one of them. */
function openChildren(run: Run): OpenChild[] {
  return run.children.flatMap((child) => {
    const { planned, startedAt = run.lastEventAt } = child.tally;
    const earlierMs = Math.max(0, run.lastEventAt - startedAt);
    return hasEnded(child) || "problem" in planned ? [] : [{ child, planned, earlierMs }];
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
