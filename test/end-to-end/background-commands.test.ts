/** A child's commands in the background, with the real program: a server is used, and nothing outlives its child. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, processesWith, stepOf } from "../support/end-to-end.ts";

const SERVER = `
  const server = require("node:http").createServer((request, response) => {
    console.log("asked for " + request.url);
    response.end("hello from " + process.pid);
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    require("node:fs").writeFileSync("port", String(port));
    console.log("listening on port " + port + " now");
  });
`;
const QUERY = `
  const port = require("node:fs").readFileSync("port", "utf8");
  fetch("http://127.0.0.1:" + port + "/page").then((response) => response.text()).then(console.log, () => {
    console.log("nobody answers");
    process.exitCode = 1;
  });
`;

const START = { name: "terminal", input: { command: "node server.cjs", background: true } };
const ASK = { name: "terminal", input: { command: "node query.cjs" } };

/** Results of the calls so far, in order. */
function resultsIn({ messages }: ModelRequest): string[] {
  return messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
}

function idIn(request: ModelRequest): string {
  return /\[(\d+-[\da-f]{4}) /.exec(resultsIn(request).join("\n"))?.[1] ?? "none";
}

async function openStage(t: TestContext, answer: (request: ModelRequest) => Turn | Promise<Turn>) {
  const home = temporaryDirectory(after);
  const cwd = mkdtempSync(join(home, "work-"));
  writeFileSync(join(cwd, "server.cjs"), SERVER);
  writeFileSync(join(cwd, "query.cjs"), QUERY);
  const providers = await createProviders(["zai"], answer);
  t.after(providers.close);
  const mark = `DEPUTY_TEST_MARK=${cwd}`;
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), DEPUTY_TEST_MARK: cwd, ...providers.env };
  return {
    cwd,
    requests: () => providers.arrivals.length,
    left: () => processesWith(mark),
    run: (argv: string[]) => launch(argv, { cwd, env }),
    /** With a rule that allows commands. */
    delegate(task: object = {}) {
      mkdirSync(join(home, ".config/deputy"), { recursive: true });
      writeFileSync(join(home, ".config/deputy/config.yaml"), "permissions: [{ tool: terminal, then: allow }]\n");
      writeFileSync(join(cwd, "task.json"), JSON.stringify([{ goal: "Serve.", provider: "zai", ...task }]));
      return launch(["run", "task.json", "--json"], { cwd, env });
    },
  };
}

function resultOf(stdout: string) {
  return JSON.parse(stdout).results[0];
}

test("a child starts a server, queries it, reads its output and stops it", { timeout: 60_000 }, async (t) => {
  const stage = await openStage(t, (request) => {
    const id = idIn(request);
    const turns: Turn[] = [
      { toolCalls: [START] },
      { toolCalls: [ASK] },
      { toolCalls: [{ name: "terminal_output", input: { id, wait_seconds: 20 } }] },
      { toolCalls: [{ name: "terminal_stop", input: { id } }] },
      { toolCalls: [ASK] },
    ];
    return turns[stepOf(request) - 1] ?? { text: resultsIn(request).join("\n---\n") };
  });
  const { code, stdout, stderr } = await stage.delegate().ended;
  assert.equal(code, 0, stderr);
  const { summary, warnings, tool_trace: trace } = resultOf(stdout);
  const [started, asked, read, stopped, askedAgain] = summary.split("\n---\n");
  assert.match(started, /^listening on port \d+ now\n\[\d+-[\da-f]{4} runs in the background, for [\d.]+ s so far\]$/);
  assert.match(asked, /^hello from \d+$/);
  assert.match(read, /^asked for \/page\n\[.* runs in the background/);
  assert.match(stopped, /was stopped after/);
  assert.match(askedAgain, /^nobody answers\n\[exit code 1\]$/);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    trace.map(({ name }: { name: string }) => name),
    [...["terminal", "terminal", "terminal_output", "terminal_stop", "terminal"]],
  );
  assert.deepEqual(stage.left(), []);
});

test("a child that answers while a server runs says so, and leaves none", { timeout: 60_000 }, async (t) => {
  const stage = await openStage(t, (request) =>
    stepOf(request) === 1 ? { toolCalls: [START] } : { text: "The server runs." },
  );
  const { code, stdout } = await stage.delegate().ended;
  assert.equal(code, 0);
  assert.deepEqual(
    resultOf(stdout).warnings.map(({ code, message }: { code: string; message: string }) => [code, message]),
    [
      [
        "background-stopped",
        "Commands were still running in the background when the child ended, and were stopped: node server.cjs.",
      ],
    ],
  );
  assert.deepEqual(stage.left(), []);
});

test("a background command needs the approval of a foreground one", { timeout: 60_000 }, async (t) => {
  const stage = await openStage(t, (request) =>
    stepOf(request) === 1 ? { toolCalls: [START] } : { text: resultsIn(request).join("\n") },
  );
  const denied = await stage.run(["run", "--goal", "Serve.", "--provider", "zai", "--json"]).ended;
  assert.match(resultOf(denied.stdout).summary, /^Not allowed: it needs the user's approval/);
  assert.equal(existsSync(join(stage.cwd, "port")), false);
});

for (const [how, task] of [
  ["is stopped", {}],
  ["runs out of time", { timeout_seconds: 6 }],
] as const) {
  test(`no server is left when a child ${how}`, { timeout: 60_000 }, async (t) => {
    const stage = await openStage(t, (request) =>
      stepOf(request) === 1 ? { toolCalls: [START] } : { fault: { kind: "silence" } },
    );
    const running = stage.delegate(task);
    await until(() => existsSync(join(stage.cwd, "port")));
    if (how === "is stopped") running.child.kill("SIGINT");
    const { code } = await running.ended;
    assert.notEqual(code, 0);
    assert.deepEqual(stage.left(), []);
  });
}

test("a server ends with a killed Deputy, and a resumed child learns it", { timeout: 60_000 }, async (t) => {
  let isKilled = false;
  const stage = await openStage(t, (request) => {
    const id = idIn(request);
    if (stepOf(request) === 1) return { toolCalls: [START] };
    if (!isKilled) return { fault: { kind: "silence" } };
    if (stepOf(request) === 2) return { toolCalls: [{ name: "terminal_output", input: { id } }] };
    if (stepOf(request) === 3) return { toolCalls: [{ name: "terminal_stop", input: { id } }] };
    if (stepOf(request) === 4) return { toolCalls: [ASK] };
    return { text: resultsIn(request).slice(1).join("\n---\n") };
  });
  const running = stage.delegate();
  await until(() => stage.requests() === 2);
  isKilled = true;
  running.child.kill("SIGKILL");
  await running.ended;
  await until(() => stage.left().length === 0);
  const { code, stdout, stderr } = await stage.run(["resume", "--last", "--json"]).ended;
  assert.equal(code, 0, stderr);
  const [read, stopped, asked] = resultOf(stdout).summary.split("\n---\n");
  for (const text of [read, stopped]) assert.match(text, /has ended: it ended with the process that ran it/);
  assert.match(asked, /^nobody answers/);
});
