/** Items of a `responses` stream that lack fields required by the provider package, read by the production code. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Fault } from "../../../../src/testing/index.ts";
import { tool } from "../../../support/child-stage.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

const RHINE = '{"word":"Rhine"}';
const call = { type: "function_call", call_id: "call_1", name: "look", arguments: RHINE };
const begun = { ...call, arguments: "" };
const message = { type: "message", role: "assistant", content: [{ type: "output_text", text: "The Rhine." }] };
const usage = { input_tokens: 20, output_tokens: 8, total_tokens: 28 };

const added = (item: object, more: object = {}) => ({ type: "response.output_item.added", item, ...more });
const done = (item: object, more: object = {}) => ({ type: "response.output_item.done", item, ...more });
const completed = (response: object = {}) => ({ type: "response.completed", response: { usage, ...response } });
const text = (delta: string, more: object = {}) => ({ type: "response.output_text.delta", delta, ...more });
const pieces = (...deltas: string[]) =>
  deltas.map((delta) => ({ type: "response.function_call_arguments.delta", delta, output_index: 0, item_id: "fc_1" }));
const wholeArguments = { type: "response.function_call_arguments.done", arguments: RHINE };

describe("over responses", () => {
  let stage: WireStage;
  let fault: Fault;
  before(async () => {
    stage = await createWireStage(() => ({ fault }));
  });
  after(() => stage.close());

  async function read(...events: object[]) {
    const created = { type: "response.created", response: { id: "r", created_at: 0, model: "m" } };
    const body = [created, ...events].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    fault = { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body };
    const { reply } = await stage.ask("responses", { tools: [tool("look", "read", (word) => word)] });
    assert.ok(reply.ok, JSON.stringify(reply));
    const said = reply.parts.map((part) =>
      part.type === "tool-call" ? `${part.callId} ${part.name} ${JSON.stringify(part.input)}` : part.text,
    );
    return { said, usage: reply.usage };
  }

  const CALLS: [what: string, events: object[]][] = [
    ["that has no item id", [added(begun, { output_index: 0 }), done(call, { output_index: 0 })]],
    ["that has no position", [added(begun), done(call)]],
    ["that was never begun", [done(call, { output_index: 0 })]],
    [
      "whose arguments come in pieces alone",
      [added(begun, { output_index: 0 }), ...pieces('{"word":', '"Rhine"}'), done(begun, { output_index: 0 })],
    ],
    [
      "whose arguments come whole in their own event alone",
      [added({ ...begun, id: "fc_1" }), { ...wholeArguments, item_id: "fc_1" }, done({ ...begun, id: "fc_1" })],
    ],
    ["whose arguments are an object", [done({ ...call, arguments: JSON.parse(RHINE) })]],
    ["without call id, that its item id stands for", [done({ ...call, call_id: undefined, id: "call_1" })]],
    ["that is never done", [added(begun, { output_index: 0 }), { ...wholeArguments, output_index: 0 }]],
    [
      "that changes its item id",
      [added({ ...begun, id: "a" }, { output_index: 0 }), done({ ...call, id: "b" }, { output_index: 0 })],
    ],
  ];
  for (const [what, events] of CALLS)
    test(`a call is read ${what}`, async () => {
      assert.deepEqual((await read(...events, completed({ output: [] }))).said, [`call_1 look ${RHINE}`]);
      assert.deepEqual((await read(...events, completed({ output: [call] }))).said, [`call_1 look ${RHINE}`], "once");
    });

  test("a call that only the end of the response contains is read, and two calls without ids are two", async () => {
    assert.deepEqual((await read(completed({ output: [call] }))).said, [`call_1 look ${RHINE}`]);
    const other = { ...call, call_id: "call_2" };
    const events = [added(begun), done(call), added({ ...other, arguments: "" }), done(other)];
    assert.deepEqual((await read(...events, completed())).said, [`call_1 look ${RHINE}`, `call_2 look ${RHINE}`]);
  });

  const TEXTS: [what: string, events: object[]][] = [
    ["in pieces without an item id", [added(message), text("The "), text("Rhine."), done(message)]],
    [
      "in pieces of an item that was never begun",
      [text("The Rhine.", { item_id: "m" }), done({ ...message, id: "m" })],
    ],
    [
      "in the whole text alone",
      [added(message), { type: "response.output_text.done", text: "The Rhine." }, done(message)],
    ],
    ["in the finished item alone", [done(message)]],
    ["in the finished response alone", []],
  ];
  for (const [what, events] of TEXTS)
    test(`a text is read ${what}, and once`, async () => {
      assert.deepEqual((await read(...events, completed({ output: [message] }))).said, ["The Rhine."]);
    });

  test("two messages with ids stay two texts", async () => {
    const item = (id: string) => ({ ...message, id });
    const events = ["a", "b"].flatMap((id, output_index) => [
      added(item(id), { output_index }),
      text(id, { item_id: id, output_index }),
      done(item(id), { output_index }),
    ]);
    assert.deepEqual((await read(...events, completed({ output: [item("a"), item("b")] }))).said, ["a", "b"]);
  });

  test("a usage with the field names of chat is read, and so is reasoning next to the output", async () => {
    const counted = async (given: object) => (await read(done(message), completed({ usage: given }))).usage;
    const expected = { input: 20, output: 48, cached: 0, reasoning: 40 };
    const reasoning = { output_tokens_details: { reasoning_tokens: 40 } };
    assert.deepEqual(await counted({ input_tokens: 20, output_tokens: 8, total_tokens: 68, ...reasoning }), expected);
    assert.deepEqual(await counted({ input_tokens: 20, output_tokens: 48, total_tokens: 68, ...reasoning }), expected);
    assert.deepEqual(await counted({ prompt_tokens: 20, completion_tokens: 48, reasoning_tokens: 40 }), expected);
    assert.equal(await counted({ total_tokens: 68 }), undefined);
  });
});
