/** Routing put together: from the config and the environment as they are now to plans, credentials and prices. */

import { type Agents, configuredAgents } from "../agent-definition.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config, RouteLevels } from "../config-schema.ts";
import { present } from "../present.ts";
import type { Route, Wish } from "../route.ts";
import type { Call } from "../task.ts";
import type { Environment } from "../template.ts";
import { type Catalog, createCatalog } from "./catalog/catalog.ts";
import { type ListCache, NO_LISTS } from "./catalog/list-cache.ts";
import { createProviders, type Providers } from "./catalog/providers.ts";
import type { LookAtImage } from "./images.ts";
import { type Credentials, createCredentials } from "./keys/credentials.ts";
import { type Bounds, type CallPlan, planCall } from "./plan.ts";
import { createAliases } from "./resolve/aliases.ts";
import { configOfConversation } from "./resolve/conversation-config.ts";
import type { Candidate, HookDecision } from "./resolve/hook.ts";
import { type Routed, refreshRoute } from "./resolve/router.ts";

/** On whose behalf a call is planned. */
export type PlanContext = {
  /** Workspaces are relative to it. */
  cwd: string;
  /** What the caller runs on: flags. */
  parent?: Wish;
  /** The route the caller runs on, in place of `parent` and the config: no name in it is looked up again. */
  parentRoute?: Route;
  /** The call is a conversation of the user's own: what the config says of children and rules is not for it. */
  isConversation?: boolean;
  /** Who wrote the call. `delegation.allow` and `deny` bind a model. Default: the operator. */
  askedBy?: "operator" | "model";
  /** What the program's routing hook said of each task. */
  decisions?: readonly HookDecision[];
  /** Depth of the children. Default: 1. */
  depth?: number;
  /** Where a child asks: what it may not leave. */
  bounds?: Bounds;
};

export type Routing = {
  providers: Providers;
  credentials: Credentials;
  catalog: Catalog;
  /** Agent definitions that tasks can name. */
  agents: Agents;
  plan(call: Call, caller: PlanContext): CallPlan;
  /** Every model that is known of a provider with a key. */
  candidates(): Candidate[];
  /** A route of an earlier day with today's endpoint, key and facts. @param priced it runs under a budget, which needs a price */
  refreshRoute(route: Route, priced?: boolean): Routed;
};

export type RoutingSources = {
  config: Config;
  /** What each of its layers says of the route. Default: that there is one. */
  levels?: RouteLevels;
  /** The environment the process was started with, over the `.env` beside the config. */
  env: Environment;
  /** Aliases that a file defines which the user does not trust. Default: none. */
  untrustedAliases?: readonly string[];
  /** The providers' own lists of models, as they were last fetched. Default: none. */
  lists?: ListCache;
  /** Agent definitions, of the config and of files. Default: those of the config. */
  agents?: Agents;
  /** Directories beside the caller's own that a model may choose as a workspace, absolute. Default: none. */
  extraDirs?: readonly string[];
  /** Whether a directory, links resolved, is Deputy's own. Default: none is. */
  isOwn?: (path: string) => boolean;
  /** Looks at an image of a workspace. Default: there is none. */
  lookAtImage?: LookAtImage;
  /** Default: the real one. */
  clock?: Clock;
};

export function createRouting({
  config,
  levels = { parent: [config], delegation: [config.delegation] },
  env,
  untrustedAliases,
  lists = NO_LISTS,
  agents = { definitions: configuredAgents(config), warnings: [] },
  extraDirs = [],
  isOwn = () => false,
  lookAtImage = () => ({ unusable: "no file can be read here" }),
  clock = systemClock,
}: RoutingSources): Routing {
  const providers = createProviders(config);
  const credentials = createCredentials({ env, providers, clock });
  const catalog = createCatalog({
    providers,
    listOf(provider) {
      const answer = credentials.find(provider);
      return "connection" in answer ? lists.listOf(provider.slug, answer.connection.baseUrl) : undefined;
    },
  });
  const aliases = createAliases(config.models, providers, untrustedAliases);
  const deps = { config, levels, providers, credentials, catalog, aliases, agents, lookAtImage, extraDirs, isOwn };
  return {
    providers,
    credentials,
    catalog,
    agents,
    plan: (
      call,
      { parent = {}, askedBy = "operator", decisions = [], depth = 1, bounds, isConversation, parentRoute, cwd },
    ) =>
      planCall(call, {
        ...deps,
        ...(isConversation && { config: configOfConversation(config), levels: { ...levels, delegation: [] } }),
        parent,
        askedBy,
        ...present({ parentRoute }),
        decisions,
        depth,
        ...present({ bounds }),
        cwd,
      }),
    candidates: () =>
      credentials.usable().flatMap((provider) =>
        catalog.modelsOf(provider).map((model) => ({
          provider: provider.slug,
          model,
          facts: catalog.factsOf(provider, model),
        })),
      ),
    refreshRoute: (route, priced = false) => refreshRoute(route, priced, deps),
  };
}
