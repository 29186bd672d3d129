/**
 * A provider's endpoint with the key and headers that belong to it, looked up in the contract's order: the config entry,
 * then the row's variables. A key belongs to one origin: that of the config entry it stands in, of the base-URL variable
 * it is paired with, or of the provider's own row. Unencrypted, it goes to this machine and the local network only.
 */
import { type Environment, expandVariables } from "../config/template.ts";
import { type KeyHeader, Secret } from "../secret.ts";
import { baseUrlFromHost, isEncrypted, nearnessOf, normalBaseUrl, originOf } from "./endpoints.ts";
import type { ProviderRow } from "./provider-table.ts";
import type { Provider } from "./providers.ts";

/** What a provider's requests go to and carry, as a whole; fields of two providers never mix. */
export type Bundle = {
  baseUrl: string;
  /** Absent for an endpoint that needs none. */
  key?: { secret: Secret; header?: KeyHeader };
  headers: Record<string, string>;
  /** Why keys that were found are not sent there. */
  withheld: string[];
};

/** `missing`: every place that was looked at, in order, with what was found there. `unusable`: what is wrong instead. */
export type BundleAnswer = { bundle: Bundle } | { missing: string[] } | { unusable: string };

/** A key that was found, and the base URL it belongs to: none where a provider of the user's own has no endpoint. */
type Candidate = { name: string; value: string; home: string | undefined; header?: KeyHeader };

export function bundleOf(provider: Provider, env: Environment): BundleAnswer {
  const { entry, row } = provider;
  const chosen = chosenBaseUrl(provider, env);
  if ("unusable" in chosen) return chosen;
  const looked: string[] = [];
  const candidates = candidatesOf(provider, chosen, env, looked);
  const baseUrl = chosen.entry ?? chosen.variable ?? candidates[0]?.home ?? row?.baseUrl;
  if (baseUrl === undefined)
    return { unusable: `${provider.slug} is no built-in provider: expected ${provider.entryPath}.base_url` };
  const headers = headersOf(
    provider,
    chosen.entry ?? (chosen.variable === undefined ? baseUrl : row?.baseUrl),
    baseUrl,
    env,
  );
  if ("unusable" in headers) return headers;
  const withheld: string[] = [];
  const key = candidates.find((candidate) => belongs(candidate, baseUrl, withheld));
  const bundle = { baseUrl, headers: headers.headers, withheld };
  if (key !== undefined) {
    const { name, value, header } = key;
    return {
      bundle: { ...bundle, key: { secret: new Secret(value, name, originOf(baseUrl)), ...(header && { header }) } },
    };
  }
  const keyless = mayBeKeyless(provider, baseUrl) || Object.keys(entry?.headers ?? {}).some(carriesKey);
  return keyless ? { bundle } : { missing: [...withheld, ...looked] };
}

/** Base URLs that replace the row's: the config entry's, else the variable's. */
type ChosenBaseUrl = { entry?: string; variable?: string };

function chosenBaseUrl({ entry, row, entryPath }: Provider, env: Environment): ChosenBaseUrl | { unusable: string } {
  const chosen: ChosenBaseUrl = {};
  if (entry?.base_url !== undefined) {
    const expanded = expandVariables(entry.base_url, env);
    if ("unset" in expanded) return { unusable: `${entryPath}.base_url names ${expanded.unset.join(", ")}: not set` };
    const url = normalBaseUrl(expanded.text);
    if (url === undefined) return { unusable: `${entryPath}.base_url: expected an http(s) URL` };
    chosen.entry = url;
  }
  const written = row?.baseUrlVariable === undefined ? undefined : env[row.baseUrlVariable]?.trim();
  if (row !== undefined && written !== undefined && written !== "") {
    const url = row.bareHost === undefined ? normalBaseUrl(written) : baseUrlFromHost(written, row.bareHost);
    if (url === undefined) return { unusable: `${row.baseUrlVariable}: expected an http(s) URL` };
    chosen.variable = url;
  }
  return chosen;
}

/** Usable keys in the order of the contract; what is not usable is noted in `looked`. */
function candidatesOf(
  { entry, row, entryPath }: Provider,
  chosen: ChosenBaseUrl,
  env: Environment,
  looked: string[],
): Candidate[] {
  const candidates: Candidate[] = [];
  const consider = (name: string, value: string | undefined, home: string | undefined, header?: KeyHeader) => {
    if (value === undefined || value.trim() === "") looked.push(name);
    else if (!isUsableKey(value)) looked.push(`${name} (holds a placeholder, not a key)`);
    else candidates.push({ name, value: value.trim(), home: home ?? homeOf(row, value), ...(header && { header }) });
  };
  if (entry?.api_key !== undefined) {
    const path = `${entryPath}.api_key`;
    const expanded = entry.api_key.expand(env);
    if ("unset" in expanded) looked.push(`${path} (${expanded.unset.join(", ")} is not set)`);
    else consider(entry.api_key.variables[0] ?? path, expanded.text, chosen.entry);
  }
  if (entry?.api_key_env !== undefined) consider(entry.api_key_env, env[entry.api_key_env], chosen.entry);
  for (const { name, header } of row?.keys ?? []) consider(name, env[name], chosen.variable, header);
  if (entry?.api_key === undefined) looked.push(`${entryPath}.api_key`);
  return candidates;
}

/** The provider's own endpoint for a key: some keys tell by their beginning which one it is. */
function homeOf(row: ProviderRow | undefined, key: string): string | undefined {
  return row?.homes?.find(({ keyPrefix }) => key.startsWith(keyPrefix))?.baseUrl ?? row?.baseUrl;
}

/** Whether a key may be sent to a base URL; if not, why is added to `withheld`. */
function belongs({ name, home }: Candidate, baseUrl: string, withheld: string[]): boolean {
  const owner = home === undefined ? "no endpoint" : originOf(home);
  if (owner !== originOf(baseUrl)) {
    withheld.push(`${name} (belongs to ${owner}, and is not sent to ${originOf(baseUrl)})`);
    return false;
  }
  if (!isEncrypted(baseUrl) && nearnessOf(baseUrl) === "public") {
    withheld.push(`${name} (is not sent unencrypted to ${originOf(baseUrl)}: use https)`);
    return false;
  }
  return true;
}

const PLACEHOLDERS = ["changeme", "your_api_key", "dummy", "null", "none", "no-key-required"];

/** Not a usable key: too short, or one of the words that people and programs put in its place. */
export function isUsableKey(value: string): boolean {
  const key = value.trim();
  return key.length >= 4 && !/^\*+$/.test(key) && !PLACEHOLDERS.includes(key.toLowerCase());
}

/** On this machine any endpoint may be; on the local network those that the user set up as such. */
function mayBeKeyless({ row }: Provider, baseUrl: string): boolean {
  const nearness = nearnessOf(baseUrl);
  return nearness === "loopback" || (nearness === "private" && (row === undefined || row.keyOptional === true));
}

// Headers -------------------------------------------------------------------------------------------------------------

/** The entry's headers with their variables filled in. Like keys, they belong to the entry's endpoint. */
function headersOf(
  { entry, entryPath }: Provider,
  home: string | undefined,
  baseUrl: string,
  env: Environment,
): { headers: Record<string, string> } | { unusable: string } {
  const headers: Record<string, string> = {};
  for (const [name, template] of Object.entries(entry?.headers ?? {})) {
    const expanded = template.expand(env);
    const path = `${entryPath}.headers.${name}`;
    if ("unset" in expanded) return { unusable: `${path} names ${expanded.unset.join(", ")}: not set` };
    if (home === undefined || originOf(home) !== originOf(baseUrl))
      return { unusable: `${path} belongs to ${home}, and requests go to ${baseUrl}: write base_url beside it` };
    headers[name.toLowerCase()] = expanded.text;
  }
  return { headers };
}

export function carriesKey(header: string): boolean {
  return /^(authorization|cookie)$|key|token|secret/i.test(header);
}
