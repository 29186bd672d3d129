/**
 * Decides whether a tool call is allowed: by the operator's rules, of which the first match wins; if none matches, by
 * the tool's own default (`otherwise`) and the operator's `approvals`.
 *
 * A pattern matches the whole tool name or target, with `*` for anything. A shell command line is judged command by
 * command, and the strictest decision wins: it is allowed if every command in it is, denied if one of them is. So `git
 * *` does not cover `git status; rm x`. If the line contains more than plain commands (substitutions, redirections to
 * files, assignments, loops, comments), an allowing rule covers it only by naming the whole line without `*`, or by
 * being `*`; a rule that asks or denies covers it if any part of it may be such a command. Rules read the text of a
 * command: they prevent honest mistakes, but cannot control a program that is allowed to run and then does something
 * else.
 */
import { matchesStars } from "../star-pattern.ts";
import type { PermissionRule, ToolSubject } from "../tool.ts";
import { readCommandLine } from "./command-line.ts";

export type PermissionOutcome = PermissionRule["then"];
/** `because` is a clause for users and models: the rule that decided, or that none did. */
export type PermissionDecision = { decision: PermissionOutcome; because: string };

/** The subject of one decision: a path, or one command of a line. */
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
};

const STRICTNESS = { allow: 0, ask: 1, deny: 2 } as const satisfies Record<PermissionOutcome, number>;

/** @param approvals the operator's decision for calls that want approval and match no rule */
export function decidePermission(
  rules: readonly PermissionRule[],
  approvals: PermissionOutcome,
  toolName: string,
  subject: ToolSubject,
): PermissionDecision {
  const relevant = rules.filter(({ tool }) => matchesStars(tool, toolName));
  const decisions = subjectsOf(subject).map((callSubject): PermissionDecision => {
    const rule = relevant.find((each) => covers(each, callSubject));
    if (rule) return { decision: rule.then, because: `${quoted(rule)} says ${rule.then} to ${callSubject.shown}` };
    if (subject.otherwise === "allow") return { decision: "allow", because: "it stays inside the workspace" };
    return {
      decision: approvals,
      because: `no permission rule covers ${callSubject.shown}, and approvals: ${approvals}`,
    };
  });
  return decisions.reduce((strictest, each) =>
    STRICTNESS[each.decision] > STRICTNESS[strictest.decision] ? each : strictest,
  );
}

function subjectsOf({ target, isCommandLine }: ToolSubject): [CallSubject, ...CallSubject[]] {
  const whole: CallSubject = { shown: target, whole: target, certain: target, suspect: [target] };
  if (!isCommandLine) return [whole];
  const { plain, commands } = readCommandLine(target);
  const [first, ...others] = commands.map(
    ({ written, unquoted }): CallSubject => ({
      shown: plain ? written : target,
      whole: target,
      ...(plain ? { certain: written } : { atAnyWord: true }),
      suspect: [target, written, unquoted],
    }),
  );
  // A line without a command is still a line: of blanks, or only of operators.
  return first ? [first, ...others] : [{ shown: target, whole: target, suspect: [target] }];
}

function covers(rule: PermissionRule, { whole, certain, suspect, atAnyWord }: CallSubject): boolean {
  const pattern = rule.match ?? "*";
  if (pattern === "*" || pattern === whole) return true;
  if (rule.then === "allow") return certain !== undefined && matchesStars(pattern, certain);
  return suspect.some((text) => matchesStars(pattern, text) || (atAnyWord && matchesStars(`* ${pattern}`, ` ${text}`)));
}

function quoted({ tool, match }: PermissionRule): string {
  return match === undefined ? `the rule for ${tool}` : `the rule \`${tool}: ${match}\``;
}
