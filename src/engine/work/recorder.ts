/** Records a run: each event is journaled, folded into the run once, and published, in that order. */
import { DURABILITY, type Event, isStored } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import { countNested, foldRun, type Run, type RunUpdate } from "../../run/run.ts";

export type Recorder = {
  /** Journals, folds and publishes. Resolves once the event is as durable as its kind demands. */
  record(event: Event): Promise<void>;
  /** Folds and publishes an event that is already in the journal. */
  apply(event: Event): void;
  /** Publishes an event of a nested delegation, whose own recorder has folded it. */
  relay(event: Event): void;
  /** The journal failed: the run stops, because nothing unrecorded may happen. The first error is kept. */
  fail(error: unknown): void;
  /** @throws the first error that `fail` received */
  assertIntact(): void;
};

export type RecorderDeps = {
  journal: Journal;
  run: Run;
  /** Receives every event, live ones included, in order, right after it was folded. */
  publish(update: RunUpdate): void;
  /** Stops the run. */
  stop(by: string): void;
};

export function createRecorder({ journal, run, publish, stop }: RecorderDeps): Recorder {
  let broken: { error: unknown } | undefined;

  async function record(event: Event): Promise<void> {
    if (isStored(event)) {
      const durable = journal.append([event]);
      if (DURABILITY[event.kind] === "barrier") await durable;
      else durable.catch(fail);
    }
    apply(event);
  }

  function apply(event: Event): void {
    foldRun(run, event);
    publish({ event, run });
  }

  function relay(event: Event): void {
    countNested(run, event);
    publish({ event, run });
  }

  function fail(error: unknown): void {
    broken ??= { error };
    stop("the journal failed");
  }

  function assertIntact(): void {
    if (broken !== undefined) throw broken.error;
  }

  return { record, apply, relay, fail, assertIntact };
}
