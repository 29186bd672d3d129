/** Frames that are no valid messages: each id that a client sent gets an answer, over either transport. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createIdFinder, type FrameError } from "../../src/mcp/transport/frames.ts";
import { createMessageLines } from "../../src/mcp/transport/message-lines.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const HUGE = "x".repeat(17 * 1024 * 1024);
const DEEP = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;

/** Frames, with the ids that have to be answered by an error. */
const INVALID: Record<string, [string, (string | number)[]]> = {
  "without its version": ['{"id":1,"method":"ping"}', [1]],
  "of a wrong version": ['{"jsonrpc":"1.0","id":"a","method":"ping"}', ["a"]],
  "whose method is a number": ['{"jsonrpc":"2.0","id":2,"method":7}', [2]],
  "whose method is missing": ['{"jsonrpc":"2.0","id":3}', [3]],
  "whose params are a text": ['{"jsonrpc":"2.0","id":4,"method":"ping","params":"x"}', [4]],
  "whose id is no whole number": ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', [1.5]],
  "that is cut off": ['{"jsonrpc":"2.0","id":5,"method":"ping"', [5]],
  "that is cut off, its id inside of its params": ['{"jsonrpc":"2.0","params":{"id":6},"id":7,"method":"pi', [7]],
  "nested very deep": [`{"jsonrpc":"2.0","method":"ping","params":{"a":${DEEP}},"id":8}`, [8]],
  "in a batch with a valid one": ['[{"jsonrpc":"2.0","id":9,"method":"ping"},{"id":10,"method":"ping"}]', [10, 9]],
  "in too large a batch": [
    `[${Array.from({ length: 101 }, () => '{"jsonrpc":"2.0","id":11,"method":"ping"}')}]`,
    Array(101).fill(11),
  ],
};
const TOO_LONG: Record<string, [string, (string | number)[]]> = {
  "too long, its id first": [`{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"a":"${HUGE}"}}`, [12]],
  "too long, its id last": [
    `{"method":"tools/call","params":{"id":1,"a":["${HUGE}"]},"jsonrpc":"2.0","id":"l\\"t"}`,
    ['l"t'],
  ],
  "too long in its method": [`{"method":"${HUGE}","id":13}`, [13]],
};

async function throughLines(bytes: string): Promise<{ errors: FrameError[]; passed: string }> {
  const errors: FrameError[] = [];
  const lines = Readable.from([Buffer.from(bytes)]).pipe(createMessageLines((error) => errors.push(error)));
  return { errors, passed: await text(lines) };
}

describe("a frame over standard input", () => {
  for (const [name, [frame, ids]] of Object.entries({ ...INVALID, ...TOO_LONG }))
    test(`${name} is answered, and what follows is read`, async () => {
      const ping = '{"jsonrpc":"2.0","id":99,"method":"ping"}\n';
      const { errors, passed } = await throughLines(`${frame}\n${ping}`);
      assert.deepEqual(
        errors.map(({ id }) => id),
        ids,
      );
      assert.ok(errors.every(({ error }) => error.code < 0 && error.message !== ""));
      assert.equal(passed, ping);
    });

  test("that has no id, or answers the server, is not answered", async () => {
    for (const frame of ["nonsense", "[]", '{"method":"x"}', '{"jsonrpc":"2.0","id":1,"result":5}'])
      assert.deepEqual((await throughLines(`${frame}\n`)).errors, []);
  });

  test("that is a batch is read as its messages", async () => {
    const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
    const { errors, passed } = await throughLines(`${JSON.stringify([ping, { ...ping, id: 2 }])}\n`);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      passed
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).id),
      [1, 2],
    );
  });

  test("is told apart by its outermost id, whatever is in it and however it is cut", () => {
    const json = fc.jsonValue();
    const id = fc.oneof(fc.integer(), fc.string({ maxLength: 20 }));
    fc.assert(
      fc.property(json, id, fc.boolean(), (params, own, isFirst) => {
        const frame = isFirst ? { id: own, params } : { params: { id: 0, params }, id: own };
        assert.equal(
          createIdFinder()
            .push(Buffer.from(JSON.stringify(frame)))
            .found(),
          own,
        );
      }),
    );
  });
});

describe("a frame over HTTP", () => {
  test("is answered under its ids", async () => {
    await onMcpStage({}, async ({ http }) => {
      const { url, token } = await http();
      for (const [name, [body, ids]] of Object.entries(INVALID)) {
        const headers = {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        };
        const response = await fetch(url, { method: "POST", body, headers });
        const answer = (await response.json()) as FrameError | FrameError[];
        assert.equal(response.status, 400, name);
        assert.deepEqual(
          [answer].flat().map((error) => error.id),
          ids,
          name,
        );
      }
    });
  });
});
