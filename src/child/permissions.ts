/**
 * Decides whether a tool call is allowed: by the operator's rules, of which the first match wins; if none matches, by
 * the tool's own default (`otherwise`) and the operator's `approvals`.
 *
 * A pattern matches the whole tool name or target, with `*` for anything. Files are judged in `file-rules.ts`. A shell
 * command line is judged command by command, and the strictest decision wins: it is allowed if every command in it is,
 * denied if one of them is. So `git *` does not cover `git status; rm x`. If the line contains more than plain commands
 * (substitutions, redirections to files, assignments, loops, comments), an allowing rule covers it only by naming the
 * whole line without `*`, or by being `*`; a rule that asks or denies covers it if any part of it may be such a
 * command. The same applies to a line that names a protected file: one with secrets, or one that a rule for files
 * protects. Rules read the text of a command: they prevent honest mistakes, but cannot control a program that is allowed
 * to run and then does something else. Pages are judged in `url-rules.ts`.
 */
import { matchesStars } from "../text/star-pattern.ts";
import type { FileSubject, PermissionDecision, PermissionRule, ToolSubject } from "../tool.ts";
import { readCommandLine } from "./command-line.ts";
import {
  createFileJudge,
  createProtection,
  namesFile,
  type Permissions,
  quoted,
  restrictsPath,
  strictestOf,
} from "./file-rules.ts";
import { createPageJudge } from "./url-rules.ts";

export type PermissionOutcome = PermissionRule["then"];

/** The subject of one decision: the target of a call, or one command of a line. */
type CallSubject = {
  /** The text for users. */
  shown: string;
  /** The whole target: a rule that names it without `*` covers it. */
  whole: string;
  /** The text that an allowing pattern must match; undefined if no pattern can be certain. */
  certain?: string;
  /** Texts that a pattern of a stricter rule may match. */
  suspect: string[];
  /** A stricter rule's pattern may start at any word. */
  atAnyWord?: boolean;
  /** Words of a command that may be paths. */
  paths: readonly string[];
};

/** A path that a command names, and why it is protected. */
type ProtectedPath = { path: string; because: string };

/**
 * @param approvals the operator's decision for calls that want approval and match no rule
 * @param named hosts that the user's own words name
 */
export function decidePermission(
  rules: readonly PermissionRule[],
  approvals: PermissionOutcome,
  toolName: string,
  subject: ToolSubject,
  named: readonly string[] = [],
): PermissionDecision {
  const decided = decideByRules(rules, approvals, toolName, subject, named);
  const { changed: because } = subject;
  return because === undefined || decided.decision === "deny" ? decided : { decision: "ask", because, isChanged: true };
}

function decideByRules(
  rules: readonly PermissionRule[],
  approvals: PermissionOutcome,
  toolName: string,
  subject: ToolSubject,
  named: readonly string[],
): PermissionDecision {
  const permissions = { rules, otherwise: approvals };
  const { reads = [] } = subject;
  if (subject.file) {
    const judge = createFileJudge(permissions, toolName, subject.file.roots);
    return strictestOf([judge(subject.file), ...(subject.otherFiles ?? []).map(judge)]);
  }
  if (subject.isPage) return createPageJudge(permissions, toolName, named)(subject);
  const relevant = rules.filter(({ tool }) => matchesStars(tool, toolName));
  const protectionOf = createProtection(permissions);
  const [first, ...others] = subjectsOf(subject);
  const decide = (callSubject: CallSubject) => decideOn(callSubject, relevant, protectionOf, subject, permissions);
  return strictestOf([
    decide(first),
    ...others.map(decide),
    ...reads.map((file) => decideOnRead(file, toolName, permissions)),
  ]);
}

/** A path that a sandbox does not show: a rule for the tool itself has to allow it. */
function decideOnRead(file: FileSubject, toolName: string, permissions: Permissions): PermissionDecision {
  const { ground, ...decided } = createFileJudge(permissions, toolName)(file);
  const isOfTool = typeof ground === "object" && matchesStars(ground.tool, toolName);
  if (decided.decision !== "allow" || isOfTool) return decided;
  const because = `the sandbox does not show ${file.names[0]}, and approvals: ${permissions.otherwise}`;
  return { decision: permissions.otherwise, because };
}

function decideOn(
  callSubject: CallSubject,
  rules: readonly PermissionRule[],
  protectionOf: (path: string) => string | undefined,
  { otherwise, sandboxed }: ToolSubject,
  { otherwise: approvals }: Permissions,
): PermissionDecision {
  const { shown } = callSubject;
  const secured = callSubject.paths.flatMap((path): ProtectedPath[] => {
    const because = protectionOf(path);
    return because === undefined ? [] : [{ path, because }];
  });
  const rule = rules.find((each) => covers(each, callSubject, secured));
  if (rule) return { decision: rule.then, because: `${quoted(rule)} says ${rule.then} to ${shown}` };
  const [reason] = secured;
  if (otherwise === "allow" && reason === undefined)
    return { decision: "allow", because: sandboxed ? "it runs in the sandbox" : "it stays inside the workspace" };
  const because = `no permission rule covers ${shown}, and approvals: ${approvals}`;
  if (reason === undefined) return { decision: approvals, because };
  return { decision: approvals, because: `${reason.because}, ${because}`, holdsSecrets: true };
}

function subjectsOf({ target, isCommandLine }: ToolSubject): [CallSubject, ...CallSubject[]] {
  const whole: CallSubject = { shown: target, whole: target, certain: target, suspect: [target], paths: [] };
  if (!isCommandLine) return [whole];
  const { plain, commands } = readCommandLine(target);
  const [first, ...others] = commands.map(
    ({ written, unquoted, paths }): CallSubject => ({
      shown: plain ? written : target,
      whole: target,
      ...(plain ? { certain: written } : { atAnyWord: true }),
      suspect: [target, written, unquoted],
      paths,
    }),
  );
  // A line without a command is still a line: of blanks, or only of operators.
  return first ? [first, ...others] : [{ shown: target, whole: target, suspect: [target], paths: [] }];
}

function covers(rule: PermissionRule, subject: CallSubject, secured: readonly ProtectedPath[]): boolean {
  const { whole, certain, suspect, atAnyWord, paths } = subject;
  const pattern = rule.match ?? "*";
  if (pattern === "*" || pattern === whole) return true;
  if (rule.then !== "allow") {
    const isSuspect = (text: string) =>
      matchesStars(pattern, text) || (atAnyWord === true && matchesStars(`* ${pattern}`, ` ${text}`));
    return suspect.some(isSuspect) || restrictsPath(rule, paths);
  }
  if (certain === undefined || !matchesStars(pattern, certain)) return false;
  const words = pattern.includes("*") ? pattern.split(/\s+/) : [];
  return pattern === certain || secured.every(({ path }) => words.some((word) => namesFile(word, path)));
}
