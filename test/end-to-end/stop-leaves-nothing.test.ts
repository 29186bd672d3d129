/**
 * After a stop, nothing of the stopped child runs: no request, no timer, no process, whatever the child was waiting
 * for.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Clock, systemClock } from "../../src/clock.ts";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, processesWith, taskOf } from "../support/end-to-end.ts";

/** Leaves a background grandchild that would leave a trace later, and one that ignores TERM. */
const COMMAND = "trap '' TERM; (sleep 2; touch late) & timeout 90 sleep 91 & touch started; sleep 92";

/** A model for each state that a child may be in. */
const TURNS: Record<string, Turn> = {
  "run a command": { toolCalls: [{ name: "terminal", input: { command: COMMAND } }] },
  "wait for a model": { fault: { kind: "silence" } },
  "hear an answer": { text: "Well, let me think about that.", deltas: 4, fault: { kind: "silence", afterDeltas: 3 } },
  "wait before it tries again": { fault: { kind: "rate-limited", retryAfter: 50 } },
  "ask a person": { toolCalls: [{ name: "terminal", input: { command: "ls" } }] },
  "wait for its turn": { fault: { kind: "silence" } }, // Arrives when the first child is stopped.
  "wait behind it": { text: "Never asked." },
};
const TASKS = Object.keys(TURNS);
/** A separate provider, because a provider that failed backs off for all children. */
const LIMITED = "wait before it tries again";
const ELSEWHERE = { provider: "openrouter", model: "stepfun/step-3.5-flash" };

/** The real clock, which counts how many wait on it. */
function countingClock(): Clock & { waiting(): number } {
  const waiting = new Set<symbol>();
  const enter = () => {
    const id = Symbol();
    waiting.add(id);
    return () => void waiting.delete(id);
  };
  return {
    ...systemClock,
    sleep: (ms, signal) => systemClock.sleep(ms, signal).finally(enter()),
    after(ms, callback) {
      const leave = enter();
      const cancel = systemClock.after(ms, () => {
        leave();
        callback();
      });
      return () => {
        leave();
        cancel();
      };
    },
    waiting: () => waiting.size,
  };
}

/** The resources that keep this process alive, by kind. */
function handles(): Record<string, number> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(process.getActiveResourcesInfo(), (name) => name)).map(([name, all = []]) => [
      name,
      all.length,
    ]),
  );
}

test("one child is stopped, then all; nothing of them stays", { timeout: 110_000 }, async (t) => {
  const home = temporaryDirectory(after);
  const cwd = mkdtempSync(join(home, "work-"));
  const answer = (request: ModelRequest) => TURNS[taskOf(request)] ?? { text: "?" };
  const providers = await createProviders(["zai", "openrouter"], answer);
  t.after(providers.close);
  const server = providers.server("zai");
  const before = handles();
  const mark = `DEPUTY_TEST_MARK=${cwd}`;
  const clock = countingClock();
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    DEPUTY_STATE_DIR: join(cwd, "state"),
    DEPUTY_TEST_MARK: cwd,
    ...providers.env,
  };
  const deputy = createDeputy({ env, cwd, clock, parent: { provider: "zai" } });
  t.after(() => deputy.close());
  const { id, result } = await deputy.start(
    { tasks: TASKS.map((goal) => ({ goal, ...(goal === LIMITED && ELSEWHERE) })) },
    {
      concurrency: TASKS.length - 3, // The child that waits to retry releases its slot.
      answersFromElsewhere: true,
      permissions: [
        { tool: "terminal", match: "ls", then: "ask" },
        { tool: "terminal", then: "allow" },
      ],
    },
  );
  await until(() => existsSync(join(cwd, "started")) && server.inFlight === 2);
  const busy = async () => (await deputy.run(id)).run.children.map(({ activity }) => activity);
  await eventually(async () => (await busy()).some((activity) => activity.startsWith("waiting for approval")));
  await eventually(async () => providers.server("openrouter").requests.length === 1);
  assert.ok(processesWith(mark).length > 0);

  await deputy.stop(`${id}.1`);
  await eventually(async () => (await deputy.run(id)).run.children[0]?.tally.ending !== undefined);
  assert.deepEqual(processesWith(mark), [], "a process outlived its child");
  await until(() => server.inFlight === 3); // Two siblings that continue, and the next one.

  await deputy.stop(id);
  const { results } = await result;
  assert.deepEqual(
    results.map(({ status }) => status),
    TASKS.map(() => "interrupted"),
  );
  await until(() => server.inFlight === 0);
  assert.equal(clock.waiting(), 0, "a timer outlived the run");
  assert.deepEqual(await deputy.questions(), []);
  await deputy.close();
  await until(() => JSON.stringify(handles()) === JSON.stringify(before));
  await new Promise((resolve) => setTimeout(resolve, 2_100)); // The time that the grandchild would have taken.
  assert.ok(!existsSync(join(cwd, "late")), "a grandchild went on");
  assert.equal(providers.arrivals.length, TASKS.length - 1, "a request left after the stop");
});

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await condition()); ) {
    assert.ok(Date.now() < deadline, `waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
