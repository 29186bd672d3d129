/** What stands below the answers of a run. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Tool } from "../../../src/tool.ts";
import { calls, fails, route, says, tool } from "../../support/child-stage.ts";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../../support/engine-stage.ts";

/** Changes `a.ts`, as the file tools report it. */
const write: Tool = {
  ...tool("write_file", "write", () => ""),
  run: async () => ({
    ok: true,
    text: "Changed a.ts.",
    filesChanged: ["a.ts", "logo.png"],
    linesChanged: { "a.ts": { added: 12, removed: 3 } },
  }),
};

const script: ModelScript = async ({ messages }) => {
  const said = JSON.stringify(messages);
  if (said.includes("Fail")) return fails("refused");
  if (said.includes("Write") && !said.includes("Changed")) return calls(["write_file", { word: "a.ts" }]);
  return says("done");
};

function priced(provider: string, model: string) {
  return route(provider, model, { facts: { price: { input: 1, output: 1 } } });
}

const cwd = temporaryDirectory(after);

/** What a terminal shows below the answers of these tasks, the last of which is answered with `done`. */
async function endOf(tasks: string): Promise<string> {
  const { engine } = createTestEngine({ script, tools: [write], route: priced });
  writeFileSync(join(cwd, "tasks.yaml"), tasks);
  const { stdout } = await deputy(["run", "tasks.yaml"], { cwd, engine, terminal: true, env: { TERM: "dumb" } });
  const [, end = ""] = /\n\ndone\n\n([\s\S]*)$/.exec(stdout) ?? [];
  return end;
}

describe("below the answers", () => {
  test("stand what failed and why, and what to do next", async () => {
    const end = await endOf("- Fail now\n- Say done\n");
    assert.match(
      end,
      /^Not completed\n✗ \[1\/2\] Fail now: failed: refused – it failed: refused\n\n1 of 2 tasks completed in \S+ · \S+ · deputy retry (\w+) · deputy show\s\1\n$/,
    );
  });

  test("stands the goal without its own period in front of the reason", async () => {
    assert.match(await endOf("- Fail now.\n- Say done\n"), /^✗ \[1\/2\] Fail now: failed: refused/m);
  });

  test("stand the files that each child changed, with lines added and removed", async () => {
    assert.match(
      await endOf("- Write it\n"),
      /^Files changed\n\[1\/1\] a\.ts \+12 −3\n\[1\/1\] logo\.png\n\n1 of 1 task completed/,
    );
  });

  test("stands the cost by model if there are several", async () => {
    const end = await endOf(
      "- { goal: Say a, model: big }\n- { goal: Say b, model: small }\n- { goal: Say c, model: small }\n",
    );
    assert.match(
      end,
      /MODEL +CHILDREN +REQUESTS +TOKENS +COST\nbig @ zai +1 +1 +10 in, 5 out +\S+\nsmall @ zai +2 +2 +20 in, 10 out +\S+\n\n3 of 3 tasks completed/,
    );
  });

  test("stands one line if there is nothing more to say", async () => {
    assert.match(await endOf("- Say done\n"), /^1 of 1 task completed in \S+ · \S+ · deputy show \w+\n$/);
  });
});
