/** The table of `deputy costs`, and its document for programs. */
import { formatTotalUsd, formatUsd, roundUsd } from "../../text/money.ts";
import type { Paint } from "../io.ts";
import { formatCount, grouped } from "../terminal/format.ts";
import { formatTable, type TableColumn } from "../terminal/table.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import type { CostGroup, CostKey, CostSum, Costs } from "./cost-groups.ts";

/** @param columns width of the terminal; a pipe has no limit */
type CostTableView = { by: CostKey; paint: Paint; columns: number };

type CostColumn = TableColumn & { cell(used: CostGroup): string };

const COLUMNS: readonly CostColumn[] = [
  { title: "REQUESTS", cell: ({ apiCalls }) => grouped(apiCalls) },
  { title: "TOKENS IN", cell: ({ tokens }) => formatCount(tokens.input) },
  { title: "CACHED", cell: ({ tokens }) => formatCount(tokens.cached), isOptional: true },
  { title: "OUT", cell: ({ tokens }) => formatCount(tokens.output) },
  { title: "REASONING", cell: ({ tokens }) => formatCount(tokens.reasoning), isOptional: true },
  { title: "COST", cell: costText },
];

export function formatCosts({ groups, total }: Costs, { by, paint, columns }: CostTableView): string {
  if (groups.length === 0) return "No requests. See the runs: deputy runs\n";
  const named: CostColumn = { title: by.toUpperCase(), cell: ({ name }) => oneLine(name), least: 16, usual: 36 };
  const shown = [named, ...COLUMNS];
  const lines = groups.length > 1 ? [...groups, { name: "total", ...total }] : groups;
  const rows = lines.map((group) => shown.map(({ cell }) => cell(group)));
  return formatTable(shown, rows, paint, columns);
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
