/**
 * Routes for the tasks of one call: what each level says, laid over the levels below it, bound to an endpoint and a key.
 * Tasks that say the same get the same route, found once.
 */
import type { Config, ModelWishConfig } from "../config/schema.ts";
import type { Problem, Warning } from "../errors.ts";
import type { Level, Route, Wish } from "../route.ts";
import type { Call, Task } from "../task.ts";
import { type BindDeps, type BoundRoute, bind } from "./bind.ts";
import { type Choice, createWalk, NOTHING_CHOSEN, type Pair, type Said, type Walk, type WalkDeps } from "./walk.ts";

export type RouterDeps = WalkDeps &
  BindDeps & {
    config: Config;
    /** What the caller runs on, where that is not the config's top level: flags, a session. */
    parent: Wish;
  };

export type Routed = { route: Route } | { problem: Problem };

/** The routing fields of a call or a task. */
type Asking = Pick<Task, "model" | "provider" | "reasoning_effort">;

export function createRouter(call: Call, deps: RouterDeps): (task: Task) => Routed {
  const { config } = deps;
  const walk = createWalk(deps);
  const parent = layAll(walk, NOTHING_CHOSEN, [...said("parent", config), ...said("parent", flagsOf(deps.parent))]);
  const delegation = layAll(walk, parent, said("delegation", config.delegation));
  const ofCall = config.delegation.batch_defaults === "explicit" ? [] : said("call", call);
  const isBudgeted = (call.max_cost_usd ?? config.delegation.max_cost_usd) !== undefined;
  const found = new Map<string, Routed>();

  function routeOf(task: Task): Routed {
    const ofTask = said("task", task);
    const priced = (isBudgeted || task.max_cost_usd !== undefined) && !config.delegation.allow_unknown_price;
    const id = JSON.stringify([ofTask, priced]);
    const routed = found.get(id) ?? routeFor(ofTask, priced);
    found.set(id, routed);
    return routed;
  }

  function routeFor(ofTask: Said[], priced: boolean): Routed {
    const asked = [...ofCall, ...ofTask];
    const routed = routeAlong(asked, priced);
    if (!("problem" in routed) || config.delegation.on_unresolved !== "fallback") return routed;
    const without = [...(ofTask.length > 0 ? [ofCall] : []), ...(ofCall.length > 0 ? [[]] : [])];
    const instead = without.map((fewer) => routeAlong(fewer, priced)).find((other) => "route" in other);
    return instead === undefined ? routed : { route: substitute(instead.route, asked, routed.problem) };
  }

  /** The route along these levels over the delegation's default, with its declared fallbacks. */
  function routeAlong(asked: readonly Said[], priced: boolean): Routed {
    const choice = layAll(walk, delegation, asked);
    const pair = walk.settle(withoutParentsEffort(choice));
    if ("problem" in pair) return pair;
    const bound = bind(pair, priced, deps);
    if ("problem" in bound) return bound;
    const requested = requestedBy(asked);
    const { fallbacks, warnings } = fallbacksOf(choice, bound.route, requested, priced);
    return {
      route: {
        ...bound.route,
        requested,
        fallbacks,
        warnings: [...choice.warnings, ...bound.route.warnings, ...warnings],
      },
    };
  }

  /** From the parent, effort is inherited only by the same model. */
  function withoutParentsEffort(choice: Choice): Choice {
    if (choice.effort?.ofParent !== true) return choice;
    const own = walk.settle(parent);
    const now = walk.settle(choice);
    if ("problem" in own || "problem" in now || own.model.value === now.model.value) return choice;
    const { effort: _, ...rest } = choice;
    return rest;
  }

  function fallbacksOf(choice: Choice, primary: BoundRoute, requested: Wish, priced: boolean) {
    const fallbacks: Route[] = [];
    const warnings: Warning[] = [];
    const { fallbacks: _, ...below } = choice;
    for (const model of choice.fallbacks ?? config.delegation.fallbacks) {
      const pair = walk.settle(withoutParentsEffort(walk.lay(below, { level: "fallback", model })));
      const bound = "problem" in pair ? pair : bindWithFittingEffort(pair, priced);
      if ("problem" in bound) warnings.push(unusableFallback(model, bound.problem));
      else if (![primary, ...fallbacks].some((other) => isSameRoute(other, bound.route)))
        fallbacks.push({ ...bound.route, requested, fallbacks: [] });
    }
    return { fallbacks, warnings };
  }

  /** An effort that was meant for another model is left out where this one does not take it. */
  function bindWithFittingEffort(pair: Pair, priced: boolean): ReturnType<typeof bind> {
    const bound = bind(pair, priced, deps);
    if (!("problem" in bound) || bound.problem.code !== "effort-unsupported" || pair.effort?.by === "fallback")
      return bound;
    const { effort: _, ...rest } = pair;
    const without = bind(rest, priced, deps);
    if ("problem" in without) return without;
    const warning: Warning = {
      code: "effort-left-out",
      message: `As a fallback, without effort: ${bound.problem.message}`,
    };
    return { route: { ...without.route, warnings: [...without.route.warnings, warning] } };
  }

  return routeOf;
}

/**
 * A route as it would be made today for the same provider, model and effort: endpoint, key and facts are read anew. A
 * fallback that cannot be had today stays as it was, so that the others keep their places.
 */
export function renewRoute(route: Route, deps: WalkDeps & BindDeps): Routed {
  const found = deps.providers.find(route.provider);
  if ("problem" in found) return found;
  const { chosenBy } = route;
  const bound = bind(
    {
      provider: { value: found.provider, by: chosenBy.provider },
      model: { value: route.model, by: chosenBy.model },
      ...(route.effort !== undefined && { effort: { value: route.effort, by: chosenBy.effort ?? chosenBy.model } }),
    },
    false,
    deps,
  );
  if ("problem" in bound) return bound;
  const fallbacks = route.fallbacks.map((fallback) => {
    const renewed = renewRoute(fallback, deps);
    return "route" in renewed ? renewed.route : fallback;
  });
  return { route: { ...bound.route, requested: route.requested, fallbacks, warnings: route.warnings } };
}

// What the levels say -------------------------------------------------------------------------------------------------

function layAll(walk: Walk, below: Choice, levels: readonly Said[]): Choice {
  return levels.reduce<Choice>((choice, level) => walk.lay(choice, level), below);
}

/** What one level says, or nothing. */
function said(level: Level, { model, provider, reasoning_effort: effort }: Asking): Said[] {
  return [model, provider, effort].every((field) => field === undefined) ? [] : [{ level, model, provider, effort }];
}

function flagsOf({ model, provider, effort }: Wish): Asking {
  return { model, provider, reasoning_effort: effort };
}

/** What the caller asked for, as it was written; upper levels last. */
function requestedBy(asked: readonly Said[]): Wish {
  return Object.assign({}, ...asked.map(asWritten));
}

function asWritten({ model, provider, effort }: Said): Wish {
  const object = typeof model === "object" ? model : { model, provider: undefined, reasoning_effort: undefined };
  const wish = {
    model: object.model,
    provider: object.provider ?? provider,
    effort: object.reasoning_effort ?? effort,
  };
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined));
}

/** The route that is taken in place of the one that was asked for; what was asked stays on record. */
function substitute(route: Route, asked: readonly Said[], problem: Problem): Route {
  const { effort } = route.chosenBy;
  return {
    ...route,
    requested: requestedBy(asked),
    chosenBy: { provider: "fallback", model: "fallback", ...(effort && { effort: "fallback" as const }) },
    warnings: [
      ...route.warnings,
      {
        code: "fallback-used",
        message: `Runs on ${route.model} @ ${route.provider} instead of what was asked for. ${problem.message}`,
      },
    ],
  };
}

function unusableFallback(written: ModelWishConfig, problem: Problem): Warning {
  const name = typeof written === "string" ? written : written.model;
  return { code: "fallback-unusable", message: `The declared fallback ${name} cannot be used. ${problem.message}` };
}

function isSameRoute(one: BoundRoute, other: BoundRoute): boolean {
  return one.provider === other.provider && one.model === other.model;
}
