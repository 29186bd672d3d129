/** Error responses of vendors, gateways and local servers, by the kind of failure that each means. */
import type { FailureKind } from "../../src/errors.ts";

/** In the form that most vendors share. */
export const errorBody = (message: string, more: object = {}) => ({ error: { message, ...more } });

type ErrorResponse = [who: string, status: number, body: unknown];

export const ERROR_RESPONSES: Partial<Record<FailureKind, ErrorResponse[]>> = {
  "context-overflow": [
    ["OpenAI, by code", 400, errorBody("Too much.", { code: "context_length_exceeded" })],
    ["OpenAI", 400, errorBody("Your input exceeds the context window of this model. Please adjust your input.")],
    ["OpenAI's limit of a model", 400, errorBody("Input tokens exceed the configured limit of 272000 tokens.")],
    [
      "OpenAI's limit of a field",
      400,
      errorBody("Invalid 'messages[1].content': string too long.", {
        type: "invalid_request_error",
        param: "messages[1].content",
        code: "string_above_max_length",
      }),
    ],
    [
      "Azure",
      400,
      errorBody(
        "This model's maximum context length is 16385 tokens. However, your messages resulted in 20000 tokens.",
      ),
    ],
    ["Anthropic", 400, { type: "error", ...errorBody("prompt is too long: 213462 tokens > 200000 maximum") }],
    ["Anthropic, in bytes", 413, { type: "error", ...errorBody("Request exceeds the maximum size") }],
    [
      "Anthropic, with the output",
      400,
      errorBody("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
    ],
    ["Gemini, by the input", 400, errorBody("Input token count exceeds the maximum number of input tokens.")],
    [
      "Vertex",
      400,
      errorBody(
        "Unable to submit request because the input token count is 1200000 but the model only supports up to 1048576.",
      ),
    ],
    [
      "Bedrock's Titan",
      400,
      { message: "Too many input tokens. Max input tokens: 8192, request input token count: 9279" },
    ],
    ["Cerebras", 400, { message: "Current length is 9000 while limit is 8192", code: "context_length_exceeded" }],
    ["Cerebras, without its code", 400, { message: "Current length is 9000 while limit is 8192" }],
    ["Volcengine", 400, errorBody("Total tokens of image and text exceed max message tokens")],
    ["Volcengine, by the message", 400, errorBody("Total message token length exceed model limit")],
    [
      "llama.cpp's batch",
      500,
      errorBody("input (9000 tokens) is too large to process. increase the physical batch size"),
    ],
    ["TensorRT-LLM", 400, errorBody("Prompt length (9000) exceeds maximum input length (8192).")],
    ["a server that counts the request", 400, errorBody("The prompt has 9000 tokens, which exceeds the limit of 8192")],
    ["a server that counts a sequence", 400, errorBody("Sequence length 9000 is larger than the maximum 8192")],
    [
      "a gateway with the model's limit",
      400,
      errorBody("The request would exceed the model's maximum context limit of 4096"),
    ],
    [
      "Gemini",
      400,
      [
        errorBody("The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).", {
          code: 400,
        }),
      ],
    ],
    ["Bedrock", 400, { message: "Input is too long for requested model." }],
    ["Bedrock's older models", 400, { message: "Malformed input request: expected maxLength: 50000, actual: 61000" }],
    [
      "Mistral",
      400,
      {
        object: "error",
        message: "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
      },
    ],
    [
      "xAI",
      400,
      { code: "x", error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens." },
    ],
    ["Groq", 400, errorBody("Please reduce the length of the messages or completion.")],
    ["Cerebras, without a body", 413, ""],
    [
      "Together",
      422,
      errorBody("The input (516368 tokens) is longer than the model's context length (262144 tokens)."),
    ],
    [
      "Together, as a 403",
      403,
      errorBody("Input token count + max_tokens parameter must be less than the context length of the model."),
    ],
    ["Fireworks", 400, errorBody("The prompt is too long: 140000, model maximum context length: 131071")],
    [
      "OpenRouter",
      400,
      errorBody("This endpoint's maximum context length is 131072 tokens. However, you requested about 150000 tokens."),
    ],
    [
      "OpenRouter, for its provider",
      400,
      errorBody("Provider returned error", {
        metadata: {
          raw: '{"message":"Input length 131393 exceeds the maximum allowed input length of 131040 tokens."}',
        },
      }),
    ],
    ["Kimi", 400, errorBody("Invalid request: Your request exceeded model token limit: 262144 (requested: 269030)")],
    ["Kimi, the input alone", 400, errorBody("Input token length too long")],
    ["Z.AI", 400, errorBody("Prompt exceeds max length", { code: "1261" })],
    ["Z.AI in Chinese", 400, errorBody("Prompt 超长", { code: "1261" })],
    ["MiniMax", 400, errorBody("invalid params, context window exceeds limit (2013)")],
    ["Baidu", 400, errorBody("Prompt tokens too long", { code: "tokens_too_long" })],
    ["Baidu in characters", 400, errorBody("the max input characters is 20000", { code: "characters_too_long" })],
    [
      "Alibaba",
      400,
      errorBody("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 983616]"),
    ],
    [
      "Cohere",
      400,
      { message: "too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer inputs." },
    ],
    [
      "vLLM",
      400,
      {
        object: "error",
        message: "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        code: 400,
      },
    ],
    [
      "SGLang",
      400,
      {
        object: "error",
        message: "Requested token count exceeds the model's maximum context length of 131072 tokens.",
      },
    ],
    [
      "SGLang's input",
      400,
      { message: "Input length (265330) exceeds model's maximum context length (262144).", code: 400 },
    ],
    [
      "TGI",
      422,
      {
        error: "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000",
        error_type: "validation",
      },
    ],
    [
      "llama.cpp",
      400,
      errorBody("request (124071 tokens) exceeds the available context size (123904 tokens), try increasing it"),
    ],
    [
      "llama.cpp, as a 500",
      500,
      errorBody("the request exceeds the available context size, try increasing it", { type: "server_error" }),
    ],
    [
      "LM Studio",
      400,
      {
        error:
          "Trying to keep the first 9000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
      },
    ],
    [
      "LM Studio's older words",
      400,
      { error: "The number of tokens to keep from the initial prompt is greater than the context length" },
    ],
    ["Ollama", 400, errorBody("prompt too long; exceeded max context length by 12 tokens")],
    [
      "Copilot",
      400,
      errorBody("prompt token count of 200000 exceeds the limit of 128000", {
        code: "model_max_prompt_tokens_exceeded",
      }),
    ],
    [
      "GitHub Models",
      413,
      errorBody("Request body too large for gpt-4o model. Max size: 8000 tokens.", { code: "tokens_limit_reached" }),
    ],
    [
      "OpenAI, for more than a minute's allowance",
      429,
      errorBody("Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 342389.", {
        code: "rate_limit_exceeded",
      }),
    ],
    [
      "Groq, for more than a minute's allowance",
      413,
      errorBody("Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000"),
    ],
    [
      "a gateway's own words for that",
      429,
      errorBody("Tokens per minute: limit 6,000, used 0, requested 9,000. Try again in 3s."),
    ],
  ],
  "quota-exhausted": [
    ["Cloudflare", 429, { errors: [{ message: "you have used up your daily free allocation of 10,000 neurons" }] }],
    [
      "OpenAI",
      429,
      errorBody("You exceeded your current quota, please check your plan and billing details.", {
        code: "insufficient_quota",
      }),
    ],
    [
      "OpenAI's limit of money",
      400,
      errorBody("Billing hard limit has been reached", { code: "billing_hard_limit_reached" }),
    ],
    [
      "OpenAI's requests per day",
      429,
      errorBody(
        "Rate limit reached for gpt-4o on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.",
      ),
    ],
    [
      "Groq's tokens per day",
      429,
      errorBody(
        "Rate limit reached for model `x` on tokens per day (TPD): Limit 100000, Used 99552, Requested 1533. Please try again in 15m37.44s. Need more tokens? Upgrade at https://console.groq.com/settings/billing",
      ),
    ],
    [
      "Cerebras",
      429,
      { message: "Tokens per day limit exceeded - too many tokens processed.", code: "token_quota_exceeded" },
    ],
    ["Anthropic", 400, errorBody("Your credit balance is too low to access the Anthropic API.")],
    [
      "Anthropic's limit of a month",
      400,
      errorBody("You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."),
    ],
    [
      "ChatGPT",
      429,
      errorBody("The usage limit has been reached", { type: "usage_limit_reached", resets_in_seconds: 9000 }),
    ],
    ["a gateway's requests a day", 429, errorBody("The limit of 200 requests a day is reached")],
    ["a gateway's requests in 24 hours", 429, errorBody("Rate limit reached: 100 requests per 24 hours")],
    ["a gateway's day in short", 429, errorBody("RPD limit reached")],
    [
      "Gemini, in words",
      429,
      errorBody("RESOURCE_EXHAUSTED: quota GenerateRequestsPerDayPerProjectPerModel exceeded. Please retry in 37s."),
    ],
    ["DeepSeek", 402, errorBody("Insufficient Balance")],
    [
      "Moonshot",
      429,
      errorBody("Your account is suspended, please check your plan", { type: "exceeded_current_quota_error" }),
    ],
    ["Kimi for coding", 403, errorBody("You've reached your usage limit for this billing cycle.")],
    ["Z.AI's balance", 429, errorBody("Insufficient balance or no resource package.", { code: "1113" })],
    ["Z.AI's balance in Chinese", 429, errorBody("您的账户已欠费,请充值后重试", { code: "1113" })],
    ["Z.AI's window", 429, errorBody("Usage limit reached for 5 hour. Your limit will reset later", { code: "1308" })],
    ["Z.AI's day in Chinese", 429, errorBody("该 API 已达今日调用次数限额", { code: "1304" })],
    [
      "MiniMax",
      429,
      { type: "error", error: { message: "insufficient balance (1008)", type: "insufficient_balance_error" } },
    ],
    ["MiniMax, as a 500", 500, { type: "error", error: { type: "api_error", message: "insufficient balance (1008)" } }],
    [
      "MiniMax's plan",
      429,
      {
        type: "error",
        error: {
          type: "rate_limit_error",
          message: "5-hour limit reached for Token Plan, resets at 2026-11-21T15:00:00Z (2056)",
        },
      },
    ],
    ["xAI", 429, { error: "Your team has either used all available credits or reached its monthly spending limit." }],
    ["xAI, as a 403", 403, "Your team has either used all available credits or reached its monthly spending limit."],
    ["OpenRouter", 402, errorBody("This request requires more credits, or fewer max_tokens.")],
    [
      "OpenRouter's free models",
      429,
      errorBody("Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"),
    ],
    ["OpenCode", 401, { type: "error", error: { type: "CreditsError", message: "Insufficient balance." } }],
    [
      "Alibaba",
      400,
      { code: "Arrearage", message: "Access denied, please make sure your account is in good standing." },
    ],
    [
      "Alibaba's free allowance, with the same link",
      403,
      errorBody("Free allocated quota exceeded. For details, see: …/model-studio/error-code#token-limit"),
    ],
    [
      "Alibaba's free tier",
      403,
      errorBody("The free tier of the model has been exhausted.", { code: "AllocationQuota.FreeTierOnly" }),
    ],
    ["SiliconFlow", 403, { code: 30001, message: "Sorry, your account balance is insufficient" }],
    ["Volcengine", 403, errorBody("The account has an overdue balance", { code: "AccountOverdueError" })],
    ["new-api", 403, errorBody("用户额度不足", { code: "insufficient_user_quota" })],
    ["Hugging Face", 402, { error: "You have exceeded your monthly included credits for Inference Providers." }],
    ["Cohere's trial", 429, { message: "You are using a Trial key, which is limited to 1000 API calls / month." }],
    [
      "GitHub Models",
      429,
      errorBody(
        "Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 42000 seconds before retrying.",
      ),
    ],
    ["Baidu", 400, { error_code: 17, error_msg: "Open api daily request limit reached" }],
    ["Baidu's allowance in all", 400, { error_code: 19, error_msg: "Open api total request limit reached" }],
    [
      "Gemini's day, with a wait that is none",
      429,
      [
        errorBody("You exceeded your current quota.", {
          status: "RESOURCE_EXHAUSTED",
          details: [
            { violations: [{ quotaId: "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }] },
            { retryDelay: "34s" },
          ],
        }),
      ],
    ],
  ],
  refused: [
    ["DeepSeek", 400, errorBody("Content Exists Risk", { type: "invalid_request_error" })],
    ["OpenAI, for security", 400, errorBody("This request was flagged.", { code: "cyber_policy" })],
    [
      "Azure",
      400,
      errorBody("The response was filtered.", {
        code: "content_filter",
        innererror: { code: "ResponsibleAIPolicyViolation" },
      }),
    ],
    [
      "OpenAI",
      400,
      errorBody("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", {
        code: "invalid_prompt",
      }),
    ],
    ["Anthropic", 400, errorBody("Output blocked by content filtering policy")],
    [
      "xAI",
      403,
      { code: "permission-denied", error: "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO" },
    ],
    ["OpenRouter", 403, errorBody('Your chosen model requires moderation and your input was flagged for "violence".')],
    [
      "Alibaba",
      400,
      { code: "DataInspectionFailed", message: "Input or output data may contain inappropriate content." },
    ],
    ["Z.AI", 400, errorBody("系统检测到输入或生成内容可能包含不安全或敏感内容", { code: "1301" })],
    ["MiniMax's input", 422, { type: "error", error: { message: "input new_sensitive (1026)" } }],
    [
      "Kimi",
      400,
      errorBody("The request was rejected because it was considered high risk", { type: "content_filter" }),
    ],
    ["Volcengine", 400, errorBody("The request failed.", { code: "InputTextSensitiveContentDetected" })],
    ["StepFun", 451, errorBody("censorship_blocked")],
    ["Bedrock", 400, { message: "The request was blocked by a guardrail." }],
  ],
  "rate-limited": [
    [
      "OpenAI",
      429,
      errorBody(
        "Rate limit reached for gpt-4o-mini on tokens per min (TPM): Limit 200000, Used 195663, Requested 7592. Please try again in 976ms. Visit https://platform.openai.com/account/billing",
        { code: "rate_limit_exceeded" },
      ),
    ],
    [
      "Anthropic",
      429,
      errorBody(
        "This request would exceed your organization's rate limit of 30,000 input tokens per minute. Please reduce the prompt length or the maximum tokens requested.",
      ),
    ],
    [
      "Groq, which offers a plan",
      429,
      errorBody(
        "Rate limit reached on requests per minute (RPM): Limit 30, Used 30, Requested 1. Upgrade to Dev Tier for 1000 requests per day.",
      ),
    ],
    ["a gateway, which names a price", 429, errorBody("Rate limit exceeded. Upgrade to Pro for $20/month.")],
    [
      "Gemini",
      429,
      errorBody("You exceeded your current quota, please check your plan. Please retry in 34.4s.", {
        status: "RESOURCE_EXHAUSTED",
        details: [{ violations: [{ quotaId: "GenerateRequestsPerMinutePerProjectPerModel-FreeTier" }] }],
      }),
    ],
    [
      "Gemini, without details",
      429,
      errorBody("You exceeded your current quota. Please retry in 34.4s.", { status: "RESOURCE_EXHAUSTED" }),
    ],
    [
      "Gemini's capacity, soon back",
      429,
      errorBody("You have exhausted your capacity on this model. Your quota will reset after 2s."),
    ],
    [
      "Azure",
      429,
      errorBody(
        "Requests to the API have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 26 seconds.",
      ),
    ],
    ["Bedrock", 400, { __type: "ThrottlingException", message: "Too many tokens, please wait before trying again." }],
    ["OpenRouter's free models", 429, errorBody("Rate limit exceeded: free-models-per-min.")],
    [
      "Kimi",
      429,
      errorBody("Your account has reached max organization concurrency", { type: "rate_limit_reached_error" }),
    ],
    ["Z.AI", 429, errorBody("Too many concurrent requests", { code: "1302" })],
    ["Baidu", 400, { error_code: 18, error_msg: "Open api qps request limit reached" }],
    ["Baidu's servers", 400, { error_code: 4, error_msg: "Open api request limit reached" }],
    ["Cohere's trial", 429, { message: "You are using a Trial key, which is limited to 10 API calls / minute." }],
    [
      "Alibaba",
      429,
      { code: "Throttling.AllocationQuota", message: "Allocated quota exceeded, please increase your quota limit." },
    ],
    [
      "Alibaba's tokens of a minute, in OpenAI's words",
      429,
      {
        ...errorBody(
          "You exceeded your current quota, please check your plan and billing details. For details, see: https://help.aliyun.com/zh/model-studio/error-code#token-limit",
          { type: "insufficient_quota", param: null, code: "insufficient_quota" },
        ),
        request_id: "57553be3",
      },
    ],
    [
      "Alibaba's requests of a minute",
      429,
      errorBody(
        "You have exceeded your current request limit. For details, see: …/model-studio/error-code#rate-limit",
        {
          type: "limit_requests",
          code: "limit_requests",
        },
      ),
    ],
    ["GitHub", 403, { message: "You have exceeded a secondary rate limit." }],
    ["nobody in particular", 429, ""],
  ],
  unauthorized: [
    [
      "xAI's words for a wrong key",
      400,
      { code: "x", error: "Incorrect API key provided: xa***. You can obtain a key at https://console.x.ai." },
    ],
    [
      "Gemini's words for a wrong key",
      400,
      errorBody("API key not valid. Please pass a valid API key.", { status: "INVALID_ARGUMENT" }),
    ],
    ["xAI's team that may not", 403, { error: "Your API key/team is blocked." }],
    ["anyone", 401, errorBody("Please check your billing address or your key")],
  ],
  "invalid-request": [
    [
      "OpenAI's tool id that is too long",
      400,
      errorBody("Invalid 'messages[3].tool_calls[0].id': string too long. Expected a string with maximum length 40.", {
        type: "invalid_request_error",
        param: "messages[3].tool_calls[0].id",
        code: "string_above_max_length",
      }),
    ],
    [
      "Groq's limit of max_tokens",
      400,
      errorBody(
        "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model",
      ),
    ],
    [
      "OpenAI's limit of max_tokens",
      400,
      errorBody("max_tokens is too large: 32000. This model supports at most 16384 completion tokens."),
    ],
    ["Alibaba's limit of max_tokens", 400, errorBody("Range of max_tokens should be [1, 8192]")],
    ["a schema that is violated", 400, errorBody("Request violates the schema: top_k exceeds the maximum of 40")],
    ["too many output tokens", 400, errorBody("Number of output tokens exceeds maximum of 8192")],
    ["max_tokens above its limit", 400, errorBody("max_tokens exceeds the limit of 8192")],
    ["MiniMax", 200, { base_resp: { status_code: 2013, status_msg: "invalid params" } }],
    ["an image that is too large", 400, errorBody("The input image exceeds the limit of 20 MB")],
    ["a model that is missing", 404, errorBody("The model `x` does not exist or you do not have access to it.")],
    [
      "a validator that repeats the prompt",
      422,
      {
        detail: [
          {
            msg: "Extra inputs are not permitted",
            input: "insufficient balance, context length exceeded, requests per day",
          },
        ],
      },
    ],
    [
      "a server that repeats the model's output",
      400,
      errorBody("Failed to call a function.", {
        code: "tool_use_failed",
        failed_generation: "the daily limit, content_filter",
      }),
    ],
  ],
  overloaded: [
    ["Anthropic", 529, errorBody("Overloaded", { type: "overloaded_error" })],
    ["Groq's flex tier", 498, errorBody("Flex tier capacity exceeded")],
    ["a proxy", 502, "upstream connect error or disconnect/reset before headers"],
  ],
};
