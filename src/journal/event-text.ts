/** Reads a stored event from its text. The numbers of a child's answer stay exact. */
import type { StoredEvent } from "../event.ts";
import { parseExactly } from "../text/exact-json.ts";

/** @throws SyntaxError */
export function parseEvent(text: string): StoredEvent {
  const event: StoredEvent = JSON.parse(text);
  if (event.kind !== "child-end") return event;
  const { ending } = event;
  if (!("answer" in ending) || ending.answer?.output === undefined) return event;
  const exact = parseExactly(text) as typeof event;
  return { ...event, ending: { ...ending, answer: { ...ending.answer, ...outputOf(exact) } } };
}

function outputOf({ ending }: StoredEvent & { kind: "child-end" }): { output?: unknown } {
  return "answer" in ending ? { output: ending.answer?.output } : {};
}
