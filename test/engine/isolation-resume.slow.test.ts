/** Isolated children that are stopped, resumed and cleaned: their copies, and what is on their branches. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import type { Script } from "../../src/testing/index.ts";
import { ALLOWED, git, makeRepository } from "../support/isolation-stage.ts";
import { stage } from "../support/whole-stage.ts";

type Started = { engine: Engine; root: string; work: string; id: string; copy: string; branch: string };

/**
 * Starts a run whose only child writes `one.txt`, then waits until it is stopped, and writes `two.txt` when it goes on.
 * `perform` gets the stopped run.
 */
async function whenStopped(perform: (started: Started) => Promise<void>): Promise<void> {
  const isWaiting = Promise.withResolvers<void>();
  let isResumed = false;
  const script: Script = async ({ messages }) => {
    const results = messages.flatMap(({ toolResults }) => toolResults).length;
    if (results === 0)
      return { toolCalls: [{ name: "terminal", input: { command: "echo 1 > one.txt; echo x > cache.log" } }] };
    if (!isResumed) {
      isWaiting.resolve();
      await new Promise((resolve) => setTimeout(resolve, 40));
      return { toolCalls: [{ name: "list_dir", input: { path: "." } }] };
    }
    return results > 50 || messages.some(({ toolResults }) => toolResults.some(({ text }) => text.includes("went on")))
      ? { text: "done" }
      : { toolCalls: [{ name: "terminal", input: { command: "ls; echo 2 > two.txt; echo went on" } }] };
  };
  await stage({ config: ALLOWED, script, files: { "work/.gitignore": "*.log\n" } }, async ({ env, cwd }) => {
    makeRepository(cwd);
    const { engine } = await openDeputy({ env, cwd, journal: createMemoryJournal() });
    try {
      const call = { tasks: [{ goal: "Work.", isolation: "worktree" as const }] };
      const run = await engine.submit(call, { surface: "library", workspace: cwd });
      await isWaiting.promise;
      await engine.stop(`${run.id}.1`, "test");
      await run.result;
      isResumed = true;
      const work = join(env.HOME ?? "", ".local/share/deputy/work");
      const branch = `deputy/${run.id}/1-work`;
      await perform({ engine, root: cwd, work, id: run.id, copy: join(work, run.id, "1", "work"), branch });
    } finally {
      await engine.close();
    }
  });
}

async function resumed({ engine, id }: Started) {
  const { results } = await (await engine.resume(id, {})).result;
  assert.equal(results[0]?.status, "completed", JSON.stringify(results[0]?.error));
  return results[0];
}

describe("a stopped child", () => {
  test("has its work on its branch, keeps its copy, and goes on in it", () =>
    whenStopped(async (started) => {
      const { root, copy, branch, work } = started;
      assert.equal(git(root, "show", `${branch}:one.txt`), "1");
      assert.ok(existsSync(join(copy, "cache.log")));
      const result = await resumed(started);
      assert.deepEqual(result?.files_changed, ["one.txt", "two.txt"]);
      assert.equal(result?.branch, branch);
      assert.match(JSON.stringify(result?.tool_trace), /went on/);
      assert.deepEqual(readdirSync(work), []);
      assert.equal(git(root, "for-each-ref", "refs/deputy"), "");
    }));

  test("goes on in a copy of its branch if its own is gone, and says so", () =>
    whenStopped(async (started) => {
      rmSync(join(started.work, started.id), { recursive: true });
      const result = await resumed(started);
      assert.deepEqual(result?.files_changed, ["one.txt", "two.txt"]);
      assert.match(JSON.stringify(result?.warnings), /was gone\. It was made again from deputy\//);
    }));

  test("has its files saved if its copy was damaged meanwhile", () =>
    whenStopped(async (started) => {
      rmSync(join(started.copy, ".git"), { recursive: true });
      writeFileSync(join(started.copy, "three.txt"), "3\n");
      const result = await resumed(started);
      assert.deepEqual(result?.files_changed, ["one.txt", "three.txt", "two.txt"]);
    }));
});

describe("deputy clean", () => {
  test("saves and removes the copy of a stopped child, which a resume then makes again", () =>
    whenStopped(async (started) => {
      const { engine, id, copy, root, branch, work } = started;
      writeFileSync(join(copy, "late.txt"), "late\n");
      const dry = await engine.clean({ dryRun: true });
      assert.deepEqual(
        dry.removed.map(({ childId }) => childId),
        [`${id}.1`],
      );
      assert.ok(existsSync(copy));
      const cleaned = await engine.clean({ id });
      assert.deepEqual([cleaned.removed.length, cleaned.kept], [1, []]);
      assert.equal(git(root, "show", `${branch}:late.txt`), "late");
      assert.deepEqual(readdirSync(work), []);
      assert.equal(git(root, "for-each-ref", "refs/deputy"), "");
      const result = await resumed(started);
      assert.deepEqual(result?.files_changed, ["late.txt", "one.txt", "two.txt"]);
    }));

  test("keeps a copy with more than its branch can hold, and names the reason", () =>
    whenStopped(async ({ engine, copy }) => {
      git(copy, "init", "-q", "inner");
      writeFileSync(join(copy, "inner/x.txt"), "x\n");
      const { kept, removed } = await engine.clean({});
      assert.deepEqual(removed, []);
      assert.match(kept[0]?.reason ?? "", /inner\/ has a repository of its own/);
      assert.ok(existsSync(join(copy, "inner/.git")));
    }));

  test("finds no other run's copies by an id that only begins like theirs", () =>
    whenStopped(async ({ engine, id }) => {
      assert.deepEqual(await engine.clean({ id: id.slice(0, 4) }), { removed: [], kept: [], refs: [] });
      assert.deepEqual(await engine.clean({ id: `${id}.2` }), { removed: [], kept: [], refs: [] });
    }));

  test("removes what is left of a copy that was being made, and refs that nothing needs", () =>
    whenStopped(async ({ engine, id, work, root }) => {
      git(root, "update-ref", `refs/deputy/keep/${id}/7`, "HEAD");
      writeFileSync(join(work, id, "note"), "");
      const { removed, refs } = await engine.clean({});
      assert.deepEqual([removed.length, refs], [1, [`${id}.7`]]);
      assert.equal(git(root, "for-each-ref", "refs/deputy"), "");
    }));
});

describe("pruning the journal", () => {
  test("removes the copies of its runs, and keeps a run whose copy has to stay", () =>
    whenStopped(async (started) => {
      const { engine, copy, root, branch, work } = started;
      writeFileSync(join(copy, "late.txt"), "late\n");
      git(copy, "init", "-q", "inner");
      assert.deepEqual((await engine.prune({ unfinished: true })).runs, []);
      rmSync(join(copy, "inner"), { recursive: true });
      assert.equal((await engine.prune({ unfinished: true, dryRun: true })).runs.length, 1);
      assert.ok(existsSync(copy));
      assert.equal((await engine.prune({ unfinished: true })).runs.length, 1);
      assert.equal(git(root, "show", `${branch}:late.txt`), "late");
      assert.deepEqual(readdirSync(work), []);
    }));
});
