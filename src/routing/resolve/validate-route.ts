/**
 * Resolves a provider and model to a route: endpoint, key, API mode and facts all come from the provider. Everything
 * foreseeable that would make the first request fail is a problem here.
 */

import type { Problem, Warning } from "../../errors.ts";
import type { Endpoint, ModelFacts, Route } from "../../route.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { present } from "../../values/present.ts";
import type { Catalog, Serves } from "../catalog/catalog.ts";
import { FAMILY_NAMES, familyNamed } from "../catalog/families.ts";
import {
  apiModeOf,
  defaultModelOf,
  isAggregator,
  type Provider,
  type Providers,
  pathOfModel,
} from "../catalog/providers.ts";
import type { Credentials } from "../keys/credentials.ts";
import { formatKeys, type ProviderConnection } from "../keys/provider-connection.ts";
import type { Aliases } from "./aliases.ts";
import { isNobodysModel, isTierName } from "./place-model.ts";
import type { ModelSelection } from "./precedence.ts";

/** A route without its task-specific fields. */
export type ResolvedRoute = Omit<Route, "requested" | "fallbacks">;

export type ValidateRouteDeps = { credentials: Credentials; catalog: Catalog; aliases: Aliases; providers: Providers };

/** @param priced the route will run under a budget, which needs a price */
export function validateRoute(
  selection: ModelSelection,
  priced: boolean,
  deps: ValidateRouteDeps,
): { route: ResolvedRoute } | { problem: Problem } {
  const { provider, model, effort } = selection;
  const answer = deps.credentials.find(provider.value);
  if (!("connection" in answer)) return { problem: noConnection(provider.value, answer, deps.credentials) };
  const { connection } = answer;
  const misplaced = misplacedModel(selection, connection, deps);
  if (misplaced !== undefined) return { problem: misplaced };
  const keyName = formatKeys(connection.keys);
  const facts = deps.catalog.factsOf(provider.value, model.value);
  if (effort !== undefined && facts.efforts !== undefined && !facts.efforts.includes(effort.value))
    return { problem: unsupportedEffort(selection, facts) };
  if (priced && facts.price === undefined) return { problem: noPrice(selection) };
  return {
    route: {
      provider: provider.value.slug,
      model: model.value,
      ...present({ effort: effort?.value }),
      endpoint: endpointOf(provider.value, connection, model.value),
      ...present({ keyName }),
      facts,
      chosenBy: present({ provider: provider.by, model: model.by, effort: effort?.by }),
      warnings: [...rejectedKeys(provider.value, connection), ...doubts(provider.value, connection, model.value, deps)],
    },
  };
}

function endpointOf(provider: Provider, connection: ProviderConnection, model: string): Endpoint {
  const { query } = connection;
  const baseUrl = connection.baseUrl + (pathOfModel(provider, model) ?? "");
  const apiMode = apiModeOf(provider, { ...connection, baseUrl }, model);
  const effortField = apiMode === "chat_completions" ? provider.builtIn?.effortField : undefined;
  const framing = apiMode === "anthropic_messages" ? provider.builtIn?.framing : undefined;
  return { baseUrl, apiMode, ...present({ effortField, framing, query }) };
}

function noConnection(
  { slug }: Provider,
  answer: { missing: string[] } | { unusable: string },
  credentials: Credentials,
): Problem {
  const others = credentials.usable().map((provider) => provider.slug);
  const choose = others.length === 0 ? "." : `, or choose another provider: ${others.join(", ")}.`;
  if ("unusable" in answer)
    return {
      code: "missing-key",
      field: "provider",
      message: `${slug} cannot be used: ${answer.unusable}. Correct it${choose}`,
      suggestions: others,
    };
  return {
    code: "missing-key",
    field: "provider",
    message: `No key for ${slug}. Looked in ${answer.missing.join(", ")}. Set one${choose}`,
    suggestions: others,
  };
}

/** The problem of another provider's model, or of a misspelled alias. */
function misplacedModel(
  selection: ModelSelection,
  { baseUrl }: ProviderConnection,
  deps: ValidateRouteDeps,
): Problem | undefined {
  const provider = selection.provider.value;
  const model = selection.model.value;
  const serves = deps.catalog.serves(provider, baseUrl, model);
  if (serves === "yes") return undefined;
  if (serves === "no") return foreignModel(provider, model, deps);
  if (selection.isExplicit) return undefined;
  if (deps.catalog.knows(provider, baseUrl, model) === "no" && isNobodysModel(model, deps.providers))
    return nobodysModel(provider, model, deps);
  const isFamilys = deps.catalog.isMaker(provider, baseUrl);
  const names = [...deps.aliases.names(), ...(isFamilys ? FAMILY_NAMES : [])];
  const meant = /\d/.test(model) ? [] : suggest(model, names);
  if (meant.length === 0 && !NO_MODEL.includes(model.toLowerCase())) return undefined;
  const suggestions = meant.length > 0 ? meant : ["inherit"];
  return {
    code: "unknown-alias",
    field: "model",
    message:
      `Expected a model, a family or one of your aliases; found ${model}. Did you mean ${suggestions.join(" or ")}? ` +
      `If it is a model of ${provider.slug}, list it under ${provider.entryPath}.models.`,
    suggestions,
  };
}

/** Words that mean "whatever is right" to people and nothing to a provider. */
const NO_MODEL = ["auto", "default"];

function nobodysModel(provider: Provider, model: string, { providers, catalog }: ValidateRouteDeps): Problem {
  const named = providers.slugOf(model);
  const ofNamed = named === undefined ? undefined : providers.find(named);
  const own = defaultModelOf(ofNamed !== undefined && "provider" in ofNamed ? ofNamed.provider : provider);
  const near = catalog.nearestModels(provider, model);
  const at = named === undefined || named === provider.slug ? "" : ` --provider ${named}`;
  const suggestions = [...new Set([...(own === undefined ? [] : [`${own}${at}`]), ...near])];
  const what = isTierName(model) ? "which is not one of your aliases" : "the name of a vendor or provider";
  const hint = suggestions.length === 0 ? "" : ` Name a model, such as ${suggestions.join(" or ")}.`;
  const define = isTierName(model)
    ? ` To make it an alias: models: { ${model}: <model> } in the config; deputy config init suggests some.`
    : "";
  return {
    code: "unknown-model",
    field: "model",
    message: `Expected a model; found ${model}, ${what}.${hint}${define}`,
    suggestions,
  };
}

function foreignModel(
  provider: Provider,
  model: string,
  { catalog, credentials, providers }: ValidateRouteDeps,
): Problem {
  const homes = credentials
    .usable()
    .filter((other) => catalog.serves(other, undefined, model) === "yes")
    .map(({ slug }) => `${model} --provider ${slug}`);
  const near = catalog.nearestModels(provider, model);
  const suggestions = [...homes, ...near, ...providersInside(model, provider, providers)];
  const hint = suggestions.length === 0 ? "Name the provider that serves it." : `Try ${suggestions.join(" or ")}.`;
  return {
    code: "foreign-model",
    field: "model",
    message: `Expected a model that ${provider.slug} serves; found ${model}, which another provider makes. ${hint}`,
    suggestions,
  };
}

function unsupportedEffort({ provider, model, effort }: ModelSelection, { efforts = [] }: ModelFacts): Problem {
  const takes = efforts.length === 0 ? "accepts no effort: omit it" : `accepts ${efforts.join(", ")}`;
  return {
    code: "effort-unsupported",
    field: "reasoning_effort",
    message: `${model.value} @ ${provider.value.slug} ${takes}; found ${effort?.value}.`,
    suggestions: [...efforts],
  };
}

function noPrice({ provider, model }: ModelSelection): Problem {
  return {
    code: "unknown-price",
    field: "model",
    message:
      `Expected a known price for ${model.value} @ ${provider.value.slug}, because a budget is set; found none. Set ` +
      `${provider.value.entryPath}.models.${model.value}.price, or delegation.allow_unknown_price: true.`,
    suggestions: [],
  };
}

function rejectedKeys({ slug, entryPath }: Provider, { keys, rejected }: ProviderConnection): Warning[] {
  if (keys.length > 0 || rejected.length === 0) return [];
  const message = `${slug} is asked without a key. Not sent: ${rejected.join(", ")}. If one belongs there, write it as ${entryPath}.api_key.`;
  return [{ code: "key-withheld", message }];
}

/** A name that Deputy does not know is accepted, with a warning; it may be newer than what Deputy knows. */
function doubts(
  provider: Provider,
  { baseUrl }: ProviderConnection,
  model: string,
  { catalog, providers }: ValidateRouteDeps,
): Warning[] {
  const known = knownAt(provider, baseUrl, model, catalog);
  if (known === "yes" || (catalog.serves(provider, baseUrl, model) === "yes" && known === "unknown")) return [];
  const near = known === "no" ? catalog.nearestModels(provider, model) : [];
  const meant = near.length > 0 ? near : [...families(model), ...providersInside(model, provider, providers)];
  if (known === "unknown" && meant.length === 0) return [];
  const hint =
    meant.length > 0
      ? `Did you mean ${meant.join(" or ")}?`
      : `deputy models --provider ${provider.slug} lists the models that are.`;
  const message = `${model} is not known to Deputy; it is sent to ${provider.slug} as is. ${hint}`;
  return [{ code: "model-unlisted", message }];
}

/**
 * Where a built-in provider's address was moved, its maker's names are still judged by what the maker has: behind it
 * usually stands a proxy of the same vendor. Any other name may be a gateway's own.
 */
function knownAt(provider: Provider, baseUrl: string, model: string, catalog: Catalog): Serves {
  const here = catalog.knows(provider, baseUrl, model);
  const isMakers = catalog.serves(provider, undefined, model) === "yes";
  return here === "unknown" && isMakers ? catalog.knows(provider, undefined, model) : here;
}

/** Families that a name without a version resembles. */
function families(model: string): string[] {
  return /\d/.test(model) || familyNamed(model) !== undefined ? [] : suggest(model, FAMILY_NAMES);
}

/**
 * `antropic/x` and `openruter:x`, with a provider there is. A name that begins with a provider's is no slip: `openai/x`
 * and `mistralai/x` name the maker, as Hugging Face does, and `qwen:7b` and `qwen3:7b` are tags.
 */
function providersInside(model: string, provider: Provider, providers: Providers): string[] {
  const [, name, sign, rest] = /^([^/:]+)([/:])(.+)$/.exec(model) ?? [];
  if (name === undefined || (sign === "/" ? isAggregator(provider) : provider.builtIn?.tags === true)) return [];
  const names = providers.all().flatMap(({ slug, builtIn }) => [slug, ...(builtIn?.otherNames ?? [])]);
  if (names.some((known) => name.toLowerCase().startsWith(known))) return [];
  return suggest(name, names, 2).map((slug) => `${rest} --provider ${slug}`);
}
