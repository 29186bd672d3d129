/**
 * A process that uses a journal in the mode of its first argument, and reports to its parent by messages. Arguments:
 * mode, state directory, first number, count.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Journal } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { numberOf, numbersOf, stepStart } from "./journal-events.ts";

const [mode = "", stateDir = "", first = "0", count = "0"] = process.argv.slice(2);

const MODES: Record<string, () => Promise<void> | void> = { append, converse, openMany, idle, claim, fill, open };
await MODES[mode]?.();

/** Claims `d1`, then appends numbers until it is killed, and reports each acknowledged one. */
async function append(): Promise<void> {
  const journal = openSqliteJournal({ stateDir });
  await journal.claim("d1");
  for (let number = Number(first); ; number++) {
    await journal.append([stepStart(number)]);
    tell(number);
  }
}

/** Appends its numbers and watches all, until it has seen the numbers of two processes; reports what it saw. */
async function converse(): Promise<void> {
  const journal = openSqliteJournal({ stateDir, pollMs: 5 });
  const appended = appendAll(journal, Number(first), Number(count));
  const seen: number[] = [];
  for await (const entry of journal.watch({}, new AbortController().signal)) {
    seen.push(numberOf(entry));
    if (seen.length === Number(count) * 2) break;
  }
  await appended;
  await journal.close();
  tell(seen);
}

async function appendAll(journal: Journal, from: number, many: number): Promise<void> {
  for (let number = from; number < from + many; number++) await journal.append([stepStart(number)]);
}

/** Opens a new journal every 10 ms from a given time on, at the same moments as its siblings. */
async function openMany(): Promise<void> {
  for (let number = 0; number < Number(count); number++) {
    while (Date.now() < Number(first) + number * 10);
    await openSqliteJournal({ stateDir: join(stateDir, String(number)) }).close();
  }
  tell("opened");
}

/** Uses every feature, ends its watch, closes nothing, and then is idle. */
async function idle(): Promise<void> {
  const journal = openSqliteJournal({ stateDir, pollMs: 60_000 });
  await journal.claim("d1");
  await journal.append([stepStart(1)]);
  const stop = new AbortController();
  const watched = journal.watch({ after: 1 }, stop.signal)[Symbol.asyncIterator]().next();
  setTimeout(() => stop.abort(), 20);
  await watched;
  process.disconnect?.();
}

/** Claims each delegation that it receives, and reports the outcome. */
function claim(): void {
  let journal: Journal | undefined;
  process.on("message", async (delegationId: string) => {
    journal ??= openSqliteJournal({ stateDir });
    tell(await journal.claim(delegationId));
  });
  tell("ready");
}

/** Appends until it fails, and retries. Then reports the failure, and what a new journal finds on the disk. */
async function fill(): Promise<void> {
  process.on("SIGXFSZ", () => {}); // A limit on file sizes must be an error and not end the process.
  const journal = openSqliteJournal({ stateDir });
  let acknowledged = 0;
  const more = () =>
    Promise.all(Array.from({ length: 20 }, (_, index) => journal.append([stepStart(acknowledged + index)])));
  const failure = async (): Promise<{ code?: unknown; message?: unknown }> => {
    for (;;) {
      try {
        await more();
        acknowledged += 20;
      } catch (error) {
        return { ...(error as object), message: String(error) };
      }
    }
  };
  const failures = [await failure(), await failure()];
  const stored = await numbersOf(openSqliteJournal({ stateDir }).read({}));
  tell({ acknowledged, failures, stored });
  process.exit();
}

/** Opens the journal as an ordinary user, to whom permissions apply, and reports the error. */
async function open(): Promise<void> {
  const { uid } = await stat(stateDir);
  process.seteuid?.(uid);
  try {
    await openSqliteJournal({ stateDir }).close();
    tell("opened");
  } catch (error) {
    tell({ ...(error as object), message: String(error) });
  }
}

/** Reports to the parent: by message if it was forked, as a line if a shell started it. */
function tell(message: unknown): void {
  if (process.send) process.send(message as object);
  else console.log(JSON.stringify(message));
}
