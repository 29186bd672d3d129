/** Each request offers the edit tool that its model is trained on; a call of the other one works. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ModelRequest, Script } from "../../src/testing/index.ts";
import { type Arrival, play } from "../support/whole-stage.ts";

const PATCH = "*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+two\n*** End Patch";
const CALLS = {
  apply_patch: { name: "apply_patch", input: { patch: PATCH } },
  edit_file: { name: "edit_file", input: { path: "a.txt", edits: [{ old_string: "one", new_string: "two" }] } },
};

function editToolsIn({ tools }: Pick<Arrival, "tools">): string[] {
  return tools.map(({ name }) => name).filter((name) => name in CALLS);
}

function resultsIn({ messages }: ModelRequest): string {
  return messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text)).join("\n");
}

const calling =
  (tool: keyof typeof CALLS): Script =>
  (request) =>
    resultsIn(request) === "" ? { toolCalls: [CALLS[tool]] } : { text: resultsIn(request) };

describe("the edit tool of a route", () => {
  const FAMILIES: [model: string, tool: keyof typeof CALLS][] = [
    ["gpt-5.2", "apply_patch"],
    ["openai/gpt-6-sol", "apply_patch"],
    ["gpt-5.1-codex-max", "apply_patch"],
    ["gpt-4.1-mini", "apply_patch"],
    ["openai/gpt-oss-120b:free", "apply_patch"],
    ["codex-mini-latest", "apply_patch"],
    ["gpt-4o", "edit_file"],
    ["claude-opus-5", "edit_file"],
    ["glm-5.1", "edit_file"],
    ["my-gpt-5-like-model", "edit_file"],
  ];
  for (const [model, tool] of FAMILIES) {
    test(`is ${tool} for ${model}, and a call of either works`, async () => {
      for (const called of ["apply_patch", "edit_file"] as const) {
        const { requests, results, files } = await play(
          { goal: "one", model, provider: "acme" },
          { script: calling(called), files: { "work/a.txt": "one\n" } },
        );
        assert.deepEqual(requests.map(editToolsIn), [[tool], [tool]]);
        assert.equal(files["work/a.txt"], "two\n");
        assert.deepEqual(results[0]?.files_changed, ["a.txt"]);
        assert.deepEqual(results[0]?.lines_changed, { "a.txt": { added: 1, removed: 1 } });
      }
    });
  }

  test("follows a fallback to another family", async () => {
    const script: Script = (request) => {
      if (request.model === "gpt-5.2" && resultsIn(request) !== "")
        return { fault: { kind: "response", status: 400, body: '{"error":{"message":"no"}}' } };
      return calling("apply_patch")(request);
    };
    const { requests, results } = await play(
      { goal: "one", model: "gpt-5.2", provider: "acme" },
      {
        script,
        config: { delegation: { fallbacks: ["glm-5.1 --provider beta"] } },
        files: { "work/a.txt": "one\n" },
      },
    );
    assert.equal(results[0]?.status, "completed");
    assert.deepEqual(
      requests.map((request) => [request.model, ...editToolsIn(request)]),
      [
        ["gpt-5.2", "apply_patch"],
        ["gpt-5.2", "apply_patch"],
        ["glm-5.1", "edit_file"],
      ],
    );
  });

  test("is the one that an agent definition leaves it, and a patch needs the tools of all it can do", async () => {
    const offered = async (tools: string) => {
      const files = { "work/.claude/agents/a.md": `---\nname: a\ndescription: x\ntools: ${tools}\n---\nYou are a.\n` };
      const { requests } = await play({ goal: "one", agent: "a", model: "gpt-5.2", provider: "acme" }, { files });
      return requests.flatMap(editToolsIn);
    };
    assert.deepEqual(await offered("Read, Edit"), ["edit_file"]);
    assert.deepEqual(await offered("Read, Write, Edit"), ["apply_patch"]);
    assert.deepEqual(await offered("Read, Write"), []);
  });
});

describe("an approval request for a patch", () => {
  test("shows every path and change, and the call is denied as a whole", async () => {
    const patch = `*** Begin Patch\n*** Update File: a.txt\n-one\n+two\n*** Update File: .env\n-KEY=1\n+KEY=2\n*** End Patch`;
    const asked: string[] = [];
    for (const allowed of [false, true]) {
      const { files, results } = await play(
        { goal: "one", model: "gpt-5.2", provider: "acme" },
        {
          script: (request) =>
            resultsIn(request) === ""
              ? { toolCalls: [{ name: "apply_patch", input: { input: patch } }] }
              : { text: resultsIn(request) },
          files: { "work/a.txt": "one\n", "work/.env": "KEY=1\n" },
          options: {
            asker: async ({ target }) => {
              asked.push(target);
              return { allowed, reason: "as the test says" };
            },
          },
        },
      );
      assert.deepEqual(
        [files["work/a.txt"], files["work/.env"]],
        allowed ? ["two\n", "KEY=2\n"] : ["one\n", "KEY=1\n"],
      );
      assert.deepEqual(
        results[0]?.tool_trace.map(({ target }) => target),
        ["a.txt\n.env"],
      );
    }
    const shown = "*** Update File: a.txt\n-one\n+two\n*** Update File: .env\n-KEY=1\n+KEY=2";
    assert.deepEqual(asked, [shown, shown]);
  });
});
