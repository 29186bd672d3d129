/**
 * Deputy's own table of model facts: effort levels, the longest answer, images and tools, which the price library
 * lacks. Sources: the makers' API references as encoded in the provider packages. It applies only at the maker's own
 * provider; gateways translate efforts in their own ways.
 */
import type { Effort, ModelFacts } from "../../route.ts";

const LOW_TO_MAX: readonly Effort[] = ["low", "medium", "high", "xhigh", "max"];
const GPT_5: readonly Effort[] = ["minimal", "low", "medium", "high"];
const GPT_5_1: readonly Effort[] = ["none", "low", "medium", "high"];
const GPT_5_2: readonly Effort[] = [...GPT_5_1, "xhigh"];
const NONE_TO_MAX: readonly Effort[] = ["none", ...LOW_TO_MAX];

const AGENTIC = { vision: true, tools: true } as const;

type OwnFacts = Pick<ModelFacts, "efforts" | "maxOutputTokens" | "vision" | "tools">;

/** The first pattern that matches wins. Ids are matched in lower case, without a date, with dots written as dashes. */
const MODEL_TABLE: readonly (readonly [RegExp, OwnFacts])[] = [
  [/^claude-(opus-5-5|sonnet-5-5|fable-5)/, { efforts: LOW_TO_MAX, maxOutputTokens: 128_000, ...AGENTIC }],
  [/^claude-(opus-5|sonnet-5|haiku-5|opus-4-[78])/, { efforts: NONE_TO_MAX, maxOutputTokens: 128_000, ...AGENTIC }],
  [
    /^claude-(opus|sonnet)-4-6/,
    { efforts: ["none", "low", "medium", "high", "max"], maxOutputTokens: 128_000, ...AGENTIC },
  ],
  [/^claude-(opus|sonnet|haiku)-4-5/, { maxOutputTokens: 64_000, ...AGENTIC }],
  [/^claude-opus-4/, { maxOutputTokens: 32_000, ...AGENTIC }],
  [/^claude-sonnet-4/, { maxOutputTokens: 64_000, ...AGENTIC }],
  [/^claude-3-haiku/, { efforts: [], maxOutputTokens: 4_096, ...AGENTIC }],
  [/^gpt-6-(luna|sol|1-terra)$/, { efforts: NONE_TO_MAX, ...AGENTIC }],
  [/^gpt-6/, { efforts: LOW_TO_MAX, ...AGENTIC }],
  [/^gpt-5-[6-9](-(sol|luna|terra))?$/, { efforts: NONE_TO_MAX, ...AGENTIC }],
  [/^gpt-5-[2-5](-(mini|nano))?$/, { efforts: GPT_5_2, ...AGENTIC }],
  [/^gpt-5-1(-(mini|nano))?$/, { efforts: GPT_5_1, ...AGENTIC }],
  [/^gpt-5(-(mini|nano))?$/, { efforts: GPT_5, ...AGENTIC }],
  [/^gpt-3-5-turbo-instruct/, { efforts: [], vision: false, tools: false }],
  [/^gpt-3/, { efforts: [], vision: false }],
  [/^gpt-4/, { efforts: [] }],
  [/^o3-mini$/, { efforts: ["low", "medium", "high"], vision: false, tools: true }],
  [/^(o3|o4-mini)$/, { efforts: ["low", "medium", "high"], ...AGENTIC }],
];

export function ownFacts(model: string): OwnFacts {
  const id = withoutDate(model.toLowerCase()).replaceAll(".", "-");
  return MODEL_TABLE.find(([pattern]) => pattern.test(id))?.[1] ?? {};
}

/** `gpt-5-2025-08-07` → `gpt-5`: a dated id is the same model. */
export function withoutDate(model: string): string {
  return model.replace(/[-@](\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, "");
}
