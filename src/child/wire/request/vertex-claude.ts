/**
 * Claude on Google Vertex AI: Anthropic's own wire format with the model in the path and a version of Google's in the
 * body. Source: https://docs.anthropic.com/en/api/claude-on-vertex-ai
 */
import type { Fetch } from "../transport.ts";

const VERSION = "vertex-2023-10-16";

/** Whether Vertex serves Anthropic's models at a base URL. */
export function isVertexClaude(baseUrl: string): boolean {
  return new URL(baseUrl).pathname.endsWith("/publishers/anthropic");
}

/** Converts requests to Anthropic's own API into Vertex's form. */
export function vertexClaude(baseUrl: string, fetch: Fetch): Fetch {
  return (_, init) => {
    const { model, ...body } = JSON.parse(String(init?.body));
    const url = `${baseUrl}/models/${encodeURIComponent(model).replaceAll("%40", "@")}:streamRawPredict`;
    return fetch(url, { ...init, body: JSON.stringify({ anthropic_version: VERSION, ...body }) });
  };
}
