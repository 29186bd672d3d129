/** Questions of children, put to whoever can answer. Every question is settled: a child never hangs on one. */
import type { ApprovalQuestion, Approve, Verdict } from "../child/child.ts";
import type { Clock } from "../clock.ts";

/** Someone who can answer. Resolves when they have; stops asking when the signal aborts. */
export type Asker = (question: ApprovalQuestion, signal: AbortSignal) => Promise<{ allowed: boolean; reason: string }>;

const NOBODY: Verdict = {
  allowed: false,
  by: "nobody",
  reason:
    "it needs a person's approval and nobody can answer here. The operator can allow it in advance with " +
    "--allow or permissions: in the config.",
};

/** @param timeoutMs how long a person has to answer; then the answer is no */
export function createApprove(asker: Asker | undefined, timeoutMs: number, clock: Clock): Approve {
  return async (question, signal) => {
    if (asker === undefined) return NOBODY;
    const patience = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => patience.abort());
    const either = AbortSignal.any([signal, patience.signal]);
    try {
      return await Promise.race([answer(asker, question, either), unanswered(either, signal, timeoutMs)]);
    } finally {
      cancelTimer();
      patience.abort();
    }
  };
}

async function answer(asker: Asker, question: ApprovalQuestion, signal: AbortSignal): Promise<Verdict> {
  try {
    return { ...(await asker(question, signal)), by: "person" };
  } catch (error) {
    return { allowed: false, by: "nobody", reason: `the question could not be asked: ${error}` };
  }
}

function unanswered(either: AbortSignal, stopped: AbortSignal, timeoutMs: number): Promise<Verdict> {
  return new Promise((resolve) => {
    const giveUp = () =>
      resolve(
        stopped.aborted
          ? { allowed: false, by: "stop", reason: "the child was stopped." }
          : { allowed: false, by: "timeout", reason: `nobody answered within ${timeoutMs / 1000} s.` },
      );
    if (either.aborted) giveUp();
    else either.addEventListener("abort", giveUp, { once: true });
  });
}
