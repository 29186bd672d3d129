/** Waits for a run in any process: until it ends, or until enough was seen or the time is up. */
import type { Clock } from "../../clock.ts";
import { allChildren, type Run, type RunUpdate } from "../../run/run.ts";
import { isAtWork, type RunListing } from "../../run/run-store.ts";
import type { Engine } from "../engine.ts";
import type { FoundRun } from "./current-runs.ts";

export type WaitOptions = {
  ms: number;
  clock: Clock;
  /** Receives the run as it is now, and after each event from then on. Returns true to stop waiting. */
  onRun?: (run: Run) => boolean;
};

/** @param found the run, which is kept up to date @returns the run at the end of the wait */
export async function waitForRun(
  engine: Pick<Engine, "refresh" | "follow">,
  found: FoundRun,
  { ms, clock, onRun = () => false }: WaitOptions,
  signal: AbortSignal,
): Promise<RunListing> {
  await engine.refresh(found);
  if (!isAtWork(found) || ms <= 0 || onRun(found.run)) return found;
  const over = new AbortController();
  const cancel = clock.after(ms, () => over.abort());
  const onUpdate = ({ run }: RunUpdate) => {
    if (!over.signal.aborted && onRun(run)) over.abort();
  };
  try {
    await engine.follow(found, onUpdate, AbortSignal.any([signal, over.signal]));
  } finally {
    cancel();
  }
  return found;
}

/** Waits until a run ends, a child requests an approval, or `until` returns true. @returns the run at that time */
export async function waitForNews(
  engine: Engine,
  id: string,
  { until, ...options }: Omit<WaitOptions, "onRun"> & { until?: ((run: Run) => boolean) | undefined },
  signal: AbortSignal,
): Promise<RunListing> {
  const found = await engine.run(id);
  const known = new Set(requestsIn(found.run));
  const onRun = (run: Run) => until?.(run) === true || requestsIn(run).some((request) => !known.has(request));
  return waitForRun(engine, found, { ...options, onRun }, signal);
}

/** Approval requests in a tree of runs that can still be answered. */
function requestsIn(run: Run): string[] {
  const questions = allChildren(run).flatMap((child) => child.questions);
  return questions.flatMap(({ request, answerBy }) => (answerBy === undefined ? [] : [request]));
}

/** Stops the runs of this process, and waits a limited time for them to end. */
export async function stopHere(engine: Engine, by: string, { ms, clock }: WaitOptions): Promise<void> {
  const here = (await engine.runs()).filter(({ owner }) => owner === "here").map(({ run }) => run.delegationId);
  await Promise.all(here.map((id) => engine.stop(id, by)));
  const forever = new AbortController().signal;
  await Promise.all(here.map(async (id) => waitForRun(engine, await engine.run(id), { ms, clock }, forever)));
}
