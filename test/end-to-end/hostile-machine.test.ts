/** Interference of the machine with a running program: another process locks its journal, its clock is set. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch } from "../support/end-to-end.ts";

const TASKS = ["one", "two", "three"].map((goal) => ({ goal, timeout_seconds: 60 }));

/** Another process's lock, as a database browser would hold it. */
function lock(stateDir: string): DatabaseSync {
  const browser = new DatabaseSync(join(stateDir, "journal.sqlite"));
  browser.exec("BEGIN IMMEDIATE");
  return browser;
}

/** Sets the program's clock on a signal. */
function clockSetBy(ms: number): string {
  const text = `const now = Date.now; process.on("SIGUSR2", () => { Date.now = () => now() + ${ms}; });`;
  return `--import data:text/javascript,${encodeURIComponent(text)}`;
}

describe("while it runs", { timeout: 110_000, concurrency: true }, () => {
  const home = temporaryDirectory(after);

  async function stageFor(t: { after(cleanUp: () => Promise<void>): void }, latencyMs: number, env = {}) {
    const cwd = mkdtempSync(join(home, "machine-"));
    const stateDir = join(cwd, "state");
    mkdirSync(stateDir);
    writeFileSync(join(cwd, "tasks.json"), JSON.stringify(TASKS));
    const providers = await createProviders(["zai"], () => ({ text: "Done.", latencyMs }));
    t.after(providers.close);
    const start = (...argv: string[]) =>
      launch(argv, { cwd, env: { HOME: home, DEPUTY_STATE_DIR: stateDir, ...providers.env, ...env } });
    return { stateDir, providers, start };
  }

  test("a journal that is locked for a while is waited for, and nothing is lost", async (t) => {
    const { stateDir, providers, start } = await stageFor(t, 400);
    const run = start("run", "tasks.json", "--json");
    await until(() => providers.arrivals.length === 3);
    const browser = lock(stateDir);
    setTimeout(() => browser.close(), 1_500);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
    const { results } = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual(
      results.map(({ summary, api_calls }) => [summary, api_calls]),
      Array.from({ length: 3 }, () => ["Done.", 1]),
    );
  });

  test("a journal that stays locked ends the run with a clear message, and it continues when the lock is released", async (t) => {
    const { stateDir, providers, start } = await stageFor(t, 400);
    const run = start("run", "tasks.json", "--json");
    await until(() => providers.arrivals.length === 3);
    const browser = lock(stateDir);
    const { code, stderr } = await run.ended;
    browser.close();
    assert.equal(code, 3, stderr);
    assert.match(stderr, /Another process keeps the journal .* locked: .*End that process, then try again/);
    const [listed] = JSON.parse((await start("runs", "--json").ended).stdout);
    assert.equal(listed.state, "unfinished");
    const resumed = await start("resume", listed.delegation_id, "--json").ended;
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal((JSON.parse(resumed.stdout) as DelegationResult).results.length, 3);
  });

  for (const [how, ms] of [
    ["forward", 400 * 86_400_000],
    ["back", -400 * 86_400_000],
  ] as const) {
    test(`a clock that is set ${how} by a year changes no wait, no limit and no duration`, async (t) => {
      const { start, providers } = await stageFor(t, 1_000, { NODE_OPTIONS: clockSetBy(ms) });
      const run = start("run", "tasks.json", "--json");
      await until(() => providers.arrivals.length === 3);
      run.child.kill("SIGUSR2");
      const { code, stdout, stderr } = await run.ended;
      assert.equal(code, 0, stderr);
      const { results, total_duration_seconds: total } = JSON.parse(stdout) as DelegationResult;
      for (const { duration_seconds } of results) assert.ok(duration_seconds > 0.9 && duration_seconds < 60);
      assert.ok(total > 0.9 && total < 60, `${total} s`);
    });
  }
});
