/**
 * Requests of the Gemini API: schema and parser. Field names are the camelCase ones that its clients send. Function
 * calls have no ids here: a response belongs to the call at the same position of the previous turn.
 */

import { pathText } from "../../values/key-path.ts";
import { fieldsOf, isRecord } from "../../values/record.ts";
import { type JsonFields, joinedText, listOf, numberIn, stringIn, textOf } from "../json-fields.ts";
import { createTranscript, type RequestContent } from "../model-request.ts";
import { bytesOfBase64, type RequestImage, typeInBase64 } from "../request-images.ts";
import { anyOf, type ExtraFields, requestIssue, type Shape, type ShapeIssue } from "../shape.ts";
import { isSignatureOf } from "../turn.ts";
import type { WireError } from "../wire-format.ts";

const THINKING_LEVELS = ["minimal", "low", "medium", "high"];

const PART: Shape = {
  fields: {
    ...anyOf("text", "thought", "thoughtSignature", "executableCode"),
    inlineData: { fields: anyOf("mimeType", "data", "displayName"), required: ["mimeType", "data"] },
    fileData: { fields: anyOf("mimeType", "fileUri", "displayName"), required: ["fileUri"] },
    ...anyOf("codeExecutionResult", "videoMetadata", "mediaResolution", "toolCall", "toolResponse"),
    functionCall: { fields: anyOf("id", "name", "args", "partialArgs", "willContinue"), required: ["name"] },
    functionResponse: {
      fields: anyOf("id", "name", "response", "parts", "scheduling", "willContinue"),
      required: ["name", "response"],
    },
  },
};

const CONTENT: Shape = { fields: { role: { values: ["user", "model", "function"] }, parts: { each: PART } } };

const TOOL: Shape = {
  fields: {
    ...anyOf("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "computerUse", "fileSearch"),
    ...anyOf("googleMaps", "mcpServers"),
    functionDeclarations: {
      each: {
        fields: anyOf(
          ...["name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"],
          "behavior",
        ),
        required: ["name"],
      },
    },
  },
};

const GENERATION_CONFIG: Shape = {
  fields: {
    ...anyOf("temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "responseLogprobs"),
    ...anyOf("logprobs", "presencePenalty", "frequencyPenalty", "seed", "responseMimeType", "responseSchema"),
    ...anyOf("responseJsonSchema", "responseModalities", "mediaResolution", "speechConfig", "imageConfig"),
    ...anyOf("enableEnhancedCivicAnswers", "audioTimestamp"),
    thinkingConfig: {
      fields: {
        ...anyOf("includeThoughts", "thinkingBudget"),
        thinkingLevel: { values: THINKING_LEVELS.flatMap((level) => [level, level.toUpperCase()]) },
      },
    },
  },
};

const REQUEST: Shape = {
  fields: {
    ...anyOf("model", "safetySettings", "toolConfig", "cachedContent", "serviceTier", "store", "labels"),
    contents: { each: CONTENT },
    systemInstruction: CONTENT,
    generationConfig: GENERATION_CONFIG,
    tools: { each: TOOL },
  },
  required: ["contents"],
};

export function checkGeminiRequest(body: JsonFields, extra: ExtraFields, model: string): WireError | undefined {
  const issue = requestIssue(body, REQUEST, extra);
  if (issue) return issueError(issue);
  return checkContents(listOf(body.contents), model);
}

export function invalidArgument(message: string, details?: unknown[]): WireError {
  return { status: 400, type: "INVALID_ARGUMENT", message, ...(details && { more: { details } }) };
}

function issueError({ path, kind, found }: ShapeIssue): WireError {
  const where = snakeCase(pathText(kind === "unknown" ? path.slice(0, -1) : path));
  switch (kind) {
    case "unknown": {
      const name = path.at(-1);
      const description =
        `Invalid JSON payload received. Unknown name "${name}"${where === "" ? "" : ` at '${where}'`}: ` +
        "Cannot find field.";
      return invalidArgument(description, [violation(where, description)]);
    }
    case "missing":
      return invalidArgument(`* GenerateContentRequest.${where}: ${where.split(".").at(-1)} is not specified\n`);
    case "value": {
      const description = `Invalid value at '${where}', ${JSON.stringify(found)}`;
      return invalidArgument(description, [violation(where, description)]);
    }
    default:
      return kind satisfies never;
  }
}

function violation(field: string, description: string) {
  return { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field, description }] };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** A turn of function calls must follow a user's turn, and be followed directly by as many responses. */
function checkContents(contents: JsonFields[], model: string): WireError | undefined {
  if (contents.length === 0) return invalidArgument("* GenerateContentRequest.contents: contents is not specified\n");
  let open = 0;
  for (const [index, content] of contents.entries()) {
    const parts = listOf(content.parts);
    if (parts.length === 0) {
      return invalidArgument(`* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.\n`);
    }
    const calls = parts.filter(({ functionCall }) => isRecord(functionCall));
    const responses = parts.filter(({ functionResponse }) => isRecord(functionResponse)).length;
    if (responses > 0 && open === 0) {
      return invalidArgument("Please ensure that function response turn comes immediately after a function call turn.");
    }
    if (responses !== open) {
      return invalidArgument(
        "Please ensure that the number of function response parts is equal to the number of function call parts of " +
          "the function call turn.",
      );
    }
    if (calls.length > 0 && (index === 0 || contents[index - 1]?.role === "model")) {
      return invalidArgument(
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
      );
    }
    const error = checkSignatures(calls, parts, model, index) ?? checkMedia(parts, model, index);
    if (error) return error;
    open = calls.length;
  }
  return undefined;
}

const IMAGE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];

/** Bytes must be base64 of a readable image; a URL must use `https:` and have a type. */
function checkMedia(parts: JsonFields[], model: string, index: number): WireError | undefined {
  for (const [position, { inlineData, fileData }] of parts.entries()) {
    if (isRecord(inlineData)) {
      const { mimeType, data } = inlineData;
      const where = `contents[${index}].parts[${position}].inline_data`;
      if (!textOf(mimeType).startsWith("image/")) continue;
      if (!IMAGE_TYPES.includes(textOf(mimeType))) return invalidArgument(`Unsupported MIME type: ${mimeType}`);
      if (bytesOfBase64(textOf(data)) === undefined)
        return invalidArgument(`Invalid value at '${where}.data' (TYPE_BYTES), Base64 decoding failed`);
      if (typeInBase64(textOf(data)) === undefined) return invalidArgument("Unable to process input image.");
    }
    if (isRecord(fileData)) {
      const { mimeType, fileUri } = fileData;
      const isFetched = textOf(fileUri).startsWith("https://") && !model.startsWith("gemini-2.0");
      if (!isFetched) return invalidArgument(`Unsupported file URI type: ${textOf(fileUri)}`);
      if (!IMAGE_TYPES.includes(textOf(mimeType))) return invalidArgument(`Unsupported MIME type: ${textOf(mimeType)}`);
    }
  }
  return undefined;
}

/** Sent by clients without a signature, such as for another vendor's history. */
const NO_SIGNATURE = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/** Gemini 3 requires the signature with the first function call of a turn; every signature must be real. */
function checkSignatures(
  calls: JsonFields[],
  parts: JsonFields[],
  model: string,
  position: number,
): WireError | undefined {
  const [first] = calls;
  if (first !== undefined && first.thoughtSignature === undefined && model.startsWith("gemini-3")) {
    return invalidArgument(
      "Function call is missing a thought_signature in functionCall parts. This is required for tools to work " +
        "correctly, and missing thought_signature may lead to degraded model performance. Additional data, function " +
        `call \`default_api:${textOf(fieldsOf(first.functionCall).name)}\`, position ${position + 1}.`,
    );
  }
  for (const { thoughtSignature: signature, functionCall } of parts) {
    if (signature === undefined || NO_SIGNATURE.includes(textOf(signature))) continue;
    const signed = isRecord(functionCall) ? textOf(functionCall.name) : "";
    if (!isSignatureOf(signature, signed)) return invalidArgument("Thought signature is not valid.");
  }
  return undefined;
}

export function readGeminiRequest(body: JsonFields): RequestContent {
  const transcript = createTranscript();
  let calls = 0;
  let results = 0;
  for (const { role, parts: list } of listOf(body.contents)) {
    const parts = listOf(list);
    const text = joinedText(parts.filter(({ thought }) => thought !== true));
    if (role === "model") {
      const called = parts.map(({ functionCall }) => functionCall).filter(isRecord);
      transcript.answer({
        text,
        calls: called.map(({ id, name, args }, index) => ({
          id: stringIn(id) ?? `place-${calls + index}`,
          name: textOf(name),
          input: args ?? {},
        })),
      });
      calls += called.length;
    } else {
      const given = parts.map(({ functionResponse }) => functionResponse).filter(isRecord);
      transcript.request({
        text,
        results: given.map(({ id, name, response }, index) => ({
          id: stringIn(id) ?? `place-${results + index}`,
          name: textOf(name),
          text: responseText(response),
        })),
        images: parts.flatMap(imagesIn),
      });
      results += given.length;
    }
  }
  const config = fieldsOf(body.generationConfig);
  const thinking = fieldsOf(config.thinkingConfig);
  return {
    system: joinedText(fieldsOf(body.systemInstruction).parts),
    messages: transcript.messages,
    tools: listOf(body.tools)
      .flatMap(({ functionDeclarations }) => listOf(functionDeclarations))
      .map(({ name, description, parameters, parametersJsonSchema }) => ({
        name: textOf(name),
        description: textOf(description),
        schema: parametersJsonSchema ?? parameters,
      })),
    effort: stringIn(thinking.thinkingLevel)?.toLowerCase(),
    thinkingBudget: numberIn(thinking.thinkingBudget),
    maxTokens: numberIn(config.maxOutputTokens),
  };
}

function imagesIn({ inlineData, fileData }: JsonFields): RequestImage[] {
  if (isRecord(inlineData)) return [{ mediaType: textOf(inlineData.mimeType), base64: textOf(inlineData.data) }];
  return isRecord(fileData) ? [{ url: textOf(fileData.fileUri) }] : [];
}

/** A response is an object; clients put a plain text in a field of it. */
function responseText(response: unknown): string {
  const { output, content, result, error } = fieldsOf(response);
  return [output, content, result, error].find((value) => typeof value === "string") ?? JSON.stringify(response) ?? "";
}
