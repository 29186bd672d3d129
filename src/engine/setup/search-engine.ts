/** The search engine of the config: where it is, and its key, which is sent to its own origin alone. */
import { nearnessOf, parseBaseUrl } from "../../base-url.ts";
import type { SearchConfig } from "../../config-schema.ts";
import { errorMessage } from "../../errors.ts";
import type { Credentials } from "../../routing/keys/credentials.ts";
import type { KeySource } from "../../routing/keys/key-source.ts";
import { type KeyHeader, Secret } from "../../secret.ts";
import { type Environment, expandVariables } from "../../template.ts";
import { ToolError } from "../../tools/tool-error.ts";
import { SEARCH_ENGINE_ROWS } from "../../tools/web/search-engines.ts";
import type { WebSearchOptions } from "../../tools/web/web-search.ts";
import { requestOnce } from "./request-once.ts";

/** Time limit of one search, in seconds. */
const MAX_SECONDS = 20;
/** Most of a response that is read, in bytes. */
const MAX_BYTES = 2 * 1024 * 1024;
const HEADERS = { accept: "application/json", "content-type": "application/json" };

/** @param env source of the engine's variables, and of proxy variables */
export function searchEngine(
  search: SearchConfig,
  credentials: Pick<Credentials, "keySourceOf">,
  env: Environment,
): WebSearchOptions {
  const { engine } = search;
  const { keyHeader, baseUrl: own = "" } = SEARCH_ENGINE_ROWS[engine];
  let keySource: KeySource | undefined;

  return {
    engine,
    async send({ method, path, body }, signal) {
      const base = baseUrlOf(search.base_url ?? own, env);
      keySource ??= keySourceFor(search, base.origin, credentials, env);
      const key = keySource && (await keyFor(base, keySource, keyHeader, signal));
      const late = AbortSignal.timeout(MAX_SECONDS * 1000);
      const request = {
        method,
        url: `${base.href.replace(/\/$/, "")}${path}`,
        headers: HEADERS,
        maxBytes: MAX_BYTES,
        access: { headers: {}, ...(key && { key }) },
        ...(body !== undefined && { body }),
      };
      const answer = await requestOnce(request, env, AbortSignal.any([signal, late])).catch((error: unknown) => {
        if (signal.aborted) throw error;
        const reason = late.aborted ? `it takes more than ${MAX_SECONDS} seconds` : errorMessage(error);
        throw new ToolError(`The search engine ${engine} at ${base.origin} cannot be reached: ${reason}.`);
      });
      // A command may print another key the next time.
      if (answer.status === 401 && key !== undefined) keySource?.refresh(key.secret);
      return answer;
    },
  };
}

/** @throws ToolError if a variable of it is not set */
function baseUrlOf(written: string, env: Environment): URL {
  const expanded = expandVariables(written, env);
  if ("unset" in expanded) throw new ToolError(`web.search.base_url names ${expanded.unset.join(", ")}: not set.`);
  const parsed = parseBaseUrl(expanded.text);
  if ("expected" in parsed) throw new ToolError(`web.search.base_url: expected ${parsed.expected}.`);
  return parsed.url;
}

/** Undefined if the engine needs no key. @throws ToolError if a variable of the key is not set */
function keySourceFor(
  { api_key, api_key_env, api_key_command }: SearchConfig,
  origin: string,
  { keySourceOf }: Pick<Credentials, "keySourceOf">,
  env: Environment,
): KeySource | undefined {
  if (api_key_command !== undefined) {
    const argv = typeof api_key_command === "string" ? ["/bin/sh", "-c", api_key_command] : api_key_command;
    return keySourceOf({ name: "web.search.api_key_command", argv, origin });
  }
  const name = api_key_env ?? api_key?.variables[0] ?? "web.search.api_key";
  const expanded = api_key_env === undefined ? api_key?.expand(env) : expandVariables(`\${${api_key_env}}`, env);
  if (expanded === undefined) return undefined;
  if ("unset" in expanded)
    throw new ToolError(`The search engine has no key: ${expanded.unset.join(", ")} is not set. The user can set it.`);
  return keySourceOf({ name, secret: new Secret(expanded.text.trim(), name, origin) });
}

/** @throws ToolError if there is no key, or it would be sent unencrypted through the internet */
async function keyFor(base: URL, source: KeySource, header: KeyHeader, signal: AbortSignal) {
  if (base.protocol === "http:" && nearnessOf(base.href) === "public")
    throw new ToolError(`The key of the search engine is not sent unencrypted to ${base.origin}. Use https.`);
  const issued = await source.get(signal);
  if ("failure" in issued) throw new ToolError(`The search engine has no key: ${issued.failure.message}`);
  return { secret: issued.secret, header };
}
