/**
 * Usage of a `gemini` stream as the provider package reads it: of the last chunk that has any, with thoughts beside the
 * candidates. Proxies send parts of it with several chunks, and count thoughts among the candidates or in the sum alone.
 */
import type { JSONObject } from "@ai-sdk/provider";
import { isJsonObject } from "../json-object.ts";
import { withNumbers } from "../reply/usage-counts.ts";
import type { Rewriter } from "./rewrite-events.ts";

export const wholeGeminiUsage: Rewriter = {
  concerns: /"usageMetadata"/,
  start() {
    let soFar: JSONObject = {};
    return (event) => {
      if (!isJsonObject(event.usageMetadata)) return event;
      soFar = { ...soFar, ...withNumbers(event.usageMetadata) };
      return { ...event, usageMetadata: { ...soFar, ...thoughtsBeside(soFar), ...promptOfTools(soFar) } };
    };
  },
};

/** What tools of Google's own added to the prompt is input too. */
function promptOfTools({ promptTokenCount: prompt, toolUsePromptTokenCount: added }: JSONObject): JSONObject {
  if (typeof prompt !== "number" || typeof added !== "number" || added < 0) return {};
  return { promptTokenCount: prompt + added, toolUsePromptTokenCount: 0 };
}

/** The sum tells where thoughts are counted: https://ai.google.dev/api/generate-content#UsageMetadata. */
function thoughtsBeside(usage: JSONObject): JSONObject {
  const count = (name: string) => (typeof usage[name] === "number" ? usage[name] : 0);
  const candidates = count("candidatesTokenCount");
  const thoughts = count("thoughtsTokenCount");
  const rest = count("totalTokenCount") - count("promptTokenCount") - count("toolUsePromptTokenCount") - candidates;
  if (rest === 0 && thoughts > 0 && thoughts <= candidates) return { candidatesTokenCount: candidates - thoughts };
  return thoughts === 0 && rest > 0 ? { thoughtsTokenCount: rest } : {};
}
