/**
 * Plans a call: every task gets a route, limits, toolsets and a workspace, or a problem, before anything starts.
 * Nothing is sent or changed.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { AgentDefinition, Agents } from "../agent-definition.ts";
import type { Config } from "../config-schema.ts";
import { errorCode, keyRemoved, type Problem, type Warning } from "../errors.ts";
import { type BoundPaths, type Limits, type Planned, SHORTEST_ANSWER_TOKENS } from "../plan.ts";
import type { Route } from "../route.ts";
import { bindPaths, realPathOf } from "../system/bound-paths.ts";
import type { Call, Task } from "../task.ts";
import { shortLine } from "../text/short-line.ts";
import { isWithin } from "../values/path-within.ts";
import { present } from "../values/present.ts";
import { hostsIn } from "../web-host.ts";
import { createCompactionPlanner } from "./compaction.ts";
import { bytesOf, createFilePlanner, type LookAtFile } from "./files.ts";
import { createImagePlanner, type ImageDeps } from "./images.ts";
import { agentNamed, unreadableFiles } from "./resolve/agent-name.ts";
import type { HookDecision } from "./resolve/hook.ts";
import { patternWarnings } from "./resolve/policy.ts";
import { createRouter, type RouterDeps, routeOfConfig } from "./resolve/router.ts";
import { knownToolsets, toolsetsOf, toolsetsWanted, toolsLeft, withoutTerminal } from "./toolsets.ts";

export type PlanDeps = RouterDeps &
  ImageDeps & {
    lookAtFile: LookAtFile;
    /** Workspaces are relative to it. A model's workspaces must lie in it or in `extraDirs`. */
    cwd: string;
    extraDirs: readonly string[];
    /** Returns whether a directory, links resolved, is Deputy's own: no child works there. */
    isOwn(path: string): boolean;
    /** Why no child gets a terminal, as a sentence; undefined if it may. */
    terminalProblem(): string | undefined;
    /** The program's routing decision for each task. */
    decisions: readonly HookDecision[];
    agents: Agents;
    /** Depth of the children: see `delegation-start`. */
    depth: number;
    bounds?: Bounds;
    /** Hosts that the user named; absent: those in the texts of an operator's call. */
    hosts?: readonly string[];
  };

/** Bounds that a child's own delegation cannot exceed. */
export type Bounds = {
  toolsets: readonly string[];
  /** Limits the toolsets to these tools; absent = all of their tools. */
  tools?: readonly string[];
  /** An enclosing budget applies: every price must be known. */
  isBudgeted: boolean;
  /** Real paths of the delegator's directories. */
  realPaths?: BoundPaths;
  /** Directories that contain the delegator's workspace. */
  enclosing?: readonly string[];
  /** Root of the working copy that the delegator works in: its children change nothing outside of it. */
  copy?: string;
};

/** `agents`: prompts of the agent definitions that tasks use, by name. */
export type CallPlan = { planned: Planned[]; warnings: Warning[]; agents: Record<string, string> };

/** Plans every task of a call. Call and config are not modified. */
export function planCall(call: Call, deps: PlanDeps): CallPlan {
  const { config } = deps;
  const routeOf = createRouter(call, deps);
  const { cwd, extraDirs, askedBy, isOwn } = deps;
  const bound = bindPaths([cwd, ...extraDirs], deps.bounds?.realPaths);
  const workspaceOf = createWorkspaces(cwd, isOwn, askedBy === "model" ? bound : undefined);
  const withImages = createImagePlanner(deps);
  const filesOf = createFilePlanner(deps.lookAtFile);
  const compactionOf = createCompactionPlanner(config, (model) =>
    routeOfConfig(model, "`delegation.compaction.model` of the config", deps),
  );
  const hostsOf = createHostFinder(call, deps);
  const agents = new Map<string, string>();
  const toolsetsHere = knownToolsets(config);
  const allowed =
    deps.bounds?.toolsets.filter((name) => toolsetsHere.known.includes(name)) ??
    toolsetsHere.named(config.delegation.toolsets);
  const planned = call.tasks.map((task, index): Planned => {
    const named = agentNamed(task.agent, deps.agents);
    if ("problem" in named) return { task, ...named };
    const { agent } = named;
    const wanted = toolsetsWanted(task, call, { allowed, agent, ...toolsetsHere });
    const routed = routeOf(task, { decision: deps.decisions[index], agent, toolsets: wanted.toolsets });
    if ("problem" in routed) return { task, ...routed };
    const role = roleOf(task, routed.route, deps);
    if ("problem" in role) return { task, ...role };
    const toolsets = toolsetsOf(wanted, { allowed, ...toolsetsHere }, routed.route);
    if ("problem" in toolsets) return { task, ...toolsets };
    const unsafe = withoutTerminal(toolsets.toolsets, deps);
    if (unsafe !== undefined) return { task, problem: unsafe };
    const workspace = workspaceOf(task.workspace);
    if ("problem" in workspace) return { task, ...workspace };
    const given = mayReadFiles(task, allowed, deps) ?? filesOf(task, workspace.workspace);
    if ("problem" in given) return { task, ...given };
    const limits = limitsOf(task, call, agent, config);
    const problem = tooDear(charactersOf(task, call) + bytesOf(given.files), call, limits, routed.route, config);
    if (problem !== undefined) return { task, problem };
    const compacted = compactionOf(routed.route);
    if ("problem" in compacted) return { task, ...compacted };
    const usesTools = toolsets.toolsets.length > 0 || role.role === "orchestrator";
    const shown = withImages(task, fitForTools(routed.route, usesTools, config), workspace.workspace);
    if ("problem" in shown) return { task, ...shown };
    if (agent !== undefined) agents.set(agent.name, agent.prompt);
    return {
      task,
      route: withWarnings(shown.route, wanted.warnings),
      ...role,
      ...compacted,
      ...toolsets,
      ...toolsLeft(deps.bounds?.tools, agent?.tools),
      ...workspace,
      realPaths: bindPaths([workspace.workspace, ...extraDirs], bound),
      ...enclosingOf(workspace.workspace, [...(deps.bounds?.enclosing ?? []), ...Object.entries(bound).flat()]),
      ...present({
        agent: agent?.name,
        isolation: agent?.isolation,
        images: shown.images.length > 0 ? shown.images : undefined,
        files: given.files.length > 0 ? given.files : undefined,
        hosts: hostsOf(task),
      }),
      limits,
    };
  });
  const patterns = deps.askedBy === "model" ? patternWarnings(config, deps.providers) : [];
  const prompts = [...agents].map(([name, written]) => ({ name, written, prompt: deps.credentials.redact(written) }));
  const removed = prompts
    .filter(({ written, prompt }) => prompt !== written)
    .map(({ name }) => keyRemoved(`agent ${name}`));
  const warnings = [...ignoredDefaults(call, config), ...patterns, ...agentWarnings(agents, deps.agents), ...removed];
  return { planned, warnings, agents: Object.fromEntries(prompts.map(({ name, prompt }) => [name, prompt])) };
}

/** The hosts that the user named for a task; undefined if there are none. Another model's words are not the user's. */
function createHostFinder(call: Call, { askedBy, hosts: given }: PlanDeps): (task: Task) => string[] | undefined {
  const fixed = given ?? (askedBy === "model" ? [] : undefined);
  const shared = fixed ?? hostsIn(call.context);
  return ({ goal, context }) => {
    const hosts = fixed === undefined ? [...new Set([...shared, ...hostsIn(context, goal)])] : [...fixed];
    return hosts.length > 0 ? hosts : undefined;
  };
}

/** The warnings of the definitions that tasks use, and the unreadable files with their names. */
function agentWarnings(used: ReadonlyMap<string, string>, agents: Agents): Warning[] {
  return [
    ...agents.definitions.flatMap(({ name, warnings = [] }) => (used.has(name) ? warnings : [])),
    ...[...used.keys()].flatMap((name) => unreadableFiles(name, agents)),
  ];
}

function withWarnings(route: Route, warnings: Warning[]): Route {
  return warnings.length === 0 ? route : { ...route, warnings: [...route.warnings, ...warnings] };
}

function ignoredDefaults(call: Call, { delegation }: Config): Warning[] {
  const fields = (["model", "provider", "reasoning_effort"] as const).filter((field) => call[field] !== undefined);
  if (delegation.batch_defaults === "inherit" || fields.length === 0) return [];
  return [
    {
      code: "no-batch-default",
      message: `${fields.join(", ")} next to tasks has no effect, because delegation.batch_defaults is explicit. Set it in each task.`,
    },
  ];
}

/** The lowest of the task's, the agent's and the config's limits. */
function limitsOf(task: Task, call: Call, agent: AgentDefinition | undefined, { delegation }: Config): Limits {
  const asked = task.timeout_seconds ?? call.timeout_seconds ?? 0;
  const timeouts = [asked, agent?.timeout_seconds ?? 0, delegation.child_timeout_seconds].filter(
    (seconds) => seconds > 0,
  );
  const own = [task.max_cost_usd, agent?.max_cost_usd].filter((usd) => usd !== undefined);
  return {
    maxIterations: Math.min(
      task.max_iterations ?? call.max_iterations ?? Infinity,
      agent?.max_iterations ?? Infinity,
      delegation.max_iterations,
    ),
    timeoutMs: timeouts.length === 0 ? 0 : Math.min(...timeouts) * 1000,
    stallMs: delegation.stall_seconds * 1000,
    ...(own.length > 0 && { maxCostUsd: Math.min(...own, delegation.max_cost_usd ?? Infinity) }),
  };
}

/** An orchestrator needs remaining depth, and a model that can call tools. */
function roleOf(
  { role }: Task,
  route: Route,
  { depth, config }: PlanDeps,
): { role?: "orchestrator" } | { problem: Problem } {
  const { max_spawn_depth: most } = config.delegation;
  if (role !== "orchestrator") return {};
  if (route.facts.tools === false) return { problem: cannotDelegate(route) };
  if (depth < most) return { role };
  const message =
    `Expected role: leaf, because delegation.max_spawn_depth is ${most} and this child is at depth ${depth}; found ` +
    `orchestrator. Leave role out; the user can let children at this depth delegate with max_spawn_depth: ${depth + 1}.`;
  return { problem: { code: "role-unavailable", field: "role", message, suggestions: ["leaf"] } };
}

function cannotDelegate({ model, provider }: Route): Problem {
  const message =
    `Expected a model that can call tools, because an orchestrator delegates with one; found ${model} @ ${provider}, ` +
    "which cannot. Choose another model, or leave role out.";
  return { code: "role-unavailable", field: "role", message, suggestions: ["leaf"] };
}

/** Warns about a child that lost its tools; removes fallbacks that cannot use the child's tools. */
function fitForTools(route: Route, usesTools: boolean, { delegation }: Config): Route {
  const without: Warning[] =
    route.facts.tools === false && delegation.toolsets.length > 0
      ? [{ code: "no-tools", message: `${route.model} @ ${route.provider} cannot call tools: the child has none.` }]
      : [];
  const unfit = !usesTools ? [] : route.fallbacks.filter(({ facts }) => facts.tools === false);
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

/** A model may give a child only files that its own children could read. */
function mayReadFiles(
  { files = [] }: Task,
  allowed: readonly string[],
  { askedBy, bounds }: PlanDeps,
): { problem: Problem } | undefined {
  const mayRead = allowed.includes("file") && bounds?.tools?.includes("read_file") !== false;
  if (askedBy !== "model" || files.length === 0 || mayRead) return undefined;
  const message =
    "Expected no files, because the children of this caller have no tool that reads files. Leave files out.";
  return { problem: { code: "file-unusable", field: "files", message, suggestions: [] } };
}

/** The directories that contain a workspace, by its path or by where it leads. */
function enclosingOf(workspace: string, directories: readonly string[]): { enclosing?: string[] } {
  const spellings = [workspace, realPathOf(workspace)];
  const enclosing = [...new Set(directories)].filter((directory) =>
    spellings.some((path) => path !== directory && isWithin(directory, path)),
  );
  return enclosing.length > 0 ? { enclosing } : {};
}

type WorkspaceResult = { workspace: string } | { problem: Problem };

/** Checks each directory once. @param within directories that must contain them; undefined: anywhere */
function createWorkspaces(cwd: string, isOwn: PlanDeps["isOwn"], within: BoundPaths | undefined) {
  const seen = new Map<string, WorkspaceResult>();
  return (written = "."): WorkspaceResult => {
    const path = resolve(cwd, written);
    const known = seen.get(path) ?? lookAt(path, isOwn, within);
    seen.set(path, known);
    return known;
  };
}

/** What is at a path, in words. A path that is too long, circular or contains a NUL byte is an error of the system. */
function kindAt(path: string): string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "nothing";
    return found.isDirectory() ? "a directory" : "a file";
  } catch (error) {
    return `what cannot be looked at (${errorCode(error) ?? "no reason given"})`;
  }
}

/** Characters of a path in an error. */
const MAX_SHOWN = 300;

function lookAt(path: string, isOwn: PlanDeps["isOwn"], within: BoundPaths | undefined): WorkspaceResult {
  const kind = kindAt(path);
  if (kind !== "a directory") return unusable(`Expected a directory at ${shortLine(path, MAX_SHOWN)}; found ${kind}.`);
  const real = realPathOf(path);
  if (isOwn(real)) {
    return unusable(
      `Expected a directory outside of Deputy's own files; found ${path}, which contains its config or state. ` +
        "Choose another workspace.",
    );
  }
  if (within === undefined || Object.values(within).some((root) => isWithin(root, real))) return { workspace: path };
  return unusable(
    `Expected a directory in the caller's workspace or one of extra_dirs (${Object.keys(within).join(", ")}); found ${path}. ` +
      "The operator can add it to extra_dirs.",
  );
}

function unusable(message: string): WorkspaceResult {
  return { problem: { code: "workspace-unusable", field: "workspace", message, suggestions: [] } };
}

function charactersOf({ goal, context = "" }: Task, call: Call): number {
  return goal.length + context.length + (call.context?.length ?? 0);
}

/** Characters per token, deliberately high: what is too expensive by this count certainly is. */
const MOST_CHARACTERS_PER_TOKEN = 8;

/**
 * Rejects a task whose budget cannot pay for one request with a short answer. @param characters those of its texts and
 * files
 */
function tooDear(
  characters: number,
  call: Call,
  limits: Limits,
  route: Route,
  { delegation }: Config,
): Problem | undefined {
  const { price } = route.facts;
  const budgets = [limits.maxCostUsd, call.max_cost_usd, delegation.max_cost_usd].filter((usd) => usd !== undefined);
  if (price === undefined || budgets.length === 0) return undefined;
  const leastUsd =
    ((characters / MOST_CHARACTERS_PER_TOKEN) * price.input + SHORTEST_ANSWER_TOKENS * price.output) / 1_000_000;
  const budgetUsd = Math.min(...budgets);
  if (budgetUsd >= leastUsd) return undefined;
  const dollars = (usd: number) => `$${Number(usd.toPrecision(2))}`;
  return {
    code: "budget-too-small",
    field: "max_cost_usd",
    message:
      `Expected a budget of at least ${dollars(leastUsd)}, the least that one request to ${route.model} @ ` +
      `${route.provider} can cost; found ${dollars(budgetUsd)}. Raise max_cost_usd, or choose a cheaper model.`,
    suggestions: [],
  };
}
