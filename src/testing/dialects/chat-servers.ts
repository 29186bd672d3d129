/** Servers of Chat Completions that people run themselves. */
import type { ChatAnswers } from "../wires/chat-wire.ts";
import { noUserAfter, systemFirst } from "./request-rules.ts";
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

export const CHAT_SERVERS = {
  vllm: VLLM,
  llamacpp: LLAMA_CPP,
  lmstudio: LM_STUDIO,
} satisfies Partial<Record<DialectName, ChatVendor>>;
