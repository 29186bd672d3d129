/** Servers of Chat Completions that people run themselves. */
import type { WireError } from "../wire-format.ts";
import type { ChatAnswers } from "../wires/chat-wire.ts";
import { noMissingContent, noUserAfter, objectArguments, systemFirst } from "./request-rules.ts";
import type { DialectName, VendorApi } from "./vendor-api.ts";

export type ChatVendor = VendorApi & Partial<ChatAnswers>;

/** Models whose chat template accepts nothing but alternating roles. */
const ALTERNATING = /gemma|mistral|mixtral/i;
const ALTERNATE = "Conversation roles must alternate user/assistant/user/assistant/...";

const VLLM: ChatVendor = {
  source: "https://docs.vllm.ai/en/latest/features/reasoning_outputs; vllm-project/vllm#6862, #9019, #22099",
  fields: "any",
  reasoning: "reasoning",
  callId: ({ id }) => `chatcmpl-tool-${id}`,
  rejects: [
    noUserAfter("user", ALTERNATE, ALTERNATING),
    systemFirst("System message must be at the beginning.", /qwen/i),
  ],
  errorBody: ({ status, message }) => ({
    error: { message, type: status === 404 ? "NotFoundError" : "BadRequestError", param: null, code: status },
  }),
  errors: {
    "context-overflow": {
      message:
        "This model's maximum context length is 32768 tokens. However, you requested 39197 tokens in the messages, " +
        "Please reduce the length of the messages.",
    },
  },
};

const LLAMA_CPP: ChatVendor = {
  source: "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
  fields: "any",
  callId: ({ id }) => id,
  errorBody: ({ status, message, type, more }) => ({ error: { code: status, message, type, ...more } }),
  errors: {
    "context-overflow": {
      type: "exceed_context_size_error",
      message:
        "the request exceeds the available context size. try increasing the context size or enable context shift",
      more: { n_prompt_tokens: 9000, n_ctx: 4096 },
    },
    overloaded: { type: "unavailable_error", message: "Loading model" },
  },
};

const LM_STUDIO: ChatVendor = {
  source: "https://lmstudio.ai/docs/developer/openai-compat",
  fields: "any",
  errorBody: ({ message }) => ({ error: message }),
  errors: {
    "context-overflow": {
      message:
        "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context " +
        "length of only 4096 tokens, which is not enough.",
    },
  },
};

const OLLAMA: ChatVendor = {
  source: "ollama/ollama: openai/openai.go, middleware/openai.go, llm/llama_server.go; continuedev/continue#11444",
  fields: "any",
  reasoning: "reasoning",
  calls: "whole",
  cached: "none",
  reasoningCount: "none",
  rejects: [
    objectArguments("invalid tool call arguments"),
    noMissingContent(() => "invalid message content type: <nil>"),
  ],
  errors: {
    unauthorized: { type: "api_error", message: "unauthorized", code: null },
    "model-missing": {
      type: "not_found_error",
      message: 'model "m" not found, try pulling it first',
      code: null,
    },
    "context-overflow": {
      code: null,
      param: null,
      message:
        "the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the " +
        "context length in settings, or use a model with a longer context length",
    },
    "quota-exhausted": {
      status: 429,
      type: "api_error",
      code: null,
      message:
        "you (someone) have reached your session usage limit, upgrade for higher limits: https://ollama.com/upgrade",
    },
    overloaded: {
      type: "api_error",
      message: "server busy, please try again.  maximum pending requests exceeded",
    },
  },
};

const ofSglang = ({ status, message }: WireError) => ({
  object: "error",
  message,
  type: status === 503 ? "SERVICE_UNAVAILABLE" : "BadRequestError",
  param: null,
  code: status,
});

const SGLANG: ChatVendor = {
  source:
    "sgl-project/sglang: python/sglang/srt/entrypoints/openai/serving_chat.py, serving_base.py, usage_processor.py, " +
    "managers/tokenizer_manager.py",
  fields: "any",
  laterPiece: ({ index }, written) => ({
    id: null,
    index,
    type: "function",
    function: { name: null, arguments: written },
  }),
  cached: "none",
  reasoningCount: "reasoning_tokens",
  rejects: [objectArguments("Assistant tool call function.arguments must be a JSON object.")],
  errorBody: ofSglang,
  streamedError: (error) => ({ error: ofSglang(error) }),
  errors: {
    "context-overflow": {
      message:
        "Requested token count exceeds the model's maximum context length of 64000 tokens. You requested a total of 71897 " +
        "tokens: 7897 tokens from the input messages and 64000 tokens for the completion.",
    },
    overloaded: { status: 503, message: "The request queue is full." },
  },
};

/** Reasoning is not told apart from the text, and a call has the number of the calls before it as its id. */
const TGI: ChatVendor = {
  source: "huggingface/text-generation-inference: router/src/chat.rs, lib.rs, server.rs, validation.rs, infer/mod.rs",
  fields: "any",
  reasoning: "think-tags",
  callId: ({ id }) => id.slice(id.lastIndexOf("x") + 1),
  laterPiece: ({ id, index }, written) => ({
    index,
    id,
    type: "function",
    function: { name: null, arguments: written },
  }),
  cached: "none",
  reasoningCount: "none",
  finish: { stop: "stop", "tool-calls": "stop", length: "length", refused: "stop" },
  rejects: [
    noMissingContent(
      (index) =>
        `Failed to deserialize the JSON body into the target type: messages[${index}]: data did not match any variant of ` +
        "untagged enum MessageBody",
    ),
  ],
  errorBody: ({ message, type }) => ({ error: message, error_type: type }),
  streamedError: ({ message }) => ({ error: { message, http_status_code: 422 } }),
  errors: {
    invalid: { status: 422, type: "validation" },
    "context-overflow": {
      status: 422,
      type: "validation",
      message:
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 3500 `inputs` tokens and " +
        "1024 `max_new_tokens`",
    },
    overloaded: { status: 429, type: "overloaded", message: "Model is overloaded" },
  },
};

export const CHAT_SERVERS = {
  vllm: VLLM,
  llamacpp: LLAMA_CPP,
  lmstudio: LM_STUDIO,
  ollama: OLLAMA,
  sglang: SGLANG,
  tgi: TGI,
} satisfies Partial<Record<DialectName, ChatVendor>>;
