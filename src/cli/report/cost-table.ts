/** The table of `deputy costs`, and its document for programs. */
import { formatTotalUsd, formatUsd, roundUsd } from "../../text/money.ts";
import type { Paint } from "../io.ts";
import { formatCount, grouped } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { displayWidth, fit, oneLine } from "../terminal/terminal-text.ts";
import type { CostGroup, CostKey, CostSum, Costs } from "./cost-groups.ts";

type CostTableView = { by: CostKey; paint: Paint; columns?: number };

/** Width of a table in a pipe, and the least width of a name. */
const LOG_COLUMNS = 160;
const LEAST_NAME_COLUMNS = 16;
/** Terminal width from which the tokens have all their columns. */
const WITH_DETAILS = 100;

type CostColumn = { title: string; cell(used: CostGroup): string; from?: number };

const COLUMNS: readonly CostColumn[] = [
  { title: "REQUESTS", cell: ({ apiCalls }) => grouped(apiCalls) },
  { title: "TOKENS IN", cell: ({ tokens }) => formatCount(tokens.input) },
  { title: "CACHED", cell: ({ tokens }) => formatCount(tokens.cached), from: WITH_DETAILS },
  { title: "OUT", cell: ({ tokens }) => formatCount(tokens.output) },
  { title: "REASONING", cell: ({ tokens }) => formatCount(tokens.reasoning), from: WITH_DETAILS },
  { title: "COST", cell: costText },
];

export function formatCosts({ groups, total }: Costs, { by, paint, columns = LOG_COLUMNS }: CostTableView): string {
  if (groups.length === 0) return "No requests. See the runs: deputy runs\n";
  const shown = COLUMNS.filter(({ from = 0 }) => columns >= from);
  const all = [...groups, { name: groups.length > 1 ? "total" : "", ...total }];
  const cells = all.map((group) => shown.map(({ cell }) => cell(group)));
  const widths = shown.map(({ title }, at) =>
    Math.max(...[title, ...cells.map((row) => row[at] ?? "")].map(displayWidth)),
  );
  const room = columns - 1 - widths.reduce((sum, width) => sum + width + 2, 0);
  const rows = cells.map((row, at) => [fit(oneLine(all[at]?.name ?? ""), Math.max(LEAST_NAME_COLUMNS, room)), ...row]);
  const lines = groups.length > 1 ? rows : rows.slice(0, -1);
  return formatTable([by.toUpperCase(), ...shown.map(({ title }) => title)], lines, paint);
}

function costText({ knownUsd, isComplete, uncertain }: CostGroup): string {
  if (!isComplete) return formatTotalUsd(knownUsd, false);
  return `${uncertain > 0 ? "~" : ""}${formatUsd(knownUsd)}`;
}

export function costsDocument({ groups, total }: Costs, { by, since }: { by: CostKey; since?: number }) {
  return {
    by,
    since: since === undefined ? null : new Date(since).toISOString(),
    groups: groups.map((group) => ({ [by]: group.name, ...usageDocument(group) })),
    /** Each request once, also where it counts in several groups. */
    total: usageDocument(total),
  };
}

function usageDocument({ apiCalls, tokens, knownUsd, isComplete, uncertain }: CostSum) {
  return {
    api_calls: apiCalls,
    tokens,
    known_cost_usd: roundUsd(knownUsd),
    cost_complete: isComplete,
    cost_estimated: uncertain > 0,
  };
}
