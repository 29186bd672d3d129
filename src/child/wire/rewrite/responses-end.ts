/**
 * The end of a `responses` stream, by what its status says. Some call every end `response.completed`, or by a name of their
 * own (`response.done`, `response.cancelled`): the provider package goes by the name alone, and takes half an answer for a
 * finished one.
 */
import type { JSONObject } from "@ai-sdk/provider";
import { isJsonObject } from "../json-object.ts";
import type { Rewriter } from "./rewrite-events.ts";

export const responseEnds: Rewriter = {
  concerns: /"response\.(completed|done|incomplete|failed|cancell?ed)"/,
  start: () => (event) => {
    const name = String(event.type).slice("response.".length);
    const response = isJsonObject(event.response) ? event.response : {};
    const end = ENDS[endName(name, response)];
    return end === undefined ? event : end(event, response);
  },
};

/** A status says more than the name of the event, unless that is no good end. */
function endName(name: string, { status, output }: JSONObject): string {
  if (name !== "completed" && name !== "done") return name;
  if (typeof status === "string" && Object.hasOwn(ENDS, status)) return status;
  const isCut = Array.isArray(output) && output.some((item) => isJsonObject(item) && item.status === "incomplete");
  return isCut ? "incomplete" : "completed";
}

const ENDS: Record<string, (event: JSONObject, response: JSONObject) => JSONObject> = {
  completed: (event) => (event.type === "response.completed" ? event : { ...event, type: "response.completed" }),
  incomplete: (event, response) => incomplete(event, response, "incomplete"),
  cancelled: (event, response) => incomplete(event, response, "cancelled"),
  canceled: (event, response) => incomplete(event, response, "cancelled"),
  // The package rejects this one event without a number, and the provider's words with it.
  failed: (event) => ({ sequence_number: 0, ...event, type: "response.failed" }),
};

/** An incomplete response without a reason is cut off all the same. */
function incomplete(event: JSONObject, response: JSONObject, reason: string): JSONObject {
  const { incomplete_details: details } = response;
  const told =
    isJsonObject(details) && typeof details.reason === "string" && details.reason !== "" ? details : { reason };
  return { ...event, type: "response.incomplete", response: { ...response, incomplete_details: told } };
}
