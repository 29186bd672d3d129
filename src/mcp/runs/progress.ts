/**
 * Progress of a run for a waiting client: one line at a time, about the child with the latest news, at a steady pace,
 * and occasionally without news, so that a client that expects signs of life gets one.
 */
import type { Clock } from "../../clock.ts";
import { doneInWords, openInWords } from "../../report.ts";
import { ancestorPrefix, endingsIn, hasEnded, type Run, type RunChild } from "../../run/run.ts";
import { openChild } from "../../run/run-report.ts";

/** Minimum time between two lines, in milliseconds. */
const PACE_MS = 1_000;
/** Maximum time without a line, in milliseconds. */
const SILENCE_MS = 5_000;

export type ProgressLine = { progress: number; total: number; message: string };

export type Progress = {
  onRun(run: Run): void;
  /** Time of the last line, on the monotonic clock. */
  lastToldAt(): number;
  /** Stops the lines. */
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
  let cancel = clock.after(PACE_MS, tick);

  /** Sends the latest news, or a sign of life. */
  function tick(): void {
    isResting = false;
    rest();
    if (run !== undefined) printNews(run);
  }

  function rest(): void {
    cancel();
    cancel = clock.after(PACE_MS, tick);
  }

  function printNews(all: Run): void {
    const tree = childrenIn(all);
    const news = tree.filter(({ child: { tally, activity } }) => told.get(tally.childId) !== activity);
    const ends = news.filter(({ child }) => hasEnded(child));
    const ownEnds = ends.filter(({ run }) => run === all);
    const latest = ownEnds[0] ?? ends[0] ?? news.filter(({ child }) => child.tally.startedAt !== undefined).at(-1);
    const silent = clock.elapsed() - toldAt >= SILENCE_MS;
    const place = latest ?? (silent ? longestSilent(tree) : undefined);
    if (place === undefined) return;
    const { child, run } = place;
    for (const { child: ended } of ends) told.set(ended.tally.childId, ended.activity);
    told.delete(child.tally.childId);
    told.set(child.tally.childId, child.activity);
    const message =
      ownEnds.length > 1
        ? doneInWords(endingsIn(all), all.children.length)
        : openInWords(openChild(child, run, clock.now()), run.children.length, ancestorPrefix(run));
    print(all, message);
  }

  /** The map keeps the order in which children were reported. */
  function longestSilent(tree: readonly ProgressChild[]): ProgressChild | undefined {
    const open = tree.filter(({ child }) => !hasEnded(child));
    const [first] = [...told.keys()].flatMap((id) => open.find(({ child }) => child.tally.childId === id) ?? []);
    return first ?? open[0];
  }

  /** The progress number grows with each line, and by a whole unit with each child that ends. */
  function print(all: Run, message: string): void {
    const now = countEnded(all);
    lines = now > ended ? 0 : lines + 1;
    ended = now;
    toldAt = clock.elapsed();
    isResting = true;
    rest();
    tell({ progress: now + lines / (lines + 10), total: all.children.length, message });
  }

  return {
    onRun: (seen) => {
      run = seen;
      if (!isResting && !isOver) printNews(seen);
    },
    lastToldAt: () => toldAt,
    stop() {
      isOver = true;
      cancel();
    },
  };
}

/** A child with its run. */
type ProgressChild = { child: RunChild; run: Run };

/** Every child of a tree, each before the children below it. */
function childrenIn(run: Run): ProgressChild[] {
  return run.children.flatMap((child) => [{ child, run }, ...child.delegations.flatMap(childrenIn)]);
}

function countEnded({ children }: Run): number {
  return children.filter(hasEnded).length;
}
