/**
 * Suggests which of a provider's models to call small, medium and large: medium is the default model; small is the
 * newest clearly cheaper one of its line, large the next more expensive one of at least its version. Where there is no
 * such model, it is the default model too. Based only on price and name, so it is a starting point for users, and never
 * used for routing.
 */

import type { Catalog } from "./catalog.ts";
import { defaultModelOf, type Provider } from "./providers.ts";

export type Tiers = { small?: string; medium?: string; large?: string };

export function suggestTiers(provider: Provider, catalog: Pick<Catalog, "modelsOf" | "factsOf">): Tiers {
  const medium = defaultModelOf(provider);
  if (medium === undefined) return {};
  const price = outputPrice(medium);
  const version = versionOf(medium);
  if (price === undefined || version === undefined) return { small: medium, medium, large: medium };
  const line = catalog.modelsOf(provider).filter((id) => lineOf(id) === lineOf(medium));
  const others = newestOfEachName(line).flatMap((id) => {
    const own = { id, price: outputPrice(id), version: versionOf(id) };
    return own.price === undefined || own.version === undefined ? [] : [{ id, price: own.price, version: own.version }];
  });
  const [small] = others
    .filter((other) => other.price <= price * CLEARLY_CHEAPER && other.version >= Math.floor(version) - 1)
    .sort((a, b) => b.version - a.version || a.price - b.price);
  const [large] = others
    .filter((other) => other.price > price && other.version >= version && !FASTER.test(other.id))
    .sort((a, b) => a.price - b.price);
  return { small: small?.id ?? medium, medium, large: large?.id ?? medium };

  /** USD per million output tokens; undefined if unknown, or if the model is not for tasks. */
  function outputPrice(id: string): number | undefined {
    const { price: known, tools } = catalog.factsOf(provider, id);
    return tools === false || SPECIAL.test(id) || (known?.output ?? 0) === 0 ? undefined : known?.output;
  }
}

/** Models for other purposes than working on a task, and temporary names. */
const SPECIAL =
  /image|audio|speech|voice|tts|live|realtime|transcri|search|research|embed|ocr|moderation|instruct|preview|:/i;

/** More expensive because it is faster, not better. */
const FASTER = /fast|highspeed|turbo/i;

/** As a fraction of the default model's price. */
const CLEARLY_CHEAPER = 0.8;

/** `anthropic/claude` for `anthropic/claude-sonnet-5`: the maker and the name that its models share. */
function lineOf(id: string): string {
  return /^(.*\/)?[a-z]*/i.exec(id)?.[0].toLowerCase() ?? "";
}

/** The newest model of each name: `claude-opus-5-5` rather than `claude-opus-5`. */
function newestOfEachName(ids: readonly string[]): string[] {
  const newest = new Map<string, string>();
  for (const id of ids) {
    const name = id.toLowerCase().replaceAll(/\d+([.-]\d+)*/g, "#");
    if ((versionOf(id) ?? 0) > (versionOf(newest.get(name) ?? "") ?? -1)) newest.set(name, id);
  }
  return [...newest.values()];
}

/** 4.5 for `claude-haiku-4-5` and `gemini-4.5-flash`. Numbers above a hundred are sizes and dates. */
function versionOf(id: string): number | undefined {
  const [, major, minor = "0"] = /(\d+)(?:[.-](\d+))?/.exec(id) ?? [];
  return major === undefined || Number(major) > 100 ? undefined : Number(`${major}.${minor}`);
}
