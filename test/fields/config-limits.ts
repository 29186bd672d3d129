/** The config's settings for running children: limits, money, and checks of their answers. */
import assert from "node:assert/strict";
import type { CallInput } from "../../src/task.ts";
import type { Script } from "../../src/testing/index.ts";
import { impatientClock } from "../support/impatient-clock.ts";
import { type Document, endings, type Played, play, refusal, type Scene } from "../support/whole-stage.ts";
import { answers, COSTLY, delegates, type Effects, PRICED, worksFor } from "./effects.ts";

/** Runs one task under `delegation:`. */
function under(delegation: Document, scene: Scene = {}, task: object = {}): Promise<Played> {
  return play({ goal: "one", ...task }, { ...scene, config: { ...scene.config, delegation } });
}

const FOUR = { tasks: ["one", "two", "three", "four"].map((goal) => ({ goal })) };

export const LIMIT_EFFECTS: Effects = {
  "delegation.max_concurrent_children": async () => {
    const script = answers({ text: "done", latencyMs: 20 });
    const one = await play(FOUR, { config: { delegation: { max_concurrent_children: 1 } }, script });
    assert.equal(one.most.acme, 1);
    assert.ok((await play(FOUR, { script })).most.acme > 1);
  },

  "delegation.max_spawn_depth": async () => {
    const tasks = { tasks: [{ goal: "two", role: "orchestrator" }, { goal: "three" }] };
    const ends = async (max_spawn_depth: number) => {
      const config = { delegation: { max_spawn_depth } };
      const call = { tasks: [{ goal: "one", role: "orchestrator" as const }, { goal: "other" }] };
      const played = await play(call, { config, script: delegates(tasks) });
      return [...endings(played), played.requests.length];
    };
    assert.deepEqual(await ends(1), ["rejected: role-unavailable", "completed", 1]);
    // The nested task that may not be an orchestrator is rejected; its sibling `three` runs.
    assert.deepEqual(await ends(2), ["completed", "completed", 4]);
    const asked: CallInput = { goal: "one" };
    const byModel = { askedBy: "model" as const };
    const refused = await refusal(asked, { config: { delegation: { max_spawn_depth: 0 } }, options: byModel });
    assert.match(refused.message, /max_spawn_depth is 0, so that no model may delegate/);
    assert.deepEqual(endings(await play(asked, { options: byModel })), ["completed"]);
  },

  "delegation.max_summary_chars": async () => {
    const script: Script = (request) =>
      request.tools.some(({ name }) => name === "delegate_task")
        ? delegates({ goal: "two" })(request)
        : { text: "x".repeat(9_000) };
    const told = async (delegation: Document) =>
      (await under({ max_spawn_depth: 2, ...delegation }, { script }, { role: "orchestrator" })).results[0]?.summary;
    assert.match((await told({ max_summary_chars: 3_000 })) ?? "", /x{3000}\n\[Cut: 3000 of 9000 characters/);
    assert.match((await told({})) ?? "", /x{9000}/);
  },

  "delegation.max_tasks_per_call": async () => {
    const error = await refusal(FOUR, { config: { delegation: { max_tasks_per_call: 3 } } });
    assert.match(error.message, /at most 3 tasks in one call; found 4/);
    assert.equal((await play(FOUR)).results.length, 4);
  },

  "delegation.max_iterations": async () => {
    const script = worksFor(3);
    const limited = await under({ max_iterations: 2 }, { script }, { max_iterations: 9 });
    assert.deepEqual([endings(limited), limited.requests.length], [["incomplete: max_iterations"], 3]);
    assert.deepEqual(endings(await under({}, { script }, { max_iterations: 9 })), ["completed"]);
  },

  "delegation.child_timeout_seconds": async () => {
    const script = answers({ text: "late", latencyMs: 60 });
    const task = { timeout_seconds: 9 };
    const limited = await under({ child_timeout_seconds: 0.02 }, { script }, task);
    assert.deepEqual(endings(limited), ["timeout: timeout_seconds"]);
    assert.deepEqual(endings(await under({ child_timeout_seconds: 0 }, { script }, task)), ["completed"]);
  },

  "delegation.stall_seconds": async () => {
    const script = answers({ text: "late", fault: { kind: "silence", ms: 60 } });
    const [stalled] = (await under({ stall_seconds: 0.02 }, { script })).results;
    assert.deepEqual([stalled?.status, stalled?.exit_reason], ["failed", "stalled"]);
    for (const delegation of [{}, { stall_seconds: 0 }])
      assert.deepEqual(endings(await under(delegation, { script })), ["completed"]);
  },

  "delegation.max_cost_usd": async () => {
    const scene = (delegation: Document) => ({
      config: { ...PRICED, delegation: { max_concurrent_children: 1, ...delegation } },
      script: answers(COSTLY),
    });
    const call = { tasks: [{ goal: "one" }, { goal: "two" }], max_cost_usd: 100 };
    const limited = await play(call, scene({ max_cost_usd: 2 }));
    assert.deepEqual(endings(limited), ["completed", "incomplete: max_cost"]);
    assert.deepEqual(endings(await play(call, scene({}))), ["completed", "completed"]);
  },

  "delegation.allow_unknown_price": async () => {
    const task = { goal: "one", max_cost_usd: 1 };
    const allowed = await under({ allow_unknown_price: true }, {}, task);
    assert.deepEqual([endings(allowed), allowed.results[0]?.cost_status], [["completed"], "unknown"]);
    for (const delegation of [{}, { allow_unknown_price: false }])
      assert.match((await refusal(task, { config: { delegation } })).message, /Expected a known price/);
  },

  "delegation.on_served_mismatch": async () => {
    const script = answers({ text: "done", servedModel: "other-1" });
    const failed = await under({ on_served_mismatch: "fail" }, { script });
    assert.deepEqual([endings(failed), failed.results[0]?.warnings], [["failed: served-mismatch"], []]);
    for (const delegation of [{}, { on_served_mismatch: "warn" }]) {
      const warned = await under(delegation, { script });
      assert.deepEqual(endings(warned), ["completed"]);
      assert.deepEqual(
        warned.results[0]?.warnings.map(({ code }) => code),
        ["served-mismatch"],
      );
    }
  },

  "delegation.on_quota": async () => {
    const usedUp = () => {
      let requests = 0;
      const resetsAt = new Date(Date.now() + 3_600_000);
      const script: Script = () =>
        ++requests === 1 ? { fault: { kind: "quota-exhausted", resetsAt } } : { text: "done" };
      return { script, ...impatientClock() };
    };
    const patient = usedUp();
    assert.deepEqual(endings(await under({ on_quota: "pause" }, patient)), ["completed"]);
    assert.ok(patient.waits.reduce((sum, ms) => sum + ms, 0) > 3_590_000, String(patient.waits));
    for (const delegation of [{}, { on_quota: "fail" }])
      assert.deepEqual(endings(await under(delegation, usedUp())), ["failed: quota-exhausted"]);
  },
};
