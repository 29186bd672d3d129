/**
 * Vendors as they behave: what a model of each says before it calls a tool, and what the vendor rejects of a
 * conversation. Each has private state of its own, told apart by a word.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { ApiMode } from "../../src/route.ts";

type Fields = Record<string, unknown>;

export type Vendor = {
  name: string;
  provider: string;
  model: string;
  mode: ApiMode;
  /** A stream with reasoning and a call of `look`, whose private state holds `secret`. */
  call(id: string, secret: string): string;
  /** What the vendor finds wrong with a request. */
  rejects(body: Fields): string | undefined;
};

// Streams ------------------------------------------------------------------------------------------------------------

function sse(...events: unknown[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
}

function chatCall(id: string, ...deltas: Fields[]): string {
  const chunk = (delta: Fields, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, finish_reason }],
  });
  const call = { index: 0, id, type: "function", function: { name: "look", arguments: '{"word":"x"}' } };
  const usage = { choices: [], usage: { prompt_tokens: 9, completion_tokens: 9 } };
  return sse(...deltas.map((delta) => chunk(delta)), chunk({ tool_calls: [call] }), chunk({}, "tool_calls"), usage);
}

function messagesCall(id: string, thinking: string, ...signing: Fields[]): string {
  const block = (index: number, content_block: Fields) => ({ type: "content_block_start", index, content_block });
  const delta = (index: number, delta: Fields) => ({ type: "content_block_delta", index, delta });
  const usage = { input_tokens: 9, output_tokens: 1 };
  return sse(
    { type: "message_start", message: { id: "m", type: "message", role: "assistant", model: "m", content: [], usage } },
    block(0, { type: "thinking", thinking: "", signature: "" }),
    delta(0, { type: "thinking_delta", thinking }),
    ...signing.map((signed) => delta(0, signed)),
    { type: "content_block_stop", index: 0 },
    block(1, { type: "tool_use", id, name: "look", input: {} }),
    delta(1, { type: "input_json_delta", partial_json: '{"word":"x"}' }),
    { type: "content_block_stop", index: 1 },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } },
    { type: "message_stop" },
  );
}

function responsesCall(id: string, reasoning: Fields, ...events: Fields[]): string {
  const response = { id: "r", object: "response", created_at: 1, model: "m", output: [] };
  const item = { id: "rs_1", type: "reasoning", ...reasoning };
  const called = { type: "function_call", id: "fc_1", call_id: id, name: "look", arguments: '{"word":"x"}' };
  const usage = { input_tokens: 9, output_tokens: 9, total_tokens: 18 };
  return sse(
    { type: "response.created", response },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...item, encrypted_content: undefined, summary: [] },
    },
    ...events,
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.output_item.added", output_index: 1, item: { ...called, arguments: "", status: "in_progress" } },
    { type: "response.output_item.done", output_index: 1, item: { ...called, status: "completed" } },
    { type: "response.completed", response: { ...response, usage } },
  );
}

// Conversations ------------------------------------------------------------------------------------------------------

function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value : [];
}

function said(body: Fields, role = "assistant"): Fields[] {
  return list(body.messages).filter((message) => message.role === role);
}

function lacks(body: Fields, field: string, isThere: (value: unknown) => boolean): string | undefined {
  const isMissing = said(body).some((message) => message.tool_calls !== undefined && !isThere(message[field]));
  return isMissing ? `thinking is enabled but ${field} is missing in assistant tool call message` : undefined;
}

function forbids(body: Fields, ...fields: string[]): string | undefined {
  const found = fields.find((field) => said(body).some((message) => field in message));
  return found === undefined ? undefined : `property '${found}' is not one of ours`;
}

function blocks(body: Fields): Fields[][] {
  return said(body).map(({ content }) => list(content));
}

const isText = (value: unknown) => typeof value === "string";
const isFilled = (value: unknown) => isText(value) && value !== "";

const rejectsBadMessages = (body: Fields): string | undefined => {
  const all = blocks(body).flat();
  if (all.some(({ type, text }) => type === "text" && String(text).trim() === ""))
    return "text blocks must contain text";
  if (all.some(({ type, id }) => type === "tool_use" && !/^[a-zA-Z0-9_-]+$/.test(String(id))))
    return "tool_use.id: pattern";
  return said(body).some(({ content }) => list(content).length === 0) ? "content must be non-empty" : undefined;
};

const wantsThinking = (body: Fields): string | undefined =>
  blocks(body).some((all) => all.some(({ type }) => type === "tool_use") && all[0]?.type !== "thinking")
    ? "The content[].thinking in the thinking mode must be passed back to the API."
    : rejectsBadMessages(body);

const MISTRAL_ID = /^[a-zA-Z0-9]{9}$/;

function rejectedByMistral(body: Fields): string | undefined {
  const roles = list(body.messages).map(({ role }) => role);
  if (roles.some((role, index) => role === "user" && roles[index - 1] === "tool"))
    return "Unexpected role 'user' after role 'tool'";
  if (roles.at(-1) === "assistant") return "Expected last role User or Tool";
  const ids = said(body).flatMap((message) => list(message.tool_calls).map(({ id }) => String(id)));
  if (ids.some((id) => !MISTRAL_ID.test(id))) return "Tool call id must be a-z, A-Z, 0-9, with a length of 9.";
  return forbids(body, "reasoning_content", "reasoning", "reasoning_details");
}

const REASONING = "I should look.";

export const VENDORS: readonly Vendor[] = [
  {
    name: "DeepSeek",
    provider: "deepseek",
    model: "deepseek-v4-pro",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning_content: `${REASONING} ${secret}` }),
    rejects: (body) => lacks(body, "reasoning_content", isFilled),
  },
  {
    name: "Kimi",
    provider: "kimi",
    model: "kimi-k3",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning_content: REASONING }, { reasoning_content: ` ${secret}` }),
    rejects: (body) => lacks(body, "reasoning_content", isText),
  },
  {
    name: "Xiaomi",
    provider: "xiaomi",
    model: "mimo-v2.5-pro",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning_content: secret }),
    rejects: (body) => lacks(body, "reasoning_content", isText),
  },
  {
    name: "Z.AI",
    provider: "zai",
    model: "glm-5.3",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning_content: secret }),
    rejects: () => undefined,
  },
  {
    name: "Groq",
    provider: "groq",
    model: "openai/gpt-oss-120b",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning: secret }),
    rejects: (body) => forbids(body, "reasoning_content", "reasoning_details"),
  },
  {
    name: "Cerebras",
    provider: "cerebras",
    model: "gpt-oss-120b",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning: secret }),
    rejects: (body) => forbids(body, "reasoning_content") ?? ("max_tokens" in body ? "max_tokens" : undefined),
  },
  {
    name: "vLLM",
    provider: "vllm",
    model: "openai/gpt-oss-20b",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { reasoning: secret }),
    rejects: () => undefined,
  },
  {
    name: "Mistral",
    provider: "mistral",
    model: "magistral-medium-latest",
    mode: "chat_completions",
    call: (id, secret) => chatCall(id, { content: [{ type: "thinking", thinking: [{ type: "text", text: secret }] }] }),
    rejects: rejectedByMistral,
  },
  {
    name: "OpenRouter, with Gemini behind it",
    provider: "openrouter",
    model: "google/gemini-3-pro-preview",
    mode: "chat_completions",
    call: (id, secret) =>
      chatCall(
        id,
        { reasoning: "I should ", reasoning_details: [{ type: "reasoning.text", text: "I should ", index: 0 }] },
        { reasoning: "look.", reasoning_details: [{ type: "reasoning.text", text: "look.", index: 0 }] },
        { reasoning_details: [{ type: "reasoning.encrypted", data: secret, id, index: 0 }] },
      ),
    rejects: () => undefined,
  },
  {
    name: "Anthropic",
    provider: "anthropic",
    model: "claude-sonnet-5",
    mode: "anthropic_messages",
    call: (id, secret) => messagesCall(id, REASONING, { type: "signature_delta", signature: secret }),
    rejects: (body) =>
      blocks(body)
        .flat()
        .some(({ type, signature }) => type === "thinking" && !isFilled(signature))
        ? "Invalid `signature` in `thinking` block"
        : rejectsBadMessages(body),
  },
  {
    name: "DeepSeek in Anthropic's format",
    provider: "deepseek-messages",
    model: "deepseek-v4-pro",
    mode: "anthropic_messages",
    call: (id, secret) => messagesCall(id, secret),
    rejects: wantsThinking,
  },
  {
    name: "Kimi in Anthropic's format",
    provider: "kimi",
    model: "kimi-for-coding",
    mode: "anthropic_messages",
    call: (id, secret) => messagesCall(id, secret),
    rejects: wantsThinking,
  },
  {
    name: "MiniMax",
    provider: "minimax",
    model: "MiniMax-M2.7",
    mode: "anthropic_messages",
    call: (id, secret) => messagesCall(id, secret, { type: "signature_delta", signature: "abc" }),
    rejects: rejectsBadMessages,
  },
  {
    name: "OpenAI",
    provider: "openai",
    model: "gpt-6-sol",
    mode: "responses",
    call: (id, secret) => responsesCall(id, { summary: [], encrypted_content: secret }),
    rejects: (body) =>
      list(body.input).some(({ type, encrypted_content: kept }) => type === "reasoning" && !isFilled(kept))
        ? "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."
        : undefined,
  },
  {
    name: "xAI",
    provider: "xai",
    model: "grok-4.6",
    mode: "responses",
    call: (id, secret) =>
      responsesCall(id, { summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: secret }),
    rejects: (body) =>
      list(body.include).length === 0 && !String(body.include).includes("encrypted") ? "include" : undefined,
  },
  {
    name: "LM Studio",
    provider: "lmstudio",
    model: "zai-org/glm-4.7-flash",
    mode: "responses",
    call: (id, secret) =>
      responsesCall(
        id,
        { summary: [], content: [{ type: "reasoning_text", text: secret }] },
        { type: "response.reasoning_text.delta", item_id: "rs_1", output_index: 0, content_index: 0, delta: secret },
      ),
    rejects: (body) =>
      list(body.input).some((item) => item.type === "reasoning" && "encrypted_content" in item)
        ? "encrypted"
        : undefined,
  },
  {
    name: "Gemini",
    provider: "gemini",
    model: "gemini-3.8-flash",
    mode: "gemini",
    call: (_id, secret) => {
      const functionCall = { name: "look", args: { word: "x" } };
      const content = { role: "model", parts: [{ functionCall, thoughtSignature: secret }] };
      const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 9, totalTokenCount: 18 };
      return sse({ candidates: [{ index: 0, content, finishReason: "STOP" }], usageMetadata });
    },
    rejects: (body) => {
      const turns = list(body.contents).filter(({ role }) => role === "model");
      const firsts = turns.map(({ parts }) => list(parts).find(({ functionCall }) => functionCall !== undefined));
      const isUnsigned = firsts.some((part) => part !== undefined && !isFilled(part.thoughtSignature));
      return isUnsigned ? "Function call is missing a thought_signature in functionCall parts." : undefined;
    },
  },
];

// A server -----------------------------------------------------------------------------------------------------------

export type VendorServer = { url: string; bodies: Fields[]; close(): Promise<void> };

/** Answers each request as the vendor would: with a call, or with what it finds wrong. */
export async function serveVendor(
  answer: (body: Fields, count: number) => string | { rejected: string },
): Promise<VendorServer> {
  const bodies: Fields[] = [];
  const server = createServer(async (request, response) => {
    const body = JSON.parse(await text(request));
    bodies.push(body);
    const answered = answer(body, bodies.length);
    if (typeof answered === "string") {
      response.writeHead(200, { "content-type": "text/event-stream" }).end(answered);
      return;
    }
    const error = { type: "invalid_request_error", message: answered.rejected };
    response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ type: "error", error }));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    bodies,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
