/** Formats of money, time, routes and endings, shared by every line, table and page of the command line. */

import type { Result } from "../../result.ts";
import { formatCost, formatUsd } from "../../text/money.ts";
import { plural } from "../../text/plural.ts";

export { formatCost, formatTotalCost } from "../../text/money.ts";
export { grouped, plural } from "../../text/plural.ts";

/** `4.7s`, `1m 04s`, `2h 05m`. */
export function formatDuration(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${twoDigits(whole % 60)}s`;
  return `${Math.floor(whole / 3600)}h ${twoDigits(Math.floor((whole % 3600) / 60))}m`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** `glm-4.7 @ zai`, with the effort if one is set: `glm-4.7 @ zai · effort high`. */
export function formatRoute(route: { provider: string; model: string; effort?: string | null | undefined }): string {
  const where = `${route.model} @ ${route.provider}`;
  return route.effort ? `${where} · effort ${route.effort}` : where;
}

/**
 * A child's time, route and cost: `4.7s · glm-4.7 @ zai · $0.0012`; `not started` for a rejected task, `glm-4.7 @ zai ·
 * carried over from 7f3a.1` for one of an earlier run.
 */
export function formatOutcome(result: Result): string {
  if (result.provider === null || result.model === null) return "not started";
  const route = formatRoute({ provider: result.provider, model: result.model, effort: result.reasoning_effort });
  if (result.carried_from !== undefined) return `${route} · carried over from ${result.carried_from}`;
  const cost = formatCost({ usd: result.cost_usd, status: result.cost_status });
  return `${formatDuration(result.duration_seconds)} · ${route} · ${cost}`;
}

/** Explains in one sentence why a child did not complete: its kind of end and the known details. */
export function formatReason(result: Result): string {
  const because = result.error?.message ?? limitWords(result) ?? CUT_WORDS[result.exit_reason];
  return `${result.status}: ${result.exit_reason}${because === undefined ? "" : ` – ${because}`}`;
}

function limitWords({ exit_reason: reason, limit }: Result): string | undefined {
  return limit === undefined ? undefined : LIMIT_WORDS[reason]?.(limit);
}

const LIMIT_WORDS: Record<string, (limit: number) => string> = {
  max_iterations: (limit) => `it reached its limit of ${plural(limit, "request")} with tools`,
  max_cost: (limit) => `the budget of ${formatUsd(limit)} leaves too little for another request`,
  looping: (limit) => `it made the same calls ${limit} times in a row, with the same outcomes`,
  timeout_seconds: (limit) => `it reached its limit of ${formatDuration(limit)}`,
};

const CUT_WORDS: Record<string, string> = {
  context_full: "its conversation was compacted again and again without progress",
  output_cut: "the answer was cut at the model's maximum output",
  schema_invalid: "the answer is not known to fit output_schema",
};

/** `12.3k`, for tokens and context windows. */
export function formatCount(count: number): string {
  if (count < 1000) return String(count);
  const [value, unit] = count < 1e6 ? [count / 1e3, "k"] : [count / 1e6, "M"];
  return `${value < 10 ? value.toFixed(1).replace(/\.0$/, "") : Math.round(value)}${unit}`;
}
