/** What vendors reject of a conversation, each in the words of one of them. */
import { fieldsOf, isRecord } from "../../values/record.ts";
import { type JsonFields, listOf, parsedJson, textOf } from "../json-fields.ts";
import type { RequestRule } from "./vendor-api.ts";

// Chat Completions ----------------------------------------------------------------------------------------------------

function saidBy(role: string, { messages }: JsonFields): { message: JsonFields; index: number }[] {
  return listOf(messages)
    .map((message, index) => ({ message, index }))
    .filter(({ message }) => message.role === role);
}

function rolesOf({ messages }: JsonFields): string[] {
  return listOf(messages).map(({ role }) => textOf(role));
}

/** An assistant message with tool calls needs its reasoning. @param isEnough for its value */
export function reasoningBeforeCalls(
  isEnough: (reasoning: string) => boolean,
  words: (index: number) => string,
): RequestRule {
  return (body) => {
    const missing = saidBy("assistant", body).find(
      ({ message: { tool_calls: calls, reasoning_content: reasoning } }) =>
        calls !== undefined && !(typeof reasoning === "string" && isEnough(reasoning)),
    );
    return missing && words(missing.index);
  };
}

/** Fields that an assistant message must not have. */
export function noMessageFields(
  fields: readonly string[],
  words: (index: number, field: string) => string,
): RequestRule {
  return (body) => {
    for (const { message, index } of saidBy("assistant", body)) {
      const field = fields.find((name) => name in message);
      if (field !== undefined) return words(index, field);
    }
    return undefined;
  };
}

/** Fields that a request must not have. @param models those that reject them; default: all */
export function noFields(fields: readonly string[], words: (field: string) => string, models = /^/): RequestRule {
  return (body, model) => {
    const field = fields.find((name) => body[name] !== undefined);
    return field !== undefined && models.test(model) ? words(field) : undefined;
  };
}

/** A mark for the cache belongs into a part of a tool message's content. */
export const noMarkBesideResults: RequestRule = (body) => {
  const wrong = saidBy("tool", body).find(({ message }) => message.cache_control !== undefined);
  return wrong && `messages.${wrong.index}: unexpected cache_control`;
};

/** @param models those with a cache of prompts */
export function cachePointsOf(models: RegExp): RequestRule {
  return ({ system, messages }, model) => {
    const blocks = [...listOf(system), ...listOf(messages).flatMap(({ content }) => listOf(content))];
    const points = blocks.filter(({ cachePoint }) => cachePoint !== undefined).length;
    if (points > 4) return `Found ${points} cache points; a request can have at most 4.`;
    if (points === 0 || models.test(model)) return undefined;
    return "You invoked an unsupported model or your request did not allow prompt caching. See the documentation.";
  };
}

export function callIds(form: RegExp, words: (id: string) => string): RequestRule {
  return (body) => {
    const ids = saidBy("assistant", body).flatMap(({ message }) =>
      listOf(message.tool_calls).map(({ id }) => textOf(id)),
    );
    const wrong = ids.find((id) => !form.test(id));
    return wrong === undefined ? undefined : words(wrong);
  };
}

/** The arguments of a call must be the text of a JSON object. */
export function objectArguments(words: string): RequestRule {
  return (body) => {
    const calls = saidBy("assistant", body).flatMap(({ message }) => listOf(message.tool_calls));
    return calls.every((call) => isRecord(parsedJson(textOf(fieldsOf(call.function).arguments)))) ? undefined : words;
  };
}

/** A user message must not follow one of these roles. */
export function noUserAfter(role: string, words: string, models = /^/): RequestRule {
  return (body, model) => {
    const isFound = rolesOf(body).some((one, index, roles) => one === "user" && roles[index - 1] === role);
    return isFound && models.test(model) ? words : undefined;
  };
}

export function noAssistantLast(words: string): RequestRule {
  return (body) => (rolesOf(body).at(-1) === "assistant" ? words : undefined);
}

export function noEmptyAssistant(words: (index: number) => string): RequestRule {
  return (body) => {
    const empty = saidBy("assistant", body).find(
      ({ message: { content, tool_calls: calls } }) =>
        calls === undefined && (content === "" || content === null || content === undefined),
    );
    return empty && words(empty.index);
  };
}

/** Without tool calls, an assistant message has a text, if an empty one. */
export function noMissingContent(words: (index: number) => string): RequestRule {
  return (body) => {
    const missing = saidBy("assistant", body).find(
      ({ message: { content, tool_calls: calls } }) =>
        calls === undefined && (content === null || content === undefined),
    );
    return missing && words(missing.index);
  };
}

export function systemFirst(words: string, models = /^/): RequestRule {
  return (body, model) => (rolesOf(body).lastIndexOf("system") > 0 && models.test(model) ? words : undefined);
}

/** The first tool call of each answer needs the signature that it came with. */
export const signedCalls: RequestRule = (body, model) => {
  if (!/gemini-3/.test(model)) return undefined;
  const unsigned = saidBy("assistant", body).find(({ message }) => {
    const [first] = listOf(message.tool_calls);
    return first !== undefined && textOf(fieldsOf(fieldsOf(first.extra_content).google).thought_signature) === "";
  });
  return unsigned && "Function call is missing a thought_signature in functionCall parts.";
};

/** Keywords that the parameters of tools may have, at any depth. */
export function schemaKeywords(allowed: readonly string[], words: (keyword: string) => string): RequestRule {
  return ({ tools }) => {
    const schemas = listOf(tools).map((tool) => fieldsOf(tool.function).parameters);
    const [unknown] = schemas.flatMap((schema) => keywordsIn(schema).filter((keyword) => !allowed.includes(keyword)));
    return unknown === undefined ? undefined : words(unknown);
  };
}

function keywordsIn(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keywordsIn);
  if (!isRecord(schema)) return [];
  const { properties, ...rest } = schema;
  return [
    ...Object.keys(schema),
    ...Object.values(fieldsOf(properties)).flatMap(keywordsIn),
    ...["items", "anyOf"].flatMap((name) => keywordsIn(rest[name])),
  ];
}

/** Alternatives must have the type themselves, not next to them. */
export const typesInAlternatives: RequestRule = ({ tools }) => {
  const schemas = listOf(tools).map((tool) => fieldsOf(tool.function).parameters);
  return schemas.some(hasTypeBesideAlternatives)
    ? "tools.function.parameters is not a valid moonshot flavored json schema, details: when using anyOf, type should " +
        "be defined in anyOf items instead of the parent schema"
    : undefined;
};

function hasTypeBesideAlternatives(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasTypeBesideAlternatives);
  if (!isRecord(schema)) return false;
  return (
    (schema.anyOf !== undefined && schema.type !== undefined) || Object.values(schema).some(hasTypeBesideAlternatives)
  );
}

// Messages ------------------------------------------------------------------------------------------------------------

function answersIn({ messages }: JsonFields): { blocks: JsonFields[]; index: number }[] {
  return listOf(messages)
    .map(({ role, content }, index) => ({ role, content, index }))
    .filter(({ role, content }) => role === "assistant" && typeof content !== "string")
    .map(({ content, index }) => ({ blocks: listOf(content), index }));
}

export const noEmptyContent: RequestRule = (body) => {
  const empty = answersIn(body).find(({ blocks }) => blocks.length === 0);
  return empty && `messages.${empty.index}: all messages must have non-empty content`;
};

export const toolUseIds: RequestRule = (body) => {
  for (const { blocks, index } of answersIn(body)) {
    const at = blocks.findIndex(({ type, id }) => type === "tool_use" && !/^[a-zA-Z0-9_-]+$/.test(textOf(id)));
    if (at >= 0) return `messages.${index}.content.${at}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`;
  }
  return undefined;
};

export const toolUseInputs: RequestRule = (body) => {
  for (const { blocks, index } of answersIn(body)) {
    const at = blocks.findIndex(({ type, input }) => type === "tool_use" && !isRecord(input));
    if (at >= 0) return `messages.${index}.content.${at}.tool_use.input: Input should be a valid dictionary`;
  }
  return undefined;
};

/** With tool calls, an answer begins with its thinking. */
export const thinkingBeforeCalls: RequestRule = (body) => {
  const isMissing = answersIn(body).some(
    ({ blocks }) => blocks.some(({ type }) => type === "tool_use") && blocks[0]?.type !== "thinking",
  );
  return isMissing ? "The `content[].thinking` in the thinking mode must be passed back to the API." : undefined;
};

/** Fields that a tool must not have. */
export function noToolFields(fields: readonly string[], words: (index: number, field: string) => string): RequestRule {
  return ({ tools }) => {
    for (const [index, tool] of listOf(tools).entries()) {
      const field = fields.find((name) => tool[name] !== undefined);
      if (field !== undefined) return words(index, field);
    }
    return undefined;
  };
}

// Gemini, Converse ----------------------------------------------------------------------------------------------------

/** The place of a call whose arguments are no object, among the parts of all messages. */
function callWithoutObject(messages: unknown, partsIn: string, call: string, input: string): string | undefined {
  for (const [index, message] of listOf(messages).entries()) {
    const at = listOf(message[partsIn]).findIndex((part) => isRecord(part[call]) && !isRecord(part[call][input] ?? {}));
    if (at >= 0) return `${index}.${at}`;
  }
  return undefined;
}

export const functionCallArguments: RequestRule = ({ contents }) => {
  const at = callWithoutObject(contents, "parts", "functionCall", "args")?.split(".");
  return (
    at &&
    `Invalid value at 'contents[${at[0]}].parts[${at[1]}].function_call.args' (type.googleapis.com/google.protobuf.Struct)`
  );
};

export const toolUseObjects: RequestRule = ({ messages }) => {
  const at = callWithoutObject(messages, "content", "toolUse", "input")?.split(".");
  return (
    at &&
    `The format of the value at messages.${at[0]}.content.${at[1]}.toolUse.input is invalid. Provide a json object for ` +
      "the field and try again."
  );
};

// Responses -----------------------------------------------------------------------------------------------------------

/** Without storage, a reasoning item is known only by its encrypted content. */
export const encryptedReasoning: RequestRule = ({ input, store }) => {
  if (store !== false) return undefined;
  const unknown = listOf(input).find(
    ({ type, encrypted_content: kept }) => type === "reasoning" && (typeof kept !== "string" || kept === ""),
  );
  return (
    unknown &&
    `Item with id '${textOf(unknown.id)}' not found. Items are not persisted when \`store\` is set to false. ` +
      "Try again with `store` set to true, or remove this item from your input."
  );
};

export const noEncryptedContent: RequestRule = ({ include }, model) =>
  Array.isArray(include) && include.includes("reasoning.encrypted_content") && !/^(gpt-[5-9]|o\d|codex)/.test(model)
    ? "Encrypted content is not supported with this model."
    : undefined;

export const shortCallIds: RequestRule = ({ input }) => {
  const at = listOf(input).findIndex(({ call_id: id }) => textOf(id).length > 64);
  return at < 0
    ? undefined
    : `Invalid 'input[${at}].call_id': string too long. Expected a string with maximum length 64.`;
};
