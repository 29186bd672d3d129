/**
 * Approval requests of a run's children. They go to this process's approval handler and to anyone elsewhere; the first
 * answer counts. Every request is resolved: no child waits forever.
 */
import type { ApprovalDecision, ApprovalQuestion, RequestApproval } from "../../child/child.ts";
import type { Clock } from "../../clock.ts";
import type { StoredEvent } from "../../event.ts";

/**
 * Asks someone for a decision. Resolves with the decision, and stops asking when the signal aborts. `by` names the
 * surface and the user; without it, the program that uses the library decided.
 */
export type Asker = (
  question: ApprovalQuestion,
  signal: AbortSignal,
) => Promise<{ allowed: boolean; reason: string; by?: string }>;

/** Selects who may decide on the children's approval requests. */
export type ApprovalOptions = {
  asker?: Asker | undefined;
  /** Someone may answer elsewhere (`deputy approve`): a request then waits even without an approval handler. */
  answersFromElsewhere?: boolean | undefined;
};

export type Approvals = {
  approve: RequestApproval;
  /** Deadline of a request made now; undefined if nobody can answer. */
  answerBy(): number | undefined;
  /** Handles an answer from elsewhere. An answer that does not name a pending request exactly has no effect. */
  resolve(answer: Extract<StoredEvent, { kind: "approval-answer" }>): void;
};

const NOBODY_CAN_ANSWER: ApprovalDecision = {
  allowed: false,
  by: "nobody",
  reason:
    "it needs the user's approval, and nobody can answer here. The operator can allow it in advance with " +
    "--allow or permissions: in the config.",
};

/** @param timeoutMs how long a user has to answer; after that, the request is denied */
export function createApprovals(
  { asker, answersFromElsewhere }: ApprovalOptions,
  timeoutMs: number,
  clock: Clock,
): Approvals {
  const open = new Map<string, (decision: ApprovalDecision) => void>();
  const canBeAnswered = asker !== undefined || answersFromElsewhere === true;

  async function approve(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalDecision> {
    if (!canBeAnswered) return NOBODY_CAN_ANSWER;
    const id = idOf(question.childId, question.callId, question.request);
    const timeout = new AbortController();
    const cancelTimer = clock.after(timeoutMs, () => timeout.abort());
    const either = AbortSignal.any([signal, timeout.signal]);
    const answers = [
      new Promise<ApprovalDecision>((resolve) => open.set(id, resolve)),
      unanswered(either, signal, timeoutMs),
    ];
    if (asker !== undefined) answers.push(ask(asker, question, either));
    try {
      return await Promise.race(answers);
    } finally {
      open.delete(id);
      cancelTimer();
      timeout.abort();
    }
  }

  /** A handler that fails to ask does not decide if another answer may come. */
  async function ask(asker: Asker, question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalDecision> {
    try {
      const { allowed, reason, by = "library" } = await asker(question, signal);
      return { allowed: allowed === true, reason, by };
    } catch (error) {
      if (answersFromElsewhere) return new Promise(() => {});
      return { allowed: false, by: "nobody", reason: `the request could not be shown: ${error}` };
    }
  }

  return {
    approve,
    answerBy: () => (canBeAnswered ? clock.now() + timeoutMs : undefined),
    resolve({ id: answerId, target, callId, request = "", allowed, by, reason }) {
      open.get(idOf(target, callId, request))?.({ allowed, by, reason, answerId });
    },
  };
}

function idOf(childId: string, callId: string, request: string): string {
  return JSON.stringify([childId, callId, request]);
}

function unanswered(either: AbortSignal, stopped: AbortSignal, timeoutMs: number): Promise<ApprovalDecision> {
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
