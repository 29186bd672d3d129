/** A question to a provider that is no model request: one GET, signed by the transport, answered in JSON. */

import { textOf } from "./response-body.ts";
import type { Fetch } from "./transport.ts";
import { refusalIn } from "./wire.ts";

/** @throws APICallError for an error response, Error of the network; SyntaxError if the response is not JSON */
export async function getJson(
  fetch: Fetch,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<unknown> {
  const response = await fetch(url, { headers: { accept: "application/json", ...headers }, signal });
  if (!response.ok) throw await refusalIn(response, url);
  return JSON.parse(await textOf(response.body));
}
