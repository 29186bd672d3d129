/** What a run did, below its answers: what did not complete, which files changed, the cost by model, and what to do next. */

import { costIn, type DelegationResult, type Result, routeAt, sumOf, usedAlone } from "../../result.ts";
import { allChildren, canGoOn, hasEnded, isConversation, isOver, parseRunId, type Run } from "../../run/run.ts";
import { asLabel } from "../../text/short-line.ts";
import type { Paint } from "../io.ts";
import { goalIn, taskPosition } from "./event-lines.ts";
import { changeCounts, conflictText } from "./file-changes.ts";
import {
  formatCost,
  formatCount,
  formatDuration,
  formatReason,
  formatRoute,
  formatTotalCost,
  plural,
} from "./format.ts";
import { formatTable } from "./table.ts";
import { fit, oneLine } from "./terminal-text.ts";

/** Width of a goal and of a reason, enough to recognize them. */
const GOAL_COLUMNS = 36;
const REASON_COLUMNS = 200;
const COST_COLUMNS = [
  { title: "MODEL", least: 16, usual: 36 },
  { title: "CHILDREN", isOptional: true },
  { title: "REQUESTS" },
  { title: "TOKENS" },
  { title: "COST" },
] as const;
/** Files listed for each child, and pairs of children that do not merge. */
const MOST_FILES = 10;
const MOST_PAIRS = 20;

export type SummaryContext = {
  /** The run cannot be shown or continued later. */
  ephemeral?: true | undefined;
  /** No line above says how the tasks ended. */
  isFirst?: boolean;
  /** Width of the terminal, for the table; without it, cells are whole. */
  columns?: number;
};

export function formatSummary(run: Run, result: DelegationResult, paint: Paint, context: SummaryContext): string {
  const { ephemeral, isFirst, columns } = context;
  const isSaidAbove = run.children.length < 2 && !isFirst;
  const parts = [
    isSaidAbove ? "" : failures(run, result, paint),
    changes(run, result, paint),
    branches(run, result, paint),
    conflicts(run, result, paint),
    costs(run, paint, columns),
  ];
  return [...parts.filter((part) => part !== ""), `${totals(run, result, paint, ephemeral)}\n`].join("\n");
}

/** Tasks that did not complete, and why. */
function failures(run: Run, { results }: DelegationResult, paint: Paint): string {
  const failed = results.filter(({ status }) => status !== "completed");
  if (failed.length === 0) return "";
  const lines = failed.map((child) => {
    const goal = goalIn(run, child.task_index, GOAL_COLUMNS);
    return `${paint("red", "✗")} ${taskPosition(child.task_index, run)} ${asLabel(goal)} ${fit(oneLine(formatReason(child)), REASON_COLUMNS)}\n`;
  });
  return `${paint("bold", "Not completed")}\n${lines.join("")}`;
}

function changes(run: Run, { results }: DelegationResult, paint: Paint): string {
  const lines = results.flatMap((child) => {
    const { files_changed: files, task_index: index } = child;
    const more = files.length > MOST_FILES ? [`… and ${plural(files.length - MOST_FILES, "more file")}`] : [];
    const shown = [...files.slice(0, MOST_FILES).map((path) => changeText(child, path, paint)), ...more];
    return shown.map((text) => `${taskPosition(index, run)} ${text}\n`);
  });
  return lines.length === 0 ? "" : `${paint("bold", "Files changed")}\n${lines.join("")}`;
}

/** Siblings that do not merge, each pair once: `[1/3] × [2/3] src/a.ts lines 10–14`. */
function conflicts(run: Run, { results }: DelegationResult, paint: Paint): string {
  const pairs = results.flatMap((child) =>
    (child.conflicts ?? []).flatMap((conflict) => {
      const { taskIndex = -1 } = parseRunId(conflict.child_id);
      return taskIndex > child.task_index ? [{ one: child.task_index, other: taskIndex, conflict }] : [];
    }),
  );
  if (pairs.length === 0) return "";
  const lines = pairs
    .slice(0, MOST_PAIRS)
    .map(
      ({ one, other, conflict }) =>
        `${taskPosition(one, run)} × ${taskPosition(other, run)} ${conflictText(conflict)}\n`,
    );
  const more = pairs.length - lines.length;
  const rest = more === 0 ? "" : `… and ${plural(more, "more pair")}\n`;
  return `${paint("bold", "Conflicts")}\n${lines.join("")}${rest}`;
}

/** `src/a.ts +12 −3`; without numbers for a file whose lines were not compared. */
function changeText({ lines_changed: lines = {} }: Result, path: string, paint: Paint): string {
  const change = lines[path];
  if (change === undefined) return oneLine(path);
  return `${oneLine(path)} ${changeCounts(change, paint)}`;
}

/** The branches of isolated children. */
function branches(run: Run, { results }: DelegationResult, paint: Paint): string {
  const lines = results.flatMap(({ branch, commits = 0, task_index: index }) =>
    branch === undefined ? [] : [`${taskPosition(index, run)} ${oneLine(branch)} (${plural(commits, "commit")})\n`],
  );
  return lines.length === 0 ? "" : `${paint("bold", "Branches")}\n${lines.join("")}`;
}

/** Usage of a route by all children of the tree that ended on it. */
function costs(run: Run, paint: Paint, columns?: number): string {
  const byRoute = Map.groupBy(
    allChildren(run).flatMap(({ tally }) => ("route" in tally.planned && tally.apiCalls > 0 ? [tally] : [])),
    (tally) => ("route" in tally.planned ? oneLine(formatRoute(routeAt(tally.planned, tally.position))) : ""),
  );
  if (byRoute.size < 2) return "";
  const rows = [...byRoute].map(([route, tallies]) => {
    const used = sumOf(tallies.map(usedAlone));
    const { input, output } = used.tokens;
    return [
      route,
      String(tallies.length),
      String(used.apiCalls),
      `${formatCount(input)} in, ${formatCount(output)} out`,
      formatCost(costIn(used)),
    ];
  });
  return formatTable(COST_COLUMNS, rows, paint, columns);
}

/** `2 of 3 tasks completed in 4.8s · $0.0031 · 1 tool call denied · deputy retry 3f9c · deputy show 3f9c`. */
function totals(run: Run, result: DelegationResult, paint: Paint, ephemeral: true | undefined): string {
  const completed = result.results.filter((child) => child.status === "completed").length;
  const denials = result.results.flatMap(({ tool_trace }) => tool_trace.filter(({ denied }) => denied)).length;
  const time = formatDuration(result.total_duration_seconds);
  const parts = [
    `${completed} of ${plural(run.children.length, "task")} completed in ${time}`,
    totalCost(result),
    ...(denials === 0 ? [] : [`${plural(denials, "tool call")} denied`]),
    ...(ephemeral ? [] : nextSteps(run)),
  ];
  return paint(completed === run.children.length ? "green" : "yellow", parts.join(" · "));
}

/** Commands that continue from here, the likeliest first. */
function nextSteps(run: Run): string[] {
  const { delegationId, children, endedAt } = run;
  const isStopped = endedAt !== undefined && children.some(canGoOn);
  const hasFailed = children.every(hasEnded) && children.some(({ tally }) => tally.ending?.status !== "completed");
  const hasBranches = children.some(({ tally }) => (tally.worktree?.saved?.commits ?? 0) > 0);
  return [
    ...(isStopped ? [`deputy resume ${delegationId}`] : []),
    ...(hasBranches && isOver(run) ? [`deputy apply ${delegationId}`] : []),
    ...(hasFailed && !isStopped && !isConversation(run) ? [`deputy retry ${delegationId}`] : []),
    `deputy show ${delegationId}`,
  ];
}

/** The sum or, if part of it is unknown, the known part with a note. */
function totalCost({ results, total_cost_usd: totalUsd }: DelegationResult): string {
  return formatTotalCost(
    results.map(({ cost_usd: usd, cost_status: status }) => ({ usd, status })),
    totalUsd,
  );
}
