/** A run is stopped: from another process, one child or all; by Ctrl-C, once and twice. Nothing of it remains. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, processesWith, taskOf } from "../support/end-to-end.ts";

const TASKS = ["answer", "run a command", "think", "think aloud"];

/** `starts`, waits longer than any test, and ignores TERM. */
const COMMAND = "trap '' TERM; timeout 90 sleep 91 & touch started; sleep 92";

/** Answers of a slow model: all tasks except the first take longer than any test waits. */
const PATIENT: Record<string, Turn> = {
  answer: { text: "The answer." },
  "run a command": { text: "I run a command.", toolCalls: [{ name: "terminal", input: { command: COMMAND } }] },
  think: { fault: { kind: "silence" } },
  "think aloud": { text: "Well, let me think about that.", deltas: 4, fault: { kind: "silence", afterDeltas: 3 } },
};

type TestContext = { after(cleanUp: () => Promise<void>): void };

describe("a run under way", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);

  /** A run whose first child has ended and whose others are all busy. */
  async function startBusyRun(t: TestContext) {
    const cwd = mkdtempSync(join(home, "stop-"));
    const state = join(cwd, "state");
    let patient = true;
    const answer = (request: ModelRequest) => (patient && PATIENT[taskOf(request)]) || { text: "Now at once." };
    const providers = await createProviders(["zai"], answer);
    t.after(providers.close);
    writeFileSync(join(cwd, "tasks.json"), JSON.stringify(TASKS));
    const surroundings = { cwd, env: { HOME: home, DEPUTY_STATE_DIR: state, ...providers.env } };
    const deputy = (...argv: string[]) => launch(argv, surroundings);
    const run = deputy("run", "tasks.json", "--json", "--allow", "terminal: *");
    await until(() => existsSync(join(cwd, "started")) && run.stderr().includes("✓ [1/4]"));
    await until(() => providers.arrivals.length === TASKS.length);
    const [, id = ""] = /run (\w+)/.exec(run.stderr()) ?? [];
    return {
      run,
      id,
      server: providers.server("zai"),
      deputy,
      left: () => processesWith(`DEPUTY_STATE_DIR=${state}\0`),
      state: async () => JSON.parse((await deputy("runs", "--json").ended).stdout)[0].state as string,
      async stop(what: string) {
        const { code, stdout, stderr } = await deputy("stop", what).ended;
        assert.equal(code, 0, stderr);
        return stdout;
      },
      /** Resumes with models that answer at once. */
      async resume() {
        patient = false;
        const { code, stdout, stderr } = await deputy("resume", id, "--json").ended;
        assert.equal(code, 0, stderr);
        return endingsIn(stdout);
      },
    };
  }

  function endingsIn(stdout: string): string[] {
    const { results } = JSON.parse(stdout) as DelegationResult;
    return results.map(({ status, exit_reason, summary }) => `${status}, ${exit_reason}: ${summary}`);
  }

  const RESUMED = ["completed, answered: The answer.", ...[2, 3, 4].map(() => "completed, answered: Now at once.")];

  test("is stopped by another process, with what it has, and can be resumed", async (t) => {
    const { run, id, server, left, state, stop, resume } = await startBusyRun(t);
    assert.match(await stop(id), /Asked \w+ to stop/);
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 1, stderr);
    const [first, second, third, fourth] = endingsIn(stdout);
    assert.equal(first, "completed, answered: The answer.");
    assert.equal(second, "interrupted, deputy stop: I run a command.");
    assert.equal(third, "interrupted, deputy stop: ");
    assert.match(fourth ?? "", /^interrupted, deputy stop: Well, let me think/);
    assert.deepEqual(left(), []);
    await until(() => server.inFlight === 0);
    assert.equal(await state(), "stopped");
    assert.match(await stop(id), /has ended already/);
    assert.deepEqual(await resume(), RESUMED);
    assert.equal(await state(), "ended");
  });

  test("loses one child to a stop from another process, and continues with the others", async (t) => {
    const { run, id, server, deputy, left, state, stop } = await startBusyRun(t);
    await stop(`${id}.2`);
    await until(() => /^\S+ \[2\/4\] run a command .*interrupted/m.test(run.stderr()));
    assert.deepEqual(
      left().filter((pid) => pid !== run.pid),
      [],
    );
    assert.equal(run.isOver(), false);
    assert.equal(server.inFlight, 2);
    assert.equal(await state(), "running");
    assert.match((await deputy("show", `${id}.2`, "--json").ended).stdout, /"status": "interrupted"/);
    await stop(id);
    assert.equal((await run.ended).code, 1);
  });

  test("whose process was killed is stopped by a request, and can still be resumed", async (t) => {
    const { run, id, left, state, stop, resume } = await startBusyRun(t);
    run.child.kill("SIGKILL");
    await run.ended;
    await until(() => left().length === 0);
    assert.equal(await state(), "unfinished");
    await stop(id);
    assert.equal(await state(), "stopped");
    assert.deepEqual(await resume(), RESUMED);
  });

  test("ends in order at the first Ctrl-C, with what it has, and can be resumed", async (t) => {
    const { run, server, left, state, resume } = await startBusyRun(t);
    run.child.kill("SIGINT");
    const { code, stdout, stderr } = await run.ended;
    assert.equal(code, 130, stderr);
    assert.match(
      stderr,
      /Stopping; finished work is kept\. Press Ctrl-C again to exit now; deputy resume \w+ continues\./,
    );
    assert.deepEqual(endingsIn(stdout).slice(0, 3), [
      "completed, answered: The answer.",
      "interrupted, Ctrl-C: I run a command.",
      "interrupted, Ctrl-C: ",
    ]);
    assert.deepEqual(left(), []);
    await until(() => server.inFlight === 0);
    assert.equal(await state(), "stopped");
    assert.deepEqual(await resume(), RESUMED);
  });

  test("ends in order on a signal of the system, and names the system as the cause", async (t) => {
    const { run, left } = await startBusyRun(t);
    run.child.kill("SIGTERM");
    const { code, stdout } = await run.ended;
    assert.equal(code, 130);
    assert.equal(endingsIn(stdout)[1], "interrupted, SIGTERM: I run a command.");
    assert.deepEqual(left(), []);
  });

  test("leaves at once at the second Ctrl-C, with what is done, and can be resumed", async (t) => {
    const { run, server, left, resume } = await startBusyRun(t);
    run.child.kill("SIGINT");
    await until(() => run.stderr().includes("Stopping;"));
    run.child.kill("SIGINT");
    const { code, stdout } = await run.ended;
    assert.equal(code, 130);
    assert.equal(endingsIn(stdout)[0], "completed, answered: The answer.");
    await until(() => left().length === 0 && server.inFlight === 0);
    assert.deepEqual(await resume(), RESUMED);
  });
});
