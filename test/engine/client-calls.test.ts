/** The run that a repeated call of an MCP client refers to, once its server has exited. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createMemory } from "../../src/journal/memory.ts";
import { says } from "../support/child-stage.ts";
import { createTestEngine } from "../support/engine-stage.ts";

const OPTIONS = { surface: "mcp", workspace: "/work" } as const;
const CALL = { tasks: [{ goal: "one" }] };

/** State left by a server: the run of a call with a key, ended, whose end nobody has received. */
async function left({ callKey, ageMs = 0 }: { callKey?: string; ageMs?: number } = { callKey: "key" }) {
  const memory = createMemory();
  const start = () => createTestEngine({ script: async () => says("done"), memory });
  const clock = { ...systemClock, now: () => Date.now() - ageMs };
  const { engine, die } = createTestEngine({ script: async () => says("done"), memory, clock });
  const { id, result } = await engine.submit(CALL, { ...OPTIONS, ...(callKey && { callKey }) });
  await engine.holdCall(id, "a client");
  await result;
  return { id, engine, die, start };
}

describe("a call is taken over", () => {
  test("by one of the servers that come after its own, once that has died", async () => {
    const { id, engine, die, start } = await left();
    const [one, other] = [start().engine, start().engine];
    assert.equal(await one.takeOverCall("key", "a client"), undefined, "its server is alive");
    assert.equal(await engine.takeOverCall("key", "a client"), undefined, "it has it, for another connection");
    die();
    assert.equal(await one.takeOverCall("another key", "a client"), undefined);
    const taken = await Promise.all([one, other].map((each) => each.takeOverCall("key", "a client")));
    assert.deepEqual(taken.sort(), [id, undefined]);
    assert.equal(await one.takeOverCall("key", "a client"), undefined);
  });

  test("until its own client has received the end or canceled it", async () => {
    const { id, engine, die, start } = await left();
    const { run } = await engine.run(id);
    await engine.closeCall(run, "another client");
    const { engine: second, die: dieToo } = start();
    assert.equal(await second.takeOverCall("key", "a client"), undefined, "its server holds it all the same");
    die();
    assert.equal(await second.takeOverCall("key", "a client"), id);
    await second.closeCall((await second.run(id)).run, "a client");
    dieToo();
    const { engine: third } = start();
    assert.equal(await third.takeOverCall("key", "a client"), undefined);
    const { run: closed } = await third.run(id);
    assert.deepEqual([...closed.closedBy], ["another client", "a client"]);
    assert.ok(closed.lastEventAt <= (closed.endedAt ?? 0), "nobody worked on it when the call was closed");
    await third.closeCall(closed, "a client");
    assert.equal((await Array.fromAsync(third.events(id))).filter(({ kind }) => kind === "call-close").length, 2);
  });

  test("not after a day, and not where the journal of an earlier Deputy has no key", async () => {
    for (const run of [{ callKey: "key", ageMs: 25 * 60 * 60 * 1000 }, {}]) {
      const { die, start } = await left(run);
      die();
      assert.equal(await start().engine.takeOverCall("key", "a client"), undefined);
    }
  });
});
