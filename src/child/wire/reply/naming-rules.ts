/**
 * How vendors and gateways write the name of one model: tables, each row with its source. `served-model.ts` applies
 * them, in order, to names in lower case.
 */

type DeploymentNames = {
  /** The provider, where its address does not tell, as behind a gateway. Default: any. */
  provider?: string;
  /** Host and path. */
  at: RegExp;
  model: RegExp;
};

/**
 * Names that are chosen by whoever deployed the model, so that the served one legitimately differs.
 * learn.microsoft.com/azure/ai-foundry, "Deployment types"; docs.aws.amazon.com/bedrock, "Application inference
 * profiles" and "Provisioned Throughput"; docs.fireworks.ai, "On-demand deployments"; cloud.google.com/vertex-ai,
 * "Deploy a model to an endpoint".
 */
export const DEPLOYMENT_NAMES: readonly DeploymentNames[] = [
  { at: /^[^/]+\.(openai|cognitiveservices|services\.ai)\.azure\.com\//, model: /./ },
  { at: /\/openai\/deployments\//, model: /./ },
  { provider: "azure", at: /^/, model: /./ },
  {
    at: /^/,
    model: /^arn:aws[\w-]*:(bedrock|sagemaker):.*\b(application-inference-profile|provisioned-model|endpoint)\//,
  },
  { at: /^/, model: /^accounts\/[^/]+\/deployments\// },
  { at: /^/, model: /^projects\/[^/]+\/locations\/[^/]+\/endpoints\// },
];

/**
 * Names that leave the model to the service. openrouter.ai/docs, "Auto Router"; learn.microsoft.com, "Model router";
 * lmstudio.ai/docs for `local-model` and huggingface.co/docs/text-generation-inference, "Messages API", for `tgi`, which
 * stand for whatever is loaded.
 */
export const ROUTER_NAMES = /^(openrouter\/|model-router(-|$)|(auto|default|local-model|tgi)$)/;

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
  // docs.databricks.com, "Supported foundation models"; inference-docs.cerebras.ai, "Supported Models".
  [/^databricks-(?=meta-llama|llama|claude|gpt|gemini|gemma|qwen)/, ""],
  [/^zai-(?=glm)/, ""],
  // huggingface.co/bartowski: a file is named `google_gemma-3-27b-it-Q4_K_M.gguf`.
  [/^(deepseek-ai|google|meta-llama|microsoft|mistralai|nvidia|openai|qwen|zai-org)_/, ""],
  // huggingface.co/meta-llama: `Meta-Llama-3.1-8B` and `Llama-3.3-70B`.
  [/^meta-llama/, "llama"],
  // llama.com/docs, "Llama 4": one size each, which OpenRouter leaves out.
  [/(?<=^llama-4-(scout|maverick))-17b-(16|128)e/, ""],
  // console.groq.com/docs/models: `llama-3.3-70b-versatile` is Llama-3.3-70B-Instruct.
  [/(?<=^llama-[\d.]+-\d+b)-(versatile|instant)(?=$|[-:@])/, "-instruct"],
  // docs.together.ai/docs/serverless-models: "Turbo" is quantized to FP8 and "Lite" to INT4, as is Turbo at
  // deepinfra.com/models. Of other vendors they are other models: `gpt-4-turbo`, `qwen-turbo`, `gemini-2.5-flash-lite`.
  [/(?<=-instruct)-turbo(-free)?(?=$|[-:@])/, "-fp8"],
  [/(?<=-instruct)-lite(?=$|[-:@])/, "-int4"],
  // docs.together.ai: throughput. developers.cloudflare.com/workers-ai/models: `-fp8-fast`.
  [/(-tput|(?<=-fp8)-fast)(?=$|[-:@])/, ""],
  // huggingface.co/RedHatAI and /unsloth: how the weights were quantized.
  [/(?<=-fp8)-(dynamic|block)(?=$|[-:@])/, ""],
  [/-quantized\.(?=w\d)|(-unsloth)?-bnb-(?=[48]bit)/, "-"],
];

/** How exactly the weights are kept. huggingface.co/docs/hub/gguf and /transformers, "Quantization". */
export const QUANTIZATION =
  /(?<=[-_.:@])(ud-)?(i?q\d(_[a-z\d]+)*|(nv|mx)?fp\d+|bf16|f16|int[48]|w\d+a\d+|awq|gptq|[48]bit)(?=$|[-_.:@])/;

/** What files are made for. */
export const CONTAINER = /[-_.](gguf|hf|mlx|safetensors)(?=$|[-_.:@])/g;

/** Stages before a release. ai.google.dev/gemini-api/docs/models, "Model version name patterns". */
export const STAGE = /(?<=[-_])(preview|exp|experimental|beta)(?=$|[-_:@])/g;

/** The vendor decides which version this is. docs.mistral.ai; docs.claude.com, "Model aliases"; Vertex: `@default`. */
export const LATEST = /[-_:@](latest|default)(?=$|[-_:@])/;

/** ai.google.dev: `gemini-2.0-flash-001`. Bedrock and Vertex: `-v2` before a revision or a date. */
export const RELEASE = /-(00\d)(?=$|[-:@])|-v(\d+)(?=@)/;

/** Tags of Ollama's that name other weights, where most words after a colon name a route. ollama.com/library/llama3/tags */
export const TRAINED_AS = /^(base|chat|code|instruct|text|vision)$/;

/** Words of a model that was trained to follow instructions. Hosts of chat models leave them out. */
export const CHAT_WORD = /^(instruct|it|chat)$/;

/** There they name another model: platform.openai.com/docs/models has `gpt-5` and `gpt-5-chat-latest`. */
export const CHAT_IS_ANOTHER = /^(chat)?gpt-(?!oss)/;

/**
 * Labs whose name without such a word is the base model; others write `-Base` or `-pt`, or publish none.
 * huggingface.co/meta-llama, /Qwen, /mistralai and /google. Hosts write names of their own in small letters:
 * `llama3.1-8b` is Cerebras's name for Llama-3.1-8B-Instruct.
 */
export const UNMARKED_BASE =
  /(^|[/_])((Meta-)?Llama-(2|3(\.[12])?|4)-|Qwen(1\.5|2(\.5)?)-|Mistral-7B|Mixtral-8x)|^google\/gemma-(2-)?\d+b/;

/** Active parameters, which follow from the size: huggingface.co/Qwen has `Qwen3-235B-A22B`, ollama.com `qwen3:235b`. */
export const ACTIVE_SIZE = /^a\d+(\.\d+)?b$/;

export type PartialDate = { year?: number; month?: number; day?: number };

/** Dates as vendors write them, the longest first, and how their numbers can be read. */
export const DATES: readonly (readonly [RegExp, (...numbers: number[]) => PartialDate[]])[] = [
  [/(20\d\d)-?(\d\d)-?(\d\d)/, (year = 0, month = 0, day = 0) => [{ year, month, day }]],
  // ByteDance: `doubao-seed-1-6-250615`.
  [/([23]\d)(\d\d)(\d\d)/, (year = 0, month = 0, day = 0) => [{ year: 2000 + year, month, day }]],
  // Databricks: `meta-llama-3.3-70b-instruct-121024`.
  [/([01]\d)(\d\d)([23]\d)/, (month = 0, day = 0, year = 0) => [{ year: 2000 + year, month, day }]],
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
