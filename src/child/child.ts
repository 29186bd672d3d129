/** A child under way: what it is given, what it knows, and how it tells events. */
import type { ApprovalFacts } from "../approval-request.ts";
import type { Clock } from "../clock.ts";
import type { Failure, FailureKind, Warning } from "../errors.ts";
import type { ChildEvent, Event, LiveEvent, Recovery, Usage } from "../event.ts";
import type { Image } from "../image.ts";
import type { Ready } from "../plan.ts";
import type { Route } from "../route.ts";
import type { KeyAvailability, Lease } from "../secret.ts";
import type { PermissionRule, Tool } from "../tool.ts";
import { applyEvent, type Conversation, createConversation, forgetFailures } from "./conversation.ts";
import type { SchemaChecker } from "./schema/schema-checker.ts";
import type { Model } from "./wire/model.ts";
import type { Reserve } from "./worst-case.ts";

export type ChildInput = {
  delegationId: string;
  childId: string;
  taskIndex: number;
  planned: Ready;
  prompt: { system: string; user: string };
  /** What went wrong while the prompt was made. */
  warnings: readonly Warning[];
  /** Shown with the task. They are in no event: the engine reads them again for a child that goes on. */
  images: readonly Image[];
  /** The child's stored events, where it had begun before it was interrupted. */
  past: readonly ChildEvent[];
  /** Milliseconds it had worked before it was interrupted. */
  earlierMs: number;
};

/** `request` is the code of exactly these facts: an answer from elsewhere names it. */
export type ApprovalQuestion = ApprovalFacts & { goal: string; request: string };
/** `answerId`: the `approval-answer` it was read from, where it was given in another place. */
export type ApprovalDecision = { allowed: boolean; by: string; reason: string; answerId?: string };
/** Settles always: with a denial after a timeout, at once where nobody can answer, and when the signal aborts. */
export type RequestApproval = (question: ApprovalQuestion, signal: AbortSignal) => Promise<ApprovalDecision>;

/** Leave to send one request, of a provider's rate limiter. However the request ends, the leave is given back: once, the rest is ignored. */
export type Permit = {
  /** The provider has begun to answer. */
  accepted(): void;
  end(outcome?: RequestOutcome): void;
};

export type RequestOutcome = {
  /** What it took, as the provider counted; absent = as expected. */
  tokens?: number;
  /** It never left. */
  unsent?: true;
  /** What a failure says about the provider as a whole. */
  setback?: { kind: FailureKind; backInMs: number };
};

/** What the loop works with: everything that is not its own business is handed to it. */
export type ChildDeps = {
  clock: Clock;
  model: Model;
  tools: readonly Tool[];
  permissions: { rules: readonly PermissionRule[]; otherwise: PermissionRule["then"] };
  /** Puts a question to whoever can answer. */
  approve: RequestApproval;
  /** Until when a question asked now would wait; undefined where nobody can answer. */
  answerBy(): number | undefined;
  /** What was said to the child and is not in its conversation yet, oldest first. */
  steered(): { id: string; text: string } | undefined;
  /** Lends a request what it carries. */
  lease(route: Route, signal: AbortSignal): Promise<Lease>;
  /** USD of a request; undefined where the price is not known. */
  price(route: Route, usage: Usage): number | undefined;
  /** Sets money aside for a request before it leaves. */
  reserve: Reserve;
  /** The budget, in USD, of which the least is left: its own, its delegation's; absent where there is none. */
  budgetUsd(): number | undefined;
  /** What to do after a failure. */
  recover(situation: FailureSituation): Recovery;
  /**
   * Waits for a place among the running and for the provider's leave to send a request. Undefined where the signal
   * aborts first. @param tokens what it is expected to take; asked only where a limit needs it
   */
  admit(provider: string, tokens: () => number, signal: AbortSignal): Promise<Permit | undefined>;
  /** Waits without a place among the running; early where the signal aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Waits without a place until a moment, in milliseconds since the epoch, while the child's time stands still. */
  sleepUntil(until: number, signal: AbortSignal): Promise<void>;
  /** Checks answers against their tasks' schemas. */
  schemas: Pick<SchemaChecker, "check">;
  /** Logs a bug in Deputy with its stack, and returns what is said of it. @param where for the log */
  explainBug(error: unknown, where: string): string;
  onServedMismatch: "warn" | "fail";
};

/** What a recovery is decided on. */
export type FailureSituation = {
  /** What the failure leaves to hope for: another key, or a wait. */
  keys: KeyAvailability;
  /** What failed before, of this step on this route. */
  earlier: readonly Failure[];
  /** Milliseconds those requests and the waits after them took, this one included. Waiting for one's turn does not count. */
  failingForMs: number;
  fallbacksLeft: number;
  /** Asking again cannot help. */
  isLasting?: true;
};

/** Why a child's signal was aborted. */
export type StopReason = { status: "timeout" } | { status: "interrupted"; by: string };

/** A child under way: what it was given, and the fold of what it has said. The run's fold is the engine's. */
export type Child = {
  readonly input: ChildInput;
  readonly deps: ChildDeps;
  readonly signal: AbortSignal;
  readonly conversation: Conversation;
};

/** What a child says: stored, or seen live. */
export type EmittedEvent = ChildEvent | LiveEvent;

/** A child as its stored events left it; new where there are none. */
export function loadChild(input: ChildInput, deps: ChildDeps, signal: AbortSignal): Child {
  const conversation = createConversation();
  for (const event of input.past) applyEvent(conversation, event);
  forgetFailures(conversation);
  return { input, deps, signal, conversation };
}

/** An event without what every event of this child carries. */
type EventFacts<Kind extends ChildEvent | LiveEvent> = Kind extends Event
  ? Omit<Kind, "at" | "delegationId" | "childId">
  : never;

/** A stored event of this child, folded into its conversation. The loop yields nothing stored that did not pass here. */
export function emit(child: Child, facts: EventFacts<ChildEvent>): ChildEvent {
  const event = stamp(child, facts) as ChildEvent;
  applyEvent(child.conversation, event);
  return event;
}

function stamp({ input, deps }: Child, facts: object): object {
  return { at: deps.clock.now(), delegationId: input.delegationId, childId: input.childId, ...facts };
}

/** A live event of this child: seen by watchers, remembered by nobody. */
export function emitLive(child: Child, facts: EventFacts<LiveEvent>): LiveEvent {
  return stamp(child, facts) as LiveEvent;
}
