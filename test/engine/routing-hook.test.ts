// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * The routing hook of a program, through `createDeputy` and over real HTTP: its input, and the effect of its decision.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { RouteHook } from "../../src/routing/resolve/hook.ts";
import type { CallInput } from "../../src/task.ts";
import { createMemoryJournal, createModelServer } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";

const goals = (...tasks: object[]) => ({ tasks: tasks.map((task, index) => ({ goal: `task ${index}`, ...task })) });

describe("a program's routing hook", () => {
  const hooked = async (t: TestContext, route: RouteHook, call: CallInput) => {
    const server = await createModelServer({ script: () => ({ text: "done" }), keys: { K: "sk-hook-5d1f2c9a" } });
    const cwd = temporaryDirectory(t.after.bind(t));
    t.after(server.close);
    const base = `base_url: "${server.baseUrl("chat_completions")}", api_key: "\${K}"`;
    const configPath = join(cwd, "config.yaml");
    writeFileSync(
      configPath,
      `provider: acme\nproviders:\n  acme: { ${base}, models: { a-1: {}, a-2: {} }, default_model: a-1 }\n`,
    );
    const env = { PATH: process.env.PATH ?? "", HOME: cwd, K: "sk-hook-5d1f2c9a" };
    const deputy = createDeputy({ env, cwd, configPath, route, journal: createMemoryJournal() });
    t.after(deputy.close);
    const { results } = await deputy.delegate(call);
    return { results, requests: server.requests };
  };

  test("gets the task and its candidates without keys, and its choice is recorded as its own", async (t) => {
    const seen: unknown[] = [];
    const route: RouteHook = (task, candidates) => {
      seen.push(task, candidates);
      return task.goal === "hard" ? { model: "a-2", effort: "high" } : undefined;
    };
    const { results, requests } = await hooked(
      t,
      route,
      goals({ goal: "hard" }, { goal: "easy" }, { goal: "hard", model: "a-9" }),
    );
    assert.deepEqual(requests.map(({ model, effort }) => `${model} ${effort}`).toSorted(), [
      "a-1 undefined",
      "a-2 high",
      "a-9 high",
    ]);
    const chosen = results.map(({ route: told }) => `${told?.chosen_by.model} ${told?.chosen_by.reasoning_effort}`);
    assert.deepEqual(chosen, ["hook hook", "default null", "task hook"]);
    assert.match(inspect(seen, { depth: 9 }), /a-1.*a-2/s);
    assert.doesNotMatch(inspect(seen, { depth: 9, showHidden: true }) + JSON.stringify(seen), /sk-hook|127\.0\.0\.1/);
  });

  test("that throws, or answers with nonsense, is the problem of that task alone", async (t) => {
    const route: RouteHook = ({ goal }) => {
      if (goal === "throws") throw new Error("out of order");
      return goal === "nonsense" ? ({ modle: "a-2" } as never) : undefined;
    };
    const { results } = await hooked(t, route, goals({ goal: "throws" }, {}, { goal: "nonsense" }));
    assert.deepEqual(
      results.map(({ exit_reason: reason }) => reason),
      ["hook-failed", "answered", "hook-failed"],
    );
    assert.match(results[0]?.error?.message ?? "", /did not choose: it threw: out of order/);
    assert.match(results[2]?.error?.message ?? "", /expected \{ model, provider, effort \} or undefined.*modle/);
  });
});
