/**
 * Whether a tool call may happen: the operator's rules, first match wins; where none matches, what the tool says of
 * itself (`otherwise`) and the operator's `approvals`.
 *
 * A pattern is the whole tool name or target, `*` standing for anything. A shell command line is judged command by
 * command and the strictest decision holds: it is allowed when every command in it is, denied when one of them is. So
 * `git *` does not cover `git status; rm x`. Where the line holds more than plain commands (substitutions, redirections
 * to files, assignments, loops, comments), an allowing rule covers it only by naming the whole line without `*`, or by
 * being `*`; a rule that asks or denies covers it when any part of it may be such a command. Rules read what is written:
 * they keep honest mistakes away, not a program that is allowed to run and then does something else.
 */
import { matchesStars } from "../star-pattern.ts";
import type { PermissionRule, ToolSubject } from "../tool.ts";
import { readCommandLine } from "./command-line.ts";

export type PermissionOutcome = PermissionRule["then"];
/** `because` is a clause for people and models: which rule decided, or that none did. */
export type PermissionDecision = { decision: PermissionOutcome; because: string };

/** What one decision is about: a path, or one command of a line. */
type CallSubject = {
  /** What a person reads. */
  shown: string;
  /** The whole target: a rule that names it without `*` covers it. */
  whole: string;
  /** What an allowing pattern must match; undefined where no pattern can tell. */
  certain?: string;
  /** What a pattern of a stricter rule may match. */
  suspect: string[];
  /** A stricter rule's pattern may begin at any word. */
  atAnyWord?: boolean;
};

const STRICTNESS = { allow: 0, ask: 1, deny: 2 } as const satisfies Record<PermissionOutcome, number>;

/**
 * @param approvals the operator's answer for calls that want approval and that no rule decides
 */
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
  // A line without a command still is a line: of blanks, or of nothing but signs.
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
