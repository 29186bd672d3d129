/** The runs of a killed `deputy serve`: the next server continues them. Uses the real program. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Report } from "../../../src/report.ts";
import type { Script } from "../../../src/testing/index.ts";
import { until } from "../../support/command-line.ts";
import { launch, type Process } from "../../support/end-to-end.ts";
import { connect, type McpClient } from "../../support/mcp-clients.ts";
import { type Place, stage } from "../../support/whole-stage.ts";

type Served = Process & { client: McpClient };

/** A server, and a client of it. */
async function serve(place: Place, ...flags: string[]): Promise<Served> {
  const server = launch(["serve", "--port", "0", ...flags], place);
  await until(() => server.stderr().includes("Token:") || server.isOver());
  const [, url = ""] = /^MCP at (\S+)/m.exec(server.stderr()) ?? [];
  const token = readFileSync(join(place.env.DEPUTY_STATE_DIR ?? "", "token"), "utf8").trim();
  return { ...server, client: await connect("1.x", { url, token }) };
}

async function endOf({ child, ended, client }: Served): Promise<string> {
  await client.close();
  child.kill("SIGTERM");
  return (await ended).stderr;
}

async function report({ client }: Served, id: string, seconds: number): Promise<Report> {
  const { data = {}, text } = await client.call("check_delegation", { id, wait_seconds: seconds });
  assert.ok(data.delegation, text);
  return data.delegation as Report;
}

/** `quick` is answered at once. Other goals use a tool, request again, and get their answer once it is open. */
function scripted() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: waiting, resolve: waits } = Promise.withResolvers<void>();
  const script: Script = async ({ messages }) => {
    if (messages[0]?.text.includes("quick")) return { text: "quick is done" };
    if (messages.at(-1)?.role !== "tool") return { toolCalls: [{ name: "list_dir", input: {} }] };
    waits();
    await opened;
    return { text: "done at last" };
  };
  return { script, open, waiting };
}

const SHORT = { mcp: { return_after_seconds: 0.2 } };

/** A call of two tasks, one of which has ended when the server is killed. */
async function cutOff(place: Place, waiting: Promise<void>): Promise<string> {
  const server = await serve(place);
  const asked = { tasks: [{ goal: "quick" }, { goal: "slow" }] };
  const { delegation_id: id } = (await server.client.call("delegate_task", asked)).data as Report;
  await waiting;
  while ((await report(server, id, 0)).results.length === 0);
  server.child.kill("SIGKILL");
  await server.ended;
  return id;
}

describe("deputy serve, started again after it was killed", () => {
  test("continues its runs, repeats no request, and has the result for later calls", async () => {
    const { script, open, waiting } = scripted();
    const { requests } = await stage({ script, config: SHORT }, async (place) => {
      const id = await cutOff(place, waiting);
      const unwilling = await serve(place, "--no-resume");
      assert.equal((await report(unwilling, id, 0)).state, "unfinished");
      assert.doesNotMatch(await endOf(unwilling), /Resuming/);
      open();
      const servers = await Promise.all([serve(place), serve(place)]);
      for (const server of servers) {
        const { state, results } = await report(server, id, 20);
        assert.deepEqual([state, results.map(({ summary }) => summary)], ["ended", ["quick is done", "done at last"]]);
      }
      const said = (await Promise.all(servers.map(endOf))).join("");
      assert.deepEqual(said.match(/^Resuming .*$/gm), [`Resuming ${id} after a crash: 1 of 2 done.`]);
    });
    assert.equal(requests.length, 4); // `quick`, both steps of `slow`, and the repeated request that was in flight.
  });

  test("continues runs that progressed between two crashes, and sets others aside until a user resumes them", async () => {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    /** Steps that are answered; later requests hang. */
    const play = { answered: 0, hanging: 0, done: false };
    const script: Script = async ({ messages }) => {
      if (play.done) return { text: "done at last" };
      const step = messages.filter(({ role }) => role === "tool").length;
      if (step < play.answered) return { toolCalls: [{ name: "list_dir", input: {} }] };
      play.hanging += 1;
      await over;
      return { text: "nobody hears this" };
    };
    await stage({ script, config: SHORT }, async (place) => {
      const killedAt = async ({ child, ended, client }: Served, hanging: number) => {
        await until(() => play.hanging === hanging);
        child.kill("SIGKILL");
        await client.close();
        return (await ended).stderr;
      };
      const first = await serve(place);
      const { delegation_id: id } = (await first.client.call("delegate_task", { goal: "slow" })).data as Report;
      await killedAt(first, 1);
      play.answered = 1;
      assert.match(await killedAt(await serve(place), 2), /Resuming/);
      assert.match(await killedAt(await serve(place), 3), /Resuming/);

      const reason = `! ${id} is not resumed automatically: the server crashed more than once at the same place (${id}.1: thinking). Try again with: deputy resume ${id}`;
      const fourth = await serve(place);
      await until(() => fourth.stderr().includes("not resumed automatically"));
      const said = await endOf(fourth);
      assert.ok(said.includes(reason) && !said.includes("Resuming"), said);
      for (const argv of [["show", id], ["runs"]])
        assert.ok((await launch(argv, place).ended).stderr.includes(reason), argv.join(" "));
      assert.equal(play.hanging, 3);

      play.done = true;
      const resumed = await launch(["resume", id], place).ended;
      assert.deepEqual([resumed.code, resumed.stdout.includes("done at last")], [0, true], resumed.stderr);
      end();
    });
  });
});
