/**
 * The built-in providers, one row each. A row contains everything that Deputy knows about a provider: shared code reads
 * the row, and never checks which provider it is. Adding a provider means adding a row.
 */
import type { ApiMode, Endpoint } from "../../route.ts";
import type { KeyHeader } from "../../secret.ts";
import { AWS_REGIONS, AZURE, BEDROCK, type Cloud, VERTEX } from "./cloud-endpoints.ts";

/** Makers of models, used to recognize models of other makers. */
export type ModelFamily =
  | "anthropic"
  | "openai"
  | "google"
  | "xai"
  | "zai"
  | "moonshot"
  | "minimax"
  | "deepseek"
  | "qwen"
  | "mistral"
  | "stepfun"
  | "xiaomi";

export type KeyVariable = {
  name: string;
  header?: KeyHeader;
  /** The key has several values, as one JSON document. The transport signs each request with it. */
  document?: KeyDocument;
  /** The variable names a file with Google credentials for requesting tokens. */
  isFile?: true;
  /**
   * All programs of the vendor read it. So it does not mean that the user wants this provider, and commands get it if
   * the user allows it.
   */
  isShared?: true;
};

/** By the document's fields, the variables that hold them. */
export type KeyDocument = {
  secrets: Readonly<Record<string, string>>;
  optionalSecrets: Readonly<Record<string, string>>;
  /** Not secret; the first variable that is set is used. */
  settings: Readonly<Record<string, readonly string[]>>;
};

export type BuiltInProvider = {
  slug: string;
  otherNames?: readonly string[];
  /** In order; the first that is set is used. */
  keys: readonly KeyVariable[];
  /** If this variable is set, its keys belong to the origin in it. */
  baseUrlVariable?: string;
  /** The base-URL variable may contain a bare host, which this completes. */
  bareHost?: { port: number; path: string };
  baseUrl: string;
  /** The endpoint depends on the account; `baseUrl` is an example. Only the first key that is set is used. */
  cloud?: Cloud;
  /** Appended to the base URL, by model. */
  modelPaths?: readonly (readonly [RegExp, string])[];
  /** How `anthropic_messages` is carried here. */
  framing?: Endpoint["framing"];
  /** The header of its keys, unless their variable names one. Default: that of the API mode. */
  keyHeader?: KeyHeader;
  /** Headers of keys with another form. */
  keyForms?: readonly (readonly [RegExp, KeyHeader])[];
  /** It cannot list the models that a key can use. */
  hasNoList?: true;
  apiMode: ApiMode;
  /** The API mode by model, for a provider with several. */
  modelModes?: readonly (readonly [RegExp, ApiMode])[];
  /** Key prefixes that belong to another of the provider's endpoints. */
  homes?: readonly { keyPrefix: string; baseUrl: string }[];
  defaultModel?: string;
  /** Ids that the price library does not list, or writes in another case. */
  models?: readonly string[];
  /** Serves models of many makers, under ids that contain slashes. */
  aggregator?: true;
  /** Model ids may end in a user's tag, as in `qwen3:8b`. */
  tags?: true;
  /** Works without a key. */
  keyOptional?: true;
  /** Serves only this maker's models. */
  family?: ModelFamily;
  /** Its name in the price library. */
  priceId?: string;
  effortField?: Endpoint["effortField"];
  /** Its model list is public, so that a response does not validate the key; `keyPath` requires a valid one. */
  openList?: { keyPath?: string };
};

const keys = (...names: string[]): KeyVariable[] => names.map((name) => ({ name }));

export const BUILT_IN_PROVIDERS: readonly BuiltInProvider[] = [
  {
    slug: "openrouter",
    otherNames: ["or"],
    keys: keys("OPENROUTER_API_KEY"),
    baseUrlVariable: "OPENROUTER_BASE_URL",
    baseUrl: "https://openrouter.ai/api/v1",
    apiMode: "chat_completions",
    defaultModel: "anthropic/claude-sonnet-5",
    aggregator: true,
    priceId: "openrouter",
    effortField: "reasoning.effort",
    openList: { keyPath: "/key" },
  },
  {
    slug: "anthropic",
    otherNames: ["claude"],
    keys: [
      { name: "ANTHROPIC_API_KEY" },
      { name: "ANTHROPIC_AUTH_TOKEN", header: "authorization" },
      { name: "CLAUDE_CODE_OAUTH_TOKEN", header: "authorization" },
    ],
    baseUrlVariable: "ANTHROPIC_BASE_URL",
    baseUrl: "https://api.anthropic.com",
    apiMode: "anthropic_messages",
    defaultModel: "claude-sonnet-5",
    family: "anthropic",
    priceId: "anthropic",
  },
  {
    slug: "openai",
    otherNames: ["openai-api"],
    keys: keys("OPENAI_API_KEY"),
    baseUrlVariable: "OPENAI_BASE_URL",
    baseUrl: "https://api.openai.com/v1",
    apiMode: "responses",
    defaultModel: "gpt-6-sol",
    family: "openai",
    priceId: "openai",
  },
  {
    slug: "gemini",
    otherNames: ["google"],
    keys: keys("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"),
    baseUrlVariable: "GEMINI_BASE_URL",
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    apiMode: "gemini",
    defaultModel: "gemini-3.8-flash",
    family: "google",
    priceId: "google",
  },
  {
    slug: "xai",
    otherNames: ["grok", "x-ai"],
    keys: keys("XAI_API_KEY"),
    baseUrlVariable: "XAI_BASE_URL",
    baseUrl: "https://api.x.ai/v1",
    apiMode: "responses",
    defaultModel: "grok-4.6",
    family: "xai",
    priceId: "x-ai",
  },
  {
    slug: "zai",
    otherNames: ["glm", "z-ai", "zhipu"],
    keys: keys("GLM_API_KEY", "ZAI_API_KEY", "Z_AI_API_KEY"),
    baseUrlVariable: "GLM_BASE_URL",
    baseUrl: "https://api.z.ai/api/paas/v4",
    apiMode: "chat_completions",
    defaultModel: "glm-5.3",
    models: ["glm-4.5", "glm-4.5-air", "glm-4.6", "glm-4.7", "glm-5", "glm-5.1", "glm-5.2", "glm-5.3-flash"],
    family: "zai",
    priceId: "zai",
  },
  {
    slug: "kimi",
    otherNames: ["moonshot", "kimi-coding"],
    keys: keys("KIMI_API_KEY", "MOONSHOT_API_KEY"),
    baseUrlVariable: "KIMI_BASE_URL",
    baseUrl: "https://api.moonshot.ai/v1",
    homes: [{ keyPrefix: "sk-kimi-", baseUrl: "https://api.kimi.com/coding" }],
    apiMode: "chat_completions",
    defaultModel: "kimi-k3",
    family: "moonshot",
    priceId: "moonshotai",
  },
  {
    slug: "kimi-cn",
    keys: keys("KIMI_CN_API_KEY"),
    baseUrl: "https://api.moonshot.cn/v1",
    apiMode: "chat_completions",
    defaultModel: "kimi-k3",
    family: "moonshot",
    priceId: "moonshotai",
  },
  {
    slug: "minimax",
    keys: keys("MINIMAX_API_KEY"),
    baseUrlVariable: "MINIMAX_BASE_URL",
    baseUrl: "https://api.minimax.io/anthropic",
    apiMode: "anthropic_messages",
    defaultModel: "MiniMax-M2.7",
    family: "minimax",
    priceId: "minimax",
  },
  {
    slug: "minimax-cn",
    keys: keys("MINIMAX_CN_API_KEY"),
    baseUrlVariable: "MINIMAX_CN_BASE_URL",
    baseUrl: "https://api.minimaxi.com/anthropic",
    apiMode: "anthropic_messages",
    defaultModel: "MiniMax-M2.7",
    family: "minimax",
    priceId: "minimax",
  },
  {
    slug: "deepseek",
    keys: keys("DEEPSEEK_API_KEY"),
    baseUrlVariable: "DEEPSEEK_BASE_URL",
    baseUrl: "https://api.deepseek.com/v1",
    apiMode: "chat_completions",
    defaultModel: "deepseek-v4-pro",
    family: "deepseek",
    priceId: "deepseek",
  },
  {
    slug: "alibaba",
    otherNames: ["dashscope", "qwen"],
    keys: keys("DASHSCOPE_API_KEY"),
    baseUrlVariable: "DASHSCOPE_BASE_URL",
    baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    apiMode: "chat_completions",
    defaultModel: "qwen3.7-plus",
  },
  {
    slug: "mistral",
    keys: keys("MISTRAL_API_KEY"),
    baseUrl: "https://api.mistral.ai/v1",
    apiMode: "chat_completions",
    defaultModel: "mistral-medium-latest",
    family: "mistral",
    priceId: "mistral",
  },
  {
    slug: "groq",
    keys: keys("GROQ_API_KEY"),
    baseUrl: "https://api.groq.com/openai/v1",
    apiMode: "chat_completions",
    defaultModel: "openai/gpt-oss-120b",
    aggregator: true,
    priceId: "groq",
  },
  {
    slug: "together",
    keys: keys("TOGETHER_API_KEY"),
    baseUrl: "https://api.together.xyz/v1",
    apiMode: "chat_completions",
    aggregator: true,
    priceId: "together",
  },
  {
    slug: "fireworks",
    keys: keys("FIREWORKS_API_KEY"),
    baseUrl: "https://api.fireworks.ai/inference/v1",
    apiMode: "chat_completions",
    aggregator: true,
    priceId: "fireworks",
  },
  {
    slug: "cerebras",
    keys: keys("CEREBRAS_API_KEY"),
    baseUrl: "https://api.cerebras.ai/v1",
    apiMode: "chat_completions",
    defaultModel: "gpt-oss-120b",
    priceId: "cerebras",
  },
  {
    slug: "huggingface",
    otherNames: ["hf"],
    keys: keys("HF_TOKEN"),
    baseUrlVariable: "HF_BASE_URL",
    baseUrl: "https://router.huggingface.co/v1",
    apiMode: "chat_completions",
    defaultModel: "openai/gpt-oss-120b",
    aggregator: true,
    openList: {},
  },
  {
    slug: "nvidia",
    keys: keys("NVIDIA_API_KEY"),
    baseUrlVariable: "NVIDIA_BASE_URL",
    baseUrl: "https://integrate.api.nvidia.com/v1",
    apiMode: "chat_completions",
    aggregator: true,
    openList: {},
  },
  {
    slug: "ai-gateway",
    otherNames: ["vercel"],
    keys: keys("AI_GATEWAY_API_KEY"),
    baseUrlVariable: "AI_GATEWAY_BASE_URL",
    baseUrl: "https://ai-gateway.vercel.sh/v1",
    apiMode: "chat_completions",
    aggregator: true,
    openList: { keyPath: "/credits" },
  },
  {
    slug: "opencode-zen",
    otherNames: ["opencode", "zen"],
    keys: keys("OPENCODE_ZEN_API_KEY", "OPENCODE_API_KEY"),
    baseUrlVariable: "OPENCODE_ZEN_BASE_URL",
    baseUrl: "https://opencode.ai/zen/v1",
    apiMode: "chat_completions",
    modelModes: [
      [/^claude-/, "anthropic_messages"],
      [/^gpt-/, "responses"],
      [/^gemini-/, "gemini"],
    ],
    openList: {},
  },
  {
    slug: "kilocode",
    keys: keys("KILOCODE_API_KEY"),
    baseUrlVariable: "KILOCODE_BASE_URL",
    baseUrl: "https://api.kilo.ai/api/gateway",
    apiMode: "chat_completions",
    aggregator: true,
    openList: {},
  },
  {
    slug: "stepfun",
    otherNames: ["step"],
    keys: keys("STEPFUN_API_KEY"),
    baseUrlVariable: "STEPFUN_BASE_URL",
    baseUrl: "https://api.stepfun.ai/step_plan/v1",
    apiMode: "chat_completions",
    defaultModel: "step-3.5-flash",
    family: "stepfun",
  },
  {
    slug: "xiaomi",
    otherNames: ["mimo"],
    keys: keys("XIAOMI_API_KEY"),
    baseUrlVariable: "XIAOMI_BASE_URL",
    baseUrl: "https://api.xiaomimimo.com/v1",
    apiMode: "chat_completions",
    defaultModel: "mimo-v2.5-pro",
    family: "xiaomi",
  },
  {
    slug: "ollama",
    keys: keys("OLLAMA_API_KEY"),
    baseUrlVariable: "OLLAMA_HOST",
    bareHost: { port: 11434, path: "/v1" },
    baseUrl: "http://127.0.0.1:11434/v1",
    apiMode: "chat_completions",
    tags: true,
    aggregator: true,
    keyOptional: true,
  },
  {
    slug: "ollama-cloud",
    keys: keys("OLLAMA_API_KEY"),
    baseUrl: "https://ollama.com/v1",
    apiMode: "chat_completions",
    tags: true,
  },
  {
    slug: "lmstudio",
    keys: keys("LM_API_KEY"),
    baseUrlVariable: "LM_BASE_URL",
    baseUrl: "http://127.0.0.1:1234/v1",
    apiMode: "chat_completions",
    aggregator: true,
    keyOptional: true,
  },
  {
    slug: "vllm",
    keys: [],
    baseUrl: "http://127.0.0.1:8000/v1",
    apiMode: "chat_completions",
    aggregator: true,
    keyOptional: true,
  },
  {
    slug: "llamacpp",
    keys: [],
    baseUrl: "http://127.0.0.1:8080/v1",
    apiMode: "chat_completions",
    aggregator: true,
    keyOptional: true,
  },
  {
    slug: "azure",
    otherNames: ["azure-openai", "azure-foundry"],
    keys: [
      { name: "AZURE_OPENAI_API_KEY" },
      { name: "AZURE_API_KEY" },
      { name: "AZURE_OPENAI_AD_TOKEN", header: "authorization" },
    ],
    keyHeader: "api-key",
    // Tokens of Microsoft Entra ID.
    keyForms: [[/^eyJ/, "authorization"]],
    cloud: AZURE,
    baseUrl: "https://resource.openai.azure.com/openai/v1",
    apiMode: "responses",
    // learn.microsoft.com/azure/ai-foundry/foundry-models: models of other makers are served in chat completions.
    modelModes: [
      [
        /deepseek|llama|mistral|ministral|codestral|phi-|grok|kimi|qwen|cohere|command|jamba|gpt-oss/i,
        "chat_completions",
      ],
    ],
    hasNoList: true,
  },
  {
    slug: "bedrock",
    otherNames: ["amazon-bedrock", "aws-bedrock", "aws"],
    keys: [
      { name: "AWS_BEARER_TOKEN_BEDROCK" },
      {
        name: "AWS_ACCESS_KEY_ID",
        isShared: true,
        document: {
          secrets: { AccessKeyId: "AWS_ACCESS_KEY_ID", SecretAccessKey: "AWS_SECRET_ACCESS_KEY" },
          optionalSecrets: { SessionToken: "AWS_SESSION_TOKEN" },
          settings: { Region: AWS_REGIONS },
        },
      },
    ],
    keyHeader: "authorization",
    cloud: BEDROCK,
    baseUrl: "https://bedrock-runtime.region.amazonaws.com",
    apiMode: "anthropic_messages",
    framing: "converse",
    aggregator: true,
    tags: true,
    priceId: "aws",
    hasNoList: true,
  },
  {
    slug: "vertex",
    otherNames: ["google-vertex", "vertex-ai", "google-vertex-anthropic"],
    keys: [
      { name: "GOOGLE_VERTEX_API_KEY", header: "x-goog-api-key" },
      { name: "GOOGLE_VERTEX_ACCESS_TOKEN" },
      { name: "GOOGLE_APPLICATION_CREDENTIALS", isFile: true, isShared: true },
    ],
    keyHeader: "authorization",
    keyForms: [[/^(AIza|AQ\.)/, "x-goog-api-key"]],
    cloud: VERTEX,
    baseUrl: "https://aiplatform.googleapis.com/v1",
    modelPaths: [
      [/^claude-/, "/publishers/anthropic"],
      [/\//, "/endpoints/openapi"],
      [/^/, "/publishers/google"],
    ],
    apiMode: "gemini",
    modelModes: [
      [/^claude-/, "anthropic_messages"],
      [/\//, "chat_completions"],
    ],
    defaultModel: "gemini-3.8-flash",
    aggregator: true,
    priceId: "google-vertex",
    hasNoList: true,
  },
];

/** Names that other tools know and Deputy does not support yet, each with a replacement. */
export const UNSUPPORTED_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ["copilot", "`openai`, `anthropic` or `openrouter` serve the same models with a key"],
  ["github-copilot", "`openai`, `anthropic` or `openrouter` serve the same models with a key"],
  ["nous", "`openrouter` serves the same models"],
  ["openai-codex", "`openai` with OPENAI_API_KEY serves the same models"],
  ["qwen-oauth", "`alibaba` with DASHSCOPE_API_KEY serves the same models"],
]);

/** Model names by their maker. Open-weight names that many makers' hosts serve (`gpt-oss`, `llama`) have none. */
const FAMILY_NAMES: readonly (readonly [RegExp, ModelFamily | undefined])[] = [
  [/^gpt-oss/, undefined],
  [/^claude-/, "anthropic"],
  [/^(gpt-|chatgpt-|codex-|o[134](-|$))/, "openai"],
  [/^(gemini-|gemma-)/, "google"],
  [/^grok-/, "xai"],
  [/^glm-/, "zai"],
  [/^(kimi-|moonshot-)/, "moonshot"],
  [/^minimax-/, "minimax"],
  [/^deepseek-/, "deepseek"],
  [/^(qwen|qwq)/, "qwen"],
  [/^(mistral-|ministral-|magistral-|codestral|devstral|mixtral-|pixtral-|voxtral-)/, "mistral"],
  [/^step-/, "stepfun"],
  [/^mimo-/, "xiaomi"],
];

/** The maker of a model, by its id; undefined if the id does not say. */
export function familyOf(model: string): ModelFamily | undefined {
  const name = model.toLowerCase().slice(model.lastIndexOf("/") + 1);
  return FAMILY_NAMES.find(([pattern]) => pattern.test(name))?.[1];
}
