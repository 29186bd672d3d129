/**
 * Requests of Anthropic's Messages API: schema and parser. It is the strictest of the four: an unknown field is
 * rejected at any depth, a tool call must be answered in the very next message, and signatures are checked.
 */
import type { IncomingHttpHeaders } from "node:http";
import { fieldsOf } from "../../values/record.ts";
import { type JsonFields, joinedText, listOf, numberIn, stringIn, textOf } from "../json-fields.ts";
import { createTranscript, type RequestContent } from "../model-request.ts";
import { bytesOfBase64, type RequestImage, typeInBase64 } from "../request-images.ts";
import { anyOf, type ExtraFields, requestIssue, type Shape, type ShapeIssue } from "../shape.ts";
import { isSignatureOf } from "../turn.ts";
import type { WireError } from "../wire-format.ts";

const TEXT_BLOCK: Shape = { fields: anyOf("type", "text", "cache_control", "citations"), required: ["text"] };
const IMAGE_TAGS = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const IMAGE_BLOCK: Shape = {
  fields: {
    ...anyOf("type", "cache_control"),
    source: {
      by: "type",
      tagInPath: true,
      kinds: {
        base64: {
          fields: { ...anyOf("type", "data"), media_type: { values: IMAGE_TAGS } },
          required: ["media_type", "data"],
        },
        url: { fields: anyOf("type", "url"), required: ["url"] },
        file: { fields: anyOf("type", "file_id"), required: ["file_id"] },
      },
    },
  },
  required: ["source"],
};
/** Bytes of base64. */
const MAX_IMAGE = 5 * 1024 * 1024;
const DOCUMENT_BLOCK: Shape = {
  fields: anyOf("type", "source", "title", "context", "citations", "cache_control"),
  required: ["source"],
};

const RESULT_CONTENT: Shape = {
  textOr: {
    each: {
      by: "type",
      tagInPath: true,
      kinds: {
        text: TEXT_BLOCK,
        image: IMAGE_BLOCK,
        document: DOCUMENT_BLOCK,
        ...anyOf("search_result", "tool_reference"),
      },
    },
  },
};

const CONTENT: Shape = {
  textOr: {
    each: {
      by: "type",
      tagInPath: true,
      kinds: {
        text: TEXT_BLOCK,
        image: IMAGE_BLOCK,
        document: DOCUMENT_BLOCK,
        thinking: { fields: anyOf("type", "thinking", "signature"), required: ["thinking"] },
        redacted_thinking: { fields: anyOf("type", "data"), required: ["data"] },
        tool_use: {
          fields: anyOf("type", "id", "name", "input", "cache_control", "caller"),
          required: ["id", "name", "input"],
        },
        tool_result: {
          fields: { ...anyOf("type", "tool_use_id", "is_error", "cache_control"), content: RESULT_CONTENT },
          required: ["tool_use_id"],
        },
      },
    },
  },
};

const MESSAGE: Shape = {
  fields: { role: { values: ["user", "assistant", "system"] }, content: CONTENT },
  required: ["role", "content"],
};

const TOOL: Shape = {
  by: "type",
  otherwise: "custom",
  tagInPath: true,
  kinds: {
    custom: {
      fields: anyOf(
        ...["type", "name", "description", "input_schema", "cache_control", "strict", "defer_loading"],
        ...["eager_input_streaming", "allowed_callers", "input_examples"],
      ),
      required: ["name", "input_schema"],
    },
  },
};

const THINKING: Shape = {
  by: "type",
  tagInPath: true,
  kinds: {
    enabled: { fields: anyOf("type", "budget_tokens", "display"), required: ["budget_tokens"] },
    adaptive: { fields: anyOf("type", "display", "block_binding") },
    between_tools: { fields: anyOf("type", "display", "block_binding") },
    disabled: { fields: anyOf("type") },
  },
};

const REQUEST_FIELDS: Record<string, Shape> = {
  ...anyOf("max_tokens", "model", "cache_control", "container", "diagnostics", "inference_geo", "metadata"),
  ...anyOf("service_tier", "speed", "stop_sequences", "stream", "temperature", "top_k"),
  ...anyOf("tool_choice", "top_p", "user_profile_id", "workspace_id"),
  messages: { each: MESSAGE },
  system: { textOr: { each: TEXT_BLOCK } },
  thinking: THINKING,
  output_config: {
    fields: { ...anyOf("format", "task_budget"), effort: { values: ["low", "medium", "high", "xhigh", "max"] } },
  },
  tools: { each: TOOL },
};

const REQUEST: Shape = { fields: REQUEST_FIELDS, required: ["model", "messages", "max_tokens"] };

/** Valid only in a request that names a beta in its `anthropic-beta` header. */
const BETA_FIELDS = ["context_management", "mcp_servers", "output_format", "fallbacks", "compaction", "thread"];

const LEAST_THINKING_BUDGET = 1024;

/**
 * Signatures of thinking: only this server's own are accepted (Anthropic), or anything is, and they are sent (`unchecked`)
 * or not (`none`).
 */
export type ThinkingSignatures = "verified" | "unchecked" | "none";

export function checkMessagesRequest(
  body: JsonFields,
  headers: IncomingHttpHeaders,
  extra: ExtraFields,
  signatures: ThinkingSignatures,
): WireError | undefined {
  if (headers["anthropic-version"] === undefined) return invalidRequest("anthropic-version: header is required");
  const issue = requestIssue(body, REQUEST, withBetas(headers, extra));
  if (issue) return invalidRequest(issueText(issue));
  return checkThinking(body) ?? checkMessages(listOf(body.messages), signatures === "verified");
}

function withBetas(headers: IncomingHttpHeaders, extra: ExtraFields): ExtraFields {
  return extra === "any" || headers["anthropic-beta"] === undefined ? extra : new Set([...extra, ...BETA_FIELDS]);
}

export function invalidRequest(message: string): WireError {
  return { status: 400, type: "invalid_request_error", message };
}

function issueText({ path, kind, expected }: ShapeIssue): string {
  const where = path.join(".");
  switch (kind) {
    case "unknown":
      return `${where}: Extra inputs are not permitted`;
    case "missing":
      return `${where}: Field required`;
    case "value":
      return `${where}: Input should be ${expected.map((value) => `'${value}'`).join(" or ")}`;
    default:
      return kind satisfies never;
  }
}

function checkThinking(body: JsonFields): WireError | undefined {
  const { type, budget_tokens: budget } = fieldsOf(body.thinking);
  if (type === undefined || type === "disabled") return undefined;
  if (typeof budget === "number") {
    if (budget < LEAST_THINKING_BUDGET) {
      return invalidRequest(
        `thinking.enabled.budget_tokens: Input should be greater than or equal to ${LEAST_THINKING_BUDGET}`,
      );
    }
    if (budget >= Number(body.max_tokens)) {
      return invalidRequest("`max_tokens` must be greater than `thinking.budget_tokens`.");
    }
  }
  if (body.temperature !== undefined && body.temperature !== 1) {
    return invalidRequest("`temperature` may only be set to 1 when thinking is enabled.");
  }
  const choice = fieldsOf(body.tool_choice).type;
  if (choice === "any" || choice === "tool") {
    return invalidRequest("Thinking may not be enabled when tool_choice forces tool use.");
  }
  return undefined;
}

function checkMessages(messages: JsonFields[], areSigned: boolean): WireError | undefined {
  if (messages.length === 0) return invalidRequest("messages: at least one message is required");
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    const error = checkBlocks(blocksOf(message), open, index, areSigned) ?? checkImages(message, index);
    if (error) return error;
    if (open.size > 0) return unanswered(open, index - 1);
    open = new Set(callIds(message));
  }
  return open.size > 0 ? unanswered(open, messages.length - 1) : undefined;
}

/** Images are allowed in user content, within a size limit, and must match their declared type. */
function checkImages(message: JsonFields, index: number): WireError | undefined {
  for (const [position, { type, source }] of blocksOf(message).entries()) {
    if (type !== "image") continue;
    const where = `messages.${index}.content.${position}.image`;
    if (message.role !== "user")
      return invalidRequest(`${where}: image blocks are not permitted in ${message.role} turns`);
    const { type: kind, data, media_type: said, url } = fieldsOf(source);
    if (kind === "url" && !/^https?:/.test(textOf(url)))
      return invalidRequest(`${where}.source.url.url: Only HTTP and HTTPS URLs are supported`);
    if (kind !== "base64") continue;
    const error = bytesError(textOf(data), textOf(said));
    if (error !== undefined) return invalidRequest(`${where}.source.base64${error}`);
  }
  return undefined;
}

function bytesError(base64: string, said: string): string | undefined {
  if (base64.length > MAX_IMAGE) return `: image exceeds 5 MB maximum: ${base64.length} bytes > ${MAX_IMAGE} bytes`;
  if (bytesOfBase64(base64) === undefined) return ".data: Input should be a valid base64 string";
  const found = typeInBase64(base64);
  if (found === undefined) return ".data: Could not process image";
  if (found === said) return undefined;
  return `.data: The image was specified using the ${said} media type, but the image appears to be a ${found} image`;
}

function callIds(message: JsonFields): string[] {
  return blocksOf(message)
    .filter(({ type }) => type === "tool_use")
    .map(({ id }) => textOf(id));
}

/** Removes answered calls from `open`. */
function checkBlocks(
  blocks: JsonFields[],
  open: Set<string>,
  index: number,
  areSigned: boolean,
): WireError | undefined {
  for (const [position, block] of blocks.entries()) {
    if (block.type === "text" && textOf(block.text).trim() === "") {
      return invalidRequest("messages: text content blocks must be non-empty");
    }
    if (block.type === "thinking" && areSigned && block.signature === undefined) {
      return invalidRequest(`messages.${index}.content.${position}.thinking.signature: Field required`);
    }
    if (block.type === "thinking" && areSigned && !isSignatureOf(block.signature, textOf(block.thinking))) {
      return invalidRequest(`messages.${index}.content.${position}: Invalid \`signature\` in \`thinking\` block`);
    }
    if (block.type === "tool_result" && !open.delete(textOf(block.tool_use_id))) {
      return invalidRequest(
        `messages.${index}.content.${position}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ` +
          `${textOf(block.tool_use_id)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block ` +
          "in the previous message.",
      );
    }
  }
  return undefined;
}

function unanswered(open: Set<string>, index: number): WireError {
  return invalidRequest(
    `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
      `${[...open].join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the ` +
      "next message.",
  );
}

function blocksOf({ content }: JsonFields): JsonFields[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : listOf(content);
}

export function readMessagesRequest(body: JsonFields): RequestContent {
  const transcript = createTranscript();
  const system = [joinedText(body.system)];
  for (const message of listOf(body.messages)) {
    const blocks = blocksOf(message);
    const text = joinedText(blocks.filter(({ type }) => type === "text"));
    if (message.role === "system") system.push(text);
    else if (message.role === "assistant") {
      const used = blocks.filter(({ type }) => type === "tool_use");
      const calls = used.map(({ id, name, input }) => ({ id: textOf(id), name: textOf(name), input }));
      transcript.answer({ text, calls });
    } else {
      const given = blocks.filter(({ type }) => type === "tool_result");
      const results = given.map(({ tool_use_id: id, content }) => ({ id: textOf(id), text: joinedText(content) }));
      const images = blocks.flatMap(({ type, source }) => (type === "image" ? [imageOf(fieldsOf(source))] : []));
      transcript.request({ text, results, images });
    }
  }
  return {
    system: system.filter((text) => text !== "").join("\n\n"),
    messages: transcript.messages,
    tools: listOf(body.tools).map(({ name, description, input_schema }) => ({
      name: textOf(name),
      description: textOf(description),
      schema: input_schema,
    })),
    effort: stringIn(fieldsOf(body.output_config).effort),
    thinkingBudget: numberIn(fieldsOf(body.thinking).budget_tokens),
    maxTokens: numberIn(body.max_tokens),
  };
}

function imageOf({ media_type: mediaType, data, url }: JsonFields): RequestImage {
  return typeof url === "string" ? { url } : { mediaType: textOf(mediaType), base64: textOf(data) };
}
