/** `deputy journal`: verifies what is stored, and removes past runs. */
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { stateDir } from "../../config/trust.ts";
import type { Pruned, PruneOptions } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import type { ChainPosition, JournalReport } from "../../journal/sqlite/verify.ts";
import { grouped, plural } from "../../text/plural.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { CONFIG_OPTION, type Context, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { oneLine } from "../terminal/terminal-text.ts";

type PruneFlags = {
  olderThan?: number;
  keep?: number;
  unfinished?: true;
  dryRun?: true;
  json?: true;
  config?: string;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const UNITS_MS: Record<string, number> = { h: 60 * 60 * 1000, d: DAY_MS, w: 7 * DAY_MS };

export const declareJournal: Declare = (command, context) => {
  const { io } = context;
  command.description("Check or prune the journal, which stores all runs.").addHelpText(
    "after",
    examples([
      ["deputy journal verify", "check that the journal is intact"],
      ["deputy journal verify --head 9f2c…", "check that a run is unchanged since deputy show printed its head"],
      ["deputy journal prune --older-than 30d --dry-run", "show what would be removed"],
      ["deputy journal prune --keep 100", "keep the newest 100 runs"],
    ]),
  );
  command
    .command("verify")
    .description("Check the file, every event and the order of events. Changes nothing.")
    .option("--head <sha256>", "a head that deputy show printed: check that its run is unchanged up to it")
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `
Finds changed bytes, changed or missing events and impossible orders of events. The SHA-256 of each event covers the
event before it in its run. Someone who can write the journal can also write a new chain: note a head elsewhere to
detect that. Work that was in flight when a process was killed
never reached the journal. That is not damage: deputy resume continues the run.

Exit codes: 0 the journal is intact · 1 it is not.`,
    )
    .action(async (flags: { head?: string; json?: true }) => {
      const { verifyJournal } = await import("../../journal/sqlite/verify.ts");
      const { createReplay } = await import("../../child/compaction/replay.ts");
      const file = join(stateDir(io.env), "journal.sqlite");
      const report = verifyJournal(file, { replay: createReplay, ...present({ head: headMeant(flags.head) }) });
      io.stdout.write(flags.json ? jsonDocument(report) : formatReport(report));
      context.exitWith(report.problems.length === 0 ? EXIT_COMPLETED : EXIT_NOT_COMPLETED);
    });
  command
    .command("prune")
    .description("Permanently remove past runs and their conversations.")
    .option("--older-than <time>", "runs without activity for this long: 30d, 12h, 4w", duration)
    .option("--keep <n>", "keep the newest n runs", wholeNumber)
    .option("--unfinished", "also remove runs that deputy resume could continue")
    .option("--dry-run", "show what would be removed")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Active runs are never removed, unfinished ones only with --unfinished. With both --older-than and --keep, a run is
removed if both apply. If no run is active, the file shrinks; otherwise later runs reuse the free space.
${examples([
  ["deputy journal prune --older-than 30d", "remove runs without activity for 30 days"],
  ["deputy journal prune --keep 100 --dry-run", "show what would be removed"],
])}`,
    )
    .action((flags: PruneFlags) => prune(flags, context));
};

async function prune(flags: PruneFlags, context: Context): Promise<void> {
  const { olderThan, keep, unfinished, dryRun } = flags;
  if (olderThan === undefined && keep === undefined) {
    throw new DeputyError("usage", "Choose which runs to remove: --older-than 30d, --keep 100, or both.");
  }
  const options: PruneOptions = {
    ...present({ olderThanMs: olderThan, keep, unfinished, dryRun }),
  };
  await withDeputy(context, flags.config, async ({ engine }) => {
    const pruned = await engine.prune(options);
    const { stdout } = context.io;
    if (flags.json) stdout.write(jsonDocument(pruneDocument(pruned, dryRun === true)));
    else stdout.write(formatPruned(pruned, dryRun === true));
  });
}

function pruneDocument({ runs, bytes, kept }: Pruned, dryRun: boolean) {
  return { dry_run: dryRun, runs, bytes, kept };
}

function formatPruned({ runs, bytes, kept }: Pruned, dryRun: boolean): string {
  if (runs.length === 0) return `Nothing to remove; ${plural(kept, "run")} kept.\n`;
  const what = `${plural(runs.length, "run")} with ${formatBytes(bytes)} of events`;
  return dryRun ? `Would remove ${what}; ${kept} would be kept.\n` : `Removed ${what}; ${kept} kept.\n`;
}

function formatReport({ file, missing, runs, events, bytes, problems, head, later }: JournalReport): string {
  if (missing) return `There is no journal at ${file} yet: nothing was ever run.\n`;
  const size = `${plural(runs, "run")}, ${plural(events, "event")}, ${formatBytes(bytes)}`;
  const notes = `${later.map(laterLine).join("")}${head === undefined ? "" : headLine(head)}`;
  if (problems.length === 0) return `${file} is intact (${size}).\n${notes}`;
  const lines = problems.map((problem) => `  ✗ ${oneLine(problem)}\n`);
  return `${file} is damaged (${size}):\n${lines.join("")}\n${ADVICE}`;
}

function laterLine(run: string): string {
  return `Run ${run} needs a newer Deputy. This one checked its events for changes only.\n`;
}

function headLine({ run, ordinal, events }: ChainPosition): string {
  const since = ordinal === events ? "" : `; ${plural(events - ordinal, "event")} followed`;
  return `Run ${run} is unchanged up to this head, its event ${ordinal}${since}.\n`;
}

const ADVICE = `Runs that are not named above can still be shown and resumed. To begin a new journal, move this one aside with its
-wal and -shm. A copy of it from a backup is as good as it was then.
`;

/** Formats a size such as `12.3 MB`. */
function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${grouped(Math.ceil(bytes / 1000))} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function duration(value: string): number {
  const [, count = "", unit = ""] = /^(\d+)([hdw])$/.exec(value) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined) throw new InvalidArgumentError("Expected hours, days or weeks: 12h, 30d, 4w.");
  return Number(count) * unitMs;
}

function headMeant(value: string | undefined): string | undefined {
  if (value === undefined || /^[0-9a-f]{64}$/i.test(value)) return value?.toLowerCase();
  throw new DeputyError("usage", `--head: expected the 64 digits that deputy show prints; found ${oneLine(value)}.`);
}

function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("Expected a whole number.");
  return Number(value);
}
