/** A child's stored events as a conversation that a person can read. */
import type { Part, StoredEvent } from "../event.ts";
import type { Paint } from "./io.ts";
import { harmless, oneLine } from "./terminal-text.ts";

export function formatTranscript(events: StoredEvent[], paint: Paint): string {
  return events
    .flatMap((event) => entriesOf(event))
    .map(({ who, text }) => `${paint("bold", `── ${who}`)}\n${harmless(text).trim()}\n\n`)
    .join("");
}

const SPEAKERS: Record<Extract<StoredEvent, { kind: "message-add" }>["reason"], string> = {
  user: "user",
  steer: "message to it",
  repair: "added",
  max_iterations: "added",
  max_cost: "added",
};

type Entry = { who: string; text: string };

function entriesOf(event: StoredEvent): Entry[] {
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
    case "tool-end":
      return [{ who: `result of ${event.name} ${oneLine(event.target)}`, text: event.text }];
    case "approval-end":
      return [{ who: `${event.allowed ? "allowed" : "denied"} by ${event.by}`, text: event.reason }];
    case "message-add":
      return [{ who: SPEAKERS[event.reason], text: event.text }];
    default:
      return [];
  }
}

function partEntry(part: Part): Entry {
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
