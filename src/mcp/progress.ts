/**
 * Progress of a run for whoever waits for it: one line at a time, about the child with the latest news, at a calm pace, and
 * now and then without any news, so that a client that waits for signs of life has one.
 */
import type { Clock } from "../clock.ts";
import { openChild } from "../engine/report.ts";
import { hasEnded, type Run, type RunChild } from "../engine/run.ts";
import { openInWords } from "../report.ts";

/** Between two lines, in milliseconds. */
const PACE_MS = 1_000;
/** Longest without one. */
const SILENCE_MS = 5_000;

export type ProgressLine = { progress: number; total: number; message: string };

export type Progress = {
  see(run: Run): void;
  /** When the last line was told, on the clock of waits. */
  lastToldAt(): number;
  /** Nothing is told after this. */
  stop(): void;
};

export function createProgress(tell: (line: ProgressLine) => void, clock: Clock): Progress {
  const told = new Map<string, string>();
  let run: Run | undefined;
  let lines = 0;
  let ended = 0;
  let toldAt = clock.elapsed();
  let isResting = false;
  let isOver = false;
  let cancel = clock.after(PACE_MS, beat);

  /** What was new in the meantime, or a sign of life. */
  function beat(): void {
    isResting = false;
    rest();
    if (run !== undefined) sayNews(run);
  }

  function rest(): void {
    cancel();
    cancel = clock.after(PACE_MS, beat);
  }

  function sayNews({ children, ...rest }: Run): void {
    const news = children.filter(({ tally, activity }) => told.get(tally.childId) !== activity);
    const ends = news.filter((child) => hasEnded(child));
    const [only] = ends;
    const latest = ends.length > 0 ? only : news.filter(({ tally }) => tally.startedAt !== undefined).at(-1);
    const silent = clock.elapsed() - toldAt >= SILENCE_MS;
    const child = latest ?? (silent ? longestSilent(children) : undefined);
    if (child === undefined) return;
    for (const end of ends) told.set(end.tally.childId, end.activity);
    told.delete(child.tally.childId);
    told.set(child.tally.childId, child.activity);
    const all = { children, ...rest };
    const message =
      ends.length > 1
        ? `${countEnded(all)} of ${children.length} done`
        : openInWords(openChild(child, all, clock.now()), children.length);
    say(all, message);
  }

  /** The map keeps the order in which children were told of. */
  function longestSilent(children: readonly RunChild[]): RunChild | undefined {
    const open = children.filter((child) => !hasEnded(child));
    const [first] = [...told.keys()].flatMap((id) => open.find(({ tally }) => tally.childId === id) ?? []);
    return first ?? open[0];
  }

  /** Grows with each line, and by a whole one with each child that ends. */
  function say(all: Run, message: string): void {
    const now = countEnded(all);
    lines = now > ended ? 0 : lines + 1;
    ended = now;
    toldAt = clock.elapsed();
    isResting = true;
    rest();
    tell({ progress: now + lines / (lines + 10), total: all.children.length, message });
  }

  return {
    see: (seen) => {
      run = seen;
      if (!isResting && !isOver) sayNews(seen);
    },
    lastToldAt: () => toldAt,
    stop() {
      isOver = true;
      cancel();
    },
  };
}

function countEnded({ children }: Run): number {
  return children.filter(hasEnded).length;
}
