/**
 * Runs as they are now. A run that this process works on is the one that its recorder folds; any other run is folded
 * from the journal, from the state it was found in.
 */
import type { Clock } from "../../clock.ts";
import type { Journal } from "../../journal/journal.ts";
import { catchUp, type LoadedRun, loadRun, ownerOf, type RunListing, resolveRunId } from "../../run/run-store.ts";
import { followRun } from "../../run/watch-run.ts";
import type { RunsHere } from "../start/runs-here.ts";
import type { LiveRun } from "../work/live-run.ts";
import type { OnUpdate } from "../work/run-feed.ts";

/** A run that was found by an id. */
export type FoundRun = RunListing & {
  /** The same run with its place in the journal. Absent if this process works on the run: then it is always current. */
  loaded?: LoadedRun;
};

export type CurrentRuns = {
  /** @throws DeputyError `run-unknown` if no run, or more than one, has an id with this prefix */
  find(id: string): Promise<FoundRun>;
  /** Brings a run that was found earlier up to date. */
  refresh(found: FoundRun): Promise<void>;
  /**
   * Calls back with each event that `found.run` does not contain at the time of the call, folded into it. Resolves when
   * the run ends, its process stops working on it, or the signal aborts; `found` is up to date then.
   */
  follow(found: FoundRun, onUpdate: OnUpdate, signal: AbortSignal): Promise<void>;
};

export type CurrentRunsDeps = Pick<RunsHere, "live"> & {
  clock: Clock;
  journal: Journal;
  /** This process. */
  pid: number;
};

export function createCurrentRuns(deps: CurrentRunsDeps): CurrentRuns {
  const { journal, pid, live } = deps;

  async function find(id: string): Promise<FoundRun> {
    const delegationId = await resolveRunId(journal, id);
    const here = live(delegationId);
    return here === undefined ? fromJournal(await loadRun(journal, delegationId)) : fromHere(here);
  }

  async function refresh(found: FoundRun): Promise<void> {
    const { delegationId } = found.run;
    const here = live(delegationId);
    if (here !== undefined) {
      delete found.loaded;
      Object.assign(found, fromHere(here));
      return;
    }
    const loaded = found.loaded ?? (await loadRun(journal, delegationId));
    await catchUp(journal, loaded);
    Object.assign(found, await fromJournal(loaded));
  }

  async function fromJournal(loaded: LoadedRun): Promise<FoundRun> {
    return { run: loaded.run, owner: await ownerOf(journal, loaded.run, pid), loaded };
  }

  async function follow(found: FoundRun, onUpdate: OnUpdate, signal: AbortSignal): Promise<void> {
    if (found.loaded !== undefined) {
      for await (const update of followRun(deps, found.loaded, signal)) {
        onUpdate(update);
        if (signal.aborted) break;
      }
    } else {
      await live(found.run.delegationId)?.follow((update) => {
        found.run = update.run;
        onUpdate(update);
      }, signal);
      if (found.run.endedAt !== undefined) {
        found.owner = "none";
        return;
      }
      await journal.append([]).catch(() => {}); // What was seen is stored now, unless the run fails with its journal.
    }
    await refresh(found);
  }

  return { find, refresh, follow };
}

function fromHere({ run }: LiveRun): FoundRun {
  return { run, owner: run.endedAt === undefined ? "here" : "none" };
}
