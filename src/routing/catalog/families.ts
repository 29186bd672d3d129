/**
 * Model families as names: `haiku` means the newest haiku in the catalog. The highest version wins, then the plain name
 * before dated and preview ones. If several names of one version remain, the user chooses, unless one of them
 * is of the line of a provider's default.
 */

import { BUILT_IN_PROVIDERS } from "./built-in-providers.ts";
import { withoutDate } from "./model-table.ts";

/** All of Claude's families have ids of these forms: one that is newer than the table is found by its name. */
const claudeIds = (family: string) => [`claude-${family}-#`, `claude-#-${family}`];

/**
 * Position of the version in a family's ids (`#`). Ids are matched in lower case, without the vendor before a slash.
 */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  haiku: claudeIds("haiku"),
  sonnet: claudeIds("sonnet"),
  opus: claudeIds("opus"),
  fable: claudeIds("fable"),
  gpt: ["gpt-#"],
  "gpt-mini": ["gpt-#-mini"],
  codex: ["gpt-#-codex"],
  o3: ["o(?=3)#"],
  o4: ["o(?=4)#"],
  gemini: ["gemini-#"],
  flash: ["gemini-#-flash"],
  pro: ["gemini-#-pro"],
  grok: ["grok-#"],
  deepseek: ["deepseek-v?#"],
  llama: ["(?:meta-)?llama-?v?#"],
  qwen: ["qwen-?#"],
  minimax: ["minimax-m?#"],
  nemotron: ["nemotron-#"],
  kimi: ["kimi-k?#"],
  glm: ["glm-#"],
  step: ["step-#"],
  mimo: ["mimo-v?#"],
};

/** `4`, `4.5`, `4-5`, `4p5`; the second number must not be a size (`8b`) or a date (`0709`). */
const VERSION = String.raw`(?<version>\d+(?:[.p-]\d{1,2}(?![\da-z]))?)(?![\da-z])`;
/** Models for other purposes than conversation with tools, or offered under special terms (`:free`). */
const SPECIAL =
  /:|\b(image|audio|tts|live|realtime|voice|transcribe|embedding|guard|safety|search|ocr|vl|multi-agent)\b/;

export const FAMILY_NAMES = Object.keys(FAMILIES);

/** The family that a word names, ignoring case and dashes. */
export function familyNamed(word: string): string | undefined {
  const name = plainForm(word);
  return Object.hasOwn(FAMILIES, name) ? name : undefined;
}

/** The family that a word may name without being in the table: one word, as Claude's are. */
export function possibleFamily(word: string): string | undefined {
  const name = plainForm(word);
  return /^[a-z]{3,20}$/.test(name) ? name : undefined;
}

/** Normalizes an id: case, blanks, dots, dashes and underscores make no difference. */
export function plainForm(id: string): string {
  return id
    .trim()
    .toLowerCase()
    .replaceAll(/[\s._-]+/g, "-");
}

/** The id without the vendor before its slash. */
export function bareId(id: string): string {
  return id.slice(id.lastIndexOf("/") + 1);
}

/**
 * Sorts ids by version, newest first, among those with the same maker and first word (`claude`). These groups keep the
 * order in which they first appear, and ids without a version come last in theirs.
 */
export function newestFirst(ids: readonly string[]): string[] {
  const lines = Map.groupBy(ids, (id) => /^(.*\/)?[a-z]*/i.exec(id)?.[0].toLowerCase() ?? "");
  const versionIn = (id: string) => {
    const version = versionNumber(/\d+(?:[.p-]\d{1,2}(?![\da-z]))?/.exec(bareId(id).toLowerCase())?.[0] ?? "0");
    return version < 100 ? version : 0;
  };
  return [...lines.values()].flatMap((line) => line.toSorted((one, other) => versionIn(other) - versionIn(one)));
}

type FamilyMember = { id: string; version: number; rank: number };

/** The newest of a family's models among `ids`: none, one, or several between which only the user can choose. */
export function newestOf(family: string, ids: readonly string[]): string[] {
  const forms = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : claudeIds(family);
  const patterns = (forms ?? []).map((text) => new RegExp(`^${text.replace("#", VERSION)}(?<rest>.*)$`));
  const members = ids.flatMap((id) => memberOf(id, patterns));
  const version = Math.max(...members.map((member) => member.version));
  const newest = members.filter((member) => member.version === version);
  const rank = Math.min(...newest.map((member) => member.rank));
  const best = newest.filter((member) => member.rank === rank).map(({ id }) => id);
  const leading = best.filter((id) => !best.some((other) => id.startsWith(`${other}-`)));
  const defaults = leading.filter((id) => DEFAULT_LINES.has(lineOf(id)));
  return defaults.length === 1 ? defaults : leading;
}

/** Lines of the providers' default models: `gpt-6-sol` and `gpt-6.2-sol` are one. */
const DEFAULT_LINES = new Set(BUILT_IN_PROVIDERS.map(({ defaultModel }) => lineOf(defaultModel ?? "")));

function lineOf(id: string): string {
  return bareId(id)
    .toLowerCase()
    .replaceAll(/[\d.]+/g, "#");
}

function memberOf(id: string, patterns: readonly RegExp[]): FamilyMember[] {
  const name = bareId(id).toLowerCase();
  const found = SPECIAL.test(name) ? undefined : patterns.map((pattern) => pattern.exec(name)).find(Boolean)?.groups;
  if (found === undefined) return [];
  return [{ id, version: versionNumber(found.version ?? ""), rank: rankOf(found.rest ?? "") }];
}

/** Makers count in decimals: grok-4.20 came before grok-4.3. */
function versionNumber(text: string): number {
  return Number(text.replace(/[p-]/, "."));
}

/** Ranks plain names first, then dated, preview, and other ones. */
function rankOf(rest: string): number {
  if (rest === "") return 0;
  if (withoutDate(rest) === "" || /^-\d{4}$/.test(rest)) return 1;
  return /^-(preview|exp|beta)[-\d]*$/.test(rest) ? 2 : 3;
}
