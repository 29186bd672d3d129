/** Formats a child's stored events as a readable conversation. */
import type { Part, StoredEvent } from "../event.ts";
import { spelledLines, spelledPath } from "../text/spelled-text.ts";
import { wantedCall } from "../text/wanted-call.ts";
import { minuteOf } from "./run.ts";

export type TranscriptEntry = { who: string; text: string };

const SPEAKERS: Record<Extract<StoredEvent, { kind: "message-add" }>["reason"], string> = {
  user: "user",
  steer: "message to it",
  repair: "added",
  max_iterations: "added",
  max_cost: "added",
  context_full: "added",
  looping: "added",
  repeated_call: "added",
  empty_answer: "added",
  text_call: "added",
  fork: "user",
  limits: "added",
};

export function transcriptOf(events: Iterable<StoredEvent>): TranscriptEntry[] {
  return [...events].flatMap(entriesOf);
}

function entriesOf(event: StoredEvent): TranscriptEntry[] {
  switch (event.kind) {
    case "child-start":
      return [
        { who: "system", text: event.prompt.system },
        { who: "task", text: event.prompt.user },
      ];
    case "step-end":
      return event.parts.map(partEntry);
    case "step-fail":
      return [{ who: `request failed: ${event.failure.kind}`, text: `${event.failure.message}\n${event.partialText}` }];
    case "pause-start":
      return [{ who: `paused until ${minuteOf(event.until)}`, text: event.failure.message }];
    case "compact-end":
      return compactionEntries(event);
    case "tool-end":
      return [{ who: `result of ${event.name} ${event.target}${placeOf(event)}`, text: event.text }];
    case "approval-ask": {
      const { name, target, directory } = event;
      const where = directory === undefined ? "" : ` in ${spelledPath(directory)}`;
      return [{ who: `asks to ${wantedCall(name, event)}${where}`, text: spelledLines(target).join("\n") }];
    }
    case "approval-end":
      return [{ who: `${event.allowed ? "allowed" : "denied"} by ${event.by}`, text: event.reason }];
    case "message-add":
      return [{ who: SPEAKERS[event.reason], text: event.text }];
    default:
      return [];
  }
}

/** Whether a command ran in the sandbox; empty where the event does not say it. */
function placeOf({ sandboxed, outcome }: Extract<StoredEvent, { kind: "tool-end" }>): string {
  if (sandboxed === undefined || outcome !== "ran") return "";
  return sandboxed ? " (in the sandbox)" : " (without a sandbox)";
}

function compactionEntries(event: Extract<StoredEvent, { kind: "compact-end" }>): TranscriptEntry[] {
  if ("failure" in event) return [{ who: `summary failed: ${event.failure.kind}`, text: event.failure.message }];
  const { before, after } = event.tokens;
  const who = `conversation compacted: about ${before} → ${after} tokens`;
  return [{ who, text: event.level === 0 ? `${event.stubs.length} tool results removed` : event.text }];
}

function partEntry(part: Part): TranscriptEntry {
  switch (part.type) {
    case "text":
      return { who: "answer", text: part.text };
    case "reasoning":
      return { who: "reasoning", text: part.text };
    case "tool-call":
      return { who: `calls ${part.name}`, text: JSON.stringify(part.input, null, 2) };
    default:
      return part satisfies never;
  }
}
