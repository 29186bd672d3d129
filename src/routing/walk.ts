/**
 * The walk over the levels, from the lowest up: each is laid over the pair (provider, model) below it. The rules are the
 * contract's: a pair replaces the pair, a provider alone brings its default model, a model alone keeps the provider.
 */
import type { ModelWishConfig } from "../config/schema.ts";
import type { Problem, Warning } from "../errors.ts";
import type { Effort, Level, Wish } from "../route.ts";
import type { Aliases, Unaliased } from "./aliases.ts";
import type { Catalog } from "./catalog.ts";
import type { Credentials } from "./credentials.ts";
import { colonProblem, disagreement, parseModelWish, providerInside } from "./model-string.ts";
import { defaultModelOf, isAggregator, type Provider, type Providers } from "./providers.ts";

/** What one level says, as it was written. */
export type Said = {
  level: Level;
  model?: ModelWishConfig | undefined;
  provider?: string | undefined;
  effort?: Effort | undefined;
};

type Chosen<Value> = { value: Value; by: Level };

/** What the levels so far have chosen. */
export type Choice = {
  provider?: Chosen<Provider>;
  model?: Chosen<string>;
  /** `ofParent`: inherited by the parent's own model only. */
  effort?: Chosen<Effort> & { ofParent: boolean };
  /** Declared by the alias that chose the model. */
  fallbacks?: readonly ModelWishConfig[];
  /** What is wrong with a level so far. */
  problem?: Problem;
  warnings: readonly Warning[];
};

/** A choice with nothing left open. */
export type Pair = { provider: Chosen<Provider>; model: Chosen<string>; effort?: Chosen<Effort> };

export type Walk = {
  lay(below: Choice, said: Said): Choice;
  /** Fills what no level named: the one provider with a key, a provider's default model. */
  settle(choice: Choice): Pair | { problem: Problem };
};

export type WalkDeps = { providers: Providers; credentials: Credentials; catalog: Catalog; aliases: Aliases };

export const NOTHING_CHOSEN: Choice = { warnings: [] };

export function createWalk({ providers, credentials, catalog, aliases }: WalkDeps): Walk {
  function lay(below: Choice, said: Said): Choice {
    const read = readLevel(said);
    if ("problem" in read) return broken(below, said, read.problem);
    const placed = place(read.wish, below);
    if ("problem" in placed) return broken(below, said, placed.problem);
    const by = (field: "provider" | "effort"): Level => (read.brought.includes(field) ? "alias" : said.level);
    const { provider, model } = placed;
    const keepsModel = provider === undefined || provider.slug === below.provider?.value.slug;
    const { model: modelBelow, fallbacks: fallbacksBelow, problem, ...rest } = below;
    return {
      ...rest,
      ...(problem !== undefined && provider === undefined && { problem }),
      ...(provider !== undefined && { provider: { value: provider, by: by("provider") } }),
      ...(model !== undefined
        ? { model: { value: model, by: said.level }, ...(read.fallbacks && { fallbacks: read.fallbacks }) }
        : keepsModel && {
            ...(modelBelow && { model: modelBelow }),
            ...(fallbacksBelow && { fallbacks: fallbacksBelow }),
          }),
      ...(read.wish.effort !== undefined && {
        effort: { value: read.wish.effort, by: by("effort"), ofParent: said.level === "parent" },
      }),
      warnings: [...below.warnings, ...read.warnings],
    };
  }

  function readLevel({ model, provider, effort }: Said): Unaliased | { problem: Problem } {
    const beside: Wish = { ...(provider !== undefined && { provider }), ...(effort !== undefined && { effort }) };
    const parsed = parseModelWish(model, beside, providers);
    if ("problem" in parsed) return parsed;
    const unaliased = aliases.resolve(parsed.wish);
    if ("problem" in unaliased) return unaliased;
    return { ...unaliased, warnings: [...parsed.warnings, ...unaliased.warnings] };
  }

  /** The provider a wish names, if any: beside its model, or inside of the model's name where that is allowed. */
  function place(wish: Wish, below: Choice): { provider?: Provider; model?: string } | { problem: Problem } {
    const named = wish.provider === undefined ? undefined : providers.find(wish.provider);
    if (named !== undefined && "problem" in named) return named;
    const model = wish.model === undefined ? {} : { model: wish.model };
    const asWritten = { ...(named && { provider: named.provider }), ...model };
    if (wish.model === undefined) return asWritten;
    const current = named?.provider ?? below.provider?.value ?? soleProvider();
    if (current !== undefined && takesAsItIs(current, wish.model)) return asWritten;
    const afterColon = current?.row?.tags === true ? undefined : providerInside(wish.model, ":", providers);
    if (afterColon !== undefined) return { problem: colonProblem(wish.model, afterColon) };
    const afterSlash = providerInside(wish.model, "/", providers);
    if (afterSlash === undefined || (current !== undefined && isAggregator(current))) return asWritten;
    if (named !== undefined && named.provider.slug !== afterSlash.slug)
      return { problem: disagreement("provider", afterSlash.slug, named.provider.slug) };
    const inside = providers.find(afterSlash.slug);
    return "problem" in inside ? inside : { provider: inside.provider, model: afterSlash.model };
  }

  function takesAsItIs(provider: Provider, model: string): boolean {
    const answer = credentials.find(provider);
    return catalog.serves(provider, "bundle" in answer ? answer.bundle.baseUrl : undefined, model) === "yes";
  }

  function soleProvider(): Provider | undefined {
    const usable = credentials.usable();
    return usable.length === 1 ? usable[0] : undefined;
  }

  function settle(choice: Choice): Pair | { problem: Problem } {
    if (choice.problem !== undefined) return { problem: choice.problem };
    const sole = choice.provider === undefined ? soleProvider() : undefined;
    const provider = choice.provider ?? (sole && { value: sole, by: "parent" as const });
    if (provider === undefined) return { problem: noProvider(credentials.usable(), choice.model?.value) };
    const ofRow = defaultModelOf(provider.value);
    const model = choice.model ?? (ofRow === undefined ? undefined : { value: ofRow, by: "default" as const });
    if (model === undefined) return { problem: noModel(provider.value, catalog.modelsOf(provider.value)) };
    return { provider, model, ...(choice.effort && { effort: choice.effort }) };
  }

  return { lay, settle };
}

/** Which pair a broken level means is not known; a level above that names a provider does without it. */
function broken({ warnings }: Choice, { level }: Said, problem: Problem): Choice {
  return { problem: atLevel(level, problem), warnings };
}

/** A problem of the operator's own levels says where it stands; one of a task's stands there. */
function atLevel(level: Level, problem: Problem): Problem {
  const place = PLACES[level];
  return place === undefined ? problem : { ...problem, message: `${place}: ${problem.message}` };
}

const PLACES: Partial<Record<Level, string>> = {
  parent: "In what the caller runs on (flags, or the top level of the config)",
  delegation: "In `delegation:` of the config",
};

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
