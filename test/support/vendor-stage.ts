/** Conversations with the vendors of `vendors.ts`, over HTTP. The scripted model server acts as each of them. */
import assert from "node:assert/strict";
import type { Message } from "../../src/child/message.ts";
import { createModel } from "../../src/child/wire/model.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import { createTransport } from "../../src/child/wire/transport.ts";
import { systemClock } from "../../src/clock.ts";
import type { ApiMode, Route } from "../../src/route.ts";
import { type Access, type KeyHeader, Secret } from "../../src/secret.ts";
import { createModelServer, type DialectName, type Turn } from "../../src/testing/index.ts";
import { present } from "../../src/values/present.ts";
import { route as routeOf, tool } from "./child-stage.ts";
import type { Vendor } from "./vendors.ts";

export type VendorStage = {
  /** Asks once. Fails if a model's private state is lost, or goes to another model. */
  ask(vendor: Vendor, messages: Message[], turn: Turn): Promise<Reply>;
  /** The last request. */
  lastBody(): string;
  close(): Promise<void>;
};

const KEY = "key-of-the-matrix";
const SIGNING = { AccessKeyId: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

const KEY_HEADERS: Record<ApiMode, KeyHeader> = {
  chat_completions: "authorization",
  responses: "authorization",
  anthropic_messages: "x-api-key",
  gemini: "x-goog-api-key",
};

const USUAL_PATHS: Record<ApiMode, string> = {
  chat_completions: "/v1",
  responses: "/v1",
  anthropic_messages: "",
  gemini: "/v1beta",
};

const look = tool("look", "read", (word) => word);

/** The vendor is the first part of the path at the server. */
export function routeTo(vendor: Vendor, origin = "http://127.0.0.1"): Route {
  const { provider, model, mode, dialect, path = USUAL_PATHS[mode], query, framing } = vendor;
  const endpoint = { baseUrl: `${origin}/${dialect}${path}`, apiMode: mode, ...present({ query, framing }) };
  return routeOf(provider, model, { endpoint, facts: { maxOutputTokens: 4_000 } });
}

function accessTo({ mode, signs, keyHeader = KEY_HEADERS[mode] }: Vendor, origin: string): Access {
  const secret = new Secret(signs ? JSON.stringify(SIGNING) : KEY, "KEY", origin);
  const header = signs ? "authorization" : keyHeader;
  return { key: { secret, header }, headers: {}, redact: (text) => text };
}

export async function createVendorStage(): Promise<VendorStage> {
  let turn: Turn = {};
  const server = await createModelServer({
    script: () => turn,
    dialect: ({ path }) => path.split("/")[1] as DialectName,
    keys: { mine: KEY, signing: SIGNING.AccessKeyId },
  });
  const transport = createTransport({ connectionsPerOrigin: 8, environment: {}, userAgent: "deputy/test" });
  const model = createModel({ transport, clock: systemClock });
  const lastBody = () => JSON.stringify(server.requests.at(-1)?.body);

  return {
    lastBody,
    async ask(vendor, messages, sent) {
      turn = sent;
      const route = routeTo(vendor, server.url);
      const access = accessTo(vendor, server.url);
      const call = { route, access, system: "Be brief.", messages, images: [], tools: [look], mustAnswer: false };
      const reply = await model({ ...call, stallMs: 5_000 }, new AbortController().signal, () => {});
      assert.deepEqual(server.scriptErrors, []);
      checkPrivateState(vendor, messages, lastBody());
      if (reply.ok) assert.deepEqual(secretsIn(reply.parts), secretsIn(sent), `${vendor.name}: what it sent is kept`);
      return reply;
    },
    async close() {
      await transport.close();
      await server.close();
    },
  };
}

/** What is added to a conversation by an answer and the results of its calls. */
export function added({ provider, model }: Vendor, { parts }: Reply & { ok: true }): Message[] {
  const calls = parts.filter((part) => part.type === "tool-call");
  return [
    { role: "assistant", provider, model, parts: JSON.parse(JSON.stringify(parts)) },
    ...calls.map(({ callId, name }): Message => {
      return { role: "tool", callId, name, text: `found by ${callId}`, ok: true };
    }),
  ];
}

/** Private state of a vendor's model. */
export function secretOf({ name }: Vendor, number: number): string {
  return `${name.replaceAll(/\W/g, "")}Secret${number}`;
}

function secretsIn(value: unknown): string[] {
  return [...new Set(JSON.stringify(value).match(/[A-Za-z0-9]+Secret\d+/g))];
}

function checkPrivateState(vendor: Vendor, messages: readonly Message[], body: string): void {
  const own = messages.filter(
    (message) => message.role === "assistant" && message.provider === vendor.provider && message.model === vendor.model,
  );
  assert.deepEqual(secretsIn(body), secretsIn(own), `private state that ${vendor.name} gets: its own, all of it`);
}
