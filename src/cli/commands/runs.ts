/** `deputy runs`: every run in the journal, newest first. */
import type { RunListing } from "../../engine/engine.ts";
import { formatUsd } from "../../money.ts";
import { jsonDocument } from "../../printed-json.ts";
import { costIn, usedAlone } from "../../result.ts";
import { allChildren, hasEnded } from "../../run/run.ts";
import { stateOf } from "../../run/run-report.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { createPaint, type Paint } from "../io.ts";
import { setAsideNote } from "../serving/resume-after-crash.ts";
import { plural } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { fit, oneLine } from "../terminal/terminal-text.ts";

/** Number of runs listed by default. */
const USUAL_LIMIT = 50;

/** Width of the columns before the goal, and minimum width of the goal. */
const OTHER_COLUMNS = 58;
const LEAST_GOAL_COLUMNS = 20;

export const declareRuns: Declare = (command, context) => {
  const { io } = context;
  command
    .description("List past and present runs, newest first.")
    .option("--all", "list all runs, not only the newest 50 (--json always lists all)")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText("after", examples([["deputy runs", "finished, active and resumable runs"]]))
    .action((flags: { json?: true; all?: true; config?: string }) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const { json, all = json } = flags;
        const listings = await engine.runs(all ? undefined : USUAL_LIMIT);
        if (json) io.stdout.write(jsonDocument(listings.map(listingDocument)));
        else io.stdout.write(formatRuns(listings, createPaint(io.stdout, io.env), io.stdout.columns ?? 160));
        io.stderr.write(listings.map(setAsideNote).join(""));
        const later = await engine.laterRuns();
        const older = (await engine.runCount()) - listings.length - later.length;
        if (later.length > 0) io.stderr.write(laterNote(later));
        if (older > 0) io.stderr.write(`… and ${plural(older, "older run")}: deputy runs --all\n`);
      }),
    );
};

function laterNote(ids: readonly string[]): string {
  const which = `${plural(ids.length, "run")} of a newer Deputy ${ids.length === 1 ? "is" : "are"} not listed`;
  return `! ${which}: ${ids.join(", ")}. Update Deputy to read ${ids.length === 1 ? "it" : "them"}.\n`;
}

export function formatRuns(listings: RunListing[], paint: Paint, columns: number): string {
  if (listings.length === 0) return 'No runs yet. Start one: deputy run --goal "…"\n';
  const rows = listings.map((listing) => {
    const document = listingDocument(listing);
    const { delegation_id, state, started_at, tasks, children, completed, goal } = document;
    const started = started_at.slice(0, 16).replace("T", " ");
    const firstGoal = fit(oneLine(goal), Math.max(LEAST_GOAL_COLUMNS, columns - OTHER_COLUMNS));
    return [
      delegation_id,
      started,
      `${completed}/${tasks}${children > tasks ? ` +${children - tasks}` : ""}`,
      state,
      knownCost(document),
      firstGoal,
    ];
  });
  const table = formatTable(["RUN", "STARTED (UTC)", "DONE", "STATE", "COST", "FIRST GOAL"], rows, paint);
  const resumable = listings.find((listing) => ["unfinished", "stopped"].includes(stateOf(listing)))?.run.delegationId;
  return resumable === undefined ? table : `${table}\nContinue the last interrupted run: deputy resume ${resumable}\n`;
}

function knownCost({
  known_cost_usd: usd,
  cost_complete: isComplete,
}: {
  known_cost_usd: number;
  cost_complete: boolean;
}) {
  if (isComplete) return formatUsd(usd);
  return usd === 0 ? "unknown" : `≥ ${formatUsd(usd)}`;
}

function listingDocument(listing: RunListing) {
  const { run } = listing;
  const children = allChildren(run);
  const costs = children.map(({ tally }) => costIn(usedAlone(tally)));
  return {
    delegation_id: run.delegationId,
    state: stateOf(listing),
    surface: run.surface,
    started_at: new Date(run.startedAt).toISOString(),
    ended_at: run.endedAt === undefined ? null : new Date(run.endedAt).toISOString(),
    tasks: run.children.length,
    /** Includes the children of children. */
    children: children.length,
    finished: run.children.filter(hasEnded).length,
    completed: run.children.filter(({ tally }) => tally.ending?.status === "completed").length,
    /** The known part of the cost; a request without a price adds nothing here and makes `cost_complete` false. */
    known_cost_usd: costs.reduce((sum, { usd }) => sum + (usd ?? 0), 0),
    cost_complete: costs.every(({ usd }) => usd !== null),
    goal: run.call.tasks[0]?.goal ?? "",
  };
}
