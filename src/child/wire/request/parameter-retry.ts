/** Requests of one route without the optional parameters that it has rejected, from the first refusal on. */
import type { RejectedParameter } from "../../../event.ts";
import { MAX_ERROR_BYTES, textOf, withText } from "../response-body.ts";
import type { Fetch } from "../transport.ts";
import { rejectedParameters, withoutRejected } from "./rejected-parameters.ts";

/** Maximum number of times one request is sent again. Each refusal must have named something new. */
const MAX_RETRIES = 3;

/**
 * A `fetch` that sends a refused request again without the parameters that the refusal names, and leaves them out of all
 * later requests.
 * @param rejected the parameters to leave out; those that are refused are added
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

  /** False for a parameter that was renamed before: no other name helps. */
  function isNew({ parameter }: RejectedParameter): boolean {
    return rejected.every((earlier) => earlier.parameter !== parameter && earlier.instead !== parameter);
  }

  return (input, init) => (typeof init?.body === "string" ? attempt(input, init, MAX_RETRIES) : fetch(input, init));
}
