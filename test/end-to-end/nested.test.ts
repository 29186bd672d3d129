/**
 * Trees of children with the real program: killed and resumed, stopped, watched, steered and approved from other
 * terminals.
 */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, processesWith, stepOf, taskOf } from "../support/end-to-end.ts";

const home = temporaryDirectory(after);

/** Each orchestrator and its delegations; leaves write a file with their name. */
const TREE: Record<string, object[]> = {
  top: [{ goal: "left" }, { goal: "middle", role: "orchestrator" }],
  middle: [{ goal: "low" }, { goal: "lower" }],
};

function answer(request: ModelRequest): Turn {
  const goal = taskOf(request);
  if (stepOf(request) > 1) return { text: `${goal} is done.`, latencyMs: 15 };
  const tasks = TREE[goal];
  const call =
    tasks === undefined
      ? { name: "write_file", input: { path: `${goal}.txt`, content: goal } }
      : { name: "delegate_task", input: { tasks } };
  return { toolCalls: [call], latencyMs: 15 };
}

/** A place to run in, with a config that lets children delegate. */
async function place(script: (request: ModelRequest) => Turn) {
  const providers = await createProviders(["zai"], script);
  const root = mkdtempSync(join(home, "place-"));
  const cwd = join(root, "work");
  mkdirSync(cwd);
  const config = join(root, "config.yaml");
  writeFileSync(config, "provider: zai\ndelegation: { max_spawn_depth: 3, max_concurrent_children: 2 }\n");
  const tasks = join(root, "tasks.yaml");
  const env = { HOME: home, DEPUTY_STATE_DIR: join(root, "state"), DEPUTY_TEST_MARK: root, ...providers.env };
  const deputy = (...argv: string[]) => launch([...argv, "--config", config], { cwd, env });
  return { providers, cwd, tasks, deputy, mark: `DEPUTY_TEST_MARK=${root}` };
}

for (const requests of [2, 4, 7])
  test(`a tree killed at its request ${requests} is resumed, and nothing finished is asked again`, async (t) => {
    const { providers, cwd, tasks, deputy } = await place(answer);
    t.after(providers.close);
    writeFileSync(tasks, JSON.stringify([{ goal: "top", role: "orchestrator" }, { goal: "other" }]));
    const first = deputy("run", tasks);
    await until(() => providers.arrivals.length >= requests);
    first.child.kill("SIGKILL");
    await first.ended;
    const [, id = ""] = /run ([a-z0-9]{8})/.exec(first.stderr()) ?? [];
    const inFlight = 2;
    const { code, stdout, stderr } = await deputy("resume", id, "--json").ended;
    assert.equal(code, 0, stderr);
    const { results }: DelegationResult = JSON.parse(stdout);
    assert.deepEqual(
      results.map(({ summary, delegations, files_changed }) => [summary, delegations, files_changed.toSorted()]),
      [
        ["top is done.", [`${id}.1.1`], ["left.txt", "low.txt", "lower.txt"]],
        ["other is done.", [], ["other.txt"]],
      ],
    );
    assert.equal(readFileSync(join(cwd, "lower.txt"), "utf8"), "lower");
    const twice = providers.arrivals.length - 12;
    assert.ok(twice >= 0 && twice <= inFlight, `${providers.arrivals.length} requests where 12 are needed`);
    providers.checkScripts();
  });

test("a child of a child works on in no directory that a link puts in its workspace's place", async (t) => {
  const outside = mkdtempSync(join(home, "outside-"));
  writeFileSync(join(outside, "secret.txt"), "TOP-SECRET");
  const replace = (directory: string) => {
    renameSync(directory, `${directory}-away`);
    symlinkSync(outside, directory);
  };
  const reads = { name: "read_file", input: { path: "secret.txt" } };
  const writes = { name: "write_file", input: { path: "new.txt", content: "new" } };
  const runs = { name: "terminal", input: { command: "cat secret.txt; touch new.txt" } };
  const delegated = [
    { goal: "during", workspace: "during" },
    { goal: "stays", workspace: "stays" },
    { goal: "linked", workspace: "linked" },
  ];
  const { providers, cwd, tasks, deputy } = await place((request) => {
    const goal = taskOf(request);
    const text = request.messages.map((message) => message.text).join("\n");
    if (stepOf(request) > 2) return { text: `${goal}: ${text}` };
    if (goal === "top") {
      if (stepOf(request) === 1) return { toolCalls: [{ name: "delegate_task", input: { tasks: delegated } }] };
      replace(cwd);
      return { toolCalls: [{ name: "delegate_task", input: { tasks: [{ goal: "after" }] } }] };
    }
    if (stepOf(request) > 1) return { text: `${goal}: ${text}` };
    if (goal === "during") replace(join(cwd, "during"));
    return { toolCalls: goal === "during" || goal === "after" ? [reads, writes, runs] : [writes] };
  });
  t.after(providers.close);
  for (const folder of ["during", "stays", "real"]) mkdirSync(join(cwd, folder));
  symlinkSync("real", join(cwd, "linked"));
  writeFileSync(tasks, JSON.stringify([{ goal: "top", role: "orchestrator" }]));
  const { code, stdout, stderr } = await deputy("run", tasks, "--json", "--allow", "terminal").ended;
  assert.equal(code, 0, stderr);
  const asked = JSON.stringify(providers.arrivals.map(({ request }) => request.messages));
  assert.ok(!`${asked}${stdout}${stderr}`.includes("TOP-SECRET"));
  assert.deepEqual(readdirSync(outside), ["secret.txt"]);
  assert.match(asked, /Expected the workspace .*during to be the directory .* leads to another one now/);
  for (const folder of ["stays", "real"])
    assert.equal(readFileSync(join(`${cwd}-away`, folder, "new.txt"), "utf8"), "new");
  providers.checkScripts();
});

test("one branch is stopped from another terminal: nothing of it runs on, and the others do", async (t) => {
  const { providers, cwd, tasks, deputy, mark } = await place((request) => {
    const goal = taskOf(request);
    if (goal === "low") return { toolCalls: [{ name: "terminal", input: { command: "touch started; sleep 93" } }] };
    if (goal === "lower") return { fault: { kind: "silence" } };
    return goal === "other" && stepOf(request) === 1 && !existsSync(join(cwd, "go"))
      ? { toolCalls: [{ name: "terminal", input: { command: "until test -e go; do sleep 0.05; done" } }] }
      : answer(request);
  });
  t.after(providers.close);
  writeFileSync(tasks, JSON.stringify([{ goal: "top", role: "orchestrator" }, { goal: "other" }]));
  const run = deputy("run", tasks, "--json", "--allow", "terminal", "--concurrency", "4");
  const server = providers.server("zai");
  await until(() => existsSync(join(cwd, "started")) && server.inFlight === 1);
  const [id = ""] = /[a-z0-9]{8}/.exec(run.stderr().split("run ")[1] ?? "") ?? [];
  const { code: stopped } = await deputy("stop", `${id}.1`).ended;
  assert.equal(stopped, 0);
  await until(() => server.inFlight === 0);
  await until(() => /interrupted/.test(run.stderr()) && /\[1\/2\]/.test(run.stderr()));
  assert.equal(run.isOver(), false);
  writeFileSync(join(cwd, "go"), "");
  const { code, stdout } = await run.ended;
  assert.equal(code, 1);
  const { results }: DelegationResult = JSON.parse(stdout);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["interrupted", "completed"],
  );
  assert.deepEqual(processesWith(mark), []);
});

test("grandchildren are watched, shown, steered, allowed and stopped by their own ids from other terminals", async (t) => {
  const { providers, tasks, deputy } = await place((request) => {
    const goal = taskOf(request);
    if (goal === "lower") return { fault: { kind: "silence" } };
    if (goal !== "low") return answer(request);
    if (stepOf(request) === 1) return { toolCalls: [{ name: "terminal", input: { command: "echo built" } }] };
    const told = request.messages.slice(2).flatMap(({ text, toolResults }) => [...toolResults, { text }]);
    return {
      text: told
        .map(({ text }) => text.trim())
        .filter(Boolean)
        .join(" | "),
    };
  });
  t.after(providers.close);
  const told = async (...argv: string[]) => {
    const { code, stdout, stderr } = await deputy(...argv).ended;
    return { code, stdout, stderr };
  };
  writeFileSync(tasks, JSON.stringify([{ goal: "top", role: "orchestrator" }]));
  const run = deputy("run", tasks, "--ndjson", "--wait-for-approval");
  await until(() => run.stderr().includes("asks to run"));
  const [, id = ""] = /run (\w+)/.exec(run.stderr()) ?? [];
  const [middle, low, lower] = [`${id}.1.1.2`, `${id}.1.1.2.1.1`, `${id}.1.1.2.1.2`];
  const [whole, below] = [deputy("watch", id, "--ndjson"), deputy("watch", `${middle}.1`)];

  await until(() => providers.arrivals.some(({ request }) => taskOf(request) === "lower"));
  assert.match((await told("show", low)).stdout, /not finished: waiting for approval: terminal echo built/);
  assert.match((await told("show", middle)).stdout, /delegated.*2 tasks, 0 completed · deputy show .*\.1\.1\.2\.1\n/);
  assert.match((await told("approve")).stdout, new RegExp(`\\? ${low} waits`));
  assert.match((await told("steer", low, "Be brief.")).stdout, new RegExp(`^Queued: ${low} `));
  assert.match((await told("approve", low)).stdout, new RegExp(`^Allowed: ${low}, terminal`));
  assert.equal((await told("stop", lower)).code, 0);

  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const { stdout: seen, code: seenCode } = await whole.ended;
  assert.equal(seenCode, 0);
  const facts = (lines: string) =>
    lines
      .trimEnd()
      .split("\n")
      .filter((line) => !line.startsWith('{"kind":"result"'));
  assert.deepEqual(facts(seen).toSorted(), facts(stdout).toSorted());
  const shown = JSON.parse((await told("show", `${middle}.1`, "--json")).stdout) as DelegationResult;
  assert.deepEqual(
    shown.results.map(({ status, exit_reason, summary }) => [status, exit_reason, summary.trim()]),
    [
      ["completed", "answered", "built | Be brief."],
      ["interrupted", "deputy stop", ""],
    ],
  );
  const { stdout: answers, stderr: lines, code: belowCode } = await below.ended;
  assert.deepEqual([belowCode, answers], [1, "[1›2›1/2] low\n\nbuilt | Be brief.\n"]);
  assert.match(lines, /✓ \[1›2›1\/2\] low/);
  assert.match(lines, /✗ \[1›2›2\/2\] lower .* interrupted: deputy stop/);
  assert.equal((await told("steer", low, "Hello?")).code, 1);
  providers.checkScripts();
});
