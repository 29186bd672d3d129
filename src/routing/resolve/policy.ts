/**
 * What a delegating model may choose: `delegation.allow` and `delegation.deny`. It binds what a model asked for and what
 * that led to; what would run without its asking is the operator's choice and always passes.
 */
import type { ChoicePattern, Config } from "../../config-schema.ts";
import { suggest } from "../../did-you-mean.ts";
import type { Problem, Warning } from "../../errors.ts";
import type { Effort } from "../../route.ts";
import { matchesStars } from "../../star-pattern.ts";
import type { Providers } from "../catalog/providers.ts";
import type { NamedAlias } from "./aliases.ts";

/** What a model's asking led to. */
export type PolicySubject = {
  provider: string;
  model: string;
  /** Where the model asked for one. */
  effort?: Effort;
  /** The alias it named, where provider and model are the alias's. One that is not trusted permits nothing. */
  alias?: Pick<NamedAlias, "name" | "trusted">;
};

/** Why a model may not choose this, with what it may; undefined where it may. */
export type Policy = (chosen: PolicySubject) => Problem | undefined;

/** What an alias of the user's leads to. `provider`: only where it is served there and nowhere else. */
export type AliasTarget = { provider?: string; model: string };

/** @param targetOf of one of `models`; undefined where it leads nowhere */
export function createPolicy(
  { delegation, models }: Pick<Config, "delegation" | "models">,
  targetOf: (alias: string) => AliasTarget | undefined,
): Policy {
  const { allow, deny } = delegation;
  const targets = Object.keys(models).flatMap((name) => {
    const target = deny.some((entry) => coversAlias(entry, name)) ? targetOf(name) : undefined;
    return target === undefined ? [] : [{ name, ...target }];
  });
  /** To deny an alias is to deny what it leads to, by whatever name a model asks for it. */
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
    const allowed = options.length === 0 ? "nothing; leave model, provider and effort out" : options.join(", ");
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

/** An effort that was left open is the provider's own, and passes. */
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

/** `*` stands for anything, slashes included; case makes no difference. */
function matches(pattern: string, { provider, model }: PolicySubject, aliases: readonly string[]): boolean {
  const names = [`${provider}/${model}`, ...aliases.map((name) => `alias:${name}`)];
  return names.some((name) => matchesStars(pattern.trim().toLowerCase(), name.toLowerCase()));
}

/** What an entry of `allow` offers, as a model could write it where that is known: aliases by their names. */
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

/** An entry that names a provider or alias which is none permits or forbids nothing, and nobody would notice. */
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

/** The provider or alias that a pattern writes out whole, and those there are. */
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
