/** Vendors and gateways of Chat Completions. */
import type { WireError } from "../wire-format.ts";
import { bearerIn, headerIn } from "../wire-format.ts";
import { createChatWire, USUAL_CHAT } from "../wires/chat-wire.ts";
import { CHAT_SERVERS, type ChatVendor } from "./chat-servers.ts";
import {
  callIds,
  noAssistantLast,
  noEmptyAssistant,
  noFields,
  noMarkBesideResults,
  noMessageFields,
  noUserAfter,
  reasoningBeforeCalls,
  schemaKeywords,
  signedCalls,
  typesInAlternatives,
} from "./request-rules.ts";
import { asVendor, type DialectName } from "./vendor-api.ts";

export function chatWireOf(vendor: ChatVendor) {
  return asVendor(createChatWire({ ...USUAL_CHAT, ...vendor }), vendor);
}

const isAny = () => true;
const isFilled = (text: string) => text !== "";

// Bodies of errors ----------------------------------------------------------------------------------------------------

const flat = ({ message, type, param = null, code = null }: WireError) => ({ message, type, param, code });
const asObject = (error: WireError) => ({ object: "error", ...flat(error) });
const numbered = ({ status, message, more }: WireError) => ({ error: { code: status, message, ...more } });
const codedAtTop = ({ message, code, type }: WireError) => ({ code: code ?? type, error: message });
const ofGoogle = ({ status, message, type, more }: WireError) => [
  { error: { code: status, message, status: type, ...more } },
];

// Vendors -------------------------------------------------------------------------------------------------------------

const OPENAI_REASONING = /^(gpt-([5-9]|\d\d)(?!.*chat)|o\d|codex)/;

const OPENAI: ChatVendor = {
  source: "https://platform.openai.com/docs/api-reference/chat/create; vercel/ai#4349, anomalyco/opencode#37964",
  reasoning: "none",
  rejects: [
    noFields(
      ["max_tokens"],
      (field) =>
        `Unsupported parameter: '${field}' is not supported with this model. Use 'max_completion_tokens' instead.`,
      OPENAI_REASONING,
    ),
    noFields(
      ["temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs"],
      (field) => `Unsupported parameter: '${field}' is not supported with this model.`,
      OPENAI_REASONING,
    ),
    noMessageFields(
      ["reasoning_content", "reasoning"],
      (index, field) => `Unknown parameter: 'messages[${index}].${field}'.`,
    ),
  ],
};

/** docs: learn.microsoft.com/azure/ai-foundry/openai/reference */
const AZURE: ChatVendor = {
  ...OPENAI,
  source: "https://learn.microsoft.com/azure/ai-foundry/openai/reference, …/concepts/content-filter",
  keyIn: (headers) => headerIn(headers, "api-key") ?? bearerIn(headers),
  path: /\/openai\/(v1\/chat\/completions|deployments\/[^/]+\/chat\/completions\?(.*&)?api-version=)/,
  errors: {
    unauthorized: {
      type: "access_denied",
      code: "401",
      message: "Access denied due to invalid subscription key or wrong API endpoint.",
    },
    "model-missing": { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." },
    "rate-limited": {
      code: "429",
      message:
        "Requests to the API have exceeded the token rate limit of your current pricing tier. Please retry after 26 seconds.",
    },
    "prompt-refused": {
      code: "content_filter",
      message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      more: { innererror: { code: "ResponsibleAIPolicyViolation" } },
    },
  },
};

const DEEPSEEK: ChatVendor = {
  source:
    "https://api-docs.deepseek.com/guides/thinking_mode, …/quick_start/error_codes; NousResearch/hermes-agent#18263",
  fields: "any",
  usage: "finish-chunk",
  cached: "prompt_cache_hit_tokens",
  rejects: [
    reasoningBeforeCalls(
      isFilled,
      (index) => `Missing \`reasoning_content\` field in the assistant message at message index ${index}.`,
    ),
  ],
  errors: {
    "quota-exhausted": {
      status: 402,
      type: "unknown_error",
      code: "invalid_request_error",
      message: "Insufficient Balance",
    },
    "prompt-refused": { code: "invalid_request_error", message: "Content Exists Risk" },
  },
};

const KIMI: ChatVendor = {
  source:
    "https://platform.moonshot.ai/docs/api/chat, …/guide/error-codes; northes/go-moonshot#17, MoonshotAI/kimi-code#2661",
  fields: "any",
  callId: ({ name, id }) => `${name}:${id.slice(id.lastIndexOf("x") + 1)}`,
  usage: "choice",
  cached: "cached_tokens",
  rejects: [
    reasoningBeforeCalls(
      isAny,
      (index) =>
        `thinking is enabled but reasoning_content is missing in assistant tool call message at index ${index}`,
    ),
    noEmptyAssistant(
      (index) => `Invalid request: the message at position ${index} with role 'assistant' must not be empty`,
    ),
    typesInAlternatives,
  ],
  errors: {
    "context-overflow": {
      code: null,
      message: "Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)",
    },
    "quota-exhausted": {
      type: "exceeded_current_quota_error",
      code: null,
      message: "Your account is suspended due to insufficient balance, please recharge your account.",
    },
    "rate-limited": {
      type: "rate_limit_reached_error",
      code: null,
      message: "Your account has reached max organization concurrency.",
    },
    "prompt-refused": {
      type: "content_filter",
      message: "The request was rejected because it was considered high risk",
    },
  },
};

const XIAOMI: ChatVendor = {
  source:
    "https://platform.xiaomimimo.com/docs/zh-CN/usage-guide/passing-back-reasoning_content; NousResearch/hermes-agent#24443",
  fields: "any",
  rejects: [
    reasoningBeforeCalls(isAny, () => "The reasoning_content in the thinking mode must be passed back to the API."),
  ],
};

const ZAI: ChatVendor = {
  source: "https://docs.z.ai/api-reference/llm/chat-completion, …/api-reference/api-code",
  fields: "any",
  usage: "finish-chunk",
  finish: { ...USUAL_CHAT.finish, refused: "sensitive" },
  errorBody: ({ code, message }) => ({ error: { code, message } }),
  errors: {
    invalid: { code: "1210" },
    unauthorized: { code: "1000", message: "Authentication failed" },
    "model-missing": { status: 400, code: "1211", message: "Unknown Model, please check the model code." },
    "rate-limited": { code: "1302", message: "High concurrency usage of this API, please reduce concurrency" },
    "quota-exhausted": { code: "1113", message: "Insufficient balance or no resource package. Please recharge." },
    "context-overflow": { code: "1261", message: "Prompt exceeds max length" },
    "prompt-refused": {
      code: "1301",
      message: "System detected potentially unsafe or sensitive content in input or generation.",
    },
  },
};

const GROQ: ChatVendor = {
  source: "https://console.groq.com/docs/reasoning, …/docs/errors; janhq/jan#8136, Portkey-AI/gateway#1338",
  fields: ["reasoning_format", "include_reasoning"],
  reasoning: "reasoning",
  calls: "whole",
  usage: "x_groq",
  rejects: [
    noMessageFields(
      ["reasoning_content", "reasoning_details"],
      (index, field) =>
        `'messages.${index}' : for 'role:assistant' the following must be satisfied` +
        `[('messages.${index}' : property '${field}' is unsupported)]`,
    ),
  ],
  errors: {
    "context-overflow": {
      status: 413,
      code: "context_length_exceeded",
      message: "Please reduce the length of the messages or completion.",
    },
    "quota-exhausted": {
      type: "tokens",
      code: "rate_limit_exceeded",
      message:
        "Rate limit reached for model on tokens per day (TPD): Limit 100000, Used 99552, Requested 1533. " +
        "Please try again in 15m37.44s.",
    },
  },
};

const CEREBRAS: ChatVendor = {
  source:
    "https://inference-docs.cerebras.ai/api-reference/chat-completions; Kilo-Org/kilocode#10375, proxysoul/Empryo#209",
  fields: ["clear_thinking", "disable_reasoning", "reasoning_format"],
  reasoning: "reasoning",
  calls: "whole",
  usage: "finish-chunk",
  rejects: [
    noMessageFields(["reasoning_content", "reasoning_details"], (index, field) => {
      const property = `messages.${index}.assistant.${field}`;
      return `${property}: property '${property}' is unsupported`;
    }),
  ],
  errorBody: flat,
  errors: {
    invalid: { param: "validation_error", code: "wrong_api_format" },
    "context-overflow": {
      message: "Please reduce the length of the messages or completion.",
      code: "context_length_exceeded",
    },
    "quota-exhausted": {
      message: "Tokens per day limit exceeded - too many tokens processed.",
      type: "too_many_tokens_error",
      code: "token_quota_exceeded",
    },
  },
};

const NINE = /^[a-zA-Z0-9]{9}$/;

const MISTRAL: ChatVendor = {
  source:
    "https://docs.mistral.ai/api, …/capabilities/reasoning; anomalyco/opencode#1680, charmbracelet/crush#1590, " +
    "editor-code-assistant/eca#231, zed-industries/zed#37021",
  fields: ["random_seed", "safe_prompt", "prompt_mode"],
  reasoning: "thinking-parts",
  calls: "whole",
  callId: ({ id }) => id.replace(/[^a-zA-Z0-9]/g, "").slice(-9),
  usage: "finish-chunk",
  rejects: [
    noFields(
      ["max_completion_tokens", "seed", "user", "store", "logit_bias"],
      (field) => `body.${field}: Extra inputs are not permitted`,
    ),
    noMessageFields(
      ["reasoning_content", "reasoning", "reasoning_details", "refusal"],
      (index, field) => `body.messages.${index}.assistant.${field}: Extra inputs are not permitted`,
    ),
    noUserAfter("tool", "Unexpected role 'user' after role 'tool'"),
    noAssistantLast("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"),
    callIds(NINE, (id) => `Tool call id was ${id} but must be a-z, A-Z, 0-9, with a length of 9.`),
  ],
  errorBody: asObject,
  errors: {
    "context-overflow": {
      code: "3051",
      message: "Prompt contains 140000 tokens, too large for model with 131072 maximum context length",
    },
    "rate-limited": { type: "rate_limited", code: "1300", message: "Rate limit exceeded" },
  },
};

const OPENROUTER: ChatVendor = {
  source:
    "https://openrouter.ai/docs/api-reference/errors, …/use-cases/reasoning-tokens; NousResearch/hermes-agent#2362",
  fields: "any",
  rejects: [noMarkBesideResults],
  reasoning: "reasoning_details",
  errorBody: numbered,
  errors: {
    unauthorized: { message: "No auth credentials found" },
    "model-missing": { message: "No endpoints found for this model." },
    "context-overflow": {
      message: "This endpoint's maximum context length is 131072 tokens. However, you requested about 150000 tokens.",
    },
    "quota-exhausted": {
      status: 402,
      message: "This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens.",
    },
    "prompt-refused": {
      status: 403,
      message: 'Your chosen model requires moderation and your input was flagged for "violence".',
      more: { metadata: { reasons: ["violence"] } },
    },
    overloaded: { message: "Provider returned error" },
  },
};

const XAI: ChatVendor = {
  source: "https://docs.x.ai/docs/guides/reasoning, …/docs/key-information/debugging",
  fields: ["search_parameters", "deferred"],
  calls: "whole",
  errorBody: codedAtTop,
  errors: {
    unauthorized: { status: 400, message: "Incorrect API key provided. You can obtain a key at https://console.x.ai." },
    "context-overflow": {
      code: "Client specified an invalid argument",
      message: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    },
    "quota-exhausted": {
      code: "Some resource has been exhausted",
      message: "Your team has either used all available credits or reached its monthly spending limit.",
    },
    "prompt-refused": {
      status: 403,
      code: "The caller does not have permission to execute the specified operation",
      message: "Content violates usage guidelines.",
    },
  },
};

/** Keywords of the schema objects that Google reads. */
const GOOGLE_KEYWORDS = [
  ...["type", "format", "title", "description", "nullable", "enum", "properties", "required", "propertyOrdering"],
  ...["items", "minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "anyOf"],
  ...["minimum", "maximum", "example", "default"],
];

const GEMINI: ChatVendor = {
  source:
    "https://ai.google.dev/gemini-api/docs/openai, …/docs/thought-signatures, https://ai.google.dev/api/caching#Schema",
  fields: "any",
  reasoning: "call-signature",
  calls: "whole",
  usage: "finish-chunk",
  rejects: [
    signedCalls,
    schemaKeywords(
      GOOGLE_KEYWORDS,
      (keyword) =>
        `Invalid JSON payload received. Unknown name "${keyword}" at 'tools[0].function_declarations[0].parameters': Cannot find field.`,
    ),
  ],
  errorBody: ofGoogle,
  errors: {
    invalid: { type: "INVALID_ARGUMENT" },
    unauthorized: {
      status: 400,
      type: "INVALID_ARGUMENT",
      message: "API key not valid. Please pass a valid API key.",
    },
    "model-missing": { type: "NOT_FOUND", message: "models is not found for API version v1main." },
    "context-overflow": {
      type: "INVALID_ARGUMENT",
      message: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048576).",
    },
    "rate-limited": { type: "RESOURCE_EXHAUSTED" },
    "quota-exhausted": {
      type: "RESOURCE_EXHAUSTED",
      message: "You exceeded your current quota, please check your plan and billing details.",
      more: { details: [{ violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }] }] },
    },
    overloaded: { type: "UNAVAILABLE", message: "The model is overloaded. Please try again later." },
  },
};

const MINIMAX: ChatVendor = {
  source: "https://platform.minimax.io/docs/guides/text-m2-function-call, …/docs/api-reference/errorcode",
  fields: "any",
  reasoning: "think-tags",
  usage: "finish-chunk",
  errorBody: ({ message, type }) => ({ type: "error", error: { type, message } }),
  errors: {
    "context-overflow": { message: "invalid params, context window exceeds limit (2013)" },
    "quota-exhausted": { type: "insufficient_balance_error", message: "insufficient balance (1008)" },
    "prompt-refused": { status: 422, message: "input new_sensitive (1026)" },
  },
};

const OPENCODE_ZEN: ChatVendor = {
  source: "earendil-works/pi: packages/ai/src/api/openai-completions.ts",
  fields: "any",
  reasoning: "reasoning",
  rejects: [
    noMessageFields(
      ["reasoning", "reasoning_details"],
      (_, field) => `Extra inputs are not permitted, field: '${field}'`,
    ),
  ],
  errorBody: ({ message, type }) => ({ type: "error", error: { type, message } }),
  errors: { "quota-exhausted": { status: 401, type: "CreditsError", message: "Insufficient balance." } },
};

const ALIBABA: ChatVendor = {
  source:
    "https://www.alibabacloud.com/help/en/model-studio/error-code, …/rate-limit, …/deep-thinking; " +
    "QwenLM/qwen-code#98, agentscope-ai/QwenPaw#6255, agno-agi/agno#5317, deepset-ai/haystack#9581",
  fields: "any",
  laterPiece: ({ index }, written) => ({
    index,
    id: "",
    type: "function",
    function: { name: null, arguments: written },
  }),
  errorBody: (error) => ({ error: flat(error), request_id: "81a373d6-28bd-9968-8335-e22a2127c41b" }),
  errors: {
    invalid: { code: "invalid_parameter_error" },
    "context-overflow": {
      code: "invalid_parameter_error",
      param: null,
      message: "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 983616]",
    },
    "rate-limited": {
      type: "insufficient_quota",
      code: "insufficient_quota",
      message:
        "You exceeded your current quota, please check your plan and billing details. For details, see: " +
        "https://help.aliyun.com/zh/model-studio/error-code#token-limit",
    },
    "quota-exhausted": {
      status: 403,
      code: "AllocationQuota.FreeTierOnly",
      message: "The free tier of the model has been exhausted.",
    },
    "prompt-refused": {
      code: "data_inspection_failed",
      message: "<400> InternalError.Algo.DataInspectionFailed: Input text data may contain inappropriate content.",
    },
  },
};

export const CHAT_VENDORS = {
  openai: OPENAI,
  azure: AZURE,
  deepseek: DEEPSEEK,
  kimi: KIMI,
  xiaomi: XIAOMI,
  zai: ZAI,
  groq: GROQ,
  cerebras: CEREBRAS,
  mistral: MISTRAL,
  openrouter: OPENROUTER,
  xai: XAI,
  gemini: GEMINI,
  minimax: MINIMAX,
  "opencode-zen": OPENCODE_ZEN,
  alibaba: ALIBABA,
  ...CHAT_SERVERS,
} satisfies Partial<Record<DialectName, ChatVendor>>;
