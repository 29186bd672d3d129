/** A connection that breaks: after the end of an answer it takes nothing from it, before the end it is a failure. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createModel } from "../../../src/child/wire/model.ts";
import type { Reply } from "../../../src/child/wire/reply/reply.ts";
import { createTransport } from "../../../src/child/wire/transport.ts";
import { systemClock } from "../../../src/clock.ts";
import type { ApiMode } from "../../../src/route.ts";
import { accessOf, wireRoute } from "../../support/wire-stage.ts";

const ANSWERS: Record<ApiMode, string> = {
  chat_completions: "chat/openai-text",
  responses: "responses/openai-tool-call",
  anthropic_messages: "messages/anthropic-tool-call",
  gemini: "gemini/google-text",
};
const MODES = Object.entries(ANSWERS) as [ApiMode, string][];

function bodyOf(name: string): string {
  const file = readFileSync(join(import.meta.dirname, "recorded", `${name}.http`), "utf8");
  return `${file.slice(file.indexOf("\n\n") + 2).trimEnd()}\n\n`;
}

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
const chunk = (body: string) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`;
const sendThen = (how: (socket: Socket) => void) => (socket: Socket, head: string) =>
  socket.write(head, () => setTimeout(() => how(socket), 20));
const reset = sendThen((socket) => socket.resetAndDestroy());
const close = sendThen((socket) => socket.end());

/** Ways in which a connection breaks after `body`. */
const BREAKS: Record<string, (socket: Socket, body: string) => void> = {
  "is reset": (socket, body) => reset(socket, `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk(body)}`),
  "closes without the last chunk": (socket, body) =>
    close(socket, `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk(body)}`),
  "closes within a chunk": (socket, body) =>
    close(socket, `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk(body)}400\r\n: more`),
  "closes before the announced length": (socket, body) =>
    close(socket, `${HEAD}content-length: ${Buffer.byteLength(body) + 100}\r\n\r\n${body}`),
  "breaks with bytes that are not HTTP": (socket, body) =>
    close(socket, `${HEAD}transfer-encoding: chunked\r\n\r\n${chunk(body)}oops\r\n`),
};

const transport = createTransport({ connectionsPerOrigin: 8, environment: {}, userAgent: "deputy/test" });
const model = createModel({ transport, clock: systemClock });
let server: Server;
let answer: (socket: Socket) => void = () => {};

before(async () => {
  server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
});

after(async () => {
  await transport.close();
  await new Promise((resolve) => server.close(resolve));
});

function ask(apiMode: ApiMode, answering: (socket: Socket) => void): Promise<Reply> {
  answer = answering;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const route = wireRoute(`${origin}/v1`, apiMode);
  const request = { access: accessOf(origin, apiMode), system: "", images: [], tools: [], mustAnswer: false };
  return model(
    { route, ...request, messages: [{ role: "user", text: "Hello." }], stallMs: 20_000 },
    new AbortController().signal,
    () => {},
  );
}

const whole = (body: string) => (socket: Socket) => socket.end(`${HEAD}connection: close\r\n\r\n${body}`);

for (const [how, breakOff] of Object.entries(BREAKS))
  describe(`a connection that ${how}`, () => {
    for (const [apiMode, name] of MODES) {
      const body = bodyOf(name);

      test(`after a whole answer of ${apiMode} takes nothing from it`, async () => {
        const expected = await ask(apiMode, whole(body));
        assert.ok(expected.ok, JSON.stringify(expected));
        assert.deepEqual(await ask(apiMode, (socket) => breakOff(socket, body)), expected);
      });

      test(`in the middle of an answer of ${apiMode} is a failure`, async () => {
        const half = body.slice(0, body.indexOf("data:", body.length / 3) + 40);
        const reply = await ask(apiMode, (socket) => breakOff(socket, half));
        const kind = how.endsWith("not HTTP") ? "malformed-response" : "network";
        assert.equal(!reply.ok && reply.failure.kind, kind, JSON.stringify(reply));
      });
    }
  });

test("an answer whose usage is cut off is complete without it", async () => {
  const body = bodyOf(ANSWERS.chat_completions);
  const cut = body.slice(0, body.indexOf('"usage":{') + 30);
  const reply = await ask("chat_completions", (socket) => BREAKS["is reset"]?.(socket, cut));
  assert.deepEqual([reply.ok, reply.usage], [true, undefined]);
});
