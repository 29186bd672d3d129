/** Minimal requests in each API mode, with the required fields only. */
import { API_MODES, type ApiMode } from "../../src/route.ts";
import type { ModelServer, ModelServerOptions, Turn } from "../../src/testing/index.ts";
import { createModelServer } from "../../src/testing/index.ts";

export const MODEL = "scripted-1";

export type Question = {
  text?: string;
  stream?: boolean;
  key?: string;
  model?: string;
  /** Top-level fields, merged over the minimal ones. */
  fields?: Record<string, unknown>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
};

const MINIMAL: Record<ApiMode, (text: string, model: string, stream: boolean) => Record<string, unknown>> = {
  chat_completions: (text, model, stream) => ({ model, stream, messages: [{ role: "user", content: text }] }),
  responses: (text, model, stream) => ({ model, stream, input: text }),
  anthropic_messages: (text, model, stream) => ({
    model,
    stream,
    max_tokens: 4096,
    messages: [{ role: "user", content: text }],
  }),
  gemini: (text) => ({ contents: [{ role: "user", parts: [{ text }] }] }),
};

const KEY_HEADER: Record<ApiMode, (key: string) => Record<string, string>> = {
  chat_completions: (key) => ({ authorization: `Bearer ${key}` }),
  responses: (key) => ({ authorization: `Bearer ${key}` }),
  anthropic_messages: (key) => ({ "x-api-key": key }),
  gemini: (key) => ({ "x-goog-api-key": key }),
};

export function pathOf(apiMode: ApiMode, model: string, stream: boolean): string {
  switch (apiMode) {
    case "chat_completions":
      return "/v1/chat/completions";
    case "responses":
      return "/v1/responses";
    case "anthropic_messages":
      return "/v1/messages";
    case "gemini":
      return `/v1beta/models/${model}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`;
  }
}

export function ask(server: ModelServer, apiMode: ApiMode, question: Question = {}): Promise<Response> {
  const { text = "Hello", stream = false, key, model = MODEL, fields = {}, headers = {}, signal } = question;
  return fetch(server.url + pathOf(apiMode, model, stream), {
    method: "POST",
    redirect: "manual",
    headers: {
      "content-type": "application/json",
      ...(apiMode === "anthropic_messages" && { "anthropic-version": "2023-06-01" }),
      ...(key !== undefined && KEY_HEADER[apiMode](key)),
      ...headers,
    },
    body: JSON.stringify({ ...MINIMAL[apiMode](text, model, stream), ...fields }),
    ...(signal && { signal }),
  });
}

/** Runs `use` for a server that always answers with this turn. */
export async function withServer(
  script: Turn | ModelServerOptions["script"],
  use: (server: ModelServer) => Promise<void>,
  options: Omit<ModelServerOptions, "script"> = {},
): Promise<void> {
  const server = await createModelServer({ ...options, script: typeof script === "function" ? script : () => script });
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

export async function inEveryMode(check: (apiMode: ApiMode) => Promise<void>): Promise<void> {
  for (const apiMode of API_MODES) await check(apiMode);
}

/** The message of the vendor's error. */
export async function errorMessage(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: { message: string } };
  return error.message;
}

/** The payloads of a stream's `data:` lines, without `[DONE]`. */
export function eventsIn(stream: string): Record<string, unknown>[] {
  return stream
    .split(/\r?\n\r?\n/)
    .flatMap((event) => event.split(/\r?\n/))
    .filter((line) => line.startsWith("data: ") && line !== "data: [DONE]")
    .map((line) => JSON.parse(line.slice("data: ".length)));
}

export async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
