/** The vendors of the dialect matrix: the routes to each, and what the scripted model server acts as. */
import type { ApiMode, Endpoint } from "../../src/route.ts";
import type { KeyHeader } from "../../src/secret.ts";
import type { DialectName, Turn } from "../../src/testing/index.ts";

/** What a model answers. `calls`: how many of `look`. `finish`: the last word, where the end is not the usual one. */
export type Answer = { text?: string; calls?: number; finish?: string };

export type Vendor = {
  name: string;
  provider: string;
  model: string;
  mode: ApiMode;
  /** What the server acts as. */
  dialect: DialectName;
  /** Where the answers have private state. */
  state: "reasoning" | "signature" | "call-signature" | "none";
  /** What differs from the usual address and key of the mode. */
  path?: string;
  query?: Endpoint["query"];
  framing?: "converse";
  keyHeader?: KeyHeader;
  /** Signs its requests in place of a key. */
  signs?: boolean;
};

/** The input of a call, by its place in the answer. */
export const inputOf = (index: number) => ({ word: `w${index}` });

/** A vendor's answer, with private state that holds `secret` where the model has such. */
export function turnOf({ state }: Vendor, { text, calls = 0, finish }: Answer, secret: string): Turn {
  return {
    ...(text !== undefined && { text }),
    ...(state !== "none" && { reasoning: state === "reasoning" ? `I should look. ${secret}` : "I should look." }),
    ...((state === "signature" || (state === "call-signature" && calls > 0)) && { signatureMark: secret }),
    toolCalls: Array.from({ length: calls }, (_, index) => ({ name: "look", input: inputOf(index) })),
    ...(finish !== undefined && { finishReason: finish }),
  };
}

const CHAT = "chat_completions";
const MESSAGES = "anthropic_messages";

const IN_VERTEX = "/v1/projects/my-project/locations/europe-west4/publishers";

export const VENDORS: readonly Vendor[] = [
  {
    name: "DeepSeek",
    provider: "deepseek",
    model: "deepseek-v4-pro",
    mode: CHAT,
    dialect: "deepseek",
    state: "reasoning",
  },
  { name: "Kimi", provider: "kimi", model: "kimi-k3", mode: CHAT, dialect: "kimi", state: "reasoning" },
  { name: "Xiaomi", provider: "xiaomi", model: "mimo-v2.5-pro", mode: CHAT, dialect: "xiaomi", state: "reasoning" },
  { name: "Z.AI", provider: "zai", model: "glm-5.3", mode: CHAT, dialect: "zai", state: "reasoning" },
  { name: "Groq", provider: "groq", model: "openai/gpt-oss-120b", mode: CHAT, dialect: "groq", state: "reasoning" },
  {
    name: "Cerebras",
    provider: "cerebras",
    model: "gpt-oss-120b",
    mode: CHAT,
    dialect: "cerebras",
    state: "reasoning",
  },
  { name: "vLLM", provider: "vllm", model: "openai/gpt-oss-20b", mode: CHAT, dialect: "vllm", state: "reasoning" },
  {
    name: "Mistral",
    provider: "mistral",
    model: "magistral-medium-latest",
    mode: CHAT,
    dialect: "mistral",
    state: "reasoning",
  },
  {
    name: "OpenRouter, with Gemini behind it",
    provider: "openrouter",
    model: "google/gemini-3-pro-preview",
    mode: CHAT,
    dialect: "openrouter",
    state: "signature",
  },
  {
    name: "OpenRouter, with Claude behind it",
    provider: "openrouter",
    model: "anthropic/claude-sonnet-5",
    mode: CHAT,
    dialect: "openrouter",
    state: "signature",
  },
  {
    name: "Anthropic",
    provider: "anthropic",
    model: "claude-sonnet-5",
    mode: MESSAGES,
    dialect: "anthropic",
    state: "signature",
  },
  {
    name: "DeepSeek in Anthropic's format",
    provider: "deepseek-messages",
    model: "deepseek-v4-pro",
    mode: MESSAGES,
    dialect: "deepseek",
    state: "reasoning",
  },
  {
    name: "Kimi in Anthropic's format",
    provider: "kimi",
    model: "kimi-for-coding",
    mode: MESSAGES,
    dialect: "kimi",
    state: "reasoning",
  },
  {
    name: "MiniMax",
    provider: "minimax",
    model: "MiniMax-M2.7",
    mode: MESSAGES,
    dialect: "minimax",
    state: "reasoning",
  },
  { name: "OpenAI", provider: "openai", model: "gpt-6-sol", mode: "responses", dialect: "openai", state: "signature" },
  { name: "xAI", provider: "xai", model: "grok-4.6", mode: "responses", dialect: "xai", state: "signature" },
  {
    name: "LM Studio",
    provider: "lmstudio",
    model: "zai-org/glm-4.7-flash",
    mode: "responses",
    dialect: "lmstudio",
    state: "reasoning",
  },
  {
    name: "Gemini",
    provider: "gemini",
    model: "gemini-3.8-flash",
    mode: "gemini",
    dialect: "gemini",
    state: "signature",
  },
  {
    name: "Gemini behind `chat_completions`",
    provider: "gemini",
    model: "gemini-3.8-pro",
    mode: CHAT,
    dialect: "gemini",
    state: "call-signature",
  },
  {
    name: "OpenAI behind `chat_completions`",
    provider: "openai",
    model: "gpt-5.2",
    mode: CHAT,
    dialect: "openai",
    state: "none",
  },
  {
    name: "OpenAI, without reasoning",
    provider: "openai",
    model: "gpt-4.1",
    mode: "responses",
    dialect: "openai",
    state: "none",
  },
  {
    name: "MiniMax in OpenAI's format",
    provider: "minimax",
    model: "MiniMax-M2.5",
    mode: CHAT,
    dialect: "minimax",
    state: "reasoning",
  },
  {
    name: "vLLM, with Gemma behind it",
    provider: "vllm",
    model: "google/gemma-4-31b-it",
    mode: CHAT,
    dialect: "vllm",
    state: "reasoning",
  },
  {
    name: "OpenCode",
    provider: "opencode-zen",
    model: "glm-5.3",
    mode: CHAT,
    dialect: "opencode-zen",
    state: "reasoning",
  },
  {
    name: "llama.cpp",
    provider: "llamacpp",
    model: "gpt-oss-20b",
    mode: CHAT,
    dialect: "llamacpp",
    state: "reasoning",
  },
  { name: "Ollama", provider: "ollama", model: "qwen3:8b", mode: CHAT, dialect: "ollama", state: "reasoning" },
  { name: "SGLang", provider: "sglang", model: "Qwen/Qwen3-32B", mode: CHAT, dialect: "sglang", state: "reasoning" },
  { name: "TGI", provider: "tgi", model: "Qwen/QwQ-32B", mode: CHAT, dialect: "tgi", state: "reasoning" },
  { name: "Alibaba", provider: "alibaba", model: "qwen3.7-plus", mode: CHAT, dialect: "alibaba", state: "reasoning" },
  {
    name: "Azure",
    provider: "azure",
    model: "gpt-5.2",
    mode: "responses",
    dialect: "azure",
    state: "signature",
    path: "/openai/v1",
    keyHeader: "api-key",
  },
  {
    name: "Azure behind a deployment's path",
    provider: "azure",
    model: "gpt-5.1",
    mode: CHAT,
    dialect: "azure",
    state: "none",
    path: "/openai/deployments/my-deployment",
    query: { "api-version": "2024-10-21" },
    keyHeader: "api-key",
  },
  {
    name: "Bedrock",
    provider: "bedrock",
    model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    mode: MESSAGES,
    dialect: "bedrock",
    state: "signature",
    path: "",
    framing: "converse",
    signs: true,
  },
  {
    name: "Vertex",
    provider: "vertex",
    model: "gemini-3.8-flash",
    mode: "gemini",
    dialect: "vertex",
    state: "signature",
    path: `${IN_VERTEX}/google`,
    keyHeader: "authorization",
  },
  {
    name: "Vertex, with Claude behind it",
    provider: "vertex",
    model: "claude-sonnet-4-5",
    mode: MESSAGES,
    dialect: "vertex",
    state: "signature",
    path: `${IN_VERTEX}/anthropic`,
    keyHeader: "authorization",
  },
];
