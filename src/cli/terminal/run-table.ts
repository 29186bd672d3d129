/** The table of runs: a mark for how each ended or waits, when, how long, what it cost, and where. */
import { homedir } from "node:os";
import { relative } from "node:path";
import type { RunListing } from "../../engine/engine.ts";
import { type Cost, costIn, usedAlone } from "../../result.ts";
import { allChildren, hasEnded, isRejected, type Run, workedMs } from "../../run/run.ts";
import { stateOf } from "../../run/run-report.ts";
import { roundUsd } from "../../text/money.ts";
import { isWithin } from "../../values/path-within.ts";
import { secondsIn } from "../../values/seconds.ts";
import { createPaint, type Io, type Output, type Paint } from "../io.ts";
import { formatDuration, formatTotalCost } from "./format.ts";
import { formatWhen } from "./local-time.ts";
import { formatTable, type TableCell, type TableColumn } from "./table.ts";
import { oneLine } from "./terminal-text.ts";
import { columnsOf } from "./word-wrap.ts";

/** Where and when the table is read. */
export type RunTableView = {
  paint: Paint;
  /** Width of the terminal; a pipe has no limit. */
  columns: number;
  /** Milliseconds since the epoch. */
  now: number;
  cwd: string;
  home: string | undefined;
};

export function runTableView(io: Io, output: Output = io.stdout): RunTableView {
  return {
    paint: createPaint(output, io.env),
    columns: columnsOf(output),
    now: io.clock.now(),
    cwd: io.cwd,
    home: io.env.HOME || homedir(),
  };
}

type Column = TableColumn & { cell(listing: RunListing, view: RunTableView): TableCell };

const COLUMNS: readonly Column[] = [
  { title: "", cell: markCell },
  { title: "RUN", cell: ({ run }) => run.delegationId },
  { title: "STARTED", cell: ({ run }, { now }) => formatWhen(run.startedAt, now) },
  { title: "TIME", cell: ({ run }, { now }) => formatDuration(timeOf(run, now) / 1000), isOptional: true },
  { title: "DONE", cell: ({ run }) => doneOf(run) },
  { title: "STATE", cell: stateText },
  { title: "KIND", cell: ({ run }) => kindOf(run), isOptional: true },
  { title: "COST", cell: ({ run }) => knownCost(run) },
  { title: "DIRECTORY", cell: ({ run }, view) => directoryOf(run, view), isOptional: true, least: 24, cut: "start" },
  { title: "FIRST GOAL", cell: ({ run }) => oneLine(goalOf(run)), least: 12, usual: 36 },
];

export function formatRuns(listings: readonly RunListing[], view: RunTableView): string {
  if (listings.length === 0) return 'No runs yet. Start one: deputy run --goal "…"\n';
  const table = runTable(listings, view);
  const resumable = listings.find((listing) => ["unfinished", "stopped"].includes(stateOf(listing)))?.run.delegationId;
  return resumable === undefined ? table : `${table}\nContinue the last interrupted run: deputy resume ${resumable}\n`;
}

/** The rows alone, for a screen that is redrawn and, numbered, for a choice. */
export function runTable(listings: readonly RunListing[], view: RunTableView, isNumbered = false): string {
  const number: Column[] = isNumbered ? [{ title: "", cell: (listing) => `${listings.indexOf(listing) + 1}` }] : [];
  const shown = [...number, ...COLUMNS];
  const rows = listings.map((listing) => shown.map(({ cell }) => cell(listing, view)));
  return formatTable(shown, rows, view.paint, view.columns);
}

function markCell(listing: RunListing): TableCell {
  const { sign, color } = markOf(listing);
  return { text: sign, style: color };
}

type Mark = { sign: string; color: "red" | "green" | "yellow" | "cyan" };

/** `✓` all completed, `✗` some did not, `?` waits for approval, `→` running, `‖` can be resumed. */
function markOf(listing: RunListing): Mark {
  const state = stateOf(listing);
  if (waitingIn(listing) > 0) return { sign: "?", color: "yellow" };
  if (state === "running") return { sign: "→", color: "cyan" };
  if (state !== "ended") return { sign: "‖", color: "yellow" };
  return failedIn(listing.run) > 0 ? { sign: "✗", color: "red" } : { sign: "✓", color: "green" };
}

function stateText(listing: RunListing): string {
  const waiting = waitingIn(listing);
  if (waiting > 0) return `${waiting} waiting`;
  const state = stateOf(listing);
  const failed = failedIn(listing.run);
  return state === "ended" && failed > 0 ? `${failed} failed` : state;
}

/** Approval requests that someone can still answer. */
export function waitingIn({ run, owner }: RunListing): number {
  if (owner !== "here" && owner !== "elsewhere") return 0;
  return allChildren(run).flatMap(({ questions }) => questions.filter(({ answerBy }) => answerBy !== undefined)).length;
}

/** Tasks that have ended without completing. */
export function failedIn({ children }: Run): number {
  return children.filter((child) => isRejected(child) || !["completed", undefined].includes(child.tally.ending?.status))
    .length;
}

/** Completed tasks of all, and the children that they made. */
function doneOf(run: Run): string {
  const below = allChildren(run).length - run.children.length;
  return `${completedIn(run)}/${run.children.length}${below > 0 ? ` +${below}` : ""}`;
}

function completedIn({ children }: Run): number {
  return children.filter(({ tally }) => tally.ending?.status === "completed").length;
}

function timeOf(run: Run, now: number): number {
  return (
    run.durationMs ?? (run.endedAt === undefined && !run.children.every(hasEnded) ? now - run.startedAt : workedMs(run))
  );
}

/** The surface that made the run: `run` for the command line. */
export function kindOf({ surface, retryOf, forkOf }: Run): string {
  if (forkOf !== undefined) return "fork";
  if (retryOf !== undefined) return "retry";
  return surface === "cli" ? "run" : surface;
}

/** The directory from here or from home. */
function directoryOf({ directory }: Run, { cwd, home }: RunTableView): string {
  if (directory === undefined) return "";
  const shown = isWithin(cwd, directory) ? relative(cwd, directory) || "." : fromHome(directory, home);
  return oneLine(shown);
}

function fromHome(directory: string, home: string | undefined): string {
  return home !== undefined && isWithin(home, directory) ? `~/${relative(home, directory)}` : directory;
}

function goalOf({ call }: Run): string {
  return call.tasks[0]?.goal ?? "";
}

function knownCost(run: Run): string {
  return formatTotalCost(costsIn(run));
}

function costsIn(run: Run): Cost[] {
  return allChildren(run).map(({ tally }) => costIn(usedAlone(tally)));
}

function costFacts(run: Run) {
  const costs = costsIn(run);
  return {
    /** The known part of the cost; a request without a price adds nothing here and makes `cost_complete` false. */
    known_cost_usd: roundUsd(costs.reduce((sum, { usd }) => sum + (usd ?? 0), 0)),
    cost_complete: costs.every(({ usd }) => usd !== null),
  };
}

/** A run for programs. */
export function listingDocument(listing: RunListing, now: number) {
  const { run } = listing;
  return {
    delegation_id: run.delegationId,
    state: stateOf(listing),
    surface: run.surface,
    retry_of: run.retryOf ?? null,
    directory: run.directory ?? null,
    started_at: new Date(run.startedAt).toISOString(),
    ended_at: run.endedAt === undefined ? null : new Date(run.endedAt).toISOString(),
    duration_seconds: secondsIn(timeOf(run, now)),
    tasks: run.children.length,
    /** Includes the children of children. */
    children: allChildren(run).length,
    finished: run.children.filter(hasEnded).length,
    completed: completedIn(run),
    failed: failedIn(run),
    waiting: waitingIn(listing),
    ...costFacts(run),
    goal: goalOf(run),
  };
}
