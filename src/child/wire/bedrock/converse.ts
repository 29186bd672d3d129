/**
 * Amazon Bedrock's Converse API: one format for all models there, similar to Anthropic's, with the same kinds of blocks
 * and the same stop reasons.
 * Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
 */
import { APICallError } from "@ai-sdk/provider";
import type { Route } from "../../../route.ts";
import { refusalIn } from "../failure/refusal.ts";
import { effortIn } from "../request/request.ts";
import { withoutThinkTags } from "../rewrite/thinking-in-text.ts";
import type { Wire } from "../wire.ts";
import { answerParts } from "./answer.ts";
import { effortFields } from "./effort.ts";
import { awsMessages } from "./event-stream.ts";
import { converseBody } from "./request.ts";

export function openConverse({ model, endpoint }: Pick<Route, "model" | "endpoint">): Wire {
  const url = `${endpoint.baseUrl}/model/${encodeURIComponent(model)}/converse-stream`;
  return withoutThinkTags(async (options, fetch, receive, onActivity) => {
    const { fields, warnings } = await effortFields(model, effortIn(options), options.maxOutputTokens);
    receive({ type: "stream-start", warnings });
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/vnd.amazon.eventstream" },
      body: JSON.stringify({ ...converseBody(options), ...fields }),
      signal: options.abortSignal ?? null,
    });
    if (!response.ok || response.body === null) throw await refusalIn(response, url);
    const exception = (type: string, message: string) => exceptionIn(type, message, url);
    for await (const part of answerParts(awsMessages(response.body, onActivity), exception)) receive(part);
  });
}

/** The HTTP status of the same error before the answer begins. */
const STATUS: Record<string, number> = {
  throttlingException: 429,
  validationException: 400,
  accessDeniedException: 403,
  internalServerException: 500,
  modelStreamErrorException: 502,
  modelTimeoutException: 504,
  serviceUnavailableException: 503,
};

function exceptionIn(type: string, message: string, url: string): APICallError {
  const name = type.charAt(0).toLowerCase() + type.slice(1);
  return new APICallError({
    message: `${type}: ${message}`,
    url,
    requestBodyValues: undefined,
    statusCode: STATUS[name] ?? 500,
  });
}
