/**
 * What a base URL reveals: its origin, the wire format known for its host, and whether it is local. Hosts are compared
 * as a whole, label by label: `api.openai.com.evil.example` is not OpenAI.
 */
import type { ApiMode } from "../../route.ts";

/** Endpoints that people paste in place of the base before them, and the wire format that each belongs to. */
const ENDPOINTS: readonly { path: RegExp; mode?: ApiMode }[] = [
  { path: /\/chat\/completions$/, mode: "chat_completions" },
  { path: /(?<=\/v\d\w*|\/openai)\/responses$/, mode: "responses" },
  { path: /(?<=\/v\d\w*)\/messages$/, mode: "anthropic_messages" },
  { path: /\/models\/[^/]+:(?:generateContent|streamGenerateContent)$/, mode: "gemini" },
  { path: /(?<=\/v\d\w*)\/models$/ },
];

/**
 * Normalizes a base URL, without trailing slashes, a query or a pasted endpoint; undefined if it is not an http(s) URL.
 */
export function normalBaseUrl(text: string): string | undefined {
  const url = parsedUrl(text);
  if (url === undefined) return undefined;
  const path = withoutSlashes(url.pathname);
  return withoutSlashes(url.origin + ENDPOINTS.reduce((base, endpoint) => base.replace(endpoint.path, ""), path));
}

/** The wire format of the endpoint that was pasted in place of a base URL; undefined where none was. */
export function modeOfEndpoint(text: string): ApiMode | undefined {
  const path = withoutSlashes(parsedUrl(text)?.pathname ?? "");
  return ENDPOINTS.find((endpoint) => endpoint.path.test(path))?.mode;
}

function parsedUrl(text: string): URL | undefined {
  const url = URL.parse(text.trim());
  const isUsable = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  return isUsable ? url : undefined;
}

function withoutSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, "");
}

/**
 * Converts the value of a variable like OLLAMA_HOST to a base URL: a URL, `host:port` or a bare host. The address a
 * server listens on (0.0.0.0) becomes loopback.
 */
export function baseUrlFromHost(text: string, { port, path }: { port: number; path: string }): string | undefined {
  const schemed = /^https?:\/\//.test(text.trim());
  const url = URL.parse(schemed ? text.trim() : `http://${text.trim()}`);
  if (url === null) return undefined;
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (!schemed && url.port === "") url.port = String(port);
  if (url.pathname === "/") url.pathname = path;
  return normalBaseUrl(url.href);
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

/** `loopback`: this machine. `private`: an address or name in the local network. */
export function nearnessOf(baseUrl: string): "loopback" | "private" | "public" {
  const { hostname } = new URL(baseUrl);
  if (hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname) || /(^|\.)localhost$/.test(hostname)) return "loopback";
  const privateAddress = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|\[f[cd])/.test(hostname);
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  const localName = !isAddress && (!hostname.includes(".") || /\.(local|lan|internal|home\.arpa)$/.test(hostname));
  return (isAddress && privateAddress) || localName ? "private" : "public";
}

export function isEncrypted(baseUrl: string): boolean {
  return new URL(baseUrl).protocol === "https:";
}
