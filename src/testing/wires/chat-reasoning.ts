/** The places where vendors of Chat Completions put reasoning. */
import type { JsonFields } from "../json-fields.ts";
import { reasoningSignature, type ScriptedReply, signatureOf } from "../turn.ts";

export type ChatReasoning =
  | "reasoning_content"
  | "reasoning"
  /** OpenRouter: the text in `reasoning` and in details, and a last detail with encrypted state. */
  | "reasoning_details"
  /** Mistral: parts of the content. */
  | "thinking-parts"
  /** MiniMax: tags in the content. */
  | "think-tags"
  /** Gemini: nothing but a signature of the first tool call. */
  | "call-signature"
  | "none";

/** The deltas that hold a reply's reasoning. A message that is not streamed has the same fields with the whole text. */
type Deltas = (reply: ScriptedReply) => JsonFields[];

const inField =
  (field: string): Deltas =>
  ({ reasoning }) =>
    reasoning.map((text) => ({ [field]: text }));

export const REASONING_DELTAS: Record<ChatReasoning, Deltas> = {
  reasoning_content: inField("reasoning_content"),
  reasoning: inField("reasoning"),
  reasoning_details: (reply) => [
    ...reply.reasoning.map((text) => ({
      reasoning: text,
      reasoning_details: [{ type: "reasoning.text", text, format: null, index: 0 }],
    })),
    ...(reply.reasoning.length > 0 ? [{ reasoning_details: [encryptedDetail(reply)] }] : []),
  ],
  "thinking-parts": ({ reasoning }) =>
    reasoning.map((text) => ({ content: [{ type: "thinking", thinking: [{ type: "text", text }] }] })),
  "think-tags": ({ reasoning }) =>
    reasoning.map((text, index) => {
      const isLast = index === reasoning.length - 1;
      return { content: `${index === 0 ? "<think>" : ""}${text}${isLast ? "</think>\n\n" : ""}` };
    }),
  "call-signature": () => [],
  none: () => [],
};

function encryptedDetail(reply: ScriptedReply): JsonFields {
  const [call] = reply.toolCalls;
  const data = reasoningSignature(reply);
  return { type: "reasoning.encrypted", data, id: call?.id ?? reply.id, format: null, index: 0 };
}

/** What a tool call carries beside its name and arguments. */
export function callState(form: ChatReasoning, index: number, name: string, mark: string): JsonFields {
  if (form !== "call-signature" || index > 0) return {};
  return { extra_content: { google: { thought_signature: signatureOf(name, mark) } } };
}

/** The fields of the message of a response that is not streamed. */
export function wholeReasoning(form: ChatReasoning, reply: ScriptedReply): JsonFields {
  const reasoning = reply.reasoning.length > 0 ? [reply.reasoning.join("")] : [];
  const [text = {}, ...more] = REASONING_DELTAS[form]({ ...reply, reasoning });
  const details = more.flatMap((delta) => delta.reasoning_details ?? []);
  return details.length === 0 ? text : { ...text, reasoning_details: [text.reasoning_details, details].flat() };
}
