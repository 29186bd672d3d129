/** One real request over real HTTP: a scripted model server, our transport, our model. */

import { createModel } from "../../src/child/wire/model.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import { createTransport } from "../../src/child/wire/transport.ts";
import { systemClock } from "../../src/clock.ts";
import type { ApiMode, Route } from "../../src/route.ts";
import { type Access, type KeyHeader, Secret } from "../../src/secret.ts";
import { createModelServer, type ModelServer, type Script } from "../../src/testing/index.ts";
import { route } from "./child-stage.ts";

/** A model of each mode, known to its provider package. */
export const MODEL_OF = {
  chat_completions: "glm-4.7",
  responses: "gpt-5",
  anthropic_messages: "claude-sonnet-4-5",
  gemini: "gemini-2.5-pro",
} as const satisfies Record<ApiMode, string>;

const HEADER_OF = {
  chat_completions: "authorization",
  responses: "authorization",
  anthropic_messages: "x-api-key",
  gemini: "x-goog-api-key",
} as const satisfies Record<ApiMode, KeyHeader>;

export const TEST_KEY = "sk-test-3f1c7a9d";

/** The reply, and the live text: whole, and in the pieces in which it arrived. */
type Asked = { reply: Reply; live: string; pieces: string[] };

export type WireStage = {
  server: ModelServer;
  /** Sends one request. */
  ask(apiMode: ApiMode, more?: Partial<ModelCall>, signal?: AbortSignal): Promise<Asked>;
  close(): Promise<void>;
};

export async function createWireStage(
  script: Script,
  key = TEST_KEY,
  environment: Record<string, string> = {},
): Promise<WireStage> {
  const server = await createModelServer({ script, keys: { TEST_KEY } });
  const transport = createTransport({ connectionsPerOrigin: 64, environment, userAgent: "deputy/test" });
  const model = createModel({ transport, clock: systemClock });
  // Requests with one key share their access, as those of a lease do.
  const accesses = new Map<ApiMode, Access>();
  return {
    server,
    async ask(apiMode, more = {}, signal = new AbortController().signal) {
      const access = accesses.get(apiMode) ?? accessOf(server.url, apiMode, key);
      accesses.set(apiMode, access);
      const request = requestOf(server, apiMode, access);
      const pieces: string[] = [];
      let live = "";
      const reply = await model({ ...request, ...more }, signal, ({ type, text }) => {
        pieces.push(text);
        if (type === "text") live += text;
      });
      return { reply, live, pieces };
    },
    async close() {
      await transport.close();
      await server.close();
    },
  };
}

function requestOf(server: ModelServer, apiMode: ApiMode, access: Access): ModelCall {
  return {
    route: wireRoute(server.baseUrl(apiMode), apiMode),
    access,
    system: "Be brief.",
    messages: [{ role: "user", text: "Hello." }],
    images: [],
    tools: [],
    mustAnswer: false,
    stallMs: 5_000,
  };
}

export function wireRoute(baseUrl: string, apiMode: ApiMode, more: Partial<Route> = {}): Route {
  return route("vendor", MODEL_OF[apiMode], { endpoint: { baseUrl, apiMode }, ...more });
}

export function accessOf(origin: string, apiMode: ApiMode, key = TEST_KEY): Access {
  const secret = new Secret(key, "TEST_KEY", origin);
  return { key: { secret, header: HEADER_OF[apiMode] }, headers: {}, redact: (text) => secret.redact(text) };
}
