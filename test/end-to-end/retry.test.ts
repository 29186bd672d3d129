/** `deputy retry` with the real program: what failed runs again, what completed is neither asked nor paid for twice. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, taskOf } from "../support/end-to-end.ts";

const TASKS = `
- goal: Good
- { goal: Bad, workspace: inner }
`;

describe("deputy retry", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);

  /** A run from `work` whose second task has failed; `answers` decides on later requests. */
  async function afterFailure(t: { after(cleanUp: () => Promise<void>): void }) {
    const cwd = mkdtempSync(join(home, "retry-"));
    mkdirSync(join(cwd, "work/inner"), { recursive: true });
    const state = { mended: false, silent: false };
    const providers = await createProviders(["zai", "openai"], (request: ModelRequest): Turn => {
      if (taskOf(request) === "Good" || state.mended) return { text: `${taskOf(request)} is done.` };
      return { fault: state.silent ? { kind: "silence" } : { kind: "refused" } };
    });
    t.after(providers.close);
    const env = { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state"), ...providers.env };
    const run = launch(["run", "-", "-p", "zai"], { cwd: join(cwd, "work"), env, stdin: TASKS });
    const { code, stderr } = await run.ended;
    const [, id = ""] = /run (\w+)/.exec(stderr) ?? [];
    assert.equal(code, 1, stderr);
    return {
      cwd,
      id,
      state,
      stderr,
      providers,
      deputy: (...argv: string[]) => launch(argv, { cwd, env }),
      asked: () => providers.arrivals.map(({ slug, request }) => `${taskOf(request)} @ ${slug}: ${request.model}`),
    };
  }

  test("uses the directory and flags of the run, and shows what was carried over", async (t) => {
    const { deputy, id, state, asked, cwd } = await afterFailure(t);
    state.mended = true;
    const before = asked().length;
    const { code, stdout, stderr } = await deputy("retry", id, "--output", "results").ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, new RegExp(`^2 tasks · run \\w+ · retry of ${id} · 1 carried over$`, "m"));
    assert.match(stderr, new RegExp(`^✓ \\[1/2\\] Good \\(glm-\\S+ @ zai · carried over from ${id}\\.1\\)$`, "m"));
    assert.match(stderr, /^✓ \[2\/2\] Bad \(.*@ zai · .*\)$/m);
    assert.equal(stderr.match(/^✓ \[1\/2\]/gm)?.length, 1);
    assert.equal(stdout, "[1/2] Good\n\nGood is done.\n\n[2/2] Bad\n\nBad is done.\n");
    assert.equal(asked().length, before + 1);
    const files = readdirSync(join(cwd, "results")).toSorted();
    assert.deepEqual(files, ["001-good.json", "001-good.md", "002-bad.json", "002-bad.md"]);
    assert.equal(JSON.parse(readFileSync(join(cwd, "results/001-good.json"), "utf8")).carried_from, `${id}.1`);
  });

  test("at another provider asks that one", async (t) => {
    const { deputy, id, state, asked } = await afterFailure(t);
    state.mended = true;
    const before = asked().length;
    const { code, stdout, stderr } = await deputy("retry", id, "-m", "gpt-6-sol --provider openai", "--json").ended;
    assert.equal(code, 0, stderr);
    const { results, retry_of } = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual([retry_of, results[0]?.provider, results[1]?.provider], [id, "zai", "openai"]);
    assert.deepEqual(asked().slice(before), ["Bad @ openai: gpt-6-sol"]);
  });

  test("with a model only stays at the provider of the tasks", async (t) => {
    const { deputy, id, state, asked } = await afterFailure(t);
    state.mended = true;
    const { code, stderr } = await deputy("retry", id, "-m", "glm-4.6").ended;
    assert.equal(code, 0, stderr);
    assert.equal(asked().at(-1), "Bad @ zai: glm-4.6");
  });

  test("killed in between, is resumed to the same end, and shown, listed and verified like any run", async (t) => {
    const { deputy, id, state, asked } = await afterFailure(t);
    state.silent = true;
    const before = asked().length;
    const again = deputy("retry", id);
    await until(() => asked().length > before);
    again.child.kill("SIGKILL");
    await again.ended;
    const [, newId = ""] = /run (\w+)/.exec(again.stderr()) ?? [];
    state.mended = true;
    const resumed = await deputy("resume", newId, "--json").ended;
    assert.equal(resumed.code, 0, resumed.stderr);
    const { results } = JSON.parse(resumed.stdout) as DelegationResult;
    assert.deepEqual(
      results.map(({ summary, carried_from }) => [summary, carried_from]),
      [
        ["Good is done.", `${id}.1`],
        ["Bad is done.", undefined],
      ],
    );
    assert.equal(asked().filter((one) => one.startsWith("Good")).length, 1);
    assert.match((await deputy("show", newId).ended).stdout, new RegExp(`carried over from ${id}\\.1`));
    assert.match((await deputy("show", `${newId}.1`).ended).stdout, new RegExp(`deputy show ${id}\\.1`));
    assert.equal(JSON.parse((await deputy("runs", "--json").ended).stdout)[0].retry_of, id);
    assert.equal((await deputy("journal", "verify").ended).code, 0);
    const none = await deputy("retry", newId).ended;
    assert.deepEqual([none.code, none.stdout], [3, ""]);
    assert.match(none.stderr, /Every task of \w+ completed/);
  });
});
