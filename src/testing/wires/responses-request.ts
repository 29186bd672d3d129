/** Requests of OpenAI's Responses API: schema and parser. It has a flat list of items instead of messages. */

import { EFFORTS } from "../../route.ts";
import { present } from "../../values/present.ts";
import { fieldsOf } from "../../values/record.ts";
import { type JsonFields, joinedText, listOf, numberIn, parsedJson, stringIn, textOf } from "../json-fields.ts";
import { createTranscript, type RequestContent, type RequestTool, type Transcript } from "../model-request.ts";
import { imageInUrl } from "../request-images.ts";
import { anyOf, type ExtraFields, requestIssue, type Shape } from "../shape.ts";
import { isSignatureOf } from "../turn.ts";
import type { WireError } from "../wire-format.ts";
import { imageError, invalidParameter, openAiIssue } from "./openai-errors.ts";

const CONTENT: Shape = {
  textOr: {
    each: {
      by: "type",
      kinds: {
        input_text: { fields: anyOf("type", "text", "prompt_cache_breakpoint"), required: ["text"] },
        input_image: {
          fields: {
            ...anyOf("type", "file_id", "image_url", "prompt_cache_breakpoint"),
            detail: { values: ["auto", "low", "high", "original"] },
          },
        },
        input_file: {
          fields: anyOf("type", "file_data", "file_id", "file_url", "filename", "detail", "prompt_cache_breakpoint"),
        },
        output_text: { fields: anyOf("type", "text", "annotations", "logprobs"), required: ["text"] },
        refusal: { fields: anyOf("type", "refusal"), required: ["refusal"] },
      },
    },
  },
};

const ITEM: Shape = {
  by: "type",
  otherwise: "message",
  kinds: {
    message: {
      fields: {
        ...anyOf("type", "id", "status", "phase"),
        role: { values: ["user", "assistant", "system", "developer"] },
        content: CONTENT,
      },
      required: ["role", "content"],
    },
    function_call: {
      fields: anyOf("type", "id", "call_id", "name", "arguments", "status", "namespace", "caller"),
      required: ["call_id", "name", "arguments"],
    },
    function_call_output: {
      fields: { ...anyOf("type", "id", "call_id", "status", "caller"), output: CONTENT },
      required: ["call_id", "output"],
    },
    reasoning: {
      fields: anyOf("type", "id", "summary", "content", "encrypted_content"),
      required: ["id", "summary"],
    },
    item_reference: { fields: anyOf("type", "id"), required: ["id"] },
  },
};

const FUNCTION: Shape = {
  fields: anyOf("type", "name", "description", "parameters", "strict", "defer_loading", "allowed_callers"),
  required: ["name", "parameters"],
};

const TOOL: Shape = {
  by: "type",
  kinds: {
    function: FUNCTION,
    namespace: {
      fields: { ...anyOf("type", "name", "description"), tools: { each: FUNCTION } },
      required: ["name", "tools"],
    },
    ...anyOf("custom", "web_search", "file_search", "code_interpreter", "mcp", "image_generation", "tool_search"),
  },
};

const REQUEST: Shape = {
  fields: {
    ...anyOf("access_programs", "background", "context_management", "conversation", "image", "include"),
    ...anyOf("instructions", "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation"),
    ...anyOf("parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options"),
    ...anyOf("prompt_cache_retention", "safety_identifier", "service_tier", "store", "stream", "stream_options"),
    ...anyOf("temperature", "tool_choice", "top_logprobs", "top_p", "truncation", "user"),
    text: { fields: anyOf("format", "verbosity") },
    reasoning: {
      fields: {
        ...anyOf("summary", "generate_summary", "mode", "context"),
        effort: { values: EFFORTS },
      },
    },
    input: { textOr: { each: ITEM } },
    tools: { each: TOOL },
  },
  required: ["model", "input"],
};

/** Stored items that this server sent, by id, so that a request can refer to them. */
export type StoredItems = ReadonlyMap<string, JsonFields>;

export function checkResponsesRequest(
  body: JsonFields,
  extra: ExtraFields,
  stored: StoredItems,
): WireError | undefined {
  const issue = requestIssue(body, REQUEST, extra);
  if (issue) return openAiIssue(issue);
  if (typeof body.previous_response_id === "string") {
    return invalidParameter(
      `Previous response with id '${body.previous_response_id}' not found.`,
      "previous_response_id",
    );
  }
  return checkItems(listOf(body.input), stored) ?? checkImages(listOf(body.input));
}

/** Images are allowed in user messages and tool outputs, and must match their declared type. */
function checkImages(items: JsonFields[]): WireError | undefined {
  for (const [index, { role, content, output }] of items.entries()) {
    const parts = [...listOf(content), ...listOf(output)].filter(({ type }) => type === "input_image");
    if (parts.length > 0 && role === "assistant") {
      return invalidParameter(
        "Invalid value: 'input_image'. Supported values are: 'output_text' and 'refusal'.",
        `input[${index}].content[0]`,
      );
    }
    for (const { image_url: url, file_id: fileId } of parts) {
      if (typeof url !== "string" && typeof fileId !== "string") {
        return invalidParameter(
          "Invalid input image. Expected an 'image_url' or a 'file_id'.",
          `input[${index}].content`,
        );
      }
      const error = typeof url === "string" ? imageError(url) : undefined;
      if (error) return error;
    }
  }
  return undefined;
}

function imageUrls(content: unknown): string[] {
  return listOf(content).flatMap(({ type, image_url }) =>
    type === "input_image" && typeof image_url === "string" ? [image_url] : [],
  );
}

/** Every call must have an output and every output a call; references and reasoning must come from this server. */
function checkItems(items: JsonFields[], stored: StoredItems): WireError | undefined {
  const open = new Set<string>();
  for (const item of items) {
    if (item.type === "item_reference" && !stored.has(textOf(item.id))) {
      return { ...invalidParameter(`Item with id '${textOf(item.id)}' not found.`, "input"), status: 404 };
    }
    const { type, call_id, encrypted_content, id } = referred(item, stored);
    if (type === "function_call") open.add(textOf(call_id));
    if (type === "function_call_output" && !open.delete(textOf(call_id))) {
      return invalidParameter(`No tool call found for function call output with call_id ${textOf(call_id)}.`, "input");
    }
    if (typeof encrypted_content === "string" && !isSignatureOf(encrypted_content, textOf(id))) {
      return {
        ...invalidParameter(`The encrypted content for item ${textOf(id)} could not be verified.`, "input"),
        code: "invalid_encrypted_content",
      };
    }
  }
  const [unanswered] = open;
  return unanswered === undefined
    ? undefined
    : invalidParameter(`No tool output found for function call ${unanswered}.`, "input");
}

function referred(item: JsonFields, stored: StoredItems): JsonFields {
  return item.type === "item_reference" ? (stored.get(textOf(item.id)) ?? item) : item;
}

export function readResponsesRequest(body: JsonFields, stored: StoredItems): RequestContent {
  const transcript = createTranscript();
  const system = [textOf(body.instructions)];
  if (typeof body.input === "string") transcript.user(body.input);
  for (const item of listOf(body.input)) readItem(referred(item, stored), transcript, system);
  return {
    system: system.filter((text) => text !== "").join("\n\n"),
    messages: transcript.messages,
    tools: listOf(body.tools).flatMap((tool) =>
      tool.type === "namespace" ? functionsOf(tool.tools, textOf(tool.name)) : functionsOf([tool]),
    ),
    effort: stringIn(fieldsOf(body.reasoning).effort),
    maxTokens: numberIn(body.max_output_tokens),
  };
}

function functionsOf(tools: unknown, namespace?: string): RequestTool[] {
  return listOf(tools)
    .filter(({ type }) => type === "function")
    .map(({ name, description, parameters }) => ({
      name: textOf(name),
      ...present({ namespace }),
      description: textOf(description),
      schema: parameters,
    }));
}

function readItem(item: JsonFields, transcript: Transcript, system: string[]): void {
  switch (item.type ?? "message") {
    case "message":
      if (item.role === "user") transcript.user(joinedText(item.content), imageUrls(item.content).map(imageInUrl));
      else if (item.role === "assistant") transcript.assistant(joinedText(item.content));
      else system.push(joinedText(item.content));
      return;
    case "function_call":
      transcript.toolCall({
        id: textOf(item.call_id),
        name: textOf(item.name),
        input: parsedJson(textOf(item.arguments)),
      });
      return;
    case "function_call_output":
      transcript.toolResult({ id: textOf(item.call_id), text: joinedText(item.output) });
  }
}
