/** `--dry-run`: each task's planned route, why it was chosen, its price and key; for people and for programs. */

import { priceDocument } from "../../available-models.ts";
import type { Estimates, Plan } from "../../engine/engine.ts";
import { branchOf, type WorktreePlan } from "../../isolation.ts";
import type { Limits, Planned, Ready } from "../../plan.ts";
import { requestedReport } from "../../result.ts";
import type { Price, Route } from "../../route.ts";
import { formatTotalUsd, formatUsd, roundUsd } from "../../text/money.ts";
import { asLabel } from "../../text/short-line.ts";
import { present } from "../../values/present.ts";
import type { Output, Paint } from "../io.ts";
import { formatCount, formatDuration, formatRoute, grouped, plural } from "./format.ts";
import { formatTable } from "./table.ts";
import { fit, oneLine } from "./terminal-text.ts";
import { columnsOf, wrapFor } from "./word-wrap.ts";

/** Width of a goal in a problem: enough to recognize it. */
const GOAL_COLUMNS = 36;

const PLAN_COLUMNS = [
  { title: "" },
  { title: "TASK", least: 12, usual: 36 },
  { title: "ROUTE" },
  { title: "CHOSEN BY" },
  { title: "USD PER M TOKENS" },
  { title: "ONE REQUEST" },
  { title: "KEY" },
  { title: "LIMITS" },
] as const;

export type EstimatedPlan = Plan & { estimates: Estimates };

/** @param strict if one task cannot start, none does */
export function formatPlan(plan: EstimatedPlan, strict: boolean, paint: Paint, output: Output): string {
  const places = plan.planned.map((_, index) => `[${index + 1}/${plan.planned.length}]`);
  const rows = plan.planned.flatMap((planned, index) =>
    "route" in planned ? [planRow(places[index] ?? "", planned, plan.estimates.tasks[index]?.usd)] : [],
  );
  const problems = plan.planned.flatMap((planned, index) =>
    "problem" in planned
      ? [
          paint(
            "red",
            `✗ ${places[index]} ${asLabel(fit(oneLine(planned.task.goal), GOAL_COLUMNS))} ${problemText(planned)}`,
          ),
        ]
      : [],
  );
  const warnings = [
    ...plan.warnings.map((warning) => warning.message),
    ...plan.planned.flatMap((planned, index) =>
      "route" in planned ? planned.route.warnings.map((warning) => `${places[index]} ${warning.message}`) : [],
    ),
  ].map((text) => paint("yellow", `! ${oneLine(text)}`));
  const copies = plan.planned.flatMap((planned, index) =>
    "worktree" in planned && planned.worktree !== undefined
      ? [`${places[index]} in a copy of ${planned.worktree.repository}, ${worktreeText(planned.worktree, index)}`]
      : [],
  );
  const verdict = summaryOf(rows.length, problems.length, strict);
  const lines = [...problems, ...copies.map(oneLine), ...warnings, ...estimateLines(plan), verdict].map(
    (line) => `${wrapFor(output, line)}\n`,
  );
  return `${formatTable(PLAN_COLUMNS, rows, paint, columnsOf(output))}${lines.join("")}`;
}

/** `from HEAD of main (1a2b3c4d5e6f) on branch deputy/<run>/1-fix-it`: the run has no id yet. */
function worktreeText({ base, baseName, slug }: WorktreePlan, index: number): string {
  return `from ${baseName} (${base.slice(0, SHA_SHOWN)}) on branch ${branchOf(`<run>.${index + 1}`, slug)}`;
}

const SHA_SHOWN = 12;

function summaryOf(ready: number, problems: number, strict: boolean): string {
  const starting = strict && problems > 0 ? 0 : ready;
  const others = ready + problems - starting;
  const not = others === 0 ? "" : `, ${others} would not`;
  return `${plural(starting, "task")} would start${not}; nothing has been started or spent.`;
}

/** The sum, with what it assumes; how many requests a child will make is not known. */
function estimateLines({ planned, estimates }: EstimatedPlan): string[] {
  const known = estimates.tasks.filter((task) => task !== undefined);
  if (known.length === 0) return [];
  const { knownUsd, isComplete } = estimatedTotal(estimates);
  const input = formatCount(known.reduce((sum, { inputTokens }) => sum + inputTokens, 0));
  const output = grouped(known[0]?.outputTokens ?? 0);
  const requests = Math.max(...planned.map((entry) => ("limits" in entry ? entry.limits.maxIterations : 0)));
  const cost = isComplete ? `about ${formatUsd(knownUsd)}` : formatTotalUsd(knownUsd, false);
  return [
    `Estimate: ${cost} if each task takes one request (about ${input} tokens in, with prompts and tools, and ${output} out per answer).`,
    `A child that uses tools makes more requests, here up to ${grouped(requests)}, each with all before it. ${limitOf(planned, estimates)}`,
  ];
}

/** The limit in dollars: the run's, or those of its tasks. */
function limitOf(planned: readonly Planned[], { limitUsd }: Estimates): string {
  if (limitUsd !== undefined) return `The limit is ${formatUsd(limitUsd)}.`;
  const own = planned.flatMap((entry) => ("limits" in entry ? [entry.limits.maxCostUsd] : []));
  const set = own.filter((usd) => usd !== undefined);
  if (set.length === 0) return "There is no limit in dollars: --max-cost sets one.";
  if (set.length < own.length)
    return `Only ${set.length} of ${plural(own.length, "task")} ${set.length === 1 ? "has" : "have"} a limit in dollars: --max-cost sets one for all.`;
  return `The limit is ${formatUsd(set.reduce((sum, usd) => sum + usd, 0))}, set by the tasks.`;
}

function estimatedTotal({ tasks }: Estimates) {
  const known = tasks.filter((task) => task !== undefined);
  return {
    knownUsd: known.reduce((sum, { usd = 0 }) => sum + usd, 0),
    isComplete: known.every(({ usd }) => usd !== undefined),
  };
}

function planRow(place: string, planned: Ready, usd: number | undefined): string[] {
  const { route, limits } = planned;
  return [
    place,
    oneLine(planned.task.goal),
    oneLine(formatRoute(route)),
    chosenBy(route),
    formatPrice(route.facts.price),
    usd === undefined ? "unknown" : `~${formatUsd(usd)}`,
    route.keyName ?? "none needed",
    formatLimits(limits),
  ];
}

function problemText({ problem }: Extract<Planned, { problem: unknown }>): string {
  return `${problem.field}: ${oneLine(problem.message)}`;
}

/** One word if the same level decided model and provider. */
function chosenBy({ chosenBy: { model, provider } }: Route): string {
  return model === provider ? model : `model: ${model}, provider: ${provider}`;
}

export function formatPrice(price: Price | undefined): string {
  return price === undefined ? "unknown" : `${price.input} in, ${price.output} out`;
}

function formatLimits({ maxIterations, timeoutMs, maxCostUsd }: Limits): string {
  return [
    plural(maxIterations, "request"),
    ...(timeoutMs > 0 ? [formatDuration(timeoutMs / 1000)] : []),
    ...(maxCostUsd === undefined ? [] : [formatUsd(maxCostUsd)]),
  ].join(", ");
}

/** The plan as a document, with the field names of results. */
export function planDocument(plan: EstimatedPlan) {
  const { knownUsd, isComplete } = estimatedTotal(plan.estimates);
  return {
    tasks: plan.planned.map((planned, index) => ({
      task_index: index,
      goal: planned.task.goal,
      ...estimateDocument(plan.estimates.tasks[index]),
      ...("route" in planned ? readyDocument(planned, index) : { problem: planned.problem }),
    })),
    /** One request of each task; null if a price is unknown. */
    estimated_cost_usd: isComplete ? roundUsd(knownUsd) : null,
    max_cost_usd: plan.estimates.limitUsd ?? null,
    warnings: plan.warnings,
  };
}

/** One request of a task: its prompts and tools, and an answer of an assumed length. */
function estimateDocument(task: Estimates["tasks"][number]) {
  if (task === undefined) return {};
  const { inputTokens, outputTokens, usd } = task;
  return {
    one_request: {
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cost_usd: usd === undefined ? null : roundUsd(usd),
    },
  };
}

function readyDocument(
  { route, limits, toolsets, tools, workspace, agent, images = [], files = [], worktree }: Ready,
  index: number,
) {
  return {
    ...present({ agent }),
    route: routeDocument(route),
    fallbacks: route.fallbacks.map(routeDocument),
    toolsets,
    ...present({ tools }),
    ...(images.length > 0 && { images }),
    ...(files.length > 0 && { files }),
    workspace,
    ...(worktree !== undefined && { worktree: worktreeDocument(worktree, index) }),
    max_iterations: limits.maxIterations,
    timeout_seconds: limits.timeoutMs === 0 ? null : limits.timeoutMs / 1000,
    max_cost_usd: limits.maxCostUsd ?? null,
    warnings: route.warnings,
  };
}

function worktreeDocument({ repository, base, baseName, slug }: WorktreePlan, index: number) {
  return { repository, base, base_name: baseName, branch: branchOf(`<run>.${index + 1}`, slug) };
}

function routeDocument(route: Route) {
  return {
    provider: route.provider,
    model: route.model,
    reasoning_effort: route.effort ?? null,
    requested: requestedReport(route.requested),
    chosen_by: {
      provider: route.chosenBy.provider,
      model: route.chosenBy.model,
      reasoning_effort: route.chosenBy.effort ?? null,
    },
    endpoint: route.endpoint.baseUrl,
    api_mode: route.endpoint.apiMode,
    key_name: route.keyName ?? null,
    price_usd_per_million_tokens: priceDocument(route.facts.price),
    context_window: route.facts.contextWindow ?? null,
  };
}
