/**
 * Credentials: which providers can run something now, and what a request to one of them carries. Only this folder and
 * config/ read the environment, which is passed in.
 */
import type { Clock } from "../../clock.ts";
import type { Failure } from "../../errors.ts";
import type { ApiMode, Route } from "../../route.ts";
import { type Access, type KeyHeader, type Lease, namesSecret, Secret } from "../../secret.ts";
import type { Environment, Template } from "../../template.ts";
import { BUILT_IN_PROVIDERS, type KeyVariable } from "../catalog/built-in-providers.ts";
import { originOf } from "../catalog/endpoints.ts";
import type { Provider, Providers } from "../catalog/providers.ts";
import { googleToken, type PostForm } from "./google-token.ts";
import { createKeylessPool, createPool, noLease, type Pool } from "./key-pool.ts";
import { commandKeySource, fixedKeySource, issuedKeySource, type KeySource } from "./key-source.ts";
import {
  type ConnectionResult,
  connectionOf,
  type DeclaredKey,
  isWorthHiding,
  keyTemplatesOf,
  type ProviderConnection,
} from "./provider-connection.ts";

export type Credentials = {
  find(provider: Provider): ConnectionResult;
  /** Providers that could run something now: those with a key, and the keyless ones that the user has set up. */
  usable(): readonly Provider[];
  /**
   * Leases the credentials of one request on the route, or returns the failure `route-gone` if its provider, endpoint
   * or key is no longer configured. Never rejects.
   */
  lease(route: LeasedRoute, signal: AbortSignal): Promise<Lease>;
  /** Returns why no key is available for the route; undefined if one is, or none is needed. Never rejects. */
  whyKeyless(route: LeasedRoute, signal: AbortSignal): Promise<Failure | undefined>;
  /** The source of a key that is no provider's. A command's keys are hidden like the others. */
  keySourceOf(declared: DeclaredKey): KeySource;
  /** Removes every key that Deputy knows from `text`. */
  redact(text: string): string;
  /** Variables for keys, set or not. */
  keyNames(): ReadonlySet<string>;
  /** Returns whether a variable is one of `keyNames`, or its value contains a key that Deputy knows. */
  holdsKey(name: string, value: string): boolean;
};

type LeasedRoute = Pick<Route, "provider" | "endpoint" | "keyName">;

type Sources = {
  env: Environment;
  providers: Providers;
  clock: Clock;
  postForm: PostForm;
  /** Secrets of the config that belong to no provider: they are hidden like keys. */
  otherSecrets?: readonly NamedTemplate[];
};

export type NamedTemplate = { name: string; template: Template };

export function createCredentials({ env, providers, clock, postForm, otherSecrets = [] }: Sources): Credentials {
  const answers = new Map<Provider, ConnectionResult>();
  const pools = new Map<ProviderConnection, Pool>();
  /** Those that may issue further keys. */
  const issuing: KeySource[] = [];
  const accesses = new WeakMap<Secret, Map<KeyHeader, Access>>();
  let secrets: Secret[] | undefined;
  let names: ReadonlySet<string> | undefined;

  function find(provider: Provider): ConnectionResult {
    const known = answers.get(provider) ?? connectionOf(provider, env);
    answers.set(provider, known);
    return known;
  }

  /** The connection of a planned route, if it is unchanged. */
  function connectionFor({ provider: slug, endpoint, keyName }: LeasedRoute): ProviderConnection | undefined {
    const found = providers.find(slug);
    const answer = "provider" in found ? find(found.provider) : undefined;
    if (answer === undefined || !("connection" in answer)) return undefined;
    const { connection } = answer;
    if (keyName !== undefined && connection.keys.length === 0) return undefined;
    return originOf(connection.baseUrl) === originOf(endpoint.baseUrl) ? connection : undefined;
  }

  function poolOf(connection: ProviderConnection): Pool {
    const { keys, headers } = connection;
    const pool =
      pools.get(connection) ??
      (keys.length === 0 ? createKeylessPool({ headers, redact }) : createPool(keys, keySourceOf, clock));
    pools.set(connection, pool);
    return pool;
  }

  function keySourceOf(source: DeclaredKey): KeySource {
    if ("secret" in source) return fixedKeySource(source.secret);
    const keySource =
      "argv" in source
        ? commandKeySource(source, commandEnvironment, clock)
        : issuedKeySource(source, clock, (signal) => googleToken(source, { clock, postForm }, signal));
    issuing.push(keySource);
    return keySource;
  }

  /** Our environment without any provider's key, except keys that a vendor's own programs share. */
  function commandEnvironment(): Record<string, string> {
    const shown = Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !holdsKey(entry[0], entry[1]),
    );
    return Object.fromEntries(shown);
  }

  /** The same key in the same header gives the same object, which identifies a connection. */
  function accessWith(secret: Secret, header: KeyHeader, headers: Access["headers"]): Access {
    const known = accesses.get(secret) ?? new Map<KeyHeader, Access>();
    accesses.set(secret, known);
    const access = known.get(header) ?? { key: { secret, header }, headers, redact };
    known.set(header, access);
    return access;
  }

  function redact(text: string): string {
    secrets ??= knownSecrets(providers.all(), env, otherSecrets);
    const issued = issuing.flatMap((keySource) => keySource.issued());
    return [...issued, ...secrets].reduce((clean, secret) => secret.redact(clean), text);
  }

  function keyNames(): ReadonlySet<string> {
    names ??= new Set([
      ...providers.all().flatMap((provider) => keyVariablesOf(provider)),
      ...otherSecrets.flatMap(({ template }) => template.variables),
    ]);
    return names;
  }

  /** A variable of a vendor's own programs may be passed on by whoever asks for it. */
  function holdsKey(name: string, value: string): boolean {
    if (SHARED.has(name)) return false;
    return keyNames().has(name) || redact(value) !== value;
  }

  return {
    find,
    usable: () => providers.all().filter((provider) => isSetUp(provider, env) && "connection" in find(provider)),
    lease(route, signal) {
      const connection = connectionFor(route);
      if (connection === undefined) return Promise.resolve(noLease(routeGone(route)));
      const usual = HEADER_OF_MODE[route.endpoint.apiMode];
      return poolOf(connection).lease(
        (secret, header = usual) => accessWith(secret, header, connection.headers),
        signal,
      );
    },
    async whyKeyless(route, signal) {
      const connection = connectionFor(route);
      return connection === undefined ? routeGone(route) : poolOf(connection).whyEmpty(signal);
    },
    keySourceOf,
    redact,
    keyNames,
    holdsKey,
  };
}

function routeGone({ provider, endpoint, keyName }: LeasedRoute): Failure {
  const planned = [originOf(endpoint.baseUrl), ...(keyName === undefined ? [] : [keyName])].join(", ");
  const message = `${provider} is no longer configured as the run was planned (${planned}). Restore it, then resume the run.`;
  return { kind: "route-gone", message };
}

const HEADER_OF_MODE: Record<ApiMode, KeyHeader> = {
  chat_completions: "authorization",
  responses: "authorization",
  anthropic_messages: "x-api-key",
  gemini: "x-goog-api-key",
};

/**
 * A keyless provider is available only if the user has set it up, with a config entry or its base-URL variable. A
 * provider with shared keys needs a config entry or a key of its own.
 */
function isSetUp({ builtIn, configured }: Provider, env: Environment): boolean {
  const isSet = (name: string | undefined) => name !== undefined && (env[name] ?? "").trim() !== "";
  if (configured !== undefined) return true;
  if (builtIn?.keys.some(({ isShared }) => isShared))
    return builtIn.keys.some((key) => !key.isShared && isSet(key.name));
  return builtIn?.keyOptional !== true || isSet(builtIn.baseUrlVariable);
}

// Redaction ----------------------------------------------------------------------------------------------------------

/** Longest first, so that no key hides part of another. */
function knownSecrets(
  providers: readonly Provider[],
  env: Environment,
  otherSecrets: readonly NamedTemplate[],
): Secret[] {
  const secrets = new Map<string, Secret>();
  const add = (name: string, value: string | undefined) => {
    const key = value?.trim() ?? "";
    if (isWorthHiding(key)) secrets.set(key, new Secret(key, name, ""));
  };
  const addExpanded = ({ name, template }: NamedTemplate) => {
    const expanded = template.expand(env);
    if ("text" in expanded) add(name, expanded.text);
  };
  for (const name of otherSecrets.flatMap(({ template }) => template.variables)) add(name, env[name]);
  otherSecrets.forEach(addExpanded);
  for (const provider of providers) {
    const { configured, entryPath } = provider;
    for (const name of keyVariablesOf(provider, true)) add(name, env[name]);
    const hidden = [
      ...keyTemplatesOf(provider),
      ...Object.entries(configured?.headers ?? {})
        .filter(([name, { variables }]) => namesSecret(name) || variables.length > 0)
        .map(([name, template]) => ({ name: `${entryPath}.headers.${name}`, template })),
    ];
    hidden.forEach(addExpanded);
  }
  return [...secrets.entries()].sort(([a], [b]) => b.length - a.length).map(([, secret]) => secret);
}

/** @param withShared also those of a vendor's own programs; a file's name is no secret */
function keyVariablesOf(provider: Provider, withShared = false): string[] {
  const { builtIn, configured } = provider;
  return [
    ...(builtIn?.keys ?? []).flatMap((key) => (key.isShared ? (withShared ? secretVariables(key) : []) : [key.name])),
    ...keyTemplatesOf(provider).flatMap(({ template }) => template.variables),
    ...(configured?.api_key_env === undefined ? [] : [configured.api_key_env]),
    ...Object.values(configured?.headers ?? {}).flatMap(({ variables }) => variables),
  ];
}

/** The variables that hold the values of a key. */
function secretVariables({ name, document, isFile }: KeyVariable): string[] {
  if (document === undefined) return isFile ? [] : [name];
  return Object.values({ ...document.secrets, ...document.optionalSecrets });
}

const SHARED: ReadonlySet<string> = new Set(
  BUILT_IN_PROVIDERS.flatMap(({ keys }) => keys.filter(({ isShared }) => isShared).flatMap(secretVariables)),
);
