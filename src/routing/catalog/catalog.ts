/**
 * Facts about models: from the user's config, then Deputy's own table, then the provider's own list if it was fetched,
 * then the price library, then the dated price table. Unknown facts are absent, never guessed. If list and library agree on a base price, the
 * library's is used: it includes surcharges for long prompts and times of day.
 */
import type { ModelFactsConfig, ProviderConfig } from "../../config-schema.ts";
import type { Usage } from "../../event.ts";
import type { ModelFacts, Price, Route } from "../../route.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { present } from "../../values/present.ts";
import { type BuiltInProvider, familyOf } from "./built-in-providers.ts";
import { originOf } from "./endpoints.ts";
import { bareId, newestOf, plainForm } from "./families.ts";
import type { Listed } from "./list-cache.ts";
import { ownFacts, withoutDate } from "./model-table.ts";
import { createPriceLibrary, type PriceLibrary } from "./price-library.ts";
import { tableFacts, tableModels, tablePrice } from "./price-table.ts";
import type { Provider, Providers } from "./providers.ts";

export type Serves = "yes" | "no" | "unknown";

export type Catalog = {
  factsOf(provider: Provider, model: string): ModelFacts;
  /** USD for one request; undefined if the price is unknown. */
  costUsd(route: Pick<Route, "provider" | "model" | "facts">, usage: Usage): number | undefined;
  /** Returns whether a provider, at this base URL, has a model: `no` only if the name is another maker's. */
  serves(provider: Provider, baseUrl: string | undefined, model: string): Serves;
  /** Returns whether a provider, at this base URL, serves only its own models. */
  isMaker(provider: Provider, baseUrl: string): boolean;
  /** Returns whether a model is known at this base URL; `unknown` if none of the models there are. */
  knows(provider: Provider, baseUrl: string | undefined, model: string): Serves;
  /** Known ids of the provider's models. */
  modelsOf(provider: Provider): string[];
  /** The one id at this base URL that a model's name can mean, ignoring case and dashes; undefined if there is none. */
  idMeant(provider: Provider, baseUrl: string | undefined, model: string): string | undefined;
  /**
   * The newest models of a family; several if only the user can choose. At another base URL than the row's own, models
   * in the config take precedence over those in the row: a user who moved a provider's address still means its models.
   */
  newestOf(provider: Provider, baseUrl: string | undefined, family: string): string[];
  /** The provider's models with similar names, nearest first. */
  nearestModels(provider: Provider, model: string): string[];
};

export type CatalogSources = {
  providers: Providers;
  /** The provider's own model list, if it was fetched. */
  listOf?: (provider: Provider) => Listed | undefined;
  library?: PriceLibrary;
};

type Index = { ids: ReadonlySet<string>; byForm: ReadonlyMap<string, string[]> };

export function createCatalog({
  providers,
  listOf = () => undefined,
  library = createPriceLibrary(),
}: CatalogSources): Catalog {
  const indexes = new Map<string, Index>();
  const shipped = new Map<string, ReadonlySet<string>>();

  function factsOf(provider: Provider, model: string): ModelFacts {
    const { builtIn, configured } = provider;
    const stated = statedFacts(statedOf(configured, model) ?? {});
    const own = builtIn?.family !== undefined && builtIn.family === familyOf(model) ? ownFacts(model) : {};
    const listed = listOf(provider)?.factsOf(model);
    const isComplete = stated.price !== undefined && stated.contextWindow !== undefined;
    const priced = isComplete || builtIn?.priceId === undefined ? undefined : library.factsOf(builtIn.priceId, model);
    return { ...tableFacts(provider.slug, model), ...priced, ...listed, ...own, ...stated };
  }

  function serves(provider: Provider, baseUrl: string | undefined, model: string): Serves {
    const { builtIn, configured } = provider;
    if (statedIds(configured).includes(model)) return "yes";
    if (listOf(provider)?.factsOf(model) !== undefined) return "yes";
    const family = familyOf(model);
    if (builtIn?.family === undefined || family === undefined || !isBuiltInEndpoint(builtIn, baseUrl)) return "unknown";
    if (builtIn.family !== family) return "no";
    return model.includes("/") ? "unknown" : "yes";
  }

  function knows(provider: Provider, baseUrl: string | undefined, model: string): Serves {
    const { builtIn, configured } = provider;
    if (statedIds(configured).includes(model)) return "yes";
    const listed = listOf(provider);
    if (listed?.factsOf(model) !== undefined) return "yes";
    const names = builtIn !== undefined && isBuiltInEndpoint(builtIn, baseUrl) ? shippedNames(builtIn) : NO_NAMES;
    if (listed === undefined && names.size === 0) return "unknown";
    return names.has(undated(model)) || isInLibrary(builtIn, model) ? "yes" : "no";
  }

  /** The library finds entries by prefix: at a maker, its id must be the model's. */
  function isInLibrary(builtIn: BuiltInProvider | undefined, model: string): boolean {
    const id = builtIn?.priceId === undefined ? undefined : library.idOf(builtIn.priceId, model);
    return id !== undefined && (builtIn?.family === undefined || undated(id) === undated(model));
  }

  function shippedNames(builtIn: BuiltInProvider): ReadonlySet<string> {
    const names = shipped.get(builtIn.slug) ?? new Set(shippedIds(builtIn).map(undated));
    shipped.set(builtIn.slug, names);
    return names;
  }

  /** Ids that Deputy knows without the provider's own list. */
  function shippedIds(builtIn: BuiltInProvider | undefined): string[] {
    if (builtIn === undefined) return [];
    const inLibrary = builtIn.priceId === undefined ? [] : library.modelsOf(builtIn.priceId);
    return [...builtInIds(builtIn), ...inLibrary, ...tableModels(builtIn.slug)];
  }

  function modelsOf(provider: Provider): string[] {
    const { builtIn, configured } = provider;
    const known = listOf(provider)?.ids ?? shippedIds(builtIn);
    const ownFamily = known.filter((id) => builtIn?.family === undefined || familyOf(id) === builtIn.family);
    return withoutDoubles([...statedIds(configured), ...ownFamily]);
  }

  /** The known ids at a base URL, indexed by their plain form. */
  function indexOf(provider: Provider, baseUrl: string | undefined): Index {
    const { slug, builtIn, configured } = provider;
    const isKnown = listOf(provider) !== undefined || (builtIn !== undefined && isBuiltInEndpoint(builtIn, baseUrl));
    const key = `${slug} ${isKnown}`;
    const index = indexes.get(key) ?? createIndex(isKnown ? modelsOf(provider) : statedIds(configured));
    indexes.set(key, index);
    return index;
  }

  function newestAt(provider: Provider, baseUrl: string | undefined, family: string): string[] {
    const here = newestOf(family, [...indexOf(provider, baseUrl).ids]);
    return here.length > 0 ? here : newestOf(family, [...indexOf(provider, undefined).ids]);
  }

  function idMeant(provider: Provider, baseUrl: string | undefined, model: string): string | undefined {
    if ([...statedIds(provider.configured), provider.builtIn?.defaultModel].includes(model)) return model;
    const { ids, byForm } = indexOf(provider, baseUrl);
    if (ids.has(model)) return model;
    const meant = byForm.get(plainForm(model)) ?? [];
    return meant.length === 1 ? meant[0] : undefined;
  }

  function costUsd({ provider: slug, model, facts }: Pick<Route, "provider" | "model" | "facts">, usage: Usage) {
    const found = providers.find(slug);
    const provider = "provider" in found ? found.provider : undefined;
    if (provider === undefined || statedOf(provider.configured, model)?.price !== undefined)
      return flatCost(facts.price, usage);
    const priceId = provider.builtIn?.priceId;
    const listed = listOf(provider)?.factsOf(model)?.price;
    const published = priceId === undefined ? undefined : library.factsOf(priceId, model)?.price;
    if (listed !== undefined && !isSameBase(listed, published ?? tableFacts(provider.slug, model)?.price))
      return flatCost(facts.price, usage);
    const byLibrary = priceId === undefined ? undefined : library.costUsd(priceId, model, usage);
    return byLibrary ?? flatCost(tablePrice(provider.slug, model, usage) ?? facts.price, usage);
  }

  return {
    idMeant,
    newestOf: newestAt,
    factsOf,
    serves,
    isMaker: ({ builtIn }, baseUrl) => builtIn?.family !== undefined && isBuiltInEndpoint(builtIn, baseUrl),
    knows,
    modelsOf,
    nearestModels: (provider, model) => suggest(model, indexOf(provider, undefined).ids),
    costUsd,
  };
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Ids are compared in any case; a dated id, or one with a revision such as `-001`, is the same model. */
function undated(id: string): string {
  return withoutDate(id.toLowerCase()).replace(/-\d{3,4}$/, "");
}

function isSameBase(price: Price, other: Price | undefined): boolean {
  return price.input === other?.input && price.output === other.output;
}

/** The config's facts about a model; ids may be any text, even `constructor`. */
function statedOf(entry: ProviderConfig | undefined, model: string): ModelFactsConfig | undefined {
  return entry?.models !== undefined && Object.hasOwn(entry.models, model) ? entry.models[model] : undefined;
}

/** Ids in the config: models with facts, and the provider's default. */
function statedIds(entry: ProviderConfig | undefined): string[] {
  return [...new Set([...Object.keys(entry?.models ?? {}), ...(entry?.default_model ? [entry.default_model] : [])])];
}

function builtInIds(row: BuiltInProvider | undefined): string[] {
  return [...(row?.defaultModel === undefined ? [] : [row.defaultModel]), ...(row?.models ?? [])];
}

/** Sources may write one id in several cases; the first is kept. */
function withoutDoubles(ids: readonly string[]): string[] {
  const byLowerCase = new Map<string, string>();
  for (const id of ids) if (!byLowerCase.has(id.toLowerCase())) byLowerCase.set(id.toLowerCase(), id);
  return [...byLowerCase.values()];
}

/** Indexes ids by full name and, if they start with a vendor, without it. */
function createIndex(ids: readonly string[]): Index {
  const byForm = new Map<string, string[]>();
  for (const id of ids)
    for (const form of new Set([plainForm(id), plainForm(bareId(id))]))
      byForm.set(form, [...(byForm.get(form) ?? []), id]);
  return { ids: new Set(ids), byForm };
}

/** Facts about a row's models apply at its own endpoint; elsewhere a gateway may serve anything. */
function isBuiltInEndpoint(row: BuiltInProvider, baseUrl: string | undefined): boolean {
  return baseUrl === undefined || baseUrl === row.baseUrl || originOf(baseUrl) === originOf(row.baseUrl);
}

function statedFacts(stated: ModelFactsConfig): ModelFacts {
  const { context_window, max_output_tokens, price, reasoning_efforts, tools, vision } = stated;
  return present({
    contextWindow: context_window,
    maxOutputTokens: max_output_tokens,
    price: price && present({ input: price.input, output: price.output, cachedInput: price.cached_input }),
    efforts: reasoning_efforts,
    tools,
    vision,
  });
}

function flatCost(price: Price | undefined, usage: Usage): number | undefined {
  if (price === undefined) return undefined;
  const cached = Math.min(usage.cached, usage.input);
  const written = Math.min(usage.cacheWrite ?? 0, usage.input - cached);
  const perMillion =
    (usage.input - cached - written) * price.input +
    cached * (price.cachedInput ?? price.input) +
    written * (price.cacheWrite ?? price.input) +
    usage.output * price.output;
  return perMillion / 1_000_000;
}
