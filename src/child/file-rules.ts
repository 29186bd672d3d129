/**
 * Permission rules for files. A rule that asks or denies matches like a line of .gitignore: the path, any trailing part
 * of it that starts at a name, and everything below a matching directory, in any case and Unicode form. So `secrets/*`
 * covers `app/secrets/a/b`, and `.git/config` covers `sub/.git/config`. A rule that allows matches the whole path
 * exactly.
 *
 * A file is judged under each of its names: where it is, and what leads there. If no rule decides, a file that usually
 * holds secrets needs approval before a tool shows or replaces its content.
 */
import { isSecretFile, mayNameSecretFile } from "../secret-files.ts";
import { compileStars, matchesStars } from "../text/star-pattern.ts";
import type { FileAccess, FileSubject, PermissionDecision, PermissionRule } from "../tool.ts";
import { getOrMake } from "../values/get-or-make.ts";

/** The operator's rules, and the decision for calls that want approval and match no rule. */
export type Permissions = { rules: readonly PermissionRule[]; otherwise: PermissionRule["then"] };

/** `ground` identifies what decided: a rule, or the name of the file. */
export type GroundedDecision = PermissionDecision & { ground?: PermissionRule | "name" };
export type FileJudge = (file: FileSubject) => GroundedDecision;

/** `shows`: the rules for `read_file` apply too. `opens`: the content may be a secret that is shown or lost. */
const ACCESS: Record<FileAccess, { shows: boolean; opens: boolean }> = {
  list: { shows: true, opens: false },
  read: { shows: true, opens: true },
  create: { shows: false, opens: false },
  replace: { shows: false, opens: true },
};

const STRICTNESS = { allow: 0, ask: 1, deny: 2 } as const satisfies Record<PermissionRule["then"], number>;
const INSIDE: GroundedDecision = { decision: "allow", because: "it stays inside the workspace" };

/**
 * Creates the judge of one call's files. It takes linear time in the length of a name.
 * @param roots absolute paths of the directories that names are relative to, the workspace first
 */
export function createFileJudge(
  { rules, otherwise }: Permissions,
  toolName: string,
  roots: readonly string[] = [],
): FileJudge {
  const compiled = new Map<string, CompiledRule[]>();
  const rulesFor = (name: string) => getOrMake(compiled, name, () => compileFor(name, rules, roots));
  const [root = ""] = roots;

  return ({ names, access, rulesOf = [] }) => {
    const [shown] = names;
    const { shows, opens } = ACCESS[access];
    const isSecret = opens && names.some((name) => isSecretFile(name.includes("/") ? name : `${root}/${name}`));
    const own = rulesFor(toolName);
    const others = [...rulesOf, ...(shows ? ["read_file"] : [])].map(rulesFor);
    const lists = [own, ...others.filter((each) => !isSame(own, each))];
    const rule = strictestRule(lists, names, isSecret);
    if (rule === undefined) return isSecret ? bySecretName(shown, toolName, otherwise) : INSIDE;
    return { decision: rule.then, because: `${quoted(rule)} says ${rule.then} to ${shown}`, ground: rule };
  };
}

/** The strictest of the rules that decide on the place and, if they do not allow, on the other names. */
function strictestRule(
  lists: readonly (readonly CompiledRule[])[],
  names: readonly string[],
  isSecret: boolean,
): PermissionRule | undefined {
  let strictest: PermissionRule | undefined;
  for (const [index, name] of names.entries()) {
    const isPlace = index === 0;
    const spelled = folded(name);
    for (const rules of lists) {
      const rule = rules.find((each) => (isPlace || !each.isForAll) && each.covers(name, spelled, isSecret))?.rule;
      if (rule === undefined || (rule.then === "allow" && !isPlace)) continue;
      if (strictest === undefined || STRICTNESS[rule.then] > STRICTNESS[strictest.then]) strictest = rule;
    }
  }
  return strictest;
}

/** Most rules are for every tool. */
function isSame(some: readonly CompiledRule[], others: readonly CompiledRule[]): boolean {
  return some.length === others.length && some.every(({ rule }, index) => rule === others[index]?.rule);
}

function bySecretName(shown: string, toolName: string, otherwise: PermissionRule["then"]): GroundedDecision {
  const because = `${shown} usually holds secrets, no rule such as \`${toolName}: ${shown}\` allows it, and approvals: ${otherwise}`;
  return { decision: otherwise, because, holdsSecrets: true, ground: "name" };
}

/** Judges the files that a running call finds. What the call itself was approved for is allowed. */
export function createFoundJudge(permissions: Permissions, toolName: string, call: FileSubject): FileJudge {
  const judge = createFileJudge(permissions, toolName, call.roots);
  const { ground: granted } = judge(call);
  return (file) => {
    const found = judge(file);
    return found.decision === "ask" && found.ground === granted ? { ...found, decision: "allow" } : found;
  };
}

/**
 * Creates the check of paths that no call reads by itself: words of a command, links of notes, images of a task. A rule
 * for all files does not protect them: it would protect every word.
 * @returns why a path is protected from reading, as a clause, or undefined
 */
export function createProtection({ rules, otherwise }: Permissions): (path: string) => string | undefined {
  const compiled = compileFor("read_file", rules, []).filter(({ isForAll }) => !isForAll);
  return (path) => {
    const isSecret = otherwise !== "allow" && (isSecretFile(path) || mayNameSecretFile(path));
    const spelled = folded(path);
    const found = compiled.find(({ covers }) => covers(path, spelled, isSecret));
    if (found === undefined) return isSecret ? `${path} usually holds secrets` : undefined;
    return found.rule.then === "allow" ? undefined : `${quoted(found.rule)} says ${found.rule.then} to ${path}`;
  };
}

/** Returns whether a rule for files, as one for every tool is, asks or denies one of the paths that a command names. */
export function restrictsPath({ tool, match = "*", then }: PermissionRule, paths: readonly string[]): boolean {
  if (then === "allow" || match === "*" || !matchesStars(tool, "read_file")) return false;
  const covers = compileRestriction(match);
  return paths.some((path) => covers(folded(path)));
}

/** Returns whether a pattern names a file, and does not only include it in "everything there". */
export function namesFile(pattern: string, path: string): boolean {
  const name = pattern.slice(pattern.lastIndexOf("/") + 1);
  return /[^*]/.test(name) && matchesStars(name, path.slice(path.lastIndexOf("/") + 1));
}

export function quoted({ tool, match }: PermissionRule): string {
  return match === undefined ? `the rule for ${tool}` : `the rule \`${tool}: ${match}\``;
}

/** The strictest of several decisions. */
export function strictestOf<Decided extends { decision: PermissionRule["then"] }>(
  decisions: readonly [Decided, ...Decided[]],
): Decided {
  return decisions.reduce((strictest, each) =>
    STRICTNESS[each.decision] > STRICTNESS[strictest.decision] ? each : strictest,
  );
}

// Patterns -----------------------------------------------------------------------------------------------------------

type CompiledRule = {
  rule: PermissionRule;
  isForAll: boolean;
  /** @param spelled the name, folded: a rule that allows expects the name itself */
  covers(name: string, spelled: string, isSecret: boolean): boolean;
};

function compileFor(toolName: string, rules: readonly PermissionRule[], roots: readonly string[]): CompiledRule[] {
  return rules
    .filter(({ tool }) => matchesStars(tool, toolName))
    .map((rule) => {
      const pattern = rule.match ?? "*";
      const isForAll = pattern === "*";
      if (isForAll) return { rule, isForAll, covers: () => true };
      return {
        rule,
        isForAll,
        covers: rule.then === "allow" ? compileAllowance(pattern) : restrictionOf(pattern, roots),
      };
    });
}

function compileAllowance(pattern: string): CompiledRule["covers"] {
  const matches = compileStars(pattern);
  return (name, _, isSecret) => matches(name) && (!isSecret || namesFile(pattern, name));
}

function restrictionOf(pattern: string, roots: readonly string[]): CompiledRule["covers"] {
  const restricts = compileRestriction(pattern, roots);
  return (_, spelled) => restricts(spelled);
}

function compileRestriction(match: string, roots: readonly string[] = []): (spelled: string) => boolean {
  const root = roots.find((directory) => match.startsWith(`${directory}/`)) ?? "";
  const path = match
    .slice(root.length)
    .replaceAll(/\/{2,}/g, "/")
    .replace(/^(?:\.\/|\*\*\/|\/)+/, "")
    .replace(/\/$/, "");
  // `**` between names is any number of them, also none.
  const parts = [...new Set([path, path.replaceAll("/**/", "/")])].map((each) => compileStars(`*/${folded(each)}/*`));
  // The workspace itself is no name, so `.*` does not cover it.
  return (spelled) => (spelled === "." ? path === "." : parts.some((part) => part(`/${spelled}/`)));
}

/** One spelling for all that some file system treats as the same name. */
function folded(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
