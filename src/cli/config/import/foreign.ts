/** What the imports from agent programs share: where notes go, MCP servers, and the result, which always loads. */
import type { ConversionNotes, Fields } from "../../../config/consume.ts";
import { keyLikes } from "../../../config/document.ts";
import { fittingConfig, type Imported, removeAt, variablesOf } from "./hermes.ts";
import type { KnownProviders } from "./hermes-providers.ts";
import { importedServers } from "./mcp-servers.ts";
import { holdsKey } from "./rules.ts";

export type ForeignConversion = ConversionNotes & {
  known: KnownProviders;
  /** A note that is given once, however often it applies. */
  once(text: string): void;
  /** Converts a map of MCP servers. */
  mcpServers(servers: Fields, path: string): Fields;
};

/** Converts a program's files, which it consumes; every part of them is in the config or in a note. */
export type Convert = (files: readonly Fields[], conversion: ForeignConversion) => Fields;

export function convertForeign(convert: Convert, files: readonly Fields[], known: KnownProviders): Imported {
  const notes: string[] = [];
  const unmatched: string[] = [];
  const conversion: ForeignConversion = {
    known,
    note: (text) => notes.push(text),
    once: (text) => notes.includes(text) || notes.push(text),
    rest: (fields, path) => unmatched.push(...Object.keys(fields).map((key) => (path === "" ? key : `${path}.${key}`))),
    mcpServers: (servers, path) => importedServers(servers, path, conversion),
  };
  const config = withoutEmptyParts(
    convert(
      files.map((file) => structuredClone(file)),
      conversion,
    ),
  );
  for (const path of keyLikes(config)) {
    removeAt(config, path);
    notes.push("A part is omitted, because it may be a key in a place where none belongs.");
  }
  const fitting = fittingConfig(config, conversion);
  if (unmatched.length > 0)
    notes.push(`Deputy has no counterpart for these: ${[...new Set(unmatched)].sort().join(", ")}.`);
  return { config: fitting, notes: loudFirst(notes), literalKeys: [], variables: variablesOf(fitting) };
}

function loudFirst(notes: readonly string[]): string[] {
  const isLoud = (note: string) => note.startsWith("WARNING");
  return [...notes.filter(isLoud), ...notes.filter((note) => !isLoud(note))];
}

function withoutEmptyParts(config: Fields): Fields {
  return Object.fromEntries(
    Object.entries(config).filter(
      ([, value]) =>
        value !== undefined && (typeof value !== "object" || value === null || Object.keys(value).length > 0),
    ),
  );
}

/** A URL may contain a key before `@` or after `?`; such a one is not copied. */
export function safeBaseUrl(url: string | undefined, path: string, { note }: ConversionNotes): string | undefined {
  const plain = url?.replace(/\{env:(\w+)\}/g, (_, name: string) => `\u0024{${name}}`).replace(/\/+$/, "");
  if (plain === undefined || (!/[?@]/.test(plain) && !holdsKey(plain))) return plain;
  note(`${path}: its URL is not copied, because it may contain a key.`);
  return undefined;
}
