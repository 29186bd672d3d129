/** Trees of children with the real program: killed and resumed, stopped from another terminal. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, processesWith, stepOf, taskOf } from "../support/end-to-end.ts";

const home = temporaryDirectory(after);

/** Each orchestrator and what it delegates; leaves write a file of their name. */
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
    const [id = ""] = /[a-z0-9]{8}/.exec(first.stdout()) ?? [];
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
