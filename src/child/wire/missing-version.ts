/**
 * Adds the version that most base URLs end in where it is missing: `http://127.0.0.1:8000`. Some APIs have none, so the URL
 * is tried as written first. If nothing is there, the version is tried at the same origin, and kept if that works.
 */
import type { ApiMode } from "../../route.ts";
import { MAX_ERROR_BYTES, textOf, withText } from "./response-body.ts";
import type { Fetch } from "./transport.ts";

/** How most base URLs of a wire format end. The client of `anthropic_messages` adds its version itself. */
const USUAL_END: Partial<Record<ApiMode, string>> = {
  chat_completions: "/v1",
  responses: "/v1",
  gemini: "/v1beta",
};

/** @returns wraps the `fetch` of each request; what one request learned holds for the next */
export function createVersionTrial(baseUrl: string, apiMode: ApiMode): (fetch: Fetch) => Fetch {
  const end = USUAL_END[apiMode];
  if (end === undefined || /\/v\d/.test(new URL(baseUrl).pathname)) return (fetch) => fetch;
  let isKept = false;
  return (fetch) => async (input, init) => {
    const versioned = `${baseUrl}${end}${String(input).slice(baseUrl.length)}`;
    if (isKept) return fetch(versioned, init);
    const first = await answerAt(fetch, input, init);
    if (!first.isNothing) return first.response;
    const second = await answerAt(fetch, versioned, init);
    isKept = !second.isNothing;
    return isKept ? second.response : first.response;
  };
}

async function answerAt(
  fetch: Fetch,
  ...request: Parameters<Fetch>
): Promise<{ response: Response; isNothing: boolean }> {
  const response = await fetch(...request);
  const { ok, status, headers } = response;
  const isDocument = /text\/html|application\/json/.test(headers.get("content-type") ?? "");
  if (ok ? !isDocument : status !== 404 && status !== 405) return { response, isNothing: false };
  const text = await textOf(response.body, ok ? Number.POSITIVE_INFINITY : MAX_ERROR_BYTES);
  return { response: withText(response, text), isNothing: saysNothingIsHere(response, text) };
}

/** A refusal that speaks of the model is about the model. LM Studio answers with 200 and "Unexpected endpoint". */
function saysNothingIsHere({ ok, headers }: Response, text: string): boolean {
  if (!ok) return !/\bmodels?\b/i.test(text);
  return /text\/html/.test(headers.get("content-type") ?? "") || /\bunexpected endpoint\b/i.test(text);
}
