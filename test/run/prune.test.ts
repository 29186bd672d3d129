/** `deputy journal prune`: which runs it removes and keeps. No active run ever loses anything. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { PruneOptions } from "../../src/engine/engine.ts";
import { createMemory } from "../../src/journal/memory.ts";
import { prunable } from "../../src/run/prune.ts";
import { foldRun } from "../../src/run/run.ts";
import type { RunListing } from "../../src/run/run-store.ts";
import { ready, says } from "../support/child-stage.ts";
import { deputy } from "../support/command-line.ts";
import { createTestEngine } from "../support/engine-stage.ts";

type State = "ended" | "running" | "stopped" | "dead";
const OWNERS: Record<State, RunListing["owner"]> = {
  ended: "none",
  running: "elsewhere",
  stopped: "none",
  dead: "dead",
};

/** A run of one child whose last event happened at a given time. */
function listing(delegationId: string, state: State, at: number): RunListing {
  const about = { at, delegationId };
  const planned = [ready()];
  const run = foldRun(undefined, {
    ...about,
    kind: "delegation-start",
    call: { tasks: [{ goal: "a" }] },
    planned,
    surface: "cli",
    warnings: [],
  });
  if (state === "ended" || state === "stopped") {
    const ending =
      state === "ended"
        ? ({ status: "completed", text: "" } as const)
        : ({ status: "interrupted", exitReason: "test", text: "" } as const);
    foldRun(run, { ...about, kind: "child-end", childId: `${delegationId}.1`, ending, durationMs: 0 });
    foldRun(run, { ...about, kind: "delegation-end" });
  }
  return { run, owner: OWNERS[state] };
}

describe("of the runs of a journal", () => {
  const RUNS = [
    listing("new", "ended", 900),
    listing("busy", "running", 100),
    listing("cut", "stopped", 300),
    listing("dead", "dead", 400),
    listing("old", "ended", 200),
    listing("older", "ended", 150),
  ];
  const gone = (options: PruneOptions, runs = RUNS) => prunable(runs, options, 1_000).map(({ root }) => root);

  test("those older than the limit are removed, but none that is active or unfinished", () => {
    assert.deepEqual(gone({ olderThanMs: 800 }), ["old", "older"]);
    assert.deepEqual(gone({ olderThanMs: 850 }), ["older"]);
    assert.deepEqual(gone({ olderThanMs: 2_000 }), []);
  });

  test("all but the newest are removed, and with both limits those beyond both", () => {
    assert.deepEqual(gone({ keep: 0 }), ["new", "old", "older"]);
    assert.deepEqual(gone({ keep: 4 }), ["older"]);
    assert.deepEqual(gone({ keep: 1, olderThanMs: 850 }), ["older"]);
  });

  test("unfinished ones are removed on request, active ones never", () => {
    assert.deepEqual(gone({ keep: 0, unfinished: true }), ["new", "dead", "cut", "old", "older"]);
  });

  test("one is kept or removed with the delegations of its children", () => {
    const family = [listing("a", "ended", 100), listing("a.1.1", "ended", 120), listing("a.1.1.2.1", "running", 130)];
    assert.deepEqual(gone({ keep: 0, unfinished: true }, family), []);
    assert.deepEqual(gone({ keep: 0 }, family.slice(0, 2)), ["a"]);
  });
});

test("a run at work loses nothing to a prune, whatever it is asked for", async () => {
  const memory = createMemory();
  const may = Promise.withResolvers<void>();
  const owner = createTestEngine({ memory, script: () => may.promise.then(() => says("done")) }).engine;
  const { id, result } = await owner.submit({ tasks: [{ goal: "one" }] }, { surface: "library", workspace: "/work" });
  const other = createTestEngine({ memory, script: async () => says("") }).engine;
  assert.deepEqual((await other.prune({ keep: 0, unfinished: true })).runs, []);
  may.resolve();
  assert.equal((await result).results[0]?.summary, "done");
  assert.deepEqual((await other.prune({ keep: 0 })).runs, [id]);
  await owner.close();
  await other.close();
});

test("deputy journal prune lists what it would remove, removes it, and leaves the rest unchanged", async () => {
  const memory = createMemory();
  const open = () => createTestEngine({ memory, script: async () => says("done") }).engine;
  const runner = open();
  const ids: string[] = [];
  for (const goal of ["one", "two", "three"]) {
    const { id, result } = await runner.submit({ tasks: [{ goal }] }, { surface: "library", workspace: "/work" });
    await result;
    ids.push(id);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const type = (...argv: string[]) => deputy(argv, { engine: open() });
  const dry = await type("journal", "prune", "--keep", "1", "--dry-run");
  assert.match(dry.stdout, /^Would remove 2 runs with \d+ kB of events; 1 would be kept\.\n$/);
  assert.equal((await runner.runs()).length, 3);
  const pruned = await type("journal", "prune", "--keep", "1", "--json");
  assert.deepEqual([pruned.code, JSON.parse(pruned.stdout).runs.toSorted()], [0, ids.slice(0, 2).toSorted()]);
  assert.deepEqual(
    (await runner.runs()).map(({ run }) => run.delegationId),
    ids.slice(2),
  );
  assert.equal((await type("show", ids[2] ?? "")).code, 0);
  assert.equal((await type("show", ids[0] ?? "")).code, 2);
  assert.equal((await type("journal", "prune", "--older-than", "1d")).stdout, "Nothing to remove; 1 run kept.\n");
  assert.equal((await type("journal", "prune")).code, 2);
  assert.match((await type("journal", "prune", "--older-than", "soon")).stderr, /Expected hours, days or weeks/);
  await runner.close();
});
