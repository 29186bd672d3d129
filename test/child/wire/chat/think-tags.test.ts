/** Reasoning between tags at the start of a chat answer, in pieces of any size, and answers that only mention tags. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { createThinkSplitter } from "../../../../src/child/wire/chat/think-tags.ts";
import { createWireStage, type WireStage } from "../../../support/wire-stage.ts";

type Split = { reasoning: string; text: string };

/** @param cuts positions at which the answer is cut into pieces */
function split(answer: string, cuts: readonly number[] = [], goesOn = false, isFinished = true): Split {
  const splitter = createThinkSplitter();
  const ends = [...cuts.map((cut) => cut % (answer.length + 1)), answer.length].sort((a, b) => a - b);
  const pieces = ends.map((end, index) => answer.slice(ends[index - 1] ?? 0, end)).filter((piece) => piece !== "");
  const read: Split = { reasoning: "", text: "" };
  for (const said of [...pieces.flatMap((piece) => splitter.read(piece)), ...splitter.end(isFinished, goesOn)]) {
    if (said.type !== "text-was-reasoning") read[said.type] += said.text;
    else Object.assign(read, { reasoning: read.reasoning + read.text.trim(), text: "" });
  }
  return read;
}

const JSON_ANSWER = '{"rivers": ["Rhine", "Elbe"]}';

const REASONING: [what: string, answer: string, reasoning: string, text: string][] = [
  ["think", `<think>\nMaybe {"rivers": []}?\n</think>\n\n${JSON_ANSWER}`, 'Maybe {"rivers": []}?', JSON_ANSWER],
  ["think, after blanks", "\n <think>a</think>b", "a", "b"],
  ["thinking", "<thinking>a</thinking>\nb", "a", "b"],
  ["Gemini's thought", "<thought>a</thought>b", "a", "b"],
  ["Magistral's THINK", "[THINK]a[/THINK]b", "a", "b"],
  ["Seed's think", "<seed:think>a</seed:think>b", "a", "b"],
  [
    "the channels of gpt-oss",
    "<|channel|>analysis<|message|>We think.<|end|><|start|>assistant<|channel|>final<|message|>b",
    "We think.",
    "b",
  ],
  ["the channels of gpt-oss in short", "<|channel|>analysis<|message|>a<|channel|>final<|message|>b", "a", "b"],
  ["nothing between the tags", "<think>\n\n</think>\n\nb", "", "b"],
  ["two blocks", "<think>a</think>\n<think>b</think>\nc", "ab", "c"],
  [
    "a tag within the reasoning",
    "<think>I could write <b> or </thinking>.</think>b",
    "I could write <b> or </thinking>.",
    "b",
  ],
  ["only its end, on a line of its own", "The user said hello.\n</think>\n\nHello!", "The user said hello.", "Hello!"],
  ["only its end, without a break", `Answer briefly.</think>${JSON_ANSWER}`, "Answer briefly.", JSON_ANSWER],
  ["only its end, at the very start", "</think>\n\nHello!", "", "Hello!"],
];

const ANSWERS: [what: string, answer: string][] = [
  ["a tag in the middle", "Models write <think> and then </think> before the answer."],
  ["tags in code", "Use `<think>` and `</think>`."],
  ["an end in code", "It ends with `</think>`, and then comes the answer."],
  ["an end in quotes", 'Split at "</think>" and trim.'],
  ["an end in a sentence", "It ends with </think> and goes on."],
  ["an end before a comma", "After </think>, the answer follows."],
  ["an end in a block of code", "```\nreasoning\n</think>\nanswer\n```\nThat is all."],
  ["an end in JSON", '{"text": "a</think>b"}'],
  ["an end and no more", "All of it.\n</think>"],
  ["a beginning that is no tag", "<thinker> is an element."],
  ["half a tag", "<thi"],
  ["a finished answer that begins with a tag", "<think> is the tag that opens it."],
  ["blanks at its start", "\n\nHello"],
  ["other brackets", "[THIS] is <b>bold</b> <|not a token|>"],
];

const cuts = fc.array(fc.nat(200), { maxLength: 12 });

for (const [what, answer, reasoning, text] of REASONING)
  test(`reasoning is separated from the answer: ${what}`, () => {
    fc.assert(fc.property(cuts, (cuts) => assert.deepEqual(split(answer, cuts), { reasoning, text })));
  });

for (const [what, answer] of ANSWERS)
  test(`an answer stays whole: ${what}`, () => {
    fc.assert(fc.property(cuts, (cuts) => assert.equal(split(answer, cuts).text, answer)));
  });

test("an answer that was cut off in its reasoning is reasoning alone", () => {
  assert.deepEqual(split("<think>I think", [], false, false), { reasoning: "I think", text: "" });
});

test("text before a tool call may be reasoning only, with either tag", () => {
  assert.deepEqual(split("<think>I need the file.", [], true), { reasoning: "I need the file.", text: "" });
  assert.deepEqual(split("I need the file.\n</think>\n\n", [], true), { reasoning: "I need the file.", text: "" });
});

test("any text comes back whole if it holds no tag", () => {
  const word = fc.constantFrom("<", "<th", "think>", "[", "</", "x", " ", "\n", "<|", "◁");
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), cuts, (words, cuts) => {
      const answer = words.join("");
      fc.pre(!/<\/?think>/.test(answer));
      assert.equal(split(answer, cuts).text, answer);
    }),
  );
});

describe("over chat_completions", () => {
  let stage: WireStage;
  let body = "";
  before(async () => {
    stage = await createWireStage(() => ({
      fault: { kind: "response", status: 200, headers: { "content-type": "text/event-stream" }, body },
    }));
  });
  after(() => stage.close());

  const stream = (deltas: object[], finish: string) =>
    [...deltas.map((delta) => ({ choices: [{ delta }] })), { choices: [{ delta: {}, finish_reason: finish }] }]
      .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
      .join("");

  test("the parts of a reply are reasoning and answer, each once", async () => {
    for (const pieces of [
      ["<thi", "nk>\nI list", " two.\n</th", "ink>\n\n", JSON_ANSWER],
      ["I list", " two.\n</th", "ink>\n\n", JSON_ANSWER],
    ]) {
      body = stream(
        pieces.map((content) => ({ content })),
        "stop",
      );
      const { reply } = await stage.ask("chat_completions");
      assert.ok(reply.ok, JSON.stringify(reply));
      assert.deepEqual(
        reply.parts.map((part) => [part.type, "text" in part && part.text]),
        [
          ["reasoning", "I list two."],
          ["text", JSON_ANSWER],
        ],
      );
    }
  });

  test("live text holds no reasoning that was marked as such", async () => {
    body = stream([{ content: "<think>hmm" }, { content: "</think>" }, { content: "Yes." }], "stop");
    assert.equal((await stage.ask("chat_completions")).live, "Yes.");
  });

  test("reasoning goes back in its tags to its own model, and to no other provider", async () => {
    body = stream([{ content: "<think>hmm</think>Yes." }], "stop");
    const { reply } = await stage.ask("chat_completions");
    assert.ok(reply.ok);
    const contents: string[] = [];
    for (const provider of ["vendor", "another"]) {
      await stage.ask("chat_completions", {
        messages: [
          { role: "user", text: "Is it?" },
          { role: "assistant", provider, parts: reply.parts },
          { role: "user", text: "Sure?" },
        ],
      });
      const [, content = ""] =
        /"role":"assistant","content":"(.*?)"/.exec(JSON.stringify(stage.server.requests.at(-1)?.body)) ?? [];
      contents.push(content);
    }
    assert.deepEqual(contents, ["<think>hmm</think>\\n\\nYes.", "Yes."]);
  });

  test("a call after reasoning alone is a call", async () => {
    const call = { index: 0, id: "a", function: { name: "look", arguments: "{}" } };
    body = stream([{ content: "I need the file.\n</think>\n\n" }, { tool_calls: [call] }], "tool_calls");
    const { reply } = await stage.ask("chat_completions");
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.deepEqual(
      reply.parts.map(({ type }) => type),
      ["reasoning", "tool-call"],
    );
  });
});
