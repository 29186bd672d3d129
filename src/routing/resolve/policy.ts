/**
 * What a delegating model may choose: `delegation.allow` and `delegation.deny`. They apply to what a model requested
 * and its consequences; what would run without its request is the operator's choice and always allowed.
 */
import type { ChoicePattern, Config } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Effort } from "../../route.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { matchesStars } from "../../text/star-pattern.ts";
import type { Providers } from "../catalog/providers.ts";
import type { NamedAlias } from "./aliases.ts";

/** The outcome of a model's request. */
export type PolicySubject = {
  provider: string;
  model: string;
  /** The effort, if the model requested one. */
  effort?: Effort;
  /** The alias it named, if provider and model are the alias's. An untrusted alias permits nothing. */
  alias?: Pick<NamedAlias, "name" | "trusted">;
};

/** Returns why a model may not choose this, with what it may choose; undefined if it may. */
export type Policy = (chosen: PolicySubject) => Problem | undefined;

/** The target of a user's alias. `provider`: set only if the model is served nowhere else. */
export type AliasTarget = { provider?: string; model: string };

/** @param targetOf returns the target of one of `models`; undefined if it has none */
export function createPolicy(
  { delegation, models }: Pick<Config, "delegation" | "models">,
  targetOf: (alias: string) => AliasTarget | undefined,
): Policy {
  const { allow, deny } = delegation;
  const targets = Object.keys(models).flatMap((name) => {
    const target = deny.some((entry) => coversAlias(entry, name)) ? targetOf(name) : undefined;
    return target === undefined ? [] : [{ name, ...target }];
  });
  /** Denying an alias denies what it leads to, whatever name a model uses for it. */
  const namesOf = ({ provider, model, alias }: PolicySubject) => [
    ...(alias === undefined ? [] : [alias.name]),
    ...targets
      .filter((target) => isSame(target.model, model) && (target.provider ?? provider) === provider)
      .map(({ name }) => name),
  ];
  const options = [...new Set(allow.flatMap((entry) => optionsOf(entry, Object.keys(models))))];

  return (subject) => {
    const refusing = deny.find((entry) => denies(entry, subject, namesOf(subject)));
    if (refusing === undefined && allow.some((entry) => allows(entry, subject))) return undefined;
    const reason = refusing === undefined ? "" : `, which delegation.deny refuses (${textOf(refusing)})`;
    const allowed = options.length === 0 ? "nothing; omit model, provider and effort" : options.join(", ");
    const except = deny.length === 0 ? "" : `, except ${deny.map(textOf).join(", ")}`;
    return {
      code: "denied-by-policy",
      field: "model",
      message: `Expected a route that the user lets a model choose; found ${named(subject)}${reason}. Allowed: ${allowed}${except}.`,
      suggestions: options,
    };
  };
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Without a requested effort, the provider's own applies, and is allowed. */
function allows(entry: ChoicePattern, { alias, effort, ...subject }: PolicySubject): boolean {
  const { match, efforts } = parts(entry);
  const trusted = alias?.trusted ? [alias.name] : [];
  return matches(match, subject, trusted) && (effort === undefined || (efforts?.includes(effort) ?? true));
}

function denies(entry: ChoicePattern, { effort, ...subject }: PolicySubject, aliases: readonly string[]): boolean {
  const { match, efforts } = parts(entry);
  return (
    matches(match, subject, aliases) && (efforts === undefined || (effort !== undefined && efforts.includes(effort)))
  );
}

function coversAlias(entry: ChoicePattern, alias: string): boolean {
  return matches(parts(entry).match, { provider: "", model: "" }, [alias]);
}

function parts(entry: ChoicePattern): { match: string; efforts?: readonly Effort[] } {
  return typeof entry === "string" ? { match: entry } : entry;
}

/** `*` matches anything, including slashes; case makes no difference. */
function matches(pattern: string, { provider, model }: PolicySubject, aliases: readonly string[]): boolean {
  const names = [`${provider}/${model}`, ...aliases.map((name) => `alias:${name}`)];
  return names.some((name) => matchesStars(pattern.trim().toLowerCase(), name.toLowerCase()));
}

/** The choices in an entry of `allow`, as a model could write them if they are known: aliases by name. */
function optionsOf(entry: ChoicePattern, aliases: readonly string[]): string[] {
  const { match, efforts } = parts(entry);
  const offered = aliases.filter((alias) => coversAlias(entry, alias));
  const names = /^alias:/i.test(match) ? offered : [match];
  return names.map((name) => withEfforts(name, efforts));
}

function textOf(entry: ChoicePattern): string {
  const { match, efforts } = parts(entry);
  return withEfforts(match, efforts);
}

function withEfforts(name: string, efforts: readonly Effort[] | undefined): string {
  return efforts === undefined ? name : `${name} (effort ${efforts.join(", ")})`;
}

function named({ provider, model, effort }: PolicySubject): string {
  return `${provider}/${model}${effort === undefined ? "" : ` with effort ${effort}`}`;
}

// Patterns that name nothing -------------------------------------------------------------------------------------------

/** Warns about an entry with an unknown provider or alias: it permits or forbids nothing, which would go unnoticed. */
export function patternWarnings(
  { delegation, models }: Pick<Config, "delegation" | "models">,
  providers: Providers,
): Warning[] {
  return (["allow", "deny"] as const).flatMap((list) =>
    delegation[list].flatMap((entry) => {
      const [kind, name, known] = namedIn(parts(entry).match, Object.keys(models), providers);
      if (name === undefined || known.some((other) => isSame(other, name))) return [];
      const close = suggest(name, known);
      const hint = close.length === 0 ? "" : ` Did you mean ${close.join(" or ")}?`;
      const message = `delegation.${list}: ${textOf(entry)} matches nothing: there is no ${kind} ${name}.${hint}`;
      return [{ code: "pattern-without-effect", message }];
    }),
  );
}

/** The provider or alias that a pattern names in full, and the known ones. */
function namedIn(
  pattern: string,
  aliases: string[],
  providers: Providers,
): [kind: "alias" | "provider", name: string | undefined, known: string[]] {
  const [, alias] = /^alias:([^*]+)$/i.exec(pattern.trim()) ?? [];
  if (alias !== undefined) return ["alias", alias, aliases];
  const [, slug] = /^([^*/]+)\//.exec(pattern.trim()) ?? [];
  return ["provider", slug, providers.all().map((provider) => provider.slug)];
}
