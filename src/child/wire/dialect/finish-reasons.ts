/**
 * Finish reasons by API mode, and what each means. An unknown word never counts as a good end by itself: see
 * `reply.ts`. Words are compared ignoring case, because gateways pass on those of other APIs.
 */
import type { ProviderFailureKind } from "../../../errors.ts";
import type { Finish } from "../../../event.ts";
import type { ApiMode } from "../../../route.ts";

/** The end of an answer, or the failure that cut it off. */
export type FinishMeaning =
  | Finish
  | Extract<ProviderFailureKind, "network" | "overloaded" | "context-overflow" | "malformed-response">;

/** `of`: providers that use the word. `source`: where it is documented or reported. */
export type FinishReason = { means: FinishMeaning; of: string; source: string };

const OPENAI = "https://platform.openai.com/docs/api-reference/chat/object";
const ZAI = "https://docs.z.ai/api-reference/llm/chat-completion";
const ANTHROPIC = "https://docs.anthropic.com/en/api/handling-stop-reasons";
const BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html";
const GEMINI = "https://ai.google.dev/api/generate-content#FinishReason";
const VLLM = "vllm-project/vllm: vllm/v1/engine/__init__.py, FINISH_REASON_STRINGS";
const TGI = "huggingface/text-generation-inference: docs/openapi.json, FinishReason";
const OLLAMA = "ollama/ollama: docs/api.md, done_reason";
const LLAMA_CPP = "ggml-org/llama.cpp: tools/server, stop_type";
const LM_STUDIO = "lmstudio-ai/lmstudio-js: packages/lms-shared-types/src/llm/LLMPredictionStats.ts";
const COHERE = "cohere-ai/cohere-python: src/cohere/types/chat_finish_reason.py";
const COHERE_V1 = "cohere-ai/cohere-python: src/cohere/types/finish_reason.py";
const DEEPSEEK = "https://api-docs.deepseek.com/api/create-chat-completion";
const RESPONSE = "https://platform.openai.com/docs/api-reference/responses/object";
const OPENROUTER = "https://openrouter.ai/docs/api-reference/overview#finish-reason";

function reason(means: FinishMeaning, of: string, source: string): FinishReason {
  return { means, of, source };
}

const CHAT: Record<string, FinishReason> = {
  stop: reason("stop", "all", OPENAI),
  tool_calls: reason("tool-calls", "all", OPENAI),
  function_call: reason("tool-calls", "all", OPENAI),
  length: reason("length", "all", OPENAI),
  content_filter: reason("refused", "all", OPENAI),
  sensitive: reason("refused", "Z.AI", ZAI),
  model_context_window_exceeded: reason("length", "Z.AI, Anthropic behind gateways", ZAI),
  network_error: reason("network", "Z.AI", ZAI),
  insufficient_system_resource: reason("overloaded", "DeepSeek", DEEPSEEK),
  model_length: reason("length", "Mistral", "https://docs.mistral.ai/api/#tag/chat"),
  error: reason("overloaded", "Mistral, OpenRouter, Vercel AI Gateway", OPENROUTER),
  eos: reason("stop", "Together", "https://docs.together.ai/reference/chat-completions-1"),
  eos_token: reason("stop", "TGI", TGI),
  stop_sequence: reason("stop", "TGI, Anthropic behind gateways", TGI),
  max_tokens: reason("length", "Anthropic and Gemini behind gateways", ANTHROPIC),
  max_output_tokens: reason("length", "OpenAI responses behind gateways", RESPONSE),
  end_turn: reason("stop", "Anthropic behind gateways", ANTHROPIC),
  tool_use: reason("tool-calls", "Anthropic behind gateways", ANTHROPIC),
  refusal: reason("refused", "Anthropic behind gateways", ANTHROPIC),
  guardrail_intervened: reason("refused", "Bedrock", BEDROCK),
  content_filtered: reason("refused", "Bedrock", BEDROCK),
  malformed_model_output: reason("malformed-response", "Bedrock", BEDROCK),
  malformed_tool_use: reason("malformed-response", "Bedrock", BEDROCK),
  abort: reason("network", "vLLM, SGLang", VLLM),
  timeout: reason("network", "Cohere", COHERE),
  repetition: reason("malformed-response", "vLLM", VLLM),
  load: reason("overloaded", "Ollama", OLLAMA),
  unload: reason("overloaded", "Ollama", OLLAMA),
  limit: reason("length", "llama.cpp, older servers", LLAMA_CPP),
  word: reason("stop", "llama.cpp, older servers", LLAMA_CPP),
  stop_str: reason("stop", "SGLang", "sgl-project/sglang: finish reasons"),
  eosfound: reason("stop", "LM Studio", LM_STUDIO),
  stopstringfound: reason("stop", "LM Studio", LM_STUDIO),
  toolcalls: reason("tool-calls", "LM Studio", LM_STUDIO),
  maxpredictedtokensreached: reason("length", "LM Studio", LM_STUDIO),
  contextlengthreached: reason("length", "LM Studio", LM_STUDIO),
  userstopped: reason("network", "LM Studio", LM_STUDIO),
  modelunloaded: reason("overloaded", "LM Studio", LM_STUDIO),
  failed: reason("overloaded", "LM Studio", LM_STUDIO),
  complete: reason("stop", "Cohere", COHERE),
  tool_call: reason("tool-calls", "Cohere", COHERE),
  error_toxic: reason("refused", "Cohere", COHERE_V1),
  error_limit: reason("length", "Cohere", COHERE_V1),
};

const GEMINI_REASONS: Record<string, FinishReason> = {
  stop: reason("stop", "Gemini", GEMINI),
  max_tokens: reason("length", "Gemini", GEMINI),
  safety: reason("refused", "Gemini", GEMINI),
  recitation: reason("refused", "Gemini", GEMINI),
  language: reason("refused", "Gemini", GEMINI),
  blocklist: reason("refused", "Gemini", GEMINI),
  prohibited_content: reason("refused", "Gemini", GEMINI),
  spii: reason("refused", "Gemini", GEMINI),
  model_armor: reason("refused", "Vertex", "https://cloud.google.com/model-armor/overview"),
  image_safety: reason("refused", "Gemini", GEMINI),
  image_prohibited_content: reason("refused", "Gemini", GEMINI),
  image_recitation: reason("refused", "Gemini", GEMINI),
  image_other: reason("malformed-response", "Gemini", GEMINI),
  no_image: reason("malformed-response", "Gemini", GEMINI),
  other: reason("malformed-response", "Gemini", GEMINI),
  finish_reason_unspecified: reason("malformed-response", "Gemini", GEMINI),
  malformed_function_call: reason("malformed-response", "Gemini", GEMINI),
  unexpected_tool_call: reason("malformed-response", "Gemini", GEMINI),
  too_many_tool_calls: reason("malformed-response", "Gemini", GEMINI),
  missing_thought_signature: reason("malformed-response", "Gemini", GEMINI),
  malformed_response: reason("malformed-response", "Gemini", GEMINI),
};

const MESSAGES: Record<string, FinishReason> = {
  end_turn: reason("stop", "Anthropic", ANTHROPIC),
  stop_sequence: reason("stop", "Anthropic", ANTHROPIC),
  tool_use: reason("tool-calls", "Anthropic", ANTHROPIC),
  max_tokens: reason("length", "Anthropic", ANTHROPIC),
  model_context_window_exceeded: reason("length", "Anthropic", ANTHROPIC),
  refusal: reason("refused", "Anthropic", ANTHROPIC),
  guardrail_intervened: reason("refused", "Bedrock", BEDROCK),
  content_filtered: reason("refused", "Bedrock", BEDROCK),
  malformed_model_output: reason("malformed-response", "Bedrock", BEDROCK),
  malformed_tool_use: reason("malformed-response", "Bedrock", BEDROCK),
  // A server tool needs another request; Deputy offers none, so the answer as it stands is cut off.
  pause_turn: reason("length", "Anthropic", ANTHROPIC),
  compaction: reason("length", "Anthropic", "https://docs.claude.com/en/docs/build-with-claude/compaction"),
  stop: reason("stop", "OpenAI's words behind gateways", OPENAI),
  length: reason("length", "OpenAI's words behind gateways", OPENAI),
  tool_calls: reason("tool-calls", "OpenAI's words behind gateways", OPENAI),
  content_filter: reason("refused", "OpenAI's words behind gateways", OPENAI),
  sensitive: reason("refused", "Z.AI", ZAI),
  network_error: reason("network", "Z.AI", ZAI),
  insufficient_system_resource: reason("overloaded", "DeepSeek", DEEPSEEK),
  error: reason("overloaded", "gateways", OPENROUTER),
};

const RESPONSES: Record<string, FinishReason> = {
  max_output_tokens: reason("length", "OpenAI", RESPONSE),
  content_filter: reason("refused", "OpenAI", RESPONSE),
  max_tool_calls: reason("length", "OpenAI", RESPONSE),
  cancelled: reason("network", "OpenAI, as a status", RESPONSE),
};

export const FINISH_REASONS: Record<ApiMode, Record<string, FinishReason>> = {
  chat_completions: CHAT,
  responses: RESPONSES,
  anthropic_messages: MESSAGES,
  gemini: GEMINI_REASONS,
};

/** What a word tells by itself, where no provider is known to use it: a cut, a refusal or a fault is never a good end. */
const TELLING: readonly (readonly [RegExp, FinishMeaning])[] = [
  [/content|safety|moderat|policy|filter|sensitive|risk|refus|prohibit|block/, "refused"],
  [/context|window|length|limit|truncat|max_|_max|token/, "length"],
  [/error|fail|overload|unavailable|abort|cancel|time_?out|disconnect|resource/, "overloaded"],
];

/** Meaning of a reason; undefined for a word that no known provider uses and that tells nothing by itself. */
export function finishMeaning(apiMode: ApiMode, word: string): FinishMeaning | undefined {
  const name = word.toLowerCase();
  // OpenRouter and others put their own word before the provider's: `function_call_filter: MALFORMED_FUNCTION_CALL`.
  const inner = name.slice(name.lastIndexOf(":") + 1).trim();
  const known = knownMeaning(apiMode, name) ?? knownMeaning(apiMode, inner);
  const meaning = known ?? TELLING.find(([says]) => says.test(name))?.[1];
  // In `responses`, only an answer that is not whole has a reason.
  const isCut = apiMode === "responses" && (meaning === undefined || meaning === "stop" || meaning === "tool-calls");
  return isCut ? "length" : meaning;
}

/** Gateways pass on the words of other APIs. */
function knownMeaning(apiMode: ApiMode, name: string): FinishMeaning | undefined {
  const words = [FINISH_REASONS[apiMode], CHAT, GEMINI_REASONS].find((own) => Object.hasOwn(own, name));
  return words?.[name]?.means;
}

/**
 * The reason to go by, where a gateway gives the provider's own word beside its translation of it: that one where it says
 * that the answer is not whole, which the translation hides. https://openrouter.ai/docs/api-reference/overview
 */
export function heededReason(apiMode: ApiMode, word: string, native: string): string {
  if (word === "" || native === "") return word || native; // As with nearly every chunk.
  const isGood = (meaning: FinishMeaning | undefined) => meaning === "stop" || meaning === "tool-calls";
  const [meaning, nativeMeaning] = [finishMeaning(apiMode, word), finishMeaning(apiMode, native)];
  if (nativeMeaning === undefined || isGood(nativeMeaning)) return word;
  return isGood(meaning) || meaning === "overloaded" ? native : word;
}
