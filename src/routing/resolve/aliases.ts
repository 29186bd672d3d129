/**
 * Names of the user's for models: aliases and tiers are one thing, `models:` in the config. A name may lead to another
 * name, bring a provider, an effort and fallbacks of its own, or be `inherit`.
 */
import type { AliasConfig, ModelWishConfig } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import { present } from "../../present.ts";
import type { Wish } from "../../route.ts";
import type { Providers } from "../catalog/providers.ts";
import { disagreement, parseModelWish } from "./model-string.ts";

/** A wish whose model is no alias any more; `fields` are those the alias brought. */
export type Unaliased = {
  wish: Wish;
  brought: readonly ("provider" | "effort")[];
  alias?: NamedAlias;
  /** The alias's own, where it declares them. */
  fallbacks?: readonly ModelWishConfig[];
  warnings: Warning[];
};

/**
 * The alias that was named, as the config writes it. `trusted`: no file that nobody trusts has a hand in what it means.
 * `isExplicit`: its model is no slip for another alias, because it says where that is served, or has the same name.
 */
export type NamedAlias = { name: string; trusted: boolean; isExplicit: boolean };

export type Aliases = {
  /** Follows the model of a wish through the user's aliases. */
  resolve(wish: Wish): Unaliased | { problem: Problem };
  names(): string[];
};

/** @param untrusted names that a file nobody trusts defines: nothing is permitted by such a name */
export function createAliases(
  models: Readonly<Record<string, AliasConfig>>,
  providers: Providers,
  untrusted: readonly string[] = [],
): Aliases {
  const byName = new Map(Object.entries(models).map(([name, alias]) => [name.toLowerCase(), { name, alias }]));

  function resolve(wish: Wish, through: readonly string[]): Unaliased | { problem: Problem } {
    const found = wish.model === undefined ? undefined : byName.get(wish.model.toLowerCase());
    // An alias may bear the name of the model it stands for: that name inside of it is the model's.
    if (found === undefined || found.name === through.at(-1)) return { wish, brought: [], warnings: [] };
    if (through.includes(found.name)) return { problem: cycle([...through, found.name]) };
    const { name, alias } = found;
    const { fallbacks, ...written } = typeof alias === "string" ? { model: alias } : alias;
    const parsed = parseModelWish(written, {}, providers);
    if ("problem" in parsed) return { problem: inAlias(name, parsed.problem) };
    const meant = resolve(parsed.wish, [...through, name]);
    if ("problem" in meant) return meant;
    const { provider, effort } = meant.wish;
    if (provider !== undefined && wish.provider !== undefined && !providers.isSame(provider, wish.provider))
      return { problem: disagreement("provider", provider, wish.provider) };
    const own = fallbacks ?? meant.fallbacks;
    const trusted = meant.alias?.trusted !== false && !untrusted.includes(name);
    const isItself = meant.wish.model?.toLowerCase() === name.toLowerCase();
    const isExplicit = provider !== undefined || isItself || meant.alias?.isExplicit === true;
    const { model: _, ...beside } = wish;
    return {
      wish: { ...meant.wish, ...beside },
      brought: [
        ...(provider !== undefined && wish.provider === undefined ? ["provider" as const] : []),
        ...(effort !== undefined && wish.effort === undefined ? ["effort" as const] : []),
      ],
      alias: { name, trusted, isExplicit },
      ...present({ fallbacks: own }),
      warnings: [...parsed.warnings, ...meant.warnings],
    };
  }

  return {
    resolve: (wish) => resolve(wish, []),
    names: () => [...byName.values()].map(({ name }) => name),
  };
}

function cycle(names: readonly string[]): Problem {
  return {
    code: "unknown-alias",
    field: "model",
    message: `Expected an alias that leads to a model; found a circle under \`models:\`: ${names.join(" → ")}.`,
    suggestions: [],
  };
}

function inAlias(name: string, problem: Problem): Problem {
  return { ...problem, message: `In the alias ${name} (models.${name}): ${problem.message}` };
}
