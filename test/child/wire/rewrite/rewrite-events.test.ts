/** Events of a response that are changed before a provider package reads them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Rewriter, rewriteEvents } from "../../../../src/child/wire/rewrite/rewrite-events.ts";
import type { Fetch } from "../../../../src/child/wire/transport.ts";

const URL_OF_ANY = "http://127.0.0.1/v1/responses";

/** The rewritten stream as a whole, sent in pieces of this size. */
async function rewritten(stream: string, rewriters: Rewriter[], pieceBytes = 7): Promise<string> {
  const response = await rewriteEvents(fetchOf(stream, pieceBytes), rewriters)(URL_OF_ANY);
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of response.body ?? []) text += decoder.decode(piece, { stream: true });
  return text;
}

function fetchOf(stream: string, pieceBytes: number, status = 200): Fetch {
  const bytes = new TextEncoder().encode(stream);
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
    bytes.slice(index * pieceBytes, (index + 1) * pieceBytes),
  );
  return async () => new Response(ReadableStream.from(pieces), { status });
}

const double: Rewriter = { concerns: /"twice"/, start: () => (event) => [event, { ...event, again: true }] };
const drop: Rewriter = { concerns: /"gone"/, start: () => () => [] };
const number: Rewriter = {
  concerns: /"numbered"/,
  start: () => {
    let count = 0;
    return (event) => ({ ...event, count: ++count });
  },
};

test("an event that concerns no rewriter passes as it was sent, whatever it is", async () => {
  const stream = 'event: ping\ndata: {"a":  "獅子"}\n\ndata: {"half\ndata: of": 1}\n\ndata: [DONE]\n\n';
  assert.equal(await rewritten(stream, [double, drop]), stream);
});

test("nothing passes after the end that the server announced", async () => {
  const stream = 'data: {"a":1}\n\ndata: [DONE]\n\n';
  assert.equal(await rewritten(`${stream}data: {"b":1}\n\n`, [double]), stream);
});

test("an event becomes one, several or none, and keeps its place", async () => {
  const stream = 'data: {"a":1}\n\ndata: {"twice":1}\n\ndata: {"gone":1}\n\ndata: {"b":1}\n\n';
  assert.equal(
    await rewritten(stream, [double, drop]),
    'data: {"a":1}\n\ndata: {"twice":1}\n\ndata: {"twice":1,"again":true}\n\ndata: {"b":1}\n\n',
  );
});

test("rewriters work in turn: a later one sees what an earlier one made", async () => {
  const stream = 'data: {"numbered":1,"twice":1}\n\n';
  assert.equal(
    await rewritten(stream, [double, number]),
    'data: {"numbered":1,"twice":1,"count":1}\n\ndata: {"numbered":1,"twice":1,"again":true,"count":2}\n\n',
  );
});

test("an event that a rewriter leaves alone keeps its name and its form, one that is no JSON its text", async () => {
  const same: Rewriter = { concerns: /./, start: () => (event) => event };
  const stream = 'event: error\ndata: {"a":  1}\n\ndata: not JSON\n\n';
  assert.equal(await rewritten(stream, [same]), stream);
});

test("a refusal passes whole", async () => {
  const response = await rewriteEvents(fetchOf('{"twice": 1}', 100, 429), [double])(URL_OF_ANY);
  assert.equal(await response.text(), '{"twice": 1}');
});

test("each response starts anew", async () => {
  const fetch = rewriteEvents(fetchOf('data: {"numbered":1}\n\n', 100), [number]);
  for (let request = 0; request < 2; request += 1) {
    const [bytes] = await Array.fromAsync((await fetch(URL_OF_ANY)).body ?? []);
    assert.equal(new TextDecoder().decode(bytes), 'data: {"numbered":1,"count":1}\n\n');
  }
});

test("events before a break are delivered before the error, and a consumer that stops early cancels the stream", async () => {
  const broken = async function* () {
    yield new TextEncoder().encode('data: {"a":1}\n\n');
    throw new Error("reset");
  };
  const response = await rewriteEvents(async () => new Response(ReadableStream.from(broken())), [double])(URL_OF_ANY);
  const reader = response.body?.getReader();
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), 'data: {"a":1}\n\n');
  await assert.rejects(async () => reader?.read(), /reset/);

  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: {"a":1}\n\n')),
    cancel: () => {
      cancelled = true;
    },
  });
  const { body } = await rewriteEvents(async () => new Response(endless), [double])(URL_OF_ANY);
  for await (const _ of body ?? []) break;
  assert.ok(cancelled);
});
