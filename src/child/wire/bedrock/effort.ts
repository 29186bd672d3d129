/**
 * The effort fields of each maker's models on Bedrock, which Converse passes on.
 * Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html,
 * https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html, https://platform.openai.com/docs/models/gpt-oss-120b
 */
import type { SharedV4Warning } from "@ai-sdk/provider";
import type { Effort } from "../../../route.ts";
import { thinkingBudget } from "../request/thinking-budget.ts";

type EffortFields = { fields: Record<string, unknown>; warnings: SharedV4Warning[] };

/** The thinking budget is a share of this if the answer's limit is unknown, in tokens. */
const ASSUMED_LIMIT = 16_384;

/** The fields of a request for an effort, with a warning if the effort is changed or left out. */
export async function effortFields(
  model: string,
  effort: Effort | undefined,
  limit: number | undefined,
): Promise<EffortFields> {
  if (effort === undefined) return { fields: {}, warnings: [] };
  const name = model.toLowerCase();
  if (name.includes("claude-")) return claudeEffort(name.slice(name.indexOf("claude-")), effort, limit);
  if (/nova-2/.test(name)) return word(effort, (level) => ({ reasoningConfig: novaReasoning(level) }));
  if (/openai\.|gpt-oss/.test(name)) return word(effort, (level) => ({ reasoning_effort: level }));
  const details = `${model} has no effort setting that Deputy knows on Amazon Bedrock; its default applies`;
  return { fields: {}, warnings: [{ type: "unsupported", feature: "reasoning_effort", details }] };
}

const THREE: Record<Effort, string> = {
  none: "none",
  minimal: "low",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
};

/** For models that accept three levels. */
function word(effort: Effort, fieldsOf: (level: string) => Record<string, unknown>): EffortFields {
  const level = THREE[effort];
  return { fields: { additionalModelRequestFields: fieldsOf(level) }, warnings: sentAs(effort, level) };
}

function novaReasoning(level: string) {
  return level === "none" ? { type: "disabled" } : { type: "enabled", maxReasoningEffort: level };
}

/** Newer models accept a word; older ones a budget, which must be below the limit sent with it. */
async function claudeEffort(model: string, effort: Effort, limit = ASSUMED_LIMIT): Promise<EffortFields> {
  const { getModelCapabilities } = await import("@ai-sdk/anthropic/internal");
  const { supportsAdaptiveThinking, supportsXhighEffort } = getModelCapabilities(model);
  if (effort === "none")
    return { fields: { additionalModelRequestFields: { thinking: { type: "disabled" } } }, warnings: [] };
  if (supportsAdaptiveThinking) {
    const level = effort === "minimal" ? "low" : effort === "xhigh" && !supportsXhighEffort ? "high" : effort;
    const fields = { thinking: { type: "adaptive" }, output_config: { effort: level } };
    return { fields: { additionalModelRequestFields: fields }, warnings: sentAs(effort, level) };
  }
  const budget = thinkingBudget(limit, effort);
  if (budget === undefined) return { fields: {}, warnings: [] };
  const thinking = { type: "enabled", budget_tokens: budget };
  return {
    fields: { additionalModelRequestFields: { thinking }, inferenceConfig: { maxTokens: limit } },
    warnings: [],
  };
}

function sentAs(effort: Effort, level: string): SharedV4Warning[] {
  if (effort === level) return [];
  return [{ type: "compatibility", feature: "reasoning_effort", details: `${effort} is sent as ${level}` }];
}
