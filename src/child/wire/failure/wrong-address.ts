/** What a refusal says of the address: whether the base URL is likely wrong, and how most are written. */
import { APICallError } from "@ai-sdk/provider";

/** Where requests of each wire format go, and how the base before it mostly ends. */
const MOSTLY_ENDS_IN: readonly (readonly [RegExp, string])[] = [
  [/\/(chat\/completions|responses)$/, "/v1"],
  [/\/models\/[^/]+$/, "/v1beta"],
];

/** Advice where the server knows nothing at this address. A refusal that speaks of the model is about the model. */
export function addressAdvice(error: unknown): string | undefined {
  if (!APICallError.isInstance(error) || (error.statusCode !== 404 && error.statusCode !== 405)) return undefined;
  const url = URL.parse(error.url);
  if (url === null) return undefined;
  const { origin, pathname } = url;
  const words = `${error.message} ${error.responseBody ?? ""}`.replaceAll(pathname, "");
  if (/\bmodels?\b/i.test(words)) return undefined;
  const end = /\/v\d/.test(pathname) ? undefined : MOSTLY_ENDS_IN.find(([path]) => path.test(pathname))?.[1];
  return `Check base_url: there is nothing at ${origin}${pathname}.${end === undefined ? "" : ` Most end in ${end}, which was tried too.`}`;
}
