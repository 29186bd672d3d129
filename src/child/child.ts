/** A running child: its input, its state, and how it emits events. */

import type { ApprovalFacts } from "../approval-request.ts";
import type { Clock } from "../clock.ts";
import type { CommandExecutor } from "../command-executor.ts";
import type { Failure, FailureKind, Warning } from "../errors.ts";
import type { ChildEvent, ContentEvent, Event, LimitName, LiveEvent, Recovery, SandboxFacts, Usage } from "../event.ts";
import type { GivenFile } from "../given-file.ts";
import type { Image } from "../image.ts";
import type { Ready } from "../plan.ts";
import { routeAt } from "../result.ts";
import type { Route } from "../route.ts";
import type { KeyAvailability, Lease } from "../secret.ts";
import type { PermissionRule, PinnedTool, Tool } from "../tool.ts";
import { getOrMake } from "../values/get-or-make.ts";
import { fieldsOf } from "../values/record.ts";
import {
  applyEvent,
  type Conversation,
  createConversation,
  forgetFailures,
  type SteerMessage,
} from "./conversation.ts";
import { toolsFor } from "./offered-tools.ts";
import { filesPrompt } from "./prompt.ts";
import type { SchemaChecker } from "./schema/schema-checker.ts";
import type { Model } from "./wire/model.ts";
import type { Reserve } from "./worst-case.ts";

export type ChildInput = {
  delegationId: string;
  childId: string;
  taskIndex: number;
  planned: Ready;
  prompt: { system: string; user: string };
  /** Problems found while the prompt was made. */
  warnings: readonly Warning[];
  /** Shown with the task. No event contains them: the engine reads them again for a child that continues. */
  images: readonly Image[];
  /** Their texts come before the task's. No event contains them, as for images. */
  files?: readonly GivenFile[];
  /** Bytes, in base64, of the images in results of its tools so far, by hash. */
  imageBytes?: ReadonlyMap<string, string>;
  /** The child's stored events, if it had started before it was interrupted. */
  past: readonly ChildEvent[];
  /** Milliseconds that it had worked before it was interrupted. */
  earlierMs: number;
  /** Its tools of MCP servers, as they are offered to it. */
  mcpTools?: readonly PinnedTool[];
};

/**
 * `request` is the code of exactly these facts; an answer from elsewhere contains it. `reason`: why a rule that allows
 * the call does not count.
 */
export type ApprovalQuestion = ApprovalFacts & { goal: string; request: string; reason?: string } & SandboxFacts;
/** `answerId`: the `approval-answer` that it came from, if it was given elsewhere. */
export type ApprovalDecision = { allowed: boolean; by: string; reason: string; answerId?: string };
/** Always settles: with a denial after a timeout, at once if nobody can answer, and when the signal aborts. */
export type RequestApproval = (question: ApprovalQuestion, signal: AbortSignal) => Promise<ApprovalDecision>;

/**
 * A permit of a provider's rate limiter to send one request. It is returned however the request ends; only the first
 * return counts.
 */
export type Permit = {
  /** The provider has started to respond. */
  accepted(): void;
  end(outcome?: RequestOutcome): void;
};

export type RequestOutcome = {
  /** Tokens used, as counted by the provider; absent = as expected. */
  tokens?: number;
  /** The request was never sent. */
  unsent?: true;
  /** A failure that concerns the provider as a whole. */
  setback?: { kind: FailureKind; backInMs: number };
};

/** Dependencies of the loop: everything outside its own responsibility. */
export type ChildDeps = {
  clock: Clock;
  model: Model;
  tools: readonly Tool[];
  /** Reads what compactions replaced; offered once they have. */
  recall: Tool;
  /** Runs its commands. The loop ends those in the background before the child ends. */
  commands: CommandExecutor;
  permissions: { rules: readonly PermissionRule[]; otherwise: PermissionRule["then"] };
  /** Requests approval from whoever can answer. */
  approve: RequestApproval;
  /** Deadline of a request made now; undefined if nobody can answer. */
  answerBy(): number | undefined;
  /** The oldest message to the child that is not in its conversation yet. */
  steered(): SteerMessage | undefined;
  /** Whether another child of the run has recorded this warning. */
  isWarned(warning: Warning): boolean;
  /** Leases the credentials of a request. */
  lease(route: Route, signal: AbortSignal): Promise<Lease>;
  /** USD of a request; undefined if the price is unknown. */
  price(route: Route, usage: Usage): number | undefined;
  /** Reserves money for a request before it is sent. */
  reserve: Reserve;
  /** The remainders of the limits on money and time, where there are any. */
  limitsLeft(): LimitLeft[];
  /** The budget, in USD, with the least money left (the child's own or an enclosing one); undefined without budgets. */
  budgetUsd(): number | undefined;
  /** Decides the reaction to a failure. */
  recover(situation: FailureSituation): Recovery;
  /**
   * Waits for a slot and for the provider's permit to send a request. Undefined if the signal aborts first. @param
   * tokens expected tokens; called only if a limit needs them
   */
  admit(provider: string, tokens: () => number, signal: AbortSignal): Promise<Permit | undefined>;
  /** Waits without a slot; returns early if the signal aborts. */
  pause(delayMs: number, signal: AbortSignal): Promise<void>;
  /** Waits without a slot until a moment in milliseconds since the epoch; the child's time limit pauses. */
  sleepUntil(until: number, signal: AbortSignal): Promise<void>;
  /** Passes a live event on to watchers. */
  show(event: LiveEvent): void;
  /** Stores content of requests, unless the run has it. It is durable with the child's next event. */
  keep(content: RunContent): void;
  /** Checks answers against their tasks' schemas. */
  schemas: Pick<SchemaChecker, "check">;
  /** Logs a bug in Deputy with its stack, and returns the text to show. @param where context for the log */
  explainBug(error: unknown, where: string): string;
  onServedMismatch: "warn" | "fail";
};

/** Content that a run stores once and refers to by hash. */
export type RunContent = EventFacts<ContentEvent>;

/** The remainder of a limit, in the limit's own unit. */
export type LimitLeft = { name: LimitName; left: number; limit: number };

/** The input of a recovery decision. */
export type FailureSituation = {
  /** Availability of the provider's keys: another one, or a wait. */
  keys: KeyAvailability;
  /** Earlier failures of this step on this route. */
  earlier: readonly Failure[];
  /**
   * Milliseconds spent on those requests and the waits after them, including this one. Waiting for a turn does not
   * count.
   */
  failingForMs: number;
  fallbacksLeft: number;
  /** Retrying cannot help. */
  isLasting?: true;
  /** Length in tokens of a conversation that can be compacted; absent if it cannot. */
  compactible?: number;
};

/** The reason of a child's aborted signal. */
export type StopReason = { status: "timeout" } | { status: "interrupted"; by: string };

/** Why a child's signal aborted. */
export function stopReason({ reason }: AbortSignal): StopReason {
  const { status, by } = fieldsOf(reason);
  return status === "timeout" ? { status } : { status: "interrupted", by: String(by) };
}

/** A running child: its input, and its conversation folded from its events. The engine folds the run. */
export type Child = {
  readonly input: ChildInput;
  readonly deps: ChildDeps;
  readonly signal: AbortSignal;
  readonly conversation: Conversation;
  /** The tools of requests, by the route's position and whether the conversation was compacted. */
  readonly offers: Map<string, readonly Tool[]>;
  /** Bytes, in base64, of the images in its conversation's tool results, by hash. */
  readonly imageBytes: Map<string, string>;
};

/** Loads a child from its stored events; without any, it is new. */
export function loadChild(input: ChildInput, deps: ChildDeps, signal: AbortSignal): Child {
  const conversation = createConversation(filesPrompt(input.files));
  for (const event of input.past) applyEvent(conversation, event);
  forgetFailures(conversation);
  return { input, deps, signal, conversation, imageBytes: new Map(input.imageBytes), offers: new Map() };
}

/** The tools that the next request offers. A call of another one of the child's tools works too. */
export function offeredTools(child: Child): readonly Tool[] {
  const { position, compaction } = child.conversation;
  return getOrMake(child.offers, `${position} ${compaction.isCompacted}`, () =>
    toolsFor(routeAt(child.input.planned, Math.max(0, position)), childTools(child)),
  );
}

/** All tools of a child. Results can be read again once a compaction has removed some. */
export function childTools({ conversation, deps }: Child): readonly Tool[] {
  const { tools, recall } = deps;
  return conversation.compaction.isCompacted && tools.length > 0 ? [...tools, recall] : tools;
}

/** An event without the fields common to all events of this child. */
type EventFacts<Kind extends ChildEvent | LiveEvent | ContentEvent> = Kind extends Event
  ? Omit<Kind, "at" | "delegationId" | "childId">
  : never;

/** A stored event of this child, folded into its conversation. Every stored event that the loop yields is made here. */
export function emit(child: Child, facts: EventFacts<ChildEvent>): ChildEvent {
  const event = stamp(child, facts) as ChildEvent;
  applyEvent(child.conversation, event);
  return event;
}

function stamp({ input, deps }: Child, facts: object): object {
  return { at: deps.clock.now(), delegationId: input.delegationId, childId: input.childId, ...facts };
}

/** Shows a live event of this child to watchers; it is not stored. */
export function showLive(child: Child, facts: EventFacts<LiveEvent>): void {
  child.deps.show(stamp(child, facts) as LiveEvent);
}
