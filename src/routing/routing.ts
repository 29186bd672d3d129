/** Assembles routing: from the current config and environment to plans, credentials and prices. */

import { type Agents, configuredAgents } from "../agent-definition.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Config, RouteLevels } from "../config-schema.ts";
import type { Route, Wish } from "../route.ts";
import type { Call } from "../task.ts";
import type { Environment } from "../template.ts";
import { present } from "../values/present.ts";
import { type Catalog, createCatalog } from "./catalog/catalog.ts";
import { familyNamed } from "./catalog/families.ts";
import { type ListCache, NO_LISTS } from "./catalog/list-cache.ts";
import { createProviders, type Providers } from "./catalog/providers.ts";
import type { LookAtFile } from "./files.ts";
import type { LookAtImage } from "./images.ts";
import { type Credentials, createCredentials } from "./keys/credentials.ts";
import type { PostForm } from "./keys/google-token.ts";
import { otherSecrets } from "./keys/other-secrets.ts";
import { type Bounds, type CallPlan, planCall } from "./plan.ts";
import { createAliases } from "./resolve/aliases.ts";
import { configOfConversation } from "./resolve/conversation-config.ts";
import type { Candidate, HookDecision } from "./resolve/hook.ts";
import { type Routed, refreshRoute } from "./resolve/router.ts";

/** The caller for whom a call is planned. */
export type PlanContext = {
  /** Workspaces are relative to it. */
  cwd: string;
  /** The caller's model request, from flags. */
  parent?: Wish;
  /** The caller's route, replacing `parent` and the config: its names are not looked up again. */
  parentRoute?: Route;
  /** The call is a conversation of the user's own: the config for children and the rules do not apply. */
  isConversation?: boolean;
  /** Who wrote the call: `delegation.allow` and `deny` apply to a model. Default: the operator. */
  askedBy?: "operator" | "model";
  /** The program's routing decision for each task. */
  decisions?: readonly HookDecision[];
  /** Depth of the children. Default: 1. */
  depth?: number;
  /** Bounds of a child's own call. */
  bounds?: Bounds;
  /** Hosts that the user named. Default: those in the texts of an operator's call. */
  hosts?: readonly string[];
};

export type Routing = {
  providers: Providers;
  credentials: Credentials;
  catalog: Catalog;
  /** Agent definitions that tasks can name. */
  agents: Agents;
  plan(call: Call, caller: PlanContext): CallPlan;
  /** Every known model of a provider with a key. */
  candidates(): Candidate[];
  /**
   * Refreshes an earlier route with the current endpoint, key and facts. @param priced it runs under a budget, which
   * needs a price
   */
  refreshRoute(route: Route, priced?: boolean): Routed;
};

export type RoutingSources = {
  config: Config;
  /** Each config layer's part of the route. Default: one layer. */
  levels?: RouteLevels;
  /** The environment that the process was started with, over the `.env` next to the config. */
  env: Environment;
  /** Aliases that an untrusted file defines. Default: none. */
  untrustedAliases?: readonly string[];
  /** The providers' own model lists, as they were last fetched. Default: none. */
  lists?: ListCache;
  /** Agent definitions, of the config and of files. Default: those of the config. */
  agents?: Agents;
  /** Further directories that a model may choose as a workspace, absolute. Default: none. */
  extraDirs?: readonly string[];
  /** Whether a directory, links resolved, is Deputy's own. Default: never. */
  isOwn?: (path: string) => boolean;
  /** Why no child gets a terminal, as a sentence. Default: it may. */
  terminalProblem?: () => string | undefined;
  /** Looks up an image in a workspace. Default: there is none. */
  lookAtImage?: LookAtImage;
  /** Looks up a file in a workspace. Default: there is none. */
  lookAtFile?: LookAtFile;
  /** Requests tokens for providers whose key is a credentials file. Default: always fails. */
  postForm?: PostForm;
  /** Default: the system clock. */
  clock?: Clock;
};

export function createRouting({
  config,
  levels = { parent: [config], delegation: [config.delegation] },
  env,
  untrustedAliases = [],
  lists = NO_LISTS,
  agents = { definitions: configuredAgents(config), warnings: [] },
  extraDirs = [],
  isOwn = () => false,
  terminalProblem = () => undefined,
  lookAtImage = () => ({ unusable: "no file can be read here" }),
  lookAtFile = () => ({ unusable: "no file can be read here" }),
  postForm = () => Promise.reject(new Error("nobody can be asked here")),
  clock = systemClock,
}: RoutingSources): Routing {
  const providers = createProviders(config);
  const secrets = otherSecrets(config, env);
  const credentials = createCredentials({ env, providers, clock, postForm, otherSecrets: secrets });
  const catalog = createCatalog({
    providers,
    listOf(provider) {
      const answer = credentials.find(provider);
      return "connection" in answer ? lists.listOf(provider.slug, answer.connection.baseUrl) : undefined;
    },
  });
  const aliases = createAliases(config.models, providers, {
    names: untrustedAliases,
    meansElse: (name) => meansElse(name, providers, catalog),
  });
  const deps = {
    config,
    levels,
    providers,
    credentials,
    catalog,
    aliases,
    agents,
    lookAtImage,
    lookAtFile,
    extraDirs,
    isOwn,
    terminalProblem,
  };
  return {
    providers,
    credentials,
    catalog,
    agents,
    plan: (
      call,
      { parent = {}, askedBy = "operator", decisions = [], depth = 1, bounds, hosts, isConversation, parentRoute, cwd },
    ) =>
      planCall(call, {
        ...deps,
        ...(isConversation && { config: configOfConversation(config), levels: { ...levels, delegation: [] } }),
        parent,
        askedBy,
        ...present({ parentRoute }),
        decisions,
        depth,
        ...present({ bounds, hosts }),
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

/** Whether a name is a provider's, a family's or a known model's. */
function meansElse(name: string, providers: Providers, catalog: Catalog): boolean {
  if ("provider" in providers.find(name) || familyNamed(name) !== undefined) return true;
  const wanted = name.toLowerCase();
  return providers.all().some((each) => catalog.modelsOf(each).some((id) => id.toLowerCase() === wanted));
}
