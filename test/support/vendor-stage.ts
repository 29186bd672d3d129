/** Conversations with the vendors of `vendors.ts`, over HTTP, each of which answers as told or rejects what is sent. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Message } from "../../src/child/conversation.ts";
import { createModel } from "../../src/child/wire/model.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import { createTransport } from "../../src/child/wire/transport.ts";
import { systemClock } from "../../src/clock.ts";
import type { Route } from "../../src/route.ts";
import { route as routeOf, tool } from "./child-stage.ts";
import type { Vendor } from "./vendors.ts";

/** What a vendor sends: a stream, or an error. */
export type Sent = string | { status: number; body: unknown };

export type VendorStage = {
  /** Asks once. Fails if a model's private state is lost, or goes to another model. */
  ask(vendor: Vendor, messages: Message[], sent: Sent): Promise<Reply>;
  /** The last request. */
  lastBody(): string;
  close(): Promise<void>;
};

const look = tool("look", "read", (word) => word);

export function routeTo({ provider, model, mode }: Vendor, baseUrl = "http://127.0.0.1/v1"): Route {
  return routeOf(provider, model, { endpoint: { baseUrl, apiMode: mode }, facts: { maxOutputTokens: 4_000 } });
}

export async function createVendorStage(): Promise<VendorStage> {
  let lastBody = "";
  let answer: (body: Record<string, unknown>) => Sent = () => "";
  const server = createServer(async (request, response) => {
    lastBody = await text(request);
    const sent = answer(JSON.parse(lastBody));
    if (typeof sent === "string") {
      response.writeHead(200, { "content-type": "text/event-stream" }).end(sent);
      return;
    }
    const body = typeof sent.body === "string" ? sent.body : JSON.stringify(sent.body);
    response.writeHead(sent.status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const transport = createTransport({ connectionsPerOrigin: 8, environment: {}, userAgent: "deputy/test" });
  const model = createModel({ transport, clock: systemClock });
  const access = { headers: {}, redact: (text: string) => text };

  return {
    lastBody: () => lastBody,
    async ask(vendor, messages, sent) {
      answer = (body) => {
        const rejected = vendor.rejects(body);
        return rejected === undefined ? sent : { status: 400, body: rejection(rejected) };
      };
      const route = routeTo(vendor, baseUrl);
      const call = { route, access, system: "Be brief.", messages, images: [], tools: [look], mustAnswer: false };
      const reply = await lastOf(model({ ...call, stallMs: 5_000 }, new AbortController().signal));
      checkPrivateState(vendor, messages, lastBody);
      if (reply.ok) assert.deepEqual(secretsIn(reply.parts), secretsIn(sent), `${vendor.name}: what it sent is kept`);
      return reply;
    },
    async close() {
      await transport.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function lastOf<Last>(words: AsyncGenerator<unknown, Last>): Promise<Last> {
  for (;;) {
    const next = await words.next();
    if (next.done) return next.value;
  }
}

function rejection(message: string): object {
  return { type: "error", error: { type: "invalid_request_error", message } };
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

/** The id of a call, in a form that the vendor's own ids have. */
export function callIdOf({ mode }: Vendor, number: number | string): string {
  return mode === "responses" ? `call_${"0123456789".repeat(4)}${number}` : `look:${number}`;
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
