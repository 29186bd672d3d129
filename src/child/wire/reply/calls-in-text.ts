/**
 * Tool calls that a model wrote into its text: servers of open models that have no parser for their model pass its own
 * notation through. Only an unmistakable call counts: an offered tool with whole arguments, outside of code, at the end
 * of the text.
 */
import { parseJson } from "../../../text/parse-json.ts";
import { isRecord } from "../../../values/record.ts";
import { readContainer } from "../../schema/read-container.ts";
import { calledTool } from "./tool-name.ts";

export type WrittenCall = { name: string; input: Record<string, unknown> };

/** `text`: what was said before the calls. `unreadable`: calls were written in a way that cannot be read. */
export type CallsInText = { text: string; calls: WrittenCall[] } | "unreadable" | "none";

/** One call, and the position after it. */
type CallReading = { name: string; input: unknown; end: number };

/** A notation of calls. `opening` is sticky where a call begins; `read` gets the position after it. */
type CallNotation = {
  opening: RegExp;
  read(text: string, at: number, opening: RegExpExecArray): CallReading | undefined;
};

/** The beginning of any notation. The part before it is text. */
const START =
  /<tool_call>|<function=|<\|tool_calls?_(?:section_)?begin\|>|<｜tool▁calls?▁begin｜>|\[TOOL_CALLS\]|<\|python_tag\|>|<\|(?:start\|>assistant to=functions\.|channel\|>commentary to=functions\.)|<(?:\w{1,20}:|｜DSML｜)?(?:function_calls>|tool_calls?>|invoke name=)/;

/** Brackets of a list of calls, and what models write after their last call. */
const BETWEEN =
  /(?:\s|<\/tool_call>|<\|tool_calls_section_(?:begin|end)\|>|<｜tool▁calls▁(?:begin|end)｜>|<\/?(?:\w{1,20}:|｜DSML｜)(?:function_calls|tool_calls?)>|<\/?function_calls>|<\|(?:call|end|eot_id|eom_id|im_end)\|>|<｜end▁of▁sentence｜>|<\/s>|,|\])*/y;

/** The result that a model makes up when it continues after a call. */
const MADE_UP_RESULT = /<tool_response>|<function_results>|<\|start\|>functions\.|\[TOOL_RESULTS\]/y;

const NAME = String.raw`([\w.:/-]{1,128})`;

/** The notations, each with the models that use it in their chat templates. */
const NOTATIONS: readonly CallNotation[] = [
  // Hermes, Qwen 2.5 and 3: https://huggingface.co/Qwen/Qwen3-8B, chat_template.
  { opening: /<tool_call>\s*(?=\{)/y, read: (text, at) => closedBy(text, jsonCall(text, at), /\s*<\/tool_call>/y) },
  // GLM 4.5 and later: https://huggingface.co/zai-org/GLM-4.5, chat_template.
  {
    opening: new RegExp(String.raw`<tool_call>\s*${NAME}\s*(?=<arg_key>|</tool_call>)`, "y"),
    read: (text, at, [, name = ""]) => pairs(text, at, name, ARGUMENT),
  },
  // Qwen3-Coder: https://huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct, chat_template. Llama 3.1 puts JSON inside.
  {
    opening: new RegExp(String.raw`(?:<tool_call>\s*)?<function=${NAME}>\s*`, "y"),
    read: (text, at, [, name = ""]) =>
      text[at] === "{"
        ? closedBy(text, argumentsOnly(text, at, name), /\s*<\/function>/y)
        : pairs(text, at, name, PARAMETER),
  },
  // Kimi K2: https://huggingface.co/moonshotai/Kimi-K2-Instruct, tool_call_guidance.
  {
    opening: new RegExp(String.raw`<\|tool_call_begin\|>\s*${NAME}\s*<\|tool_call_argument_begin\|>\s*`, "y"),
    read: (text, at, [, name = ""]) => closedBy(text, argumentsOnly(text, at, name), /\s*<\|tool_call_end\|>/y),
  },
  // DeepSeek V3 and V3.1: https://huggingface.co/deepseek-ai/DeepSeek-V3.1, chat_template.
  {
    opening: new RegExp(
      String.raw`<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?${NAME}(?:<｜tool▁sep｜>|\n\x60{3}json\n)\s*`,
      "y",
    ),
    read: (text, at, [, name = ""]) =>
      closedBy(text, argumentsOnly(text, at, name), /\s*(?:\x60{3})?\s*<｜tool▁call▁end｜>/y),
  },
  // Mistral: https://docs.mistral.ai, tokenizers v3 (a list) and v11 and later ([ARGS]).
  {
    opening: new RegExp(String.raw`\[TOOL_CALLS\]\s*${NAME}\s*(?:\[CALL_ID\]\w{1,40})?(?:\[ARGS\])?\s*(?=\{)`, "y"),
    read: (text, at, [, name = ""]) => argumentsOnly(text, at, name),
  },
  { opening: /\[TOOL_CALLS\]\s*\[?\s*(?=\{)/y, read: jsonCall },
  // Llama 3: https://github.com/meta-llama/llama-models, prompt format.
  { opening: /<\|python_tag\|>\s*(?=\{)/y, read: jsonCall },
  // harmony (gpt-oss): https://github.com/openai/harmony.
  {
    opening: new RegExp(
      String.raw`(?:<\|start\|>assistant)?(?:<\|channel\|>commentary)? ?to=functions\.${NAME}[^{]{0,80}<\|message\|>\s*`,
      "y",
    ),
    read: (text, at, [, name = ""]) => argumentsOnly(text, at, name),
  },
  // Anthropic's own notation, MiniMax M2 and DeepSeek V3.2 (DSML).
  {
    opening: new RegExp(String.raw`<(?:\w{1,20}:|｜DSML｜)?invoke name="${NAME}">\s*`, "y"),
    read: (text, at, [, name = ""]) => pairs(text, at, name, INVOKE_PARAMETER),
  },
];

/** Further objects of a list of calls. */
const NEXT_IN_LIST: CallNotation = { opening: /(?=\{)/y, read: jsonCall };

export function callsInText(text: string, offered: readonly string[]): CallsInText {
  const start = START.exec(text)?.index;
  if (start === undefined) return bareCall(text, offered);
  const said = text.slice(0, start).replace(/<\|start\|>assistant$/, "");
  if (isInCode(said)) return "none";
  const calls: WrittenCall[] = [];
  let at = skip(BETWEEN, text, start);
  for (let reading = readAny(text, at, calls.length > 0); reading !== undefined; reading = readAny(text, at, true)) {
    const call = offeredCall(reading, offered);
    if (call === undefined) return "unreadable";
    calls.push(call);
    at = skip(BETWEEN, text, reading.end);
  }
  if (calls.length === 0) return isLeftOpen(text, start) ? "unreadable" : "none";
  return at === text.length || matchAt(MADE_UP_RESULT, text, at) !== null ? { text: said.trimEnd(), calls } : "none";
}

/** The whole text is one JSON object that names an offered tool and its arguments. */
function bareCall(text: string, offered: readonly string[]): CallsInText {
  const whole = text.trim().replace(/^```(?:json)?\n/, "");
  const json = whole.endsWith("\n```") ? whole.slice(0, -"\n```".length) : whole;
  const fields = json.startsWith("{") && json.endsWith("}") ? parseJson(json) : undefined;
  if (!isRecord(fields) || Object.keys(fields).length !== 2) return "none";
  const call = offeredCall({ name: String(fields.name), input: argumentsIn(fields), end: 0 }, offered);
  return call === undefined ? "none" : { text: "", calls: [call] };
}

function readAny(text: string, at: number, isFurther: boolean): CallReading | undefined {
  for (const { opening, read } of isFurther ? [...NOTATIONS, NEXT_IN_LIST] : NOTATIONS) {
    const found = matchAt(opening, text, at);
    const reading = found === null ? undefined : read(text, at + found[0].length, found);
    if (reading !== undefined) return reading;
  }
  return undefined;
}

function offeredCall({ name, input }: CallReading, offered: readonly string[]): WrittenCall | undefined {
  const tool = calledTool(name, offered);
  return offered.includes(tool) && isRecord(input) ? { name: tool, input } : undefined;
}

/** An explanation of the notation, a quotation, or code that contains it. */
function isInCode(before: string): boolean {
  const fences = before.match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0;
  const line = before.slice(before.lastIndexOf("\n") + 1);
  return fences % 2 === 1 || before.endsWith("`") || /^(?: {4}|\t|[ ]{0,3}>)/.test(line);
}

/** A notation that stands alone on its line was meant as a call. */
function isLeftOpen(text: string, start: number): boolean {
  return start === 0 || text[start - 1] === "\n";
}

/** `{"name": …, "arguments": …}` */
function jsonCall(text: string, at: number): CallReading | undefined {
  const reading = readContainer(text, at);
  const fields = "json" in reading ? parseJson(reading.json) : undefined;
  if (!isRecord(fields) || typeof fields.name !== "string" || !("json" in reading)) return undefined;
  return { name: fields.name, input: argumentsIn(fields), end: reading.end };
}

function argumentsIn({ arguments: args, parameters, input }: Record<string, unknown>): unknown {
  const written = args ?? parameters ?? input;
  return typeof written === "string" ? parseJson(written) : written;
}

function argumentsOnly(text: string, at: number, name: string): CallReading | undefined {
  const reading = readContainer(text, at);
  return "json" in reading ? { name, input: parseJson(reading.json), end: reading.end } : undefined;
}

/** The parts of a notation of names and values. All but `valueEnd` are sticky. */
type Pairs = { opening: RegExp; valueEnd: RegExp; callEnd: RegExp };

const ARGUMENT: Pairs = {
  opening: /\s*<arg_key>([^<]{1,200})<\/arg_key>\s*<arg_value>/y,
  valueEnd: /<\/arg_value>/g,
  callEnd: /\s*<\/tool_call>/y,
};
const PARAMETER: Pairs = {
  opening: /\s*<parameter=([^>]{1,200})>/y,
  valueEnd: /<\/parameter>/g,
  callEnd: /\s*<\/function>/y,
};
const INVOKE_PARAMETER: Pairs = {
  opening: /\s*<(?:\w{1,20}:|｜DSML｜)?parameter name="([^"]{1,200})"(?: string="(true|false)")?>/y,
  valueEnd: /<\/(?:\w{1,20}:|｜DSML｜)?parameter>/g,
  callEnd: /\s*<\/(?:\w{1,20}:|｜DSML｜)?invoke>/y,
};

/** Names and values one after the other, until the end of the call. Values are text. */
function pairs(text: string, from: number, name: string, notation: Pairs): CallReading | undefined {
  const input: Record<string, unknown> = {};
  let at = from;
  for (let found = matchAt(notation.opening, text, at); found !== null; found = matchAt(notation.opening, text, at)) {
    const start = at + found[0].length;
    const end = valueEnd(text, start, notation);
    if (end === undefined) return undefined;
    const value = text.slice(start, end.index);
    const [, key = "", isText] = found;
    input[key.trim()] = isText === "false" ? parseJson(value) : value.replace(/^\n/, "").replace(/\n$/, "");
    at = end.index + end[0].length;
  }
  return closedBy(text, { name, input, end: at }, notation.callEnd);
}

/** A value may contain its own end tag: only one before the next name, or before the end of the call, ends it. */
function valueEnd(text: string, start: number, notation: Pairs): RegExpExecArray | undefined {
  const { opening, callEnd } = notation;
  notation.valueEnd.lastIndex = start;
  for (let end = notation.valueEnd.exec(text); end !== null; end = notation.valueEnd.exec(text)) {
    const after = end.index + end[0].length;
    const isLast = matchAt(callEnd, text, after) !== null || text.slice(after, after + MOST_BLANKS).trim() === "";
    if (isLast || matchAt(opening, text, after) !== null) return end;
  }
  return undefined;
}

/** Blank characters after a value that are looked at. */
const MOST_BLANKS = 200;

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function closedBy(text: string, reading: CallReading | undefined, closing: RegExp): CallReading | undefined {
  if (reading === undefined) return undefined;
  const close = matchAt(closing, text, reading.end);
  if (close !== null) return { ...reading, end: reading.end + close[0].length };
  // Servers often take the model's last token away.
  return text.slice(reading.end).trim() === "" ? { ...reading, end: text.length } : undefined;
}

function skip(pattern: RegExp, text: string, at: number): number {
  return at + (matchAt(pattern, text, at)?.[0].length ?? 0);
}
