/** Streams of `messages` that lack fields required by the provider package, read by the production code. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Fault } from "../../../../src/testing/index.ts";
import { tool } from "../../../support/child-stage.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

const RHINE = { word: "Rhine" };

const opening = (usage: object | undefined) => ({
  type: "message_start",
  message: { id: "m", model: "m", role: "assistant", content: [], usage },
});
const begun = (block: object, index = 0) => ({
  type: "content_block_start",
  index,
  content_block: { type: "tool_use", name: "look", ...block },
});
const pieces = (...parts: string[]) =>
  parts.map((partial_json) => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "input_json_delta", partial_json },
  }));
const stop = (index = 0) => ({ type: "content_block_stop", index });
const closing = (usage: object | undefined) => [
  { type: "message_delta", delta: { stop_reason: "tool_use" }, usage },
  { type: "message_stop" },
];

describe("over messages", () => {
  let stage: WireStage;
  let fault: Fault;
  before(async () => {
    stage = await createWireStage(() => ({ fault }));
  });
  after(() => stage.close());

  async function read(events: object[]) {
    const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    fault = { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body };
    const { reply } = await stage.ask("anthropic_messages", { tools: [tool("look", "read", (word) => word)] });
    assert.ok(reply.ok, JSON.stringify(reply));
    return { inputs: reply.parts.flatMap((part) => (part.type === "tool-call" ? [part.input] : [])), ...reply };
  }

  const between = (...events: object[]) => [
    opening({ input_tokens: 20, output_tokens: 1 }),
    ...events,
    ...closing({ output_tokens: 8 }),
  ];

  const text = JSON.stringify(RHINE);
  const CALLS: [what: string, events: object[], inputs: object[]][] = [
    ["with all input at its start", [begun({ id: "a", input: RHINE }), stop()], [RHINE]],
    [
      "with all input at its start and in pieces",
      [begun({ id: "a", input: RHINE }), ...pieces('{"word":', '"Rhine"}'), stop()],
      [RHINE],
    ],
    ["with its input as a text", [begun({ id: "a", input: text }), stop()], [RHINE]],
    ["with no input", [begun({ id: "a", input: null }), stop()], [{}]],
    ["with empty input and one empty piece", [begun({ id: "a", input: {} }), ...pieces(""), stop()], [{}]],
    ["without an id", [begun({ input: {} }), ...pieces(text), stop()], [RHINE]],
    ["without an end", [begun({ id: "a", input: {} }), ...pieces(text)], [RHINE]],
    [
      "each with the same id",
      [begun({ id: "a", input: RHINE }), stop(), begun({ id: "a", input: RHINE }, 1), stop(1)],
      [RHINE, RHINE],
    ],
  ];
  for (const [what, events, inputs] of CALLS)
    test(`calls are read ${what}`, async () => {
      assert.deepEqual((await read(between(...events))).inputs, inputs);
    });

  const block = [begun({ id: "a", input: RHINE }), stop()];
  const COUNTS: [what: string, start: object | undefined, end: object | undefined, counts: object | undefined][] = [
    ["at the start alone", { input_tokens: 20, output_tokens: 8 }, undefined, { input: 20, output: 8, cached: 0 }],
    ["at the end alone", undefined, { input_tokens: 20, output_tokens: 8 }, { input: 20, output: 8, cached: 0 }],
    [
      "in the words of chat",
      {},
      { prompt_tokens: 20, completion_tokens: 8, prompt_tokens_details: { cached_tokens: 12 } },
      { input: 20, output: 8, cached: 12 },
    ],
    ["nowhere", undefined, undefined, undefined],
  ];
  for (const [what, start, end, counts] of COUNTS)
    test(`a usage is read ${what}`, async () => {
      const { usage } = await read([opening(start), ...block, ...closing(end)]);
      assert.deepEqual(usage, counts && { ...counts, reasoning: 0 });
    });

  const ENDS: [what: string, begin: object, end: object, counts: object][] = [
    ["0 of the input", { input_tokens: 20 }, { input_tokens: 0, output_tokens: 8 }, { input: 20, output: 8 }],
    ["nothing of the input", { input_tokens: 20 }, { output_tokens: 8 }, { input: 20, output: 8 }],
    ["null of the input", { input_tokens: 20 }, { input_tokens: null, output_tokens: 8 }, { input: 20, output: 8 }],
    [
      "0 of the input and of the cache",
      { input_tokens: 20, cache_read_input_tokens: 5 },
      { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 8 },
      { input: 25, output: 8, cached: 5 },
    ],
    [
      "all of it from the cache",
      { input_tokens: 25 },
      { input_tokens: 0, cache_read_input_tokens: 25, output_tokens: 8 },
      { input: 25, output: 8, cached: 25 },
    ],
    ["more of the input", { input_tokens: 1 }, { input_tokens: 20, output_tokens: 8 }, { input: 20, output: 8 }],
    ["0 of the output", { input_tokens: 20, output_tokens: 8 }, { output_tokens: 0 }, { input: 20, output: 8 }],
  ];
  for (const [what, begin, end, counts] of ENDS)
    test(`an end that counts ${what} leaves ${JSON.stringify(counts)}`, async () => {
      const { usage } = await read([opening(begin), begun({ id: "c1", input: RHINE }), stop(), ...closing(end)]);
      assert.deepEqual(usage, { cached: 0, reasoning: 0, ...counts });
    });
});

describe("over gemini", () => {
  const read = async (usages: object[], parts: object[] = [{ text: "yes" }]) => {
    const chunks = usages.map((usageMetadata, index) => ({
      candidates: [
        { content: { parts: index === 0 ? parts : [] }, ...(index === usages.length - 1 && { finishReason: "STOP" }) },
      ],
      usageMetadata,
    }));
    const body = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
    const headers = { "content-type": "text/event-stream" };
    const stage = await createWireStage(() => ({ fault: { kind: "response", status: 200, headers, body } }));
    const { reply } = await stage.ask("gemini", { tools: [tool("look", "read", (word) => word)] });
    await stage.close();
    assert.ok(reply.ok, JSON.stringify(reply));
    return reply;
  };
  const counts = { promptTokenCount: 20, candidatesTokenCount: 8, thoughtsTokenCount: 5 };

  const COUNTS: [what: string, usages: object[], output: number, reasoning: number][] = [
    ["beside the candidates, as Google counts them", [{ ...counts, totalTokenCount: 33 }], 13, 5],
    ["beside the candidates, without a sum", [counts], 13, 5],
    ["among the candidates, as the sum says", [{ ...counts, totalTokenCount: 28 }], 8, 5],
    ["in the sum alone", [{ promptTokenCount: 20, candidatesTokenCount: 8, totalTokenCount: 33 }], 13, 5],
    ["in another chunk than the rest", [{ ...counts, totalTokenCount: 33 }, { trafficType: "ON_DEMAND" }], 13, 5],
  ];
  for (const [what, usages, output, reasoning] of COUNTS)
    test(`thoughts are counted once: ${what}`, async () => {
      assert.deepEqual((await read(usages)).usage, { input: 20, output, cached: 0, reasoning });
    });

  test("tokens of a tool's prompt are input, and the sum holds nothing else", async () => {
    const usage = { ...counts, toolUsePromptTokenCount: 7, totalTokenCount: 40 };
    const reply = await read([usage]);
    assert.deepEqual(reply.usage, { input: 27, output: 13, cached: 0, reasoning: 5 });
    assert.deepEqual(reply.warnings, []);
  });

  test("calls without ids or arguments are calls, each with a separate id", async () => {
    const calls = [
      { name: "look" },
      { name: "look", args: {} },
      { name: "look", args: null },
      { name: "look", args: RHINE },
    ];
    const { parts } = await read(
      [counts],
      calls.map((functionCall) => ({ functionCall })),
    );
    const heard = parts.filter((part) => part.type === "tool-call");
    assert.deepEqual(
      heard.map(({ input }) => input),
      [{}, {}, {}, RHINE],
    );
    assert.equal(new Set(heard.map(({ callId }) => callId)).size, 4);
  });
});
