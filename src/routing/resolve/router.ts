/**
 * Routes for the tasks of one call: each level is overlaid on the levels below it, and the result is bound to an
 * endpoint and a key. Tasks with the same request share one route.
 */
import type { AgentDefinition } from "../../agent-definition.ts";
import type { Config, ModelWishConfig, RouteLevels } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Level, Route, Wish } from "../../route.ts";
import type { Call, Task } from "../../task.ts";
import { present } from "../../values/present.ts";
import type { HookDecision } from "./hook.ts";
import { type AliasTarget, createPolicy, type Policy } from "./policy.ts";
import {
  createPrecedence,
  EMPTY_ROUTE,
  type ModelSelection,
  type PartialRoute,
  type Precedence,
  type PrecedenceDeps,
  type RouteLayer,
} from "./precedence.ts";
import { ruleFor } from "./rules.ts";
import { type ResolvedRoute, type ValidateRouteDeps, validateRoute } from "./validate-route.ts";

export type RouterDeps = PrecedenceDeps &
  ValidateRouteDeps & {
    config: Config;
    levels: RouteLevels;
    /** The caller's model request, if it is not the config's top level: flags. */
    parent: Wish;
    /** The caller's route, replacing both. */
    parentRoute?: Route;
    /** Who wrote the call: the policy applies to a model. */
    askedBy: "operator" | "model";
    /** Bounds that a child's own delegation cannot exceed. */
    bounds?: { toolsets: readonly string[]; isBudgeted: boolean };
  };

export type Routed = { route: Route } | { problem: Problem };

/** The routing fields of a call or a task. */
type RoutingFields = Pick<Task, "model" | "provider" | "reasoning_effort">;

/** Further inputs of a task's route. */
export type RouteContext = {
  /** The decision of the program's routing hook. */
  decision?: HookDecision;
  /** The agent definition that it names. */
  agent?: AgentDefinition | undefined;
  /** Toolsets of its child. */
  toolsets: readonly string[];
};

/** Shared by every route of a call. */
type RouterContext = {
  deps: RouterDeps;
  precedence: Precedence;
  /** The caller's route. */
  parent: PartialRoute;
  /** The default route of tasks. */
  delegation: PartialRoute;
  policy: Policy;
  /** Selections that were validated before: different tasks have most of their fallbacks in common. */
  validated: Map<string, Validated>;
};

type Validated = ReturnType<typeof validateRoute>;

/** Returns a function from a task to its route. */
export function createRouter(call: Call, deps: RouterDeps): (task: Task, context: RouteContext) => Routed {
  const { config } = deps;
  const context = createRouterContext(deps);
  const ofCall = config.delegation.batch_defaults === "explicit" ? [] : layersOf("call", call).map(typed);
  const isBudgeted =
    deps.bounds?.isBudgeted === true || (call.max_cost_usd ?? config.delegation.max_cost_usd) !== undefined;
  const found = new Map<string, Routed>();

  return (task, { decision, agent, toolsets }) => {
    const rule = ruleFor(config.rules, task, toolsets);
    const levels = [
      ...(rule === undefined ? [] : [rule]),
      ...hookLayers(decision),
      ...agentLayers(agent),
      ...ofCall,
      ...layersOf("task", task),
    ];
    const isLimited = isBudgeted || (task.max_cost_usd ?? agent?.max_cost_usd) !== undefined;
    const priced = isLimited && !config.delegation.allow_unknown_price;
    const id = JSON.stringify([levels, priced]);
    const routed = found.get(id) ?? routeFor(context, levels, priced);
    found.set(id, routed);
    return routed;
  };
}

/** The route of a model that the config names for a purpose of its own, over the delegation's default. */
export function routeOfConfig(model: ModelWishConfig, place: string, deps: RouterDeps): Routed {
  const context = createRouterContext(deps);
  const { precedence, delegation } = context;
  const priced = deps.bounds?.isBudgeted === true && !deps.config.delegation.allow_unknown_price;
  const choice = precedence.overlay(delegation, { level: "delegation", model, place });
  const selection = precedence.resolve(withoutParentsEffort(context, choice));
  if ("problem" in selection) return selection;
  const routed = validateWithFittingEffort(context, selection, priced);
  return "problem" in routed ? routed : { route: { ...routed.route, requested: {}, fallbacks: [] } };
}

function createRouterContext(deps: RouterDeps): RouterContext {
  const { config, levels } = deps;
  const precedence = createPrecedence(deps);
  const parent = deps.parentRoute
    ? precedence.from(deps.parentRoute)
    : overlayAll(precedence, EMPTY_ROUTE, [
        ...levels.parent.flatMap((fields) => layersOf("parent", fields, "the top level of the config")),
        ...layersOf("parent", flagsOf(deps.parent)).map(typed),
      ]);
  const delegation = overlayAll(
    precedence,
    parent,
    levels.delegation.flatMap((fields) => layersOf("delegation", fields, "`delegation:` of the config")),
  );
  const policy = createPolicy(config, (alias) => targetOf(alias, precedence, delegation));
  return { deps, precedence, parent, delegation, policy, validated: new Map() };
}

/** The target of an alias, from the delegation's default. */
function targetOf(alias: string, precedence: Precedence, delegation: PartialRoute): AliasTarget | undefined {
  const choice = precedence.overlay(delegation, { level: "task", model: alias });
  const selection = precedence.resolve(choice);
  if ("problem" in selection) return undefined;
  const { provider, model } = selection;
  const bringsProvider = provider.by === "alias" || provider.by === "family";
  return { model: model.value, ...present({ provider: bringsProvider ? provider.value.slug : undefined }) };
}

/** If the route is unavailable and fallbacks are allowed, drops levels from the highest down. */
function routeFor(context: RouterContext, levels: readonly RouteLayer[], priced: boolean): Routed {
  const routed = routeAlong(context, levels, priced);
  if (!("problem" in routed) || context.deps.config.delegation.on_unresolved !== "fallback") return routed;
  for (let kept = levels.length - 1; kept >= 0; kept--) {
    const instead = routeAlong(context, levels.slice(0, kept), priced);
    if ("route" in instead) return { route: substitute(instead.route, levels, routed.problem) };
  }
  return routed;
}

/** The route of these levels over the delegation's default, with its declared fallbacks. */
function routeAlong(context: RouterContext, levels: readonly RouteLayer[], priced: boolean): Routed {
  const { precedence, delegation, deps } = context;
  const failed = levels.find(({ problem }) => problem !== undefined);
  if (failed?.problem !== undefined) return { problem: failed.problem };
  const own = overlayAll(precedence, delegation, levels.filter(isFromOperator));
  const choice = overlayAll(
    precedence,
    own,
    levels.filter((level) => !isFromOperator(level)),
  );
  const selection = precedence.resolve(withoutParentsEffort(context, choice));
  if ("problem" in selection) return selection;
  const denied = deps.askedBy === "model" ? deniedChoice(context, own, choice, selection) : undefined;
  if (denied !== undefined) return { problem: denied };
  const primary = validateOnce(context, selection, priced);
  if ("problem" in primary) return primary;
  const requested = requestedBy(levels);
  const { fallbacks, warnings } = fallbacksOf(context, choice, { ...primary.route, requested }, priced);
  return {
    route: {
      ...primary.route,
      requested,
      fallbacks,
      warnings: [...choice.warnings, ...primary.route.warnings, ...warnings],
    },
  };
}

function validateOnce({ validated, deps }: RouterContext, selection: ModelSelection, priced: boolean): Validated {
  const { provider, model, effort } = selection;
  const id = JSON.stringify([
    provider.value.slug,
    provider.by,
    model,
    effort?.value,
    effort?.by,
    selection.isExplicit,
    priced,
  ]);
  const known = validated.get(id) ?? validateRoute(selection, priced, deps);
  validated.set(id, known);
  return known;
}

/** Only the same model inherits the parent's effort. */
function withoutParentsEffort({ precedence, parent }: RouterContext, choice: PartialRoute): PartialRoute {
  if (choice.effort?.ofParent !== true) return choice;
  const own = precedence.resolve(parent);
  const now = precedence.resolve(choice);
  if ("problem" in own || "problem" in now || own.model.value === now.model.value) return choice;
  const { effort: _, ...rest } = choice;
  return rest;
}

/** The problem of a model's request that the policy denies, compared with what would run without the request. */
function deniedChoice(
  context: RouterContext,
  own: PartialRoute,
  choice: PartialRoute,
  selection: ModelSelection,
): Problem | undefined {
  const without = context.precedence.resolve(withoutParentsEffort(context, own));
  const before = "problem" in without ? undefined : without;
  const isSamePair =
    before?.provider.value === selection.provider.value && before.model.value === selection.model.value;
  const effort = selection.effort?.value === before?.effort?.value ? undefined : selection.effort?.value;
  if (isSamePair && effort === undefined) return undefined;
  const isAliases = choice.provider?.by === "alias" || before?.provider.value === selection.provider.value;
  return context.policy({
    provider: selection.provider.value.slug,
    model: selection.model.value,
    ...present({ effort, alias: isAliases ? choice.alias : undefined }),
  });
}

function fallbacksOf(
  context: RouterContext,
  choice: PartialRoute,
  primary: ResolvedRoute & Pick<Route, "requested">,
  priced: boolean,
) {
  const { precedence, deps } = context;
  const { requested } = primary;
  const fallbacks: Route[] = [];
  const warnings: Warning[] = [];
  const { fallbacks: _, ...below } = choice;
  for (const model of choice.fallbacks ?? deps.config.delegation.fallbacks) {
    const selection = precedence.resolve(
      withoutParentsEffort(context, precedence.overlay(below, { level: "fallback", model })),
    );
    const fallback = "problem" in selection ? selection : validateWithFittingEffort(context, selection, priced);
    if ("problem" in fallback) warnings.push(unusableFallback(model, fallback.problem));
    else if (![primary, ...fallbacks].some((other) => isSameRoute(other, fallback.route)))
      fallbacks.push({ ...fallback.route, requested, fallbacks: [] });
  }
  return { fallbacks, warnings };
}

/** Drops an effort that was meant for another model if this one does not support it. */
function validateWithFittingEffort(context: RouterContext, selection: ModelSelection, priced: boolean): Validated {
  const fitting = validateOnce(context, selection, priced);
  if (!("problem" in fitting) || fitting.problem.code !== "effort-unsupported" || selection.effort?.by === "fallback")
    return fitting;
  const { effort: _, ...rest } = selection;
  const without = validateOnce(context, rest, priced);
  if ("problem" in without) return without;
  const warning: Warning = {
    code: "effort-left-out",
    message: `As a fallback, without effort: ${fitting.problem.message}`,
  };
  return { route: { ...without.route, warnings: [...without.route.warnings, warning] } };
}

/**
 * The route as it would be planned today for the same provider, model and effort: endpoint, key and facts are read
 * again. An unavailable fallback stays as it was, so that the others keep their positions.
 */
export function refreshRoute(route: Route, priced: boolean, deps: PrecedenceDeps & ValidateRouteDeps): Routed {
  const found = deps.providers.find(route.provider);
  if ("problem" in found) return found;
  const { chosenBy } = route;
  const bound = validateRoute(
    {
      provider: { value: found.provider, by: chosenBy.provider },
      model: { value: route.model, by: chosenBy.model },
      ...present({ effort: route.effort && { value: route.effort, by: chosenBy.effort ?? chosenBy.model } }),
    },
    priced,
    deps,
  );
  if ("problem" in bound) return bound;
  if (route.keyName !== undefined && bound.route.keyName === undefined)
    return { problem: keyGone(route, route.keyName) };
  const fallbacks = route.fallbacks.map((fallback) => {
    const renewed = refreshRoute(fallback, priced, deps);
    return "route" in renewed ? renewed.route : fallback;
  });
  return { route: { ...bound.route, requested: route.requested, fallbacks, warnings: route.warnings } };
}

/** A loopback endpoint may be keyless, but not if the route was planned with a key that is gone. */
function keyGone({ provider }: Route, keyName: string): Problem {
  const message = `No key for ${provider}, which the run was planned with (${keyName}). Set it again.`;
  return { code: "missing-key", field: "provider", message, suggestions: [] };
}

// The layers of the levels --------------------------------------------------------------------------------------------

function overlayAll(precedence: Precedence, below: PartialRoute, levels: readonly RouteLayer[]): PartialRoute {
  return levels.reduce<PartialRoute>((choice, level) => precedence.overlay(choice, level), below);
}

/** One level's request, or nothing. @param place location of an operator's level */
function layersOf(
  level: Level,
  { model, provider, reasoning_effort: effort }: RoutingFields,
  place?: string,
): RouteLayer[] {
  if ([model, provider, effort].every((field) => field === undefined)) return [];
  return [{ level, model, provider, effort, ...present({ place }) }];
}

function typed(layer: RouteLayer): RouteLayer {
  return { ...layer, isTyped: true };
}

function hookLayers(decision: HookDecision): RouteLayer[] {
  if (decision === undefined) return [];
  if ("problem" in decision) return [{ level: "hook", ...decision }];
  return layersOf("hook", flagsOf(decision.wish), "what the program's routing hook chose");
}

/** An agent definition's fallbacks apply whether or not it names a model. */
function agentLayers(agent: AgentDefinition | undefined): RouteLayer[] {
  if (agent === undefined) return [];
  const { name, source, isProjectScoped, fallbacks } = agent;
  const place = `the agent definition ${name} (${source})`;
  const [level = { level: "agent" as const, place }] = layersOf("agent", agent, place);
  return [{ ...level, isProjectScoped, fallbacks }];
}

/** Levels that the operator decides. The project's own files are not among them. */
function isFromOperator({ level, isProjectScoped }: RouteLayer): boolean {
  return level === "rule" || level === "hook" || (level === "agent" && isProjectScoped !== true);
}

/** Returns whether the level is a request rather than another decision. */
function isAsked({ level }: RouteLayer): boolean {
  return level === "task" || level === "call";
}

function flagsOf({ model, provider, effort }: Wish): RoutingFields {
  return { model, provider, reasoning_effort: effort };
}

/** The caller's request as written; upper levels last. */
function requestedBy(levels: readonly RouteLayer[]): Wish {
  return Object.assign({}, ...levels.filter(isAsked).map(asWritten));
}

function asWritten({ model, provider, effort }: RouteLayer): Wish {
  const object = typeof model === "object" ? model : { model, provider: undefined, reasoning_effort: undefined };
  const wish = {
    model: object.model,
    provider: object.provider ?? provider,
    effort: object.reasoning_effort ?? effort,
  };
  return present(wish);
}

/** The route that replaces the requested one; the request stays recorded. */
function substitute(route: Route, levels: readonly RouteLayer[], problem: Problem): Route {
  const { effort } = route.chosenBy;
  return {
    ...route,
    requested: requestedBy(levels),
    chosenBy: present({ provider: "fallback", model: "fallback", effort: effort && "fallback" }),
    warnings: [
      ...route.warnings,
      {
        code: "fallback-used",
        message: `Runs on ${route.model} @ ${route.provider} instead of the requested route. ${problem.message}`,
      },
    ],
  };
}

function unusableFallback(written: ModelWishConfig, problem: Problem): Warning {
  const name = typeof written === "string" ? written : written.model;
  return { code: "fallback-unusable", message: `The declared fallback ${name} cannot be used. ${problem.message}` };
}

function isSameRoute(one: ResolvedRoute, other: ResolvedRoute): boolean {
  return one.provider === other.provider && one.model === other.model;
}
