/**
 * How vendors and gateways write the name of one model: tables, each row with its source. `served-model.ts` applies
 * them, in order, to names in lower case.
 */

/**
 * Names that are chosen by whoever deployed the model, so that the served one legitimately differs. `host` is where.
 * learn.microsoft.com/azure/ai-foundry, "Deployment types"; docs.aws.amazon.com/bedrock, "Application inference
 * profiles" and "Provisioned Throughput"; docs.fireworks.ai, "On-demand deployments".
 */
export const DEPLOYMENT_NAMES: readonly { host: RegExp; model: RegExp }[] = [
  { host: /\.(openai|cognitiveservices|services\.ai)\.azure\.com$/, model: /./ },
  {
    host: /^/,
    model: /^arn:aws[\w-]*:(bedrock|sagemaker):.*\b(application-inference-profile|provisioned-model|endpoint)\//,
  },
  { host: /^/, model: /^accounts\/[^/]+\/deployments\// },
];

/**
 * Names that leave the model to the service. openrouter.ai/docs, "Auto Router"; learn.microsoft.com, "Model router";
 * lmstudio.ai/docs for `local-model`, which stands for whatever is loaded.
 */
export const ROUTER_NAMES = /^(openrouter\/|model-router(-|$)|(auto|default|local-model)$)/;

/** Other spellings of one name. */
export const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  // docs.fireworks.ai: `accounts/fireworks/models/x#accounts/me/deployments/y`.
  [/#.*$/, ""],
  // huggingface.co/docs/huggingface_hub, "Understand caching": `models--Qwen--Qwen3-32B/snapshots/<commit>`.
  [/^.*\bmodels--[^/\\]+?--([^/\\]+).*$/, "$1"],
  // Vendors and folders: `accounts/fireworks/models/`, `publishers/google/models/`, `@cf/meta/`, `C:\models\`.
  [/[/\\]+$/, ""],
  [/^.*[/\\]/, ""],
  [/^(hf|models):/, ""],
  // github.com/ggml-org/ggml, docs/gguf.md: a file, or one of its parts.
  [/(-\d{5}-of-\d{5})?\.gguf$/, ""],
  // docs.aws.amazon.com/bedrock, "Inference profiles" and "Supported foundation models". DeepSeek's begin midway.
  [/^(us|us-gov|eu|apac|au|ca|jp|sa|global)\.(?=[a-z\d]+\.)/, ""],
  [/^deepseek\.(?!deepseek)/, "deepseek-"],
  [
    /^(ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|writer|zai)\./,
    "",
  ],
  [/-v?(\d+):\d+(:\d+k|:mm)?$/, "-v$1@"],
  // openrouter.ai/docs, "Model variants"; huggingface.co/docs/inference-providers, "Provider selection".
  [/:(free|extended|thinking|online|nitro|floor|exacto|beta|fast|fastest|cheapest|preferred)$/, ""],
  // ollama.com/blog/cloud-models; cloud.google.com/vertex-ai, "Model as a service"; chutes.ai (where it runs).
  [/[-:]cloud$|-maas$|-tee$/, ""],
  // Fireworks writes a dot as `p`: `glm-4p7`. Azure leaves it out: `gpt-35-turbo`.
  [/(?<=\d)p(?=\d)/g, "."],
  [/^gpt-35(?=-|$)/, "gpt-3.5"],
  // huggingface.co/meta-llama: `Meta-Llama-3.1-8B` and `Llama-3.3-70B`.
  [/^meta-llama/, "llama"],
];

/** How exactly the weights are kept. huggingface.co/docs/hub/gguf and /transformers, "Quantization". */
export const QUANTIZATION =
  /(?<=[-_.:@])(ud-)?(i?q\d(_[a-z\d]+)*|(nv|mx)?fp\d+|bf16|f16|int[48]|w\d+a\d+|awq|gptq|[48]bit)(?=$|[-_.:@])/;

/** What files are made for. */
export const CONTAINER = /[-_.](gguf|mlx|safetensors)(?=$|[-_.:@])/g;

/** Stages before a release. ai.google.dev/gemini-api/docs/models, "Model version name patterns". */
export const STAGE = /(?<=[-_])(preview|exp|experimental|beta)(?=$|[-_:@])/g;

/** The vendor decides which version this is. docs.mistral.ai; docs.claude.com, "Model aliases"; Vertex: `@default`. */
export const LATEST = /[-_:@](latest|default)(?=$|[-_:@])/;

/** ai.google.dev: `gemini-2.0-flash-001`. Bedrock and Vertex: `-v2` before a revision or a date. */
export const RELEASE = /-(00\d)(?=$|[-:@])|-v(\d+)(?=@)/;

/** Tags of Ollama's that name other weights, where most words after a colon name a route. ollama.com/library/llama3/tags */
export const TRAINED_AS = /^(base|chat|code|instruct|text|vision)$/;

export type PartialDate = { year?: number; month?: number; day?: number };

/** Dates as vendors write them, the longest first, and how their numbers can be read. */
export const DATES: readonly (readonly [RegExp, (...numbers: number[]) => PartialDate[]])[] = [
  [/(20\d\d)-?(\d\d)-?(\d\d)/, (year = 0, month = 0, day = 0) => [{ year, month, day }]],
  // ByteDance: `doubao-seed-1-6-250615`.
  [/([23]\d)(\d\d)(\d\d)/, (year = 0, month = 0, day = 0) => [{ year: 2000 + year, month, day }]],
  // Cohere: `command-r-08-2024`.
  [/(\d\d)-(20\d\d)/, (month = 0, year = 0) => [{ year, month }]],
  [/(20\d\d)-(\d\d)/, (year = 0, month = 0) => [{ year, month }]],
  // Mistral and Qwen: `-2507`. OpenAI, xAI, Moonshot and DeepSeek: `-0905`.
  [
    /(\d\d)(\d\d)/,
    (first = 0, second = 0) => [
      { year: 2000 + first, month: second },
      { month: first, day: second },
    ],
  ],
  // Google: `-preview-05-06`. OpenRouter: `-07-25` for Qwen's `-2507`.
  [
    /([01]\d)-(\d\d)/,
    (month = 0, second = 0) => [
      { month, day: second },
      { year: 2000 + second, month },
    ],
  ],
];
