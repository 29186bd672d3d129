/** The API that a request is for, by the known ending of its path; the rest of the path is the caller's. */
import type { IncomingHttpHeaders } from "node:http";
import type { ApiMode } from "../route.ts";

export type RequestTarget =
  /** `model` and `streaming` are in Gemini's path, in the others' body. */
  { asks: "answer"; apiMode: ApiMode; model?: string; streaming?: boolean } | { asks: "models"; apiMode: ApiMode };

/** The end of a vendor's own base URL. */
export const BASE_PATH: Record<ApiMode, string> = {
  chat_completions: "/v1",
  responses: "/v1",
  anthropic_messages: "",
  gemini: "/v1beta",
};

const ENDINGS: readonly (readonly [string, ApiMode])[] = [
  ["/chat/completions", "chat_completions"],
  ["/responses", "responses"],
  ["/messages", "anthropic_messages"],
];

const GEMINI_METHODS: readonly (readonly [string, boolean])[] = [
  [":streamGenerateContent", true],
  [":generateContent", false],
];

export function endpointOf(method: string, url: string, headers: IncomingHttpHeaders): RequestTarget | undefined {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  if (method === "GET") return path.endsWith("/models") ? { asks: "models", apiMode: listingMode(headers) } : undefined;
  if (method !== "POST") return undefined;
  for (const [ending, apiMode] of ENDINGS) if (path.endsWith(ending)) return { asks: "answer", apiMode };
  for (const [ending, streaming] of GEMINI_METHODS) {
    if (!path.endsWith(ending)) continue;
    const model = path.slice(path.indexOf("/models/") + "/models/".length, -ending.length);
    return { asks: "answer", apiMode: "gemini", model: model.replaceAll("%2F", "/"), streaming };
  }
  return undefined;
}

/** The vendors list their models under the same path; their clients differ in their headers. */
function listingMode(headers: IncomingHttpHeaders): ApiMode {
  if (headers["anthropic-version"] !== undefined) return "anthropic_messages";
  return headers["x-goog-api-key"] === undefined ? "chat_completions" : "gemini";
}
