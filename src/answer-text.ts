/** What a model said in one answer, as text. */
import type { Part } from "./event.ts";

/**
 * The text of an answer. Its messages stand apart by a blank line, and those that only comment on the way to the answer
 * are left out where there is an answer.
 */
export function answerTextOf(parts: readonly Part[]): string {
  const texts = parts.filter((part) => part.type === "text");
  const answers = texts.filter(({ message, text }) => message !== "commentary" && text !== "");
  const said = answers.length > 0 ? answers : texts;
  return said.map(({ text }) => text).join(said.some(({ message }) => message !== undefined) ? "\n\n" : "");
}
