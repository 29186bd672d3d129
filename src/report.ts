/**
 * A delegation as models read it: results, running children, approval requests, and the next call to make. Long answers
 * share a limit, so that they do not flood the conversation. A truncated answer says where to read the rest.
 */

import { z } from "zod";
import { EFFORTS } from "./route.ts";
import { formatCost, formatTotalCost } from "./text/money.ts";
import { asLabel } from "./text/short-line.ts";
import { spelledLines } from "./text/spelled-text.ts";

const STATES = ["running", "paused", "ended", "stopped", "unfinished"] as const;

const usd = z.number().nullable().describe("USD; null if unknown.");
const costStatus = z.enum(["known", "estimated", "unknown"]);

const resultSchema = z.strictObject({
  task_index: z.number(),
  child_id: z.string(),
  status: z.enum(["completed", "incomplete", "failed", "timeout", "interrupted", "rejected"]),
  exit_reason: z.string().describe("`answered`, the limit that was reached, the failure kind, or the problem code."),
  summary: z.string().describe("The child's answer."),
  summary_chars: z.number().describe("Length of the full answer; a shorter `summary` is truncated."),
  output: z.unknown().optional().describe("The answer as data, if the task has an output_schema."),
  schema_valid: z.boolean().optional(),
  schema_errors: z.array(z.string()).optional(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  reasoning_effort: z.enum(EFFORTS).nullable(),
  served_models: z.array(z.string()).describe("Model names in the provider's responses."),
  fallback_used: z.boolean(),
  cost_usd: usd,
  cost_status: costStatus,
  duration_seconds: z.number(),
  files_changed: z.array(z.string()),
  branch: z.string().optional().describe("Branch with the child's work, if it had its own worktree."),
  base: z.string().optional(),
  commits: z.number().optional(),
  conflicts: z
    .array(z.strictObject({ child_id: z.string(), files: z.array(z.string()) }))
    .optional()
    .describe("Siblings whose branches do not merge with this one."),
  error: z.string().nullable(),
  suggestions: z.array(z.string()).optional().describe("Values that would have worked, if the task was rejected."),
  warnings: z.array(z.string()),
});
export type ReportedResult = z.infer<typeof resultSchema>;

const openSchema = z.strictObject({
  task_index: z.number(),
  child_id: z.string(),
  goal: z.string().describe("Beginning of the goal."),
  activity: z.string().describe("Current activity."),
  duration_seconds: z.number(),
  cost_usd: usd,
  cost_status: costStatus,
});
export type ReportedOpen = z.infer<typeof openSchema>;

/** A line in the list of runs. */
export const runLineSchema = z.strictObject({
  delegation_id: z.string(),
  state: z.enum(STATES),
  surface: z.string().describe("Where the run was started: `cli`, `mcp`, `chat`, `library`."),
  started_at: z.string(),
  done: z.number(),
  tasks: z.number(),
  goal: z.string().describe("Beginning of the first goal."),
});
export type RunLine = z.infer<typeof runLineSchema>;

/** A part of one child's answer. */
export const childAnswerSchema = z.strictObject({
  child_id: z.string(),
  status: z.string().describe("Final status, or current activity."),
  text: z.string().describe("The answer, starting at `offset`."),
  offset: z.number(),
  whole_chars: z.number().describe("Length of the full answer."),
});
export type ChildAnswer = z.infer<typeof childAnswerSchema>;

const questionSchema = z.strictObject({
  child_id: z.string(),
  call_id: z.string(),
  request: z.string().describe("Code of the request."),
  tool: z.string(),
  target: z.string().describe("Exactly what would run."),
  directory: z.string(),
  seconds_left: z.number().describe("Time until the request is denied."),
});

export const reportSchema = z.strictObject({
  delegation_id: z.string(),
  state: z
    .enum(STATES)
    .describe(
      "`stopped`: children were interrupted. `unfinished`: the process exited before the run ended; the user can resume it.",
    ),
  tasks: z.number(),
  results: z.array(resultSchema).describe("Results of the tasks that have ended, in task order."),
  open: z.array(openSchema).describe("Children that have not ended."),
  questions: z.array(questionSchema).describe("Pending approval requests. The user decides."),
  total_cost_usd: usd,
  total_duration_seconds: z.number(),
  warnings: z.array(z.string()),
  next: z.string().optional().describe("How to get the remaining results."),
});
export type Report = z.infer<typeof reportSchema>;

/** Minimum length of each summary, in characters, regardless of their number. */
const LEAST_SUMMARY_CHARS = 2_000;

/** The report with its summaries truncated to about `maxChars` in total. Short summaries leave room for long ones. */
export function withinLimit(report: Report, maxChars: number): Report {
  const lengths = report.results.map(({ summary }) => summary.length).sort((a, b) => a - b);
  let left = maxChars;
  let share = Number.POSITIVE_INFINITY;
  for (const [index, length] of lengths.entries()) {
    share = Math.max(LEAST_SUMMARY_CHARS, Math.floor(left / (lengths.length - index)));
    if (length > share) break;
    left -= length;
    share = Number.POSITIVE_INFINITY;
  }
  return {
    ...report,
    results: report.results.map((result) => ({ ...result, summary: cutTo(result.summary, share) })),
  };
}

/** Cuts a text without splitting a surrogate pair. */
function cutTo(text: string, length: number): string {
  return text.length <= length
    ? text
    : text
        .slice(0, length)
        .toWellFormed()
        .replace(/\uFFFD$/, "");
}

/** @param restOf returns how to read the rest of a child's answer that is truncated at `offset` */
export function reportInWords(report: Report, restOf: (childId: string, offset: number) => string): string {
  const { delegation_id: id, state, tasks, results, open, questions, warnings, next } = report;
  const cost = formatTotalCost([...results, ...open].map(costFacts), report.total_cost_usd);
  return [
    `Delegation ${id} (${state}): ${doneInWords(results, tasks)}, ${time(report.total_duration_seconds)}, ${cost}.`,
    ...warnings.map((warning) => `Warning: ${warning}`),
    ...results.map((result) => `\n${resultInWords(result, tasks, restOf)}`),
    ...(open.length > 0 ? [`\nNot finished:`, ...open.map((child) => `- ${openInWords(child, tasks)}`)] : []),
    ...(questions.length > 0 ? ["\nWaiting for the user's approval:", ...questions.map(questionInWords)] : []),
    ...(next === undefined ? [] : [`\n${next}`]),
  ].join("\n");
}

/** `2 of 3 done`; `3 of 3 ended, 1 not completed`, so that a failure is not read as done. */
export function doneInWords(ended: readonly { status: string }[], tasks: number): string {
  const missing = ended.filter(({ status }) => status !== "completed").length;
  return missing === 0
    ? `${ended.length} of ${tasks} done`
    : `${ended.length} of ${tasks} ended, ${missing} not completed`;
}

function resultInWords(
  result: ReportedResult,
  tasks: number,
  restOf: (childId: string, offset: number) => string,
): string {
  const { model, provider, reasoning_effort: effort, summary, summary_chars: whole, child_id: id } = result;
  const where =
    model === null
      ? "not started"
      : `${model} @ ${provider}${effort === null ? "" : `, effort ${effort}`}, ${time(result.duration_seconds)}, ${formatCost(costFacts(result))}`;
  const reason = result.status === "completed" ? "" : ` (${result.exit_reason})`;
  const suggestions = result.suggestions?.length ? [`Would work: ${result.suggestions.join(", ")}`] : [];
  return [
    `## [${result.task_index + 1}/${tasks}] ${id} ${result.status}${reason}: ${where}`,
    ...(result.error === null ? [] : [`Error: ${result.error}`, ...suggestions]),
    ...(result.schema_valid === false ? [`Schema check: ${result.schema_errors?.join("; ")}`] : []),
    ...result.warnings.map((warning) => `Warning: ${warning}`),
    ...(result.branch === undefined ? [] : [`Branch: ${result.branch}, from ${result.base}`]),
    ...(result.files_changed.length > 0 ? [`Files changed: ${result.files_changed.join(", ")}`] : []),
    ...(result.conflicts ?? []).map(({ child_id, files }) => `Does not merge with ${child_id}: ${files.join(", ")}`),
    ...(summary === "" ? [] : [summary]),
    ...(summary.length < whole
      ? [`[Cut: ${summary.length} of ${whole} characters. Read the rest: ${restOf(id, summary.length)}.]`]
      : []),
  ].join("\n");
}

/**
 * `[2/3] falcon: running grep (12 s, $0.0040)`, for reports and progress lines.
 * @param above position of the run in a tree: `2›` is below the second child
 */
export function openInWords(child: ReportedOpen, tasks: number, above = ""): string {
  const { task_index: index, goal, activity, duration_seconds: seconds } = child;
  return `[${above}${index + 1}/${tasks}] ${asLabel(goal)} ${activity} (${time(seconds)}, ${formatCost(costFacts(child))})`;
}

function questionInWords(question: Report["questions"][number]): string {
  const { child_id: id, request, tool, target, directory, seconds_left: seconds } = question;
  return (
    `- ${id} asks to run ${tool}: ${spelledLines(target).join("\n")}\n  It would run in ${directory}. The user can decide with ` +
    `\`deputy approve ${id} --request ${request}\`; it is denied in ${time(seconds)}.`
  );
}

function time(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

function costFacts({ cost_usd: usd, cost_status: status }: Pick<ReportedResult, "cost_usd" | "cost_status">) {
  return { usd, status };
}
