/**
 * The expected reading of each recorded response. The responses keep the fields, order, pieces and counts that the
 * vendor sends, with shortened ids and our own texts. To add one, add a file next to this one that names its vendor and
 * its public source, and a line here.
 */
import type { FailureKind } from "../../../../src/errors.ts";
import type { Finish, Usage } from "../../../../src/event.ts";

export type ReadAnswer = {
  finish: Finish;
  /** The text of each part. */
  texts: string[];
  reasoning: string;
  calls: { name: string; input: unknown }[];
  usage: Usage | undefined;
  served: string | undefined;
  /** The part that the vendor requires back with the next request (signatures, encrypted reasoning). */
  kept: string[];
};

export type ReadFailure = {
  failure: FailureKind;
  /** A part of the message for users. */
  quotes: string;
  retryAfterMs: number | undefined;
};

export type Read = ReadAnswer | ReadFailure;

const TEXT = ["The Rhine is long."];
const RIVERS = "Rivers of Europe.";
const NEED = "I need the file.";
const LOOK = { name: "look", input: { word: "Rhine" } };
const BOTH = [LOOK, { name: "look", input: { word: "Elbe" } }];

function usage(input: number, output: number, cached: number, reasoning: number): Usage {
  return { input, output, cached, reasoning };
}

function answer(served: string, counted: Usage, more: Partial<ReadAnswer> = {}): ReadAnswer {
  return { finish: "stop", texts: TEXT, reasoning: "", calls: [], usage: counted, served, kept: [], ...more };
}

function call(served: string, counted: Usage, more: Partial<ReadAnswer> = {}): ReadAnswer {
  return answer(served, counted, { finish: "tool-calls", texts: [], calls: [LOOK], ...more });
}

function failure(kind: FailureKind, quotes: string, retryAfterMs?: number): ReadFailure {
  return { failure: kind, quotes, retryAfterMs };
}

const HAIKU = "claude-3-haiku-20240307";
const SONNET = "claude-sonnet-4-5-20250929";
const GEMINI = "gemini-3-pro-preview";

const CHAT: Record<string, ReadAnswer> = {
  "alibaba-empty-labels": call("glm-5.2", usage(180, 40, 0, 0)),
  "alibaba-reasoning": answer("qwen3-max", usage(24, 1_355, 0, 1_084), { reasoning: RIVERS }),
  "alibaba-tool-call": call("qwen3-max", usage(295, 22, 0, 0)),
  "azure-deepseek-reasoning": answer("deepseek-v4-pro", usage(19, 40, 0, 12), {
    texts: ["The Rhine 🌊."],
    reasoning: "The user asks about rivers.",
  }),
  "azure-text": answer("gpt-5-nano-2025-08-07", usage(15, 78, 0, 64)),
  "deepseek-tool-call": call("deepseek-reasoner", usage(339, 83, 320, 39), { reasoning: NEED }),
  "groq-reasoning": answer("qwen/qwen3-32b", usage(17, 1_107, 0, 963), { reasoning: RIVERS }),
  "groq-tool-call": call("llama-3.3-70b-versatile", usage(210, 15, 0, 0)),
  "litellm-parallel-calls": call("gpt-5.2", usage(180, 40, 0, 0), { calls: BOTH }),
  "minimax-text": answer("MiniMax-M2", usage(26, 47, 0, 20), { reasoning: RIVERS }),
  "mistral-reasoning": answer("magistral-medium-2507", usage(10, 46, 0, 0), { reasoning: RIVERS }),
  "mistral-tool-call": call("zai-glm-5-2", usage(171, 14, 128, 0)),
  "moonshot-text": answer("kimi-k3", usage(9, 12, 0, 7), { reasoning: RIVERS }),
  "moonshot-usage-in-choice": answer("kimi-k2-turbo-preview", usage(1_336, 31, 1_280, 0)),
  "openai-text": answer("gpt-5-nano-2025-08-07", usage(15, 78, 8, 64)),
  "openrouter-tool-call": call("google/gemini-3-pro-preview", usage(60, 90, 0, 70), {
    reasoning: NEED,
    kept: ["c2lnbmF0dXJl"],
  }),
  "poolside-tool-call": call("poolside/laguna-m.1", usage(180, 40, 0, 0)),
  "qianfan-tool-call": call("deepseek-v3.2", usage(180, 40, 0, 0)),
  "xai-text": answer("grok-3-mini", usage(12, 295, 11, 290), { reasoning: RIVERS }),
  "xai-tool-call": call("grok-3-mini", usage(291, 222, 290, 196), { reasoning: NEED }),
  "zai-tool-call": call("glm-4.6", usage(171, 30, 43, 0), { texts: ["Looking."], reasoning: NEED }),
};

const LOCAL: Record<string, ReadAnswer> = {
  "llama-cpp-arguments-object": call("gpt-oss-20b", usage(180, 40, 0, 0)),
  "llama-cpp-tool-call": call("gpt-oss-20b", usage(180, 40, 128, 0), { reasoning: NEED }),
  "ollama-parallel-calls": call("qwen3:8b", usage(160, 40, 0, 0), { calls: BOTH }),
  "ollama-text": answer("qwen3:8b", usage(160, 40, 0, 0), { reasoning: RIVERS }),
  "sglang-no-index": call("moonshotai/Kimi-K2", usage(180, 40, 0, 0)),
  "vllm-tool-call": call("Qwen/Qwen3-32B", usage(180, 40, 0, 0), { reasoning: NEED }),
};

const RESPONSES: Record<string, ReadAnswer> = {
  "lmstudio-tool-call": call("zai-org/glm-4.7-flash", usage(182, 61, 2, 48), { texts: ["Looking."], reasoning: NEED }),
  "openai-incomplete": answer("gpt-5.2-2025-12-11", usage(44, 16, 0, 0), { finish: "length", texts: ["The Rhine is"] }),
  "openai-phases": answer("gpt-5.3-codex", usage(44, 14, 0, 0), {
    texts: ["Let me look.", "The Rhine is long."],
    kept: ["commentary", "final_answer"],
  }),
  "openai-text": answer("gpt-4.1-nano-2025-04-14", usage(44, 4, 0, 0)),
  "openai-tool-call": call("gpt-5.2-2025-12-11", usage(80, 120, 64, 96), { reasoning: NEED, kept: ["gAAAAABsZWFk"] }),
  "xai-reasoning": answer("grok-code-fast-1", usage(216, 831, 192, 253), { reasoning: RIVERS, kept: ["V2p0blJGZA"] }),
};

const MESSAGES: Record<string, ReadAnswer> = {
  "anthropic-no-arguments": call(SONNET, usage(565, 48, 0, 0), { calls: [{ name: "look", input: {} }] }),
  "anthropic-text": answer(SONNET, { ...usage(352, 30, 300, 0), cacheWrite: 40 }),
  "anthropic-thinking": answer(SONNET, usage(69, 53, 0, 0), { reasoning: RIVERS, kept: ["RXZRQkNrWUl"] }),
  "anthropic-tool-call": call(SONNET, usage(565, 48, 0, 0), { texts: ["Looking."] }),
  "gateway-duplicate-start": answer(HAIKU, usage(17, 227, 0, 0)),
  "gateway-input-at-end": answer("claude-opus-4-5-20251101", usage(61, 2, 0, 0)),
  "moonshot-unsigned-thinking": call("kimi-k2-thinking", usage(50, 9, 0, 0), { reasoning: NEED, kept: ["signature"] }),
};

const GEMINI_ANSWERS: Record<string, ReadAnswer> = {
  "google-text": answer(GEMINI, usage(9, 208, 0, 185), { kept: ["RXFzRkNxZ0Y"] }),
  "google-thoughts": answer(GEMINI, usage(90, 48, 64, 40), { reasoning: RIVERS }),
  "google-tool-call": call(GEMINI, usage(29, 60, 0, 45), { kept: ["RXFVQ0NxSUM"] }),
  "vertex-no-terminal": call("gemini-3.1-pro-preview", usage(26, 155, 0, 132), { kept: ["Q2lNQmoxclg"] }),
  "vertex-streamed-arguments": call("gemini-3.1-pro-preview", usage(26, 155, 0, 132), {
    calls: BOTH,
    kept: ["Q2lNQmoxclg"],
  }),
};

const FAILURES: Record<string, Read> = {
  "alibaba-inspection": failure("refused", "may contain inappropriate content"),
  "anthropic-overloaded": failure("overloaded", "Overloaded"),
  "anthropic-refusal": failure("refused", "refusal"),
  "anthropic-spliced": failure("malformed-response", "cannot be read"),
  "cloudflare-blocked": failure("unauthorized", "web page"),
  "deepseek-no-resource": failure("overloaded", "insufficient_system_resource"),
  "google-rate-limited": failure("rate-limited", "You exceeded your current quota", 34_400),
  "llama-cpp-too-long": failure("context-overflow", "exceeds the available context size"),
  "minimax-no-balance": failure("quota-exhausted", "insufficient balance"),
  "openai-unsupported-parameter": failure("invalid-request", "Use 'max_completion_tokens' instead"),
  "openrouter-upstream": failure("overloaded", "Upstream idle timeout exceeded"),
  "vllm-too-long": failure("context-overflow", "maximum context length is 4096 tokens"),
  "zai-network-error": failure("network", "network_error"),
  "zai-sensitive": failure("refused", "sensitive"),
  "zai-window-exceeded": answer("glm-4.6", usage(10, 9, 0, 0), {
    finish: "length",
    texts: ["The three rivers are the Rhi"],
  }),
};

/** By folder and file. */
export const EXPECTED = {
  chat: CHAT,
  local: LOCAL,
  responses: RESPONSES,
  messages: MESSAGES,
  gemini: GEMINI_ANSWERS,
  failures: FAILURES,
} as const;

export type Folder = keyof typeof EXPECTED;
