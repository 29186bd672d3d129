/** Messages in an order that the vendor accepts. */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Dialect } from "../dialect/dialect.ts";

/** Sent between a tool result and a user message if the vendor requires an assistant message there. */
const ACKNOWLEDGEMENT = "I have read the results.";

type UserMessage = Extract<LanguageModelV4Message, { role: "user" }>;

export function inOrder(
  prompt: LanguageModelV4Prompt,
  { userAfterTool, userAfterUser }: Dialect,
): LanguageModelV4Prompt {
  const ordered: LanguageModelV4Prompt = [];
  for (const message of prompt) {
    const last = ordered.at(-1);
    if (message.role === "user" && last?.role === "tool" && !userAfterTool)
      ordered.push({ role: "assistant", content: [{ type: "text", text: ACKNOWLEDGEMENT }] });
    if (message.role === "user" && last?.role === "user" && !userAfterUser) append(last, message);
    else ordered.push(message);
  }
  return ordered;
}

/** Two texts become one: a message of several parts is not understood everywhere. */
function append({ content }: UserMessage, { content: more }: UserMessage): void {
  for (const part of more) {
    const last = content.at(-1);
    if (part.type === "text" && last?.type === "text") last.text += `\n\n${part.text}`;
    else content.push(part);
  }
}
