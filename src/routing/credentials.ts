/**
 * Which providers can run something now, and what a request carries to one of them. Here and in config/ alone is the
 * environment read; both are given it.
 */
import type { Environment } from "../config/template.ts";
import type { ApiMode, Endpoint, Route } from "../route.ts";
import { type Access, type KeyHeader, Secret } from "../secret.ts";
import { type BundleAnswer, bundleOf, carriesKey, isUsableKey } from "./bundle.ts";
import { originOf } from "./endpoints.ts";
import type { Provider, Providers } from "./providers.ts";

export type Credentials = {
  find(provider: Provider): BundleAnswer;
  /** Providers that could run something now: those with a key, and the keyless ones that the user has set up. */
  usable(): readonly Provider[];
  /** What a request on the route carries; without a key where none belongs there any more. Same route, same object. */
  accessFor(route: Pick<Route, "provider" | "endpoint">): Access;
  /** `text` without any key Deputy knows. */
  redact(text: string): string;
  /** Variables that hold keys, set or not. */
  keyNames(): ReadonlySet<string>;
};

type Sources = { env: Environment; providers: Providers };

export function createCredentials({ env, providers }: Sources): Credentials {
  const answers = new Map<Provider, BundleAnswer>();
  const accesses = new Map<string, Access>();
  let secrets: Secret[] | undefined;

  function find(provider: Provider): BundleAnswer {
    const known = answers.get(provider) ?? bundleOf(provider, env);
    answers.set(provider, known);
    return known;
  }

  function accessTo(slug: string, { baseUrl, apiMode }: Endpoint): Access {
    const found = providers.find(slug);
    const answer = "provider" in found ? find(found.provider) : undefined;
    if (answer === undefined || !("bundle" in answer)) return { headers: {}, redact };
    const { bundle } = answer;
    if (originOf(bundle.baseUrl) !== originOf(baseUrl)) return { headers: {}, redact };
    return {
      headers: bundle.headers,
      redact,
      ...(bundle.key && { key: { header: HEADER_OF_MODE[apiMode], ...bundle.key } }),
    };
  }

  function redact(text: string): string {
    secrets ??= knownSecrets(providers.all(), env);
    return secrets.reduce((clean, secret) => secret.redact(clean), text);
  }

  return {
    find,
    usable: () => providers.all().filter((provider) => isSetUp(provider, env) && "bundle" in find(provider)),
    accessFor({ provider: slug, endpoint }) {
      const id = `${slug} ${endpoint.apiMode} ${originOf(endpoint.baseUrl)}`;
      const access = accesses.get(id) ?? accessTo(slug, endpoint);
      accesses.set(id, access);
      return access;
    },
    redact,
    keyNames: () => new Set(providers.all().flatMap(keyVariablesOf)),
  };
}

const HEADER_OF_MODE: Record<ApiMode, KeyHeader> = {
  chat_completions: "authorization",
  responses: "authorization",
  anthropic_messages: "x-api-key",
  gemini: "x-goog-api-key",
};

/** A provider that needs no key is there only if the user has said so: by a config entry or its base-URL variable. */
function isSetUp({ row, entry }: Provider, env: Environment): boolean {
  if (entry !== undefined || row?.keyOptional !== true) return true;
  return row.baseUrlVariable !== undefined && (env[row.baseUrlVariable] ?? "").trim() !== "";
}

// What must not be shown ----------------------------------------------------------------------------------------------

/** Shorter keys are words (`ollama`): taken out of every text, they would spoil it and hide nothing. */
const SHORTEST_SECRET = 8;

/** Longest first, so that no key hides part of another. */
function knownSecrets(providers: readonly Provider[], env: Environment): Secret[] {
  const secrets = new Map<string, Secret>();
  const add = (name: string, value: string | undefined) => {
    const key = value?.trim() ?? "";
    if (isUsableKey(key) && key.length >= SHORTEST_SECRET) secrets.set(key, new Secret(key, name, ""));
  };
  for (const provider of providers) {
    const { entry, entryPath } = provider;
    for (const name of keyVariablesOf(provider)) add(name, env[name]);
    const hidden = [
      ...(entry?.api_key === undefined ? [] : [{ name: `${entryPath}.api_key`, template: entry.api_key }]),
      ...Object.entries(entry?.headers ?? {})
        .filter(([name, { variables }]) => carriesKey(name) || variables.length > 0)
        .map(([name, template]) => ({ name: `${entryPath}.headers.${name}`, template })),
    ];
    for (const { name, template } of hidden) {
      const expanded = template.expand(env);
      if ("text" in expanded) add(name, expanded.text);
    }
  }
  return [...secrets.entries()].sort(([a], [b]) => b.length - a.length).map(([, secret]) => secret);
}

function keyVariablesOf({ row, entry }: Provider): string[] {
  return [
    ...(row?.keys ?? []).map(({ name }) => name),
    ...(entry?.api_key?.variables ?? []),
    ...(entry?.api_key_env === undefined ? [] : [entry.api_key_env]),
    ...Object.values(entry?.headers ?? {}).flatMap(({ variables }) => variables),
  ];
}
