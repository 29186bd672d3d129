/**
 * Checks schemas, and answers against them. A schema from a model or a file can run code: its pattern may backtrack for
 * years, its reference may never end. So schemas are compiled and applied in threads with a time and a memory limit. A
 * thread that reaches a limit is ended, and the next check gets a new one. No thread is started before the first
 * schema, and none keeps the process alive.
 */
import { extname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { isTooDeep, TOO_DEEP } from "./json-depth.ts";

/** Time limit of one check once a thread has started it. Ordinary checks take milliseconds. */
const CHECK_SECONDS = 2;
const OUT_OF_TIME = `checking it takes more than ${CHECK_SECONDS} seconds`;
const STOPPED = "the check was stopped";
const MEMORY_MB = 256;
/** Concurrent checks, so that slow ones do not delay the others. */
const MAX_THREADS = 4;
/** Attempts to start the only thread, and the pause between two: file descriptors become free when other work ends. */
const START_ATTEMPTS = 40;
const START_PAUSE_MS = 50;
/** Maximum length of JSON, in characters. Parsing cannot be interrupted, so its input must fit a thread's memory. */
const MAX_SCHEMA = 1_000_000;
const MAX_ANSWER = 4_000_000;

/** TypeScript in a clone, JavaScript in the package. */
const WORKER = new URL(`./schema-worker${extname(import.meta.url)}`, import.meta.url);

/** All are JSON. Without answers, the schema itself is checked. */
export type SchemaJob = { schema: string; answers?: readonly string[] };
/** The first answer that fits, or the first one with its validation errors; or, as a clause, why none can be checked. */
export type SchemaVerdict = { errors: string[]; chosen: number } | { unusable: string; isShortage?: true };

export type SchemaChecker = {
  /** Returns why the schema is unusable, as a clause; undefined if it is usable. */
  mistakeIn(schema: object): Promise<string | undefined>;
  /** @param answers JSON, the likeliest first. @param signal ends the check, which then is `unusable` */
  check(schema: object, answers: readonly string[], signal: AbortSignal): Promise<SchemaVerdict>;
  close(): Promise<void>;
};

type StartWorker = (program: URL, options: WorkerOptions) => Worker;

export function createSchemaChecker(
  startWorker: StartWorker = (program, options) => new Worker(program, options),
): SchemaChecker {
  const threads = new Set<Worker>();
  const idle = new Set<Worker>();
  let busy = 0;
  let turn = Promise.withResolvers<void>();

  /** If no thread can be started, waits for a running one, or retries for some time. */
  async function perform(job: SchemaJob, signal: AbortSignal): Promise<SchemaVerdict> {
    let tried = await performOnce(job, signal, () => busy === MAX_THREADS);
    for (let attempt = 1; "notStarted" in tried; attempt++) {
      if (attempt === START_ATTEMPTS) return shortage(tried.notStarted);
      if (threads.size === 0) await sleep(START_PAUSE_MS);
      tried = await performOnce(job, signal, () => busy === MAX_THREADS || (idle.size === 0 && threads.size > 0));
    }
    return tried;
  }

  async function performOnce(
    job: SchemaJob,
    signal: AbortSignal,
    mustWait: () => boolean,
  ): Promise<SchemaVerdict | { notStarted: string }> {
    signal.addEventListener("abort", letWaitingLook);
    while (mustWait() && !signal.aborted) await turn.promise;
    signal.removeEventListener("abort", letWaitingLook);
    if (signal.aborted) return { unusable: STOPPED };
    busy += 1;
    let [thread] = idle;
    const isNew = thread === undefined;
    let hasBegun = false;
    try {
      thread ??= startThread();
      thread.once("message", () => (hasBegun = true));
      idle.delete(thread);
      const verdict = await verdictOf(thread, job, signal);
      idle.add(thread);
      return verdict;
    } catch (error) {
      if (thread !== undefined) threads.delete(thread);
      void thread?.terminate();
      return isNew && !hasBegun && error instanceof Error
        ? { notStarted: error.message }
        : { unusable: reasonOf(error) };
    } finally {
      busy -= 1;
      letWaitingLook();
    }
  }

  function startThread(): Worker {
    const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MB };
    const thread = startWorker(WORKER, { env: {}, execArgv: [], resourceLimits });
    threads.add(thread);
    // Whoever waits for the thread receives the error too. An error without a waiter is ignored.
    thread.on("error", () => {});
    thread.on("exit", () => {
      threads.delete(thread);
      idle.delete(thread);
    });
    return thread;
  }

  function letWaitingLook(): void {
    turn.resolve();
    turn = Promise.withResolvers();
  }

  return {
    async mistakeIn(schema) {
      const job = jobOf(schema);
      const verdict = "unusable" in job ? job : await perform(job, new AbortController().signal);
      return "unusable" in verdict ? verdict.unusable : undefined;
    },
    async check(schema, answers, signal) {
      const length = answers.reduce((sum, answer) => sum + answer.length, 0);
      if (length > MAX_ANSWER) return { unusable: `the answer has more than ${MAX_ANSWER} characters` };
      const job = jobOf(schema);
      return "unusable" in job ? job : perform({ ...job, answers }, signal);
    },
    async close() {
      await Promise.all(Array.from(threads, (thread) => thread.terminate()));
    },
  };
}

function jobOf(schema: object): SchemaJob | { unusable: string } {
  const text = jsonOf(schema);
  if (text === undefined || isTooDeep(text)) return { unusable: `it is ${TOO_DEEP}` };
  return text.length > MAX_SCHEMA ? { unusable: `it has more than ${MAX_SCHEMA} characters` } : { schema: text };
}

/** Undefined if the value is too deep to be serialized. */
function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Rejects if the thread is no longer usable. It keeps the process alive until then. */
function verdictOf(thread: Worker, job: SchemaJob, signal: AbortSignal): Promise<SchemaVerdict> {
  const { promise, resolve, reject } = Promise.withResolvers<SchemaVerdict>();
  let timer: NodeJS.Timeout | undefined;
  const onMessage = (said: "begun" | SchemaVerdict) => {
    if (said !== "begun") resolve(said);
    // Waits a turn of the event loop: a verdict that arrived while this process was busy is read first.
    else timer = setTimeout(() => setImmediate(reject, new Error(OUT_OF_TIME)), CHECK_SECONDS * 1000);
  };
  thread.on("message", onMessage).on("error", reject).on("exit", reject);
  signal.addEventListener("abort", reject);
  thread.ref();
  thread.postMessage(job);
  return promise.finally(() => {
    clearTimeout(timer);
    thread.unref();
    thread.off("message", onMessage).off("error", reject).off("exit", reject);
    signal.removeEventListener("abort", reject);
  });
}

function shortage(reason: string): SchemaVerdict {
  const unusable =
    `no thread could be started to check it (${reason}): Deputy has run out of file descriptors, threads or memory. ` +
    "Run fewer tasks at once, or raise the limit (ulimit -n, ulimit -u)";
  return { unusable, isShortage: true };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return STOPPED;
  const isOutOfMemory = "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY";
  return isOutOfMemory ? `checking it takes more than ${MEMORY_MB} MB of memory` : error.message;
}
