/**
 * A client that repeats its call after its server has exited, with the real program: it gets the run that it started.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import type { Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { launch, PROGRAM, processesWith } from "../support/end-to-end.ts";
import { connect, type McpClient } from "../support/mcp-clients.ts";
import { type Place, stage } from "../support/whole-stage.ts";

type Serving = {
  client: McpClient;
  /** Kills the server and disconnects its client. */
  kill(): Promise<void>;
};
type Window = { name?: string; workspace?: string };
type Serve = (place: Place, window?: Window) => Promise<Serving>;

/** Ends the processes that a failed test has left running. */
async function onStage(script: Script, perform: (place: Place) => Promise<void>) {
  const config = { mcp: { return_after_seconds: 0.2 } };
  const { requests } = await stage({ script, config }, async (place) => {
    try {
      await perform(place);
    } finally {
      for (const pid of processesWith(stateOf(place))) process.kill(pid, "SIGKILL");
    }
  });
  return requests;
}

const stateOf = ({ env }: Place) => env.DEPUTY_STATE_DIR ?? "";
const flagsOf = ({ workspace }: Window) => (workspace === undefined ? [] : ["--workspace", workspace]);

const stdio: Serve = async (place, window = {}) => {
  const before = new Set(processesWith(stateOf(place)));
  const command = { command: PROGRAM, args: ["mcp", ...flagsOf(window)], env: place.env, cwd: place.cwd };
  const client = await connect("1.x", command, undefined, undefined, window.name);
  const pids = processesWith(stateOf(place)).filter((pid) => !before.has(pid));
  return {
    client,
    async kill() {
      for (const pid of pids) process.kill(pid, "SIGKILL");
      await until(() => !processesWith(stateOf(place)).some((pid) => pids.includes(pid)));
      await client.close();
    },
  };
};

const http: Serve = async (place, window = {}) => {
  const server = launch(["serve", "--port", "0", ...flagsOf(window)], place);
  await until(() => server.stderr().includes("Token:") || server.isOver());
  const [, url = ""] = /^MCP at (\S+)/m.exec(server.stderr()) ?? [];
  const token = readFileSync(join(stateOf(place), "token"), "utf8").trim();
  const client = await connect("2.x modern", { url, token }, undefined, undefined, window.name);
  return {
    client,
    async kill() {
      server.child.kill("SIGKILL");
      await server.ended;
      await client.close();
    },
  };
};

/** `quick` is answered at once. Other goals use a tool, request again, and get their answer once it is open. */
function scripted() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const waiting = { count: 0 };
  const script: Script = async ({ messages }) => {
    if (messages[0]?.text.includes("quick")) return { text: "quick is done" };
    if (messages.at(-1)?.role !== "tool") return { toolCalls: [{ name: "list_dir", input: {} }] };
    waiting.count += 1;
    await opened;
    return { text: "done at last" };
  };
  return { script, open, waiting };
}

const CALL = { tasks: [{ goal: "quick" }, { goal: "slow", max_iterations: 9 }], context: "of both" };
/** The same, as a model may write it the next time. */
const AGAIN = { context: "of both", tasks: [{ goal: "quick" }, { max_iterations: 9, goal: "slow" }] };

async function delegate({ client }: Serving, call: Record<string, unknown> = CALL): Promise<Report> {
  const { data, text } = await client.call("delegate_task", call);
  assert.ok(data, text);
  return data as Report;
}

/** Repeats a call until its client has the end. */
async function endOf(serving: Serving, call: Record<string, unknown>): Promise<Report> {
  let report = await delegate(serving, call);
  while (report.state === "running") report = await delegate(serving, call);
  return report;
}

type Listed = { delegation_id: string; state: string };

async function runs(place: Place): Promise<Listed[]> {
  return JSON.parse((await launch(["runs", "--json"], place).ended).stdout);
}

const summaries = ({ results }: Report) => results.map(({ summary }) => summary);

async function isSound(place: Place): Promise<void> {
  const { code, stdout, stderr } = await launch(["journal", "verify"], place).ended;
  assert.equal(code, 0, stdout + stderr);
}

for (const [name, serve] of Object.entries({ "deputy mcp": stdio, "deputy serve": http })) {
  describe(`a call that is repeated after ${name} was killed`, () => {
    test("in the middle of its run joins that run, and nothing is requested twice", async () => {
      const { script, open, waiting } = scripted();
      const requests = await onStage(script, async (place) => {
        const first = await serve(place);
        const { delegation_id: id } = await delegate(first);
        await until(() => waiting.count === 1);
        await first.kill();
        open();
        const second = await serve(place);
        const { delegation_id, state, ...report } = await endOf(second, AGAIN);
        assert.deepEqual([delegation_id, state], [id, "ended"]);
        assert.deepEqual(summaries({ delegation_id, state, ...report }), ["quick is done", "done at last"]);
        assert.equal((await runs(place)).length, 1);
        await second.kill();
        const third = await serve(place);
        assert.notEqual((await endOf(third, CALL)).delegation_id, id, "its end was told: this is new work");
        await third.kill();
        await isSound(place);
      });
      assert.equal(requests.length, 4 + 3, "the request that was under way is made again, no other");
    });

    test("after the end of its run gets that end, which was not delivered", async () => {
      const { script, open, waiting } = scripted();
      const requests = await onStage(script, async (place) => {
        const first = await serve(place);
        const { delegation_id: id } = await delegate(first);
        await until(() => waiting.count === 1);
        open();
        while ((await runs(place))[0]?.state !== "ended");
        await first.kill();
        const second = await serve(place);
        const report = await delegate(second, AGAIN);
        assert.deepEqual([report.delegation_id, report.state], [id, "ended"]);
        assert.deepEqual(summaries(report), ["quick is done", "done at last"]);
        await second.kill();
      });
      assert.equal(requests.length, 3);
    });

    test("in the background refers to the run that continues", async () => {
      const { script, open, waiting } = scripted();
      await onStage(script, async (place) => {
        const call = { ...CALL, background: true };
        const first = await serve(place);
        const { delegation_id: id } = await delegate(first, call);
        const other = await serve(place);
        assert.notEqual((await delegate(other, call)).delegation_id, id, "the other server is alive");
        await until(() => waiting.count === 2);
        await first.kill();
        const second = await serve(place);
        assert.deepEqual([(await delegate(second, call)).delegation_id, waiting.count], [id, 2]);
        open();
        assert.deepEqual(summaries(await endOf(second, call)), ["quick is done", "done at last"]);
        await second.kill();
        await other.kill();
        await until(() => processesWith(stateOf(place)).length === 0);
      });
    });

    test("joins no run of another call, client, workspace or living server", async () => {
      const { script, open, waiting } = scripted();
      await onStage(script, async (place) => {
        const elsewhere = join(place.cwd, "elsewhere");
        mkdirSync(elsewhere);
        const first = await serve(place);
        const { delegation_id: id } = await delegate(first);
        await until(() => waiting.count === 1);
        const sibling = await serve(place);
        assert.notEqual((await delegate(sibling)).delegation_id, id, "of two windows, each has its own run");
        await sibling.client.call("control_delegation", {
          id: (await delegate(sibling)).delegation_id,
          action: "stop",
        });
        await first.kill();
        open();
        for (const window of [{ name: "another client" }, { workspace: elsewhere }]) {
          const other = await serve(place, window);
          assert.notEqual((await delegate(other)).delegation_id, id, JSON.stringify(window));
          await other.kill();
        }
        for (const call of [{ ...CALL, context: "of each" }, { tasks: [{ goal: "slow" }] }, { goal: "quick" }])
          assert.notEqual((await delegate(sibling, call)).delegation_id, id, JSON.stringify(call));
        assert.equal((await endOf(sibling, AGAIN)).delegation_id, id);
        await sibling.kill();
      });
    });
  });
}

test("a call that is repeated after its client went away continues with what its server stopped then", async () => {
  const { script, open, waiting } = scripted();
  const requests = await onStage(script, async (place) => {
    const first = await stdio(place);
    const { delegation_id: id } = await delegate(first);
    await until(() => waiting.count === 1);
    await first.client.close();
    await until(() => processesWith(stateOf(place)).length === 0);
    open();
    const second = await stdio(place);
    const report = await endOf(second, AGAIN);
    assert.deepEqual([report.delegation_id, report.state], [id, "ended"]);
    assert.deepEqual(summaries(report), ["quick is done", "done at last"]);
    await second.kill();
  });
  assert.equal(requests.length, 4);
});
