/** The config's agent definitions. Each key is tested with a task that names the agent and one that does not. */
import assert from "node:assert/strict";
import type { Task } from "../../src/task.ts";
import {
  command,
  type Document,
  endings,
  type Played,
  play,
  refusal,
  requestsFor,
  routesIn,
  type Scene,
} from "../support/whole-stage.ts";
import { ACME_REFUSES, answers, COSTLY, type Effects, PRICED, worksFor } from "./effects.ts";

/** Runs a task with an agent with these keys, and one without an agent. */
function by(agent: Document, scene: Scene = {}, task: Partial<Task> = {}): Promise<Played> {
  const config = { ...scene.config, agents: { reviewer: { prompt: "Review.", ...agent } } };
  return play({ tasks: [{ goal: "one", agent: "reviewer", ...task }, { goal: "two" }] }, { ...scene, config });
}

async function routes(agent: Document, task: Partial<Task> = {}, scene: Scene = {}): Promise<string[]> {
  return routesIn(await by(agent, scene, task), "one", "two");
}

export const AGENT_EFFECTS: Effects = {
  agents: async () => {
    assert.deepEqual(endings(await by({})), ["completed", "completed"]);
    assert.match((await refusal({ goal: "one", agent: "reviewer" })).message, /found reviewer.*There are none/);
  },
  "agents.*": async () => {
    const agents = { reviewer: { prompt: "Review." }, tester: { prompt: "Test." } };
    const played = await play({ goal: "one", agent: "Tester" }, { config: { agents } });
    assert.match(played.requests[0]?.system ?? "", /Test\./);
    assert.doesNotMatch(played.requests[0]?.system ?? "", /Review\./);
  },
  "agents.*.description": async () => {
    const listed = (description?: string) => {
      const agents = { reviewer: { prompt: "Review.", ...(description && { description }) } };
      return command(["agents"], { config: { agents } });
    };
    assert.match((await listed("Looks for mistakes")).stdout, /^reviewer .*\n {2}Looks for mistakes$/m);
    assert.doesNotMatch((await listed()).stdout, /Looks for mistakes/);
  },
  "agents.*.prompt": async () => {
    const played = await by({ prompt: "Look for mistakes in sums." });
    assert.match(requestsFor(played, "one")[0]?.system ?? "", /Look for mistakes in sums\.$/);
    assert.doesNotMatch(requestsFor(played, "two")[0]?.system ?? "", /mistakes/);
  },
  "agents.*.model": async () => {
    assert.deepEqual(await routes({ model: "acme-2" }), ["acme-2 @ acme", "acme-1 @ acme"]);
    assert.deepEqual(await routes({ model: "acme-2" }, { model: "acme-3" }), ["acme-3 @ acme", "acme-1 @ acme"]);
  },
  "agents.*.model.model": async () => {
    assert.deepEqual(await routes({ model: { model: "acme-2" } }), ["acme-2 @ acme", "acme-1 @ acme"]);
  },
  "agents.*.model.provider": async () => {
    assert.deepEqual(await routes({ model: { model: "x", provider: "beta" } }), ["x @ beta", "acme-1 @ acme"]);
  },
  "agents.*.model.reasoning_effort": async () => {
    assert.deepEqual(await routes({ model: { model: "x", reasoning_effort: "low" } }), [
      "x @ acme · low",
      "acme-1 @ acme",
    ]);
  },
  "agents.*.provider": async () => {
    const played = await by({ provider: "beta" });
    assert.deepEqual(routesIn(played, "one", "two"), ["beta-1 @ beta", "acme-1 @ acme"]);
    assert.deepEqual(
      played.results.map(({ route }) => [route?.chosen_by.provider, route?.requested]),
      [
        ["agent", {}],
        ["parent", {}],
      ],
    );
  },
  "agents.*.reasoning_effort": async () => {
    assert.deepEqual(await routes({ reasoning_effort: "high" }), ["acme-1 @ acme · high", "acme-1 @ acme"]);
  },
  "agents.*.fallbacks": async () => {
    const scene = { script: ACME_REFUSES, config: { delegation: { fallbacks: ["beta-3 --provider beta"] } } };
    assert.deepEqual(await routes({ fallbacks: ["beta-2 --provider beta"] }, {}, scene), [
      ...["acme-1 @ acme", "beta-2 @ beta"],
      ...["acme-1 @ acme", "beta-3 @ beta"],
    ]);
    assert.deepEqual((await routes({ fallbacks: [] }, {}, scene)).length, 3);
  },
  "agents.*.fallbacks[].model": async () => {
    const fallbacks = [{ model: "acme-2" }];
    assert.equal((await routes({ fallbacks }, {}, { script: ACME_REFUSES }))[1], "acme-2 @ acme");
  },
  "agents.*.fallbacks[].provider": async () => {
    const fallbacks = [{ model: "x", provider: "beta" }];
    assert.equal((await routes({ fallbacks }, {}, { script: ACME_REFUSES }))[1], "x @ beta");
  },
  "agents.*.fallbacks[].reasoning_effort": async () => {
    const fallbacks = [{ model: "acme-2", reasoning_effort: "low" }];
    assert.equal((await routes({ fallbacks }, {}, { script: ACME_REFUSES }))[1], "acme-2 @ acme · low");
  },
  "agents.*.toolsets": async () => {
    const tools = async (task: Partial<Task>, delegation: Document = {}) => {
      const played = await by({ toolsets: ["search", "terminal"] }, { config: { delegation } }, task);
      const [result] = played.results;
      return [requestsFor(played, "one")[0]?.tools.map(({ name }) => name), result?.warnings.map(({ code }) => code)];
    };
    assert.deepEqual(await tools({}), [["glob", "grep", "terminal", "terminal_output", "terminal_stop"], []]);
    assert.deepEqual(await tools({ toolsets: ["file", "search"] }), [["glob", "grep"], ["toolset-withheld"]]);
    assert.deepEqual(await tools({}, { toolsets: ["file", "search"] }), [["glob", "grep"], ["toolset-withheld"]]);
  },
  "agents.*.max_iterations": async () => {
    const played = await by({ max_iterations: 1 }, { script: worksFor(3) }, { max_iterations: 5 });
    assert.deepEqual(endings(played), ["incomplete: max_iterations", "completed"]);
  },
  "agents.*.timeout_seconds": async () => {
    const script = answers({ text: "late", latencyMs: 60 });
    const played = await by({ timeout_seconds: 0.02 }, { script }, { timeout_seconds: 9 });
    assert.deepEqual(endings(played), ["timeout: timeout_seconds", "completed"]);
  },
  "agents.*.max_cost_usd": async () => {
    const scene = { config: PRICED, script: worksFor(1, COSTLY) };
    assert.deepEqual(endings(await by({ max_cost_usd: 2 }, scene)), ["incomplete: max_cost", "completed"]);
  },
};
