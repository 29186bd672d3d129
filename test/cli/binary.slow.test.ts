/** The real program in its own process: real HTTP to scripted servers, real streams, real signals. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import { createModelServer } from "../../src/testing/model-server.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";

const program = join(import.meta.dirname, "../../bin/deputy.mjs");
const home = temporaryDirectory(after);

type Ended = { code: number | null; stdout: string; stderr: string };

function launch(argv: string[], env: Record<string, string> = {}) {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [program, ...argv], {
    cwd: home,
    env: { PATH, HOME: home, TMPDIR: home, ...env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
  return { child, ended, stderr: () => stderr };
}

describe("the program", () => {
  test("runs a file over HTTP with nothing but a key in the environment, and prints one document with --json", async (t) => {
    const server = await createModelServer({ keys: { mine: "key-of-mine" }, script: () => ({ text: "Bonjour." }) });
    t.after(() => server.close());
    writeFileSync(join(home, "tasks.yaml"), "- Say hello.\n- Say hello again.\n");
    const env = { ZAI_API_KEY: "key-of-mine", GLM_BASE_URL: server.baseUrl("chat_completions") };
    const { code, stdout, stderr } = await launch(["run", "tasks.yaml", "--json", "--output", "out"], env).ended;
    assert.equal(code, 0, stderr);
    const { delegation_id: id, results } = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual(
      results.map(({ summary, route }) => [summary, route?.key_name]),
      [
        ["Bonjour.", "ZAI_API_KEY"],
        ["Bonjour.", "ZAI_API_KEY"],
      ],
    );
    assert.match(stderr, /✓ \[2\/2\] Say hello again\./);
    assert.equal(readFileSync(join(home, "out/001-say-hello.md"), "utf8"), "Bonjour.\n");
    const shown = await launch(["show", id, "--json"]).ended;
    assert.equal(shown.stdout, stdout);
    assert.ok(!stdout.includes("key-of-mine") && !stderr.includes("key-of-mine"));
  });

  test("continues silently when its reader has left", async (t) => {
    const server = await createModelServer({ script: () => ({ text: "word ".repeat(50_000) }) });
    t.after(() => server.close());
    const env = { ZAI_API_KEY: "k-k-k-k-k-k", GLM_BASE_URL: server.baseUrl("chat_completions") };
    const { child, ended } = launch(["run", "--goal", "Talk."], env);
    child.stdout.destroy();
    const { code, stderr } = await ended;
    assert.match(stderr, /^1 task · run (\w+)\n✓ \[1\/1\] Talk\. \(.*\)\n1 of 1 task completed .* · deputy show \1\n$/);
    assert.equal(code, 0);
  });

  test("shows three haikus in the time of the slowest, and how to continue", async () => {
    const { code, stdout, stderr } = await launch(["demo"]).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /models are scripted/);
    assert.match(stderr, /^✓ \[1\/3\] Write a haiku about a lion\. \(\d\.\ds · glm-4\.7 @ zai · \$0\.\d{4}\)$/m);
    assert.match(stderr, /^✓ \[2\/3\] .*glm-5\.1 @ mylab/m);
    assert.match(stderr, /^✓ \[3\/3\] .*stepfun\/step-3\.5-flash @ openrouter/m);
    const [, total = "", , sum = ""] =
      /All three took ([\d.]+)s, as long as the slowest \(([\d.]+)s\); .* ([\d.]+)s\./.exec(stderr) ?? [];
    assert.ok(Number(total) < Number(sum) * 0.7, `${total} of ${sum}`);
    assert.match(stderr, /export ZAI_API_KEY=…\n {2}export OPENROUTER_API_KEY=…\n {2}\S*deputy run \S*haiku\.yaml\n$/);
    assert.match(stdout, /^(\[\d\/3\] Write a haiku about a \w+\.\n\n(.+\n){3}\n?){3}$/);
    assert.deepEqual(
      readdirSync(home).filter((name) => name.startsWith("deputy-demo")),
      [],
    );
  });

  test("leaves nothing behind when the demo is interrupted", async () => {
    const { child, ended, stderr } = launch(["demo"]);
    await until(() => stderr().includes("3 tasks"));
    child.kill("SIGINT");
    const { code, stderr: printed } = await ended;
    assert.equal(code, 130);
    assert.match(printed, /interrupted: Ctrl-C/);
    assert.deepEqual(
      readdirSync(home).filter((name) => name.startsWith("deputy-demo")),
      [],
    );
  });

  test("finds an unusable journal before anything starts, and doctor reports it too", async () => {
    const env = { DEPUTY_STATE_DIR: join(home, "broken"), ZAI_API_KEY: "k-k-k-k-k-k" };
    writeFileSync(env.DEPUTY_STATE_DIR, "a file where a directory belongs");
    const run = await launch(["run", "--goal", "x"], env).ended;
    assert.equal(run.code, 3, run.stderr);
    const doctor = await launch(["doctor"], env).ended;
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /✗ journal /);
    rmSync(env.DEPUTY_STATE_DIR);
  });
});
