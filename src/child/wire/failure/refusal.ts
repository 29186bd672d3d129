/** A provider's error response, as an error that `failure.ts` reads. */
import { APICallError } from "@ai-sdk/provider";
import { MAX_ERROR_BYTES, textOf } from "../response-body.ts";

/** Reads the body of an error response. */
export async function refusalIn(response: Response, url: string): Promise<APICallError> {
  return new APICallError({
    message: response.statusText,
    url,
    requestBodyValues: undefined,
    statusCode: response.status,
    responseHeaders: Object.fromEntries(response.headers),
    responseBody: await textOf(response.body, MAX_ERROR_BYTES),
  });
}
