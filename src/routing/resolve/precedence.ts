/**
 * The walk over the levels, from the lowest up: each is laid over the pair (provider, model) below it. The rules are the
 * contract's: a pair replaces the pair, a provider alone brings its default model, a model alone keeps the provider.
 */
import type { ModelWishConfig } from "../../config/schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Effort, Level, Route, Wish } from "../../route.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { familyNamed } from "../catalog/families.ts";
import { defaultModelOf, isAggregator, type Provider, type Providers } from "../catalog/providers.ts";
import type { Credentials } from "../keys/credentials.ts";
import type { Aliases, NamedAlias, Unaliased } from "./aliases.ts";
import { colonProblem, disagreement, parseModelWish, providerInside, severalWords } from "./model-string.ts";

/** What one level says, as it was written. */
export type RouteLayer = {
  level: Level;
  /** Where the operator's levels stand, for problems: `rules[0]` of the config. */
  place?: string;
  model?: ModelWishConfig | undefined;
  provider?: string | undefined;
  effort?: Effort | undefined;
  /** Declared beside it, for whatever model runs. */
  fallbacks?: readonly ModelWishConfig[] | undefined;
  /** It stands in a file of the project, which is not the operator's word. */
  isProjectScoped?: boolean;
  /** Why it could not say anything. */
  problem?: Problem;
};

type Sourced<Value> = { value: Value; by: Level };

/** What the levels so far have chosen. */
export type PartialRoute = {
  provider?: Sourced<Provider>;
  model?: Sourced<string>;
  /** `ofParent`: inherited by the parent's own model only. */
  effort?: Sourced<Effort> & { ofParent: boolean };
  /** The user's alias by which the model was chosen. */
  alias?: NamedAlias;
  /** Declared by the alias or the agent definition that chose the model. */
  fallbacks?: readonly ModelWishConfig[];
  /** What is wrong with a level so far. */
  problem?: Problem;
  warnings: readonly Warning[];
};

/** A choice with nothing left open. `isExplicit`: an alias of the user's leads to it, and is no slip for another one. */
export type ModelSelection = {
  provider: Sourced<Provider>;
  model: Sourced<string>;
  effort?: Sourced<Effort>;
  isExplicit?: true;
};

export type Precedence = {
  /** The parent's own route as the lowest level. */
  from(route: Route): PartialRoute;
  overlay(below: PartialRoute, said: RouteLayer): PartialRoute;
  /** Fills what no level named: the one provider with a key, a provider's default model. */
  resolve(choice: PartialRoute): ModelSelection | { problem: Problem };
};

export type PrecedenceDeps = { providers: Providers; credentials: Credentials; catalog: Catalog; aliases: Aliases };

export const EMPTY_ROUTE: PartialRoute = { warnings: [] };

export function createPrecedence({ providers, credentials, catalog, aliases }: PrecedenceDeps): Precedence {
  function overlay(below: PartialRoute, layer: RouteLayer): PartialRoute {
    const read = readLevel(layer);
    if ("problem" in read) return withProblem(below, layer, read.problem);
    const placed = place(read.wish, below);
    if ("problem" in placed) return withProblem(below, layer, placed.problem);
    const by = (field: "provider" | "effort"): Level => (read.brought.includes(field) ? "alias" : layer.level);
    const { provider, model } = placed;
    const fallbacks = layer.fallbacks ?? read.fallbacks;
    const keepsModel = provider === undefined || provider.slug === below.provider?.value.slug;
    const {
      model: modelBelow,
      alias: aliasBelow,
      fallbacks: fallbacksBelow,
      effort: effortBelow,
      problem,
      ...rest
    } = below;
    // An alias's effort is for the model it leads to, and for the fallbacks that are declared beside it.
    const isSameModel = model === undefined ? keepsModel : model === modelBelow?.value;
    const keepsEffort = effortBelow?.by !== "alias" || isSameModel || layer.level === "fallback";
    return {
      ...rest,
      ...(problem !== undefined && provider === undefined && { problem }),
      ...(provider !== undefined && { provider: { value: provider, by: placed.ofFamily ? "family" : by("provider") } }),
      ...(model !== undefined
        ? {
            model: { value: model, by: layer.level },
            ...(read.alias !== undefined && { alias: read.alias }),
          }
        : keepsModel && {
            ...(modelBelow && { model: modelBelow }),
            ...(aliasBelow !== undefined && { alias: aliasBelow }),
            ...(fallbacksBelow && { fallbacks: fallbacksBelow }),
          }),
      ...(fallbacks && { fallbacks }),
      ...(read.wish.effort !== undefined
        ? { effort: { value: read.wish.effort, by: by("effort"), ofParent: layer.level === "parent" } }
        : keepsEffort && effortBelow !== undefined && { effort: effortBelow }),
      warnings: [...below.warnings, ...read.warnings, ...(placed.warnings ?? [])],
    };
  }

  function readLevel({ model, provider, effort }: RouteLayer): Unaliased | { problem: Problem } {
    const beside: Wish = { ...(provider !== undefined && { provider }), ...(effort !== undefined && { effort }) };
    const parsed = parseModelWish(model, beside, providers);
    if ("problem" in parsed) return parsed;
    const unaliased = aliases.resolve(parsed.wish);
    if ("problem" in unaliased) return unaliased;
    return { ...unaliased, warnings: [...parsed.warnings, ...unaliased.warnings] };
  }

  /** The provider a wish names, if any: beside its model, or inside of the model's name where that is allowed. */
  function place(wish: Wish, below: PartialRoute): PlacedModel | { problem: Problem } {
    const named = wish.provider === undefined ? undefined : providers.find(wish.provider);
    if (named !== undefined && "problem" in named) return named;
    const beside = named && { provider: named.provider };
    const { model } = wish;
    if (model === undefined) return { ...beside };
    const current = named?.provider ?? below.provider?.value ?? soleProvider();
    const id = current && catalog.idMeant(current, baseUrlOf(current), model);
    if (id !== undefined) return { ...beside, model: id, warnings: id === model ? [] : [respelled(model, id)] };
    const family = familyNamed(model);
    if (family !== undefined) return placeFamily(model, family, current, named?.provider);
    if (/\s/.test(model)) return { problem: severalWords(model) };
    if (current !== undefined && catalog.serves(current, baseUrlOf(current), model) === "yes")
      return { ...beside, model };
    const afterColon = current?.builtIn?.tags === true ? undefined : providerInside(model, ":", providers);
    if (afterColon !== undefined) return { problem: colonProblem(model, afterColon) };
    const afterSlash = providerInside(model, "/", providers);
    if (afterSlash !== undefined && (current === undefined || !isAggregator(current))) {
      if (named !== undefined && named.provider.slug !== afterSlash.slug)
        return { problem: disagreement("provider", afterSlash.slug, named.provider.slug) };
      return place({ provider: afterSlash.slug, model: afterSlash.model }, below);
    }
    return { ...beside, model, warnings: isTierName(model) ? [missingTier(model)] : [] };
  }

  /** The newest of a family at the current provider, else at the one provider with a key that has the family. */
  function placeFamily(
    model: string,
    family: string,
    current: Provider | undefined,
    named: Provider | undefined,
  ): PlacedModel | { problem: Problem } {
    const beside = named && { provider: named };
    const newestAt = (provider: Provider) => catalog.newestOf(provider, baseUrlOf(provider), family);
    const [here, ...othersHere] = current === undefined ? [] : newestAt(current);
    if (here !== undefined && othersHere.length > 0) return { problem: severalOfFamily(family, [here, ...othersHere]) };
    if (here !== undefined && current !== undefined)
      return { ...beside, model: here, warnings: isKnownAt(current, here) ? [] : [assumed(family, here, current)] };
    const homes = named === undefined ? credentials.usable() : [];
    const [there, ...othersThere] = homes.flatMap((provider) =>
      newestAt(provider).map((id) => ({ provider, model: id })),
    );
    if (there !== undefined && othersThere.length > 0)
      return { problem: severalOfFamily(family, [there, ...othersThere].map(asString)) };
    if (there !== undefined) return { ...there, ofFamily: true };
    if (current !== undefined && catalog.modelsOf(current).length === 0)
      return { ...beside, model, warnings: [sentAsIs(model, current)] };
    const makers = providers.all().filter((provider) => newestAt(provider).length > 0);
    return { problem: nobodysFamily(family, named, makers) };
  }

  /** Whether a model is known to be had at the provider's address, which may not be the row's own. */
  function isKnownAt(provider: Provider, id: string): boolean {
    return catalog.idMeant(provider, baseUrlOf(provider), id) === id;
  }

  function baseUrlOf(provider: Provider): string | undefined {
    const answer = credentials.find(provider);
    return "connection" in answer ? answer.connection.baseUrl : undefined;
  }

  function soleProvider(): Provider | undefined {
    const usable = credentials.usable();
    return usable.length === 1 ? usable[0] : undefined;
  }

  function resolve(choice: PartialRoute): ModelSelection | { problem: Problem } {
    if (choice.problem !== undefined) return { problem: choice.problem };
    const sole = choice.provider === undefined ? soleProvider() : undefined;
    const provider = choice.provider ?? (sole && { value: sole, by: "parent" as const });
    if (provider === undefined) return { problem: noProvider(credentials.usable(), choice.model?.value) };
    const ofRow = defaultModelOf(provider.value);
    const model = choice.model ?? (ofRow === undefined ? undefined : { value: ofRow, by: "default" as const });
    if (model === undefined) return { problem: noModel(provider.value, catalog.modelsOf(provider.value)) };
    const isExplicit = choice.alias?.isExplicit === true;
    return { provider, model, ...(choice.effort && { effort: choice.effort }), ...(isExplicit && { isExplicit }) };
  }

  /** Its names are those that are sent: none of them is looked up as an alias. */
  function from({ provider: slug, model, effort }: Route): PartialRoute {
    const found = providers.find(slug);
    if ("problem" in found) return { problem: found.problem, warnings: [] };
    return {
      provider: { value: found.provider, by: "parent" },
      model: { value: model, by: "parent" },
      ...(effort !== undefined && { effort: { value: effort, by: "parent", ofParent: true } }),
      warnings: [],
    };
  }

  return { from, overlay, resolve };
}

/** Where a wish leads. `ofFamily`: the provider was found by the family's name. */
type PlacedModel = { provider?: Provider; model?: string; ofFamily?: true; warnings?: Warning[] };

/** Which pair a broken level means is not known; a level above that names a provider does without it. */
function withProblem({ warnings }: PartialRoute, { place }: RouteLayer, problem: Problem): PartialRoute {
  const placed = place === undefined ? problem : { ...problem, message: `In ${place}: ${problem.message}` };
  return { problem: placed, warnings };
}

function respelled(written: string, id: string): Warning {
  return { code: "model-respelled", message: `${written} was taken as ${id}, the one model it can mean.` };
}

function sentAsIs(model: string, { slug, entryPath }: Provider): Warning {
  const message = `${model} is sent to ${slug} unchanged, because the models of ${slug} are not known. List them under ${entryPath}.models.`;
  return { code: "family-unknown", message };
}

function assumed(family: string, id: string, { slug, entryPath }: Provider): Warning {
  const message =
    `${family} was taken as ${id}, the newest that ${slug} is known to have. Whether it is served at this base URL is ` +
    `not known: list its models under ${entryPath}.models.`;
  return { code: "family-assumed", message };
}

/** Names that people give to tiers of their own, and that no vendor gives to a model. */
function isTierName(model: string): boolean {
  return /^(small|medium|large|fast|cheap|smart|strong|best|default)$/i.test(model);
}

function missingTier(model: string): Warning {
  const message =
    `${model} is not one of your aliases and is sent as the id of a model. To make it one, name a model in the ` +
    `config: models: { ${model}: <model> }. deputy config init suggests small, medium and large.`;
  return { code: "alias-missing", message };
}

function severalOfFamily(family: string, candidates: string[]): Problem {
  return {
    code: "ambiguous-route",
    field: "model",
    message: `Expected one newest ${family} model; found ${candidates.join(", ")}. Name one of them.`,
    suggestions: candidates,
  };
}

function asString({ provider, model }: { provider: Provider; model: string }): string {
  return `${model} --provider ${provider.slug}`;
}

function nobodysFamily(family: string, named: Provider | undefined, makers: readonly Provider[]): Problem {
  const slugs = makers.map(({ slug }) => slug);
  const where = named === undefined ? "a provider with a key" : named.slug;
  const hint = slugs.length === 0 ? "" : ` These have it: ${slugs.join(", ")}.`;
  return {
    code: "unknown-model",
    field: "model",
    message: `Expected a ${family} model that ${where} is known to serve; found none.${hint} Or name a model by its id.`,
    suggestions: slugs,
  };
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
