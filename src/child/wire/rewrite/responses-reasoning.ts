/**
 * Reasoning of open models in `responses`: as text, in events of its own, and never encrypted. The provider package hears
 * summaries alone, and sends back what is encrypted alone: here both are told in the words that it knows.
 */
import type { JSONObject } from "@ai-sdk/provider";
import { isJsonObject } from "../json-object.ts";
import { OPEN_REASONING } from "../request/sent-back.ts";
import type { Fetch } from "../transport.ts";
import type { Rewriter } from "./rewrite-events.ts";

/** `response.reasoning_text.*` as the events of a summary, unless the response sums its reasoning up as well. */
export const openReasoningEvents: Rewriter = {
  concerns: /"response\.(reasoning_(summary_)?text\.delta|output_item\.done)"/,
  start() {
    const heard = new Map<unknown, "text" | "summary">();
    return (event) => {
      const { type, item_id: id } = event;
      if (type === "response.reasoning_summary_text.delta" && !heard.has(id)) heard.set(id, "summary");
      if (type === "response.reasoning_text.delta") {
        if (heard.get(id) === "summary") return event;
        heard.set(id, "text");
        return { ...event, type: "response.reasoning_summary_text.delta", summary_index: 0 };
      }
      if (type !== "response.output_item.done" || !isJsonObject(event.item)) return event;
      const { item } = event;
      if (item.type !== "reasoning" || heard.has(item.id)) return event;
      const text = textOf(item);
      return text === "" ? event : [deltaOf(event, item, text), event];
    };
  },
};

/** Some send the text with the finished item alone. */
function deltaOf(event: JSONObject, item: JSONObject, delta: string): JSONObject {
  const { output_index = 0 } = event;
  return { type: "response.reasoning_summary_text.delta", item_id: item.id, output_index, summary_index: 0, delta };
}

function textOf({ content, summary }: Record<string, unknown>): string {
  if (Array.isArray(summary) && summary.length > 0) return "";
  if (!Array.isArray(content)) return "";
  return content
    .map((part) =>
      isJsonObject(part) && part.type === "reasoning_text" && typeof part.text === "string" ? part.text : "",
    )
    .join("");
}

/** Writes items of open reasoning as their server gave them: https://github.com/vllm-project/vllm/pull/28248 */
export function sendingOpenReasoning(fetch: Fetch): Fetch {
  return (input, init) => {
    if (typeof init?.body !== "string" || !init.body.includes(OPEN_REASONING)) return fetch(input, init);
    const { input: items, ...body } = JSON.parse(init.body);
    return fetch(input, { ...init, body: JSON.stringify({ ...body, input: items.map(openItem) }) });
  };
}

function openItem(item: Record<string, unknown>): Record<string, unknown> {
  if (item.encrypted_content !== OPEN_REASONING || !Array.isArray(item.summary)) return item;
  const { encrypted_content: _, summary, ...rest } = item;
  return { ...rest, summary: [], content: summary.map(({ text }) => ({ type: "reasoning_text", text })) };
}
