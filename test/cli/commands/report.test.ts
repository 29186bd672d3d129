/** `deputy report`: everything that matters of a run in one document, in which no word of a model takes effect. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { createMemory } from "../../../src/journal/memory.ts";
import type { Tool } from "../../../src/tool.ts";
import { calls, fails, says, tool } from "../../support/child-stage.ts";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

const HOSTILE =
  "<script>alert(1)</script> ![x](http://evil.test/p.png) [y](javascript:alert(2)) \u001b[2J ```` </pre> & 'q' \"";

const write: Tool = {
  ...tool("write_file", "write", () => ""),
  subject: () => ({ target: "<b>.ts", otherwise: "allow" }),
  run: async () => ({ ok: true, text: "Changed.", filesChanged: ["<b>.ts"] }),
};
const edit: Tool = { ...write, name: "edit_file" };
const patch: Tool = { ...write, name: "apply_patch" };
const PATCH = "*** Begin Patch\n*** Update File: p.ts\n@@\n kept\n-was\n+is\n*** Delete File: gone.ts\n*** End Patch";

async function reported(...flags: string[]) {
  const memory = createMemory();
  const { engine } = createTestEngine({
    memory,
    tools: [write, edit, patch].map((one) => ({
      ...one,
      input: { safeParse: (data: unknown) => ({ success: true, data }) } as never,
    })),
    script: async ({ messages }) => {
      const said = JSON.stringify(messages);
      if (said.includes("Fail")) return fails("refused");
      if (said.includes("Changed")) return says(HOSTILE);
      return calls(
        ["write_file", { path: "<b>.ts", content: "</pre><script>new()</script>\n```" }],
        ["edit_file", { path: "<b>.ts", old_string: "old", new_string: "new" }],
        ["edit_file", { path: "<b>.ts", edits: [{ old_string: "second", new_string: "2nd" }] }],
        ["apply_patch", { input: PATCH }],
      );
    },
  });
  const delegation = await engine.submit(
    { tasks: [{ goal: `Work ${HOSTILE}` }, { goal: "Fail" }] },
    { surface: "cli", workspace: "/work" },
  );
  await delegation.result;
  const home = temporaryDirectory(after);
  const done = await deputy(["report", delegation.id, ...flags], { engine, cwd: home });
  return { ...done, home, id: delegation.id };
}

describe("deputy report", () => {
  test("has goals, routes, costs, reasons, answers and changes", async () => {
    const { stdout, id, code } = await reported();
    assert.equal(code, 0);
    assert.match(
      stdout,
      new RegExp(`^# Run ${id}\n\n- Started: .*\n- Tasks: 1 of 2 tasks completed in .*\n- Cost: \\$`),
    );
    assert.match(stdout, new RegExp(`^## ✓ .*1/2.* ${id}\\.1$`, "m"));
    assert.match(stdout, /^- Route: .* · m @ zai · /m);
    assert.match(stdout, /^- Status: failed: refused/m);
    assert.match(stdout, /^`{3,}diff\n-old\n\+new\n`{3,}$/m);
    for (const change of ["-second\n+2nd", "-was\n+is", "-(deleted)"]) assert.ok(stdout.includes(change), change);
    assert.match(stdout, /p\\?\.ts[\s\S]*gone\\?\.ts/);
  });

  test("in Markdown keeps the words of models and tasks in fenced blocks", async () => {
    const { stdout } = await reported();
    const outside = stdout.replaceAll(/^(`{3,})\w+\n[\s\S]*?\n\1$/gm, "");
    for (const live of ["<script", "![x]", "](javascript:", "\u001b", "</pre>", "<b>"]) {
      assert.ok(!outside.replaceAll(/\\./g, "").includes(live), live);
    }
    assert.ok(!stdout.includes("\u001b"));
  });

  test("in HTML escapes them, and allows no script and no request", async () => {
    const { stdout } = await reported("--html");
    assert.match(stdout, /^<!doctype html>/);
    assert.match(stdout, /Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/);
    assert.doesNotMatch(stdout, /<script|<img|<a |javascript:alert\(2\)"|<b>/i);
    assert.ok(!stdout.includes("\u001b"));
    assert.match(stdout, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    const open = stdout.match(/<pre>/g)?.length;
    assert.equal(stdout.match(/<\/pre>/g)?.length, open);
  });

  test("says that a cost is unknown without saying cost twice", async () => {
    const { usage: _, ...unmeasured } = says("Done.");
    const { engine } = createTestEngine({ memory: createMemory(), script: async () => unmeasured });
    const { id, result } = await engine.submit({ tasks: [{ goal: "One" }] }, { surface: "cli", workspace: "/work" });
    await result;
    const { stdout } = await deputy(["report", id], { engine });
    assert.equal(stdout.match(/^- Cost: unknown$/gm)?.length, 2);
  });

  test("goes to a file, or says why it cannot", async () => {
    const { stdout, home } = await reported("--html", "-o", "out.html");
    assert.equal(stdout, "");
    assert.match(readFileSync(join(home, "out.html"), "utf8"), /<\/html>\n$/);
    const failed = await reported("-o", "none/out.md");
    assert.deepEqual([failed.code, failed.stdout], [2, ""]);
    assert.match(failed.stderr, /--output: cannot write .*none\/out\.md/);
  });
});
