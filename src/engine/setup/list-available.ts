/** Models that can run now, from the current config, keys and catalog. */

import {
  type AvailableAgent,
  type AvailableAlias,
  type AvailableModel,
  type AvailableModels,
  type ModelFilter,
  priceDocument,
} from "../../available-models.ts";
import type { Config } from "../../config-schema.ts";
import { DeputyError } from "../../errors.ts";
import type { Planned } from "../../plan.ts";
import { newestFirst } from "../../routing/catalog/families.ts";
import { defaultModelOf, type Provider } from "../../routing/catalog/providers.ts";
import { formatKeys } from "../../routing/keys/provider-connection.ts";
import { type AliasTarget, createPolicy } from "../../routing/resolve/policy.ts";
import type { Routing } from "../../routing/routing.ts";

type ListingContext = { routing: Routing; config: Config; cwd: string };

/**
 * @param askedBy a model gets only what `delegation.allow` and `deny` let it choose
 * @throws DeputyError `usage` if the filter names no provider
 */
export function listAvailableModels(
  { routing, config, cwd }: ListingContext,
  { match, ...which }: ModelFilter,
  askedBy: "operator" | "model",
): AvailableModels {
  const policy = createPolicy(config, (alias) => targetOf(alias, routing, cwd));
  const isAllowed = (model: AvailableModel) => askedBy === "operator" || policy(model) === undefined;
  const isMeant = ({ model }: AvailableModel) => model.toLowerCase().includes(match?.toLowerCase() ?? "");
  return {
    aliases: Object.keys(config.models).map((alias) => aliasNamed(alias, routing, cwd, askedBy)),
    models: modelsOf(routing, which).filter((model) => isMeant(model) && isAllowed(model)),
    agents: agentsOf(routing, cwd, askedBy),
  };
}

/** The target of an alias, for a caller without restrictions. */
function targetOf(alias: string, routing: Routing, cwd: string): AliasTarget | undefined {
  const [planned] = routing.plan({ tasks: [{ goal: "", model: alias }] }, { cwd, askedBy: "operator" }).planned;
  if (planned === undefined || "problem" in planned) return undefined;
  const { provider, model, chosenBy } = planned.route;
  return { model, ...(["alias", "family"].includes(chosenBy.provider) && { provider }) };
}

/** Agent definitions whose route is available. */
function agentsOf(routing: Routing, cwd: string, askedBy: "operator" | "model"): AvailableAgent[] {
  return routing.agents.definitions.flatMap(({ name, description }) => {
    const [planned] = routing.plan({ tasks: [{ goal: "", agent: name }] }, { cwd, askedBy }).planned;
    return planned !== undefined && "route" in planned
      ? [{ name, description: description === undefined ? null : routing.credentials.redact(description) }]
      : [];
  });
}

function modelsOf(
  { providers, credentials, catalog }: Routing,
  { provider: slug, all }: ModelFilter,
): AvailableModel[] {
  const offered = all ? providers.all() : credentials.usable();
  const wanted = slug === undefined ? undefined : providerNamed(slug, providers);
  return offered
    .filter((provider) => wanted === undefined || provider.slug === wanted.slug)
    .flatMap((provider) => {
      const defaultModel = defaultModelOf(provider);
      const known = [...(defaultModel === undefined ? [] : [defaultModel]), ...newestFirst(catalog.modelsOf(provider))];
      return withoutDoubles(known).map((model) => modelNamed(model, provider, { credentials, catalog }));
    });
}

function providerNamed(slug: string, providers: Routing["providers"]): Provider {
  const found = providers.find(slug);
  if ("problem" in found) throw new DeputyError("usage", found.problem.message);
  return found.provider;
}

/** Drops repeated ids: the catalog and the config may spell an id differently, and the first one stays. */
function withoutDoubles(models: string[]): string[] {
  const ids = models.map((model) => model.toLowerCase());
  return models.filter((_, index) => ids.indexOf(ids[index] ?? "") === index);
}

function modelNamed(
  model: string,
  provider: Provider,
  { credentials, catalog }: Pick<Routing, "credentials" | "catalog">,
): AvailableModel {
  const { price, contextWindow, efforts, vision, tools } = catalog.factsOf(provider, model);
  const found = credentials.find(provider);
  return {
    model,
    provider: provider.slug,
    default: model === defaultModelOf(provider),
    price_usd_per_million_tokens: priceDocument(price),
    context_window: contextWindow ?? null,
    reasoning_efforts: efforts ?? null,
    vision: vision ?? null,
    tools: tools ?? null,
    key_present: "connection" in found,
    key_name: "connection" in found ? (formatKeys(found.connection.keys) ?? null) : null,
  };
}

/** Describes an alias by the route of a task that names it. */
function aliasNamed(alias: string, routing: Routing, cwd: string, askedBy: "operator" | "model"): AvailableAlias {
  const [planned] = routing.plan({ tasks: [{ goal: "", model: alias }] }, { cwd, askedBy }).planned;
  return {
    alias,
    route: routeOf(planned),
    problem: planned !== undefined && "problem" in planned ? planned.problem.message : null,
  };
}

function routeOf(planned: Planned | undefined): AvailableAlias["route"] {
  if (planned === undefined || "problem" in planned) return null;
  const { provider, model, effort } = planned.route;
  return { provider, model, reasoning_effort: effort ?? null };
}
