/** The list of work of agents from other programs' files: theirs if the operator gives it to children. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Document, play } from "../support/whole-stage.ts";

const agentFile = (lines: string) => ({ ".claude/agents/a.md": `---\nname: a\n${lines}\n---\nWork.\n` });

async function toolsOf(lines: string, delegation: Document) {
  const files = agentFile(lines);
  const { requests, results } = await play({ goal: "one", agent: "a" }, { config: { delegation }, files });
  return [requests[0]?.tools.map(({ name }) => name), results[0]?.warnings?.map(({ code }) => code)];
}

describe("an agent of Claude Code", () => {
  const withList = { toolsets: ["search", "todo"] };

  test("that names TodoWrite, or does not withhold it, has `todo` where children may have it", async () => {
    assert.deepEqual(await toolsOf("tools: Grep, TodoWrite", withList), [["grep", "todo"], []]);
    assert.deepEqual(await toolsOf("disallowedTools: Grep", withList), [["glob", "todo"], ["toolset-withheld"]]);
  });

  test("that does not name it, or withholds it, does not", async () => {
    assert.deepEqual(await toolsOf("tools: Grep", withList), [["grep"], []]);
    assert.deepEqual((await toolsOf("disallowedTools: TodoWrite", withList))[0], ["glob", "grep"]);
  });

  test("is not warned of where children have none by default", async () => {
    assert.deepEqual(await toolsOf("tools: Grep, TodoWrite", {}), [["grep"], []]);
  });
});
