/**
 * Converts a Hermes `config.yaml` to a Deputy config: models, providers, aliases, tiers, delegation. Converted keys are
 * consumed; the rest has no counterpart and is reported, so nothing is dropped silently. Secrets stay where they are:
 * `${NAME}` and variables are copied as they are.
 */

import { type ConversionNotes, consume, consumeFields, consumeText, type Fields } from "../../../config/consume.ts";
import { configSchema, keysAllowedAt } from "../../../config-schema.ts";
import { variablesIn } from "../../../template.ts";
import { pathText } from "../../../values/key-path.ts";
import { present } from "../../../values/present.ts";
import { fieldsOf, isRecord } from "../../../values/record.ts";
import { createHermesProviders, type HermesProviders, type KnownProviders } from "./hermes-providers.ts";
import { importedServers } from "./mcp-servers.ts";

export type Imported = {
  config: Fields;
  /** Settings that were dropped or changed, one sentence each. */
  notes: string[];
  /** Paths of literal keys in the config, such as `["providers", "lab", "api_key"]`. */
  literalKeys: string[][];
  /** Variables that the config refers to. */
  variables: string[];
};

/** @param source as read by `readYaml` */
export function importHermes(source: Fields, known: KnownProviders): Imported {
  const hermes = withPlainVariables(source) as Fields;
  const notes: string[] = [];
  const unmatched: string[] = [];
  const conversion: ConversionNotes = {
    note: (text) => notes.push(text),
    rest: (fields, path) => unmatched.push(...Object.keys(fields).map((key) => (path === "" ? key : `${path}.${key}`))),
  };
  const providers = createHermesProviders(known, conversion);
  defineProviders(hermes, providers, conversion);
  const reading = { providers, known, conversion };
  const parent = parentOf(hermes, reading);
  const models = {
    ...delegationRoutes(hermes, reading),
    ...aliasesIn(hermes, "model_tiers", reading),
    ...aliasesIn(hermes, "model_aliases", reading),
  };
  const config = withoutEmpty({
    ...parent.route,
    providers: providers.entries(),
    models: { ...parent.aliases, ...models },
    delegation: delegationOf(hermes, reading),
    terminal: terminalOf(hermes, conversion),
    mcp_servers: importedServers(consumeFields(hermes, "mcp_servers"), "mcp_servers", conversion),
  });
  conversion.rest(hermes, "");
  const fitting = fittingConfig(config, conversion);
  if (unmatched.length > 0) notes.push(`Deputy has no counterpart for these: ${unmatched.sort().join(", ")}.`);
  return { config: fitting, notes, literalKeys: literalKeysIn(fitting), variables: variablesOf(fitting) };
}

/** A copy in which `${env:NAME}`, as other tools write it and Hermes takes it, is `${NAME}`. */
function withPlainVariables(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll(/\$\{env:(?=\w+\})/g, "\u0024{");
  if (Array.isArray(value)) return value.map(withPlainVariables);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withPlainVariables(inner)]));
}

type Reading = { providers: HermesProviders; known: KnownProviders; conversion: ConversionNotes };
/** A model with its provider, in Deputy's form. */
type ProviderModel = { model?: string; provider?: string };

function defineProviders(hermes: Fields, providers: HermesProviders, conversion: ConversionNotes): void {
  for (const section of ["providers", "custom_providers"]) {
    const defined = consume(hermes, section);
    if (isRecord(defined))
      for (const [name, fields] of Object.entries(defined)) {
        if (isRecord(fields)) providers.define(name, withoutName(fields), `${section}.${name}`);
        else conversion.note(`${section}.${name}: it is not a map.`);
      }
    if (!Array.isArray(defined)) continue;
    for (const [index, fields] of defined.entries()) {
      const path = `${section}[${index}]`;
      const name = isRecord(fields) ? consumeText(fields, "name") : undefined;
      if (name === undefined) conversion.note(`${path}: it has no name.`);
      else providers.define(name, fields, path);
    }
  }
}

/** In a map, the key is the name and `name` a title. */
function withoutName({ name: _, ...fields }: Fields): Fields {
  return fields;
}

// The parent ----------------------------------------------------------------------------------------------------------

/** Keys that may also be next to the section, each with its name within. */
const BESIDE_MODEL: Record<string, string> = {
  provider: "provider",
  base_url: "base_url",
  baseUrl: "base_url",
  api_base: "api_base",
  api_key: "api_key",
  key_env: "key_env",
  api_key_env: "key_env",
  api_mode: "api_mode",
  default_model: "default",
  default_provider: "provider",
};

/** The section of the parent's model, a text or a map: `model:`, or in its place `llm:`. */
function modelSection(hermes: Fields): Fields {
  const section = consume(hermes, "model") ?? (namesModel(hermes.llm) ? consume(hermes, "llm") : undefined);
  if (section === undefined) return {};
  return isRecord(section) ? section : { default: section };
}

function namesModel(value: unknown): boolean {
  const names = ["default", "model", "model_name", "provider"];
  return typeof value === "string" || (isRecord(value) && names.some((name) => name in value));
}

/** `provider`, `base_url` and the key may also be next to the section, or the provider a map with them. */
function parentOf(hermes: Fields, reading: Reading): { route: Fields; aliases: Fields } {
  const { conversion } = reading;
  const fields = modelSection(hermes);
  for (const [name, meant] of Object.entries(BESIDE_MODEL))
    if (fields[meant] === undefined && hermes[name] !== undefined) fields[meant] = consume(hermes, name);
  spreadProvider(fields);
  const aliases = aliasesIn(fields, "aliases", reading, "model.");
  const pair = providerModelOf(fields, "model", "custom", reading);
  if (pair?.model !== undefined && pair.provider !== undefined && typeof fields.context_length === "number")
    reading.providers.addModel(pair.provider, pair.model, { context_window: consume(fields, "context_length") });
  conversion.rest(fields, "model");
  const agent = consumeFields(hermes, "agent");
  const effort = effortOf(agent);
  conversion.rest(agent, "agent");
  return { route: { ...pair, ...present({ reasoning_effort: effort }) }, aliases };
}

/** `provider: { type: openai, baseURL: …, apiKey: …, model: … }`; `name` is that of the provider there. */
function spreadProvider(fields: Fields): void {
  if (!isRecord(fields.provider)) return;
  const { type, name, baseURL, model, ...rest } = fields.provider;
  const inside = { ...rest, ...present({ base_url: baseURL, default: model, provider: name ?? type }) };
  delete fields.provider;
  for (const [key, value] of Object.entries(inside)) fields[key] ??= value;
}

/** Undefined, with a note, if its provider is unavailable: without it, the model would run elsewhere. */
function providerModelOf(
  fields: Fields,
  path: string,
  hint: string,
  { providers, conversion }: Reading,
): ProviderModel | undefined {
  const model = consumeText(fields, "default", "model", "model_name", "name");
  if (fields.name === model) delete fields.name;
  const named = providers.named(fields, path, hint);
  if ("refused" in named) {
    conversion.note(`${path} is omitted: ${named.refused}.`);
    return undefined;
  }
  const isInherited = model === undefined || model === "inherit" || model === "auto";
  // A gateway may have a model of this name. Deputy takes the word for one only where the entry lists it.
  if (model === "default" && named.slug !== undefined && providers.entries()[named.slug]?.base_url !== undefined)
    providers.addModel(named.slug, model, {});
  return present({ model: isInherited ? undefined : model, provider: named.slug });
}

function effortOf(fields: Fields): string | undefined {
  if (fields.reasoning_effort === false) return String(consume(fields, "reasoning_effort") && "none");
  return consumeText(fields, "reasoning_effort")?.toLowerCase();
}

// Aliases and tiers ---------------------------------------------------------------------------------------------------

function aliasesIn(from: Fields, section: string, reading: Reading, prefix = ""): Fields {
  const aliases: Fields = {};
  for (const [name, written] of Object.entries(consumeFields(from, section))) {
    const path = `${prefix}${section}.${name}`;
    const alias =
      typeof written === "string" ? aliasOfText(written, reading) : aliasOfMap(written, path, name, reading);
    if (alias !== undefined) aliases[name] = alias;
  }
  return aliases;
}

/** `deepseek/deepseek-v4-flash` starts with the provider, if there is one of that name. */
function aliasOfText(text: string, { providers, known }: Reading): unknown {
  const slash = text.indexOf("/");
  const prefix = text.slice(0, Math.max(slash, 0)).toLowerCase();
  const provider = prefix in providers.entries() ? prefix : known.slugOf(prefix);
  return slash < 0 || provider === undefined ? text : { model: text.slice(slash + 1), provider };
}

function aliasOfMap(written: unknown, path: string, name: string, reading: Reading): Fields | undefined {
  const fields = isRecord(written) ? written : {};
  const effort = effortOf(fields);
  const pair = providerModelOf(fields, path, name.toLowerCase(), reading);
  reading.conversion.rest(fields, path);
  if (pair === undefined) return undefined;
  if (pair.model !== undefined) return { ...pair, ...present({ reasoning_effort: effort }) };
  reading.conversion.note(`${path} is omitted: it names no model.`);
  return undefined;
}

// Delegation ----------------------------------------------------------------------------------------------------------

/** Keys with the same name and meaning in both formats, as far as Deputy has them. */
const SAME_NAMES = [
  "max_concurrent_children",
  "max_iterations",
  "child_timeout_seconds",
  "max_spawn_depth",
  "max_cost_usd",
];

function delegationOf(hermes: Fields, reading: Reading): Fields {
  const { conversion } = reading;
  const fields = consumeFields(hermes, "delegation");
  const known = keysAllowedAt(["delegation"]) ?? [];
  const same = SAME_NAMES.filter((name) => known.includes(name) && fields[name] !== undefined);
  const limits = Object.fromEntries(same.map((name) => [name, consume(fields, name)]));
  const effort = effortOf(fields);
  const ownChain = consume(fields, "fallback_providers", "fallback_model");
  const parentsChain = consume(hermes, "fallback_providers", "fallback_model");
  const pair = providerModelOf(fields, "delegation", "delegation", reading);
  if (fields.subagent_auto_approve === true)
    conversion.note("delegation.subagent_auto_approve: if you want this, set delegation.approvals: allow yourself.");
  delete fields.subagent_auto_approve;
  conversion.rest(fields, "delegation");
  const isPinned = pair?.model !== undefined || pair?.provider !== undefined;
  const chain = ownChain ?? (isPinned ? undefined : parentsChain);
  if (chain === undefined && parentsChain !== undefined)
    conversion.note(
      "fallback_providers applies only to the parent, because delegation sets its own model or provider.",
    );
  const fallbacks = chain === undefined ? undefined : fallbacksOf(chain, reading);
  return { ...pair, ...present({ reasoning_effort: effort }), ...limits, ...present({ fallbacks }) };
}

/**
 * Named routes that a model may choose from: `delegation.backends.model_map`, of the plugin advanced-delegation
 * (hermes-agent.nousresearch.com/docs/plugins/advanced-delegation), or `delegation.model_map`. They become aliases.
 */
function delegationRoutes(hermes: Fields, reading: Reading): Fields {
  const delegation = fieldsOf(hermes.delegation);
  const inBackends = routesIn(fieldsOf(delegation.backends), "delegation.backends", reading);
  const aliases = { ...routesIn(delegation, "delegation", reading), ...inBackends };
  if (isEmpty(delegation.backends)) delete delegation.backends;
  return aliases;
}

function routesIn(holder: Fields, path: string, reading: Reading): Fields {
  const map = fieldsOf(holder.model_map);
  const section = ["options", "routes", "models"].find((key) => Array.isArray(map[key]) || isRecord(map[key]));
  if (section !== undefined) {
    map[section] = byName(map[section]);
    const aliases = aliasesIn(map, section, reading, `${path}.model_map.`);
    if (isEmpty(map)) delete holder.model_map;
    return aliases;
  }
  const isAliases = Object.values(map).every((route) => namesModel(route));
  return isAliases ? aliasesIn(holder, "model_map", reading, `${path}.`) : {};
}

function isEmpty(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0;
}

/** A list of routes, by the names in its entries. */
function byName(routes: unknown): unknown {
  if (!Array.isArray(routes)) return routes;
  return Object.fromEntries(
    routes
      .filter(isRecord)
      .map(({ name, option, title, ...route }, index) => [
        String(name ?? option ?? title ?? `route-${index + 1}`),
        route,
      ]),
  );
}

/** One entry or a list of them: `{provider, model, …}`, or a text like an alias. */
function fallbacksOf(chain: unknown, reading: Reading): unknown[] {
  return (Array.isArray(chain) ? chain : [chain]).flatMap((written, index) => {
    const name = `fallback-${index + 1}`;
    const fallback =
      typeof written === "string"
        ? aliasOfText(written, reading)
        : aliasOfMap(written, `fallback_providers[${index}]`, name, reading);
    return fallback === undefined ? [] : [fallback];
  });
}

function terminalOf(hermes: Fields, conversion: ConversionNotes): Fields {
  const fields = consumeFields(hermes, "terminal");
  const timeout = consume(fields, "timeout");
  const env = consume(fields, "env_passthrough");
  conversion.rest(fields, "terminal");
  return present({ timeout_seconds: timeout, env });
}

// The result ----------------------------------------------------------------------------------------------------------

function withoutEmpty(config: Fields): Fields {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => !isRecord(value) || Object.keys(value).length > 0),
  );
}

/** Removes and reports what the schema rejects. */
export function fittingConfig(config: Fields, conversion: ConversionNotes): Fields {
  const parsed = configSchema.safeParse(config);
  if (parsed.success) return config;
  const fitting = structuredClone(config);
  for (const { path, message } of parsed.error.issues) {
    const place = path.map((key) => (typeof key === "number" ? key : String(key)));
    // A provider without its URL would be a different one.
    removeAt(fitting, place[0] === "providers" && place[2] === "base_url" ? place.slice(0, 2) : place);
    conversion.note(`${pathText(place)} is omitted: ${message}.`);
  }
  return fittingConfig(withoutEmpty(fitting), conversion);
}

/** Removes the value at a path; for a list entry, the whole list, whose order matters. */
export function removeAt(config: Fields, path: readonly (string | number)[]): void {
  const inList = path.findIndex((key) => typeof key === "number");
  const place = inList < 0 ? path : path.slice(0, inList);
  const holder = place.slice(0, -1).reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), config);
  if (isRecord(holder)) delete holder[String(place.at(-1))];
  else delete config[String(path[0])];
}

/** Keys and headers that are literal rather than variables. */
function literalKeysIn({ providers }: Fields): string[][] {
  const entries = isRecord(providers) ? Object.entries(providers) : [];
  return entries.flatMap(([slug, entry]) => {
    const { api_key: key, headers } = isRecord(entry) ? entry : {};
    const ofHeaders = Object.entries(isRecord(headers) ? headers : {}).map(([name, value]) => ({
      path: ["headers", name],
      value,
    }));
    return [{ path: ["api_key"], value: key }, ...ofHeaders]
      .filter(({ value }) => typeof value === "string" && variablesIn(value).length === 0)
      .map(({ path }) => ["providers", slug, ...path]);
  });
}

export function variablesOf(value: unknown): string[] {
  const names =
    typeof value === "string"
      ? variablesIn(value)
      : Object.entries(isRecord(value) || Array.isArray(value) ? value : {}).flatMap(([key, inner]) =>
          key === "api_key_env" ? [String(inner)] : variablesOf(inner),
        );
  return [...new Set(names)].sort();
}
