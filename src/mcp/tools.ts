/** The tools that Deputy offers over MCP, with their MCP annotations. */

import type { ModelFilter } from "../available-models.ts";
import type { Clock } from "../clock.ts";
import type { ManagedRuns } from "../engine/control/delegations.ts";
import { listAvailableModels } from "../engine/setup/list-available.ts";
import type { Opened } from "../engine/setup/open-deputy.ts";
import type { Tool } from "../tool.ts";
import { createCheckDelegation, restOf } from "../tools/delegation/check-delegation.ts";
import { createControlDelegation } from "../tools/delegation/control-delegation.ts";
import { createDelegate } from "../tools/delegation/delegate.ts";
import { createListModels } from "../tools/delegation/list-models.ts";
import type { RequestContext } from "./client/request-context.ts";
import { type ClientDelegationsDeps, createClientDelegations } from "./runs/delegations.ts";
import type { ToolAnnotations } from "./tool-adapter.ts";

export type ToolsDeps = Pick<ClientDelegationsDeps, "workspace" | "startDetached" | "server"> & {
  deputy: Opened;
  clock: Clock;
};

/** A call of one tool. `seen`: the runs that its client's model may name. */
export type ToolRequest = { context: RequestContext; seen: ManagedRuns };

/**
 * The tools for the current config and keys. With `request` they serve that call; without it they can only be listed.
 */
export function createMcpTools(deps: ToolsDeps, request: ToolRequest | undefined): Tool[] {
  const { deputy, workspace } = deps;
  const { config } = deputy.loadConfig();
  const { mcp, delegation } = config;
  const use = () => {
    if (request === undefined) throw new Error("a tool is used without a call");
    return createClientDelegations(
      {
        ...deps,
        engine: deputy.engine,
        seen: request.seen,
        maxSummaryChars: delegation.max_summary_chars,
        returnAfterMs: mcp.return_after_seconds * 1000,
      },
      request.context,
    );
  };
  const listModels = (filter: ModelFilter) =>
    listAvailableModels({ routing: deputy.routing(), config, cwd: workspace.path }, filter, "model");
  const delegate = () =>
    createDelegate({
      available: listModels({}),
      maxTasks: delegation.max_tasks_per_call,
      maxConcurrent: delegation.max_concurrent_children,
      mayOrchestrate: delegation.max_spawn_depth > 1,
      supportsBackground: true,
      maxSummaryChars: delegation.max_summary_chars,
      restOf,
      submit: (call, _, how) => use().delegate(call, how),
    });
  return [
    ...(delegation.max_spawn_depth > 0 ? [delegate()] : []),
    createListModels({ listModels }),
    createCheckDelegation({
      isChild: (id) => use().isChild(id),
      newest: () => use().newest(),
      report: (id, seconds) => use().report(id, seconds),
      answer: (id, offset, seconds) => use().answer(id, offset, seconds),
      maxWaitSeconds: mcp.return_after_seconds,
    }),
    createControlDelegation({
      stop: (id) => use().stop(id),
      steer: (id, message) => use().steer(id, message),
      answer: (id, callId, allowed, reason) => use().settle(id, callId, allowed, reason),
      mayApprove: delegation.approvals_by_model,
    }),
  ];
}

export const TOOL_ANNOTATIONS: Record<string, ToolAnnotations> = {
  delegate_task: { title: "Delegate tasks", destructive: true, idempotent: false, openWorld: true, alwaysLoad: true },
  list_models: { title: "List models", destructive: false, idempotent: true, openWorld: false },
  check_delegation: {
    title: "Check a delegation",
    destructive: false,
    idempotent: true,
    openWorld: false,
    alwaysLoad: true,
  },
  control_delegation: { title: "Control a delegation", destructive: true, idempotent: true, openWorld: false },
};
