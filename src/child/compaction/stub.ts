/** The text in the place of a tool result that was removed from a conversation. */
import { shortLine } from "../../text/short-line.ts";

/** Longest target of a call in a stub, in characters. */
const MOST_TARGET = 120;

/** @param ref the call's id, distinct in the conversation */
export function stubFor(result: { ref: string; name: string; target: string; text: string }): string {
  const { ref, name, target, text } = result;
  const call = shortLine(`${name} ${target}`.trim(), MOST_TARGET);
  return `[Deputy removed the result of ${call} (${text.length} characters) to make room. Read it again with recall: call_id ${JSON.stringify(ref)}.]`;
}
