/**
 * Which run a command is about: the id that was typed, the newest run with `--last`, or the user's choice from a list if
 * a terminal can show one.
 */
import type { Engine, RunListing } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { answersFrom } from "../approvals/question.ts";
import { type Io, isRichTerminal } from "../io.ts";
import { runTable, runTableView } from "../terminal/run-table.ts";

export const LAST_OPTION = ["--last", "the newest run; `.n` as the id means its nth child"] as const;

/** Number of runs to choose from. */
const CHOICES = 9;
/** Runs looked through for those that fit the command. */
const SEARCHED = 200;

export type RunQuery = {
  id: string | undefined;
  last: true | undefined;
  /** The runs that the command can act on; only the list is restricted to them. */
  fits?: (listing: RunListing) => boolean;
};

/** @throws DeputyError `usage` without an id, or if there is no run; `run-unknown` if `--last` finds none */
export async function whichRun(engine: Engine, { id, last, fits = () => true }: RunQuery, io: Io): Promise<string> {
  if (last && id !== undefined && !/^\.\d/.test(id))
    throw new DeputyError(
      "usage",
      `Expected an id or --last, not both; found ${id}. For a child of the last run: --last .2`,
    );
  if (last) return `${await newestId(engine)}${id ?? ""}`;
  return id ?? chosenRun(engine, fits, io);
}

async function newestId(engine: Engine): Promise<string> {
  const [newest] = await engine.runs(1);
  if (newest === undefined) throw new DeputyError("run-unknown", 'No runs yet. Start one: deputy run --goal "…"');
  return newest.run.delegationId;
}

async function chosenRun(engine: Engine, fits: (listing: RunListing) => boolean, io: Io): Promise<string> {
  if (io.stdin.isTTY !== true || !isRichTerminal(io.stderr, io.env))
    throw new DeputyError("usage", "Expected the id of a run, or --last for the newest. See: deputy runs");
  const listings = (await engine.runs(SEARCHED)).filter(fits).slice(0, CHOICES);
  if (listings.length === 0)
    throw new DeputyError("usage", "There is no run that this command can act on. See: deputy runs");
  io.stderr.write(runTable(listings, runTableView(io, io.stderr), true));
  const answer = await askForNumber(io, listings.length, "Which run?");
  const chosen = listings[answer - 1];
  if (chosen === undefined) throw new DeputyError("usage", "No run was chosen.");
  return chosen.run.delegationId;
}

/** Asks until the answer is one of the numbers, or nothing: 0 then, as after Ctrl-C. */
export async function askForNumber(io: Io, most: number, question: string): Promise<number> {
  const leaving = new AbortController();
  const unsubscribe = io.onInterrupt(() => leaving.abort());
  const read = answersFrom(io, io.stderr);
  try {
    for (;;) {
      const line = (await read(`${question} 1 to ${most}, or Enter for none: `, leaving.signal)) ?? "";
      const answer = Number(line);
      if (Number.isInteger(answer) && answer >= 0 && answer <= most) return answer;
    }
  } finally {
    unsubscribe();
  }
}
