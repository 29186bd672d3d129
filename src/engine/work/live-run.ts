/** A run that this process works on, as its recorder folds it. */
import { type Run, runIn } from "../../run/run.ts";
import type { OnUpdate, RunFeed } from "./run-feed.ts";

/** The run, and each further event of it and of the runs below it. */
export type LiveRun = Pick<RunFeed, "follow"> & { readonly run: Run };

/** The run with this id at or below a live run. */
export function liveRunIn(root: LiveRun, delegationId: string): LiveRun | undefined {
  const run = runIn(root.run, delegationId);
  if (run === undefined || run === root.run) return run && root;
  return { run, follow: (onUpdate, signal) => followBelow(root, delegationId, onUpdate, signal) };
}

/** Ends with the run. It may be attached anew when it resumes, so each update looks it up. */
function followBelow(root: LiveRun, delegationId: string, onUpdate: OnUpdate, signal?: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  return root.follow(({ event }) => {
    const run = runIn(root.run, delegationId);
    if (run === undefined || runIn(run, event.delegationId) === undefined) return;
    onUpdate({ event, run });
    if (run.endedAt !== undefined) over.abort();
  }, either);
}
