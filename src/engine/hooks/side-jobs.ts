/** Jobs outside the runs: limited in number, in order within a lane, never awaited by a run. */

export type SideJob = (signal: AbortSignal) => Promise<void>;

export type SideJobs = {
  /** Starts a job after the earlier ones of its lane. Returns false, and drops it, if too many wait. */
  add(lane: string, job: SideJob): boolean;
  isIdle(): boolean;
  /** Resolves when no job runs or waits. */
  settled(): Promise<void>;
  /** Drops the waiting jobs, and aborts the running ones. */
  stop(): void;
};

/** @param most jobs that run at once, and jobs that may wait */
export function createSideJobs(most: { running: number; waiting: number }): SideJobs {
  const waiting: { lane: string; job: SideJob }[] = [];
  const busy = new Set<string>();
  const stopping = new AbortController();
  let idle = Promise.withResolvers<void>();

  function startNext(): void {
    while (busy.size < most.running) {
      const next = waiting.findIndex(({ lane }) => !busy.has(lane));
      const [entry] = next < 0 ? [] : waiting.splice(next, 1);
      if (entry === undefined) return;
      void run(entry.lane, entry.job);
    }
  }

  async function run(lane: string, job: SideJob): Promise<void> {
    busy.add(lane);
    try {
      await job(stopping.signal);
    } finally {
      busy.delete(lane);
      startNext();
      if (busy.size === 0) idle.resolve();
    }
  }

  return {
    add(lane, job) {
      if (stopping.signal.aborted || waiting.length >= most.waiting) return false;
      if (busy.size === 0) idle = Promise.withResolvers<void>();
      waiting.push({ lane, job });
      startNext();
      return true;
    },
    isIdle: () => busy.size === 0,
    async settled() {
      while (busy.size > 0) await idle.promise;
    },
    stop() {
      waiting.length = 0;
      stopping.abort();
    },
  };
}
