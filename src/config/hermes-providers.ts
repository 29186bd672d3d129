/**
 * The providers of a Hermes config as entries of Deputy's: those it defines, and those that a model, an alias or a
 * fallback brings along by a URL of its own. Whoever names one is told which entry it became.
 */
import { isRecord } from "./document.ts";
import { type Fields, type Left, take, takeFields, takeText } from "./taking.ts";

/** What an import needs to know of Deputy's providers. */
export type KnownProviders = {
  /** The slug that a name stands for; undefined where no built-in provider has it. */
  slugOf(name: string): string | undefined;
  /** What to use instead of a provider that Deputy does not speak to. */
  insteadOf(name: string): string | undefined;
  /** The built-in provider whose own endpoint this is. */
  slugAt(baseUrl: string): string | undefined;
  /** Whether a text can be a key, and is no word put in its place. */
  isUsableKey(text: string): boolean;
};

export type HermesProviders = {
  /** Takes a definition: an entry of `custom_providers` or `providers`. */
  define(name: string, fields: Fields, path: string): void;
  /**
   * The provider that these fields name, which may bring its URL and key along; undefined where they name none.
   * @param hint what to call a provider that has no name
   */
  named(fields: Fields, path: string, hint: string): { slug: string | undefined } | { refused: string };
  /** A model's context window, in tokens. */
  tellWindow(slug: string, model: string, tokens: number): void;
  entries(): Readonly<Record<string, Fields>>;
};

/** Names that mean "whatever is found" or "an endpoint without a name". */
const NO_NAME = ["", "auto", "main", "inherit", "custom"];

/** A later one wins. */
const HEADERS = ["default_headers", "extra_headers", "headers"];

const MODES: Record<string, string> = {
  chat_completions: "chat_completions",
  openai_chat: "chat_completions",
  codex_responses: "responses",
  responses: "responses",
  anthropic_messages: "anthropic_messages",
};

export function createHermesProviders(known: KnownProviders, left: Left): HermesProviders {
  const entries: Record<string, Fields> = {};

  function define(name: string, fields: Fields, path: string): void {
    const entry = entryOf(fields, path);
    const slug = known.slugOf(plain(name)) ?? plain(name);
    const models = modelsOf(take(fields, "models"), `${path}.models`);
    const defaultModel = takeText(fields, "default_model", "model", "default");
    Object.assign(entry, defaultModel && { default_model: defaultModel }, models && { models });
    left.rest(fields, path);
    if (Object.keys(entry).length === 0) return;
    if (entry.base_url === undefined && known.slugOf(slug) === undefined)
      left.note(`${path}: Deputy knows no provider ${slug}, and no base_url is written there.`);
    else entries[slug] = { ...entries[slug], ...entry };
  }

  function entryOf(fields: Fields, path: string): Fields {
    const baseUrl = takeText(fields, "base_url", "baseUrl", "url", "api");
    const mode = takeText(fields, "api_mode", "apiMode", "transport");
    const key = takeText(fields, "api_key", "apiKey");
    const variable = takeText(fields, "key_env", "api_key_env", "keyEnv");
    const headers: Fields = Object.assign({}, ...HEADERS.map((header) => takeFields(fields, header)));
    if (mode !== undefined && MODES[mode] === undefined) left.note(`${path}: Deputy does not speak ${mode}.`);
    const isPlaceholder = key !== undefined && !key.includes("${") && !known.isUsableKey(key);
    if (isPlaceholder) left.note(`${path}.api_key holds a placeholder, not a key.`);
    return {
      ...(baseUrl !== undefined && { base_url: baseUrl.replace(/\/+$/, "") }),
      ...(mode !== undefined && MODES[mode] !== undefined && { api_mode: MODES[mode] }),
      ...(key !== undefined && !isPlaceholder && { api_key: key }),
      ...(variable !== undefined && { api_key_env: variable }),
      ...(Object.keys(headers).length > 0 && { headers }),
    };
  }

  /** Model ids as text, a list or a map; of what is said of each, Deputy knows the context window. */
  function modelsOf(models: unknown, path: string): Fields | undefined {
    const list = Array.isArray(models) || isRecord(models) ? models : models === undefined ? [] : [models];
    const named = Array.isArray(list) ? list.map(withId) : Object.entries(list);
    const facts = named.map(([id, said]) => {
      const fields = isRecord(said) ? said : {};
      const window = take(fields, "context_length", "context_window");
      left.rest(fields, `${path}.${id}`);
      return [id, window === undefined ? {} : { context_window: window }] as const;
    });
    return facts.length === 0 ? undefined : Object.fromEntries(facts);
  }

  function named(fields: Fields, path: string, hint: string): ReturnType<HermesProviders["named"]> {
    const name = plain(takeText(fields, "provider") ?? "");
    const entry = entryOf(fields, path);
    const { base_url: baseUrl } = entry;
    const builtIn = known.slugOf(name);
    if (typeof baseUrl === "string" && known.slugAt(baseUrl) !== undefined) {
      const { base_url: _, ...own } = entry;
      const slug = known.slugAt(baseUrl) as string;
      return NO_NAME.includes(name) || slug === builtIn ? { slug: add(slug, own) } : { slug: add(hint, entry) };
    }
    if (baseUrl !== undefined) {
      const there = Object.keys(entries).find((slug) => entries[slug]?.base_url === baseUrl);
      const free = !NO_NAME.includes(name) && entries[builtIn ?? name] === undefined ? (builtIn ?? name) : hint;
      return { slug: add(there !== undefined && fits(there, entry) ? there : free, entry) };
    }
    if (NO_NAME.includes(name)) return { slug: undefined };
    const slug = builtIn ?? name;
    if (builtIn !== undefined || entries[slug] !== undefined) return { slug: add(slug, entry) };
    const instead = known.insteadOf(name);
    const why = instead === undefined ? "which is defined nowhere" : `which Deputy does not speak to: ${instead}`;
    return { refused: `it names the provider ${name}, ${why}` };
  }

  /** Whether an entry can serve for another with the same URL: their keys do not differ. */
  function fits(slug: string, { api_key: key, api_key_env: variable }: Fields): boolean {
    const there = entries[slug];
    return (key ?? there?.api_key) === there?.api_key && (variable ?? there?.api_key_env) === there?.api_key_env;
  }

  function add(slug: string, entry: Fields): string {
    if (Object.keys(entry).length > 0) entries[slug] = { ...entry, ...entries[slug] };
    return slug;
  }

  function tellWindow(slug: string, model: string, tokens: number): void {
    const models = entries[slug]?.models;
    entries[slug] = {
      ...entries[slug],
      models: { ...(isRecord(models) && models), [model]: { context_window: tokens } },
    };
  }

  return { define, named, tellWindow, entries: () => entries };
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
  return [String(take(model, "id", "name")), model];
}
