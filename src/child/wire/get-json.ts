/** One GET request to a provider, answered in JSON. The transport adds the auth headers. */
import { refusalIn } from "./failure/refusal.ts";
import { textOf } from "./response-body.ts";
import type { Fetch } from "./transport.ts";

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
