/** The dialects of API modes, vendors, model families and gateways, from the general to the special. */
import type { DialectRow } from "./dialect.ts";

const CHAT = ["chat_completions"] as const;
const RESPONSES = ["responses"] as const;
const MESSAGES = ["anthropic_messages"] as const;
const GEMINI = ["gemini"] as const;

const DEEPSEEK_MODELS = /^deepseek/;
const KIMI_MODELS = /^(kimi|k[2-9]\b|moonshot)/;
/** From the third generation on, also under names that follow the newest one. */
const GEMINI_3_MODELS = /^gemini-(?![12][.-]|[12]$|pro-vision)/;
const ANTHROPIC_MODELS = /claude/;
/** Not Claude 3.5 Sonnet, and nothing before it. */
const CLAUDE_CACHED_ON_BEDROCK = /claude-(3-7-sonnet|3-5-haiku|[a-z]+-([4-9]|\d\d)(?!\d))/;

const KIMI_PROVIDERS = ["kimi", "kimi-cn"];
const KIMI_HOSTS = ["api.moonshot.ai", "api.moonshot.cn", "api.kimi.com"];
const MISTRAL_HOSTS = ["api.mistral.ai", "codestral.mistral.ai"];

const DEEPSEEK_THINKING = "https://api-docs.deepseek.com/guides/thinking_mode";
const NON_EMPTY = "NousResearch/hermes-agent#18263: an empty string is rejected, a space is accepted";
const XIAOMI_REASONING = "https://platform.xiaomimimo.com/docs/zh-CN/usage-guide/passing-back-reasoning_content";
const SIGNATURES = "https://ai.google.dev/gemini-api/docs/thought-signatures";
const MOONSHOT_SCHEMA = "MoonshotAI/kimi-cli#1595, MoonshotAI/kimi-code#2661, router-for-me/CLIProxyAPI#5316";

export const DIALECT_ROWS: readonly DialectRow[] = [
  {
    name: "API mode `anthropic_messages`",
    matches: [{ apiModes: MESSAGES }],
    facts: {
      toolCallIds: {
        is: "letters-digits-dashes",
        source: "https://docs.anthropic.com/en/api/messages: tool_use.id matches ^[a-zA-Z0-9_-]+$",
      },
      blankText: {
        is: false,
        source: "anomalyco/opencode#31259: text content blocks must contain non-whitespace text",
      },
    },
  },
  {
    name: "API mode `responses`",
    matches: [{ apiModes: RESPONSES }],
    facts: {
      toolCallIds: {
        is: "at-most-64",
        source: "https://platform.openai.com/docs/api-reference/responses/create: call_id has at most 64 characters",
      },
    },
  },
  {
    name: "OpenAI's models trained on patches",
    matches: [{ model: /^(gpt-(4\.1|[5-9]|\d\d|oss)|codex-)/ }],
    facts: {
      editTool: {
        is: "apply_patch",
        source:
          "https://developers.openai.com/api/docs/guides/tools-apply-patch, https://cookbook.openai.com/examples/gpt4-1_prompting_guide; openai/codex, codex-rs/core/src/model_family.rs: gpt-oss takes it as a function",
      },
    },
  },
  {
    name: "OpenAI's reasoning models",
    matches: [{ model: /^(gpt-([5-9]|\d\d)|o\d|codex-)/, apiModes: CHAT }],
    facts: {
      tokenLimitField: {
        is: "max_completion_tokens",
        source: "anomalyco/opencode#37964, anomalyco/opencode#22374, vercel/ai#4349",
      },
    },
  },
  {
    name: "OpenAI's models without reasoning",
    matches: [{ model: /^(gpt-[34]|chatgpt-|gpt-5(\.\d)?-chat)/, apiModes: RESPONSES }],
    facts: {
      encryptedReasoning: {
        is: false,
        source:
          "NousResearch/hermes-agent#24234, pydantic/pydantic-ai#3331: Encrypted content is not supported with this model",
      },
    },
  },
  {
    name: "OpenAI, Azure OpenAI",
    matches: [
      { providers: ["openai"], hosts: ["api.openai.com", ".openai.azure.com"] },
      { model: /^(gpt-\d|o\d|codex-)/, apiModes: RESPONSES },
    ],
    facts: {
      tokenLimitField: {
        is: "max_completion_tokens",
        source: "https://platform.openai.com/docs/api-reference/chat/create: max_tokens is deprecated",
      },
      openReasoning: {
        is: false,
        source: "vercel/ai#7543: with store: false, a reasoning item without encrypted content is not found",
      },
    },
  },
  {
    name: "xAI",
    matches: [{ providers: ["xai"], hosts: ["api.x.ai"] }, { model: /^grok-/ }],
    facts: {
      openReasoning: { is: false, source: "https://docs.x.ai/docs/guides/reasoning: encrypted reasoning content" },
    },
  },
  {
    name: "DeepSeek",
    matches: [
      { providers: ["deepseek"], hosts: ["api.deepseek.com"], apiModes: [...CHAT, ...MESSAGES] },
      { model: DEEPSEEK_MODELS, apiModes: [...CHAT, ...MESSAGES] },
    ],
    facts: {
      reasoningPlaceholder: { is: " ", source: `${DEEPSEEK_THINKING}; ${NON_EMPTY}` },
    },
  },
  {
    name: "Kimi",
    matches: [{ providers: KIMI_PROVIDERS, hosts: KIMI_HOSTS }, { model: KIMI_MODELS }],
    facts: {
      reasoningPlaceholder: { is: "", source: "earendil-works/pi#987, Kilo-Org/kilocode#5528" },
      toolSchema: { is: "moonshot", source: MOONSHOT_SCHEMA },
    },
  },
  {
    name: "Kimi in Anthropic's format",
    matches: [
      { providers: KIMI_PROVIDERS, hosts: KIMI_HOSTS, apiModes: MESSAGES },
      { model: KIMI_MODELS, apiModes: MESSAGES },
    ],
    facts: {
      reasoningPlaceholder: { is: " ", source: "NousResearch/hermes-agent#14018" },
    },
  },
  {
    name: "Xiaomi",
    matches: [{ providers: ["xiaomi"], hosts: ["api.xiaomimimo.com"] }, { model: /^mimo-/ }],
    facts: {
      reasoningPlaceholder: { is: "", source: `${XIAOMI_REASONING}; NousResearch/hermes-agent#24443` },
    },
  },
  {
    name: "MiniMax",
    matches: [{ model: /^minimax-/, apiModes: CHAT }],
    facts: {
      reasoningField: {
        is: "think-tags",
        source: "https://platform.minimax.io/docs/guides/text-m2-function-call: content goes back whole, tags included",
      },
    },
  },
  {
    name: "Claude",
    matches: [
      { providers: ["anthropic"], hosts: ["api.anthropic.com"], apiModes: MESSAGES },
      { model: ANTHROPIC_MODELS, apiModes: MESSAGES },
    ],
    facts: {
      unsignedThinking: {
        is: false,
        source:
          "https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking: blocks go back with signatures",
      },
      cacheBreakpoints: {
        is: true,
        source: "https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching: cache_control marks the prefix",
      },
    },
  },
  {
    name: "Amazon Bedrock",
    matches: [{ providers: ["bedrock"], hosts: [".amazonaws.com"], apiModes: MESSAGES }],
    facts: {
      cacheBreakpoints: {
        is: false,
        source: "posit-dev/positron#12142, zeroclaw-labs/zeroclaw#7315: You invoked an unsupported model",
      },
    },
  },
  {
    name: "Claude on Amazon Bedrock, from 3.5 Haiku and 3.7 Sonnet on",
    matches: [
      { providers: ["bedrock"], hosts: [".amazonaws.com"], model: CLAUDE_CACHED_ON_BEDROCK, apiModes: MESSAGES },
    ],
    facts: {
      cacheBreakpoints: {
        is: true,
        source:
          "https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html: cachePoint in system and messages",
      },
    },
  },
  {
    name: "Anthropic",
    matches: [{ providers: ["anthropic"], hosts: ["api.anthropic.com"], apiModes: MESSAGES }],
    facts: {
      eagerToolInput: {
        is: true,
        source: "zed-industries/zed#62806, openclaw/openclaw#72183: others reject eager_input_streaming",
      },
    },
  },
  {
    name: "Gemini 3",
    matches: [{ model: GEMINI_3_MODELS, apiModes: [...GEMINI, ...CHAT] }],
    facts: {
      missingSignature: { is: "skip_thought_signature_validator", source: SIGNATURES },
    },
  },
  {
    name: "Gemini behind `chat_completions`",
    matches: [
      { hosts: ["generativelanguage.googleapis.com"], providers: ["gemini"], apiModes: CHAT },
      { model: /^(gemini|gemma)-/, apiModes: CHAT },
    ],
    facts: {
      sumHoldsReasoning: { is: true, source: "mozilla-ai/any-llm#1290" },
      toolSchema: {
        is: "gemini",
        source: "https://ai.google.dev/api/caching#Schema; ahmadrosid/nakama#292: Unknown name exclusiveMinimum",
      },
    },
  },
  {
    name: "Mistral's models",
    matches: [
      { providers: ["mistral"], hosts: MISTRAL_HOSTS, apiModes: CHAT },
      { model: /^(mistral|ministral|magistral|codestral|devstral|pixtral|mixtral|voxtral)/, apiModes: CHAT },
    ],
    facts: {
      userAfterTool: { is: false, source: "aaif-goose/goose#5998, zed-industries/zed#37021" },
      toolCallIds: {
        is: "nine-alphanumeric",
        source: "anomalyco/opencode#1680, vllm-project/vllm#9019: must be a-z, A-Z, 0-9, with a length of 9",
      },
    },
  },
  {
    name: "Mistral",
    matches: [{ providers: ["mistral"], hosts: MISTRAL_HOSTS, apiModes: CHAT }],
    facts: {
      reasoningField: {
        is: "thinking-parts",
        source:
          "https://docs.mistral.ai/capabilities/reasoning; charmbracelet/crush#1590: reasoning_content is forbidden",
      },
      reasoningPlaceholder: { is: "none", source: "charmbracelet/crush#1590" },
    },
  },
  {
    name: "Open models whose chat template wants alternating roles",
    matches: [{ model: /^(gemma|mistral|mixtral)/, apiModes: CHAT }],
    facts: {
      userAfterUser: {
        is: false,
        source:
          "vllm-project/vllm#6862, suitenumerique/conversations#197: Conversation roles must alternate user/assistant",
      },
    },
  },
  {
    name: "Groq",
    matches: [{ providers: ["groq"], hosts: ["api.groq.com"], apiModes: CHAT }],
    facts: {
      reasoningField: { is: "reasoning", source: "janhq/jan#8136: property 'reasoning_content' is unsupported" },
      reasoningPlaceholder: { is: "none", source: "vercel/ai#8057: an empty reasoning is rejected" },
      tokenLimitField: {
        is: "max_completion_tokens",
        source: "https://console.groq.com/docs/api-reference#chat-create: max_tokens is deprecated",
      },
    },
  },
  {
    name: "Cerebras",
    matches: [{ providers: ["cerebras"], hosts: ["api.cerebras.ai"], apiModes: CHAT }],
    facts: {
      reasoningField: {
        is: "reasoning",
        source: "vercel/ai#15416; anomalyco/opencode#33413: property reasoning_content is unsupported",
      },
      reasoningPlaceholder: { is: "none", source: "anomalyco/opencode#33413" },
      tokenLimitField: {
        is: "max_completion_tokens",
        source: "https://inference-docs.cerebras.ai/api-reference/chat-completions",
      },
    },
  },
  {
    name: "opencode Zen",
    matches: [{ providers: ["opencode-zen"], hosts: ["opencode.ai"], apiModes: CHAT }],
    facts: {
      reasoningField: {
        is: "reasoning_content",
        source: "earendil-works/pi: packages/ai/src/api/openai-completions.ts, reasoning of opencode's models",
      },
    },
  },
  {
    name: "llama.cpp",
    matches: [{ providers: ["llamacpp"], apiModes: CHAT }],
    facts: {
      toolSchema: { is: "llama.cpp", source: "https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md" },
    },
  },
  {
    name: "OpenRouter and other gateways to many vendors",
    matches: [
      {
        providers: ["openrouter", "ai-gateway", "kilocode"],
        hosts: ["openrouter.ai", "ai-gateway.vercel.sh", "api.kilo.ai"],
        apiModes: CHAT,
      },
    ],
    facts: {
      tokenLimitField: { is: "max_tokens", source: "https://openrouter.ai/docs/api-reference/parameters" },
      missingSignature: {
        is: "none",
        source: "https://openrouter.ai/docs/use-cases/reasoning-tokens: the gateway adds it",
      },
      toolSchema: { is: "json-schema", source: "https://openrouter.ai/docs/features/tool-calling" },
    },
  },
  {
    name: "Claude on OpenRouter",
    matches: [{ providers: ["openrouter"], hosts: ["openrouter.ai"], model: ANTHROPIC_MODELS, apiModes: CHAT }],
    facts: {
      cacheBreakpoints: {
        is: true,
        source:
          "https://openrouter.ai/docs/features/prompt-caching: cache_control in a text part; NousResearch/hermes-agent#57845: of a tool message too",
      },
    },
  },
];
