/** All providers: the built-in rows with the config's changes, and the config's own. */
import type { Config, ProviderConfig } from "../../config-schema.ts";
import type { Problem } from "../../errors.ts";
import type { ApiMode } from "../../route.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { BUILT_IN_PROVIDERS, type BuiltInProvider, UNSUPPORTED_PROVIDERS } from "./built-in-providers.ts";
import { modeOfUrl, originOf } from "./endpoints.ts";

/**
 * A provider as configured by this user. `builtIn` is absent for the user's own providers, `configured` for those
 * without a config entry.
 */
export type Provider = {
  slug: string;
  builtIn?: BuiltInProvider;
  configured?: ProviderConfig;
  /** Path of its config entry, such as `providers.zai`. */
  entryPath: string;
};

export type Providers = {
  /** Finds a provider by slug or other name, in any case. */
  find(name: string): { provider: Provider } | { problem: Problem };
  /** The slug for a name; undefined if no provider has it. */
  slugOf(name: string): string | undefined;
  /** Returns whether two names mean the same provider. */
  isSame(name: string, other: string): boolean;
  all(): readonly Provider[];
};

export function createProviders(config: Pick<Config, "providers">): Providers {
  const builtIn = new Map<string, BuiltInProvider>();
  for (const row of BUILT_IN_PROVIDERS)
    for (const name of [row.slug, ...(row.otherNames ?? [])]) builtIn.set(name, row);
  const keyOf = (name: string) => builtIn.get(plain(name))?.slug ?? plain(name);
  const known = new Map(BUILT_IN_PROVIDERS.map((row) => [row.slug, fromBuiltIn(row)]));
  const twice = new Map<string, Problem>();
  for (const [name, configured] of Object.entries(config.providers)) {
    const entryPath = `providers.${name}`;
    const before = known.get(keyOf(name));
    if (before?.configured !== undefined)
      twice.set(keyOf(name), configuredTwice(before.slug, before.entryPath, entryPath));
    known.set(keyOf(name), { slug: name, ...before, configured, entryPath });
  }

  return {
    find(name) {
      const problem = twice.get(keyOf(name));
      if (problem !== undefined) return { problem };
      const provider = known.get(keyOf(name));
      return provider === undefined ? { problem: unknownProvider(name, known.values()) } : { provider };
    },
    slugOf: (name) => known.get(keyOf(name))?.slug,
    isSame: (name, other) => keyOf(name) === keyOf(other),
    all: () => [...known.values()],
  };
}

function fromBuiltIn(builtIn: BuiltInProvider): Provider {
  return { slug: builtIn.slug, builtIn, entryPath: `providers.${builtIn.slug}` };
}

/** Names are compared ignoring case. */
function plain(name: string): string {
  return name.trim().toLowerCase();
}

function configuredTwice(slug: string, first: string, second: string): Problem {
  return {
    code: "conflicting-route",
    field: "provider",
    message: `${first} and ${second} are the same provider, ${slug}. Keep one of them in the config.`,
    suggestions: [],
  };
}

function unknownProvider(name: string, known: Iterable<Provider>): Problem {
  const instead = UNSUPPORTED_PROVIDERS.get(plain(name));
  if (instead !== undefined)
    return {
      code: "unsupported-provider",
      field: "provider",
      message: `Deputy does not support ${name} yet. Instead: ${instead}.`,
      suggestions: [...instead.matchAll(/`([a-z-]+)`/g)].map(([, slug = ""]) => slug),
    };
  const names = [...known].flatMap(({ slug, builtIn }) => [slug, ...(builtIn?.otherNames ?? [])]);
  const close = suggest(name, names);
  const hint = close.length > 0 ? `Did you mean ${close.join(" or ")}?` : "`deputy models` lists the available ones.";
  return {
    code: "unknown-provider",
    field: "provider",
    message: `Expected a provider Deputy knows, or one under \`providers:\` in the config; found ${name}. ${hint}`,
    suggestions: close,
  };
}

/** The wire format for a model: the config's › a pasted endpoint's › the one known for the host › the row's. */
export function apiModeOf(
  { builtIn, configured }: Provider,
  { baseUrl, endpointMode }: { baseUrl: string; endpointMode?: ApiMode },
  model: string,
): ApiMode {
  const ofModel = builtIn?.modelModes?.find(([pattern]) => pattern.test(model))?.[1];
  const ofUrl = endpointMode ?? modeOfUrl(baseUrl);
  return configured?.api_mode ?? ofUrl ?? ofModel ?? builtIn?.apiMode ?? "chat_completions";
}

/** What the provider's base URL is followed by for a model, where it depends on the model. */
export function pathOfModel({ builtIn }: Provider, model: string): string | undefined {
  return builtIn?.modelPaths?.find(([pattern]) => pattern.test(model))?.[1];
}

export function defaultModelOf({ builtIn, configured }: Provider): string | undefined {
  return configured?.default_model ?? builtIn?.defaultModel;
}

/** Returns whether this provider's model ids contain slashes. */
export function isAggregator({ builtIn, configured }: Provider): boolean {
  const ids = [...Object.keys(configured?.models ?? {}), configured?.default_model ?? ""];
  return builtIn?.aggregator === true || ids.some((id) => id.includes("/"));
}

/**
 * Whether this is an endpoint of the user's own, which serves ids of any form: `openai/gpt-oss-120b`, `Qwen/Qwen3-32B`.
 * @param baseUrl where it is asked: a built-in provider's address may be moved
 */
export function isOwnEndpoint({ builtIn }: Provider, baseUrl: string | undefined): boolean {
  return builtIn === undefined || (baseUrl !== undefined && originOf(baseUrl) !== originOf(builtIn.baseUrl));
}
