/**
 * The providers' own lists of models, as they were last fetched. A list is kept with the base URL it came from and holds
 * for that one alone. It is read offline; nothing is fetched here, and no key is in it.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Warning } from "../../errors.ts";
import type { ModelFacts } from "../../route.ts";
import { readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import type { ModelList } from "./model-list.ts";
import { withoutDate } from "./model-table.ts";

export type FetchedList = { provider: string; baseUrl: string; models: ModelList };

/** A fetched list to look things up in. Ids are found in any case; a dated id names the same model. */
export type Listed = { ids: readonly string[]; factsOf(model: string): ModelFacts | undefined };

export type ListCache = {
  /** A provider's list as fetched from this base URL; undefined where there is none. */
  listOf(provider: string, baseUrl: string): Listed | undefined;
  warnings: Warning[];
};

export const NO_LISTS: ListCache = { listOf: () => undefined, warnings: [] };

const usd = z.number().nonnegative();
const facts = z.strictObject({
  contextWindow: z.int().positive().optional(),
  maxOutputTokens: z.int().positive().optional(),
  price: z.strictObject({ input: usd, output: usd, cachedInput: usd.optional() }).optional(),
  vision: z.boolean().optional(),
  tools: z.boolean().optional(),
});
const stored = z.strictObject({
  version: z.literal(1),
  lists: z.array(
    z.strictObject({
      provider: z.string(),
      baseUrl: z.string(),
      fetchedAt: z.iso.datetime(),
      models: z.record(z.string(), facts),
    }),
  ),
});
type StoredList = z.output<typeof stored>["lists"][number];

/** The lists in the state directory; a file that cannot be read counts as none, with a warning. */
export function readListCache(stateDir: string): ListCache {
  const read = readLists(stateDir);
  if ("warning" in read) return { ...NO_LISTS, warnings: [read.warning] };
  const lists = new Map(
    read.lists.map((list) => [idOf(list.provider, list.baseUrl), listed(list.models as ModelList)]),
  );
  return { listOf: (provider, baseUrl) => lists.get(idOf(provider, baseUrl)), warnings: [] };
}

function listed(models: ModelList): Listed {
  const ids = Object.keys(models);
  const byName = new Map<string, string>();
  for (const id of ids) byName.set(withoutDate(id.toLowerCase()), id);
  for (const id of ids) byName.set(id.toLowerCase(), id);
  return {
    ids,
    factsOf(model) {
      if (Object.hasOwn(models, model)) return models[model];
      const name = model.toLowerCase();
      const id = byName.get(name) ?? byName.get(withoutDate(name));
      return id === undefined ? undefined : models[id];
    },
  };
}

/** Adds lists to those that are there; one of the same provider and base URL is replaced. */
export function saveLists(stateDir: string, fetched: readonly FetchedList[], now: Date): void {
  const read = readLists(stateDir);
  const isNew = ({ provider, baseUrl }: StoredList) =>
    !fetched.some((list) => list.provider === provider && list.baseUrl === baseUrl);
  const kept = "lists" in read ? read.lists.filter(isNew) : [];
  const added = fetched.map((list) => ({ ...list, fetchedAt: now.toISOString() }));
  writePrivateFile(fileIn(stateDir), `${JSON.stringify({ version: 1, lists: [...kept, ...added] })}\n`);
}

/** Changes when the lists do. */
export function listCacheStamp(stateDir: string): string {
  const found = statSync(fileIn(stateDir), { throwIfNoEntry: false });
  return found === undefined ? "none" : `${found.ino} ${found.mtimeMs} ${found.size}`;
}

function readLists(stateDir: string): { lists: StoredList[] } | { warning: Warning } {
  const path = fileIn(stateDir);
  try {
    const text = readPrivateFile(path, "the models that providers listed");
    return { lists: text === undefined ? [] : stored.parse(JSON.parse(text)).lists };
  } catch {
    const message = `${path} cannot be read and is ignored; \`deputy models --refresh\` replaces it.`;
    return { warning: { code: "model-lists-unreadable", message } };
  }
}

function idOf(provider: string, baseUrl: string): string {
  return `${provider} ${baseUrl}`;
}

function fileIn(stateDir: string): string {
  return join(stateDir, "models.json");
}
