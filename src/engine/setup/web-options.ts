/** The options of the web tools, from the config. */
import { proxyFor } from "../../child/wire/proxy.ts";
import type { Config } from "../../config-schema.ts";
import type { Credentials } from "../../routing/keys/credentials.ts";
import type { Environment } from "../../template.ts";
import type { ToolsOptions } from "../../tools/toolsets.ts";
import { createPageConverter } from "../../tools/web/page-converter.ts";
import { searchEngine } from "./search-engine.ts";

/** @param env source of proxy variables, and of those of the search engine */
export function webOptions(
  { web: { hosts, private_hosts: privateHosts, search } }: Config,
  credentials: Pick<Credentials, "keySourceOf">,
  env: Environment,
): ToolsOptions["web"] {
  return {
    hosts,
    privateHosts,
    proxyFor: (url) => proxyFor(url, env),
    convert: createPageConverter(),
    ...(search && { search: searchEngine(search, credentials, env) }),
  };
}
