import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { DeputyError } from "../../../src/errors.ts";
import type { DelegationResult } from "../../../src/result.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import type { Tool } from "../../../src/tool.ts";
import { calls, fails, route as plainRoute, says, tool } from "../../support/child-stage.ts";
import { deputy, start, temporaryDirectory, until } from "../../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../../support/engine-stage.ts";

/** Answers with the first line of the prompt; goals that start with "Fail" fail. */
const echo: ModelScript = async ({ messages }) => {
  const asked = JSON.stringify(messages);
  if (asked.includes("Fail")) return fails("refused");
  return says(/Say (\w+)/.exec(asked)?.[1] ?? "done");
};

const three = "- Say one\n- Say two\n- Say three\n";

describe("deputy run", () => {
  test("prints the answers alone to a pipe, a line for each child to stderr as it ends, and exits with 0", async () => {
    const { code, stdout, stderr } = await deputy(["run", "-"], { stdin: three, script: echo });
    assert.equal(code, 0);
    assert.equal(stdout, "[1/3] Say one\n\none\n\n[2/3] Say two\n\ntwo\n\n[3/3] Say three\n\nthree\n");
    for (const [place, word] of ["one", "two", "three"].entries()) {
      assert.match(
        stderr,
        new RegExp(`^✓ \\[${place + 1}/3\\] Say ${word} \\(\\d\\.\\ds · m @ zai · \\$0\\.0000\\)$`, "m"),
      );
    }
    assert.match(stderr, /^3 of 3 tasks completed in .* · \$0\.0000 · deputy show run1/m);
  });

  test("exits with 1 and the reason if a child failed, and prints the answers of the others", async () => {
    const { code, stdout, stderr } = await deputy(["run", "-"], { stdin: "- Say one\n- Fail now\n", script: echo });
    assert.equal(code, 1);
    assert.match(stderr, /^✗ \[2\/2\] Fail now \(.*\) failed: refused – it failed: refused$/m);
    assert.equal(stdout, "[1/2] Say one\n\none\n");
  });

  test("queues children beyond --concurrency and runs them all", async () => {
    const { code, stderr } = await deputy(["run", "-", "-c", "1"], { stdin: three, script: echo });
    assert.equal(code, 0);
    assert.match(stderr, /3 of 3 tasks completed/);
  });

  test("takes one task in words", async () => {
    const { code, stdout } = await deputy(["run", "--goal", "Say hello"], { script: echo });
    assert.equal(code, 0);
    assert.equal(stdout, "hello\n");
  });

  test("takes several tasks in words, in order, with one context", async () => {
    const argv = ["run", "--goal", "Say one", "-g", "Say two", "--goal=Say three", "--context", "a", "--context", "b"];
    const seen: string[] = [];
    const script: ModelScript = async (request, signal) => {
      seen.push(JSON.stringify(request.messages));
      return echo(request, signal);
    };
    const { code, stdout } = await deputy([...argv, "--json"], { script });
    assert.equal(code, 0);
    const { results } = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual(
      results.map(({ summary }) => summary),
      ["one", "two", "three"],
    );
    for (const text of seen) assert.match(text, /a\\n\\nb/);
  });

  test("--goal - reads standard input as text, once, next to goals in words", async () => {
    const words = "Say yes: to\n- a list\n";
    const only = await deputy(["run", "--goal", "-", "--json"], { stdin: words, script: echo });
    assert.equal((JSON.parse(only.stdout) as DelegationResult).results[0]?.goal, words.trim());
    const two = await deputy(["run", "-g", "Say one", "-g", "-", "--json"], { stdin: words, script: echo });
    assert.deepEqual(
      (JSON.parse(two.stdout) as DelegationResult).results.map(({ summary }) => summary),
      ["one", "yes"],
    );
    for (const [argv, stdin, says] of [
      [["-g", "-", "-g", "-"], words, /Expected --goal - once/],
      [["-g", "-"], " \n", /standard input is empty\. Expected the goal as text\./],
      [["-g", "-", "tasks.yaml"], words, /either a file or --goal/],
      [["-g", "one", "-g", ""], "", /task 2, goal: Required but missing/],
    ] as const) {
      const { code, stderr } = await deputy(["run", ...argv], { stdin });
      assert.equal(code, 2);
      assert.match(stderr, says);
    }
  });

  test("with --json prints the result document and nothing else on stdout", async () => {
    const { stdout, stderr } = await deputy(["run", "-", "--json"], { stdin: three, script: echo });
    const result = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual(
      result.results.map(({ summary }) => summary),
      ["one", "two", "three"],
    );
    assert.match(stderr, /✓ \[1\/3\]/);
  });

  test("with --ndjson prints every stored event as a line, the result as the last one, and no live event", async () => {
    const { stdout } = await deputy(["run", "-", "--ndjson"], { stdin: three, script: echo });
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; results?: unknown[] });
    assert.equal(lines[0]?.kind, "delegation-start");
    assert.equal(lines.at(-2)?.kind, "delegation-end");
    assert.equal(lines.at(-1)?.kind, "result");
    assert.equal(lines.at(-1)?.results?.length, 3);
    assert.equal(lines.filter(({ kind }) => kind === "child-end").length, 3);
    assert.ok(!lines.some(({ kind }) => kind === "text-delta"));
  });

  test("hands flags to the engine: workspace, budget and rules", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    mkdirSync(join(cwd, "inner"));
    const asked: unknown[] = [];
    const engine = {
      estimate: async (_: unknown, options: unknown) =>
        asked.push(options) && { planned: [], warnings: [], estimates: { tasks: [] } },
      hooksSettled: async () => {},
      close: async () => {},
    };
    await deputy(
      [
        ..."run --goal x --dry-run --model a --provider b --effort high -c 3 --max-cost 0.5 --strict".split(" "),
        "--workspace",
        "inner",
        "--allow",
        "terminal: npm test",
        "--allow",
        "edit_file",
      ],
      { cwd, engine: engine as never },
    );
    assert.deepEqual(asked, [
      {
        surface: "cli",
        workspace: join(cwd, "inner"),
        parent: { model: "a", provider: "b", effort: "high" },
        concurrency: 3,
        maxCostUsd: 0.5,
        permissions: [
          { tool: "terminal", match: "npm test", then: "allow" },
          { tool: "edit_file", then: "allow" },
        ],
        strict: true,
      },
    ]);
  });

  test("shows what a task was rejected for, and runs the others", async () => {
    const stdin = "- Say one\n- goal: Say two\n  provider: nowhere\n";
    const { code, stderr } = await deputy(["run", "-"], { stdin, script: echo });
    assert.equal(code, 1);
    assert.match(stderr, /^✗ \[2\/2\] Say two \(not started\) rejected: unknown-provider – No provider nowhere\.$/m);
    assert.match(stderr, /^✓ \[1\/2\]/m);
  });

  test("exits with 3 and lists every bad task where nothing can start", async () => {
    const stdin = "- { goal: Say one, provider: nowhere }\n- { goal: Say two, provider: nowhere }\n";
    const { code, stdout, stderr } = await deputy(["run", "-"], { stdin });
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.match(stderr, /task 1 \(Say one\)[\s\S]*task 2 \(Say two\)/);
  });

  test("makes escape sequences in goals and answers harmless", async () => {
    const script: ModelScript = async () => says("red \x1b[31m and \x07 bell \u202e reversed");
    const { stdout, stderr } = await deputy(["run", "--goal", "clear \x1b[2J\nscreen"], { script });
    assert.ok(!["\x1b", "\x07", "\u202e"].some((unsafe) => (stdout + stderr).includes(unsafe)));
    assert.match(stderr, /clear \\x1b\[2J screen/);
    assert.match(stdout, /red \\x1b\[31m and \\x07 bell \\u\{202e\} reversed/);
  });

  test("shows requests and tool calls with --verbose only", async () => {
    const quiet = await deputy(["run", "--goal", "Say x"], { script: echo });
    const verbose = await deputy(["run", "--goal", "Say x", "--verbose"], { script: echo });
    assert.doesNotMatch(quiet.stderr, /request 1/);
    assert.match(verbose.stderr, /^· \[1\/1\] starts on m @ zai$/m);
    assert.match(verbose.stderr, /^· \[1\/1\] request 1$/m);
  });
});

describe("when something breaks", () => {
  test("finished results are printed before the journal's error", async () => {
    let full = false;
    const { engine } = createTestEngine({
      script: async (request, signal) => {
        const isSecond = JSON.stringify(request.messages).includes("two");
        if (isSecond) await until(() => full);
        return echo(request, signal);
      },
      beforeCommit: (events) => {
        if (full) throw new DeputyError("journal-full", "The disk is full.");
        full = events.some(({ kind }) => kind === "child-end");
      },
    });
    const { code, stdout, stderr } = await deputy(["run", "-", "--json"], { stdin: "- Say one\n- Say two\n", engine });
    assert.equal(code, 1);
    assert.match(stderr, /deputy: The disk is full\./);
    assert.deepEqual(
      (JSON.parse(stdout) as DelegationResult).results.map(({ summary, status }) => [summary, status]),
      [
        ["one", "completed"],
        ["", "interrupted"],
      ],
    );
  });
});

describe("at a terminal", () => {
  const ask: Tool = { ...tool("terminal", "write", () => "ran"), subject: () => ({ target: "ls", otherwise: "ask" }) };
  const script: ModelScript = async ({ messages }) =>
    messages.some(({ role }) => role === "tool") ? says("looked") : calls(["terminal", { word: "ls" }]);

  test("a child's question is shown to the user, and the view continues after it", async () => {
    const { engine } = createTestEngine({ script, tools: [ask] });
    const clock = createFakeClock();
    const running = start(["run", "--goal", "Look"], { engine, terminal: true, clock });
    await until(() => running.stdout().includes("Allow?"));
    await clock.advance(300);
    running.stdin.write("y\n");
    assert.equal(await running.code, 0);
    assert.match(
      stripVTControlCharacters(running.stdout()),
      /\? run\w+\.1 \(m @ zai\) Look\n {2}asks to run terminal:\n {2}│ ls\n {2}in \/\S+\n/,
    );
    assert.match(running.stdout(), /✓ \[1\/1\] Look[\s\S]*\n\nlooked\n/);
  });

  test("without a keyboard, no question is asked: the line names the call and the flag that allows it", async () => {
    const { engine } = createTestEngine({ script, tools: [ask] });
    const { stderr } = await deputy(["run", "--goal", "Look"], { engine });
    assert.match(
      stderr,
      /^! \[1\/1\] `terminal: ls` denied: nobody can answer here\. Allow it with: --allow 'terminal: ls'$/m,
    );
    assert.match(stderr, /^1 of 1 task completed in \S+ · \S+ · 1 tool call denied · deputy show/m);
  });

  test("what --allow names runs, and nothing is counted as denied", async () => {
    const { engine } = createTestEngine({ script, tools: [ask] });
    const { stderr } = await deputy(["run", "--goal", "Look", "--allow", "terminal: ls"], { engine });
    assert.doesNotMatch(stderr, /denied/);
  });

  test("a rule's denial is named like any other, without a flag to allow it", async () => {
    const config = { permissions: [{ tool: "terminal", then: "deny" }] };
    const { engine } = createTestEngine({ script, tools: [ask], config });
    const { stderr } = await deputy(["run", "--goal", "Look"], { engine });
    assert.match(stderr, /^! \[1\/1\] `terminal: ls` denied: .* says deny to ls$/m);
    assert.match(stderr, / · 1 tool call denied · /);
  });
});

describe("deputy run --dry-run", () => {
  const stdin = "- Say one\n- goal: Say two\n  provider: nowhere\n";

  test("shows route, who chose it, price, key and problems, and asks no model", async () => {
    const { code, stdout } = await deputy(["run", "-", "--dry-run"], { stdin });
    assert.equal(code, 1);
    assert.match(stdout, /\[1\/2\] +Say one +m @ zai +task +unknown +unknown +ZAI_API_KEY +50 requests/);
    assert.match(stdout, /✗ \[2\/2\] Say two: provider: No provider nowhere\./);
    assert.match(stdout, /1 task would start, 1 would not; nothing has been started or spent\./);
  });

  test("estimates one request of each task from its prompt, and says what it assumes", async () => {
    const price = { input: 10, output: 20 };
    const { engine } = createTestEngine({
      script: async () => assert.fail("no model is asked"),
      route: (provider, model) => ({ ...plainRoute(provider, model), facts: model === "free" ? {} : { price } }),
    });
    const tasks = `- goal: Say one\n- goal: ${"long ".repeat(4000)}\n- goal: Say three\n  model: free\n`;
    const { stdout } = await deputy(["run", "-", "--dry-run", "--max-cost", "2"], { engine, stdin: tasks });
    assert.match(stdout, /\[1\/3\] .* 10 in, 20 out +~\$0\.02\d\d /);
    assert.match(stdout, /\[2\/3\] .* ~\$0\.07\d\d /);
    assert.match(stdout, /\[3\/3\] .* unknown +unknown /);
    assert.match(stdout, /^Estimate: \$0\.09\d\d \+ unknown if each task takes one request \(about 5\.\dk tokens in/m);
    assert.match(stdout, / and 1,000 out per answer\)\.$/m);
    assert.match(stdout, /up to 50, each with all before it\. The limit is \$2\.00\.$/m);
    const limitOf = async (stdin: string) =>
      (await deputy(["run", "-", "--dry-run"], { engine, stdin })).stdout.match(/all before it\. (.*)$/m)?.[1];
    assert.equal(await limitOf("- goal: a\n"), "There is no limit in dollars: --max-cost sets one.");
    assert.equal(await limitOf("- goal: a\n  max_cost_usd: 2\n"), "The limit is $2.00, set by the tasks.");
    assert.equal(
      await limitOf("- goal: a\n  max_cost_usd: 2\n- goal: b\n"),
      "Only 1 of 2 tasks has a limit in dollars: --max-cost sets one for all.",
    );
    const { stdout: json } = await deputy(["run", "-", "--dry-run", "--json"], { engine, stdin: tasks });
    const plan = JSON.parse(json);
    assert.deepEqual(
      [plan.estimated_cost_usd, plan.max_cost_usd, plan.tasks[2].one_request.cost_usd],
      [null, null, null],
    );
    assert.equal(plan.tasks[0].one_request.output_tokens, 1000);
    assert.ok(plan.tasks[1].one_request.input_tokens - plan.tasks[0].one_request.input_tokens > 4900);
  });

  test("reports the same to programs with --json", async () => {
    const { stdout } = await deputy(["run", "-", "--dry-run", "--json"], { stdin });
    const [first, second] = JSON.parse(stdout).tasks;
    assert.equal(first.route.key_name, "ZAI_API_KEY");
    assert.equal(first.route.price_usd_per_million_tokens, null);
    assert.equal(second.problem.code, "unknown-provider");
  });

  test("exits with 3 where nothing could start, or --strict and one could not", async () => {
    assert.equal((await deputy(["run", "-", "--dry-run", "--strict"], { stdin })).code, 3);
    assert.equal((await deputy(["run", "-", "--dry-run"], { stdin: "- { goal: a, provider: nowhere }" })).code, 3);
    assert.equal((await deputy(["run", "-", "--dry-run"], { stdin: "- a" })).code, 0);
  });
});

test("result files and --json say what was asked, when it ran, and its cost in at most six decimals", async (t) => {
  const cwd = temporaryDirectory(t.after.bind(t));
  const price = { input: 0.1, output: 0.2 };
  const route = (provider: string, model: string) => ({ ...plainRoute(provider, model), facts: { price } });
  const usage = { input: 3, output: 1, cached: 0, reasoning: 0 };
  const { engine } = createTestEngine({ script: async () => says("done", { usage }), route });
  const stdin = "- goal: Say one\n  tags: [explore]\n- goal: Say two\n- goal: Say three\n  provider: nowhere\n";
  const { stdout } = await deputy(["run", "-", "--json", "--output", "out"], { stdin, cwd, engine });
  const { results, total_cost_usd } = JSON.parse(stdout) as DelegationResult;
  assert.deepEqual(
    results.map(({ goal, tags, cost_usd }) => ({ goal, tags, cost_usd })),
    [
      { goal: "Say one", tags: ["explore"], cost_usd: 0.000001 },
      { goal: "Say two", tags: [], cost_usd: 0.000001 },
      { goal: "Say three", tags: [], cost_usd: 0 },
    ],
  );
  assert.equal(total_cost_usd, 0.000001);
  const [first, , last] = results;
  assert.ok(Date.parse(first?.started_at ?? "") <= Date.parse(first?.ended_at ?? ""), JSON.stringify(first));
  assert.deepEqual([last?.started_at, last?.ended_at], [null, null]);
  assert.deepEqual(JSON.parse(readFileSync(join(cwd, "out/001-say-one.json"), "utf8")), first);
});

describe("deputy run --output", () => {
  test("writes the whole result and the answer of each child as it ends, and nothing half", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    const gate = Promise.withResolvers<void>();
    const script: ModelScript = async (request, signal) => {
      if (JSON.stringify(request.messages).includes("two")) await gate.promise;
      return echo(request, signal);
    };
    const running = start(["run", "-", "--output", "out/deep"], { stdin: "- Say one!\n- Say two\n", script, cwd });
    const first = join(cwd, "out/deep/001-say-one.json");
    await until(() => existsSync(first));
    assert.equal(JSON.parse(readFileSync(first, "utf8")).summary, "one");
    gate.resolve();
    assert.equal(await running.code, 0);
    assert.deepEqual(readdirSync(join(cwd, "out/deep")).sort(), [
      "001-say-one.json",
      "001-say-one.md",
      "002-say-two.json",
      "002-say-two.md",
    ]);
    assert.equal(readFileSync(join(cwd, "out/deep/001-say-one.md"), "utf8"), "one\n");
  });

  test("gives a failed child no made-up answer, and names files safely", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    await deputy(["run", "-", "--output", "."], { stdin: '- "Fail: ../../etc/passwd"\n- 写俳句\n', script: echo, cwd });
    assert.deepEqual(readdirSync(cwd).sort(), ["001-fail-etc-passwd.json", "002-task.json", "002-task.md"]);
  });

  test("refuses a place that cannot be written before anything starts", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    writeFileSync(join(cwd, "taken"), "");
    const { code, stderr } = await deputy(["run", "-", "--output", "taken/out"], { stdin: three, cwd });
    assert.equal(code, 2);
    assert.match(stderr, /Cannot write results to .*taken\/out: .*Nothing was started/);
  });

  test("prints a result that could not be written, and exits with 1", async (t) => {
    const cwd = temporaryDirectory(t.after.bind(t));
    const script: ModelScript = async (request, signal) => {
      mkdirSync(join(cwd, "001-say-one.json"));
      return echo(request, signal);
    };
    const { code, stdout, stderr } = await deputy(["run", "-", "--output", "."], { stdin: "- Say one\n", script, cwd });
    assert.equal(code, 1);
    assert.match(stderr, /! Could not write the result of run\w+\.1: /);
    assert.equal(stdout, "one\n");
    chmodSync(cwd, 0o700);
  });
});

describe("Ctrl-C", () => {
  const untilStopped: ModelScript = async (request, signal) => {
    if (JSON.stringify(request.messages).includes("one")) return says("one");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return fails("aborted");
  };

  test("stops the children, prints what is done, and exits with 130", async () => {
    const running = start(["run", "-", "--json"], { stdin: "- Say one\n- Say two\n", script: untilStopped });
    await until(() => running.stderr().includes("✓"));
    running.interrupt();
    assert.equal(await running.code, 130);
    const { results } = JSON.parse(running.stdout()) as DelegationResult;
    assert.deepEqual(
      results.map(({ status }) => status),
      ["completed", "interrupted"],
    );
    assert.equal(results[1]?.exit_reason, "Ctrl-C");
    assert.match(running.stderr(), /Press Ctrl-C again to exit now/);
  });

  test("exits at once the second time, with the results so far", async () => {
    const deaf: ModelScript = (request, signal) =>
      JSON.stringify(request.messages).includes("one") ? untilStopped(request, signal) : new Promise(() => {});
    const clock = { now: Date.now, elapsed: Date.now, sleep: async () => {}, after: () => () => {} };
    const running = start(["run", "-", "--json"], { stdin: "- Say one\n- Say two\n", script: deaf, clock });
    await until(() => running.stderr().includes("✓"));
    running.interrupt();
    running.interrupt();
    assert.equal(await running.code, 130);
    const { results } = JSON.parse(running.stdout()) as DelegationResult;
    assert.deepEqual(
      results.map(({ summary }) => summary),
      ["one"],
    );
  });
});
