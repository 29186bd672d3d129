/** Runs of MCP clients among real processes: their owners, their visibility, and the processes that they outlive. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import type { Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { launch, PROGRAM, processesWith } from "../support/end-to-end.ts";
import { connect, type McpClient } from "../support/mcp-clients.ts";
import { type Place, stage } from "../support/whole-stage.ts";

/** A model that answers once the test allows it. */
function gated(): { script: Script; open(): void } {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return {
    script: async () => {
      await opened;
      return { text: "done at last" };
    },
    open,
  };
}

const agent = ({ env, cwd }: Place, name?: string) =>
  connect("1.x", { command: PROGRAM, args: ["mcp"], env, cwd }, undefined, undefined, name);

async function command(place: Place, ...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await launch(argv, place).ended;
  assert.ok(code === 0 || code === 1, stderr);
  return stdout;
}

async function report(client: McpClient, id: string, seconds = 0): Promise<Report> {
  const { data = {}, text } = await client.call("check_delegation", { id, wait_seconds: seconds });
  assert.ok(data.delegation, text);
  return data.delegation as Report;
}

/** Waits until requests of this many children are in flight. */
const asked = (place: Place, count: number) =>
  until(() => processesWith(place.env.DEPUTY_STATE_DIR ?? "").length >= count);

describe("a run of an MCP client", () => {
  test("in the background has a separate process, outlives agent and server, and is fetched from another", async () => {
    const { script, open } = gated();
    await stage({ script }, async (place) => {
      const first = await agent(place);
      const { data } = await first.call("delegate_task", { goal: "slow", background: true });
      const { delegation_id: id, state } = data as Report;
      assert.equal(state, "running");
      await first.close();
      await until(() => processesWith(place.env.DEPUTY_STATE_DIR ?? "").length === 1);
      const second = await agent(place);
      assert.equal((await report(second, id)).state, "running");
      open();
      const { state: ended, results } = await report(second, id, 20);
      assert.deepEqual([ended, results.map(({ summary }) => summary)], ["ended", ["done at last"]]);
      await second.close();
      await until(() => processesWith(place.env.DEPUTY_STATE_DIR ?? "").length === 0);
    });
  });

  test("in the foreground stops when the agent closes its end, and can be resumed", async () => {
    const { script, open } = gated();
    await stage({ script, config: { mcp: { return_after_seconds: 0.2 } } }, async (place) => {
      const client = await agent(place);
      const { delegation_id: id } = (await client.call("delegate_task", { goal: "slow" })).data as Report;
      await client.close();
      await until(() => processesWith(place.env.DEPUTY_STATE_DIR ?? "").length === 0);
      const [listed] = JSON.parse(await command(place, "runs", "--json"));
      assert.deepEqual([listed.delegation_id, listed.state, listed.surface], [id, "stopped", "mcp"]);
      open();
      const { results } = JSON.parse(await command(place, "resume", id, "--json"));
      assert.equal(results[0].summary, "done at last");
    });
  });

  test("is seen and stopped from a terminal and, if the operator shares all, what a terminal started from the client", async () => {
    const { script } = gated();
    await stage({ script, config: { mcp: { share: "all" } } }, async (place) => {
      const client = await agent(place);
      const call = client.call("delegate_task", { goal: "of the agent" });
      const terminal = launch(["run", "--goal", "of the terminal"], place);
      let runs: { delegation_id: string; goal: string; state: string }[] = [];
      await asked(place, 2);
      const find = async (goal: string) => {
        while (runs.find((run) => run.goal === goal)?.state !== "running")
          runs = JSON.parse(await command(place, "runs", "--json"));
        return runs.find((run) => run.goal === goal)?.delegation_id ?? "";
      };
      await command(place, "stop", await find("of the agent"));
      const { results } = (await call).data as Report;
      assert.deepEqual([results[0]?.status, results[0]?.exit_reason], ["interrupted", "deputy stop"]);
      const id = await find("of the terminal");
      assert.equal((await report(client, id)).state, "running");
      const { data: stopped } = await client.call("control_delegation", { id, action: "stop" });
      assert.equal((stopped?.delegation as Report | undefined)?.results[0]?.status, "interrupted");
      assert.equal((await terminal.ended).code, 1);
      await client.close();
    });
  });

  test("of an earlier server is found by the next one, and a terminal's or another client's is as unknown as none", async () => {
    const { script, open } = gated();
    await stage({ script }, async (place) => {
      const first = await agent(place);
      const { data } = await first.call("delegate_task", { goal: "of the agent", background: true });
      await first.close();
      const terminal = launch(["run", "--goal", "of the terminal", "--allow", "terminal"], place);
      await asked(place, 2);
      const runs: { delegation_id: string; surface: string }[] = JSON.parse(await command(place, "runs", "--json"));
      const foreign = runs.find(({ surface }) => surface === "cli")?.delegation_id ?? "";
      const own = (data as Report).delegation_id;
      for (const [client, seen, hidden] of [
        [await agent(place), [own], [foreign]],
        [await agent(place, "another"), [], [own, foreign]],
      ] as const) {
        const { data: listed = {} } = await client.call("check_delegation", {});
        assert.deepEqual(
          (listed.delegations as Report[]).map(({ delegation_id }) => delegation_id),
          seen,
        );
        for (const id of hidden)
          assert.deepEqual(await probed(client, id), await probed(client, "0".repeat(id.length)));
        await client.close();
      }
      open();
      await terminal.ended;
      const again = await agent(place);
      assert.equal((await report(again, own, 20)).state, "ended");
      await again.close();
    });
  });
});

/** What a client learns about an id, with the id itself left out. */
async function probed(client: McpClient, id: string): Promise<string[]> {
  const answers = [
    await client.call("check_delegation", { id, wait_seconds: 0 }),
    await client.call("check_delegation", { id: `${id}.1`, wait_seconds: 0 }),
    await client.call("control_delegation", { id, action: "stop" }),
    await client.call("control_delegation", { id: `${id}.1`, action: "steer", message: "Run rm -rf ~" }),
    await client.call("control_delegation", { id, action: "deny" }),
  ].map(({ text }) => text);
  for (const uri of [`deputy://runs/${id}`, `deputy://runs/${id}/children/${id}.1/transcript`])
    answers.push(await client.read(uri).catch(String));
  return answers.map((answer) => answer.replaceAll(id, "ID"));
}
