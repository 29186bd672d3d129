/** Requests of one route without the optional parameters that it has rejected, from the first refusal on. */
import { MAX_ERROR_BYTES, textOf, withText } from "../response-body.ts";
import type { Fetch } from "../transport.ts";
import { type RejectedParameter, rejectedParameters, withoutRejected } from "./rejected-parameters.ts";

/** Most times that one request is sent again: each time, the refusal named something new. */
const MAX_RETRIES = 3;

/**
 * A `fetch` that learns: what a refusal names is left out of the same request, sent once more, and of all that follow.
 * @param rejected what is left out; grows
 * @param wholeLimit see `rejectedParameters`
 */
export function withoutRejectedParameters(fetch: Fetch, rejected: RejectedParameter[], wholeLimit?: number): Fetch {
  async function attempt(input: Parameters<Fetch>[0], init: RequestInit, retries: number): Promise<Response> {
    const known = rejected.length;
    const sent = known === 0 ? init : { ...init, body: withoutParameters(String(init.body)) };
    const response = await fetch(input, sent);
    if (response.status !== 400 && response.status !== 422) return response;
    const refusal = await textOf(response.body, MAX_ERROR_BYTES);
    if (retries > 0) {
      rejected.push(...rejectedParameters(JSON.parse(String(sent.body)), refusal, wholeLimit).filter(isNew));
      // Another request of this route may have learned the same meanwhile.
      if (rejected.length > known) return attempt(input, init, retries - 1);
    }
    return withText(response, refusal);
  }

  function withoutParameters(body: string): string {
    return JSON.stringify(withoutRejected(JSON.parse(body), rejected, wholeLimit));
  }

  /** What was renamed once and is rejected again has no name that helps. */
  function isNew({ parameter }: RejectedParameter): boolean {
    return rejected.every((earlier) => earlier.parameter !== parameter && earlier.instead !== parameter);
  }

  return (input, init) => (typeof init?.body === "string" ? attempt(input, init, MAX_RETRIES) : fetch(input, init));
}
