/**
 * Questions of children, put to whoever can answer: the asker of this process, and anyone in another place. The first
 * answer counts. Every question is settled: a child never hangs on one.
 */
import type { ApprovalDecision, ApprovalQuestion, RequestApproval } from "../../child/child.ts";
import type { Clock } from "../../clock.ts";
import type { StoredEvent } from "../../event.ts";

/**
 * Someone who can answer. Resolves when they have; stops asking when the signal aborts. `by` names the surface and the
 * user; without it, the program that uses the library answered.
 */
export type Asker = (
  question: ApprovalQuestion,
  signal: AbortSignal,
) => Promise<{ allowed: boolean; reason: string; by?: string }>;

/** Who may answer the children's questions. */
export type ApprovalOptions = {
  asker?: Asker | undefined;
  /** Someone may answer in another place (`deputy approve`): a question waits for that, also where there is no asker. */
  answersFromElsewhere?: boolean | undefined;
};

export type Approvals = {
  approve: RequestApproval;
  /** Until when a question asked now would wait; undefined where nobody can answer. */
  answerBy(): number | undefined;
  /** An answer from another place. One that does not name exactly a request that is open changes nothing. */
  resolve(answer: Extract<StoredEvent, { kind: "approval-answer" }>): void;
};

const NOBODY_CAN_ANSWER: ApprovalDecision = {
  allowed: false,
  by: "nobody",
  reason:
    "it needs the user's approval, and nobody can answer here. The operator can allow it in advance with " +
    "--allow or permissions: in the config.",
};

/** @param timeoutMs how long a person has to answer; then the answer is no */
export function createApprovals(
  { asker, answersFromElsewhere }: ApprovalOptions,
  timeoutMs: number,
  clock: Clock,
): Approvals {
  const open = new Map<string, (verdict: ApprovalDecision) => void>();
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

  /** An asker that cannot ask is no answer where another may come. */
  async function ask(asker: Asker, question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalDecision> {
    try {
      const { allowed, reason, by = "library" } = await asker(question, signal);
      return { allowed: allowed === true, reason, by };
    } catch (error) {
      if (answersFromElsewhere) return new Promise(() => {});
      return { allowed: false, by: "nobody", reason: `the question could not be asked: ${error}` };
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
