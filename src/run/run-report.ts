/** Report of a run for a model, computed from the run. */
import { conflictInWords } from "../conflict.ts";
import type { Report, ReportedOpen, ReportedResult } from "../report.ts";
import { type ChildStats, costOf, type Result, resultOf } from "../result.ts";
import { roundUsd } from "../text/money.ts";
import { shortLine } from "../text/short-line.ts";
import { present } from "../values/present.ts";
import { secondsIn } from "../values/seconds.ts";
import { setAsideReason } from "./crash-loop.ts";
import { allChildren, hasEnded, isOver, type Run, type RunChild, resultsOf } from "./run.ts";
import { isAtWork, type RunListing } from "./run-store.ts";

/** @param now milliseconds since the epoch */
export function reportOf({ run, owner }: RunListing, now: number): Report {
  const { delegationId, children, warnings } = run;
  const { total_cost_usd, total_duration_seconds } = resultsOf(run);
  const open = children.filter((child) => !hasEnded(child));
  const reason = setAsideReason({ run, owner });
  return {
    delegation_id: delegationId,
    state: stateOf({ run, owner }),
    tasks: children.length,
    results: children.filter(hasEnded).map(({ tally }) => reportedResult(resultOf(tally))),
    open: open.map((child) => openChild(child, run, now)),
    questions: allChildren(run).flatMap((child) => questionsOf(child, now)),
    total_cost_usd,
    total_duration_seconds,
    warnings: [...warnings.map(({ message }) => message), ...(reason === undefined ? [] : [reason])],
  };
}

/** `paused`: every open child waits for a quota. `unfinished`: the process died. `stopped`: children were interrupted. Both can be resumed. */
export function stateOf({ run, owner }: RunListing): Report["state"] {
  if (run.endedAt !== undefined) return isOver(run) ? "ended" : "stopped";
  if (!isAtWork({ owner })) return "unfinished";
  const open = run.children.filter((child) => !hasEnded(child));
  return open.length > 0 && open.every(({ tally }) => tally.pausedUntil !== undefined) ? "paused" : "running";
}

function reportedResult(result: Result): ReportedResult {
  const { route, error, summary, warnings, output, schema_valid, schema_errors, branch, base, commits } = result;
  return {
    task_index: result.task_index,
    child_id: result.child_id,
    status: result.status,
    exit_reason: result.exit_reason,
    summary,
    summary_chars: summary.length,
    ...present({ output, schema_valid, schema_errors }),
    model: result.model,
    provider: result.provider,
    reasoning_effort: result.reasoning_effort,
    served_models: route?.served_models ?? [],
    fallback_used: route?.fallback_used ?? false,
    cost_usd: result.cost_usd,
    cost_status: result.cost_status,
    duration_seconds: result.duration_seconds,
    files_changed: result.files_changed,
    ...present({ branch, base, commits, conflicts: reportedConflicts(result) }),
    error: error?.message ?? null,
    ...present({ suggestions: error !== null && "suggestions" in error ? error.suggestions : undefined }),
    warnings: warnings.map(({ message }) => message),
  };
}

/** Files named for a conflict. */
const MOST_FILES = 10;

function reportedConflicts({ conflicts = [] }: Result): ReportedResult["conflicts"] {
  if (conflicts.length === 0) return undefined;
  return conflicts.map(({ child_id, files, more_files = 0 }) => {
    const more = files.length + more_files - Math.min(files.length, MOST_FILES);
    const named = files.slice(0, MOST_FILES).map(conflictInWords);
    return { child_id, files: more === 0 ? named : [...named, `and ${more} more`] };
  });
}

/** Current state of a child, or how it ended. */
export function openChild({ tally, activity }: RunChild, { call }: Run, now: number): ReportedOpen {
  const { usd, status } = costOf(tally);
  return {
    task_index: tally.taskIndex,
    child_id: tally.childId,
    goal: shortLine(call.tasks[tally.taskIndex]?.goal),
    activity: "problem" in tally.planned ? "rejected" : activity,
    duration_seconds: secondsIn(durationOf(tally, now)),
    cost_usd: roundUsd(usd),
    cost_status: status,
  };
}

function durationOf({ startedAt, ending, durationMs }: ChildStats, now: number): number {
  if (ending !== undefined) return durationMs;
  return startedAt === undefined ? 0 : Math.max(0, now - startedAt);
}

function questionsOf({ tally, questions }: RunChild, now: number): Report["questions"] {
  return questions.flatMap(({ callId, request, toolName, target, directory, answerBy }) =>
    answerBy === undefined
      ? []
      : [
          {
            child_id: tally.childId,
            call_id: callId,
            request,
            tool: toolName,
            target,
            directory,
            seconds_left: secondsIn(Math.max(0, answerBy - now)),
          },
        ],
  );
}
