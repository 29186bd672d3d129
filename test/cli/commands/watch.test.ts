/** `deputy watch`: another process's run from its beginning to its end; leaving does not affect the run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../../src/clock.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import { createMemory } from "../../../src/journal/memory.ts";
import { createFakeClock } from "../../../src/testing/index.ts";
import { says } from "../../support/child-stage.ts";
import { type Stage, start, until } from "../../support/command-line.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

/**
 * A run of two tasks: the first is done, the second answers when the test allows it.
 * @param clock the clock of those who watch
 */
async function stage(clock: Clock = systemClock) {
  const memory = createMemory();
  const may = Promise.withResolvers<void>();
  const { engine: owner, die } = createTestEngine({
    memory,
    script: async ({ messages }) => {
      const [first] = messages;
      if (first?.role === "user" && first.text.includes("slow")) await may.promise;
      return says("the answer");
    },
  });
  const { id, result } = await owner.submit(
    { tasks: [{ goal: "quick" }, { goal: "slow" }] },
    { surface: "library", workspace: "/work" },
  );
  result.catch(() => {});
  const other = (): Engine => createTestEngine({ memory, clock, script: async () => says("") }).engine;
  const type = (argv: string[], more: Partial<Stage> = {}) => start(argv, { engine: other(), ...more });
  return { id, owner, die, result, finish: may.resolve, type };
}

test("a late joiner sees what was before, then the rest, and ends as the run does", async () => {
  const { id, finish, type, owner } = await stage();
  const watching = type(["watch"]);
  await until(() => watching.stderr().includes("✓ [1/2] quick"));
  assert.match(watching.stderr(), new RegExp(`^2 tasks · run ${id}\n`));
  finish();
  assert.equal(await watching.code, 0);
  assert.match(watching.stderr(), /✓ \[2\/2\] slow[\s\S]*2 of 2 tasks completed/);
  const later = type(["watch", id]);
  assert.equal(await later.code, 0);
  assert.match(later.stderr(), /✓ \[2\/2\] slow/);
  for (const { stdout } of [watching, later])
    assert.equal(stdout(), "[1/2] quick\n\nthe answer\n\n[2/2] slow\n\nthe answer\n");
  await owner.close();
});

test("a terminal shows the tree, and that Ctrl-C leaves", async () => {
  const { finish, type, owner } = await stage();
  const watching = type(["watch"], { terminal: true });
  await until(() => watching.stdout().includes("Ctrl-C leaves"));
  assert.match(watching.stdout(), /\[2\/2\] slow/);
  finish();
  assert.equal(await watching.code, 0);
  await owner.close();
});

test("Ctrl-C ends the watching and never the run", async () => {
  const { id, finish, type, owner, result } = await stage();
  const watching = type(["watch", id]);
  await until(() => watching.stderr().includes("✓ [1/2]"));
  watching.interrupt();
  assert.equal(await watching.code, 130);
  assert.match(watching.stderr(), new RegExp(`Stopped watching; run ${id} continues\\.`));
  finish();
  assert.deepEqual(
    (await result).results.map(({ status }) => status),
    ["completed", "completed"],
  );
  assert.ok((await Array.fromAsync(owner.events(id))).every(({ kind }) => kind !== "stop-request"));
  await owner.close();
});

test("a program gets events as lines, or the one document, and nothing else on stdout", async () => {
  const { finish, type, owner } = await stage();
  const lines = type(["watch", "--ndjson"]);
  const whole = type(["watch", "--json"]);
  await until(() => lines.stdout().includes("child-end") && whole.stderr().includes("✓ [1/2]"));
  finish();
  assert.deepEqual([await lines.code, await whole.code], [0, 0]);
  const kinds = lines
    .stdout()
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
  assert.deepEqual([kinds[0], kinds.at(-2), kinds.at(-1)], ["delegation-start", "delegation-end", "result"]);
  assert.equal(JSON.parse(whole.stdout()).results.length, 2);
  await owner.close();
});

test("a run whose process dies is not waited for", async () => {
  const clock = createFakeClock();
  const { id, die, type } = await stage(clock);
  const watching = type(["watch", id]);
  await until(() => watching.stderr().includes("✓ [1/2]"));
  die();
  await until(async () => {
    await clock.advance(1_000);
    return watching.stderr().includes("was abandoned");
  });
  assert.equal(await watching.code, 1);
  assert.match(watching.stderr(), new RegExp(`Run ${id} was abandoned.*Continue it: deputy resume ${id}`));
});

test("if no run is active, it suggests one to replay", async () => {
  const { id, finish, type, result, owner } = await stage();
  finish();
  await result;
  const nothing = type(["watch"]);
  assert.equal(await nothing.code, 2);
  assert.match(nothing.stderr(), new RegExp(`No run is active\\. Replay the last run: deputy watch ${id}`));
  await owner.close();
});
