/** Waits for a run, in whatever process it is: to its end, or until enough has been seen or waited. */
import type { Clock } from "../../clock.ts";
import { foldRun, type Run } from "../../run/run.ts";
import type { RunListing } from "../../run/run-store.ts";
import type { Engine } from "../engine.ts";

export type WaitOptions = {
  ms: number;
  clock: Clock;
  /** Sees the run as it is now, and after each stored event from here on. True: enough has been seen. */
  onRun?: (run: Run) => boolean;
};

/** @returns the run as it is then. @throws DeputyError `run-unknown` */
export async function waitForRun(
  engine: Engine,
  id: string,
  { ms, clock, onRun = () => false }: WaitOptions,
  signal: AbortSignal,
): Promise<RunListing> {
  const found = engine.run(id);
  if (found.owner === "none" || found.owner === "dead" || ms <= 0) return found;
  const timeout = new AbortController();
  const cancel = clock.after(ms, () => timeout.abort());
  try {
    const { delegationId } = found.run;
    let run: Run | undefined;
    let past = [...engine.events(delegationId)].length;
    for await (const event of engine.watch(delegationId, AbortSignal.any([signal, timeout.signal]))) {
      run = foldRun(run, event);
      past -= 1;
      if (past <= 0 && onRun(run)) break;
    }
  } finally {
    cancel();
  }
  return engine.run(id);
}

/** Stops the runs of this process, and waits for their ends, for a while. */
export async function stopHere(engine: Engine, by: string, { ms, clock }: WaitOptions): Promise<void> {
  const here = engine.runs().flatMap(({ run, owner }) => (owner === "here" ? [run.delegationId] : []));
  await Promise.all(here.map((id) => engine.stop(id, by)));
  await Promise.all(here.map((id) => waitForRun(engine, id, { ms, clock }, new AbortController().signal)));
}
