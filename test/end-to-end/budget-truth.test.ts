/** The real program and its budgets: neither a provider's report nor a kill makes money available. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";
import { stage } from "../support/whole-stage.ts";

describe("money", { timeout: 110_000, concurrency: true }, () => {
  const USD_PER_TOKEN = 0.001;
  const MAX_OUTPUT = 4_000;
  const PRICED = {
    provider: "acme",
    providers: {
      acme: {
        models: { "acme-1": { max_output_tokens: MAX_OUTPUT, price: { input: 0, output: USD_PER_TOKEN * 1e6 } } },
      },
    },
  };

  /** The maximum that the request allows. */
  const longestAnswer = ({ body }: ModelRequest) => Number(body.max_tokens);

  test("of requests that were under way at each of three kills counts against the budget, and in the result", async () => {
    let chargedUsd = 0;
    let arrived = 0;
    let isPatient = true;
    const script: Script = async (request) => {
      arrived += 1;
      chargedUsd += (isPatient ? longestAnswer(request) : 5) * USD_PER_TOKEN;
      return isPatient ? { fault: { kind: "silence" } } : { text: "done", usage: { output: 5 } };
    };
    await stage({ script, config: PRICED }, async (place) => {
      writeFileSync(join(place.cwd, "tasks.json"), JSON.stringify({ tasks: [{ goal: "think" }], max_cost_usd: 15 }));
      let argv = ["run", "tasks.json", "--json"];
      for (let kill = 1; kill <= 3; kill++) {
        const run = launch(argv, place);
        await until(() => arrived >= kill || run.isOver());
        run.child.kill("SIGKILL");
        await run.ended;
        const [, id = ""] = /run (\w+)/.exec(run.stderr()) ?? [];
        argv = ["resume", id, "--json"];
      }
      isPatient = false;
      const result: DelegationResult = JSON.parse((await launch(argv, place).ended).stdout);
      assert.ok(chargedUsd <= 15, `charged ${chargedUsd}`);
      assert.ok((result.total_cost_usd ?? 0) >= chargedUsd, `told ${result.total_cost_usd} of ${chargedUsd}`);
      assert.equal(result.results[0]?.cost_status, "estimated");
    });
    assert.ok(arrived >= 4);
  });

  test("that a provider claims to give back is no sibling's to spend", async () => {
    let chargedUsd = 0;
    const script: Script = (request) => {
      const output = longestAnswer(request);
      chargedUsd += output * USD_PER_TOKEN;
      if (request.messages[0]?.text.includes("lie")) return { text: "ok", usage: { output: -100_000 } };
      return { toolCalls: [{ name: "list_dir", input: {} }], usage: { output } };
    };
    await stage({ script, config: PRICED }, async (place) => {
      const call = { tasks: [{ goal: "lie" }, { goal: "spend" }], max_cost_usd: 20 };
      writeFileSync(join(place.cwd, "tasks.json"), JSON.stringify(call));
      const ended = await launch(["run", "tasks.json", "--json"], place).ended;
      const { results, total_cost_usd: totalUsd } = JSON.parse(ended.stdout) as DelegationResult;
      assert.ok(chargedUsd <= 20.001, `charged ${chargedUsd} of 20`);
      assert.ok((totalUsd ?? 0) >= chargedUsd - 0.001, `told ${totalUsd} of ${chargedUsd}`);
      assert.deepEqual(
        results[0]?.warnings.map(({ code }) => code),
        ["usage-implausible"],
      );
      assert.match(ended.stderr, /reported an impossible usage/);
    });
  });
});
