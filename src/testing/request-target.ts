/** The API that a request is for, by the known ending of its path; the rest of the path is the caller's. */
import type { IncomingHttpHeaders } from "node:http";
import type { ApiMode } from "../route.ts";

/** The API modes' formats; Amazon carries `anthropic_messages` in one of its own. */
export type WireName = ApiMode | "converse";

export type RequestTarget =
  /** `model` and `streaming` are in the path of Google's and Amazon's APIs, in the others' body. */
  { asks: "answer"; format: WireName; model?: string; streaming?: boolean } | { asks: "models"; format: WireName };

/** The end of a vendor's own base URL. */
export const BASE_PATH: Record<ApiMode, string> = {
  chat_completions: "/v1",
  responses: "/v1",
  anthropic_messages: "",
  gemini: "/v1beta",
};

const ENDINGS: readonly (readonly [string, WireName])[] = [
  ["/chat/completions", "chat_completions"],
  ["/responses", "responses"],
  ["/messages", "anthropic_messages"],
];

/** Methods of a model, by the last part of the path, and the part before its name. */
const METHODS: readonly { ending: string; before: string; format: WireName; streaming: boolean }[] = [
  { ending: ":streamGenerateContent", before: "/models/", format: "gemini", streaming: true },
  { ending: ":generateContent", before: "/models/", format: "gemini", streaming: false },
  { ending: ":streamRawPredict", before: "/models/", format: "anthropic_messages", streaming: true },
  { ending: ":rawPredict", before: "/models/", format: "anthropic_messages", streaming: false },
  { ending: "/converse-stream", before: "/model/", format: "converse", streaming: true },
  { ending: "/converse", before: "/model/", format: "converse", streaming: false },
];

export function endpointOf(method: string, url: string, headers: IncomingHttpHeaders): RequestTarget | undefined {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  if (method === "GET") return path.endsWith("/models") ? { asks: "models", format: listingMode(headers) } : undefined;
  if (method !== "POST") return undefined;
  for (const [ending, format] of ENDINGS) if (path.endsWith(ending)) return { asks: "answer", format };
  for (const { ending, before, format, streaming } of METHODS) {
    if (!path.endsWith(ending)) continue;
    const model = path.slice(path.indexOf(before) + before.length, -ending.length);
    return { asks: "answer", format, model: decoded(model), streaming };
  }
  return undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The API mode as scripts see it. */
export function apiModeOf(format: WireName): ApiMode {
  return format === "converse" ? "anthropic_messages" : format;
}

/** The vendors list their models under the same path; their clients differ in their headers. */
function listingMode(headers: IncomingHttpHeaders): ApiMode {
  if (headers["anthropic-version"] !== undefined) return "anthropic_messages";
  return headers["x-goog-api-key"] === undefined ? "chat_completions" : "gemini";
}
