/**
 * Plans where isolated children work. A task whose child cannot have a copy of its own is rejected: it never runs in
 * place.
 */
import type { Config } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Isolation } from "../../isolation.ts";
import { serverOf } from "../../mcp-names.ts";
import type { Planned, Ready } from "../../plan.ts";
import type { Call } from "../../task.ts";
import { isWithin } from "../../values/path-within.ts";
import type { PlanWorktree } from "../../worktree/plan-worktree.ts";

export type WorktreePlanning = {
  config: Config;
  planWorktree: PlanWorktree;
  /** Root of the copy that the caller works in; its children share it unless they ask for their own. */
  copy: string | undefined;
};

export function planWorktrees(call: Call, planned: readonly Planned[], planning: WorktreePlanning): Promise<Planned[]> {
  return Promise.all(planned.map((entry) => ("problem" in entry ? entry : planOne(call, entry, planning))));
}

async function planOne(call: Call, ready: Ready, planning: WorktreePlanning): Promise<Planned> {
  const { config, planWorktree, copy } = planning;
  const { task } = ready;
  const { isolation_include: include, isolation_setup: setup, isolation_dirty: dirty } = config.delegation;
  const base = task.base ?? call.base;
  if (isolationOf(call, ready, planning) === "none") {
    if (task.base !== undefined) return { task, problem: needsWorktree };
    return copy === undefined ? ready : inCopy(ready, copy);
  }
  const plan = await planWorktree({
    ...{ workspace: ready.workspace, base, include, setup, carry: dirty === "carry" },
    goal: task.goal,
  });
  if ("unavailable" in plan) return { task, problem: unavailable(plan.unavailable, plan.field) };
  const warnings = [...ready.route.warnings, ...sharedServers(ready, config)];
  return { ...ready, route: { ...ready.route, warnings }, worktree: plan };
}

/** Task, call, agent definition, config. The config's default is for children that can change files. */
function isolationOf(
  { isolation }: Call,
  { task, toolsets, ...ready }: Ready,
  { config, copy }: WorktreePlanning,
): Isolation {
  const changesFiles = toolsets.some((name) => name === "file" || name === "terminal");
  const byDefault = changesFiles && copy === undefined ? config.delegation.isolation : "none";
  return task.isolation ?? isolation ?? ready.isolation ?? byDefault;
}

const needsWorktree: Problem = {
  code: "isolation-unavailable",
  field: "base",
  message:
    "Expected isolation: worktree with base, because only a copy of the repository starts from a ref. Add it, or leave base out.",
  suggestions: [],
};

/** A child below an isolated one, in the same copy. */
function inCopy(ready: Ready, copy: string): Planned {
  const { workspace, realPaths = {} } = ready;
  if (isWithin(copy, realPaths[workspace] ?? workspace)) return { ...ready, copy };
  const message = `Expected a directory in the working copy that the caller works in, ${copy}; found ${workspace}.`;
  return { task: ready.task, problem: { code: "workspace-unusable", field: "workspace", message, suggestions: [] } };
}

function unavailable(why: string, field: "isolation" | "base"): Problem {
  const message =
    field === "base"
      ? why
      : `A working copy of its own is impossible: ${why} The child does not run in place; isolation: none would.`;
  return { code: "isolation-unavailable", field, message, suggestions: [] };
}

/** A server that children share knows nothing of their copies. */
function sharedServers({ toolsets }: Ready, { mcp_servers }: Config): Warning[] {
  const shared = toolsets.map(serverOf).filter((name) => name !== undefined && mcp_servers[name]?.per === "process");
  return shared.map((name) => ({
    code: "shared-server",
    message: `The MCP server ${name} is shared: its tools work outside of the child's working copy. With per: child, they work in it.`,
  }));
}
