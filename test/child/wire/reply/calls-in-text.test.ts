/** Tool calls that models write into their text, in the notations of their chat templates. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callsInText } from "../../../../src/child/wire/reply/calls-in-text.ts";

const OFFERED = ["read_file", "list_dir", "edit_file"];
const READ = { name: "read_file", input: { path: "a.txt" } };
const LIST = { name: "list_dir", input: { path: "." } };

const one: Record<string, string> = {
  "Hermes and Qwen": `<tool_call>\n{"name": "read_file", "arguments": {"path": "a.txt"}}\n</tool_call>`,
  "Hermes without its end": `<tool_call>\n{"name": "read_file", "arguments": {"path": "a.txt"}}`,
  "Hermes with arguments as text": String.raw`<tool_call>{"name":"read_file","arguments":"{\"path\":\"a.txt\"}"}</tool_call>`,
  "Qwen3-Coder": `<tool_call>\n<function=read_file>\n<parameter=path>\na.txt\n</parameter>\n</function>\n</tool_call>`,
  "Qwen3-Coder without its bracket": `<function=read_file>\n<parameter=path>\na.txt\n</parameter>\n</function>\n</tool_call>`,
  "Llama 3.1": `<function=read_file>{"path": "a.txt"}</function>`,
  "Llama 3": `<|python_tag|>{"name": "read_file", "parameters": {"path": "a.txt"}}<|eom_id|>`,
  GLM: `<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a.txt</arg_value>\n</tool_call>`,
  "Kimi K2": `<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "a.txt"}<|tool_call_end|><|tool_calls_section_end|>`,
  "DeepSeek V3":
    '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{"path": "a.txt"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
  "DeepSeek V3.1": `<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "a.txt"}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>`,
  "DeepSeek V3.2": `<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">\n<｜DSML｜parameter name="path" string="true">a.txt</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>`,
  Mistral: `[TOOL_CALLS] [{"name": "read_file", "arguments": {"path": "a.txt"}}]</s>`,
  "newer Mistral": `[TOOL_CALLS]read_file[ARGS]{"path": "a.txt"}`,
  harmony: `<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "a.txt"}<|call|>`,
  "harmony with its start": `<|start|>assistant to=functions.read_file<|channel|>commentary json<|message|>{"path": "a.txt"}`,
  Anthropic: `<function_calls>\n<invoke name="read_file">\n<parameter name="path">a.txt</parameter>\n</invoke>\n</function_calls>`,
  "MiniMax M2": `<minimax:tool_call>\n<invoke name="read_file">\n<parameter name="path">a.txt</parameter>\n</invoke>\n</minimax:tool_call>`,
  "bare JSON": `{"name": "read_file", "arguments": {"path": "a.txt"}}`,
  "bare JSON in a fence": '```json\n{"name": "read_file", "parameters": {"path": "a.txt"}}\n```',
};

describe("a call in a model's own notation is read", () => {
  for (const [name, text] of Object.entries(one)) {
    test(name, () => assert.deepEqual(callsInText(text, OFFERED), { text: "", calls: [READ] }));
    if (!name.startsWith("bare"))
      test(`${name}, after a sentence`, () =>
        assert.deepEqual(callsInText(`I look at it.\n\n${text}\n`, OFFERED), { text: "I look at it.", calls: [READ] }));
  }

  const two: Record<string, string> = {
    Hermes: `<tool_call>{"name":"read_file","arguments":{"path":"a.txt"}}</tool_call>\n<tool_call>{"name":"list_dir","arguments":{"path":"."}}</tool_call>`,
    Mistral: `[TOOL_CALLS] [{"name":"read_file","arguments":{"path":"a.txt"}}, {"name":"list_dir","arguments":{"path":"."}}]`,
    MiniMax: `<minimax:tool_call><invoke name="read_file"><parameter name="path">a.txt</parameter></invoke><invoke name="list_dir"><parameter name="path">.</parameter></invoke></minimax:tool_call>`,
    GLM: `<tool_call>read_file<arg_key>path</arg_key><arg_value>a.txt</arg_value></tool_call><tool_call>list_dir<arg_key>path</arg_key><arg_value>.</arg_value></tool_call>`,
  };
  for (const [name, text] of Object.entries(two))
    test(`${name}: two calls`, () => assert.deepEqual(callsInText(text, OFFERED), { text: "", calls: [READ, LIST] }));

  test("a value keeps its lines, and may contain the tag that ends it", () => {
    const value = "  first\n</parameter> in a text\n\nlast";
    const text = `<tool_call><function=edit_file><parameter=path>\na.txt\n</parameter>\n<parameter=new>\n${value}\n</parameter>\n</function></tool_call>`;
    const calls = [{ name: "edit_file", input: { path: "a.txt", new: value } }];
    assert.deepEqual(callsInText(text, OFFERED), { text: "", calls });
  });

  test("results that the model makes up after its call are left out", () => {
    const text = `${one["Hermes and Qwen"]}\n<tool_response>\nall good\n</tool_response>\nDone.`;
    assert.deepEqual(callsInText(text, OFFERED), { text: "", calls: [READ] });
  });
});

describe("what may be meant otherwise stays text", () => {
  const texts: Record<string, string> = {
    "an explanation":
      'Write `<tool_call>{"name": "read_file", "arguments": {"path": "a.txt"}}</tool_call>` to read a file.',
    "code in a fence": 'For example:\n```\n<tool_call>\n{"name": "read_file", "arguments": {}}\n</tool_call>\n```\n',
    "indented code": `Like this:\n\n    ${one["Hermes without its end"]?.replace("\n", "")}`,
    "a quotation": `> ${one["Hermes and Qwen"]}`,
    "a call with a sentence after it": `${one["Hermes and Qwen"]}\nThat is how a call looks.`,
    "JSON with more fields": '{"name": "read_file", "arguments": {"path": "a.txt"}, "note": 1}',
    "JSON of another thing": '{"name": "Ada", "arguments": {"path": "a.txt"}}',
    "a word in brackets": "The <tool_call> tag is used by Qwen.",
    "an answer": "Done.",
  };
  for (const [name, text] of Object.entries(texts)) test(name, () => assert.equal(callsInText(text, OFFERED), "none"));
});

describe("a call that cannot be read is said to be unreadable", () => {
  const texts: Record<string, string> = {
    "broken JSON": '<tool_call>\n{"name": "read_file", "arguments": {"path": }}\n</tool_call>',
    "an unknown tool": '<tool_call>\n{"name": "rm_all", "arguments": {}}\n</tool_call>',
    "a call without arguments": "I look.\n<tool_call>\nread_file a.txt\n</tool_call>",
    "arguments that are a list": '[TOOL_CALLS]read_file[ARGS]["a.txt"]',
  };
  for (const [name, text] of Object.entries(texts))
    test(name, () => assert.equal(callsInText(text, OFFERED), "unreadable"));
});

test("long texts are read in linear time", () => {
  const pieces = [
    "<tool_call>",
    "<function=read_file>",
    "</parameter>",
    "<parameter=a>",
    "{",
    " ",
    "[TOOL_CALLS]",
    "}",
    "\n",
  ];
  for (const piece of pieces)
    for (const start of ["", "<function=read_file><parameter=path>", "<tool_call>{"]) {
      const text = start + piece.repeat(200_000 / piece.length);
      const before = process.cpuUsage().user;
      callsInText(text, OFFERED);
      assert.ok(process.cpuUsage().user - before < 1_500_000, `${start}${piece}`);
    }
});
