/** No command gets a key, and no output shows one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorkshop } from "./workshop.ts";

const KEY = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
const redact = (text: string) => text.replaceAll(KEY, "[secret]");

test("a command gets the current environment: a key that has become known since is in no later one", async (context) => {
  const environment: Record<string, string> = { PATH: process.env.PATH ?? "", HARMLESS: KEY };
  const { call } = openWorkshop(context, { environment: () => environment });
  assert.match((await call("terminal", { command: "env" })).text, /HARMLESS/);
  delete environment.HARMLESS;
  assert.doesNotMatch((await call("terminal", { command: "env" })).text, /HARMLESS/);
});

test("no tool shows a key, wherever it appears", async (context) => {
  const { call, write } = openWorkshop(context, { redact });
  write(KEY, `key=${KEY}\n`);
  const calls: [name: string, input: object][] = [
    ["read_file", { path: KEY }],
    ["write_file", { path: KEY, content: `key=${KEY}` }],
    ["edit_file", { path: KEY, old_string: "absent", new_string: "" }],
    ["list_dir", {}],
    ["glob", { pattern: "*" }],
    ["grep", { pattern: "key" }],
    ["terminal", { command: `cat sk-*; echo ${KEY} >&2` }],
  ];
  for (const [name, input] of calls) {
    const { text } = await call(name, input);
    assert.ok(text.includes("[secret]") && !text.includes(KEY), `${name}: ${text}`);
  }
});

test("a cut leaves no part of a key, wherever it falls", async (context) => {
  const { call, write } = openWorkshop(context, { redact });
  const part = KEY.slice(0, 8);
  const end = KEY.slice(-8);
  for (let shift = 0; shift < KEY.length; shift += 3) {
    // Between blanks, in JSON without blanks, and inside one long word.
    for (const [before, after] of [
      ["", " "],
      ['"', '",'],
      ["-", ""],
    ]) {
      write("a.txt", `${"-".repeat(shift)}${`${before}${KEY}${after}`.repeat(2_000)}`);
      for (const output of [
        await call("read_file", { path: "a.txt" }),
        await call("grep", { pattern: "-|sk" }),
        await call("terminal", { command: "cat a.txt" }),
      ]) {
        assert.ok(!output.text.includes(part) && !output.text.includes(end), output.text);
      }
    }
  }
});
