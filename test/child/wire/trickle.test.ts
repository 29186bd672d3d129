/** Streams that come in many small pieces, slowly or fast. */
import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { createModel } from "../../../src/child/wire/model.ts";
import type { Reply } from "../../../src/child/wire/reply/reply.ts";
import { createTransport } from "../../../src/child/wire/transport.ts";
import { systemClock } from "../../../src/clock.ts";
import { accessOf, wireRoute } from "../../support/wire-stage.ts";

/** Pieces come ten times as often. */
const STALL_MS = 400;
const PIECE_MS = 40;

const event = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
const said = (content: string) => event({ choices: [{ delta: { content } }] });
const END = `${event({ choices: [{ delta: {}, finish_reason: "stop" }] })}data: [DONE]\n\n`;

const transport = createTransport({ connectionsPerOrigin: 8, environment: {}, userAgent: "deputy/test" });
const model = createModel({ transport, clock: systemClock });
let server: Server;
let answer: (response: ServerResponse) => void = () => {};

before(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    answer(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
});

after(async () => {
  await transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function ask(answering: (response: ServerResponse) => void, stallMs = STALL_MS): Promise<Reply> {
  answer = answering;
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const route = wireRoute(`${origin}/v1`, "chat_completions");
  const request = {
    access: accessOf(origin, "chat_completions"),
    system: "",
    images: [],
    tools: [],
    mustAnswer: false,
  };
  return model(
    { route, ...request, messages: [{ role: "user", text: "Hello." }], stallMs },
    new AbortController().signal,
    () => {},
  );
}

/** Sends one piece after another, then the rest at once; without a rest it goes on for ever. */
function trickling(pieces: Iterable<string>, rest?: string) {
  const next = pieces[Symbol.iterator]();
  return (response: ServerResponse) => {
    const timer = setInterval(() => {
      const { done, value } = next.next();
      if (!done) return response.write(value);
      clearInterval(timer);
      return response.end(rest);
    }, PIECE_MS);
    response.on("close", () => clearInterval(timer));
  };
}

function* forEver(piece: (number: number) => string): Generator<string> {
  for (let number = 0; ; number += 1) yield piece(number);
}

describe("a slow answer that goes on is never stalled", () => {
  const slow: Record<string, string[]> = {
    "one event, byte by byte": [...said("A long river.")],
    "a tool call, piece by piece": Array.from({ length: 15 }, (_, piece) =>
      event({
        choices: [{ delta: { tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: `${piece}` } }] } }],
      }),
    ),
    "word by word": Array.from({ length: 15 }, (_, word) => said(`${word} `)),
    "comments before it, as of OpenRouter": [...Array(15).fill(": OPENROUTER PROCESSING\n\n"), said("Hello.")],
    "pings before it": [...Array(15).fill(event({ type: "ping" })), said("Hello.")],
  };
  for (const [what, pieces] of Object.entries(slow))
    test(what, { concurrency: false }, async () => {
      const reply = await ask(trickling([...pieces, said("The end.")], END));
      assert.ok(reply.ok, JSON.stringify(reply));
    });
});

describe("mere signs of life are waited with for a longer time, not for ever", () => {
  const empty: Record<string, (number: number) => string> = {
    comments: (number) => `: ${number}\n`,
    "blank lines": () => "\n",
    pings: () => `event: ping\n${event({ type: "ping" })}`,
    "empty events": () => "data:\n\n",
    "the same event again": () => said(""),
    "spaces in a line of data": (number) => (number === 0 ? "data:" : " "),
  };
  for (const [what, piece] of Object.entries(empty))
    test(what, async () => {
      const reply = await ask(trickling(forEver(piece)));
      const failure = reply.ok ? undefined : reply.failure;
      assert.equal(failure?.kind, "stalled");
      assert.match(failure?.message ?? "", /sent signs of life but no content for 1\.6 s/);
    });
});

describe("a fast answer", () => {
  /** Writes as fast as the reader takes it. */
  function pouring(pieces: Iterator<string>) {
    return (response: ServerResponse) => {
      const pour = () => {
        for (;;) {
          const { done, value } = pieces.next();
          if (done) return response.end(END);
          if (!response.write(value)) return response.once("drain", pour);
        }
      };
      pour();
    };
  }

  test("of 100,000 small pieces is read in seconds", async () => {
    const begunAt = performance.now();
    const words = Array.from({ length: 100_000 }, (_, word) => said(`${word} `));
    const reply = await ask(pouring(words[Symbol.iterator]()), 30_000);
    const seconds = (performance.now() - begunAt) / 1000;
    assert.ok(reply.ok, JSON.stringify(reply).slice(0, 500));
    const [part] = reply.parts;
    assert.equal(part?.type === "text" && part.text.split(" ").length, 100_001);
    assert.ok(seconds < 20, `${seconds} s`);
  });

  test("that never ends is given up at a size, as an answer that cannot be read", async () => {
    const words = "word ".repeat(20_000);
    const reply = await ask(pouring(forEver(() => said(words))), 30_000);
    const failure = reply.ok ? undefined : reply.failure;
    assert.equal(failure?.kind, "malformed-response");
    assert.match(failure?.message ?? "", /the answer is larger than 16 MB/);
  });

  test("that is one endless line is given up at a size", async () => {
    const reply = await ask(pouring(forEver((number) => (number === 0 ? "data: " : "x".repeat(100_000)))), 30_000);
    const failure = reply.ok ? undefined : reply.failure;
    assert.equal(failure?.kind, "malformed-response");
    assert.match(failure?.message ?? "", /the answer is larger than 16 MB/);
  });
});

describe("after [DONE]", () => {
  const textOf = (reply: Reply) =>
    reply.ok ? reply.parts.map((part) => (part.type === "text" ? part.text : "")).join("") : reply.failure.message;
  const FOLLOWING = {
    "a broken event": "data: {broken\n\n",
    "an error": event({ error: { message: "too late" } }),
    "another answer": said("twice") + END,
    "the same answer again": said("whole") + END,
    "a comment": ": bye\n\n",
    nothing: "",
  };
  for (const [what, more] of Object.entries(FOLLOWING)) {
    test(`${what} changes nothing, and an open connection is not waited for`, async () => {
      const reply = await ask((response) => void response.write(said("whole") + END + more), 60_000);
      assert.equal(textOf(reply), "whole");
      const later = await ask((response) => {
        response.write(said("whole") + END);
        setTimeout(() => response.end(more), PIECE_MS);
      });
      assert.equal(textOf(later), "whole");
    });
  }

  test("that is part of a text, the text goes on", async () => {
    const reply = await ask((response) => void response.end(said("[DONE]") + said(" data: [DONE]") + END));
    assert.equal(textOf(reply), "[DONE] data: [DONE]");
  });
});
