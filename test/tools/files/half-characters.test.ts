/** Half of a character is in no file: a text with one is refused, and no character of a file is split. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

const WHOLE = "😀";
const [FIRST = "", LAST = ""] = WHOLE.split("");

describe("half of a character", () => {
  for (const [encoding, bytes] of [
    ["UTF-8", Buffer.from(`a${WHOLE}b`)],
    ["UTF-16", Buffer.from(`\ufeffa${WHOLE}b`, "utf16le")],
  ] as const) {
    test(`is neither replaced nor written in a file in ${encoding}`, async (context) => {
      const { write, call, workspace } = openWorkshop(context);
      write("f.txt", bytes);
      await call("read_file", { path: "f.txt" });
      for (const [tool, more] of [
        ["edit_file", { old_string: FIRST, new_string: "x" }],
        ["edit_file", { old_string: `${LAST}b`, new_string: "x" }],
        ["edit_file", { old_string: "a", new_string: FIRST }],
        ["write_file", { content: `x${LAST}` }],
      ] as const) {
        await assert.rejects(call(tool, { path: "f.txt", ...more }), /whole characters.*lone surrogate/s);
      }
      assert.deepEqual(readFileSync(join(workspace, "f.txt")), bytes);
    });
  }

  test("is in no path and no command", async (context) => {
    const { call, workspace } = openWorkshop(context);
    for (const [tool, more] of [
      ["write_file", { content: "x" }],
      ["read_file", {}],
      ["list_dir", {}],
      ["grep", { pattern: "x" }],
    ] as const) {
      const outcome = await call(tool, { path: `a${FIRST}`, ...more }).catch(String);
      assert.match(JSON.stringify(outcome), /half of a character/);
    }
    await assert.rejects(call("terminal", { command: `echo ${LAST}` }), /half of a character/);
    assert.deepEqual(readdirSync(workspace), []);
  });

  test("is no part of a whole one: an emoji is replaced, written and named", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write(`${WHOLE}.txt`, `a${WHOLE}b`);
    assert.ok((await call("edit_file", { path: `${WHOLE}.txt`, old_string: WHOLE, new_string: "😎" })).ok);
    assert.equal(readFileSync(join(workspace, `${WHOLE}.txt`), "utf8"), "a😎b");
    assert.equal((await call("terminal", { command: `cat ${WHOLE}.txt` })).text, "a😎b");
  });
});
