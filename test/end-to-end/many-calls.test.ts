/**
 * Hundreds of tool calls in one response, in processes with few file descriptors: every call ends, and so does the run.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launchCommand, PROGRAM } from "../support/end-to-end.ts";

type Call = { name: string; input: Record<string, unknown> };

const KINDS = {
  grep: { name: "grep", input: { pattern: "needle" } },
  glob: { name: "glob", input: { pattern: "*.txt" } },
  read_file: { name: "read_file", input: { path: "0.txt" } },
  terminal: { name: "terminal", input: { command: "cat 0.txt" } },
} satisfies Record<string, Call>;

function many(count: number, ...kinds: (keyof typeof KINDS)[]): Call[] {
  const calls = kinds.map((kind) => KINDS[kind]);
  return Array.from({ length: count }, (_, at) => calls[at % calls.length] as Call);
}

/** Goals, each with the calls that a model makes at once for it. */
const CALLS: Record<string, Call[]> = {
  "200 grep": many(200, "grep"),
  "700 read_file": many(700, "read_file"),
  "120 glob": many(120, "glob"),
  "40 terminal": many(40, "terminal"),
  "120 mixed": many(120, "grep", "glob", "grep", "read_file", "grep", "read_file", "glob", "terminal", "grep", "grep"),
};

/** The tool results in a request, each of which must have found something. */
function found({ messages }: ModelRequest): number {
  const texts = messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
  return texts.filter((text) => /needle|0\.txt/.test(text)).length;
}

describe("many calls at once", { timeout: 170_000 }, () => {
  const home = temporaryDirectory(after);

  async function stage(t: { after(cleanUp: () => Promise<void>): void }) {
    const cwd = mkdtempSync(join(home, "calls-"));
    mkdirSync(join(cwd, "work"));
    for (const name of ["0.txt", "1.txt"]) writeFileSync(join(cwd, "work", name), "needle\n");
    const providers = await createProviders(["zai"], (request) => {
      const [, goal = ""] = /^(\d+ \w+)/.exec(request.messages[0]?.text ?? "") ?? [];
      return request.messages.length > 1 ? { text: `${found(request)} found` } : { toolCalls: CALLS[goal] ?? [] };
    });
    t.after(providers.close);
    const env = { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state"), ...providers.env };
    const start = (limit: number, ...argv: string[]) =>
      launchCommand(["sh", "-c", `ulimit -n ${limit}; exec "$0" "$@"`, PROGRAM, ...argv], {
        cwd: join(cwd, "work"),
        env,
      });
    return { start, providers };
  }

  for (const [goal, limit] of [
    ["200 grep", 256],
    ["700 read_file", 64],
    ["120 glob", 64],
    ["40 terminal", 64],
    ["120 mixed", 64],
  ] as const) {
    test(`${goal} with ${limit} descriptors all find what they look for`, async (t) => {
      const { start } = await stage(t);
      const { code, stdout, stderr } = await start(limit, "run", "--goal", goal, "--json", "--allow", "terminal: *")
        .ended;
      assert.equal(code, 0, stderr.slice(-2_000));
      const [result] = (JSON.parse(stdout) as DelegationResult).results;
      assert.equal(result?.summary, `${CALLS[goal]?.length} found`);
    });
  }

  test("when descriptors run out, calls report it and the run continues", async (t) => {
    const { start, providers } = await stage(t);
    const goals = Array.from({ length: 12 }, () => ({ goal: "120 mixed" }));
    const tasks = join(mkdtempSync(join(home, "tasks-")), "tasks.json");
    writeFileSync(tasks, JSON.stringify(goals));
    const { code, stdout, stderr } = await start(64, "run", tasks, "-c", "12", "--json", "--allow", "terminal: *")
      .ended;
    assert.equal(code, 0, stderr.slice(-2_000));
    const { results } = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual([...new Set(results.map(({ status }) => status))], ["completed"]);
    const told = providers.arrivals.flatMap(({ request: { messages } }) =>
      messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text)),
    );
    assert.equal(told.length, 12 * 120);
    for (const text of told)
      assert.match(text, /needle|0\.txt|^Deputy has no file descriptors left\. Ask for less at once/);
  });

  test("a run killed in the middle of them continues where it was", async (t) => {
    const { start, providers } = await stage(t);
    const run = start(64, "run", "--goal", "200 grep", "--ndjson");
    await until(() => run.stdout().split('"kind":"tool-end"').length > 20);
    run.child.kill("SIGKILL");
    await run.ended;
    const [{ delegation_id: id }] = JSON.parse((await start(256, "runs", "--json").ended).stdout);
    const { code, stdout, stderr } = await start(64, "resume", id, "--json").ended;
    assert.equal(code, 0, stderr.slice(-2_000));
    assert.equal((JSON.parse(stdout) as DelegationResult).results[0]?.summary, "200 found");
    assert.equal(providers.arrivals.length, 2);
  });

  test("too few descriptors at the start are reported with a message and exit code 3", async (t) => {
    const { start } = await stage(t);
    for (const limit of [12, 20, 31]) {
      const { code, stdout, stderr } = await start(limit, "run", "--goal", "120 glob").ended;
      assert.deepEqual([code, stdout], [3, ""], stderr);
      assert.match(stderr, /^deputy: needs at least 32 file descriptors, found a limit of \d+\. Raise it.*\n$/);
    }
  });
});
