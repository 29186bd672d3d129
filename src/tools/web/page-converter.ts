/**
 * Converts pages in threads with a time and a memory limit, because HTML can be written to take years. Each page gets a
 * thread of its own: one that has parsed a hostile page is not used again.
 */
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { errorCode, errorMessage } from "../../errors.ts";
import { shortageIn } from "../../system/shortage.ts";
import { ToolError } from "../tool-error.ts";
import type { ReadablePage } from "./readable-page.ts";

/** Ordinary pages take a tenth of a second, most of it for loading the libraries. */
const MAX_SECONDS = 10;
const MEMORY_MB = 512;
const STACK_MB = 16;
/** Concurrent threads of one process; further pages wait. */
const MAX_THREADS = 4;

/** TypeScript in a clone, JavaScript in the package. */
const WORKER = new URL(`./page-worker${extname(import.meta.url)}`, import.meta.url);

/** A page's HTML and the URL that its links are relative to. */
export type PageJob = { html: string; address: string };

/** @throws ToolError if the page takes too much time or memory, or the signal's reason */
export type ConvertPage = (job: PageJob, signal: AbortSignal) => Promise<ReadablePage>;

export function createPageConverter(): ConvertPage {
  let free = MAX_THREADS;
  let turn = Promise.withResolvers<void>();

  function letWaitingLook(): void {
    turn.resolve();
    turn = Promise.withResolvers();
  }

  return async (job, signal) => {
    signal.addEventListener("abort", letWaitingLook);
    while (free === 0 && !signal.aborted) await turn.promise;
    signal.removeEventListener("abort", letWaitingLook);
    signal.throwIfAborted();
    free -= 1;
    try {
      return await convert(job, signal);
    } finally {
      free += 1;
      letWaitingLook();
    }
  };
}

async function convert(job: PageJob, signal: AbortSignal): Promise<ReadablePage> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadablePage>();
  const resourceLimits = { maxOldGenerationSizeMb: MEMORY_MB, stackSizeMb: STACK_MB };
  const thread = new Worker(WORKER, {
    workerData: job,
    env: {},
    execArgv: [],
    resourceLimits,
    stdout: true,
    stderr: true,
  });
  const stop = () => reject(signal.reason);
  const timer = setTimeout(reject, MAX_SECONDS * 1000, new ToolError(tooComplex(`${MAX_SECONDS} seconds`)));
  signal.addEventListener("abort", stop, { once: true });
  thread
    .on("message", resolve)
    .on("error", reject)
    .on("exit", () => reject(new ToolError("The thread ended early.")));
  try {
    return await promise;
  } catch (error) {
    throw expected(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    void thread.terminate();
  }
}

/** A page can exhaust a library; that is not a bug in Deputy. */
function expected(error: unknown): unknown {
  if (error instanceof ToolError || !(error instanceof Error) || error.name === "AbortError") return error;
  const shortage = shortageIn(error);
  if (shortage !== undefined) return new ToolError(shortage);
  if (errorCode(error) === "ERR_WORKER_OUT_OF_MEMORY") return new ToolError(tooComplex(`${MEMORY_MB} MB of memory`));
  return new ToolError(`The page cannot be converted to Markdown: ${errorMessage(error)}.`);
}

function tooComplex(limit: string): string {
  return `The page is too complex: converting it to Markdown takes more than ${limit}.`;
}
