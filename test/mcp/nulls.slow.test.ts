/** Clients that send absent fields as null, over either transport, and messages in pieces. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import fc from "fast-check";
import { createMessageLines } from "../../src/mcp/transport/message-lines.ts";
import { withoutNullFields } from "../../src/mcp/transport/nulls.ts";
import { until } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const INITIALIZE = {
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: { roots: null, sampling: null, elicitation: null, experimental: null },
    clientInfo: { name: "a test", version: "1", title: null },
    _meta: null,
  },
};

/** Each gets the same answer as without its nulls. */
const REQUESTS: { method: string; params: unknown }[] = [
  { method: "ping", params: null },
  { method: "tools/list", params: null },
  { method: "tools/list", params: { cursor: null, _meta: null } },
  { method: "tools/call", params: { name: "list_models", arguments: null } },
  { method: "tools/call", params: { name: "list_models", arguments: { match: null }, _meta: { progressToken: null } } },
  { method: "resources/list", params: { cursor: null } },
  { method: "resources/templates/list", params: null },
];

type Answer = { id?: number; result?: Record<string, unknown>; error?: unknown };

const numbered = REQUESTS.map((request, index) => ({ jsonrpc: "2.0", id: index + 1, ...request }));

test("over standard input, nulls anywhere in a request are absent fields", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "deputy-nulls-"));
  t.after(() => rmSync(home, { recursive: true }));
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state") };
  const server = launch(["mcp"], { cwd: home, env, keepsStdin: true });
  const write = (message: object) => server.child.stdin?.write(`${JSON.stringify(message)}\r\n`);
  const answers = () =>
    server
      .stdout()
      .trim()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Answer);
  write({ jsonrpc: "2.0", id: 0, ...INITIALIZE });
  await until(async () => answers().length === 1);
  write({ jsonrpc: "2.0", id: null, method: "notifications/initialized", params: null });
  for (const request of numbered) write(request);
  await until(async () => answers().length === numbered.length + 1);
  for (const { error } of answers()) assert.equal(error, undefined);
  server.child.stdin?.end();
  assert.equal((await server.ended).code, 0);
});

test("over HTTP too", async () => {
  await onMcpStage({ script: () => ({ text: "ok" }) }, async ({ http }) => {
    const { url, token } = await http();
    const post = async (message: object, session?: string) =>
      fetch(url, {
        method: "POST",
        body: JSON.stringify({ jsonrpc: "2.0", ...message }),
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(session !== undefined && { "mcp-session-id": session }),
        },
      });
    const opened = await post({ id: 0, ...INITIALIZE });
    const session = opened.headers.get("mcp-session-id") ?? undefined;
    assert.doesNotMatch(await opened.text(), /"error"/);
    for (const request of numbered) {
      const body = await (await post(request, session)).text();
      assert.match(body, new RegExp(`"id":${request.id}\\b`));
      assert.doesNotMatch(body, /"error"/);
    }
  });
});

test("tool arguments keep their nulls, and lists keep their positions", () => {
  const call = (input: unknown) => ({ method: "tools/call", params: { name: "x", arguments: input } });
  const schema = { properties: { a: { const: null, enum: [null, 1] } } };
  assert.deepEqual(withoutNullFields(call(schema)), call(schema));
  assert.deepEqual(withoutNullFields(JSON.parse('{"params":{"a":[null,{"b":null}]}}')), { params: { a: [null, {}] } });
  assert.deepEqual(withoutNullFields(JSON.parse('[{"id":1,"params":null},{"id":2}]')), [{ id: 1 }, { id: 2 }]);
  const failure = '{"id":null,"error":{"code":1,"message":"null"}}';
  assert.equal(JSON.stringify(withoutNullFields(JSON.parse(failure))), failure);
  const own = JSON.stringify(withoutNullFields(JSON.parse('{"params":{"a":null,"__proto__":{"b":1}}}')));
  assert.equal(own, '{"params":{"__proto__":{"b":1}}}');
});

test("however the bytes arrive, each line is one message", async () => {
  const message = (method: string) => `{"jsonrpc":"2.0","method":"${method}"}`;
  const messages = [
    `{"jsonrpc":"2.0","id":1,"method":"ü","params":null}`,
    "",
    message("€\\nnull"),
    "no JSON: null",
    message("c"),
  ];
  const bytes = Buffer.from(`${messages.join("\n")}\n{"d":nul`);
  const expected = [`{"jsonrpc":"2.0","id":1,"method":"ü"}`, ...messages.slice(2), '{"d":nul'].join("\n");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      const filtered = Readable.from(pieces.filter((piece) => piece.length > 0)).pipe(
        createMessageLines(() => assert.fail()),
      );
      assert.equal(await text(filtered), expected);
    }),
  );
});
