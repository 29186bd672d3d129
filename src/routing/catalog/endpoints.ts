/**
 * What a base URL reveals: its origin, the wire format known for its host, and whether it is local. Hosts are compared
 * as a whole, label by label: `api.openai.com.evil.example` is not OpenAI.
 */
import { type BaseUrl, parseBaseUrl } from "../../base-url.ts";
import type { ApiMode } from "../../route.ts";
import { present } from "../../values/present.ts";

/** Endpoints that people paste in place of the base before them, and the wire format that each belongs to. */
const ENDPOINTS: readonly { path: RegExp; mode?: ApiMode }[] = [
  { path: /\/chat\/completions$/, mode: "chat_completions" },
  { path: /(?<=\/v\d\w*)\/(?:chat|completions|embeddings)$/ },
  // github.com/ollama/ollama/blob/main/docs/api.md: the same server speaks chat completions at `/v1`.
  { path: /^\/api\/(?:chat|generate|tags)$/ },
  { path: /(?<=\/v\d\w*|\/openai)\/responses$/, mode: "responses" },
  { path: /(?<=\/v\d\w*)\/messages$/, mode: "anthropic_messages" },
  { path: /\/models\/[^/]+:(?:generateContent|streamGenerateContent)$/, mode: "gemini" },
  { path: /(?<=\/v\d\w*)\/models$/ },
];

/** A base URL as requests use it, and the wire format of the endpoint that was pasted in its place. */
export type ReadBaseUrl = { baseUrl: string; query?: BaseUrl["query"]; endpointMode?: ApiMode };

/** Reads a base URL, without trailing slashes or a pasted endpoint; `expected` if it is not usable. */
export function readBaseUrl(text: string): ReadBaseUrl | { expected: string } {
  const parsed = parseBaseUrl(text);
  if ("expected" in parsed) return parsed;
  const { url } = parsed;
  const path = withoutSlashes(url.pathname);
  const base = ENDPOINTS.reduce((base, endpoint) => base.replace(endpoint.path, ""), path);
  // The pasted address of a Gemini stream: its client asks for events itself.
  const { alt: _, ...query } = parsed.query;
  return {
    baseUrl: withoutSlashes(url.origin + base),
    ...present({
      query: Object.keys(query).length > 0 ? query : undefined,
      endpointMode: ENDPOINTS.find((endpoint) => endpoint.path.test(path))?.mode,
    }),
  };
}

/** The base URL alone; undefined if it is not usable. */
export function normalBaseUrl(text: string): string | undefined {
  const read = readBaseUrl(text);
  return "expected" in read ? undefined : read.baseUrl;
}

function withoutSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}

/** Reads the value of a variable like OLLAMA_HOST: a URL, `host:port` or a bare host. */
export function baseUrlFromHost(
  text: string,
  { port, path }: { port: number; path: string },
): ReadBaseUrl | { expected: string } {
  const schemed = /^https?:\/\//i.test(text.trim());
  const url = URL.parse(schemed ? text.trim() : `http://${text.trim()}`);
  if (url === null) return readBaseUrl(text);
  if (!schemed && url.port === "") url.port = String(port);
  if (url.pathname === "/") url.pathname = path;
  return readBaseUrl(url.href);
}

/** Scheme, host and port: a key belongs to one of these. */
export function originOf(baseUrl: string): string {
  return new URL(baseUrl).origin;
}

const MODE_OF_HOST: Record<string, ApiMode | undefined> = {
  "api.openai.com": "responses",
  "api.x.ai": "responses",
  "api.anthropic.com": "anthropic_messages",
  "generativelanguage.googleapis.com": "gemini",
};

/** The wire format known for a URL; undefined for an unknown host. */
export function modeOfUrl(baseUrl: string): ApiMode | undefined {
  const { hostname, pathname } = new URL(baseUrl);
  if (/\/anthropic(\/v1)?$/.test(pathname)) return "anthropic_messages";
  if (/\/openai$|\/endpoints\/openapi$|\/openai\/deployments\//.test(pathname)) return "chat_completions";
  if (/^bedrock-runtime\..*\.amazonaws\.com$/.test(hostname) && /\/openai\/v1$/.test(pathname))
    return "chat_completions";
  if (/\/publishers\/google$/.test(pathname)) return "gemini";
  if (hostname === "api.kimi.com" && /^\/coding(\/|$)/.test(pathname)) return "anthropic_messages";
  return MODE_OF_HOST[hostname];
}

export function isEncrypted(baseUrl: string): boolean {
  return new URL(baseUrl).protocol === "https:";
}
