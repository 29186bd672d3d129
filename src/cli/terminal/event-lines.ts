/**
 * Lines for the events of a run that are worth keeping on the screen or in a log. Both views print these; the tree adds
 * transient rows. Reads the folded run, which already contains the event.
 */

import type { SiblingConflict } from "../../conflict.ts";
import type { Denial, Event } from "../../event.ts";
import { type Result, resultOf } from "../../result.ts";
import {
  ancestorPrefix,
  callInWords,
  canGoOn,
  hasEnded,
  isRejected,
  leftOutInWords,
  minuteOf,
  parseRunId,
  type Run,
  type RunChild,
  runIn,
  type Steer,
} from "../../run/run.ts";
import { formatUsd } from "../../text/money.ts";
import { commandInLine } from "../../text/spelled-text.ts";
import { wantedCall } from "../../text/wanted-call.ts";
import { allowHint } from "../approvals/allow-hint.ts";
import type { Paint } from "../io.ts";
import { conflictText } from "./file-changes.ts";
import { formatCount, formatDuration, formatOutcome, formatReason, formatRoute, plural } from "./format.ts";
import { displayWidth, fit, oneLine } from "./terminal-text.ts";

export type LineFormat = {
  /** Includes every step, tool call and approval, not only how each child ended. */
  verbose: boolean;
  /** Approval requests are shown here, in full. */
  asksHere?: boolean;
  paint: Paint;
  /** Maximum width of a line in cells; the goal is shortened first. */
  columns: () => number;
};

/** Width of the command or path of a denied call. */
const DENIED_COLUMNS = 200;

/** A finished line may wrap so that its goal stays recognizable. */
const LEAST_GOAL_COLUMNS = 40;

export function formatEvent(event: Event, root: Run, format: LineFormat): string[] {
  const run = runIn(root, event.delegationId) ?? root;
  const indent = "  ".repeat(run.depth - root.depth);
  const columns = () => format.columns() - indent.length;
  return formatRunEvent(event, run, { ...format, columns }).map((line) => indent + line);
}

function formatRunEvent(event: Event, run: Run, format: LineFormat): string[] {
  if ("copied" in event && event.copied) return [];
  if (event.kind === "delegation-start") return opening(run, format);
  if (event.kind === "delegation-resume") return resumption(event, run, format);
  const childId = subjectOf(event);
  const child = childId === undefined ? undefined : childOf(run, childId);
  if (child === undefined) return aboutRun(event, run, format);
  if (event.kind === "child-end") {
    const remarks = child.steers.flatMap(({ state, text }) => {
      const fate = LEFT_MESSAGE[state];
      return fate === undefined ? [] : [noteLine({ sign: "!", text: `${fate}: ${text}` }, child, run, format)];
    });
    return [finishedLine(resultOf(child.tally), run, format), ...remarks];
  }
  const remark = child.tally.carriedFrom === undefined ? noteOn(event, format) : undefined;
  if (remark === undefined) return [];
  const output = format.verbose ? lastOutput(event).map((line) => format.paint("dim", `  ${line}`)) : [];
  return [noteLine(remark, child, run, format), ...output];
}

/** What becomes of a message that a child has not received at its end. */
const LEFT_MESSAGE: Partial<Record<Steer["state"], string>> = {
  missed: "ended before it received the message",
  queued: "was stopped before it received the message, which deputy resume delivers",
};

/** The child that an event concerns, or that a request targets. */
function subjectOf(event: Event): string | undefined {
  if ("childId" in event) return event.childId;
  return "target" in event ? event.target : undefined;
}

function childOf(run: Run, childId: string): RunChild | undefined {
  return run.children[parseRunId(childId).taskIndex ?? -1];
}

function opening(run: Run, format: LineFormat): string[] {
  const { paint } = format;
  const head = `${paint("bold", plural(run.children.length, "task"))} · run ${run.delegationId}${originNote(run)}`;
  const planWarnings = run.children
    .filter(isOwn)
    .flatMap((child) =>
      child.tally.warnings.map((warning) => noteLine({ sign: "!", text: warning.message }, child, run, format)),
    );
  const rejected = run.children.filter(isRejected).map((child) => finishedLine(resultOf(child.tally), run, format));
  return [
    head,
    ...run.warnings.map((warning) => paint("yellow", `! ${oneLine(warning.message)}`)),
    ...planWarnings,
    ...rejected,
  ];
}

/** ` · retry of 7f3a · 2 carried over`, or ` · from step 4 of 7f3a.2`. */
function originNote({ retryOf, forkOf, children }: Run): string {
  if (forkOf !== undefined) return ` · from step ${forkOf.step} of ${forkOf.from}`;
  if (retryOf === undefined) return "";
  const carried = children.filter((child) => !isOwn(child)).length;
  return ` · retry of ${retryOf}${carried === 0 ? "" : ` · ${carried} carried over`}`;
}

/** Returns whether a child works itself: it does not take over the result of an earlier one. */
function isOwn({ tally }: RunChild): boolean {
  return tally.carriedFrom === undefined;
}

function resumption(
  { blocked = {} }: Event & { kind: "delegation-resume" },
  run: Run,
  { paint }: LineFormat,
): string[] {
  const finished = run.children.filter((child) => hasEnded(child) && !canGoOn(child)).length;
  const head = paint("bold", plural(run.children.length, "task"));
  return [
    `${head} · run ${run.delegationId} resumed · ${finished} finished before`,
    ...Object.entries(blocked).map(([childId, why]) => paint("yellow", `! ${oneLine(leftOutInWords(childId, why))}`)),
  ];
}

function aboutRun(event: Event, run: Run, { paint }: LineFormat): string[] {
  if (event.kind === "conflict-check") return conflictLines(event.conflicts, run).map((line) => paint("yellow", line));
  return event.kind === "stop-request" ? [paint("yellow", `! stopping: ${oneLine(event.by)}`)] : [];
}

/** Pairs of children named at the end of a run. */
const MOST_PAIRS = 10;

/** `! [1/3] and [2/3] do not merge: src/a.ts lines 10–14`. */
function conflictLines(conflicts: readonly SiblingConflict[], run: Run): string[] {
  const lines = conflicts.slice(0, MOST_PAIRS).map(({ children, ...files }) => {
    const [one, other] = children.map((id) => taskPosition(parseRunId(id).taskIndex ?? -1, run));
    return `! ${one} and ${other} do not merge: ${conflictText(files)}`;
  });
  const more = conflicts.length - lines.length;
  return more === 0
    ? lines
    : [...lines, `! ${plural(more, "more pair")} of children ${more === 1 ? "does" : "do"} not merge`];
}

/** `✓ [1/3] Write a haiku about a lion. (4.7s · glm-4.7 @ zai · $0.0012)`, or `✗ …` with the reason. */
export function finishedLine(result: Result, run: Run, { paint, columns }: LineFormat): string {
  const completed = result.status === "completed";
  const sign = completed ? paint("green", "✓") : paint("red", "✗");
  const place = taskPosition(result.task_index, run);
  const outcome = oneLine(`(${formatOutcome(result)})`);
  const room = columns() - displayWidth(`✓ ${place}  ${outcome}`);
  const goal = goalIn(run, result.task_index, Math.max(room, LEAST_GOAL_COLUMNS));
  const line = `${sign} ${place} ${goal} ${paint("dim", outcome)}`;
  return completed ? line : `${line} ${paint("red", oneLine(formatReason(result)))}`;
}

/**
 * `[1/3]`: children count from 1, padded so that the lines of a run align. `[2›1/3]`: a child of the second child;
 * `[2.3›1/3]`: of its third delegation.
 */
export function taskPosition(taskIndex: number, run: Run): string {
  const total = String(run.children.length);
  return `[${ancestorPrefix(run)}${String(taskIndex + 1).padStart(total.length)}/${total}]`;
}

/** A task's goal on one line of the given width. */
export function goalIn(run: Run, taskIndex: number, columns: number): string {
  return fit(oneLine(run.call.tasks[taskIndex]?.goal ?? ""), columns);
}

export type Note = { sign: string; text: string };

/** Describes an event, without naming its child. */
export function noteOn(event: Event, { verbose, asksHere }: Pick<LineFormat, "verbose" | "asksHere">) {
  const isAskedHere = event.kind === "approval-ask" && asksHere;
  return (isAskedHere ? undefined : notable(event)) ?? (verbose ? detail(event) : undefined);
}

function noteLine({ sign, text }: Note, child: RunChild, run: Run, { paint }: LineFormat): string {
  const line = `${sign} ${taskPosition(child.tally.taskIndex, run)} ${oneLine(text)}`;
  return paint(sign === "!" || sign === "?" ? "yellow" : "dim", line);
}

/** Events that matter to the user even if everything succeeds in the end. */
function notable(event: Event): Note | undefined {
  switch (event.kind) {
    case "child-warn":
      return { sign: "!", text: event.warning.message };
    case "attempt-start":
      if (event.position === 0) return undefined;
      return { sign: "!", text: `fallback: now on ${formatRoute(event)}` };
    case "step-fail":
      if (event.recovery.action === "next-key")
        return { sign: "!", text: `${event.failure.kind}, trying another key: ${event.failure.message}` };
      if (event.recovery.action === "pause")
        return {
          sign: "!",
          text: `paused until ${minuteOf(event.at + event.recovery.delayMs)}: ${event.failure.message}`,
        };
      if (event.recovery.action !== "retry") return undefined;
      return { sign: "!", text: `${event.failure.kind}, trying again: ${event.failure.message}` };
    case "budget-wait":
      return { sign: "·", text: `waiting for budget: siblings have reserved ${formatUsd(event.heldUsd)}` };
    case "approval-ask":
      if (event.answerBy === undefined) return undefined;
      return { sign: "?", text: `${asked(event)} · deputy approve ${event.childId}` };
    case "approval-end":
      return !event.allowed || event.answerId === undefined ? undefined : { sign: "·", text: `allowed by ${event.by}` };
    case "tool-end":
      if (event.denial !== undefined) return { sign: "!", text: denied(event, event.denial) };
      if (event.outcome !== "unknown") return undefined;
      return { sign: "!", text: `${event.name} ${event.target}: interrupted, outcome unknown` };
    case "stop-request":
      return { sign: "!", text: `stopping: ${event.by}` };
    case "steer-request":
      return { sign: "→", text: `${event.by}: ${event.text}` };
    default:
      return undefined;
  }
}

/** Names the call, the reason and, if it was denied because nobody decided, the flag that allows it. */
function denied({ name, target }: Extract<Event, { kind: "tool-end" }>, { by, reason }: Denial): string {
  const call = `\`${name}: ${fit(commandInLine(target), DENIED_COLUMNS)}\``;
  if (by !== "nobody" && by !== "timeout")
    return reason.startsWith("denied") ? `${call} ${reason}` : `${call} denied: ${reason}`;
  const because = by === "nobody" ? "nobody can answer here." : reason;
  return `${call} denied: ${because} ${allowHint(name, target)}`;
}

function asked(event: Extract<Event, { kind: "approval-ask" }>): string {
  const { name, target, directory } = event;
  return `asks to ${wantedCall(name, event)}${directory === undefined ? "" : ` in ${directory}`}: ${commandInLine(target)}`;
}

function commandLine({ name, target, sandboxed }: Extract<Event, { kind: "tool-start" }>): string {
  return `${name}${sandboxed ? " (in the sandbox)" : ""}: ${target}`;
}

/** Lines of a command's output that are shown, and their width. */
const OUTPUT_LINES = 3;
const OUTPUT_COLUMNS = 160;

/** The last lines that a command printed. */
export function lastOutput(event: Event): string[] {
  if (event.kind !== "tool-end" || !/^terminal(_output)?$/.test(event.name) || event.outcome !== "ran") return [];
  const lines = event.text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-OUTPUT_LINES).map((line) => `│ ${fit(oneLine(line), OUTPUT_COLUMNS)}`);
}

/** Labels of messages to a child in addition to its task, by reason. */
const ADDED: Record<Extract<Event, { kind: "message-add" }>["reason"], string> = {
  user: "continues with the user's next message",
  repair: "asked to repair its answer",
  max_iterations: "asked for its final answer",
  max_cost: "asked for its final answer",
  context_full: "asked for its final answer",
  looping: "asked for its final answer",
  empty_answer: "told that its answer was empty",
  text_call: "told how to call tools",
  fork: "continues from there",
  repeated_call: "told that it repeats the same calls",
  limits: "told that it is near its limits",
  steer: "receives the message with its next request",
};

function detail(event: Event): Note | undefined {
  switch (event.kind) {
    case "attempt-start":
      return { sign: "·", text: `starts on ${formatRoute(event)}` };
    case "step-start":
      return { sign: "·", text: `request ${event.step}` };
    case "message-add":
      return { sign: "·", text: ADDED[event.reason] };
    case "step-end": {
      const tokens = event.usage === undefined ? "" : `, ${formatCount(event.usage.output)} tokens`;
      return { sign: "·", text: `answer in ${formatDuration(event.durationMs / 1000)}${tokens}` };
    }
    case "compact-end": {
      if ("failure" in event) return { sign: "!", text: `no summary of its conversation: ${event.failure.message}` };
      const { before, after } = event.tokens;
      return { sign: "·", text: `conversation compacted: about ${formatCount(before)} → ${formatCount(after)} tokens` };
    }
    case "approval-ask":
      return { sign: "·", text: asked(event) };
    case "approval-end":
      return { sign: "·", text: `allowed by ${event.by}` };
    case "worktree-add":
      return { sign: "·", text: `works in ${event.path}, from ${event.baseName} (${event.base.slice(0, 12)})` };
    case "worktree-save":
      return { sign: "·", text: savedText(event) };
    case "pause-end":
      return { sign: "·", text: "continues after its pause" };
    case "tool-start":
      return { sign: "·", text: event.searched === undefined ? commandLine(event) : callInWords(event) };
    case "tool-end": {
      const size = `${formatCount(Buffer.byteLength(event.text))} bytes`;
      const end = event.ok ? "ok" : event.outcome === "ran" ? "failed" : event.outcome;
      return { sign: "·", text: `${event.name} ${end} (${size} in ${formatDuration(event.durationMs / 1000)})` };
    }
    default:
      return undefined;
  }
}

function savedText(event: Extract<Event, { kind: "worktree-save" }>): string {
  if ("error" in event) return `its work could not be saved: ${event.error}`;
  const { branch, commits, files } = event;
  if (commits === 0) return "changed nothing in its copy";
  return `saved on ${branch}: ${plural(commits, "commit")}, ${plural(files.length, "file")}`;
}
