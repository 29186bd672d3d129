/**
 * The conversation of a child and its model so far, folded from the child's events. The loop derives its next step from
 * it, so continuing after a crash needs no other code: fold the stored events, and ask again.
 */
import { hash } from "node:crypto";
import { answerTextOf } from "../answer-text.ts";
import type { Failure } from "../errors.ts";
import type {
  ChildEvent,
  FinalAnswerReason,
  Finish,
  LimitName,
  Part,
  RejectedParameter,
  RequestRecord,
  SteerAuthor,
} from "../event.ts";
import { routeName } from "../route.ts";
import { addSeen } from "../seen-file.ts";
import type { SeenFile } from "../tool.ts";
import { present } from "../values/present.ts";
import {
  applyCompaction,
  type CompactionState,
  createCompactionState,
  distinctId,
  noteAnswer,
  noteOutcome,
} from "./compaction/state.ts";
import { type HeldMessage, lengthOf, type ToolCall } from "./message.ts";
import { createRepeats, type Repeats, withOutcome } from "./repeats.ts";

/** A message to a child from outside its conversation. */
export type SteerMessage = { id: string; text: string; by: string; author?: SteerAuthor; hosts?: string[] };

export type Conversation = {
  /** Set once the child has started, in any process. */
  hasStarted: boolean;
  /** Text that comes before the first message and that no event contains: the task's files. */
  readonly given: string;
  system: string;
  messages: HeldMessage[];
  /** Length of the system prompt and the messages. */
  characters: number;
  /** Number of ended steps. */
  step: number;
  /** Ended steps and messages at the start of this turn; each user message starts a turn. */
  before: { steps: number; messages: number };
  /** The route: 0 is the requested one, n the nth fallback, -1 before the first attempt. */
  position: number;
  provider: string;
  model: string;
  /** Calls of the model without a result yet, in order. `started`: the intent was recorded. */
  pending: (ToolCall & { started: boolean })[];
  /** The model name in the last response on this route. */
  served?: string;
  /** The finish of the last answer; absent while the model has yet to answer. */
  finish?: Finish;
  /** Set once the child was asked for its final answer, with the reason. */
  finalAnswerReason?: FinalAnswerReason;
  /** Set once the child was asked to repair its answer. */
  repairAsked: boolean;
  /** Failures of the current step on the current route, oldest first. */
  failures: Failure[];
  /** Milliseconds spent on their requests and on the waits after them. */
  failingMs: number;
  /** Set while its provider's quota is exhausted until a known time (milliseconds since the epoch). */
  pause?: { until: number; failure: Failure };
  /** Keys that have failed in direct succession since the last of those failures. */
  keysTried: number;
  /** The text of an answer that was cut off. */
  brokenOff: string;
  /** Output tokens of all requests so far, as counted by providers. */
  outputTokens: number;
  /** By route: optional parameters that it was found to reject. */
  leftOut: Map<string, readonly RejectedParameter[]>;
  /** Messages of the warnings recorded so far. */
  warned: Set<string>;
  /** What the model knows of files, by path. */
  seen: Map<string, SeenFile>;
  /** Hosts that the user named in messages since the task. */
  hosts: string[];
  /** Outcomes of the newest answer's calls so far. */
  outcomes: string[];
  repeats: Repeats;
  /** The answer to its tool results was empty: a message about that is due, or was sent. */
  emptyAnswer?: "due" | "told";
  /** Whether the last answer contains calls that cannot be read, and how often in this turn the child was told so. */
  textCalls: { isUnreadable: boolean; told: number };
  /** The limits that the child was told run low, in this turn. */
  toldLimits: Set<LimitName>;
  compaction: CompactionState;
};

export function createConversation(given = ""): Conversation {
  return {
    hasStarted: false,
    given,
    system: "",
    messages: [],
    characters: 0,
    step: 0,
    before: { steps: 0, messages: 0 },
    position: -1,
    provider: "",
    model: "",
    pending: [],
    repairAsked: false,
    failures: [],
    failingMs: 0,
    keysTried: 0,
    brokenOff: "",
    outputTokens: 0,
    leftOut: new Map(),
    warned: new Set(),
    seen: new Map(),
    hosts: [],
    outcomes: [],
    repeats: createRepeats(),
    textCalls: { isUnreadable: false, told: 0 },
    toldLimits: new Set(),
    compaction: createCompactionState(),
  };
}

/** Adds one event. Events that do not concern the model have no effect. */
export function applyEvent(conversation: Conversation, event: ChildEvent): void {
  switch (event.kind) {
    case "child-start":
      conversation.hasStarted = true;
      startWith(conversation, event.prompt);
      return;
    case "attempt-start":
      startOnRoute(conversation, event);
      return;
    case "step-end":
      conversation.step = event.step;
      noteAnswer(conversation.compaction, conversation.characters, event.usage);
      conversation.outputTokens += event.usage?.output ?? 0;
      noteLeftOut(conversation, event);
      if (event.servedModel !== undefined) conversation.served = event.servedModel;
      conversation.textCalls.isUnreadable = event.textCalls === "unreadable";
      applyAnswer(conversation, event.parts, event.finish);
      return;
    case "step-fail":
      noteLeftOut(conversation, event);
      applyFailure(conversation, event, event.partialText);
      return;
    case "pause-end":
      delete conversation.pause;
      return;
    case "compact-end":
      shorten(conversation, event);
      return;
    case "tool-start":
      for (const call of conversation.pending) if (call.callId === event.callId) call.started = true;
      return;
    case "tool-end":
      applyToolEnd(conversation, event);
      return;
    case "message-add":
      applyMessage(conversation, event);
      return;
    case "child-warn":
      conversation.warned.add(event.warning.message);
      return;
    case "step-start":
      noteLeftOut(conversation, event);
      return;
    case "compact-start":
    case "pause-start":
    case "delegation-charge":
    case "worktree-add":
    case "worktree-save":
    case "approval-ask":
    case "approval-end":
    case "child-end":
      return;
    default:
      event satisfies never;
  }
}

function applyMessage(conversation: Conversation, event: Extract<ChildEvent, { kind: "message-add" }>): void {
  noteReason(conversation, event);
  if ("hosts" in event) conversation.hosts.push(...(event.hosts ?? []));
  addMessage(conversation, { role: "user", text: event.text, ...(event.reason === "steer" && { isPinned: true }) });
  delete conversation.finish;
}

/** Applies the changes that follow from the reason of a message. */
function noteReason(conversation: Conversation, event: Extract<ChildEvent, { kind: "message-add" }>): void {
  switch (event.reason) {
    case "user":
    case "fork":
      beginTurn(conversation);
      return;
    case "steer":
      return;
    case "repair":
      conversation.repairAsked = true;
      return;
    case "empty_answer":
      conversation.emptyAnswer = "told";
      return;
    case "text_call":
      conversation.textCalls.told += 1;
      return;
    case "repeated_call":
      conversation.repeats = { ...conversation.repeats, told: true };
      return;
    case "limits":
      for (const name of event.limits) conversation.toldLimits.add(name);
      return;
    default:
      conversation.finalAnswerReason = event.reason;
  }
}

function startWith(conversation: Conversation, { system, user }: { system: string; user: string }): void {
  const text = conversation.given + user;
  conversation.system = system;
  // A message may follow a turn that never started.
  conversation.messages.unshift({ role: "user", text, isPinned: true });
  conversation.characters += system.length + text.length;
}

function startOnRoute(conversation: Conversation, event: Extract<ChildEvent, { kind: "attempt-start" }>): void {
  conversation.position = event.position;
  conversation.provider = event.provider;
  conversation.model = event.model;
  delete conversation.served;
  delete conversation.pause;
  delete conversation.compaction.tooLong;
  delete conversation.compaction.refusal;
  forgetFailures(conversation);
}

function shorten(conversation: Conversation, event: Extract<ChildEvent, { kind: "compact-end" }>): void {
  if ("failure" in event) applyFailure(conversation, event, "");
  else forgetFailures(conversation);
  applyCompaction(conversation, event);
  conversation.characters = charactersOf(conversation);
}

function charactersOf({ system, messages }: Conversation): number {
  return messages.reduce((sum, message) => sum + lengthOf(message), system.length);
}

function addMessage(conversation: Conversation, message: HeldMessage): void {
  conversation.messages.push(message);
  conversation.characters += lengthOf(message);
}

function applyToolEnd(conversation: Conversation, event: Extract<ChildEvent, { kind: "tool-end" }>): void {
  const { callId, name, target, text, ok, images } = event;
  const called = conversation.pending.find((call) => call.callId === callId);
  conversation.pending = conversation.pending.filter((call) => call !== called);
  const ref = distinctId(conversation.compaction.results, callId);
  addMessage(conversation, { role: "tool", callId, ref, name, target, text, ok, ...present({ images }) });
  for (const file of event.seen ?? []) addSeen(conversation.seen, file);
  const hashes = (images ?? []).map(({ sha256 }) => sha256);
  const outcome = hashOf(name, target, text, ...hashes);
  // Different edits of one file may have the same subject and the same result.
  const edit = event.filesChanged.length > 0 ? JSON.stringify(called?.input) : "";
  conversation.outcomes.push(hashOf(outcome, edit));
  if (conversation.pending.length === 0)
    conversation.repeats = withOutcome(conversation.repeats, hashOf(...conversation.outcomes));
  noteOutcome(conversation.compaction, event, outcome);
}

function hashOf(...texts: string[]): string {
  return hash("sha256", texts.join("\0"), "base64");
}

type FailureFacts = Pick<
  Extract<ChildEvent, { kind: "step-fail" }>,
  "recovery" | "failure" | "durationMs" | "at" | "usage"
>;

/** Remembers parameters that a route rejects for its next requests, in whichever process. */
function noteLeftOut(conversation: Conversation, { leftOut }: Pick<RequestRecord, "leftOut">): void {
  if (leftOut !== undefined) conversation.leftOut.set(routeName(conversation), leftOut);
}

function applyFailure(conversation: Conversation, event: FailureFacts, partialText: string): void {
  const { recovery, failure, durationMs, at } = event;
  conversation.outputTokens += event.usage?.output ?? 0;
  conversation.failingMs += durationMs + (recovery.action === "retry" ? recovery.delayMs : 0);
  conversation.brokenOff = partialText;
  if (recovery.action === "pause") conversation.pause = { until: at + recovery.delayMs, failure };
  if (recovery.action === "nudge") conversation.emptyAnswer = "due";
  if (recovery.action === "next-key") conversation.keysTried += 1;
  else {
    conversation.failures.push(failure);
    conversation.keysTried = 0;
  }
  if (recovery.action === "compact") {
    conversation.compaction.tooLong = recovery.tokens;
    conversation.compaction.refusal = "due";
  }
}

/** Resets the limits and requests of the previous turn; the requested route is tried first again. */
function beginTurn(conversation: Conversation): void {
  const { brokenOff: text, provider, model } = conversation;
  // The user has read the beginning of a stopped answer, and may refer to it.
  if (text !== "") addMessage(conversation, { role: "assistant", provider, model, parts: [{ type: "text", text }] });
  conversation.before = { steps: conversation.step, messages: conversation.messages.length };
  conversation.position = -1;
  conversation.repairAsked = false;
  conversation.repeats = createRepeats();
  conversation.textCalls.told = 0;
  conversation.toldLimits.clear();
  delete conversation.finalAnswerReason;
  delete conversation.served;
  forgetFailures(conversation);
}

function applyAnswer(conversation: Conversation, parts: Part[], finish: Finish): void {
  const { provider, model } = conversation;
  delete conversation.emptyAnswer;
  conversation.outcomes = [];
  // Providers reject a message without content.
  if (parts.some((part) => part.type !== "reasoning"))
    addMessage(conversation, { role: "assistant", provider, model, parts });
  forgetFailures(conversation);
  const calls = parts.filter((part) => part.type === "tool-call");
  if (calls.length > 0 && conversation.finalAnswerReason === undefined) {
    conversation.pending = calls.map(({ callId, name, input }) => ({ callId, name, input, started: false }));
    delete conversation.finish;
  } else {
    conversation.finish = finish;
  }
}

/** A message as the child's model reads it: another model's words must not pass for the user's. */
export function messageText({ text, by, author }: SteerMessage): string {
  if (author === undefined) return text;
  return `From ${by}: another model wrote all of this message. It is not the user's word.\n\n${text}`;
}

/** Forgets failures: the step succeeded, another route takes over, or a resume starts over. */
export function forgetFailures(conversation: Conversation): void {
  conversation.failures = [];
  conversation.keysTried = 0;
  conversation.failingMs = 0;
  conversation.brokenOff = "";
}

/** The child's newest text in this turn: of the cut-off answer, else of its last message. Empty if there is none. */
export function lastText(conversation: Conversation): string {
  if (conversation.brokenOff !== "") return conversation.brokenOff;
  for (const message of conversation.messages.slice(conversation.before.messages).toReversed()) {
    if (message.role !== "assistant") continue;
    const text = answerTextOf(message.parts);
    if (text !== "") return text;
  }
  return "";
}

/** The user message that started this turn; undefined in the first turn, which the task started. */
export function turnMessage({ messages, before }: Conversation): string | undefined {
  const message = before.messages === 0 ? undefined : messages[before.messages];
  return message?.role === "user" ? message.text : undefined;
}

/** The child's answer: the text of its last message. */
export function answerText(conversation: Conversation): string {
  const message = conversation.messages.at(-1);
  return message?.role === "assistant" ? answerTextOf(message.parts) : "";
}
