/**
 * Prices and context windows from the price library. Loading it takes about 20 ms, so it happens on first use: a run
 * whose config sets its own prices does not need it.
 */
import { createRequire } from "node:module";
import type { Usage } from "../../event.ts";
import type { Price } from "../../route.ts";
import { present } from "../../values/present.ts";
import { withoutDate } from "./model-table.ts";

type Library = typeof import("@pydantic/genai-prices");
type LibraryEntry = NonNullable<ReturnType<Library["calcPrice"]>>;

export type LibraryFacts = { contextWindow?: number; price?: Price };

export type PriceLibrary = {
  /** Facts about a provider's model; undefined if the library does not have it. */
  factsOf(priceId: string, model: string): LibraryFacts | undefined;
  /** USD for a request, by length and time of day if the provider's prices depend on them. */
  costUsd(priceId: string, model: string, usage: Usage): number | undefined;
  /** The id of the entry that a provider's model has in the library; undefined if it has none. */
  idOf(priceId: string, model: string): string | undefined;
  /** Ids of a provider's models, without retired ones. */
  modelsOf(priceId: string): string[];
};

export function createPriceLibrary(): PriceLibrary {
  let loaded: Library | undefined;
  const library = (): Library => (loaded ??= createRequire(import.meta.url)("@pydantic/genai-prices") as Library);

  function entryOf(priceId: string, model: string, usage: Record<string, number>): LibraryEntry | undefined {
    const entry = library().calcPrice(usage, model, { providerId: priceId });
    return entry !== null && isSameVersion(model, entry.model.id) ? entry : undefined;
  }

  return {
    factsOf(priceId, model) {
      const entry = entryOf(priceId, model, {});
      if (entry === undefined) return undefined;
      const { context_window: contextWindow } = entry.model;
      const price = priceOf(entry);
      return present({ contextWindow, price });
    },
    costUsd(priceId, model, usage) {
      const cached = Math.min(usage.cached, usage.input);
      return entryOf(priceId, model, {
        input_tokens: usage.input,
        output_tokens: usage.output,
        cache_read_tokens: cached,
        cache_write_tokens: Math.min(usage.cacheWrite ?? 0, usage.input - cached),
      })?.total_price;
    },
    idOf: (priceId, model) => entryOf(priceId, model, {})?.model.id,
    modelsOf: (priceId) =>
      library()
        .findProvider({ providerId: priceId })
        ?.models.filter(({ deprecated }) => deprecated !== true)
        .map(({ id }) => id) ?? [],
  };
}

/**
 * The library matches by prefix, so that an id newer than its data finds an older model's entry: `claude-sonnet-5-5`
 * finds `claude-sonnet-5`. Only an entry with the same version numbers is accepted.
 */
function isSameVersion(model: string, entryId: string): boolean {
  return versionOf(model) === versionOf(entryId);
}

function versionOf(id: string): string {
  const name = withoutDate(id.toLowerCase().slice(id.lastIndexOf("/") + 1)).replace(/-\d{4}$/, "");
  return (name.match(/\d+/g) ?? []).join(".").replace(/(?<!\.0)(\.0)+$/, "");
}

/** USD per million tokens for a short prompt; undefined if the model is not priced by tokens. */
function priceOf({ model_price: prices }: LibraryEntry): Price | undefined {
  const input = basePrice(prices.input_mtok);
  const output = basePrice(prices.output_mtok);
  const cachedInput = basePrice(prices.cache_read_mtok);
  const cacheWrite = basePrice(prices.cache_write_mtok);
  if (input === undefined || output === undefined) return undefined;
  return present({ input, output, cachedInput, cacheWrite });
}

function basePrice(price: LibraryEntry["model_price"][string]): number | undefined {
  return typeof price === "object" ? price.base : price;
}
