/**
 * A provider's endpoint with its keys and headers, looked up in this order: the config entry, then the row's variables.
 * A key belongs to one origin: that of its config entry, of its base-URL variable, or of the provider's own row.
 * Without encryption, it is sent only to this machine and the local network.
 */

import { nearnessOf, parseBaseUrl } from "../../base-url.ts";
import type { ApiMode } from "../../route.ts";
import { type KeyHeader, namesSecret, Secret } from "../../secret.ts";
import { type Environment, expandVariables, type Template, unexpandedVariable, variablesIn } from "../../template.ts";
import { present } from "../../values/present.ts";
import type { BuiltInProvider, KeyVariable } from "../catalog/built-in-providers.ts";
import type { CloudEndpoint } from "../catalog/cloud-endpoints.ts";
import { baseUrlFromHost, isEncrypted, originOf, readBaseUrl } from "../catalog/endpoints.ts";
import type { Provider } from "../catalog/providers.ts";
import { documentOf, googleCredentialsIn } from "./key-documents.ts";

/** Endpoint and credentials of a provider, as a unit; fields of two providers never mix. */
export type ProviderConnection = {
  baseUrl: string;
  /** The wire format of the endpoint that the base URL was written as. */
  endpointMode?: ApiMode;
  /** Parameters of every request's URL. */
  query?: CloudEndpoint["query"];
  /** The pool, in lookup order; empty for a keyless endpoint. */
  keys: DeclaredKey[];
  headers: Record<string, string>;
  /** Reasons for not sending keys that exist, or that the entry names. */
  rejected: string[];
};

/** A key in the environment or the config, the command that prints it, or the file for requesting a token. */
export type DeclaredKey = { name: string; header?: KeyHeader } & (
  | { secret: Secret }
  | { argv: readonly string[]; origin: string; forms?: BuiltInProvider["keyForms"] }
  | { file: string; origin: string }
);

/** `missing`: every place that was searched, in order, with what was found there. `unusable`: what else is wrong. */
export type ConnectionResult = { connection: ProviderConnection } | { missing: string[] } | { unusable: string };

/** An existing key, and the base URL it belongs to: none if a user's own provider has no endpoint. */
type FoundKey = { name: string; ownerUrl: string | undefined; header?: KeyHeader } & (
  | { value: string }
  | { argv: readonly string[]; forms?: BuiltInProvider["keyForms"] }
  | { file: string }
);
/** Keys of the config entry replace those of the row's variables; `builtIn` is used if the entry has none. */
type FoundKeys = {
  configured: FoundKey[];
  builtIn: FoundKey[];
  /** Keys that the entry names and that have no value. */
  unset: string[];
};

export function connectionOf(provider: Provider, env: Environment): ConnectionResult {
  const { configured, builtIn } = provider;
  const chosen = chosenBaseUrl(provider, env);
  if ("unusable" in chosen) return chosen;
  const looked: string[] = [];
  const candidates = candidatesOf(provider, chosen, env, looked);
  const [first] = [...candidates.configured, ...candidates.builtIn];
  const baseUrl =
    chosen.entry ??
    chosen.variable ??
    (builtIn?.cloud === undefined ? (first?.ownerUrl ?? builtIn?.baseUrl) : undefined);
  if (baseUrl === undefined && builtIn?.cloud !== undefined) return withoutEndpoint(provider, first, looked);
  if (baseUrl === undefined)
    return { unusable: `${provider.slug} is not a built-in provider: expected ${provider.entryPath}.base_url` };
  const headers = headersOf(
    provider,
    chosen.entry ?? (chosen.variable === undefined ? baseUrl : builtIn?.baseUrl),
    baseUrl,
    env,
  );
  if ("unusable" in headers) return headers;
  const rejected: string[] = [];
  const ofEntry = poolOf(candidates.configured, baseUrl, rejected);
  const keys = ofEntry.length > 0 ? ofEntry : poolOf(candidates.builtIn, baseUrl, rejected);
  const keyless = mayBeKeyless(provider, baseUrl) || Object.keys(configured?.headers ?? {}).some(namesSecret);
  if (keys.length === 0 && !keyless) return { missing: [...rejected, ...looked] };
  return {
    connection: {
      baseUrl,
      ...present({ endpointMode: chosen.endpointMode, query: chosen.query }),
      keys,
      headers: headers.headers,
      rejected: [...rejected, ...candidates.unset],
    },
  };
}

/** A cloud's endpoint is the account's own: nothing takes its place. */
function withoutEndpoint(
  { builtIn, entryPath }: Provider,
  key: FoundKey | undefined,
  looked: readonly string[],
): ConnectionResult {
  const places = [...(builtIn?.cloud?.variables ?? []), `${entryPath}.base_url`];
  if (key === undefined) return { missing: [...looked, ...places] };
  return { unusable: `no endpoint is named (looked in ${places.join(", ")})` };
}

/**
 * The keys that may be sent to a base URL, each bound to its origin. Equal values are one key, whatever their names.
 */
function poolOf(candidates: readonly FoundKey[], baseUrl: string, rejected: string[]): DeclaredKey[] {
  const origin = originOf(baseUrl);
  const values = new Set<string>();
  return candidates
    .filter((candidate) => belongs(candidate, baseUrl, rejected))
    .flatMap(({ name, header, ownerUrl: _, ...found }): DeclaredKey[] => {
      const facts = { name, ...present({ header }) };
      if (!("value" in found)) return [{ ...facts, ...found, origin }];
      if (values.has(found.value)) return [];
      values.add(found.value);
      return [{ ...facts, secret: new Secret(found.value, name, origin) }];
    });
}

/** Base URLs that replace the row's: the config entry's, else the variable's; and the endpoint that it was written as. */
type ChosenBaseUrl = {
  entry?: string;
  variable?: string;
  endpointMode?: ApiMode | undefined;
  query?: CloudEndpoint["query"];
};

function chosenBaseUrl(
  { configured, builtIn, entryPath }: Provider,
  env: Environment,
): ChosenBaseUrl | { unusable: string } {
  const chosen: ChosenBaseUrl = {};
  if (configured?.base_url !== undefined) {
    const expanded = expandVariables(configured.base_url, env);
    if ("unset" in expanded) return { unusable: `${entryPath}.base_url names ${expanded.unset.join(", ")}: not set` };
    const read = readBaseUrl(expanded.text);
    if ("expected" in read) return { unusable: `${entryPath}.base_url: expected ${read.expected}` };
    const whole = { ...read, ...completed(builtIn, expanded.text, env) };
    chosen.entry = whole.baseUrl;
    Object.assign(chosen, present({ endpointMode: whole.endpointMode, query: whole.query }));
  }
  const ofCloud = builtIn?.cloud?.endpointIn(env);
  if (ofCloud !== undefined) {
    if ("unusable" in ofCloud) return ofCloud;
    chosen.variable = ofCloud.baseUrl;
    if (chosen.entry === undefined && ofCloud.query !== undefined) chosen.query = ofCloud.query;
  }
  const written = builtIn?.baseUrlVariable === undefined ? undefined : env[builtIn.baseUrlVariable]?.trim();
  if (builtIn !== undefined && written !== undefined && written !== "") {
    const read = builtIn.bareHost === undefined ? readBaseUrl(written) : baseUrlFromHost(written, builtIn.bareHost);
    if ("expected" in read) return { unusable: `${builtIn.baseUrlVariable}: expected ${read.expected}` };
    chosen.variable = read.baseUrl;
    if (chosen.entry === undefined)
      Object.assign(chosen, present({ endpointMode: read.endpointMode, query: read.query }));
  }
  return chosen;
}

/** A cloud's address as its portal shows it, which says what belongs to each request. */
function completed(
  builtIn: BuiltInProvider | undefined,
  text: string,
  env: Environment,
): { baseUrl: string; query: CloudEndpoint["query"] | undefined } | undefined {
  const parsed = parseBaseUrl(text);
  if (builtIn?.cloud === undefined || "expected" in parsed) return undefined;
  const { baseUrl, query } = builtIn.cloud.complete(parsed.url, env);
  const { "api-version": _, ...own } = parsed.query;
  const all = { ...own, ...query };
  return { baseUrl, query: Object.keys(all).length > 0 ? all : undefined };
}

/** Usable keys in lookup order; unusable ones are noted in `looked`. */
function candidatesOf(provider: Provider, chosen: ChosenBaseUrl, env: Environment, looked: string[]): FoundKeys {
  const { configured, builtIn, entryPath } = provider;
  const found: FoundKeys = { configured: [], builtIn: [], unset: [] };
  const consider = (
    group: FoundKey[],
    name: string,
    value: string | undefined,
    ownerUrl?: string,
    ownHeader?: KeyHeader,
  ) => {
    const header = ownHeader ?? headerOf(builtIn, value);
    if (value === undefined || value.trim() === "") looked.push(name);
    else if (!isUsableKey(value)) looked.push(`${name} (contains a placeholder, not a key)`);
    else if (isReference(value))
      looked.push(`${name} (contains a reference to a variable, not a key: Deputy does not expand it)`);
    else
      group.push({
        name,
        value: value.trim(),
        ownerUrl: ownerUrl ?? ownerUrlOf(builtIn, value),
        ...present({ header }),
      });
  };
  for (const { path, name, template } of keyTemplatesOf(provider)) {
    const expanded = template.expand(env);
    if ("unset" in expanded) {
      found.unset.push(`${path} (${expanded.unset.join(", ")} is not set)`);
      looked.push(`${path} (${expanded.unset.join(", ")} is not set)`);
    } else consider(found.configured, name, expanded.text, chosen.entry);
  }
  if (configured?.api_key_env !== undefined) {
    const value = env[configured.api_key_env];
    if ((value ?? "").trim() === "") found.unset.push(`${configured.api_key_env} (is not set)`);
    consider(found.configured, configured.api_key_env, value, chosen.entry);
  }
  if (configured?.api_key_command !== undefined)
    found.configured.push({
      name: `${entryPath}.api_key_command`,
      argv: argvOf(configured.api_key_command),
      ownerUrl: chosen.entry ?? (builtIn?.cloud && chosen.variable) ?? builtIn?.baseUrl,
      ...present({ header: builtIn?.keyHeader, forms: builtIn?.keyForms }),
    });
  for (const variable of builtIn?.keys ?? []) {
    const { name, header } = variable;
    if (builtIn?.cloud !== undefined && found.builtIn.length > 0) break;
    const value = valueIn(variable, env, looked);
    if (value === undefined) continue;
    if (variable.isFile && value.trim() !== "")
      found.builtIn.push({ name, file: value, ownerUrl: chosen.variable, ...present({ header: builtIn?.keyHeader }) });
    else consider(found.builtIn, name, value, chosen.variable, header);
  }
  if (configured?.api_key === undefined) looked.push(`${entryPath}.api_key`);
  return found;
}

/** The keys in a config entry, each with its place, named by its first variable if it has one. */
export function keyTemplatesOf({
  configured,
  entryPath,
}: Provider): { path: string; name: string; template: Template }[] {
  const written = [
    ...(configured?.api_key === undefined ? [] : [{ path: `${entryPath}.api_key`, template: configured.api_key }]),
    ...(configured?.api_keys ?? []).map((template, index) => ({ path: `${entryPath}.api_keys[${index}]`, template })),
  ];
  return written.map(({ path, template }) => ({ path, name: template.variables[0] ?? path, template }));
}

/** The value of a key variable; undefined if it is not usable, with the reason added to `looked`. */
function valueIn({ name, document, isFile }: KeyVariable, env: Environment, looked: string[]): string | undefined {
  const value = env[name];
  if (value === undefined || value.trim() === "") return "";
  if (document !== undefined) {
    const whole = documentOf(document, env);
    if ("text" in whole) return whole.text;
    looked.push(whole.problem);
    return undefined;
  }
  const file = isFile && googleCredentialsIn(value.trim());
  if (!file || "credentials" in file) return value;
  looked.push(`${name} (${file.problem})`);
  return undefined;
}

/** The header for a key whose variable does not name one. */
export function headerOf(
  row: Pick<BuiltInProvider, "keyHeader" | "keyForms"> | undefined,
  key: string | undefined,
): KeyHeader | undefined {
  return row?.keyForms?.find(([form]) => form.test(key?.trim() ?? ""))?.[1] ?? row?.keyHeader;
}

/** A string is for the shell, a list is the program and its arguments. */
function argvOf(command: string | readonly string[]): readonly string[] {
  return typeof command === "string" ? ["/bin/sh", "-c", command] : command;
}

/** Describes a pool: its first key, and how many more there are. */
export function formatKeys([first, ...more]: readonly DeclaredKey[]): string | undefined {
  if (first === undefined) return undefined;
  return more.length === 0 ? formatKey(first) : `${formatKey(first)} +${more.length} more`;
}

/** A command's key is named by its config path, without running the command. */
export function formatKey(source: DeclaredKey): string {
  return "argv" in source ? `${source.name} (not run)` : source.name;
}

/** The provider's own endpoint for a key; the prefix of some keys determines it. */
function ownerUrlOf(row: BuiltInProvider | undefined, key: string): string | undefined {
  return row?.homes?.find(({ keyPrefix }) => key.startsWith(keyPrefix))?.baseUrl ?? row?.baseUrl;
}

/** Returns whether a key may be sent to a base URL; if not, adds the reason to `rejected`. */
function belongs({ name, ownerUrl }: FoundKey, baseUrl: string, rejected: string[]): boolean {
  const owner = ownerUrl === undefined ? "no endpoint" : originOf(ownerUrl);
  if (owner !== originOf(baseUrl)) {
    rejected.push(`${name} (belongs to ${owner}, and is not sent to ${originOf(baseUrl)})`);
    return false;
  }
  if (!isEncrypted(baseUrl) && nearnessOf(baseUrl) === "public") {
    rejected.push(`${name} (is not sent unencrypted to ${originOf(baseUrl)}: use https)`);
    return false;
  }
  return true;
}

const PLACEHOLDERS = ["changeme", "your_api_key", "dummy", "null", "none", "no-key-required"];

/** False for a key that is too short, or a placeholder. */
export function isUsableKey(value: string): boolean {
  const key = value.trim();
  return key.length >= 4 && !/^\*+$/.test(key) && !PLACEHOLDERS.includes(key.toLowerCase());
}

/** A variable's own value is not expanded: `.env` files of other programs may refer to further variables. */
function isReference(value: string): boolean {
  return variablesIn(value).length > 0 || unexpandedVariable(value)?.name !== undefined;
}

/** Shorter keys are words (`ollama`): redacting them would damage every text and hide nothing. */
const SHORTEST_SECRET = 8;

/** Returns whether a key must be redacted from texts. */
export function isWorthHiding(key: string): boolean {
  return isUsableKey(key) && key.length >= SHORTEST_SECRET;
}

/** On this machine, any endpoint may be keyless; on the local network, those that the user set up as such. */
function mayBeKeyless({ builtIn }: Provider, baseUrl: string): boolean {
  const nearness = nearnessOf(baseUrl);
  return nearness === "loopback" || (nearness === "private" && (builtIn === undefined || builtIn.keyOptional === true));
}

// Headers -------------------------------------------------------------------------------------------------------------

/** The entry's headers with their variables expanded. Like keys, they belong to the entry's endpoint. */
function headersOf(
  { configured, entryPath }: Provider,
  ownerUrl: string | undefined,
  baseUrl: string,
  env: Environment,
): { headers: Record<string, string> } | { unusable: string } {
  const headers: Record<string, string> = {};
  for (const [name, template] of Object.entries(configured?.headers ?? {})) {
    const expanded = template.expand(env);
    const path = `${entryPath}.headers.${name}`;
    if ("unset" in expanded) return { unusable: `${path} names ${expanded.unset.join(", ")}: not set` };
    if (ownerUrl === undefined || originOf(ownerUrl) !== originOf(baseUrl))
      return { unusable: `${path} belongs to ${ownerUrl}, and requests go to ${baseUrl}: set base_url next to it` };
    headers[name.toLowerCase()] = expanded.text;
  }
  return { headers };
}
