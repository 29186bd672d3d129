/**
 * The words and codes with which providers say why a request failed, and what each means. The first row that matches
 * counts: what is specific stands before what is general. The text is in lower case, its JSON in one line without blanks
 * between the fields. No pattern may need more than linear time: gaps between words are bounded.
 */
import type { ProviderFailureKind } from "../../../errors.ts";

export type FailureWording = {
  says: RegExp;
  means: ProviderFailureKind;
  /** Who says it. */
  of: string;
  /** Where it is documented or reported. */
  source: string;
  /** A further condition on what was found. */
  where?: (found: RegExpExecArray) => boolean;
  /** For people, where the words of the kind would be wrong. */
  advice?: string;
};

const OPENAI = "https://platform.openai.com/docs/guides/error-codes";
const AZURE = "https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/content-filter";
const ANTHROPIC = "https://docs.anthropic.com/en/api/errors";
const GEMINI = "https://ai.google.dev/gemini-api/docs/api-errors";
const GEMINI_QUOTA = "google-gemini/gemini-cli: packages/core/src/utils/googleQuotaErrors.ts";
const BEDROCK = "https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html";
const XAI = "https://docs.x.ai/docs/key-information/debugging";
const GROQ = "https://console.groq.com/docs/rate-limits";
const TOGETHER = "https://docs.together.ai/docs/error-codes";
const OPENROUTER = "https://openrouter.ai/docs/api-reference/errors";
const KIMI = "https://platform.kimi.ai/docs/api/errors";
const KIMI_CODE = "https://www.kimi.com/code/docs/en/kimi-code/error-reference.html";
const ZAI = "https://docs.bigmodel.cn/cn/api/api-code";
const MINIMAX = "https://platform.minimax.io/docs/api-reference/errorcode.md";
const DASHSCOPE = "https://www.alibabacloud.com/help/en/model-studio/error-code";
const DASHSCOPE_RATES = "https://www.alibabacloud.com/help/en/model-studio/rate-limit";
const ARK = "https://www.volcengine.com/docs/82379/1299023";
const ARK_CONTENT = "https://www.volcengine.com/docs/82379/1099476";
const BAIDU = "https://cloud.baidu.com/doc/WENXINWORKSHOP/s/tlmyncueh";
const BAIDU_CHAT = "https://cloud.baidu.com/doc/qianfan-api/s/Om9b4yj3w";
const GITHUB_MODELS = "https://docs.github.com/en/github-models/prototyping-with-ai-models#rate-limits";
const COHERE = "https://docs.cohere.com/reference/errors";
const OVERFLOW_LIST = "earendil-works/pi: packages/ai/src/utils/overflow.ts";
const LM_STUDIO = "lmstudio-ai/lmstudio-bug-tracker#237";
const CLOUDFLARE =
  "https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-1xxx-errors/";
const GATEWAYS = "QuantumNous/new-api: insufficient_user_quota";

function row(
  says: RegExp,
  means: ProviderFailureKind,
  of: string,
  source: string,
  more: Pick<FailureWording, "where" | "advice"> = {},
): FailureWording {
  return { says, means, of, source, ...more };
}

const TOO_LARGE_FOR_A_MINUTE =
  "does not allow a request of this size: shorten the task, raise the limit with the provider, or choose another model";
const amount = (digits = "") => Number(digits.replaceAll(",", ""));

/** A request that is larger than the whole allowance never passes, whatever it waits for. */
const NEVER_FITS = [
  row(/request too large/, "context-overflow", "OpenAI, Groq", GROQ, { advice: TOO_LARGE_FOR_A_MINUTE }),
  row(/\blimit:? ?([\d,]+)[^.]{0,60}\brequested:? ?([\d,]+)/, "context-overflow", "OpenAI, Groq", GROQ, {
    where: ([, limit, requested]) => amount(requested) > amount(limit),
    advice: TOO_LARGE_FOR_A_MINUTE,
  }),
  row(/tokens_limit_reached/, "context-overflow", "GitHub Models", "eslint/tsc-meetings#593", {
    advice: TOO_LARGE_FOR_A_MINUTE,
  }),
];

/** An allowance of hours, days or a billing period that is used up. */
const LONG_ALLOWANCES = [
  row(
    /"quota(?:id|_?limit)":"[^"]{0,200}(?:perday|daily)|(?:requests|tokens|count)perday/,
    "quota-exhausted",
    "Gemini",
    GEMINI_QUOTA,
  ),
  row(/"quota(?:id|_?limit)":"[^"]{0,200}perminute/, "rate-limited", "Gemini", GEMINI_QUOTA),
  row(/"reason":"(?:quota_exhausted|insufficient_g1_credits_balance)"/, "quota-exhausted", "Gemini", GEMINI_QUOTA),
  row(
    /\((?:rpd|tpd)\)|per[ -]day\b[^.]{0,20}\b(?:limit )?(?:exceeded|reached)/,
    "quota-exhausted",
    "OpenAI, Groq",
    GROQ,
  ),
  row(/free-models-per-day/, "quota-exhausted", "OpenRouter", OPENROUTER),
  row(/byday\b|per 86400 ?s\b/, "quota-exhausted", "GitHub Models", GITHUB_MODELS),
  row(
    /free-models-per-min|byminute\b|per 60 ?s\b|per[ _-]?min(?:ute)?\b|\/ ?min(?:ute)?\b|perminute|\((?:rpm|tpm|itpm|otpm)\)/,
    "rate-limited",
    "all",
    OPENAI,
  ),
  row(
    /(?:per|each)[ _-]?(?:day|week|month)\b|(?:calls|requests|tokens|messages|limit: \d{1,9}) ?\/ ?(?:day|week|month)\b|\b(?:daily|weekly|monthly)[ _-](?:[a-z]+[ _-]){0,3}(?:limit|quota|allowance|cap|usage|credits|requests|tokens|budget)/,
    "quota-exhausted",
    "all",
    COHERE,
  ),
  row(
    /\b(?:limit|quota|allowance|usage|requests|tokens)\b[^.]{0,40}\bfor (?:today|the day|this (?:day|week|month|period|billing))/,
    "quota-exhausted",
    "all",
    KIMI_CODE,
  ),
  row(
    /\b\d+[ -]?(?:h|hour|day)s?\b[^.]{0,30}\b(?:window|limit|quota|usage|allowance)|(?:rolling|per|every) \d+[ -]?(?:h|hour|day)s?\b|\b(?:rpd|tpd)\b|(?:requests|tokens|messages|calls) a day\b|resets? daily/,
    "quota-exhausted",
    "xAI, MiniMax, Z.AI",
    "diegosouzapw/OmniRoute#13984, MiniMax-AI/MiniMax-M2.7#36",
  ),
  row(/billing[ _-](?:cycle|period)|(?:usage|limit)[^.]{0,30}\bfor this period/, "quota-exhausted", "Kimi", KIMI_CODE),
  row(
    /free[ _-](?:usage|tier|quota)[^.]{0,40}\bexhausted|included free usage/,
    "quota-exhausted",
    "xAI, Alibaba",
    DASHSCOPE,
  ),
  row(
    /usage[ _]limit|usage_limit_reached|specified api usage limits/,
    "quota-exhausted",
    "OpenAI, Anthropic",
    ANTHROPIC,
  ),
  row(
    /(?:daily|weekly|monthly) free allocation/,
    "quota-exhausted",
    "Cloudflare",
    "https://developers.cloudflare.com/workers-ai/platform/pricing/",
  ),
  row(/premium request(?:s| allowance| limit)|"code":"quota_exceeded"/, "quota-exhausted", "Copilot, Gemini", GEMINI),
  row(/"(?:code|type)":"?(?:1304|1308|1309|1310)\b/, "quota-exhausted", "Z.AI", ZAI),
  row(/(?:status_code":"?|\()2056\b/, "quota-exhausted", "MiniMax", "MiniMax-AI/MiniMax-M2.7#36"),
  row(/"error_code":"?(?:17|19)\b/, "quota-exhausted", "Baidu", BAIDU),
  row(/今日|每日|每周|每月|使用上限/, "quota-exhausted", "Z.AI and others, in Chinese", ZAI),
  row(/"retrydelay":"\d|please retry in \d/, "rate-limited", "Gemini", GEMINI_QUOTA),
];

/** Money, or what was bought with it, that is used up. */
const OUT_OF_CREDIT = [
  row(/arrearage|allocationquota\.freetieronly|free allocated quota exceeded/, "quota-exhausted", "Alibaba", DASHSCOPE),
  // OpenAI's words for an empty account, for a rate that is free again within a minute. The link tells it.
  row(/error-code#(?:token|rate)-limit/, "rate-limited", "Alibaba", DASHSCOPE_RATES),
  row(
    /insufficient[ _](?:[a-z]+[ _]){0,2}(?:quota|balance|credits?|funds)|\bbalance\b[^.]{0,20}\b(?:is|not)[^.]{0,10}(?:insufficient|enough|sufficient)/,
    "quota-exhausted",
    "OpenAI, DeepSeek, Moonshot, SiliconFlow and others",
    "https://api-docs.deepseek.com/quick_start/error_codes",
  ),
  row(/exceeded_current_quota/, "quota-exhausted", "Moonshot", KIMI),
  row(/exceeded your current quota|quota_exceeded_error/, "quota-exhausted", "OpenAI", OPENAI),
  row(/credit balance is too low|billing_error/, "quota-exhausted", "Anthropic", ANTHROPIC),
  row(
    /(?:out of|no(?: more| remaining)?|add(?: more)?|more|purchase(?: more)?) credits|credits? [^.]{0,20}\b(?:exhausted|depleted|used up)|can only afford/,
    "quota-exhausted",
    "OpenRouter, Gemini and others",
    OPENROUTER,
  ),
  row(
    /used all available credits|spending[ -]limit|creditserror/,
    "quota-exhausted",
    "xAI, OpenCode",
    "continuedev/continue#10373, anomalyco/opencode#37161",
  ),
  row(
    /billing[ _]hard[ _]limit|billing_not_active|check your billing details|payment required/,
    "quota-exhausted",
    "OpenAI",
    OPENAI,
  ),
  row(
    /accountoverdue|overdue (?:balance|payment)|"code":"(?:quotaexceeded|setlimitexceeded)/,
    "quota-exhausted",
    "Volcengine",
    ARK,
  ),
  row(
    /please (?:recharge|top up)|欠费|余额不足|额度(?:不足|已用)/,
    "quota-exhausted",
    "Chinese vendors and gateways",
    GATEWAYS,
  ),
  row(/"(?:code|type)":"?(?:1113|30001)\b/, "quota-exhausted", "Z.AI, SiliconFlow", ZAI),
  row(/(?:status_code":"?|\()1008\b/, "quota-exhausted", "MiniMax", MINIMAX),
];

/** A conversation longer than the model takes. */
const TOO_LONG = [
  row(/throttling[^.]{0,40}too many tokens|too many tokens, please wait/, "rate-limited", "Bedrock", BEDROCK),
  row(
    /context[_ ]?(?:length|window|size)[_ ](?:has been )?exceed(?:ed|s)|exceed_context_size|model_context_window_exceeded|max_context_length|(?:prompt|input)_too_long|max_prompt_tokens_exceeded|request_too_large/,
    "context-overflow",
    "OpenAI, Azure, llama.cpp, Copilot and others, by code",
    OVERFLOW_LIST,
  ),
  row(
    /"param":"(?:messages\[\d+\]\.content|input)[^"]{0,40}"[^{}]{0,80}string_above_max_length/,
    "context-overflow",
    "OpenAI",
    OPENAI,
  ),
  row(
    /(?:maximum|max) (?:context (?:length|size|window)|(?:prompt|model|input|sequence) length)|maximum allowed input length/,
    "context-overflow",
    "OpenAI, DeepSeek, vLLM, SGLang, xAI, Mistral, Fireworks",
    OVERFLOW_LIST,
  ),
  row(
    /(?:exceed(?:s|ed)?|longer than|larger than|greater than|too (?:long|large|big) for|does(?:n't| not) fit)[^.]{0,60}\bcontext[ -]?(?:window|length|size|limit)/,
    "context-overflow",
    "OpenAI, Anthropic, Together, llama.cpp, LM Studio",
    OVERFLOW_LIST,
  ),
  row(
    /context[ -]?(?:window|length|size|limit)[^.]{0,40}\b(?:exceed|too small|overflow|is only)|context the overflows|configured context size/,
    "context-overflow",
    "MiniMax, LM Studio, DS4",
    LM_STUDIO,
  ),
  row(
    /(?:prompt|input|inputs|context|conversation|text|message|messages)(?: token)?(?: length)?(?: is| are)? too (?:long|large)/,
    "context-overflow",
    "Anthropic, Bedrock, Kimi, Ollama, Fireworks",
    OVERFLOW_LIST,
  ),
  row(
    /(?:prompt|input)(?: tokens?)?(?: count| length)?(?: of)?(?: \(?[\d,]{1,12}(?: tokens?)?\)?)? exceed(?:s|ed)? [^.]{0,30}\b(?:max|limit|length|number|configured)/,
    "context-overflow",
    "Gemini, Copilot, OpenAI, Z.AI, SGLang",
    OVERFLOW_LIST,
  ),
  row(
    /(?:context|prompt|input|model) token limit|exceed(?:s|ed)? max(?:imum)?[ _](?:message |prompt[ _]|input[ _]|seq)/,
    "context-overflow",
    "Kimi, Volcengine",
    KIMI,
  ),
  row(
    /reduce (?:the length|your prompt)|reduce the (?:prompt|input|context)/,
    "context-overflow",
    "Groq, Cerebras, OpenAI",
    GROQ,
  ),
  row(
    /(?:prompt|input|inputs|message|sequence|request|context)[ _](?:message[ _])?(?:tokens?|length|size)(?:[ _](?:length|count|limit))?\b[^.]{0,40}\b(?:exceed|(?:larger|greater|longer|more) than|but the model only supports)/,
    "context-overflow",
    "Vertex, Volcengine, TensorRT-LLM and others",
    "huggingface/text-generation-inference: router/src/validation.rs; NVIDIA/TensorRT-LLM: cpp/include/tensorrt_llm/batch_manager/llmRequest.h",
  ),
  row(
    /(?:prompt|input|request|conversation) (?:has|contains|of|with|\() ?[\d,]{1,12} tokens\)?[^.]{0,40}\b(?:exceed|maximum|limit|too (?:large|long))|tokens in (?:the |your )?(?:request|prompt|input|messages?)\b[^.]{0,30}\bexceed/,
    "context-overflow",
    "llama.cpp, Cohere and others",
    "ggml-org/llama.cpp: tools/server, input is too large to process",
  ),
  row(
    /current length is [\d,]{1,12} while limit is|max(?:imum)? context\b|max(?:imum)? input (?:limit|tokens)|max_total_tokens|supports at most [\d,]{1,12} tokens of input|max message tokens/,
    "context-overflow",
    "Cerebras, Volcengine and others",
    "BerriAI/litellm: litellm_core_utils/exception_mapping_utils.py",
  ),
  row(/range of input length should be/, "context-overflow", "Alibaba", DASHSCOPE),
  row(
    /inputs. tokens \+ .max_new_tokens. must be|inputs. must have less than \d+ tokens/,
    "context-overflow",
    "TGI",
    "huggingface/text-generation-inference: router/src/validation.rs",
  ),
  row(
    /input token count \+ max_tokens|tokens in request more than max/,
    "context-overflow",
    "Together, watsonx",
    TOGETHER,
  ),
  row(
    /too many input tokens|too many tokens(?::| in)|expected maxlength/,
    "context-overflow",
    "Cohere, Bedrock",
    COHERE,
  ),
  row(
    /"(?:code|type)":"?1261\b|prompt 超长|输入(?:内容)?(?:长度)?(?:超|过长)|上下文长度/,
    "context-overflow",
    "Z.AI and others, in Chinese",
    ZAI,
  ),
  row(/"error_code":"?336103\b/, "context-overflow", "Baidu", BAIDU),
  row(/"code":"(?:tokens|characters)_too_long"/, "context-overflow", "Baidu", BAIDU_CHAT),
];

/** Somebody's content rules, not the request's form. */
const CONTENT = [
  row(
    /content[_ ]?filter|responsibleaipolicyviolation|content management policy/,
    "refused",
    "Azure, OpenAI, Kimi, Anthropic",
    AZURE,
  ),
  row(/data_?inspection_?failed|inappropriate content/, "refused", "Alibaba", "QwenLM/qwen-code#2905"),
  row(/violates? (?:our |the )?usage guidelines|safety_check/, "refused", "xAI, ZenMux", XAI),
  row(
    /content[_ ]policy|moderation_blocked|safety system|potentially violating|usage polic(?:y|ies)/,
    "refused",
    "OpenAI, Anthropic",
    OPENAI,
  ),
  row(/requires moderation|input was flagged|was flagged/, "refused", "OpenRouter", OPENROUTER),
  row(/prohibited_content|blockreason|model armor/, "refused", "Gemini", GEMINI),
  row(/guardrail/, "refused", "Bedrock", BEDROCK),
  row(/content exists risk/, "refused", "DeepSeek", "https://api-docs.deepseek.com/quick_start/error_codes"),
  row(/"code":"cyber_policy"|flagged for possible cybersecurity/, "refused", "OpenAI", OPENAI),
  row(/considered high risk/, "refused", "Kimi", KIMI),
  row(/"(?:code|type)":"?1301\b|不安全或敏感|敏感内容|内容违规/, "refused", "Z.AI and others, in Chinese", ZAI),
  row(/(?:status_code":"?|\()(?:1026|1027)\b|new_sensitive/, "refused", "MiniMax", MINIMAX),
  row(/sensitivecontentdetected|risk ?detection|censorship/, "refused", "Volcengine, StepFun", ARK_CONTENT),
  row(/"error_code":"?(?:336104|336300|336301)\b/, "refused", "Baidu", BAIDU),
  row(
    /(?:blocked|filtered|rejected|refused|flagged) (?:by|due to|because of|as a result of|for) (?:\w+ ){0,3}(?:safety|content|policy|policies|moderation)/,
    "refused",
    "all",
    AZURE,
  ),
  row(
    /violat(?:es|ed|ing|ion)[^.]{0,40}\b(?:polic|guideline|terms|safety)|(?:content|safety)[ _]violation/,
    "refused",
    "all",
    OPENAI,
  ),
];

const RATE = [
  // The wait that is named decides: a long one makes it a quota.
  row(
    /exhausted your capacity|quota will reset/,
    "rate-limited",
    "Gemini",
    "google-gemini/gemini-cli#22107, google-gemini/gemini-cli#13004",
  ),
  row(/rate[ _-]?limit|too many requests|throttl|resource_exhausted|limit_requests/, "rate-limited", "all", OPENAI),
  row(
    /"(?:code|type)":"?(?:1302|1303|1305|1312|1313)\b|concurrency limit|concurrent requests/,
    "rate-limited",
    "Z.AI, Kimi",
    ZAI,
  ),
  row(/(?:status_code":"?|\()(?:1002|1039|1041|2045)\b/, "rate-limited", "MiniMax", MINIMAX),
  row(/\berror code: 1015\b/, "rate-limited", "Cloudflare", CLOUDFLARE),
  row(/"error_code":"?(?:4|18)\b/, "rate-limited", "Baidu", BAIDU),
];

const KEYS = [
  row(
    /authentication_?error|(?:invalid|incorrect|wrong|missing).{0,3}x?-?api.?key|api.?key (?:not valid|invalid|expired|not found)|api_key_invalid|invalid authentication/,
    "unauthorized",
    "all",
    OPENAI,
  ),
  row(/unauthori[sz]ed|unauthenticated|permission[_ -](?:error|denied)/, "unauthorized", "all", GEMINI),
  row(/"(?:code|type)":"?100[0-4]\b/, "unauthorized", "Z.AI", ZAI),
  row(/(?:status_code":"?|\()(?:1004|2049)\b/, "unauthorized", "MiniMax", MINIMAX),
];

const OVERLOADED = [
  row(
    /overload|server_?error|api_error|internal[_ ]?(?:server[_ ]?)?error|"internal"|unavailable|try again later|bad gateway|at capacity|(?:server|service|system) (?:is )?busy/,
    "overloaded",
    "all",
    OPENAI,
  ),
  row(
    /upstream (?:connect )?error|no healthy upstream|upstream (?:prematurely|request|connection|server)|disconnect\/reset|connection (?:refused|reset|terminat|closed)|\berror code: 5\d\d\b/,
    "overloaded",
    "Envoy, nginx, Cloudflare",
    "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details",
  ),
  row(
    /time(?:d |d-|d|-| )?out|deadline_exceeded|status_code":"?(?:1000|1001|1013|1024|1033)\b/,
    "overloaded",
    "all, MiniMax by code",
    MINIMAX,
  ),
];

const FORM = [
  row(/(?:status_code":"?|\()(?:1042|1043|1044|2013|20132|203\d|2042|2048)\b/, "invalid-request", "MiniMax", MINIMAX),
  row(
    /page not found|invalid_request|invalid_argument|invalid params|badrequesterror|not_found_error|model_not_found|unprocessable_entity/,
    "invalid-request",
    "all",
    OPENAI,
  ),
];

export const FAILURE_WORDINGS: readonly FailureWording[] = [
  ...NEVER_FITS,
  ...LONG_ALLOWANCES,
  ...OUT_OF_CREDIT,
  ...TOO_LONG,
  ...CONTENT,
  ...RATE,
  ...KEYS,
  ...OVERLOADED,
  ...FORM,
];

/** The first row, of a kind that is possible here, that a text matches. */
export function wordingOf(
  text: string,
  isPossible: (kind: ProviderFailureKind) => boolean,
): FailureWording | undefined {
  return FAILURE_WORDINGS.find(({ says, means, where }) => {
    const found = isPossible(means) ? says.exec(text) : null;
    return found !== null && (where === undefined || where(found));
  });
}
