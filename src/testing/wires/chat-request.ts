/**
 * Requests of a Chat Completions API: schema and parser. The fields are OpenAI's own, what its library adds (`parsed`),
 * and what other vendors of this format have in common (`reasoning_content`).
 */

import { EFFORTS } from "../../route.ts";
import { fieldsOf } from "../../values/record.ts";
import { type JsonFields, joinedText, listOf, numberIn, parsedJson, stringIn, textOf } from "../json-fields.ts";
import { createTranscript, type RequestContent } from "../model-request.ts";
import { imageInUrl } from "../request-images.ts";
import { anyOf, type ExtraFields, requestIssue, type Shape } from "../shape.ts";
import type { WireError } from "../wire-format.ts";
import { imageError, invalidParameter, openAiIssue } from "./openai-errors.ts";

const CONTENT_PARTS: Shape = {
  textOr: {
    each: {
      by: "type",
      kinds: {
        text: { fields: anyOf("type", "text", "cache_control"), required: ["text"] },
        image_url: {
          fields: {
            type: "any",
            image_url: { fields: { url: "any", detail: { values: ["auto", "low", "high"] } }, required: ["url"] },
          },
          required: ["image_url"],
        },
        input_audio: { fields: anyOf("type", "input_audio"), required: ["input_audio"] },
        file: { fields: anyOf("type", "file"), required: ["file"] },
        refusal: { fields: anyOf("type", "refusal"), required: ["refusal"] },
        thinking: { fields: anyOf("type", "thinking", "closed"), required: ["thinking"] },
      },
    },
  },
};

const TOOL_CALL: Shape = {
  fields: {
    ...anyOf("id", "type"),
    function: { fields: anyOf("name", "arguments", "parsed_arguments"), required: ["name", "arguments"] },
  },
  required: ["id", "type", "function"],
};

const SYSTEM_MESSAGE: Shape = {
  fields: { ...anyOf("role", "name"), content: CONTENT_PARTS },
  required: ["content"],
};

const MESSAGE: Shape = {
  by: "role",
  kinds: {
    system: SYSTEM_MESSAGE,
    developer: SYSTEM_MESSAGE,
    user: { fields: { ...anyOf("role", "name"), content: CONTENT_PARTS }, required: ["content"] },
    assistant: {
      fields: {
        ...anyOf("role", "name", "audio", "refusal", "function_call", "parsed", "reasoning_content", "reasoning"),
        content: CONTENT_PARTS,
        tool_calls: { each: TOOL_CALL },
      },
    },
    tool: {
      fields: { ...anyOf("role", "tool_call_id"), content: CONTENT_PARTS },
      required: ["content", "tool_call_id"],
    },
  },
};

const TOOL: Shape = {
  by: "type",
  kinds: {
    function: {
      fields: {
        type: "any",
        function: { fields: anyOf("name", "description", "parameters", "strict"), required: ["name"] },
      },
      required: ["function"],
    },
    custom: "any",
  },
};

const REQUEST_FIELDS: Record<string, Shape> = {
  ...anyOf("model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs"),
  ...anyOf("max_completion_tokens", "max_tokens", "metadata", "modalities", "moderation", "n", "parallel_tool_calls"),
  ...anyOf("prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
  ...anyOf("response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "temperature"),
  ...anyOf("tool_choice", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"),
  stream_options: { fields: anyOf("include_usage", "include_obfuscation") },
  reasoning_effort: { values: EFFORTS },
  messages: { each: MESSAGE },
  tools: { each: TOOL },
};

const REQUEST: Shape = { fields: REQUEST_FIELDS, required: ["messages", "model"] };

export function checkChatRequest(body: JsonFields, extra: ExtraFields): WireError | undefined {
  const isExtra = (name: string) => extra === "any" || extra.has(name);
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(REQUEST_FIELDS, name) && !isExtra(name));
  if (unknown !== undefined) {
    return {
      status: 400,
      type: "invalid_request_error",
      message: `Unrecognized request argument supplied: ${unknown}`,
    };
  }
  const issue = requestIssue(body, REQUEST, extra);
  if (issue) return openAiIssue(issue);
  return checkOrder(listOf(body.messages)) ?? checkImages(listOf(body.messages));
}

/** Images are allowed only in user messages, and must match their declared type. */
function checkImages(messages: JsonFields[]): WireError | undefined {
  for (const [index, { role, content }] of messages.entries()) {
    const urls = imageUrls(content);
    if (urls.length > 0 && role !== "user") {
      return invalidParameter(
        `Invalid 'messages[${index}]'. Image URLs are only allowed for messages with role 'user', but this message ` +
          `with role '${textOf(role)}' contains an image URL.`,
        `messages.[${index}]`,
      );
    }
    const error = urls.map(imageError).find((found) => found !== undefined);
    if (error) return error;
  }
  return undefined;
}

function imageUrls(content: unknown): string[] {
  return listOf(content).flatMap(({ type, image_url }) =>
    type === "image_url" ? [textOf(fieldsOf(image_url).url)] : [],
  );
}

/** The results of tool calls must follow them directly, one for each call. */
function checkOrder(messages: JsonFields[]): WireError | undefined {
  if (messages.length === 0) {
    return invalidParameter("Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages");
  }
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const param = `messages.[${index}].role`;
    if (message.role === "tool") {
      if (open.delete(textOf(message.tool_call_id))) continue;
      return invalidParameter(
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
        param,
      );
    }
    if (open.size > 0) return unanswered(open, param);
    open = new Set(listOf(message.tool_calls).map(({ id }) => textOf(id)));
  }
  return open.size > 0 ? unanswered(open, `messages.[${messages.length}].role`) : undefined;
}

function unanswered(open: Set<string>, param: string): WireError {
  return invalidParameter(
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
      `The following tool_call_ids did not have response messages: ${[...open].join(", ")}`,
    param,
  );
}

export function readChatRequest(body: JsonFields): RequestContent {
  const transcript = createTranscript();
  const system: string[] = [];
  for (const message of listOf(body.messages)) {
    if (message.role === "system" || message.role === "developer") system.push(joinedText(message.content));
    else if (message.role === "user") {
      transcript.user(joinedText(message.content), imageUrls(message.content).map(imageInUrl));
    } else if (message.role === "tool") {
      transcript.toolResult({ id: textOf(message.tool_call_id), text: joinedText(message.content) });
    } else {
      transcript.assistant(joinedText(message.content));
      for (const call of listOf(message.tool_calls)) {
        const { name, arguments: written } = fieldsOf(call.function);
        transcript.toolCall({ id: textOf(call.id), name: textOf(name), input: parsedJson(textOf(written)) });
      }
    }
  }
  return {
    system: system.join("\n\n"),
    messages: transcript.messages,
    tools: listOf(body.tools).map((tool) => {
      const { name, description, parameters } = fieldsOf(tool.function);
      return { name: textOf(name), description: textOf(description), schema: parameters };
    }),
    effort: stringIn(body.reasoning_effort) ?? stringIn(fieldsOf(body.reasoning).effort),
    maxTokens: numberIn(body.max_completion_tokens) ?? numberIn(body.max_tokens),
  };
}
