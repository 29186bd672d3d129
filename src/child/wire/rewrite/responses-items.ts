/**
 * Items of a `responses` stream as the provider package demands them. Servers leave out ids and positions
 * (anomalyco/opencode#46885), tell a call's arguments or a text in one of several events alone (lidge-jun/opencodex#4652), or
 * an item only once the response is over (NVIDIA-NeMo/Switchyard#777): the package would reject the answer or lose the item.
 */
import type { JSONObject } from "@ai-sdk/provider";
import { present } from "../../../values/present.ts";
import { isJsonObject } from "../json-object.ts";
import { impossibleTokens } from "../reply/usage.ts";
import { countsIn, withNumbers } from "../reply/usage-counts.ts";
import type { EventRewrite, Rewriter } from "./rewrite-events.ts";

type Item = { id: string; fields: JSONObject; argumentsText: string; hasText: boolean; isDone: boolean };

/** By position in the output. */
type Items = Map<number, Item>;

export const wholeItems: Rewriter = {
  concerns: /"response\.(output_item\.|output_text\.d|refusal\.delta|function_call_arguments\.|completed|incomplete)/,
  start() {
    const items: Items = new Map();
    return (event) => REWRITES[String(event.type)]?.(event, items) ?? event;
  },
};

const REWRITES: Record<string, (event: JSONObject, items: Items) => ReturnType<EventRewrite>> = {
  "response.output_item.added": (event, items) => (isJsonObject(event.item) ? added(event, event.item, items) : event),
  "response.output_item.done": (event, items) => (isJsonObject(event.item) ? done(event, event.item, items) : event),
  "response.output_text.delta": textDelta,
  "response.refusal.delta": textDelta,
  "response.output_text.done": (event, items) => [...missingText(textOf(event.text), event, items), event],
  "response.function_call_arguments.delta": (event, items) => {
    const { item, position } = itemOf(event, items, "function_call");
    item.argumentsText += textOf(event.delta);
    return located(event, item, position);
  },
  "response.function_call_arguments.done": (event, items) => {
    const { item, position } = itemOf(event, items, "function_call");
    item.argumentsText = textOf(event.arguments) || item.argumentsText;
    return located({ ...event, arguments: item.argumentsText }, item, position);
  },
  "response.completed": finished,
  "response.incomplete": finished,
};

function added(event: JSONObject, fields: JSONObject, items: Items): JSONObject {
  const position = typeof event.output_index === "number" ? event.output_index : items.size;
  const item = newItem(fields, position);
  items.set(position, item);
  return { ...event, output_index: position, item: wholeFields(item) };
}

function done(event: JSONObject, fields: JSONObject, items: Items): JSONObject[] {
  const { item, position } = itemOf({ ...event, item_id: idIn(fields) }, items, fields.type);
  item.fields = { ...item.fields, ...fields };
  item.argumentsText = textOf(fields.arguments) || item.argumentsText;
  item.isDone = true;
  const whole = { ...event, type: "response.output_item.done", output_index: position, item: wholeFields(item) };
  return fields.type === "message" ? [...missingText(messageText(fields), whole, items), whole] : [whole];
}

function textDelta(event: JSONObject, items: Items): JSONObject {
  // Nearly all pieces continue an item that already has text.
  if (typeof event.item_id === "string" && items.get(Number(event.output_index))?.hasText) return event;
  const { item, position } = itemOf(event, items, "message");
  item.hasText = true;
  return located(event, item, position);
}

/** The text of an item as one delta, if no delta came. */
function missingText(delta: string, event: JSONObject, items: Items): JSONObject[] {
  const { item, position } = itemOf(event, items, "message");
  return delta === "" || item.hasText
    ? []
    : [textDelta(located({ type: TEXT, content_index: 0, delta }, item, position), items)];
}

const TEXT = "response.output_text.delta";

/** The end of the response, after what it alone tells. */
function finished(event: JSONObject, items: Items): JSONObject[] | JSONObject {
  const { response } = event;
  if (!isJsonObject(response)) return event;
  const { output, usage } = response;
  const begun = [...items].filter(([, { fields, isDone }]) => fields.type === "function_call" && !isDone);
  const alone = (Array.isArray(output) ? output : []).filter(isJsonObject).filter((fields) => !isTold(fields, items));
  return [
    ...begun.flatMap(([position, { fields }]) => done({ output_index: position }, fields, items)),
    ...alone.flatMap((fields) => done({}, fields, items)),
    isJsonObject(usage) ? { ...event, response: { ...response, usage: wholeUsage(usage) } } : event,
  ];
}

function isTold(fields: JSONObject, items: Items): boolean {
  const known = [...items.values()].filter((item) => item.fields.type === fields.type);
  if (fields.type === "message") return known.some(({ hasText }) => hasText);
  return fields.type !== "function_call" || known.some((item) => item.id === idIn(fields) || isSameCall(item, fields));
}

function isSameCall({ fields }: Item, { call_id: callId }: JSONObject): boolean {
  return callId !== undefined && fields.call_id === callId;
}

/** The item that an event is of, by its position or its id; a new one where there is none yet. */
function itemOf(event: JSONObject, items: Items, type: unknown): { item: Item; position: number } {
  const { output_index: index, item_id: id } = event;
  const byId = [...items].find(([, item]) => item.id === id)?.[0];
  const last = [...items].findLast(([, item]) => item.fields.type === type && !item.isDone)?.[0];
  const position = typeof index === "number" ? index : (byId ?? (id === undefined ? last : undefined) ?? items.size);
  const item = items.get(position) ?? newItem({ type: String(type), ...(typeof id === "string" && { id }) }, position);
  items.set(position, item);
  return { item, position };
}

function newItem(fields: JSONObject, position: number): Item {
  const id = idIn(fields) ?? `item_${position}`;
  return { id, fields, argumentsText: textOf(fields.arguments), hasText: false, isDone: false };
}

function idIn({ id, call_id: callId }: JSONObject): string | undefined {
  return [id, callId].find((each): each is string => typeof each === "string" && each !== "");
}

function located(event: JSONObject, { id }: Item, position: number): JSONObject {
  const { item_id: named, output_index: placed } = event;
  if (typeof named === "string" && typeof placed === "number") return event;
  return { ...event, item_id: typeof named === "string" ? named : id, output_index: position };
}

function wholeFields({ id, fields, argumentsText, isDone }: Item): JSONObject {
  const whole = { ...fields, id: typeof fields.id === "string" && fields.id !== "" ? fields.id : id };
  if (fields.type !== "function_call") return whole;
  const { call_id: callId, status } = fields;
  return {
    ...whole,
    call_id: typeof callId === "string" && callId !== "" ? callId : id,
    arguments: argumentsText,
    status: typeof status === "string" ? status : isDone ? "completed" : "in_progress",
  };
}

function messageText({ content }: JSONObject): string {
  const parts = Array.isArray(content) ? content.filter(isJsonObject) : [];
  return parts.map((part) => (part.type === "output_text" ? textOf(part.text) : "")).join("");
}

/** The counts by the names that the package reads. What is no count stays as it was sent, for whoever judges it. */
function wholeUsage(reported: JSONObject): JSONObject | null {
  const usage = withNumbers(reported);
  const { input, output, cached, cacheWrite, reasoning } = countsIn(usage);
  if (input === undefined || output === undefined) return null;
  if (Number.isNaN(input + output) || impossibleTokens(usage) !== undefined) return usage;
  const within = (name: string): JSONObject => (isJsonObject(usage[name]) ? usage[name] : {});
  return {
    ...usage,
    input_tokens: input,
    output_tokens: output,
    input_tokens_details: present({
      ...within("input_tokens_details"),
      cached_tokens: cached,
      cache_write_tokens: cacheWrite,
    }),
    output_tokens_details: present({ ...within("output_tokens_details"), reasoning_tokens: reasoning }),
  };
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return isJsonObject(value) ? JSON.stringify(value) : "";
}
