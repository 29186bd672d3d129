/**
 * Vendors as they behave: how each streams what its model answers, and what it rejects of a conversation. Each has
 * private state of its own, told apart by a word.
 */
import type { ApiMode } from "../../src/route.ts";

type Fields = Record<string, unknown>;

/** What a model answers. `calls`: ids of calls of `look`. `finish`: the last word, where the end is not the usual one. */
export type Answer = { text?: string; calls?: readonly string[]; finish?: string };

export type Vendor = {
  name: string;
  provider: string;
  model: string;
  mode: ApiMode;
  /** The stream of an answer, with private state that holds `secret` where the model has such. */
  answer(answer: Answer, secret: string): string;
  /** What the vendor finds wrong with a request. */
  rejects(body: Fields): string | undefined;
};

// Streams ------------------------------------------------------------------------------------------------------------

function sse(...events: unknown[]): string {
  return events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
}

/** The input of a call, by its place in the answer. */
export const inputOf = (index: number) => ({ word: `w${index}` });

function chatCallOf(id: string, index: number): Fields {
  return { index, id, type: "function", function: { name: "look", arguments: JSON.stringify(inputOf(index)) } };
}

function chatAnswer({ text, calls = [], finish }: Answer, ...deltas: Fields[]): string {
  const chunk = (delta: Fields, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, finish_reason }],
  });
  const call = (id: string, index: number) => chunk({ tool_calls: [chatCallOf(id, index)] });
  const usual = calls.length > 0 ? "tool_calls" : "stop";
  const usage = { choices: [], usage: { prompt_tokens: 9, completion_tokens: 9 } };
  const said = text === undefined ? [] : [chunk({ content: text })];
  return sse(...deltas.map((delta) => chunk(delta)), ...said, ...calls.map(call), chunk({}, finish ?? usual), usage);
}

function messagesAnswer({ text, calls = [], finish }: Answer, thinking: string, ...signing: Fields[]): string {
  const block = (index: number, content_block: Fields, ...deltas: Fields[]) => [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
  const call = (id: string, index: number) => {
    const partial_json = JSON.stringify(inputOf(index));
    const started = { type: "tool_use", id, name: "look", input: {} };
    return block(index + 2, started, { type: "input_json_delta", partial_json });
  };
  const usage = { input_tokens: 9, output_tokens: 1 };
  const stop_reason = finish ?? (calls.length > 0 ? "tool_use" : "end_turn");
  return sse(
    { type: "message_start", message: { id: "m", type: "message", role: "assistant", model: "m", content: [], usage } },
    ...block(0, { type: "thinking", thinking: "", signature: "" }, { type: "thinking_delta", thinking }, ...signing),
    ...(text === undefined ? [] : block(1, { type: "text", text: "" }, { type: "text_delta", text })),
    ...calls.flatMap(call),
    { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 9 } },
    { type: "message_stop" },
  );
}

function responsesAnswer({ text, calls = [], finish }: Answer, reasoning?: Fields, ...events: Fields[]): string {
  const response = { id: "r", object: "response", created_at: 1, model: "m", output: [] };
  const item = (output_index: number, started: Fields, done: Fields, ...between: Fields[]) => [
    { type: "response.output_item.added", output_index, item: { ...done, ...started } },
    ...between,
    { type: "response.output_item.done", output_index, item: done },
  ];
  const thought = { id: "rs_1", type: "reasoning", ...reasoning };
  const message = (said: string) => {
    const content = [{ type: "output_text", text: said, annotations: [] }];
    const done = { id: "msg_1", type: "message", role: "assistant", status: "completed", content };
    const delta = { type: "response.output_text.delta", item_id: "msg_1", output_index: 1, content_index: 0 };
    return item(1, { status: "in_progress", content: [] }, done, { ...delta, delta: said });
  };
  const call = (id: string, index: number) => {
    const called = { type: "function_call", id: `fc_${index}`, call_id: id, name: "look", status: "completed" };
    const done = { ...called, arguments: JSON.stringify(inputOf(index)) };
    return item(index + 2, { arguments: "", status: "in_progress" }, done);
  };
  const usage = { input_tokens: 9, output_tokens: 9, total_tokens: 18 };
  const end =
    finish === undefined
      ? { type: "response.completed", response: { ...response, usage } }
      : { type: "response.incomplete", response: { ...response, usage, incomplete_details: { reason: finish } } };
  return sse(
    { type: "response.created", response },
    ...(reasoning === undefined ? [] : item(0, { encrypted_content: undefined, summary: [] }, thought, ...events)),
    ...(text === undefined ? [] : message(text)),
    ...calls.flatMap(call),
    end,
  );
}

function geminiAnswer({ text, calls = [], finish }: Answer, thoughtSignature: string): string {
  // Of several calls, the first one is signed.
  const said = text === undefined ? [] : [{ text, ...(calls.length === 0 && { thoughtSignature }) }];
  const called = calls.map((_id, index) => {
    const functionCall = { name: "look", args: inputOf(index) };
    return { functionCall, ...(index === 0 && { thoughtSignature }) };
  });
  const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 9, totalTokenCount: 18 };
  const finishReason = finish?.toUpperCase() ?? "STOP";
  return sse(
    { candidates: [{ index: 0, content: { role: "model", parts: [...said, ...called] } }] },
    { candidates: [{ index: 0, content: { role: "model", parts: [] }, finishReason }], usageMetadata },
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
    answer: (answer, secret) => chatAnswer(answer, { reasoning_content: `${REASONING} ${secret}` }),
    rejects: (body) => lacks(body, "reasoning_content", isFilled),
  },
  {
    name: "Kimi",
    provider: "kimi",
    model: "kimi-k3",
    mode: "chat_completions",
    answer: (answer, secret) =>
      chatAnswer(answer, { reasoning_content: REASONING }, { reasoning_content: ` ${secret}` }),
    rejects: (body) => lacks(body, "reasoning_content", isText),
  },
  {
    name: "Xiaomi",
    provider: "xiaomi",
    model: "mimo-v2.5-pro",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning_content: secret }),
    rejects: (body) => lacks(body, "reasoning_content", isText),
  },
  {
    name: "Z.AI",
    provider: "zai",
    model: "glm-5.3",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning_content: secret }),
    rejects: () => undefined,
  },
  {
    name: "Groq",
    provider: "groq",
    model: "openai/gpt-oss-120b",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning: secret }),
    rejects: (body) => forbids(body, "reasoning_content", "reasoning_details"),
  },
  {
    name: "Cerebras",
    provider: "cerebras",
    model: "gpt-oss-120b",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning: secret }),
    rejects: (body) => forbids(body, "reasoning_content") ?? ("max_tokens" in body ? "max_tokens" : undefined),
  },
  {
    name: "vLLM",
    provider: "vllm",
    model: "openai/gpt-oss-20b",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning: secret }),
    rejects: () => undefined,
  },
  {
    name: "Mistral",
    provider: "mistral",
    model: "magistral-medium-latest",
    mode: "chat_completions",
    answer: (answer, secret) =>
      chatAnswer(answer, { content: [{ type: "thinking", thinking: [{ type: "text", text: secret }] }] }),
    rejects: rejectedByMistral,
  },
  {
    name: "OpenRouter, with Gemini behind it",
    provider: "openrouter",
    model: "google/gemini-3-pro-preview",
    mode: "chat_completions",
    answer: (answer, secret) =>
      chatAnswer(
        answer,
        { reasoning: "I should ", reasoning_details: [{ type: "reasoning.text", text: "I should ", index: 0 }] },
        { reasoning: "look.", reasoning_details: [{ type: "reasoning.text", text: "look.", index: 0 }] },
        { reasoning_details: [{ type: "reasoning.encrypted", data: secret, id: answer.calls?.[0], index: 0 }] },
      ),
    rejects: () => undefined,
  },
  {
    name: "Anthropic",
    provider: "anthropic",
    model: "claude-sonnet-5",
    mode: "anthropic_messages",
    answer: (answer, secret) => messagesAnswer(answer, REASONING, { type: "signature_delta", signature: secret }),
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
    answer: (answer, secret) => messagesAnswer(answer, secret),
    rejects: wantsThinking,
  },
  {
    name: "Kimi in Anthropic's format",
    provider: "kimi",
    model: "kimi-for-coding",
    mode: "anthropic_messages",
    answer: (answer, secret) => messagesAnswer(answer, secret),
    rejects: wantsThinking,
  },
  {
    name: "MiniMax",
    provider: "minimax",
    model: "MiniMax-M2.7",
    mode: "anthropic_messages",
    answer: (answer, secret) => messagesAnswer(answer, secret, { type: "signature_delta", signature: "abc" }),
    rejects: rejectsBadMessages,
  },
  {
    name: "OpenAI",
    provider: "openai",
    model: "gpt-6-sol",
    mode: "responses",
    answer: (answer, secret) => responsesAnswer(answer, { summary: [], encrypted_content: secret }),
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
    answer: (answer, secret) =>
      responsesAnswer(answer, { summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: secret }),
    rejects: (body) =>
      list(body.include).length === 0 && !String(body.include).includes("encrypted") ? "include" : undefined,
  },
  {
    name: "LM Studio",
    provider: "lmstudio",
    model: "zai-org/glm-4.7-flash",
    mode: "responses",
    answer: (answer, secret) =>
      responsesAnswer(
        answer,
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
    answer: geminiAnswer,
    rejects: (body) => {
      const turns = list(body.contents).filter(({ role }) => role === "model");
      const firsts = turns.map(({ parts }) => list(parts).find(({ functionCall }) => functionCall !== undefined));
      const isUnsigned = firsts.some((part) => part !== undefined && !isFilled(part.thoughtSignature));
      return isUnsigned ? "Function call is missing a thought_signature in functionCall parts." : undefined;
    },
  },
  {
    name: "Gemini behind `chat_completions`",
    provider: "gemini",
    model: "gemini-3.8-pro",
    mode: "chat_completions",
    answer: ({ calls = [], ...answer }, secret) => {
      // Of several calls, the first one is signed.
      const signed = { extra_content: { google: { thought_signature: secret } } };
      const called = calls.map((id, index) => ({ ...chatCallOf(id, index), ...(index === 0 && signed) }));
      const usual = calls.length > 0 ? "tool_calls" : "stop";
      return chatAnswer({ finish: usual, ...answer }, ...called.map((call) => ({ tool_calls: [call] })));
    },
    rejects: (body) => {
      const firsts = said(body).flatMap(({ tool_calls: calls }) => list(calls).slice(0, 1));
      const isUnsigned = firsts.some((call) => !JSON.stringify(call).includes("thought_signature"));
      return isUnsigned ? "Function call is missing a thought_signature in functionCall parts." : undefined;
    },
  },
  {
    name: "OpenAI behind `chat_completions`",
    provider: "openai",
    model: "gpt-5.2",
    mode: "chat_completions",
    answer: (answer) => chatAnswer(answer),
    rejects: (body) =>
      "max_tokens" in body ? "Unsupported parameter: 'max_tokens'" : forbids(body, "reasoning_content"),
  },
  {
    name: "OpenAI, without reasoning",
    provider: "openai",
    model: "gpt-4.1",
    mode: "responses",
    answer: (answer) => responsesAnswer(answer),
    rejects: (body) =>
      list(body.include).length > 0 ? "Encrypted content is not supported with this model." : undefined,
  },
  {
    name: "MiniMax in OpenAI's format",
    provider: "minimax",
    model: "MiniMax-M2.5",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { content: "<think>" }, { content: `${secret}</think>\n\n` }),
    rejects: (body) => forbids(body, "reasoning_content", "reasoning"),
  },
  {
    name: "vLLM, with Gemma behind it",
    provider: "vllm",
    model: "google/gemma-4-31b-it",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning: secret }),
    rejects: (body) => {
      const roles = list(body.messages).map(({ role }) => role);
      const isTwice = roles.some((role, index) => role === "user" && roles[index - 1] === "user");
      return isTwice ? "Conversation roles must alternate user/assistant/user/assistant" : undefined;
    },
  },
  {
    name: "OpenCode",
    provider: "opencode-zen",
    model: "glm-5.3",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning: secret }),
    rejects: (body) => forbids(body, "reasoning", "reasoning_details"),
  },
  {
    name: "llama.cpp",
    provider: "llamacpp",
    model: "gpt-oss-20b",
    mode: "chat_completions",
    answer: (answer, secret) => chatAnswer(answer, { reasoning_content: secret }),
    rejects: () => undefined,
  },
];
