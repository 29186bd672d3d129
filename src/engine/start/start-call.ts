/**
 * Prepares a call to become a run: planned with the current config and keys, rejected if nothing can start, and written
 * as the run's first event. Nothing starts here.
 */

import type { SchemaChecker } from "../../child/schema/schema-checker.ts";
import type { Clock } from "../../clock.ts";
import { DeputyError, type Warning } from "../../errors.ts";
import { JOURNAL_FORMAT, type McpClientFacts, type StoredEvent } from "../../event.ts";
import type { Planned } from "../../plan.ts";
import type { Route, Wish } from "../../route.ts";
import type { Bounds } from "../../routing/plan.ts";
import { askHook, type RouteHook } from "../../routing/resolve/hook.ts";
import { isConversation } from "../../run/run.ts";
import { withKeysHidden } from "../../secret.ts";
import type { Call } from "../../task.ts";
import { shortLine } from "../../text/short-line.ts";
import type { PermissionRule } from "../../tool.ts";
import { present } from "../../values/present.ts";
import { hostsIn } from "../../web-host.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";
import type { Setup } from "../setup/setup.ts";
import { withinWindows } from "./context-windows.ts";
import type { PlannedCall } from "./first-requests.ts";
import { imagesApart } from "./images.ts";
import { withoutKeys } from "./known-keys.ts";
import type { NestedCall } from "./nested-call.ts";
import { planWorktrees } from "./plan-worktrees.ts";
import { rulesWithoutServer } from "./server-rules.ts";

/** The caller, its location, and its bounds. */
export type CallOptions = {
  /** Model request of this surface's caller, from flags. */
  parent?: Wish;
  /** The caller's route, replacing `parent` and the config's top level. */
  parentRoute?: Route;
  surface: string;
  /** Who wrote the call: `delegation.allow` and `deny` apply to a model. Default: the operator. */
  askedBy?: "operator" | "model";
  /** Directory that the tasks' workspaces are relative to. */
  workspace: string;
  /** USD for the whole call; the lowest of this, the call's and the config's limit applies. */
  maxCostUsd?: number;
  /** If one task cannot start, none does. */
  strict?: boolean;
  /** Warnings about how the call was written. */
  notes?: readonly Warning[];
  /** Permission rules that take precedence over the config's. */
  permissions?: PermissionRule[];
  /** Bounds of the tasks, in addition to the config. */
  bounds?: Bounds;
  /** The user's own part of a conversation's first message, where data follows it. */
  words?: string;
  /** Hosts that the user named, instead of those in the texts of the call. */
  hosts?: readonly string[];
  /** Depth of the children; 1 for a call by no child. */
  depth?: number;
  /** The server that owns the run: after a crash, its next process finds the run with `orphanedRuns`. */
  server?: string;
  /** Key of an MCP client's call, by which `takeOverCall` finds the run. */
  callKey?: string;
  /** The MCP client that begins the run. */
  client?: McpClientFacts;
  /** The agent of a conversation that starts the run in the background, by its id. */
  startedBy?: string;
};

export type Plan = { planned: Planned[]; warnings: Warning[] };
type Prepared = Plan & PlannedCall;
/**
 * A call that can begin: the setup it was planned with, and a function that makes the first events for the run's id.
 */
export type ReadyCall = { setup: Setup; firstEvents(delegationId: string): [StartEvent, ...StoredEvent[]] };
export type StartEvent = Extract<StoredEvent, { kind: "delegation-start" }>;

export type Calls = {
  /** @throws DeputyError `task-invalid` | `config-invalid` */
  plan(call: Call, options: CallOptions): Promise<Prepared>;
  /** @throws DeputyError `nothing-to-run` with every problem, if no task can start */
  prepare(call: Call, options: CallOptions, nested?: NestedCall): Promise<ReadyCall>;
};

export type CallsDeps = {
  clock: Clock;
  schemas: SchemaChecker;
  /** Reads the current config and environment. */
  setup(): Setup;
  /** The program's routing hook, called for each task. */
  route?: RouteHook;
  worktrees: Pick<Worktrees, "planner">;
};

export function createCalls(deps: CallsDeps): Calls {
  const { clock } = deps;

  async function plan(asked: Call, options: CallOptions, nested?: NestedCall): Promise<Prepared> {
    const setup = nested?.setup ?? withPermissions(deps.setup(), options.permissions);
    const { value: written, warnings: removed } = withoutKeys(asked, setup.redact);
    await refuseBrokenSchemas(written, deps.schemas);
    const call = withBudget(written, options.maxCostUsd);
    const { parent, parentRoute, askedBy, depth = 1, bounds, workspace: cwd } = options;
    if (askedBy === "model") refuseDepth(depth, setup);
    const { words } = options;
    const hosts = words === undefined ? options.hosts : hostsIn(setup.redact(words));
    const {
      planned: routed,
      warnings,
      agents,
    } = setup.plan(call, {
      cwd,
      ...present({ parent, parentRoute, askedBy, bounds, hosts }),
      depth,
      ...(isConversation(options)
        ? { isConversation: true }
        : deps.route && { decisions: await askHook(deps.route, call.tasks, setup.candidates()) }),
    });
    const { config } = setup;
    const planWorktree = deps.worktrees.planner();
    const planned = isConversation(options)
      ? routed
      : await planWorktrees(call, routed, { config, planWorktree, copy: bounds?.copy });
    const all = [...setup.warnings, ...(options.notes ?? []), ...removed, ...overruled(parent, planned), ...warnings];
    const fitting = await withinWindows({ planned, call, setup, agents }, options.surface);
    return { planned: fitting.map(shownSafely), warnings: all.map(withKeysHidden), call, setup, agents };
  }

  /**
   * Prepares a call without starting anything. The first events are the start, and the images that it refers to by
   * hash.
   */
  async function prepare(asked: Call, options: CallOptions, nested?: NestedCall): Promise<ReadyCall> {
    const { planned, warnings, call, setup, agents } = await plan(asked, options, nested);
    refuseUnresolved(planned, options.strict === true || setup.config.delegation.on_unresolved === "reject");
    const { surface, server, callKey, client, startedBy, parent = {}, workspace: directory } = options;
    const wish = Object.keys(parent).length > 0 ? parent : undefined;
    return {
      setup,
      firstEvents(delegationId) {
        const about = { at: clock.now(), delegationId };
        const { stored, ...light } = imagesApart(call, planned, about);
        const start: StartEvent = {
          kind: "delegation-start",
          ...about,
          ...light,
          surface,
          warnings,
          format: JOURNAL_FORMAT,
          ...(Object.keys(agents).length > 0 && { agents }),
          ...present({
            parent: nested?.by,
            depth: isConversation(options) ? 0 : nested?.depth,
            server,
            callKey,
            client,
            startedBy,
            directory,
            wish,
          }),
        };
        return [start, ...stored];
      },
    };
  }

  return { plan, prepare };
}

/** What looks like a key is hidden in the texts that are shown and stored. */
function shownSafely(planned: Planned): Planned {
  if ("problem" in planned) return { ...planned, problem: withKeysHidden(planned.problem) };
  const { route } = planned;
  return { ...planned, route: { ...route, warnings: route.warnings.map(withKeysHidden) } };
}

/** @throws DeputyError `nothing-to-run` if no model may delegate at this depth */
function refuseDepth(depth: number, { config }: Setup): void {
  const { max_spawn_depth: most } = config.delegation;
  if (depth <= most) return;
  throw new DeputyError(
    "nothing-to-run",
    `No task can start: delegation.max_spawn_depth is ${most}, so that ${most === 0 ? "no model may delegate" : `children at depth ${depth - 1} may not delegate`}. The user can raise it in the config.`,
  );
}

/** Flags describe the parent, so the config's setting for children overrides them; this warning says so. */
function overruled(parent: Wish = {}, planned: readonly Planned[]): Warning[] {
  const asked = parent.model ?? parent.provider;
  const route = planned
    .map((entry) => ("route" in entry ? entry.route : undefined))
    .find((route) => route?.chosenBy.model === "delegation" || route?.chosenBy.provider === "delegation");
  if (asked === undefined || route === undefined) return [];
  const message = `${asked} applies to the caller; its children run on ${route.model} @ ${route.provider}, as delegation: in the config says. A task can name its own model.`;
  return [{ code: "caller-overruled", message }];
}

/** @throws DeputyError `task-invalid` if an output_schema is unusable */
async function refuseBrokenSchemas({ tasks }: Call, schemas: SchemaChecker): Promise<void> {
  for (const [index, { output_schema: schema }] of tasks.entries()) {
    const mistake = schema && (await schemas.mistakeIn(schema));
    if (mistake === undefined) continue;
    throw new DeputyError("task-invalid", `task ${index + 1}, output_schema: Expected a JSON Schema; ${mistake}.`);
  }
}

/** @throws DeputyError `nothing-to-run` if no task can start or, with `all`, if one cannot */
function refuseUnresolved(planned: readonly Planned[], all: boolean): void {
  const problems = planned.flatMap((entry, index) => ("problem" in entry ? [{ index, ...entry }] : []));
  if (problems.length === 0 || (!all && problems.length < planned.length)) return;
  const lines = problems.map(
    ({ index, task, problem }) => `task ${index + 1} (${shortLine(task.goal)}), ${problem.field}: ${problem.message}`,
  );
  const head = problems.length === planned.length ? "No task can start:" : "Nothing was started, because not all can:";
  throw new DeputyError("nothing-to-run", [head, ...lines].join("\n"), { details: problems });
}

/** Adds rules that take precedence over the config's. */
export function withPermissions(setup: Setup, permissions: PermissionRule[] = []): Setup {
  return {
    ...setup,
    permissions: [...permissions, ...setup.permissions],
    warnings: [...setup.warnings, ...rulesWithoutServer(permissions, setup.config)],
  };
}

function withBudget(call: Call, maxCostUsd: number | undefined): Call {
  if (maxCostUsd === undefined) return call;
  return { ...call, max_cost_usd: Math.min(maxCostUsd, call.max_cost_usd ?? Number.POSITIVE_INFINITY) };
}
