/** The text in the place of a tool result that was removed from a conversation. */
import { plural } from "../../text/plural.ts";
import { shortLine } from "../../text/short-line.ts";

/** Longest target of a call in a stub, in characters. */
const MOST_TARGET = 120;

type StubbedResult = { ref: string; name: string; target: string; text: string; images?: readonly object[] };

/** A call in one text: its tool and its target. */
export function callText({ name, target }: { name: string; target: string }): string {
  return `${name} ${target}`.trim();
}

/** @param ref the call's id, distinct in the conversation */
export function stubFor(result: StubbedResult): string {
  const { ref, name, target, text, images = [] } = result;
  const shown = images.length > 0 ? ` and ${plural(images.length, "image")}` : "";
  const call = shortLine(callText({ name, target }), MOST_TARGET);
  return `[Deputy removed the result of ${call} (${text.length} characters${shown}) to make room. Read it again with recall: call_id ${JSON.stringify(ref)}.]`;
}
