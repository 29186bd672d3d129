/**
 * The user's names for models: aliases and tiers are the same thing, `models:` in the config. An alias may lead to
 * another alias, set a provider, an effort and fallbacks, or be `inherit`.
 */
import type { AliasConfig, ModelWishConfig } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Wish } from "../../route.ts";
import { present } from "../../values/present.ts";
import type { Providers } from "../catalog/providers.ts";
import { disagreement, parseModelWish } from "./model-string.ts";

/** A request whose model is no longer an alias; `fields` are those that the alias set. */
export type Unaliased = {
  wish: Wish;
  brought: readonly ("provider" | "effort")[];
  alias?: NamedAlias;
  /** The alias's own fallbacks, if it declares any. */
  fallbacks?: readonly ModelWishConfig[];
  warnings: Warning[];
};

/**
 * The alias that was named, as the config writes it. `trusted`: no untrusted file contributes to its meaning.
 * `isExplicit`: its model is not a typo for another alias, because it sets the provider, or has the same name.
 */
export type NamedAlias = { name: string; trusted: boolean; isExplicit: boolean };

export type Aliases = {
  /**
   * Follows the model of a request through the user's aliases.
   * @param isTyped it was said for this one call: an untrusted file does not say what it means
   */
  resolve(wish: Wish, isTyped: boolean): Unaliased | { problem: Problem };
  names(): string[];
};

/** Names that an untrusted file defines. They do not permit anything, and mean nothing where they mean something else. */
export type UntrustedNames = { names: readonly string[]; meansElse(name: string): boolean };

export function createAliases(
  models: Readonly<Record<string, AliasConfig>>,
  providers: Providers,
  { names: untrusted, meansElse }: UntrustedNames = { names: [], meansElse: () => false },
): Aliases {
  const byName = new Map(Object.entries(models).map(([name, alias]) => [name.toLowerCase(), { name, alias }]));

  const isShadow = (name: string) => untrusted.includes(name) && meansElse(name);

  function resolve(wish: Wish, through: readonly string[], isTyped: boolean): Unaliased | { problem: Problem } {
    const found = wish.model === undefined ? undefined : byName.get(wish.model.toLowerCase());
    // An alias may have the name of the model it leads to: inside the alias, the name means the model.
    if (found === undefined || found.name === through.at(-1)) return { wish, brought: [], warnings: [] };
    if (isShadow(found.name) || (isTyped && untrusted.includes(found.name)))
      return { wish, brought: [], warnings: [notFollowed(found.name)] };
    if (through.includes(found.name)) return { problem: cycle([...through, found.name]) };
    const { name, alias } = found;
    const { fallbacks, ...written } = typeof alias === "string" ? { model: alias } : alias;
    const parsed = parseModelWish(written, {}, providers);
    if ("problem" in parsed) return { problem: inAlias(name, parsed.problem) };
    const meant = resolve(parsed.wish, [...through, name], false);
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
    resolve: (wish, isTyped) => resolve(wish, [], isTyped),
    names: () => [...byName.values()].map(({ name }) => name).filter((name) => !isShadow(name)),
  };
}

function notFollowed(name: string): Warning {
  const message = `${name} is also an alias in a project file that is not trusted. It is not followed: \`deputy config trust\` makes the file trusted.`;
  return { code: "untrusted-alias", message };
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
