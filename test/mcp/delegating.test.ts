/** The results of delegate_task for an MCP client, however long it takes and whatever happens meanwhile. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DeputyError } from "../../src/errors.ts";
import type { Report } from "../../src/report.ts";
import { until } from "../support/command-line.ts";
import { CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

/** A model that answers when the test allows it. */
function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
}

for (const kind of CLIENTS) {
  describe(`a ${kind} client`, () => {
    test("delegates tasks to several providers at once and reads each result", async () => {
      await onMcpStage({ script: ({ model }) => ({ text: `answer of ${model}` }) }, async ({ client }) => {
        const { text, data, isError } = await (await client(kind)).call("delegate_task", {
          tasks: [
            { goal: "one" },
            { goal: "two", provider: "beta" },
            { goal: "three", model: "acme-2", effort: "high" },
          ],
        });
        const { results, state } = data as Report;
        assert.deepEqual(
          results.map(({ status, summary, model, provider }) => [status, summary, `${model} @ ${provider}`]),
          [
            ["completed", "answer of acme-1", "acme-1 @ acme"],
            ["completed", "answer of beta-1", "beta-1 @ beta"],
            ["completed", "answer of acme-2", "acme-2 @ acme"],
          ],
        );
        assert.deepEqual([state, isError], ["ended", false]);
        for (const answer of ["answer of acme-1", "answer of beta-1", "answer of acme-2"])
          assert.ok(text.includes(answer));
      });
    });

    test("gets every error and every problem at once, with suggestions, in an answer", async () => {
      await onMcpStage({}, async ({ client }) => {
        const agent = await client(kind);
        const wrong = await agent.call("delegate_task", { tasks: [{ goal: "one", modle: "x" }, { context: "y" }] });
        assert.ok(wrong.isError);
        assert.match(wrong.text, /tasks\[0\].modle: Unknown field `modle`. Did you mean `model`\?/);
        assert.match(wrong.text, /tasks\[1\].goal: Required/);
        const lost = await agent.call("delegate_task", {
          tasks: [
            { goal: "one", provider: "acmee" },
            { goal: "two", toolsets: ["fiel"] },
          ],
        });
        assert.ok(lost.isError);
        assert.match(lost.text, /task 1.*acme/);
        assert.match(lost.text, /task 2.*file/);
        assert.match((await agent.call("delegate_tasks", {})).text, /Did you mean delegate_task\?/);
        assert.match((await agent.call("check_delegation", { id: "nothing" })).text, /found nothing/);
        assert.match((await agent.call("check_delegation", { idd: "x" })).text, /Did you mean `id`\?/);
      });
    });

    for (const name of ["__proto__", "constructor", "toString"]) {
      test(`gets an error about a field named ${name}, at every level and over either transport`, async () => {
        const stray = JSON.parse(`{"${name}": {"goal": "stray"}}`);
        // Parsed like a message, because a spread would set the prototype of the copy.
        const beside = (fields: string) => JSON.parse(`{${fields}, ${JSON.stringify(stray).slice(1)}`);
        const calls = [
          beside(`"goal": "one"`),
          beside(`"goal": "one", "background": true`),
          beside(`"tasks": [{"goal": "one"}]`),
          { tasks: [beside(`"goal": "one"`)] },
          { tasks: JSON.stringify([beside(`"goal": "one"`)]) },
          { goal: "one", model: beside(`"model": "acme-1"`) },
        ];
        await onMcpStage({}, async ({ client, remote, engine }) => {
          for (const agent of [await client(kind), await remote(kind)]) {
            for (const call of calls) {
              const { isError, text } = await agent.call("delegate_task", call);
              assert.ok(isError && text.includes(`Unknown field \`${name}\``), `${JSON.stringify(call)}: ${text}`);
            }
            const { isError, text } = await agent.call("list_models", beside(`"provider": "acme"`));
            assert.ok(isError && text.includes(`Unknown field \`${name}\``), text);
            const honest = await agent.call("delegate_task", { goal: `Explain ${name}.`, context: name });
            assert.ok(!honest.isError, honest.text);
          }
          assert.equal((await engine.runs()).length, 2);
        });
      });
    }

    test("whose call takes long gets a handle in time, and the same call again joins the same run", async () => {
      const { opened, open } = gate();
      const script = async () => {
        await opened;
        return { text: "at last" };
      };
      await onMcpStage({ script, config: { mcp: { return_after_seconds: 0.2 } } }, async ({ client, engine }) => {
        const agent = await client(kind);
        const first = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
        assert.deepEqual([first.state, first.open.map(({ goal }) => goal)], ["running", ["slow"]]);
        assert.match(first.next ?? "", new RegExp(`check_delegation with {"id": "${first.delegation_id}"}`));
        const again = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
        assert.deepEqual([again.delegation_id, (await engine.runs()).length], [first.delegation_id, 1]);
        open();
        await until(async () => (await engine.run(first.delegation_id)).owner === "none");
        const last = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
        assert.deepEqual(
          [last.delegation_id, last.state, last.results[0]?.summary],
          [first.delegation_id, "ended", "at last"],
        );
        const anew = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
        assert.notEqual(anew.delegation_id, first.delegation_id, "its end was told: this is new work");
      });
    });
  });
}

test("delegate_task is offered where models may delegate, and states the depth", async () => {
  const offered = new Map<number, string | undefined>();
  for (const depth of [0, 1, 2])
    await onMcpStage({ config: { delegation: { max_spawn_depth: depth } } }, async ({ client }) => {
      const agent = await client("1.x");
      const tool = (await agent.listTools()).find(({ name }) => name === "delegate_task");
      offered.set(depth, tool?.description);
      const called = await agent.call("delegate_task", { goal: "one" });
      assert.equal(called.isError, depth === 0);
    });
  assert.equal(offered.get(0), undefined);
  assert.match(offered.get(1) ?? "", /all roles are `leaf`/);
  assert.match(offered.get(2) ?? "", /`role: orchestrator` may delegate/);
});

test("a run that cannot start in the background is reported, and does not stay pending", async () => {
  const begin = async () => {
    throw new DeputyError("run-owned", "The run could not start in the background: no more processes.");
  };
  await onMcpStage({ begin }, async ({ client, engine }) => {
    const { text, isError } = await (await client("2.x")).call("delegate_task", { goal: "one", background: true });
    assert.ok(isError);
    assert.match(text, /no more processes/);
    const [listing] = await engine.runs();
    assert.deepEqual(
      [listing?.owner, listing?.run.children.map(({ tally }) => tally.ending?.status)],
      ["none", ["interrupted"]],
    );
  });
});
