/** A Deputy process under observation: it ends by itself, or is ended if it hangs or takes too much memory. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { launchCommand, PROGRAM, type Process, type Surroundings } from "../../support/end-to-end.ts";
import { type Breach, type Ending, findBloat, findHang } from "./detectors.ts";

const LOOK_EVERY_MS = 100;

export type Watched = Process & {
  readonly argv: readonly string[];
  /** Asks it to end, and checks that it does in time. */
  askToEnd(signal: NodeJS.Signals): void;
  /** Somebody else asked it to end. */
  askedToEnd(): void;
  kill(): void;
  ending(): Promise<Ending>;
};

export type WatchOptions = Surroundings & {
  /** Shell commands before it starts, such as `ulimit -n 64`. */
  limits?: string;
  /** Whether it has nothing to wait for: no provider, no user, no command of an attack. */
  isIdle(): boolean;
  hangMs: number;
  onBreach(breach: Breach): void;
};

export function watch(argv: readonly string[], options: WatchOptions): Watched {
  const { limits = ":", isIdle, hangMs, onBreach, ...surroundings } = options;
  const started = launchCommand(["/bin/sh", "-c", `${limits}; exec "$0" "$@"`, PROGRAM, ...argv], surroundings);
  const elapsedMs = createStopwatch(started.pid);
  let isAskedToEnd = false;
  let quietMs = 0;
  let killed = false;
  let sent: NodeJS.Signals | undefined;
  const kill = () => {
    killed = true;
    started.child.kill("SIGKILL");
  };
  const hasWritten = createJournalWatch(surroundings.env.DEPUTY_STATE_DIR);
  const look = () => {
    const ms = elapsedMs();
    const isWorking = !isIdle() || hasWritten();
    quietMs = isAskedToEnd || !isWorking ? quietMs + ms : 0;
    const found = findHang(argv, quietMs, hangMs, isAskedToEnd ? "was asked to end" : undefined);
    found.push(...findBloat(argv, memoryOf(started.pid)));
    if (found.length === 0) return;
    for (const breach of found) onBreach(breach);
    kill();
    clearInterval(timer);
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  void started.ended.then(() => clearInterval(timer));
  const askedToEnd = () => {
    if (!isAskedToEnd) quietMs = 0;
    isAskedToEnd = true;
  };
  return {
    ...started,
    argv,
    askedToEnd,
    askToEnd(signal) {
      askedToEnd();
      sent = signal;
      started.child.kill(signal);
    },
    kill,
    ending: async () => ({ argv, ...(await started.ended), killed, ...(sent && { sent }) }),
  };
}

/** Whether its journal has grown since the last check: hundreds of calls take their time, and each is recorded. */
function createJournalWatch(stateDir: string | undefined): () => boolean {
  let before = "";
  return () => {
    const now = ["journal.sqlite", "journal.sqlite-wal"]
      .map((name) => statSync(join(stateDir ?? "", name), { throwIfNoEntry: false })?.mtimeMs)
      .join();
    const hasGrown = now !== before;
    before = now;
    return hasGrown;
  };
}

/** The time since the last check, without the time that the process and its children waited for a processor. */
function createStopwatch(pid: number): () => number {
  let [before, waitedBefore] = [performance.now(), 0];
  return () => {
    const [now, waited] = [performance.now(), processorWaitMs(pid)];
    const ms = now - before - Math.max(0, waited - waitedBefore);
    [before, waitedBefore] = [now, waited];
    return Math.max(0, ms);
  };
}

function processorWaitMs(pid: number): number {
  try {
    const [, waitedNs = 0] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ").map(Number);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return waitedNs / 1e6 + children.reduce((sum, child) => sum + processorWaitMs(Number(child)), 0);
  } catch {
    return 0; // It has ended, or the system does not report it.
  }
}

/** Bytes in memory; 0 if the system does not report it. */
function memoryOf(pid: number): number {
  try {
    return Number(/VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
