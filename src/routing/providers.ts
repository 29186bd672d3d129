/** The providers there are: the built-in rows with what the config changes of them, and the config's own. */
import type { Config, ProviderConfig } from "../config/schema.ts";
import type { Problem } from "../errors.ts";
import { suggest } from "../nearest.ts";
import type { ApiMode } from "../route.ts";
import { modeOfUrl } from "./endpoints.ts";
import { PROVIDER_TABLE, type ProviderRow, UNSUPPORTED_PROVIDERS } from "./provider-table.ts";

/** A provider as this user has it. `row` is absent for one of the user's own, `entry` for one the config does not name. */
export type Provider = {
  slug: string;
  row?: ProviderRow;
  entry?: ProviderConfig;
  /** Where its config stands, e.g. `providers.zai`. */
  entryPath: string;
};

export type Providers = {
  /** By slug or another name, in any case. */
  find(name: string): { provider: Provider } | { problem: Problem };
  /** The slug that a name stands for; undefined where no provider has it. */
  slugOf(name: string): string | undefined;
  /** Whether two names stand for one provider. */
  isSame(name: string, other: string): boolean;
  all(): readonly Provider[];
};

export function createProviders(config: Pick<Config, "providers">): Providers {
  const builtIn = new Map<string, ProviderRow>();
  for (const row of PROVIDER_TABLE) for (const name of [row.slug, ...(row.otherNames ?? [])]) builtIn.set(name, row);
  const keyOf = (name: string) => builtIn.get(plain(name))?.slug ?? plain(name);
  const known = new Map(PROVIDER_TABLE.map((row) => [row.slug, ofTable(row)]));
  const twice = new Map<string, Problem>();
  for (const [name, entry] of Object.entries(config.providers)) {
    const entryPath = `providers.${name}`;
    const before = known.get(keyOf(name));
    if (before?.entry !== undefined) twice.set(keyOf(name), entryTwice(before.slug, before.entryPath, entryPath));
    known.set(keyOf(name), { slug: name, ...before, entry, entryPath });
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

function ofTable(row: ProviderRow): Provider {
  return { slug: row.slug, row, entryPath: `providers.${row.slug}` };
}

/** Names are compared without regard to case. */
function plain(name: string): string {
  return name.trim().toLowerCase();
}

function entryTwice(slug: string, first: string, second: string): Problem {
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
      message: `Deputy does not speak to ${name} yet. Instead: ${instead}.`,
      suggestions: [...instead.matchAll(/`([a-z-]+)`/g)].map(([, slug = ""]) => slug),
    };
  const names = [...known].flatMap(({ slug, row }) => [slug, ...(row?.otherNames ?? [])]);
  const close = suggest(name, names);
  const hint = close.length > 0 ? `Did you mean ${close.join(" or ")}?` : "`deputy models` lists what there is.";
  return {
    code: "unknown-provider",
    field: "provider",
    message: `Expected a provider Deputy knows, or one under \`providers:\` in the config; found ${name}. ${hint}`,
    suggestions: close,
  };
}

/** The wire format for a model: what the config says › what the host is known to speak › what the row says. */
export function apiModeOf({ row, entry }: Provider, baseUrl: string, model: string): ApiMode {
  const ofModel = row?.modelModes?.find(([pattern]) => pattern.test(model))?.[1];
  return entry?.api_mode ?? modeOfUrl(baseUrl) ?? ofModel ?? row?.apiMode ?? "chat_completions";
}

export function defaultModelOf({ row, entry }: Provider): string | undefined {
  return entry?.default_model ?? row?.defaultModel;
}

/** Whether slashes belong to this provider's model ids. */
export function isAggregator({ row, entry }: Provider): boolean {
  const ids = [...Object.keys(entry?.models ?? {}), entry?.default_model ?? ""];
  return row?.aggregator === true || ids.some((id) => id.includes("/"));
}
