/**
 * Requests of Amazon Bedrock's Converse API: schema and parser.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
import { pathText } from "../../values/key-path.ts";
import { fieldsOf, isRecord } from "../../values/record.ts";
import { type JsonFields, joinedText, listOf, numberIn, stringIn, textOf } from "../json-fields.ts";
import { createTranscript, type RequestContent } from "../model-request.ts";
import { anyOf, type ExtraFields, requestIssue, type Shape } from "../shape.ts";
import { isSignatureOf } from "../turn.ts";
import type { WireError } from "../wire-format.ts";

const BLOCK: Shape = {
  fields: {
    ...anyOf("text", "image", "document", "video", "audio", "cachePoint", "guardContent", "citationsContent"),
    toolUse: { fields: anyOf("toolUseId", "name", "input", "type"), required: ["toolUseId", "name"] },
    toolResult: {
      fields: { ...anyOf("toolUseId", "status", "type"), content: { each: "any" } },
      required: ["toolUseId", "content"],
    },
    reasoningContent: {
      fields: {
        reasoningText: { fields: anyOf("text", "signature"), required: ["text"] },
        redactedContent: "any",
      },
    },
  },
};

const REQUEST: Shape = {
  fields: {
    ...anyOf("additionalModelRequestFields", "additionalModelResponseFieldPaths", "guardrailConfig", "outputConfig"),
    ...anyOf("performanceConfig", "promptVariables", "requestMetadata", "serviceTier"),
    messages: {
      each: {
        fields: { role: { values: ["user", "assistant"] }, content: { each: BLOCK } },
        required: ["role", "content"],
      },
    },
    system: { each: { fields: anyOf("text", "guardContent", "cachePoint") } },
    inferenceConfig: { fields: anyOf("maxTokens", "temperature", "topP", "stopSequences") },
    toolConfig: {
      fields: {
        toolChoice: "any",
        tools: {
          each: {
            fields: {
              ...anyOf("systemTool", "cachePoint"),
              toolSpec: {
                fields: anyOf("name", "description", "inputSchema", "strict"),
                required: ["name", "inputSchema"],
              },
            },
          },
        },
      },
      required: ["tools"],
    },
  },
  required: ["messages"],
};

export function checkConverseRequest(body: JsonFields, extra: ExtraFields): WireError | undefined {
  const issue = requestIssue(body, REQUEST, extra);
  if (issue) return validation(`Unexpected value at '${pathText(issue.path)}' of the request.`);
  const messages = listOf(body.messages);
  const usesTools = messages.some((message) => blocksOf(message).some(({ toolUse }) => toolUse !== undefined));
  if (usesTools && body.toolConfig === undefined) {
    return validation("The toolConfig field must be defined when using toolUse and toolResult content blocks.");
  }
  return checkTurns(messages) ?? checkBlocks(messages);
}

export function validation(message: string): WireError {
  return { status: 400, type: "ValidationException", message };
}

/** Turns alternate, beginning with the user's; the results of all calls of a turn are in the next one. */
function checkTurns(messages: JsonFields[]): WireError | undefined {
  if (messages[0]?.role !== "user") {
    return validation("A conversation must start with a user message. Try again with a conversation that does.");
  }
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    if (message.role === messages[index - 1]?.role) {
      return validation(
        "A conversation must alternate between user and assistant roles. Make sure the conversation alternates " +
          "between user and assistant roles and try again.",
      );
    }
    const answered = idsIn(message, "toolResult");
    const missing = open.filter((id) => !answered.includes(id));
    if (missing.length > 0) {
      return validation(`Expected toolResult blocks at messages.${index}.content for the following Ids: ${missing}`);
    }
    if (answered.some((id) => !open.includes(id))) {
      return validation(
        `The number of toolResult blocks at messages.${index}.content exceeds the number of toolUse blocks of ` +
          "previous turn.",
      );
    }
    open = idsIn(message, "toolUse");
  }
  return undefined;
}

function checkBlocks(messages: JsonFields[]): WireError | undefined {
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message);
    if (blocks.length === 0) {
      return validation(
        `The content field in the Message object at messages.${index} is empty. Add a ContentBlock object to the ` +
          "content field and try again.",
      );
    }
    for (const [position, { text, toolUse, reasoningContent }] of blocks.entries()) {
      const where = `messages.${index}.content.${position}`;
      if (text !== undefined && textOf(text).trim() === "") {
        return validation(
          `The text field in the ContentBlock object at ${where} is blank. Add text to the text field, and try again.`,
        );
      }
      if (toolUse !== undefined && !/^[a-zA-Z0-9_-]{1,64}$/.test(textOf(fieldsOf(toolUse).toolUseId))) {
        return validation(
          `Value at '${where}.toolUse.toolUseId' failed to satisfy constraint: Member must satisfy regular ` +
            "expression pattern: [a-zA-Z0-9_-]+",
        );
      }
      const { reasoningText } = fieldsOf(reasoningContent);
      const { text: thought, signature } = fieldsOf(reasoningText);
      if (reasoningText !== undefined && !isSignatureOf(signature, textOf(thought))) {
        return validation(
          `The model returned the following errors: ${where}: Invalid \`signature\` in \`thinking\` block`,
        );
      }
    }
  }
  return undefined;
}

function blocksOf({ content }: JsonFields): JsonFields[] {
  return listOf(content);
}

function idsIn(message: JsonFields, kind: "toolUse" | "toolResult"): string[] {
  return blocksOf(message)
    .map((block) => block[kind])
    .filter(isRecord)
    .map(({ toolUseId }) => textOf(toolUseId));
}

export function readConverseRequest(body: JsonFields): RequestContent {
  const transcript = createTranscript();
  for (const message of listOf(body.messages)) {
    const blocks = blocksOf(message);
    const text = joinedText(blocks);
    if (message.role === "assistant") {
      const used = blocks.map(({ toolUse }) => toolUse).filter(isRecord);
      const calls = used.map(({ toolUseId, name, input }) => ({ id: textOf(toolUseId), name: textOf(name), input }));
      transcript.answer({ text, calls });
    } else {
      const given = blocks.map(({ toolResult }) => toolResult).filter(isRecord);
      const results = given.map(({ toolUseId, content }) => ({ id: textOf(toolUseId), text: joinedText(content) }));
      transcript.request({ text, results });
    }
  }
  const fields = fieldsOf(body.additionalModelRequestFields);
  return {
    system: joinedText(body.system),
    messages: transcript.messages,
    tools: listOf(fieldsOf(body.toolConfig).tools)
      .map(({ toolSpec }) => toolSpec)
      .filter(isRecord)
      .map(({ name, description, inputSchema }) => ({
        name: textOf(name),
        description: textOf(description),
        schema: fieldsOf(inputSchema).json,
      })),
    effort: stringIn(fieldsOf(fields.output_config).effort) ?? stringIn(fields.reasoning_effort),
    thinkingBudget: numberIn(fieldsOf(fields.thinking).budget_tokens),
    maxTokens: numberIn(fieldsOf(body.inferenceConfig).maxTokens),
  };
}
