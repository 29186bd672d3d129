/** A delegating child cannot pass on more than it has. Uses all of Deputy, over HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApprovalQuestion } from "../../src/engine/engine.ts";
import type { Script } from "../../src/testing/index.ts";
import { calls, delegates, PRICED, runs } from "../fields/effects.ts";
import { type Document, type Played, play, requestsFor, routesIn, type Scene } from "../support/whole-stage.ts";

/** An orchestrator, goal `one`, that makes this call. */
function nested(call: object, { task = {}, config = {}, ...scene }: Scene & { task?: object; config?: Document } = {}) {
  const delegation = { max_spawn_depth: 2, ...(config.delegation as object) };
  const top = { goal: "one", role: "orchestrator" as const, ...task };
  return play(top, { script: delegates(call), ...scene, config: { ...config, delegation } });
}

function summary({ results }: Played): string {
  return results[0]?.summary ?? "";
}

/** An orchestrator that delegates once, and children that follow this script. */
function childrenDo(call: object, script: Script): Script {
  return async (request) =>
    request.tools.some(({ name }) => name === "delegate_task") ? delegates(call)(request) : script(request);
}

test("its children inherit its own route, and its effort where they run on the same model", async () => {
  const task = { model: "beta-2", provider: "beta", reasoning_effort: "high" };
  const played = await nested({ tasks: [{ goal: "two" }, { goal: "three", model: "beta-3" }] }, { task });
  assert.deepEqual(routesIn(played, "two", "three"), ["beta-2 @ beta · high", "beta-3 @ beta"]);
});

test("its children have no toolset that it does not have", async () => {
  const call = { tasks: [{ goal: "two" }, { goal: "three", toolsets: ["terminal"] }] };
  const played = await nested(call, { task: { toolsets: ["search"] } });
  assert.deepEqual(
    requestsFor(played, "two")[0]?.tools.map(({ name }) => name),
    ["glob", "grep"],
  );
  assert.match(summary(played), /Expected toolsets out of search; found terminal/);
});

test("its children have no tool that its agent definition has not, whatever their own have", async () => {
  const agent = (name: string, tools: string) => `---\nname: ${name}\ntools: ${tools}\n---\nPart.\n`;
  const call = { tasks: [{ goal: "two" }, { goal: "three", agent: "writer" }] };
  const played = await nested(call, {
    task: { agent: "reader" },
    files: {
      "work/.claude/agents/reader.md": agent("reader", "Read, Grep"),
      "work/.claude/agents/writer.md": agent("writer", "Write, Grep, Bash"),
    },
  });
  const tools = (goal: string) => requestsFor(played, goal)[0]?.tools.map(({ name }) => name);
  assert.deepEqual([tools("two"), tools("three")], [["read_file", "list_dir", "grep"], ["grep"]]);
});

test("their workspaces stay inside its own, links resolved, and their files are reported in its own notation", async () => {
  const call = {
    tasks: [
      { goal: "two", workspace: "deep" },
      { goal: "three", workspace: ".." },
    ],
  };
  const writing = calls({ name: "write_file", input: { path: "out.txt", content: "x" } });
  const played = await nested(call, {
    task: { workspace: "inner" },
    files: { "work/inner/deep/note.txt": "" },
    script: childrenDo(call, writing),
  });
  assert.ok("work/inner/deep/out.txt" in played.files);
  assert.deepEqual(played.results[0]?.files_changed, ["deep/out.txt"]);
  assert.match(summary(played), /Expected a directory in the caller's workspace or one of extra_dirs \(.*inner\)/);
});

test("the user's allow and deny bind what it asks for", async () => {
  const call = { tasks: [{ goal: "two" }, { goal: "three", provider: "beta" }] };
  const played = await nested(call, { config: { delegation: { deny: ["beta/*"] } } });
  assert.equal(requestsFor(played, "two").length, 1);
  assert.equal(requestsFor(played, "three").length, 0);
  assert.match(summary(played), /rejected \(denied-by-policy\)/);
});

test("its permissions hold for its children, and a question carries the name of the child that asks", async () => {
  const asked: ApprovalQuestion[] = [];
  const script = childrenDo({ goal: "two" }, runs("touch ran"));
  const played = await nested(
    {},
    {
      script,
      options: {
        asker: async (question) => {
          asked.push(question);
          return { allowed: true, reason: "yes" };
        },
      },
    },
  );
  const id = played.result.delegation_id;
  assert.deepEqual(
    asked.map(({ childId, goal, target }) => [childId, goal, target]),
    [[`${id}.1.1.1`, "two", "touch ran"]],
  );
  assert.ok("work/ran" in played.files);
  const permissions = [{ tool: "terminal", then: "deny" as const }];
  assert.ok(!("work/ran" in (await nested({}, { script, options: { permissions } })).files));
});

test("under a budget from above, a child on a model without a price is rejected", async () => {
  const call = { tasks: [{ goal: "two" }, { goal: "three", model: "acme-2" }] };
  const played = await nested(call, { config: PRICED, task: { max_cost_usd: 5 } });
  assert.match(summary(played), /three|rejected \(unknown-price\)/);
  assert.equal(requestsFor(played, "three").length, 0);
});

test("if none of its tasks can start, it gets suggestions, and nothing is started", async () => {
  const played = await nested({ goal: "two", provider: "nowhere" });
  assert.match(summary(played), /No task can start:.*nowhere/s);
  assert.deepEqual(played.results[0]?.delegations, []);
});
