/** Pending approval requests of children in all processes of this user, and decisions on them from anywhere. */
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { Event, StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import { namedChild, type OpenQuestion, type Run, type RunUpdate } from "../../run/run.ts";
import { isOfLaterRun } from "../../run/run-format.ts";
import { isAtWork, isOwned } from "../../run/run-store.ts";
import type { CurrentRuns, FoundRun } from "./current-runs.ts";

/** A pending approval request with its run and child. */
export type Question = OpenQuestion & { delegationId: string; childId: string; goal: string };

/** Identifies an approval request. */
export type Which = {
  /** A run (with one pending request), or one of its children. */
  id: string;
  /** The call id of the request, or a prefix of it; needed if several are pending. */
  callId?: string;
  /** The code of exactly one request, regardless of which are pending now. */
  request?: string;
};

export type Answer = Which & {
  allowed: boolean;
  /** The reason given to the child. */
  reason: string;
  by: string;
};

/**
 * `counted`: this answer decided the request. Otherwise another answer or event came first, and `end` describes it if
 * it is known.
 */
export type Answered = { question: Question; counted: boolean; end: ApprovalOutcome | undefined };
type ApprovalOutcome = { allowed: boolean; by: string; reason: string };

export type ApprovalRequests = {
  questions(): Promise<Question[]>;
  question(which: Which): Promise<Question>;
  answer(answer: Answer): Promise<Answered>;
};

type ApprovalRequestsDeps = Pick<CurrentRuns, "find" | "follow"> & {
  clock: Clock;
  journal: Journal;
  newId: () => string;
  /** Removes known keys. @throws DeputyError `config-invalid` */
  redact(text: string): string;
};

export function createApprovalRequests(deps: ApprovalRequestsDeps): ApprovalRequests {
  const { clock, journal, newId, redact, find, follow } = deps;

  /** A broken config must not keep a decision from its child. */
  function withoutKeys(reason: string): string {
    try {
      return redact(reason);
    } catch {
      return "the reason is withheld, because the config that names the keys cannot be read";
    }
  }

  async function questions(): Promise<Question[]> {
    const asked = new Map<string, string>();
    for await (const { event } of journal.read({ kinds: ["approval-ask", "approval-end"] })) {
      if (event.kind !== "approval-ask" && event.kind !== "approval-end") continue;
      const id = JSON.stringify([event.childId, event.callId]);
      if (event.kind === "approval-ask") asked.set(id, event.delegationId);
      else asked.delete(id);
    }
    const open: Question[] = [];
    for (const delegationId of new Set(asked.values())) {
      if (await isOwned(journal, delegationId)) open.push(...(await questionsOfRun(delegationId)));
    }
    return open.sort((one, other) => one.askedAt - other.askedAt);
  }

  /** A run that needs a later Deputy is answered there. */
  async function questionsOfRun(delegationId: string): Promise<Question[]> {
    try {
      return questionsOf((await find(delegationId)).run);
    } catch (error) {
      if (isOfLaterRun(error)) return [];
      throw error;
    }
  }

  async function question(which: Which): Promise<Question> {
    const found = await find(which.id);
    return requestMeant(found, which) ?? (await refuseClosed(found, which));
  }

  /** @throws DeputyError `question-closed`: no request is pending */
  async function refuseClosed({ run: { delegationId } }: FoundRun, which: Which): Promise<never> {
    throw closed(delegationId, which, await lastAnswer(delegationId, which));
  }

  async function answer({ allowed, by, reason, ...which }: Answer): Promise<Answered> {
    const found = await find(which.id);
    const asked = requestMeant(found, which) ?? (await refuseClosed(found, which));
    const { delegationId, childId: target, callId, request } = asked;
    const id = newId();
    const failed = new AbortController();
    const answered = outcome(found, asked, id, failed.signal);
    const event = { kind: "approval-answer", at: clock.now(), delegationId, id, target, callId, request } as const;
    await journal.append([{ ...event, allowed, by, reason: withoutKeys(reason) }]).catch((error: unknown) => {
      failed.abort();
      throw error;
    });
    return answered;
  }

  /** Returns how the newest request that matches ended. */
  async function lastAnswer(delegationId: string, { id, callId = "" }: Which): Promise<ApprovalOutcome | undefined> {
    const childId = namedChild(delegationId, id);
    let last: ApprovalOutcome | undefined;
    for await (const { event } of journal.read({ delegationId, kinds: ["approval-end"] })) {
      const isMeant = event.kind === "approval-end" && (childId ?? event.childId) === event.childId;
      if (isMeant && event.callId.startsWith(callId)) last = event;
    }
    return last;
  }

  /**
   * Returns what decided the request, from the `approval-end` that the owner writes. Call it before the answer is sent.
   */
  async function outcome(
    found: FoundRun,
    question: Question,
    answerId: string,
    signal: AbortSignal,
  ): Promise<Answered> {
    let end: (ApprovalOutcome & { answerId?: string }) | undefined;
    let answered = false;
    const decided = new AbortController();
    const onUpdate = ({ event, run }: RunUpdate) => {
      answered ||= event.kind === "approval-answer" && event.id === answerId;
      if (isEndOf(question, event)) end ??= event;
      if (answered && !questionsOf(run).some(({ request }) => request === question.request)) decided.abort();
    };
    await follow(found, onUpdate, AbortSignal.any([signal, decided.signal]));
    const told = end && { allowed: end.allowed, by: end.by, reason: end.reason };
    return { question, counted: end?.answerId === answerId, end: told };
  }

  return { questions, question, answer };
}

function questionsOf({ delegationId, children }: Run): Question[] {
  return children.flatMap(({ tally: { childId }, asked: goal, questions }) =>
    questions.map((question) => ({ ...question, delegationId, childId, goal })),
  );
}

function isEndOf(
  { childId, callId, askedAt }: Question,
  event: Event,
): event is Extract<StoredEvent, { kind: "approval-end" }> {
  return event.kind === "approval-end" && event.childId === childId && event.callId === callId && event.at >= askedAt;
}

/**
 * The pending request that is meant; undefined if there is none. @throws DeputyError `question-closed` if another one
 * has replaced it, `usage` if more than one matches
 */
function requestMeant(found: FoundRun, { id, callId = "", request }: Which): Question | undefined {
  const { run } = found;
  const open = isAtWork(found) ? questionsOf(run) : [];
  const childId = namedChild(run.delegationId, id);
  const ofChild = open.filter((question) => childId === undefined || question.childId === childId);
  const named = ofChild.filter((question) => request === undefined || question.request === request);
  const exact = named.filter((question) => question.callId === callId);
  const candidates = exact.length > 0 ? exact : named.filter((question) => question.callId.startsWith(callId));
  const [only] = candidates;
  if (only === undefined) {
    if (request !== undefined && ofChild.length > 0) throw replaced(childId ?? run.delegationId, request);
    return undefined;
  }
  if (candidates.length === 1) return only;
  const list = candidates.map((question) => `${question.childId} --call ${question.callId}`).join(", ");
  throw new DeputyError("usage", `Expected one approval request; ${candidates.length} are open. Choose one: ${list}`);
}

function closed(delegationId: string, { id, callId = "" }: Which, end: ApprovalOutcome | undefined): DeputyError {
  const asker = namedChild(delegationId, id) ?? delegationId;
  const which = callId === "" ? "" : ` with the call ${callId}`;
  const why =
    end === undefined
      ? "it never did"
      : `its last request was ${end.allowed ? "approved" : "denied"} by ${end.by} (${end.reason})`;
  return new DeputyError(
    "question-closed",
    `${asker} has no pending approval request${which}: ${why}. List all with: deputy approve`,
  );
}

function replaced(id: string, request: string): DeputyError {
  return new DeputyError(
    "question-closed",
    `Request ${request} is not open; ${id} has a different request now. Nothing was decided. List it with: deputy approve`,
  );
}
