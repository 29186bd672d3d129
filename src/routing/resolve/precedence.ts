/**
 * The precedence of the levels, from the lowest up: each is overlaid on the pair (provider, model) below it. A pair
 * replaces the pair, a provider alone sets its default model, a model alone keeps the provider.
 */
import type { ModelWishConfig } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Effort, Level, Route, Wish } from "../../route.ts";
import { present } from "../../values/present.ts";
import { defaultModelOf, type Provider, type Providers } from "../catalog/providers.ts";
import type { Aliases, NamedAlias, Unaliased } from "./aliases.ts";
import { parseModelWish } from "./model-string.ts";
import { baseUrlOf, isNobodysModel, type PlaceModelDeps, placeModel, soleProvider } from "./place-model.ts";

/** One level's part of the route, as written. */
export type RouteLayer = {
  level: Level;
  /** Place of an operator's level, for problems: `rules[0]` of the config. */
  place?: string;
  model?: ModelWishConfig | undefined;
  provider?: string | undefined;
  effort?: Effort | undefined;
  /** Fallbacks declared with it, for any model. */
  fallbacks?: readonly ModelWishConfig[] | undefined;
  /** It was said for this one call, as on the command line. */
  isTyped?: true;
  /** It is in a file of the project, which is not the operator's decision. */
  isProjectScoped?: boolean;
  /** The reason for which the level could not decide anything. */
  problem?: Problem;
};

type Sourced<Value> = { value: Value; by: Level };

/** The result of the levels so far. */
export type PartialRoute = {
  provider?: Sourced<Provider>;
  model?: Sourced<string>;
  /** `ofParent`: inherited only by the parent's own model. */
  effort?: Sourced<Effort> & { ofParent: boolean };
  /** The user's alias by which the model was chosen. */
  alias?: NamedAlias;
  /** Declared by the alias or the agent definition that chose the model. */
  fallbacks?: readonly ModelWishConfig[];
  /** The problem of a level so far. */
  problem?: Problem;
  warnings: readonly Warning[];
};

/** A complete selection. `isExplicit`: a user's alias leads to it, and is not a typo for another one. */
export type ModelSelection = {
  provider: Sourced<Provider>;
  model: Sourced<string>;
  effort?: Sourced<Effort>;
  isExplicit?: true;
};

export type Precedence = {
  /** The parent's own route as the lowest level. */
  from(route: Route): PartialRoute;
  overlay(below: PartialRoute, layer: RouteLayer): PartialRoute;
  /** Fills in what no level set: the one provider with a key, a provider's default model. */
  resolve(choice: PartialRoute): ModelSelection | { problem: Problem };
};

export type PrecedenceDeps = PlaceModelDeps & { aliases: Aliases };

export const EMPTY_ROUTE: PartialRoute = { warnings: [] };

export function createPrecedence(deps: PrecedenceDeps): Precedence {
  return {
    from: (route) => fromRoute(route, deps.providers),
    overlay: (below, layer) => overlay(below, layer, deps),
    resolve: (choice) => resolve(choice, deps),
  };
}

function overlay(below: PartialRoute, layer: RouteLayer, deps: PrecedenceDeps): PartialRoute {
  const read = readLevel(layer, deps);
  if ("problem" in read) return withProblem(below, layer, read.problem);
  const placed = placeModel(read.wish, below.provider?.value, deps);
  if ("problem" in placed) return withProblem(below, layer, placed.problem);
  const by = (field: "provider" | "effort"): Level => (read.brought.includes(field) ? "alias" : layer.level);
  const { provider, model } = placed;
  const keepsModel = provider === undefined || provider.slug === below.provider?.value.slug;
  const modelBelow = keepsModel ? present({ model: below.model, alias: below.alias, fallbacks: below.fallbacks }) : {};
  const chosen =
    model === undefined ? modelBelow : present({ model: { value: model, by: layer.level }, alias: read.alias });
  // An alias's effort is for the model it leads to, and for the fallbacks declared with it.
  const isSameModel = model === undefined ? keepsModel : model === below.model?.value;
  const keepsEffort = below.effort?.by !== "alias" || isSameModel || layer.level === "fallback";
  const effortBelow = keepsEffort ? below.effort : undefined;
  const { effort } = read.wish;
  return {
    ...chosen,
    ...present({
      provider: provider ? { value: provider, by: placed.ofFamily ? "family" : by("provider") } : below.provider,
      problem: provider ? undefined : below.problem,
      fallbacks: layer.fallbacks ?? read.fallbacks,
      effort: effort ? { value: effort, by: by("effort"), ofParent: layer.level === "parent" } : effortBelow,
    }),
    warnings: [...below.warnings, ...read.warnings, ...(placed.warnings ?? [])],
  };
}

function readLevel(
  { isTyped, model, provider, effort }: RouteLayer,
  { providers, aliases }: PrecedenceDeps,
): Unaliased | { problem: Problem } {
  const beside: Wish = present({ provider, effort });
  const parsed = parseModelWish(model, beside, providers);
  if ("problem" in parsed) return parsed;
  const unaliased = aliases.resolve(parsed.wish, isTyped === true);
  if ("problem" in unaliased) return unaliased;
  return { ...unaliased, warnings: [...parsed.warnings, ...unaliased.warnings] };
}

function resolve(choice: PartialRoute, deps: PrecedenceDeps): ModelSelection | { problem: Problem } {
  const { credentials, catalog } = deps;
  if (choice.problem !== undefined) return { problem: choice.problem };
  const sole = choice.provider === undefined ? soleProvider(deps) : undefined;
  const provider = choice.provider ?? (sole && { value: sole, by: "parent" as const });
  if (provider === undefined) {
    const nobodys = nobodysModel(choice, deps);
    return { problem: nobodys ?? noProvider(credentials.usable(), choice.model?.value) };
  }
  const ofRow = defaultModelOf(provider.value);
  const model = choice.model ?? (ofRow === undefined ? undefined : { value: ofRow, by: "default" as const });
  if (model === undefined) return { problem: noModel(provider.value, catalog.modelsOf(provider.value)) };
  return present({ provider, model, effort: choice.effort, isExplicit: choice.alias?.isExplicit || undefined });
}

/** The route's names are those that are sent: none of them is looked up as an alias. */
function fromRoute({ provider: slug, model, effort }: Route, providers: Providers): PartialRoute {
  const found = providers.find(slug);
  if ("problem" in found) return { problem: found.problem, warnings: [] };
  return {
    provider: { value: found.provider, by: "parent" },
    model: { value: model, by: "parent" },
    ...present({ effort: effort && ({ value: effort, by: "parent", ofParent: true } as const) }),
    warnings: [],
  };
}

/** The pair that an invalid level means is unknown; a level above that names a provider does not need it. */
function withProblem({ warnings }: PartialRoute, { place }: RouteLayer, problem: Problem): PartialRoute {
  const placed = place === undefined ? problem : { ...problem, message: `In ${place}: ${problem.message}` };
  return { problem: placed, warnings };
}

function noProvider(usable: readonly Provider[], model: string | undefined): Problem {
  const slugs = usable.map(({ slug }) => slug);
  if (slugs.length === 0)
    return {
      code: "missing-key",
      field: "provider",
      message:
        "Expected a provider with a key; found none. Set a key, for example ANTHROPIC_API_KEY, OPENAI_API_KEY or " +
        "OPENROUTER_API_KEY, or name an endpoint of your own under `providers:` in the config.",
      suggestions: [],
    };
  return {
    code: "ambiguous-route",
    field: "provider",
    message:
      `Expected a provider${model === undefined ? "" : ` for ${model}`}: nothing names one, and several have a key: ` +
      `${slugs.join(", ")}. Name one in the task, with --provider, or as \`provider\` in the config.`,
    suggestions: slugs,
  };
}

/** The problem of a name that is no model at any provider with a key: naming one of them would not help. */
function nobodysModel({ model, alias }: PartialRoute, deps: PrecedenceDeps): Problem | undefined {
  const usable = deps.credentials.usable();
  if (usable.length === 0 || model === undefined || alias?.isExplicit || !isNobodysModel(model.value, deps.providers))
    return undefined;
  const mayHaveIt = (provider: Provider) =>
    deps.catalog.knows(provider, baseUrlOf(provider, deps), model.value) !== "no";
  if (usable.some(mayHaveIt)) return undefined;
  const suggestions = usable.flatMap((provider) => {
    const own = defaultModelOf(provider);
    return own === undefined ? [] : [`${own} --provider ${provider.slug}`];
  });
  return {
    code: "unknown-model",
    field: "model",
    message: `Expected a model and its provider; found ${model.value}, which no provider with a key has. ${suggestions.length === 0 ? "Name both." : `Name both, such as ${suggestions.slice(0, 3).join(" or ")}.`}`,
    suggestions,
  };
}

function noModel({ slug, entryPath }: Provider, models: string[]): Problem {
  const some = models.slice(-12).reverse();
  return {
    code: "unknown-model",
    field: "model",
    message:
      `Expected a model for ${slug}: it has no default. Name one, or set ${entryPath}.default_model. ` +
      (some.length === 0 ? "None of its models are known." : `Known are ${some.join(", ")}.`),
    suggestions: some,
  };
}
