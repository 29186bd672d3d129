/**
 * Converts the providers of a Hermes config: those it defines, and those that a model, an alias or a fallback
 * introduces by its own URL. Each reference is mapped to its entry.
 */

import { type ConversionNotes, consume, consumeFields, consumeText, type Fields } from "../../../config/consume.ts";
import { present } from "../../../values/present.ts";
import { fieldsOf, isRecord } from "../../../values/record.ts";

/** Facts about Deputy's providers that an import needs. */
export type KnownProviders = {
  /** The slug for a name; undefined if no built-in provider has it. */
  slugOf(name: string): string | undefined;
  /** A replacement for a provider that Deputy does not support. */
  insteadOf(name: string): string | undefined;
  /** The built-in provider with this endpoint. */
  slugAt(baseUrl: string): string | undefined;
  /** The wire format of a replacement for a built-in provider; undefined if it is uncertain. */
  modeOf(slug: string): string | undefined;
  /** Returns whether a text can be a key rather than a placeholder. */
  isUsableKey(text: string): boolean;
};

export type HermesProviders = {
  /** Consumes a definition: an entry of `custom_providers` or `providers`. */
  define(name: string, fields: Fields, path: string): void;
  /**
   * The provider that these fields name, possibly with its own URL and key; undefined if they name none.
   * @param hint name for a provider without one
   */
  named(fields: Fields, path: string, hint: string): { slug: string | undefined } | { refused: string };
  /** Adds a model to a provider's entry, with facts about it as Deputy writes them. */
  addModel(slug: string, model: string, facts: Fields): void;
  entries(): Readonly<Record<string, Fields>>;
};

/** Names that mean "whatever is found" or "an endpoint without a name". */
const NO_NAME = ["", "auto", "main", "inherit", "custom"];

/** Where a base URL stands. Hermes takes `api_base` for `base_url`, which wins: NousResearch/hermes-agent#50385. */
const BASE_URLS = ["base_url", "baseUrl", "baseURL", "api_base", "apiBase", "url"];

/** A later one wins. */
const HEADERS = ["default_headers", "extra_headers", "headers"];

const MODES: Record<string, string> = {
  chat_completions: "chat_completions",
  openai_chat: "chat_completions",
  codex_responses: "responses",
  responses: "responses",
  anthropic_messages: "anthropic_messages",
};

export function createHermesProviders(known: KnownProviders, conversion: ConversionNotes): HermesProviders {
  const entries: Record<string, Fields> = Object.create(null);

  function define(name: string, fields: Fields, path: string): void {
    const entry = entryOf(fields, path);
    const slug = known.slugOf(plain(name)) ?? plain(name);
    const models = modelsOf(consume(fields, "models"), `${path}.models`);
    const defaultModel = consumeText(fields, "default_model", "model", "default");
    Object.assign(entry, defaultModel && { default_model: defaultModel }, models && { models });
    conversion.rest(fields, path);
    if (Object.keys(entry).length === 0) return;
    const there = entries[slug];
    if (entry.base_url === undefined && known.slugOf(slug) === undefined)
      conversion.note(`${path}: Deputy has no provider ${slug}, and no base_url is given.`);
    else if (there !== undefined && !isSameEndpoint(there, entry))
      conversion.note(`${path} is omitted: another provider has the name ${slug}.`);
    else entries[slug] = { ...entry, ...there, ...(models && { models: { ...models, ...fieldsOf(there?.models) } }) };
  }

  function entryOf(fields: Fields, path: string): Fields {
    const hasUrl = BASE_URLS.some((name) => fields[name] !== undefined);
    const isUrl = (hasUrl ? /^https?:/ : /^(https?:|\$\{)/).test(String(fields.api));
    const baseUrl = consumeText(fields, ...BASE_URLS, ...(isUrl ? ["api"] : []));
    const mode = consumeText(fields, "api_mode", "apiMode", "transport");
    const key = consumeText(fields, "api_key", "apiKey", ...(isUrl ? [] : ["api"]));
    const variable = consumeText(fields, "key_env", "api_key_env", "keyEnv");
    const command = consumeText(fields, "key_cmd", "api_key_command");
    const headers: Fields = Object.assign({}, ...HEADERS.map((header) => consumeFields(fields, header)));
    if (mode !== undefined && MODES[mode] === undefined) conversion.note(`${path}: Deputy does not support ${mode}.`);
    const isPlaceholder = key !== undefined && !key.includes("${") && !known.isUsableKey(key);
    if (isPlaceholder) conversion.note(`${path}.api_key contains a placeholder, not a key.`);
    return present({
      base_url: baseUrl?.replace(/(?<!\/)\/+$/, ""),
      api_mode: mode === undefined ? undefined : MODES[mode],
      api_key: isPlaceholder ? undefined : key,
      api_key_env: variable,
      api_key_command: command,
      headers: Object.keys(headers).length > 0 ? headers : undefined,
    });
  }

  /** Model ids as text, a list or a map; only the context windows in it are converted. */
  function modelsOf(models: unknown, path: string): Fields | undefined {
    const list = Array.isArray(models) || isRecord(models) ? models : models === undefined ? [] : [models];
    const named = Array.isArray(list) ? list.map(withId) : Object.entries(list);
    const facts = named.map(([id, said]) => {
      const fields = isRecord(said) ? said : {};
      const window = consume(fields, "context_length", "context_window");
      conversion.rest(fields, `${path}.${id}`);
      return [id, window === undefined ? {} : { context_window: window }] as const;
    });
    return facts.length === 0 ? undefined : Object.fromEntries(facts);
  }

  function named(fields: Fields, path: string, hint: string): ReturnType<HermesProviders["named"]> {
    const name = plain(consumeText(fields, "provider") ?? "");
    const entry = entryOf(fields, path);
    const builtIn = known.slugOf(name);
    if (typeof entry.base_url === "string")
      return { slug: slugFor(entry.base_url, entry, { name, builtIn, path, hint }) };
    if (name === "custom") return { refused: "its provider is custom, and there is no base_url" };
    if (NO_NAME.includes(name)) return { slug: undefined };
    const slug = builtIn ?? name;
    if (builtIn !== undefined || entries[slug] !== undefined) return { slug: add(slug, entry, path) };
    const instead = known.insteadOf(name);
    const why = instead === undefined ? "which is not defined" : `which Deputy does not support: ${instead}`;
    return { refused: `it names the provider ${name}, ${why}` };
  }

  /** The provider at a URL: a built-in one, an existing one with the same key, or a new entry. */
  function slugFor(
    baseUrl: string,
    entry: Fields,
    { name, builtIn, path, hint }: { name: string; builtIn: string | undefined; path: string; hint: string },
  ): string {
    const isNamed = !NO_NAME.includes(name);
    const home = known.slugAt(baseUrl);
    if (home !== undefined && (!isNamed || home === builtIn)) {
      const { base_url: _, ...own } = entry;
      return add(home, own, path);
    }
    const there = Object.keys(entries).find((slug) => isSameEndpoint(entries[slug] ?? {}, entry));
    if (there !== undefined) return add(there, entry, path);
    const mode = builtIn === undefined ? undefined : known.modeOf(builtIn);
    const slug = freeName(isNamed && builtIn === undefined ? name : hint);
    return add(slug, { ...present({ api_mode: mode }), ...entry }, path);
  }

  /** A name that neither a built-in provider nor another entry has. */
  function freeName(wanted: string): string {
    const names = [
      wanted,
      `${wanted}-endpoint`,
      ...Array.from({ length: 99 }, (_, n) => `${wanted}-endpoint-${n + 2}`),
    ];
    return names.find((name) => known.slugOf(name) === undefined && entries[name] === undefined) ?? wanted;
  }

  /** Keeps existing values: a second key would belong to another provider. */
  function add(slug: string, entry: Fields, path: string): string {
    const there = entries[slug] ?? {};
    const other = Object.keys(entry).filter((key) => key in there && there[key] !== entry[key]);
    if (other.length > 0)
      conversion.note(`${path}: ${other.join(", ")} omitted, because providers.${slug} has a different value.`);
    if (Object.keys(entry).length > 0) entries[slug] = { ...entry, ...there };
    return slug;
  }

  function addModel(slug: string, model: string, facts: Fields): void {
    const models = fieldsOf(entries[slug]?.models);
    entries[slug] = { ...entries[slug], models: { ...models, [model]: { ...fieldsOf(models[model]), ...facts } } };
  }

  return { define, named, addModel, entries: () => entries };
}

/** Returns whether an entry can serve for another: the same URL, and no conflicting keys. */
function isSameEndpoint(there: Fields, { base_url: baseUrl, api_key: key, api_key_env: variable }: Fields): boolean {
  const isSameKey = (key ?? there.api_key) === there.api_key && (variable ?? there.api_key_env) === there.api_key_env;
  return there.base_url === baseUrl && isSameKey;
}

/** `custom:My Lab` → `my-lab` */
function plain(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/^custom:/, "")
    .replaceAll(/[^a-z0-9._-]+/g, "-");
}

function withId(model: unknown): [string, unknown] {
  if (!isRecord(model)) return [String(model), {}];
  return [String(consume(model, "id", "name")), model];
}
