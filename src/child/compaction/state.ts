/**
 * The state on which a conversation's compactions depend, folded from the child's events: its length, the levels that
 * were tried, and whether the child makes progress.
 */
import { createHash } from "node:crypto";
import { backgroundIdIn } from "../../command-executor.ts";
import type { ChildEvent, CompactionLevel, Usage } from "../../event.ts";
import type { TodoItem } from "../../todo.ts";
import type { HeldMessage } from "../message.ts";
import { callText, stubFor } from "./stub.ts";

export type CompactionState = {
  /** Tokens of the last answered request as its provider counted them, and the characters it had. */
  counted?: { tokens: number; characters: number };
  /** The provider refused a conversation of this many tokens, by estimate, as too long. */
  tooLong?: number;
  /** A refusal for length is followed by one compaction. */
  refusal?: "due" | "answered";
  /** The level to try next if one is needed before the next answer; 3 = none is left. */
  nextLevel: CompactionLevel | 3;
  /** The last level freed too little: the next one follows. */
  freedLittle: boolean;
  /** Results or steps were replaced: the child can recall them. */
  isCompacted: boolean;
  /** Compactions since the last new outcome of a tool. */
  withoutProgress: number;
  /** The newest summary of a model. */
  summary?: string;
  /** Hashes of all outcomes of tools. */
  outcomes: Set<string>;
  /** Number of results by call id. */
  results: Map<string, number>;
  /** Facts that a summary cannot get wrong: files that were changed, and how the newest commands ended. */
  filesChanged: Set<string>;
  /** The child's own list of its work. */
  todo: readonly TodoItem[];
  commands: { command: string; end: string }[];
  /** The calls whose results the conversation no longer contains, oldest first. */
  removed: { ref: string; call: string }[];
};

export function createCompactionState(): CompactionState {
  return {
    nextLevel: 0,
    freedLittle: false,
    isCompacted: false,
    withoutProgress: 0,
    outcomes: new Set(),
    results: new Map(),
    filesChanged: new Set(),
    todo: [],
    commands: [],
    removed: [],
  };
}

type ToolEnd = Extract<ChildEvent, { kind: "tool-end" }>;
type CompactEnd = Extract<ChildEvent, { kind: "compact-end" }>;
/** The part of a conversation that a compaction changes. */
type Compactable = { messages: HeldMessage[]; before: { messages: number }; compaction: CompactionState };

/** A compaction that frees a smaller share is followed by the next level. */
const ENOUGH_FREED = 0.3;
/** The newest commands that a summary names. */
const MOST_COMMANDS = 30;

/**
 * The id of a call whose result came next: models that count anew with every answer repeat theirs.
 * @param counts number of earlier results by call id, which is updated
 */
export function distinctId(counts: Map<string, number>, callId: string): string {
  const count = (counts.get(callId) ?? 0) + 1;
  counts.set(callId, count);
  return count === 1 ? callId : `${callId}-${count}`;
}

/** A new outcome or a changed file is progress. @param outcome hash of the call and its result */
export function noteOutcome(
  state: CompactionState,
  { name, target, text, ok, filesChanged, todo }: ToolEnd,
  outcome: string,
): void {
  if (!state.outcomes.has(outcome) || filesChanged.length > 0) state.withoutProgress = 0;
  state.outcomes.add(outcome);
  for (const path of filesChanged) state.filesChanged.add(path);
  if (todo !== undefined) state.todo = todo;
  const [, said = "failed"] = /\[([^\]]+)\]$/.exec(text) ?? [];
  if (name === "terminal") {
    const end = ok && backgroundIdIn(text) === undefined ? "exit code 0" : said;
    state.commands = [...state.commands, { command: target, end }].slice(-MOST_COMMANDS);
  } else if (name === "terminal_output" || name === "terminal_stop") {
    state.commands = state.commands.map((each) => (each.end.startsWith(`${target} `) ? { ...each, end: said } : each));
  }
}

/** A step was answered: its length was counted, and the next compaction starts at level 0 again. */
export function noteAnswer(state: CompactionState, characters: number, usage: Usage | undefined): void {
  if (usage !== undefined && usage.input > 0) state.counted = { tokens: usage.input, characters };
  state.nextLevel = 0;
  state.freedLittle = false;
  delete state.refusal;
}

/** Applies a compaction to a conversation. */
export function applyCompaction(conversation: Compactable, event: CompactEnd): void {
  const { compaction } = conversation;
  if ("failure" in event) {
    // A request that a stop cut off is sent again after a resume.
    if (event.recovery.action === "give-up" && event.failure.kind !== "aborted") compaction.nextLevel = 2;
    return;
  }
  compaction.isCompacted = true;
  if (event.level === 0) placeStubs(conversation, event.stubs);
  else replaceSteps(conversation, event);
  if (event.level === 1) compaction.summary = event.summary;
  const { before, after } = event.tokens;
  compaction.freedLittle = before - after < before * ENOUGH_FREED;
  if (compaction.nextLevel === 0) compaction.withoutProgress += 1;
  compaction.nextLevel = event.level === 0 ? 1 : event.level === 1 ? 2 : 3;
  if (compaction.refusal === "due") compaction.refusal = "answered";
}

function placeStubs({ messages }: Compactable, stubs: readonly number[]): void {
  for (const index of stubs) {
    const message = messages[index];
    if (message?.role !== "tool") continue;
    const { images: _, ...result } = message;
    messages[index] = { ...result, text: stubFor(message), isStub: true };
  }
}

/** Replaces the messages before `until` by the text, except pinned ones and the message that started the turn. */
function replaceSteps(conversation: Compactable, { until, text }: { until: number; text: string }): void {
  const { messages, before, compaction } = conversation;
  const old = messages.slice(0, until);
  const kept = old.filter((message, index) => !isReplaced(message, index, before.messages));
  for (const message of old) if (message.role === "tool") compaction.removed.push(callOf(message));
  conversation.messages = [...kept, { role: "user", text }, ...messages.slice(until)];
  if (before.messages === 0) return;
  const turn = messages[before.messages];
  if (turn !== undefined) before.messages = conversation.messages.lastIndexOf(turn);
}

/** Neither pinned nor the message that started this turn. @param turnAt its position */
export function isReplaced(message: HeldMessage, index: number, turnAt: number): boolean {
  return !(message.role === "user" && (message.isPinned === true || index === turnAt));
}

export function callOf(result: Extract<HeldMessage, { role: "tool" }>) {
  return { ref: result.ref, call: callText(result) };
}

/** Hash of what a compaction replaces. `deputy journal verify` derives it again from the events before. */
export function replacedHash(messages: readonly HeldMessage[]): string {
  const hash = createHash("sha256");
  for (const message of messages) hash.update(JSON.stringify(message)).update("\n");
  return hash.digest("hex");
}
