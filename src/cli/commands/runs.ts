/** `deputy runs`: every run in the journal, newest first. */
import { stripVTControlCharacters } from "node:util";
import { Option } from "commander";
import type { Engine, RunListing } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { isWithin } from "../../values/path-within.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { earliest, parseSince, type Since } from "../input/since.ts";
import { type Io, isRichTerminal } from "../io.ts";
import { setAsideNote } from "../serving/resume-after-crash.ts";
import { plural } from "../terminal/format.ts";
import { failedIn, formatRuns, listingDocument, runTable, runTableView } from "../terminal/run-table.ts";
import { createScreen, type ScreenRow, type Size } from "../terminal/screen.ts";
import { displayWidth } from "../terminal/terminal-text.ts";
import { writeWarning } from "../terminal/warning.ts";
import { wrapFor } from "../terminal/word-wrap.ts";

/** Number of runs listed by default. */
const USUAL_LIMIT = 50;
const WATCH_MS = 1000;

type RunsFlags = {
  json?: true;
  all?: true;
  failed?: true;
  here?: true;
  since?: Since;
  watch?: true;
  config?: string;
};

export const declareRuns: Declare = (command, context) => {
  const { io } = context;
  command
    .description("List past and present runs, newest first.")
    .option("--failed", "only runs in which a task did not complete")
    .option("--here", "only runs of this directory and those below it")
    .option("--since <time>", "only runs started since: 30m, 12h, 3d, 2w, or a date", parseSince)
    .option("--all", "list all runs, not only the newest 50 (--json always lists all)")
    .addOption(new Option("--watch", "show them until Ctrl-C, as they change").conflicts(["json", "all"]))
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Marks: ✓ all tasks completed · ✗ some did not · ? waits for approval · → running · ‖ can be resumed.
${examples([
  ["deputy runs", "finished, active and resumable runs"],
  ["deputy runs --failed --since 1d", "what did not complete since yesterday"],
  ["deputy runs --here --watch", "the runs of this directory, as they change"],
])}`,
    )
    .action((flags: RunsFlags) =>
      withDeputy(context, flags.config, async ({ engine }) =>
        flags.watch ? watchRuns(engine, flags, io) : listRuns(engine, flags, io),
      ),
    );
};

async function listRuns(engine: Engine, flags: RunsFlags, io: Io): Promise<void> {
  const { json, all = json } = flags;
  const { listings, older } = await selectRuns(engine, flags, io, all ? undefined : USUAL_LIMIT);
  const documents = () => listings.map((listing) => listingDocument(listing, io.clock.now()));
  if (json) io.stdout.write(jsonDocument(documents()));
  else if (listings.length === 0 && isFiltered(flags)) io.stdout.write("No such runs. See all: deputy runs\n");
  else io.stdout.write(formatRuns(listings, runTableView(io)));
  io.stderr.write(wrapFor(io.stderr, listings.map(setAsideNote).join("")));
  const later = await engine.laterRuns();
  if (later.length > 0) writeWarning(io, laterNote(later));
  if (older > 0) io.stderr.write(`… and ${plural(older, "older run")}: deputy runs --all\n`);
}

function isFiltered({ failed, here, since }: RunsFlags): boolean {
  return failed === true || here === true || since !== undefined;
}

/** The newest runs that the flags select, and how many older ones there are. */
async function selectRuns(engine: Engine, flags: RunsFlags, io: Io, limit: number | undefined) {
  if (!isFiltered(flags)) {
    const listings = await engine.runs(limit);
    const later = await engine.laterRuns();
    return { listings, older: (await engine.runCount()) - listings.length - later.length };
  }
  const all = (await engine.runs()).filter((listing) => isSelected(listing, flags, io));
  const listings = all.slice(0, limit);
  return { listings, older: all.length - listings.length };
}

function isSelected({ run }: RunListing, { failed, here, since }: RunsFlags, { cwd, clock }: Io): boolean {
  if (failed && failedIn(run) === 0) return false;
  if (here && !(run.directory !== undefined && isWithin(cwd, run.directory))) return false;
  return since === undefined || run.startedAt >= earliest(since, clock.now());
}

/** Redraws the newest runs that fit the terminal until the user interrupts. */
async function watchRuns(engine: Engine, flags: RunsFlags, io: Io): Promise<void> {
  if (!isRichTerminal(io.stdout, io.env))
    throw new DeputyError(
      "usage",
      "--watch needs a terminal that can be redrawn. For a program, use deputy runs --json.",
    );
  const leaving = new AbortController();
  const unsubscribe = io.onInterrupt(() => leaving.abort());
  let listings: RunListing[] = [];
  const screen = createScreen({ output: io.stdout, clock: io.clock, rows: (size) => tableRows(listings, io, size) });
  try {
    while (!leaving.signal.aborted) {
      ({ listings } = await selectRuns(engine, flags, io, USUAL_LIMIT));
      screen.start();
      await io.clock.sleep(WATCH_MS, leaving.signal).catch(() => {}); // The user has interrupted.
    }
  } finally {
    screen.pause();
    unsubscribe();
  }
}

function tableRows(listings: readonly RunListing[], io: Io, { columns, rows }: Size): ScreenRow[] {
  const view = { ...runTableView(io), columns: columns - 1 };
  const lines = runTable(listings.slice(0, Math.max(1, rows - 3)), view)
    .trimEnd()
    .split("\n");
  const shown = listings.length === 0 ? ["No such runs."] : lines;
  return shown.map((text) => ({ text, width: displayWidth(stripVTControlCharacters(text)) }));
}

function laterNote(ids: readonly string[]): string {
  const which = `${plural(ids.length, "run")} of a newer Deputy ${ids.length === 1 ? "is" : "are"} not listed`;
  return `${which}: ${ids.join(", ")}. Update Deputy to read ${ids.length === 1 ? "it" : "them"}.`;
}
