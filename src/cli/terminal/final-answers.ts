/** The final output of a run: each answer with its task, route, time and cost, and one line of totals. */

import { formatUsd } from "../../money.ts";
import type { DelegationResult, Result } from "../../result.ts";
import type { Run } from "../../run/run.ts";
import type { Paint } from "../io.ts";
import { taskPosition } from "./event-lines.ts";
import { formatCost, formatDuration, formatOutcome, formatReason, plural } from "./format.ts";
import { harmless, oneLine } from "./terminal-text.ts";

/** @param ephemeral the run cannot be shown later */
export function formatAnswers(run: Run, result: DelegationResult, paint: Paint, ephemeral?: true): string {
  const answers = result.results.map((child) => `${formatAnswer(run, child, paint)}\n`);
  return `\n${answers.join("\n")}\n${formatTotals(run, result, paint, ephemeral)}\n`;
}

/** One child's full answer or, if there is none, the reason. */
export function formatAnswer(run: Run, child: Result, paint: Paint): string {
  const goal = oneLine(run.call.tasks[child.task_index]?.goal ?? "");
  const head = `${paint("bold", `${taskPosition(child.task_index, run)} ${goal.slice(0, 200)}`)}\n`;
  const outcome = paint("dim", oneLine(formatOutcome(child)));
  const reason = child.status === "completed" ? [] : [paint("red", oneLine(formatReason(child)))];
  const summary = harmless(child.summary).trim();
  return [head + outcome, ...reason, ...(summary === "" ? [] : [`\n${summary}`])].join("\n");
}

/** `2 of 3 tasks completed in 4.8s · $0.0031 · 1 tool call denied · deputy show 3f9c`. */
function formatTotals(run: Run, result: DelegationResult, paint: Paint, ephemeral: true | undefined): string {
  const completed = result.results.filter((child) => child.status === "completed").length;
  const denials = result.results.flatMap(({ tool_trace }) => tool_trace.filter(({ denied }) => denied)).length;
  const time = formatDuration(result.total_duration_seconds);
  const parts = [
    `${completed} of ${plural(run.children.length, "task")} completed in ${time}`,
    formatTotalCost(result),
    ...(denials === 0 ? [] : [`${plural(denials, "tool call")} denied`]),
    ...(ephemeral ? [] : [`deputy show ${result.delegation_id}`]),
  ];
  return paint(completed === run.children.length ? "green" : "yellow", parts.join(" · "));
}

/** The sum or, if part of it is unknown, the known part with a note. */
function formatTotalCost(result: DelegationResult): string {
  const isEstimate = result.results.some(({ cost_status }) => cost_status === "estimated");
  if (result.total_cost_usd !== null) {
    return formatCost({ usd: result.total_cost_usd, status: isEstimate ? "estimated" : "known" });
  }
  const known = result.results.reduce((sum, child) => sum + (child.cost_usd ?? 0), 0);
  return known > 0 ? `${formatUsd(known)} and unknown` : "cost unknown";
}
