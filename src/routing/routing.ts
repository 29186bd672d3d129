/** Routing put together: from the config and the environment as they are now to plans, credentials and prices. */
import { type Clock, systemClock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import type { Environment } from "../config/template.ts";
import type { Warning } from "../errors.ts";
import type { Planned } from "../plan.ts";
import type { Route, Wish } from "../route.ts";
import type { Call } from "../task.ts";
import { createAliases } from "./aliases.ts";
import { type Catalog, createCatalog } from "./catalog.ts";
import { type Credentials, createCredentials } from "./credentials.ts";
import { type ListCache, NO_LISTS } from "./list-cache.ts";
import { planCall } from "./plan.ts";
import { createProviders, type Providers } from "./providers.ts";
import { type Routed, renewRoute } from "./router.ts";

export type Routing = {
  providers: Providers;
  credentials: Credentials;
  catalog: Catalog;
  /** @param parent what the caller runs on: flags, a session @param cwd what workspaces are relative to */
  plan(call: Call, parent: Wish, cwd: string): { planned: Planned[]; warnings: Warning[] };
  /** A route of an earlier day with today's endpoint, key and facts. */
  renew(route: Route): Routed;
};

export type RoutingSources = {
  config: Config;
  /** The environment the process was started with, over the `.env` beside the config. */
  env: Environment;
  /** The providers' own lists of models, as they were last fetched. Default: none. */
  lists?: ListCache;
  /** Default: the real one. */
  clock?: Clock;
};

export function createRouting({ config, env, lists = NO_LISTS, clock = systemClock }: RoutingSources): Routing {
  const providers = createProviders(config);
  const credentials = createCredentials({ env, providers, clock });
  const catalog = createCatalog({
    providers,
    listOf(provider) {
      const answer = credentials.find(provider);
      return "bundle" in answer ? lists.listOf(provider.slug, answer.bundle.baseUrl) : undefined;
    },
  });
  const aliases = createAliases(config.models, providers);
  const deps = { config, providers, credentials, catalog, aliases };
  return {
    providers,
    credentials,
    catalog,
    plan: (call, parent, cwd) => planCall(call, { ...deps, parent, cwd }),
    renew: (route) => renewRoute(route, deps),
  };
}
