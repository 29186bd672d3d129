/** What the real program writes to stdout if that is no terminal: the answers, and nothing else. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { shellWord } from "../../src/text/shell-word.ts";
import { chatPlace } from "../support/chat-place.ts";
import { launch, launchCommand, PROGRAM, stepOf, taskOf } from "../support/end-to-end.ts";
import { NO_TERMINAL, openTerminal } from "../support/pty.ts";

const ANSWER = "# Title\n\n- **bold** `code`";

/** Fails goals with "Bad", runs a command for those with "Touch", and gives the others an answer in Markdown. */
function script(request: ModelRequest): Turn {
  const task = taskOf(request);
  if (task.includes("Bad")) return { fault: { kind: "unauthorized", status: 401 } };
  if (task.includes("Touch") && stepOf(request) === 1)
    return { toolCalls: [{ name: "terminal", input: { command: "echo > touched" } }] };
  return { text: task.includes("Long") ? `${ANSWER}\n${"word ".repeat(40_000)}end` : ANSWER };
}

async function place(t: TestContext) {
  const { cwd, env } = await chatPlace(t, { script });
  const deputy = (...argv: string[]) => launch(argv, { cwd, env }).ended;
  return { cwd, env, deputy };
}

describe("the answers of a run at a terminal", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  for (const [flags, redirected] of [
    [[], "> answers.txt"],
    [[], "| cat > answers.txt"],
    [["-q"], "> answers.txt"],
  ] as const)
    test(`go alone to a file, and the screen keeps the rest: ${[...flags, redirected].join(" ")}`, async (t) => {
      const { cwd, env } = await place(t);
      const terminal = openTerminal(["run", "--goal", "Touch", ...flags], { cwd, env, redirected });
      t.after(terminal.kill);
      await terminal.see("Ctrl-C stops");
      await terminal.see("Allow?");
      await new Promise((resolve) => setTimeout(resolve, 600));
      terminal.type("y");
      await terminal.see("✓ [1/1] Touch");
      await terminal.see("1 of 1 task completed");
      assert.equal(await terminal.ended, 0);
      assert.doesNotMatch(terminal.text(), /Title/);
      assert.equal(readFileSync(join(cwd, "answers.txt"), "utf8"), `${ANSWER}\n`);
      readFileSync(join(cwd, "touched"));
    });
});

describe("the answers in a pipe", { timeout: 110_000 }, () => {
  test("are the same from run, run -q, watch, resume, retry and chat -p, and the run's id is on stderr", async (t) => {
    const { deputy } = await place(t);
    const run = await deputy("run", "-g", "Good", "-g", "Bad");
    const [, id = ""] = /^2 tasks · run (\w+)$/m.exec(run.stderr) ?? [];
    const others = [
      ["watch", id],
      ["resume", id],
      ["retry", id],
      ["run", "-q", "-g", "Good", "-g", "Bad"],
    ];
    for (const ended of [run, ...(await Promise.all(others.map((argv) => deputy(...argv))))]) {
      assert.deepEqual([ended.code, ended.stdout], [1, `[1/2] Good\n\n${ANSWER}\n`]);
      assert.match(ended.stderr, /^Not completed\n✗ \[2\/2\] Bad: failed: unauthorized/m);
      assert.match(ended.stderr, /^1 of 2 tasks completed in .* · deputy show \w+\n$/m);
    }
    const chat = await deputy("chat", "-p", "Good");
    assert.deepEqual([chat.code, chat.stdout], [0, `${ANSWER}\n`]);
  });

  test("are none if the only task failed, and stderr says why once, also when the run is shown again", async (t) => {
    const { deputy } = await place(t);
    const run = await deputy("run", "--goal", "Bad");
    const [, id = ""] = /^1 task · run (\w+)$/m.exec(run.stderr) ?? [];
    for (const ended of [
      run,
      ...(await Promise.all([deputy("watch", id), deputy("resume", id), deputy("retry", id)])),
    ]) {
      assert.deepEqual([ended.code, ended.stdout], [1, ""]);
      assert.equal(ended.stderr.match(/^✗ \[1\/1\] Bad.* failed: unauthorized – .+$/gm)?.length, 1, ended.stderr);
    }
    const chat = await deputy("chat", "-p", "Bad");
    assert.deepEqual([chat.code, chat.stdout], [1, ""]);
    assert.match(chat.stderr, /^deputy: .*unauthorized|does not accept the key/m);
  });

  for (const goals of [["Good"], ["Long"], ["Good", "Long"]])
    test(`come after everything else, so that a pager has the screen: ${goals.join(", ")}`, async (t) => {
      const { cwd, env } = await place(t);
      const words = [PROGRAM, "run", ...goals.flatMap((goal) => ["-g", goal])].map(shellWord).join(" ");
      const { stdout } = await launchCommand(["sh", "-c", `${words} 2>&1`], { cwd, env }).ended;
      const [, above = "", answers = ""] = /^([\s\S]* tasks? completed in .*\n)([\s\S]*)$/.exec(stdout) ?? [];
      assert.match(above, /^\d tasks? · run \w+\n✓ /);
      assert.match(answers, goals.length === 1 ? /^# Title\n/ : /^\[1\/2\] Good\n\n# Title\n/);
      assert.match(answers, goals.includes("Long") ? / word end\n$/ : /`code`\n$/);
    });

  test("are not what --json, --ndjson and --dry-run print", async (t) => {
    const { deputy } = await place(t);
    const [json, ndjson, plan] = await Promise.all(
      ["--json", "--ndjson", "--dry-run"].map((flag) => deputy("run", "-g", "Good", flag)),
    );
    assert.equal(JSON.parse(json?.stdout ?? "").results[0].summary, ANSWER);
    assert.equal(JSON.parse(ndjson?.stdout.trim().split("\n").at(-1) ?? "").results[0].summary, ANSWER);
    for (const ended of [json, ndjson]) assert.match(ended?.stderr ?? "", /^✓ \[1\/1\] Good/m);
    assert.match(plan?.stdout ?? "", /1 task would start/);
  });
});
