/**
 * The plan of a call: every task gets a route, limits, toolsets and a workspace, or a problem, before anything starts.
 * Nothing is sent, nothing is changed.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, TOOLSETS } from "../config/schema.ts";
import type { Problem, Warning } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Limits, Planned } from "../plan.ts";
import type { Route } from "../route.ts";
import type { Call, Task } from "../task.ts";
import type { Decision } from "./hook.ts";
import { createRouter, type RouterDeps } from "./router.ts";

export type PlanDeps = RouterDeps & {
  /** Workspaces are relative to it. */
  cwd: string;
  /** What the program's routing hook said of each task. */
  decisions: readonly Decision[];
};

/** Plans every task of a call. Call and config stay as they are. */
export function planCall(call: Call, deps: PlanDeps): { planned: Planned[]; warnings: Warning[] } {
  const { config } = deps;
  const routeOf = createRouter(call, deps);
  const workspaceOf = createWorkspaces(deps.cwd);
  const planned = call.tasks.map((task, index): Planned => {
    const routed = routeOf(task, deps.decisions[index]);
    if ("problem" in routed) return { task, ...routed };
    const toolsets = toolsetsOf(task, call, config, routed.route);
    if ("problem" in toolsets) return { task, ...toolsets };
    const workspace = workspaceOf(task.workspace);
    if ("problem" in workspace) return { task, ...workspace };
    const problem = tooLarge(task, call, routed.route);
    if (problem !== undefined) return { task, problem };
    const route = fitForTools(routed.route, toolsets.toolsets, config);
    return { task, route, ...toolsets, ...workspace, limits: limitsOf(task, call, config) };
  });
  return { planned, warnings: ignoredDefaults(call, config) };
}

function ignoredDefaults(call: Call, { delegation }: Config): Warning[] {
  const fields = (["model", "provider", "reasoning_effort"] as const).filter((field) => call[field] !== undefined);
  if (delegation.batch_defaults === "inherit" || fields.length === 0) return [];
  return [
    {
      code: "no-batch-default",
      message: `${fields.join(", ")} beside tasks has no effect: delegation.batch_defaults is explicit. Write it in each task.`,
    },
  ];
}

/** The lower of what is asked for and what the config allows. */
function limitsOf(task: Task, call: Call, { delegation }: Config): Limits {
  const asked = task.timeout_seconds ?? call.timeout_seconds ?? 0;
  const timeouts = [asked, delegation.child_timeout_seconds].filter((seconds) => seconds > 0);
  const costs = [task.max_cost_usd, delegation.max_cost_usd].filter((usd) => usd !== undefined);
  return {
    maxIterations: Math.min(task.max_iterations ?? call.max_iterations ?? Infinity, delegation.max_iterations),
    timeoutMs: timeouts.length === 0 ? 0 : Math.min(...timeouts) * 1000,
    stallMs: delegation.stall_seconds * 1000,
    ...(task.max_cost_usd !== undefined && { maxCostUsd: Math.min(...costs) }),
  };
}

type Toolsets = { toolsets: string[] } | { problem: Problem };

/** A subset of what the config gives to children, never more; none where the model cannot call tools. */
function toolsetsOf(task: Task, call: Call, { delegation }: Config, route: Route): Toolsets {
  const allowed: readonly string[] = delegation.toolsets;
  const named = task.toolsets ?? call.toolsets;
  const asked = named ?? allowed;
  const refused = asked.find((name) => !allowed.includes(name));
  if (refused === undefined) {
    if (route.facts.tools !== false) return { toolsets: [...new Set(asked)] };
    return named === undefined || named.length === 0 ? { toolsets: [] } : { problem: noTools(route, named) };
  }
  const exists = (TOOLSETS as readonly string[]).includes(refused);
  const suggestions = exists ? [...allowed] : nearest(refused, allowed);
  const hint = suggestions.length > 0 && !exists ? ` Did you mean ${suggestions.join(" or ")}?` : "";
  const reason = exists ? ", which delegation.toolsets does not give to children" : "";
  return {
    problem: {
      code: "toolset-unavailable",
      field: "toolsets",
      message: `Expected toolsets out of ${allowed.join(", ") || "none"}; found ${refused}${reason}.${hint}`,
      suggestions,
    },
  };
}

function noTools({ model, provider }: Route, named: readonly string[]): Problem {
  return {
    code: "toolset-unavailable",
    field: "toolsets",
    message:
      `Expected a model that can call tools, because toolsets are named (${named.join(", ")}); found ${model} @ ` +
      `${provider}, which cannot. Choose another model, or write toolsets: [].`,
    suggestions: [],
  };
}

/** A child that lost its tools is told of; a fallback that could not go on with the child's tools is none. */
function fitForTools(route: Route, toolsets: readonly string[], { delegation }: Config): Route {
  const without: Warning[] =
    route.facts.tools === false && delegation.toolsets.length > 0
      ? [{ code: "no-tools", message: `${route.model} @ ${route.provider} cannot call tools: the child has none.` }]
      : [];
  const unfit = toolsets.length === 0 ? [] : route.fallbacks.filter(({ facts }) => facts.tools === false);
  if (without.length === 0 && unfit.length === 0) return route;
  const unusable = unfit.map(({ model, provider }) => ({
    code: "fallback-unusable",
    message: `The declared fallback ${model} @ ${provider} cannot be used: it cannot call the child's tools.`,
  }));
  return {
    ...route,
    fallbacks: route.fallbacks.filter((fallback) => !unfit.includes(fallback)),
    warnings: [...route.warnings, ...without, ...unusable],
  };
}

/** Looks at each directory once. */
function createWorkspaces(cwd: string) {
  const seen = new Map<string, { workspace: string } | { problem: Problem }>();
  return (written = "."): { workspace: string } | { problem: Problem } => {
    const path = resolve(cwd, written);
    const known = seen.get(path) ?? lookAt(path);
    seen.set(path, known);
    return known;
  };
}

function lookAt(path: string): { workspace: string } | { problem: Problem } {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return { workspace: path };
  const message = `Expected a directory at ${path}; found ${found === undefined ? "nothing" : "a file"}.`;
  return { problem: { code: "workspace-unusable", field: "workspace", message, suggestions: [] } };
}

/** Characters that one token stands for in plain text, roughly. */
const CHARACTERS_PER_TOKEN = 4;

function tooLarge(task: Task, call: Call, { model, provider, facts }: Route): Problem | undefined {
  const characters = task.goal.length + (task.context?.length ?? 0) + (call.context?.length ?? 0);
  const tokens = Math.ceil(characters / CHARACTERS_PER_TOKEN);
  if (facts.contextWindow === undefined || tokens <= facts.contextWindow) return undefined;
  const field = task.goal.length > characters / 2 ? "goal" : "context";
  const count = (number: number) => number.toLocaleString("en");
  return {
    code: "context-too-large",
    field,
    message:
      `Expected at most ${count(facts.contextWindow)} tokens, the context window of ${model} @ ${provider}; found ` +
      `about ${count(tokens)}. Shorten ${field}, or put the text into a file of the workspace.`,
    suggestions: [],
  };
}
