// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** Variables that change Deputy's behavior, except those of keys and endpoints. */
import assert from "node:assert/strict";
import { play, routesIn } from "../support/whole-stage.ts";
import type { Effects } from "./effects.ts";

export const VARIABLE_EFFECTS: Effects = {
  DEPUTY_MODEL: async () => {
    const scene = { config: { model: "acme-2" }, env: { DEPUTY_MODEL: "acme-3" } };
    assert.deepEqual(routesIn(await play({ goal: "one" }, scene)), ["acme-3 @ acme"]);
    assert.deepEqual(routesIn(await play({ goal: "one" }, { ...scene, env: { DEPUTY_MODEL: " " } })), [
      "acme-2 @ acme",
    ]);
  },
  DEPUTY_PROVIDER: async () => {
    const env = { DEPUTY_PROVIDER: "beta" };
    assert.deepEqual(routesIn(await play({ goal: "one" }, { env })), ["beta-1 @ beta"]);
  },
  DEPUTY_REASONING_EFFORT: async () => {
    const scene = { config: { reasoning_effort: "low" }, env: { DEPUTY_REASONING_EFFORT: "HIGH" } };
    assert.deepEqual(routesIn(await play({ goal: "one" }, scene)), ["acme-1 @ acme · high"]);
  },
  DEPUTY_MAX_SPAWN_DEPTH: async () => {
    const tools = async (env: Record<string, string>) =>
      (await play({ goal: "one", role: "orchestrator" }, { env })).requests[0]?.tools.map(({ name }) => name);
    assert.ok((await tools({ DEPUTY_MAX_SPAWN_DEPTH: "2" }))?.includes("delegate_task"));
    await assert.rejects(tools({ DEPUTY_MAX_SPAWN_DEPTH: " " }), /max_spawn_depth is 1/);
    await assert.rejects(tools({ DEPUTY_MAX_SPAWN_DEPTH: "deep" }), /DEPUTY_MAX_SPAWN_DEPTH: expected a whole number/);
  },
  DEPUTY_CONFIG: async () => {
    const config = { providers: { lab: { base_url: "${BETA_URL}/v1", api_key: "${BETA_KEY}" } }, model: "x" };
    const scene = { files: { "work/other.yaml": JSON.stringify(config) }, env: { DEPUTY_CONFIG: "other.yaml" } };
    assert.deepEqual(routesIn(await play({ goal: "one" }, scene)), ["x @ beta"]);
  },
  DEPUTY_STATE_DIR: async () => {
    const journals = async (env: Record<string, string>) =>
      Object.keys((await play({ goal: "one" }, { env, journal: "disk" })).files).filter((path) =>
        path.endsWith("journal.sqlite"),
      );
    assert.deepEqual(await journals({}), ["state/journal.sqlite"]);
    assert.deepEqual(await journals({ DEPUTY_STATE_DIR: "" }), [".local/state/deputy/journal.sqlite"]);
  },
};
