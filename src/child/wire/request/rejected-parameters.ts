/**
 * What a provider's refusal says of the parameters of its request. Vendors reject what they do not know or no longer take,
 * in their own words; where what they name is optional, the request goes without it.
 */
import type { RejectedParameter } from "../../../event.ts";
import { parseJson } from "../../../text/parse-json.ts";
import { isRecord } from "../../../values/record.ts";

type Body = Record<string, unknown>;

/**
 * The limit on output tokens has several names. It is renamed where another name is known. Without a limit, a budget would
 * not hold: it is left out only where it is the whole of what the model can say.
 */
const TOKEN_LIMITS = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
/** Optional parameters of a request: leaving them out changes nothing that was asked for. */
const OPTIONAL = ["stream_options", "parallel_tool_calls", "include", "store", "metadata", "prompt_cache_key"];
/** Optional fields of messages: state that a vendor may want back, and other vendors do not know. */
const OF_MESSAGES = ["reasoning_content", "reasoning", "reasoning_details", "extra_content", "name", "phase"];

/** Maximum length of a refusal that is searched, in characters. */
const MAX_WORDS = 8_192;

/** `'x'`, `"x"`, `` `x` ``, `x`, `body.x`, `messages[1].assistant.x`. Everything has a length, so that time is linear. */
const PATH = String.raw`(?:[\w$]{1,40}(?:\[\d{1,4}\])?\.){0,6}[\w$]{1,40}`;
const QUOTE = String.raw`["'\x60]`;
/** Names after the first are in quotes or have an underscore: others may be words of the sentence. */
const FURTHER = String.raw`(?:\s{0,2},\s{0,2}(?:and\s)?|\sand\s)(?:${QUOTE}${PATH}${QUOTE}|(?=\w{0,40}_)\w{1,60})`;
const NAMES = String.raw`[[({]?(?<![\w$.])(${QUOTE}?${PATH}${QUOTE}?(?:${FURTHER}){0,4})`;
const KIND = String.raw`(?:parameter|argument|field|property|propertie|key|name|input|param)(?:s|\(s\))?`;
const NOT_TAKEN = "(?:unsupported|unknown|not (?:supported|allowed|permitted|recognized|accepted|valid))";

/** Wording of refusals, as reported; the names stand in the first group. Spaces stand for one or two. */
const WORDINGS: readonly RegExp[] = [
  `(?:unsupported|unknown|unrecognized|unexpected|invalid|extra|additional) (?:request |keyword )?${KIND}(?: supplied| in object)? ?:? ?${NAMES}`,
  `${KIND} ${NAMES} (?:is|are) ${NOT_TAKEN}`,
  `${KIND} (?:is|are) ${NOT_TAKEN}(?: (?:by|for|with|in) [^:,]{1,60})?: ?${NAMES}`,
  `(?:is|are) ${NOT_TAKEN}, ?${KIND}: ?${NAMES}`,
  `(?:argument|parameter) not supported[^:]{0,80}: ?${NAMES}`,
  `(?:does not|doesn't|do not) (?:support|accept|allow|recognize) (?:the )?${KIND} ?:? ?${NAMES}`,
  String.raw`${NAMES}\s{0,4}:?\s{0,4}(?:extra (?:inputs|fields) (?:are )?not permitted|unsupported|unknown field)`,
  `${NAMES} (?:was|were) unexpected`,
  `${NAMES} (?:is|are) ${NOT_TAKEN}`,
  // pydantic's list of errors as Python prints it: gpustack/gpustack#429.
  String.raw`'loc': ?\((?:['\w]{1,40}, ?){0,6}${NAMES}\), ?'msg': ?'extra (?:inputs|fields)`,
].map(
  (wording) => new RegExp(wording.replaceAll(" ?", String.raw`\s{0,2}`).replaceAll(" ", String.raw`\s{1,2}`), "gi"),
);

/** Says that something is not taken at all, as against a value that is wrong. */
const REJECTION =
  /unsupported|not supported|does ?n[o']t support|unknown|unrecognized|unexpected|extra|not (permitted|allowed|accepted)/i;

/**
 * The parameters that a refusal names and a request can go without, or has another name for.
 * @param wholeLimit output tokens that the model can say in all; Infinity = unknown
 */
export function rejectedParameters(body: Body, refusal: string, wholeLimit = Infinity): RejectedParameter[] {
  const words = refusal.slice(0, MAX_WORDS);
  const remedies = [...namedIn(words)].map((name) => remedyFor(name, body, words, wholeLimit));
  return remedies.filter((remedy) => remedy !== undefined);
}

/** The names that a refusal gives for what it does not take. */
function namedIn(refusal: string): Set<string> {
  const { text, names } = readRefusal(refusal);
  for (const wording of WORDINGS)
    for (const [, list = ""] of text.matchAll(wording))
      for (const [path] of list.matchAll(/[\w$.[\]]+/g)) names.add(leafOf(path));
  return names;
}

/** `messages[1].assistant.reasoning_content` → `reasoning_content` */
function leafOf(path: string): string {
  const fields = path.split(".");
  const isOptionOf = fields.find((field) => OPTIONAL.includes(field));
  return isOptionOf ?? fields.at(-1) ?? path;
}

/** The words of a refusal, and what its fields name: `param` (OpenAI), `loc` (pydantic). */
function readRefusal(refusal: string): { text: string; names: Set<string> } {
  const names = new Set<string>();
  const texts = [refusal.replaceAll('\\"', '"')];
  visit(parseJson(refusal), (fields) => {
    const { message, msg, detail, error, param, loc, type } = fields;
    const said = [message, msg, detail, error].filter((text) => typeof text === "string").join(" ");
    texts.push(said);
    if (typeof param === "string" && REJECTION.test(`${said} ${fields.code}`)) names.add(leafOf(param));
    if (Array.isArray(loc) && REJECTION.test(`${type} ${said}`)) names.add(leafOf(loc.filter(isName).join(".")));
  });
  return { text: texts.join("\n"), names };
}

function isName(step: unknown): step is string {
  return typeof step === "string";
}

function visit(value: unknown, look: (fields: Record<string, unknown>) => void): void {
  if (typeof value === "string" && /^\s*[[{]/.test(value)) visit(parseJson(value), look);
  if (Array.isArray(value)) for (const inner of value) visit(inner, look);
  if (!isRecord(value)) return;
  look(value);
  for (const inner of Object.values(value)) visit(inner, look);
}

function remedyFor(parameter: string, body: Body, refusal: string, wholeLimit: number): RejectedParameter | undefined {
  if (TOKEN_LIMITS.includes(parameter)) {
    if (body[parameter] === undefined) return undefined;
    const instead = nameInstead(parameter, refusal);
    if (instead !== undefined) return { parameter, instead };
    return isWhole(body[parameter], wholeLimit) ? { parameter } : undefined;
  }
  if (OPTIONAL.includes(parameter) && body[parameter] !== undefined) return { parameter };
  // A request's own `reasoning` is its effort.
  if (!OF_MESSAGES.includes(parameter) || parameter in body) return undefined;
  return isInMessages(parameter, body) ? { parameter } : undefined;
}

function isWhole(limit: unknown, wholeLimit: number): boolean {
  return typeof limit === "number" && limit >= wholeLimit;
}

/** The name that the refusal gives, else the other one that chat endpoints know. */
function nameInstead(parameter: string, refusal: string): string | undefined {
  const others = TOKEN_LIMITS.filter((name) => name !== parameter);
  const named = others.find((name) => new RegExp(String.raw`\b${name}\b`).test(refusal));
  return named ?? { max_tokens: "max_completion_tokens", max_completion_tokens: "max_tokens" }[parameter];
}

function messagesOf(body: Body): Record<string, unknown>[] {
  return [body.messages, body.input].flat().filter(isRecord);
}

function isInMessages(field: string, body: Body): boolean {
  return messagesOf(body).some((message) => field in message || callsOf(message).some((call) => field in call));
}

function callsOf({ tool_calls: calls }: Record<string, unknown>): Record<string, unknown>[] {
  return Array.isArray(calls) ? calls.filter(isRecord) : [];
}

/** The body of a request without what its route rejects. */
export function withoutRejected(body: Body, rejected: readonly RejectedParameter[], wholeLimit = Infinity): Body {
  return rejected.reduce((left, { parameter, instead }) => {
    if (instead !== undefined) return renamed(left, parameter, instead);
    if (TOKEN_LIMITS.includes(parameter)) return isWhole(left[parameter], wholeLimit) ? without(left, parameter) : left;
    if (OPTIONAL.includes(parameter)) return without(left, parameter);
    return Object.fromEntries(
      Object.entries(left).map(([name, value]) => [name, withoutField(name, value, parameter)]),
    );
  }, body);
}

function withoutField(name: string, value: unknown, field: string): unknown {
  if ((name !== "messages" && name !== "input") || !Array.isArray(value)) return value;
  return value.map((message) => {
    if (!isRecord(message)) return message;
    const calls = callsOf(message);
    const left = without(message, field);
    return calls.some((call) => field in call)
      ? { ...left, tool_calls: calls.map((call) => without(call, field)) }
      : left;
  });
}

function without(fields: Record<string, unknown>, field: string): Record<string, unknown> {
  const { [field]: _, ...left } = fields;
  return left;
}

function renamed(body: Body, parameter: string, instead: string): Body {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name === parameter ? instead : name, value]));
}
