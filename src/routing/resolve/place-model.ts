/** Finds the provider and model that a level means, relative to the provider of the levels below. */
import type { Problem, Warning } from "../../errors.ts";
import type { Wish } from "../../route.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { familyNamed, possibleFamily } from "../catalog/families.ts";
import { isAggregator, isOwnEndpoint, type Provider, type Providers } from "../catalog/providers.ts";
import type { Credentials } from "../keys/credentials.ts";
import { colonProblem, disagreement, providerInside, severalWords } from "./model-string.ts";

export type PlaceModelDeps = { providers: Providers; credentials: Credentials; catalog: Catalog };

/** The result. `ofFamily`: the provider was found by the family's name. */
export type PlacedModel = { provider?: Provider; model?: string; ofFamily?: true; warnings?: Warning[] };

/** The provider that a request names, if any: next to its model or, where that is allowed, inside the model's name. */
export function placeModel(
  wish: Wish,
  below: Provider | undefined,
  deps: PlaceModelDeps,
): PlacedModel | { problem: Problem } {
  const { providers, catalog } = deps;
  const named = wish.provider === undefined ? undefined : providers.find(wish.provider);
  if (named !== undefined && "problem" in named) return named;
  const beside = named && { provider: named.provider };
  const { model } = wish;
  if (model === undefined) return { ...beside };
  const current = named?.provider ?? below ?? soleProvider(deps);
  const id = current && catalog.idMeant(current, baseUrlOf(current, deps), model);
  if (id !== undefined) return { ...beside, model: id, warnings: id === model ? [] : [respelled(model, id)] };
  const family = familyNamed(model) ?? newFamily(model, deps);
  if (family !== undefined) return placeFamily(model, family, { current, named: named?.provider }, deps);
  if (/\s/.test(model)) return { problem: severalWords(model) };
  if (current !== undefined && catalog.serves(current, baseUrlOf(current, deps), model) === "yes")
    return { ...beside, model };
  const afterColon = current?.builtIn?.tags === true ? undefined : providerInside(model, ":", providers);
  if (afterColon !== undefined) return { problem: colonProblem(model, afterColon) };
  const afterSlash = providerInside(model, "/", providers);
  if (afterSlash !== undefined && (current === undefined || !keepsSlashes(current, named !== undefined, deps))) {
    if (named !== undefined && named.provider.slug !== afterSlash.slug)
      return { problem: disagreement("provider", afterSlash.slug, named.provider.slug) };
    return placeModel({ provider: afterSlash.slug, model: afterSlash.model }, below, deps);
  }
  return { ...beside, model, warnings: isTierName(model) ? [missingTier(model)] : [] };
}

/**
 * An id with a slash stays whole where such ids are served, and at the user's own endpoints: at a built-in provider
 * whose address was moved, if it was named beside the id.
 */
function keepsSlashes(provider: Provider, isNamed: boolean, deps: PlaceModelDeps): boolean {
  const moved = isNamed ? baseUrlOf(provider, deps) : undefined;
  return isAggregator(provider) || isOwnEndpoint(provider, moved);
}

/** A family that the catalog has models of, though the table of families does not name it. */
function newFamily(model: string, { providers, catalog }: PlaceModelDeps): string | undefined {
  const family = possibleFamily(model);
  const isKnown = family !== undefined && providers.all().some((each) => catalog.newestOf(each, undefined, family)[0]);
  return isKnown ? family : undefined;
}

/** The newest of a family at the current provider, else at the one provider with a key that has the family. */
function placeFamily(
  model: string,
  family: string,
  { current, named }: { current: Provider | undefined; named: Provider | undefined },
  deps: PlaceModelDeps,
): PlacedModel | { problem: Problem } {
  const { providers, credentials, catalog } = deps;
  const beside = named && { provider: named };
  const newestAt = (provider: Provider) => catalog.newestOf(provider, baseUrlOf(provider, deps), family);
  const assumption = (id: string, provider: Provider) =>
    isKnownAt(provider, id, deps) ? [] : [assumed(family, id, provider)];
  const [here, ...othersHere] = current === undefined ? [] : newestAt(current);
  if (here !== undefined && othersHere.length > 0) return { problem: severalOfFamily(family, [here, ...othersHere]) };
  if (here !== undefined && current !== undefined)
    return { ...beside, model: here, warnings: assumption(here, current) };
  const homes = named === undefined ? credentials.usable() : [];
  const [there, ...othersThere] = homes.flatMap((provider) =>
    newestAt(provider).map((id) => ({ provider, model: id })),
  );
  if (there !== undefined && othersThere.length > 0)
    return { problem: severalOfFamily(family, [there, ...othersThere].map(asString)) };
  if (there !== undefined) return { ...there, ofFamily: true, warnings: assumption(there.model, there.provider) };
  if (current !== undefined && catalog.modelsOf(current).length === 0)
    return { ...beside, model, warnings: [sentAsIs(model, current)] };
  const makers = providers.all().filter((provider) => newestAt(provider).length > 0);
  return { problem: nobodysFamily(family, named, makers) };
}

/** Returns whether a model is known to be available at the provider's address, which may not be the row's own. */
function isKnownAt(provider: Provider, id: string, deps: PlaceModelDeps): boolean {
  return deps.catalog.idMeant(provider, baseUrlOf(provider, deps), id) === id;
}

export function baseUrlOf(provider: Provider, { credentials }: PlaceModelDeps): string | undefined {
  const answer = credentials.find(provider);
  return "connection" in answer ? answer.connection.baseUrl : undefined;
}

export function soleProvider({ credentials }: PlaceModelDeps): Provider | undefined {
  const usable = credentials.usable();
  return usable.length === 1 ? usable[0] : undefined;
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

/** Names that people give to their own tiers, and that no vendor gives to a model. */
export function isTierName(model: string): boolean {
  return /^(small|medium|large|tiny|big|fast|cheap|smart|strong|best|default)$/i.test(model);
}

/** Vendors and products whose names people write for a model, and that are no provider's name. */
const VENDORS =
  /^(chatgpt|codex|meta|alibaba ?cloud|microsoft|amazon|nvidia|cohere|perplexity|bytedance|tencent|baidu)$/i;

/** Names of tiers, vendors and providers: no provider has a model with such a name. */
export function isNobodysModel(model: string, providers: Providers): boolean {
  return isTierName(model) || VENDORS.test(model) || providers.slugOf(model) !== undefined;
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
    message: `Expected a model of the ${family} family that ${where} is known to serve; found none.${hint} Or name a model by its id.`,
    suggestions: slugs,
  };
}
