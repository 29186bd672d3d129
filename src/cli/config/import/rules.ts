/**
 * Permission rules of other programs as Deputy's. A rule never allows more than it did: what cannot be expressed exactly
 * becomes stricter, or is left out and reported; a left-out denial is reported first and loudly.
 */
import type { ConversionNotes } from "../../../config/consume.ts";
import { withoutKeyLikes } from "../../../secret.ts";
import type { PermissionRule } from "../../../tool.ts";
import { present } from "../../../values/present.ts";

export type RuleDecision = PermissionRule["then"];

/** A rule as it is written there, for notes. */
export type ForeignRule = { written: string; then: RuleDecision };

export const WRITERS = ["write_file", "edit_file"];
const READERS = ["read_file", "grep", "glob", "list_dir"];

export type RuleNotes = Pick<ConversionNotes, "note">;

/** Reports that a rule was left out. Rules are shown without what may be a key. */
export function leaveOut({ written, then }: ForeignRule, reason: string, { note }: RuleNotes): PermissionRule[] {
  const warning = then === "deny" ? "WARNING: this denial is not taken, so Deputy does not deny it: " : "";
  note(`${warning}${then} ${shown(written)}: ${reason}.`);
  return [];
}

/** Reports a rule for what children cannot do: even its denial is not needed. */
export function leaveOutUnneeded(
  { written, then }: ForeignRule,
  reason: string,
  { note }: RuleNotes,
): PermissionRule[] {
  note(`${then} ${shown(written)}: not needed: ${reason}.`);
  return [];
}

function shown(written: string): string {
  return CREDENTIALS.test(written) ? "[not shown]" : withoutKeyLikes(written);
}

/** Rules for commands. A pattern that ends with ` *` covers the command without arguments too. */
export function commandRules(rule: ForeignRule, pattern: string, notes: RuleNotes): PermissionRule[] {
  if (pattern.trim() === "") return leaveOut(rule, "its pattern is empty", notes);
  if (holdsKey(pattern)) return leaveOut(rule, "it contains what may be a key", notes);
  const matches = pattern.endsWith(" *") ? [pattern.slice(0, -2), pattern] : [pattern];
  return matches.map((match) => ruleFor("terminal", match, rule.then));
}

/** Rules for files: `reads` or `writes`, at a path pattern or everywhere. */
export function fileRules(
  rule: ForeignRule,
  access: "reads" | "writes",
  pattern: string | undefined,
  notes: RuleNotes,
): PermissionRule[] {
  if (pattern?.trim() === "") return leaveOut(rule, "its pattern is empty", notes);
  if (pattern !== undefined && holdsKey(pattern)) return leaveOut(rule, "it contains what may be a key", notes);
  // Rules for read_file also hold for the files that other tools show, and that commands name.
  const tools =
    access === "writes" ? WRITERS : pattern === undefined && rule.then !== "allow" ? READERS : ["read_file"];
  return tools.map((tool) => ruleFor(tool, pattern, rule.then));
}

/** Rules for searches in the web. A pattern there is of the words to search for. */
export function searchRules(rule: ForeignRule, pattern: string | undefined, notes: RuleNotes): PermissionRule[] {
  if (pattern !== undefined) return leaveOut(rule, "its pattern is of what is searched for", notes);
  return [ruleFor("web_search", undefined, rule.then)];
}

export function ruleFor(tool: string, match: string | undefined, then: RuleDecision): PermissionRule {
  return present({ tool, match: match === "*" ? undefined : match, then });
}

/** Commands that were approved with a header in them are common. */
const CREDENTIALS = /\bbearer\s+\S|\bauthorization:|\b(?:password|passwd|secret|token|api[-_]?key)\s*[=:]\s*\S/i;

export function holdsKey(text: string): boolean {
  return withoutKeyLikes(text) !== text || CREDENTIALS.test(text);
}

/** A pattern of .gitignore that denies: what Deputy has no sign for becomes `*`, which covers more. */
export function widened(pattern: string): string {
  return pattern
    .replace(/\[[^\]]*\]|\{[^}]*\}|\?/g, "*")
    .replace(/^(?:~\/|\$HOME\/|\.\/|\/+)/, "")
    .replace(/\/$/, "");
}
