/** Agent definitions in a plan: their level, their restrictions, and the message about an unknown one. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { command, play, refusal, routesIn } from "../../support/whole-stage.ts";

const claude = (lines: string, body = "Part.") => `---\n${lines}\n---\n${body}\n`;

describe("an agent's route is a level between the call and the rules", () => {
  const config = {
    agents: { reviewer: { prompt: "Review.", model: "of-agent" } },
    rules: [{ when: { tag: "r" }, use: "of-rule" }],
    delegation: { model: "of-delegation" },
  };
  const CASES: [what: string, call: object, model: string][] = [
    ["over the delegation's", { tasks: [{ goal: "one", agent: "reviewer" }] }, "of-agent"],
    ["over a rule's", { tasks: [{ goal: "one", agent: "reviewer", tags: ["r"] }] }, "of-agent"],
    ["under the call's", { tasks: [{ goal: "one", agent: "reviewer" }], model: "of-call" }, "of-call"],
    ["under the task's", { tasks: [{ goal: "one", agent: "reviewer", model: "of-task" }] }, "of-task"],
  ];
  for (const [what, call, model] of CASES)
    test(what, async () => {
      const played = await play(call as never, { config });
      assert.deepEqual(routesIn(played), [`${model} @ acme`]);
      const by = model.slice("of-".length);
      assert.equal(played.results[0]?.route?.chosen_by.model, by);
    });
});

describe("files of the project", () => {
  test("bring prompt, route and tools, as if the config had them", async () => {
    const files = {
      "work/.claude/agents/sums.md": claude(
        "name: sums\ndescription: Sums\ntools: Read, Grep\nmodel: acme-2",
        "Check sums.",
      ),
    };
    const played = await play({ goal: "one", agent: "sums" }, { files });
    const [request] = played.requests;
    assert.deepEqual(routesIn(played), ["acme-2 @ acme"]);
    assert.deepEqual(
      request?.tools.map(({ name }) => name),
      ["read_file", "list_dir", "grep"],
    );
    assert.match(request?.system ?? "", /Check sums\.$/);
  });

  test("a tool that the agent lacks is unavailable, whatever the model calls", async () => {
    const files = { "work/.claude/agents/reader.md": claude("name: reader\ntools: Read") };
    const script = ({ messages }: { messages: { role: string }[] }) =>
      messages.length === 1
        ? { toolCalls: [{ name: "write_file", input: { path: "out.txt", content: "x" } }] }
        : { text: "done" };
    const played = await play({ goal: "one", agent: "reader" }, { files, script });
    assert.equal("work/out.txt" in played.files, false);
    assert.equal(played.results[0]?.tool_trace[0]?.ok, false);
  });

  test("what a model may choose binds theirs, not those of the user's own", async () => {
    const files = { "work/.claude/agents/dear.md": claude("name: dear\nmodel: acme-9") };
    const config = { delegation: { deny: ["acme/acme-9"] }, agents: { mine: { prompt: "P.", model: "acme-9" } } };
    const scene = (askedBy: "model" | "operator") => ({ files, config, options: { askedBy } });
    assert.match((await refusal({ goal: "one", agent: "dear" }, scene("model"))).message, /delegation\.deny refuses/);
    assert.deepEqual(routesIn(await play({ goal: "one", agent: "mine" }, scene("model"))), ["acme-9 @ acme"]);
    assert.deepEqual(routesIn(await play({ goal: "one", agent: "dear" }, scene("operator"))), ["acme-9 @ acme"]);
  });

  test("inherit means inherit, and an unavailable model is a problem that names the file", async () => {
    const files = {
      "work/.claude/agents/same.md": claude("name: same\nmodel: inherit"),
      "work/.opencode/agent/far.md": claude("model: nowhere/some-model"),
    };
    assert.deepEqual(routesIn(await play({ goal: "one", agent: "same" }, { files })), ["acme-1 @ acme"]);
    const { message } = await refusal({ goal: "one", agent: "far" }, { files });
    assert.match(message, /In the agent definition far \(.*\.opencode\/agent\/far\.md\): .*nowhere/);
  });
});

describe("an unknown agent", () => {
  test("is a problem with the nearest name, the list, and what is wrong with files", async () => {
    const config = { agents: { reviewer: { prompt: "R." }, tester: { prompt: "T." } } };
    const files = { "work/.claude/agents/broken.md": "nothing" };
    const error = await refusal({ goal: "one", agent: "reviewr" }, { config, files });
    assert.match(error.message, /found reviewr\. Did you mean reviewer\? There are reviewer, tester\.$/);
    const broken = await refusal({ goal: "one", agent: "broken" }, { config, files });
    assert.match(broken.message, /There are reviewer, tester\. .*broken\.md: expected front matter/);
  });

  test("costs the other tasks nothing", async () => {
    const { results } = await play({ tasks: [{ goal: "one", agent: "none" }, { goal: "two" }] });
    assert.deepEqual(
      results.map(({ exit_reason: reason }) => reason),
      ["unknown-agent", "answered"],
    );
  });
});

describe("text shared by siblings comes first", () => {
  test("the prompts of two agents differ from a child's without one at their end alone", async () => {
    const config = { agents: { a: { prompt: "Part A." }, b: { prompt: "Part B." } } };
    const tasks = [{ goal: "one", agent: "a" }, { goal: "two", agent: "b" }, { goal: "three" }];
    const { requests } = await play({ tasks }, { config });
    const systems = requests.map(({ system }) => system).sort((x, y) => x.length - y.length);
    const [plain = "", ...others] = systems;
    assert.deepEqual(others.map((system) => system.slice(plain.length)).sort(), [
      "\n\nYour part:\n\nPart A.",
      "\n\nYour part:\n\nPart B.",
    ]);
  });
});

describe("deputy agents", () => {
  const files = {
    "work/.claude/agents/sums.md": claude(
      "name: sums\ndescription: Checks sums\ntools: Read\nmodel: acme-2\ncolor: red",
    ),
    "work/.claude/agents/broken.md": "nothing",
  };
  const config = { agents: { lost: { prompt: "P.", provider: "nowhere" } } };

  test("lists name, route, tools, purpose and source, with notes and what is broken", async () => {
    const { code, stdout, stderr } = await command(["agents"], { files, config });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^sums {2}acme-2 @ acme {2}read_file, list_dir\n {2}Checks sums\n {2}\.claude\/agents\/sums\.md\n {2}without effect here: color$/m,
    );
    assert.match(stdout, /^lost\n {2}✗ In the agent definition lost .*nowhere/m);
    assert.match(stderr, /broken\.md: expected front matter/);
  });

  test("prints the same as JSON", async () => {
    const { stdout } = await command(["agents", "--json"], { files, config });
    const { agents, warnings } = JSON.parse(stdout);
    const [lost, sums] = agents;
    assert.equal(lost.route, null);
    assert.match(lost.problem, /nowhere/);
    assert.deepEqual(sums.route, { provider: "acme", model: "acme-2", reasoning_effort: null });
    assert.deepEqual([sums.tools, sums.notes], [["read_file", "list_dir"], ["without effect here: color"]]);
    assert.deepEqual(
      warnings.map(({ code }: { code: string }) => code),
      ["agent-unreadable", "untrusted-route"],
    );
  });

  test("explains how to define one if there are none", async () => {
    assert.match((await command(["agents"])).stdout, /There are none\. Define one under agents:/);
  });
});
