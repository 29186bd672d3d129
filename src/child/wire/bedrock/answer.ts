/** The events of a Converse answer, read into parts. A stream without `messageStop` yields no `finish`. */
import type { JSONObject, LanguageModelV4StreamPart, LanguageModelV4Usage } from "@ai-sdk/provider";
import { fieldsOf } from "../../../values/record.ts";
import { finishMeaning } from "../dialect/finish-reasons.ts";
import type { AwsMessage } from "./event-stream.ts";

type EventFields = Record<string, unknown>;

/** A block that is being spoken. */
type OpenBlock = { kind: "text" | "reasoning" } | { kind: "call"; id: string; name: string; argumentsText: string };

type SpokenBlocks = { blocks: Map<number, OpenBlock>; stopReason?: string; usage?: EventFields };

/** @param exception makes the error of an exception within the stream */
export async function* answerParts(
  messages: AsyncIterable<AwsMessage>,
  exception: (type: string, message: string) => Error,
): AsyncGenerator<LanguageModelV4StreamPart> {
  const spoken: SpokenBlocks = { blocks: new Map() };
  try {
    for await (const { kind, type, payload } of messages) {
      if (kind === "exception") throw exception(type, textIn(payload, "message"));
      yield* partsOf(spoken, type, payload);
    }
  } catch (error) {
    // What breaks after the end of the answer takes nothing from it.
    if (spoken.stopReason === undefined) throw error;
  }
  if (spoken.stopReason === undefined) return;
  yield { type: "finish", finishReason: finishReasonOf(spoken.stopReason), usage: usageOf(spoken.usage) };
}

function* partsOf(spoken: SpokenBlocks, type: string, payload: EventFields): Generator<LanguageModelV4StreamPart> {
  const index = typeof payload.contentBlockIndex === "number" ? payload.contentBlockIndex : 0;
  switch (type) {
    case "contentBlockStart": {
      const { toolUse } = fieldsOf(payload.start);
      const call = fieldsOf(toolUse);
      if (toolUse === undefined) return;
      const { toolUseId: id, name } = { toolUseId: textIn(call, "toolUseId"), name: textIn(call, "name") };
      spoken.blocks.set(index, { kind: "call", id, name, argumentsText: "" });
      return;
    }
    case "contentBlockDelta":
      return yield* deltaOf(spoken, index, fieldsOf(payload.delta));
    case "contentBlockStop":
      return yield* endOf(spoken, index);
    case "messageStop":
      // A block may be left open.
      for (const open of [...spoken.blocks.keys()]) yield* endOf(spoken, open);
      spoken.stopReason = textIn(payload, "stopReason");
      return;
    case "metadata":
      spoken.usage = fieldsOf(payload.usage);
      return;
    default:
      return;
  }
}

function* deltaOf(spoken: SpokenBlocks, index: number, delta: EventFields): Generator<LanguageModelV4StreamPart> {
  const block = spoken.blocks.get(index);
  const id = String(index);
  if (block?.kind === "call") block.argumentsText += textIn(fieldsOf(delta.toolUse), "input");
  if (typeof delta.text === "string") {
    yield* begun(spoken, index, "text");
    yield { type: "text-delta", id, delta: delta.text };
  }
  if (delta.reasoningContent === undefined) return;
  const { text, signature, redactedContent } = fieldsOf(delta.reasoningContent);
  yield* begun(spoken, index, "reasoning");
  const bedrock = {
    ...(typeof signature === "string" && { signature }),
    ...(typeof redactedContent === "string" && { redactedContent }),
  };
  const isPrivate = Object.keys(bedrock).length > 0;
  yield {
    type: "reasoning-delta",
    id,
    delta: typeof text === "string" ? text : "",
    ...(isPrivate && { providerMetadata: { bedrock } }),
  };
}

/** Text and reasoning begin with their first piece. */
function* begun(spoken: SpokenBlocks, index: number, kind: "text" | "reasoning"): Generator<LanguageModelV4StreamPart> {
  if (spoken.blocks.has(index)) return;
  spoken.blocks.set(index, { kind });
  yield { type: `${kind}-start`, id: String(index) };
}

function* endOf(spoken: SpokenBlocks, index: number): Generator<LanguageModelV4StreamPart> {
  const block = spoken.blocks.get(index);
  spoken.blocks.delete(index);
  if (block === undefined) return;
  if (block.kind !== "call") yield { type: `${block.kind}-end`, id: String(index) };
  else yield { type: "tool-call", toolCallId: block.id, toolName: block.name, input: block.argumentsText };
}

function finishReasonOf(raw: string): Extract<LanguageModelV4StreamPart, { type: "finish" }>["finishReason"] {
  const meaning = finishMeaning("anthropic_messages", raw);
  if (meaning === "refused") return { unified: "content-filter", raw };
  return { unified: meaning === "stop" || meaning === "tool-calls" || meaning === "length" ? meaning : "other", raw };
}

/** Tokens from and for the cache are counted beside the input. */
function usageOf(usage: EventFields = {}): LanguageModelV4Usage {
  const count = (name: string) => (typeof usage[name] === "number" ? usage[name] : undefined);
  const [input, cacheRead, cacheWrite] = [
    count("inputTokens"),
    count("cacheReadInputTokens"),
    count("cacheWriteInputTokens"),
  ];
  const total = input === undefined ? undefined : input + (cacheRead ?? 0) + (cacheWrite ?? 0);
  return {
    inputTokens: { total, noCache: input, cacheRead, cacheWrite },
    outputTokens: { total: count("outputTokens"), text: undefined, reasoning: undefined },
    raw: usage as JSONObject,
  };
}

function textIn(fields: EventFields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}
