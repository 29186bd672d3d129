/** Errors that arrive with status 200, in every shape and in every API mode. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { FailureKind } from "../../../../src/errors.ts";
import { API_MODES } from "../../../../src/route.ts";
import type { Fault } from "../../../../src/testing/index.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

const JSON_TYPE = "application/json";
const STREAM = "text/event-stream";
const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const overflow = { message: "This model's maximum context length is 4096 tokens.", type: "BadRequestError", code: 400 };

const SHAPES: [shape: string, type: string, body: string, kind: FailureKind, words: RegExp][] = [
  ["an error line, as of llama.cpp", STREAM, `error: ${JSON.stringify(overflow)}\n\n`, "context-overflow", /4096/],
  ["an error line without an empty line", STREAM, `error: ${JSON.stringify(overflow)}\n`, "context-overflow", /4096/],
  ["an error line in words", STREAM, "error: rate limit exceeded\n\n", "rate-limited", /rate limit exceeded/],
  [
    "an error object among the data",
    STREAM,
    `${event({ error: overflow })}data: [DONE]\n\n`,
    "context-overflow",
    /4096/,
  ],
  ["an object that says it is an error", STREAM, event({ object: "error", ...overflow }), "context-overflow", /4096/],
  [
    "a bare code and message",
    STREAM,
    event({ code: "1113", message: "Insufficient balance" }),
    "quota-exhausted",
    /balance/,
  ],
  ["an error in words", STREAM, event({ error: "Too many requests" }), "rate-limited", /Too many requests/],
  [
    "a list, as of Gemini",
    STREAM,
    event([{ error: { code: 503, status: "UNAVAILABLE", message: "Busy." } }]),
    "overloaded",
    /Busy/,
  ],
  [
    "an event named error",
    STREAM,
    `event: error\n${event({ message: "Too many requests" })}`,
    "rate-limited",
    /Too many/,
  ],
  [
    "a document",
    JSON_TYPE,
    JSON.stringify({ error: { code: 429, message: "Slow down." } }),
    "rate-limited",
    /429: Slow down/,
  ],
  [
    "a document over several lines",
    JSON_TYPE,
    JSON.stringify([{ error: overflow }], null, 2),
    "context-overflow",
    /4096/,
  ],
  [
    "a document that is called a stream",
    STREAM,
    JSON.stringify({ error: overflow }, null, 2),
    "context-overflow",
    /4096/,
  ],
  [
    "a document of unknown type",
    "text/plain",
    JSON.stringify({ detail: "Insufficient balance" }),
    "quota-exhausted",
    /balance/,
  ],
  [
    "MiniMax's code",
    JSON_TYPE,
    JSON.stringify({ choices: null, base_resp: { status_code: 1008, status_msg: "no money" } }),
    "quota-exhausted",
    /no money/,
  ],
  [
    "MiniMax's code among the data",
    STREAM,
    event({ choices: null, base_resp: { status_code: 1026, status_msg: "input" } }),
    "refused",
    /input/,
  ],
  [
    "a problem in JSON",
    "application/problem+json",
    JSON.stringify({ status: 402, detail: "Pay first." }),
    "quota-exhausted",
    /402: Pay first/,
  ],
  [
    "MiniMax's code beside a choice, as of its own API",
    JSON_TYPE,
    JSON.stringify({ choices: [{ index: 0 }], base_resp: { status_code: 1039, status_msg: "token limit" } }),
    "rate-limited",
    /token limit/,
  ],
  [
    "Envoy's words",
    "text/plain",
    "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    "overloaded",
    /reset reason: connection termination/,
  ],
  ["a proxy's words that are called a stream", STREAM, "no healthy upstream\n", "overloaded", /no healthy upstream/],
  ["words of a limit", "text/plain", "Too Many Requests", "rate-limited", /Too Many Requests/],
  ["Cloudflare's code", "text/plain; charset=UTF-8", "error code: 1015", "rate-limited", /error code: 1015/],
  ["Cloudflare's code of a failure", "text/plain", "error code: 520\n", "overloaded", /error code: 520/],
  ["words that say nothing", "text/plain", "It works: hello.", "malformed-response", /It works: hello\./],
  ["a web page", "text/html", "<html><title>Sign in</title></html>", "malformed-response", /web page titled "Sign in"/],
  [
    "a web page that is called a stream",
    STREAM,
    "<!doctype html><title>Sign in</title>",
    "malformed-response",
    /"Sign in"/,
  ],
  [
    "a document that is no error",
    JSON_TYPE,
    JSON.stringify({ object: "list", data: [] }),
    "malformed-response",
    /found application\/json/,
  ],
];

for (const apiMode of API_MODES)
  describe(`over ${apiMode}, status 200 with`, () => {
    let stage: WireStage;
    let fault: Fault;
    before(async () => {
      stage = await createWireStage(() => ({ fault }));
    });
    after(() => stage.close());

    for (const [shape, type, body, kind, words] of SHAPES)
      test(`${shape} is ${kind}, in the server's words`, async () => {
        fault = { kind: "response", status: 200, headers: { "content-type": type }, body };
        const { reply } = await stage.ask(apiMode);
        assert.ok(!reply.ok);
        assert.equal(reply.failure.kind, kind, reply.failure.message);
        assert.match(reply.failure.message, words);
      });
  });

describe("in the middle of a chat answer", () => {
  let stage: WireStage;
  let body = "";
  before(async () => {
    stage = await createWireStage(() => ({
      fault: { kind: "response", status: 200, headers: { "content-type": STREAM }, body },
    }));
  });
  after(() => stage.close());
  const text = event({ choices: [{ delta: { content: "The Rhi" } }] });

  for (const [shape, type, error, kind, words] of SHAPES.filter(([, type]) => type === STREAM).slice(0, 9))
    test(`${shape} is ${kind}, and the text that had arrived is kept`, async () => {
      assert.equal(type, STREAM);
      body = text + error;
      const { reply } = await stage.ask("chat_completions");
      assert.ok(!reply.ok);
      assert.deepEqual([reply.failure.kind, reply.partialText], [kind, "The Rhi"]);
      assert.match(reply.failure.message, words);
    });

  test("words of a proxy after a piece of an answer are its failure", async () => {
    body = `${text}: comment\n\nupstream prematurely closed connection`;
    const { reply } = await stage.ask("chat_completions");
    assert.ok(!reply.ok);
    assert.deepEqual([reply.failure.kind, reply.partialText], ["overloaded", "The Rhi"]);
    assert.match(reply.failure.message, /upstream prematurely closed connection/);
  });

  test("MiniMax's code beside a piece of an answer is its failure, and 0 is none", async () => {
    const ended = (status_code: number) =>
      text + event({ choices: [{ delta: {}, finish_reason: "stop" }], base_resp: { status_code, status_msg: "x" } });
    body = ended(1027);
    const { reply } = await stage.ask("chat_completions");
    assert.equal(reply.ok || reply.failure.kind, "refused");
    body = ended(0);
    assert.ok((await stage.ask("chat_completions")).reply.ok);
  });

  test("comments and lines of other fields are no words", async () => {
    body = `${text}: keep-alive\n\nretry: 3000\nid: 7\n\n`;
    const { reply } = await stage.ask("chat_completions");
    assert.ok(!reply.ok);
    assert.match(reply.failure.message, /the stream ended before the answer was finished/);
  });

  test("fields that only look like an error are none", async () => {
    const end = event({ error: null, code: 0, message: "ok", choices: [{ delta: {}, finish_reason: "stop" }] });
    body = `: error\nid: error\n${text}${event({ type: "ping", message: "still here", code: 0 })}${end}`;
    const { reply } = await stage.ask("chat_completions");
    assert.ok(reply.ok, JSON.stringify(reply));
  });

  test("an answer about errors is an answer", async () => {
    const words = 'error: {"code":400,"message":"insufficient balance"}';
    const choice = { delta: { content: words }, finish_reason: "stop" };
    body = event({ choices: [choice] });
    const { reply } = await stage.ask("chat_completions");
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.deepEqual(
      reply.parts.map((part) => part.type === "text" && part.text),
      [words],
    );
  });
});
