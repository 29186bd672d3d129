/**
 * Cache of the providers' own model lists, as they were last fetched. A list is stored with its base URL and applies
 * only there. It is read offline; nothing is fetched here, and it contains no key.
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

/** A fetched list, indexed. Ids are matched in any case; a dated id is the same model. */
export type Listed = { ids: readonly string[]; factsOf(model: string): ModelFacts | undefined };

export type ListCache = {
  /** A provider's list as fetched from this base URL; undefined if there is none. */
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

/** Reads the lists in the state directory; an unreadable file counts as none, with a warning. */
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

/** Adds lists to the cache, replacing those with the same provider and base URL. */
export function saveLists(stateDir: string, fetched: readonly FetchedList[], now: Date): void {
  const read = readLists(stateDir);
  const isNew = ({ provider, baseUrl }: StoredList) =>
    !fetched.some((list) => list.provider === provider && list.baseUrl === baseUrl);
  const kept = "lists" in read ? read.lists.filter(isNew) : [];
  const added = fetched.map((list) => ({ ...list, fetchedAt: now.toISOString() }));
  writePrivateFile(fileIn(stateDir), `${JSON.stringify({ version: 1, lists: [...kept, ...added] })}\n`);
}

/** Changes whenever the lists change. */
export function listCacheStamp(stateDir: string): string {
  const found = statSync(fileIn(stateDir), { throwIfNoEntry: false });
  return found === undefined ? "none" : `${found.ino} ${found.mtimeMs} ${found.size}`;
}

function readLists(stateDir: string): { lists: StoredList[] } | { warning: Warning } {
  const path = fileIn(stateDir);
  try {
    const text = readPrivateFile(path, "the cached model lists");
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
