// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** The config's settings for providers and their models. */
import assert from "node:assert/strict";
import { API_MODES } from "../../src/route.ts";
import { impatientClock } from "../support/impatient-clock.ts";
import { dataUrl, TINY_PNG } from "../support/tiny-images.ts";
import {
  type Document,
  endings,
  KEYS,
  type Played,
  play,
  refusal,
  routesIn,
  type Scene,
} from "../support/whole-stage.ts";
import { answers, type Effects } from "./effects.ts";

/** Runs one task under a config with these settings for acme. */
function withAcme(acme: Document, scene: Scene = {}, task: object = {}): Promise<Played> {
  return play({ goal: "one", ...task }, { ...scene, config: { providers: { acme } } });
}

/** The same, for acme-1. */
function withModel(facts: Document, scene?: Scene, task?: object): Promise<Played> {
  return withAcme({ models: { "acme-1": facts } }, scene, task);
}

/** The cost of a thousand tokens of each kind at a price, in USD: half of the input comes from the cache. */
async function costAt(price: Document): Promise<number | null | undefined> {
  const usage = { input: 2_000, cached: 1_000, output: 1_000 };
  const { results } = await withModel({ price }, { script: answers({ text: "done", usage }) });
  return results[0]?.cost_usd;
}

export const PROVIDER_EFFECTS: Effects = {
  providers: async () => {
    const lab = { base_url: "${BETA_URL}/v1", api_key: "${BETA_KEY}" };
    const call = { goal: "one", provider: "lab", model: "x" };
    assert.deepEqual(routesIn(await play(call, { config: { providers: { lab } } })), ["x @ beta"]);
    // A project adds to the user's own.
    assert.deepEqual(routesIn(await play(call, { project: { providers: { lab } } })), ["x @ beta"]);
    assert.match((await refusal(call)).message, /found lab/);
  },

  "providers.*": async () => {
    const zai = { base_url: "${BETA_URL}/v1", api_key: "${BETA_KEY}" };
    const played = await play({ goal: "one", provider: "glm" }, { config: { providers: { zai } } });
    assert.deepEqual(routesIn(played), ["glm-5.3 @ beta"]);
    assert.equal(played.results[0]?.provider, "zai");
    assert.match((await refusal({ goal: "one", provider: "zai" })).message, /No key for zai.*providers\.zai\.api_key/);
  },

  "providers.*.base_url": async () => {
    const moved = await withAcme({ base_url: "${BETA_URL}/v1", api_key: "${BETA_KEY}" });
    assert.deepEqual(routesIn(moved), ["acme-1 @ beta"]);
    assert.deepEqual(routesIn(await withAcme({})), ["acme-1 @ acme"]);
    const config = { providers: { acme: { base_url: undefined } } };
    assert.match((await refusal({ goal: "one" }, { config })).message, /expected providers\.acme\.base_url/);
  },

  "providers.*.api_mode": async () => {
    const paths = { chat_completions: "/v1", responses: "/v1", anthropic_messages: "", gemini: "/v1beta" };
    for (const mode of API_MODES) {
      const { requests, results } = await withAcme({ base_url: `\${ACME_URL}${paths[mode]}`, api_mode: mode });
      assert.deepEqual([requests[0]?.apiMode, results[0]?.summary], [mode, "done"]);
    }
    assert.equal((await withAcme({ api_mode: "codex_responses" })).requests[0]?.apiMode, "responses");
    assert.equal((await withAcme({})).requests[0]?.apiMode, "chat_completions");
  },

  "providers.*.api_key": async () => {
    const named = await withAcme({ api_key: "${OTHER}" }, { env: { OTHER: KEYS.ACME_KEY, ACME_KEY: "" } });
    assert.deepEqual(endings(named), ["completed"]);
    assert.equal(named.results[0]?.route?.key_name, "OTHER");
    const written = await withAcme({ api_key: KEYS.ACME_KEY });
    assert.equal(written.results[0]?.route?.key_name, "providers.acme.api_key");
    assert.equal(written.requests[0]?.keyName, "ACME_KEY");
    assert.deepEqual(endings(await withAcme({ api_key: undefined })), ["failed: unauthorized"]);
  },

  "providers.*.api_key_env": async () => {
    const acme = { api_key: undefined, api_key_env: "OTHER" };
    const played = await withAcme(acme, { env: { OTHER: KEYS.ACME_KEY } });
    assert.equal(played.requests[0]?.keyName, "ACME_KEY");
    assert.equal(played.results[0]?.route?.key_name, "OTHER");
  },

  "providers.*.api_keys": async () => {
    const tasks = ["one", "two"].map((goal) => ({ goal }));
    const keys = { ACME_TWO: "sk-acme-two-77" };
    const acme = { api_key: undefined, api_keys: ["${ACME_TWO}", KEYS.ACME_KEY] };
    const { requests, results } = await play({ tasks }, { keys, env: keys, config: { providers: { acme } } });
    assert.deepEqual(requests.map(({ keyName }) => keyName).sort(), ["ACME_KEY", "ACME_TWO"]);
    const names = results.map(({ route }) => route?.key_name);
    assert.deepEqual(names, ["ACME_TWO", "providers.acme.api_keys[1]"]);
  },

  "providers.*.api_key_command": async () => {
    for (const api_key_command of ["echo $PRINTED; echo more", ["printenv", "PRINTED"]]) {
      const played = await withAcme({ api_key: undefined, api_key_command }, { env: { PRINTED: KEYS.ACME_KEY } });
      assert.deepEqual(endings(played), ["completed"]);
      assert.equal(played.results[0]?.route?.key_name, "providers.acme.api_key_command");
    }
  },

  "providers.*.default_model": async () => {
    assert.deepEqual(routesIn(await withAcme({ default_model: "acme-9" })), ["acme-9 @ acme"]);
    const config = { providers: { acme: { default_model: undefined } } };
    assert.match((await refusal({ goal: "one" }, { config })).message, /set providers\.acme\.default_model/);
  },

  "providers.*.headers": async () => {
    const { requests } = await withAcme({ headers: { "X-Team": "ants", "x-plan": "b" } });
    assert.deepEqual([requests[0]?.headers["x-team"], requests[0]?.headers["x-plan"]], ["ants", "b"]);
    const call = { tasks: [{ goal: "one", provider: "beta" }] };
    const others = await play(call, { config: { providers: { acme: { headers: { "x-team": "ants" } } } } });
    assert.equal(others.requests[0]?.headers["x-team"], undefined);
  },
  "providers.*.headers.*": async () => {
    const headers = { "x-team": "team ${TEAM}" };
    const { requests } = await withAcme({ headers }, { env: { TEAM: "ants" } });
    assert.equal(requests[0]?.headers["x-team"], "team ants");
    const config = { providers: { acme: { headers } } };
    assert.match((await refusal({ goal: "one" }, { config })).message, /headers\.x-team names TEAM: not set/);
  },

  "providers.*.max_concurrent": async () => {
    const tasks = ["acme", "beta"].flatMap((provider) =>
      Array.from({ length: 4 }, (_, index) => ({ goal: `task ${index}`, provider })),
    );
    const config = { providers: { acme: { max_concurrent: 1 } } };
    const { most } = await play({ tasks }, { config, script: answers({ text: "done", latencyMs: 20 }) });
    assert.equal(most.acme, 1);
    assert.ok(most.beta > 1);
  },

  "providers.*.requests_per_minute": async () => {
    const five = { tasks: ["one", "two", "three", "four", "five"].map((goal) => ({ goal })) };
    const waited = async (acme: Document) => {
      const { waits, clock } = impatientClock();
      assert.equal((await play(five, { config: { providers: { acme } }, clock })).requests.length, 5);
      return waits.length;
    };
    assert.equal(await waited({ requests_per_minute: 2 }), 2);
    assert.equal(await waited({}), 0);
  },

  "providers.*.tokens_per_minute": async () => {
    const three = { tasks: ["one", "two", "three"].map((goal) => ({ goal })) };
    const waited = async (acme: Document) => {
      const { waits, clock } = impatientClock();
      assert.equal((await play(three, { config: { providers: { acme } }, clock })).requests.length, 3);
      return waits.length;
    };
    assert.equal(await waited({ tokens_per_minute: 1_000 }), 2);
    assert.equal(await waited({ tokens_per_minute: 1_000_000 }), 0);
  },

  "providers.*.models": async () => {
    // A family means the newest listed model of it.
    const task = { model: "haiku" };
    assert.deepEqual(routesIn(await withAcme({ models: { "claude-haiku-9": {} } }, {}, task)), [
      "claude-haiku-9 @ acme",
    ]);
    assert.match((await refusal({ goal: "one", ...task })).message, /Expected a model of the haiku family/);
  },
  "providers.*.models.*": async () => {
    const scene = { models: { small: "acme-mini" } };
    const call = { goal: "one", model: "smal" };
    const listed = { ...scene, providers: { acme: { models: { smal: {} } } } };
    assert.deepEqual(routesIn(await play(call, { config: listed })), ["smal @ acme"]);
    assert.match((await refusal(call, { config: scene })).message, /Did you mean small/);
  },

  "providers.*.models.*.context_window": async () => {
    const task = { goal: "word ".repeat(800), toolsets: [] };
    const error = await refusal(task, {
      config: { providers: { acme: { models: { "acme-1": { context_window: 999 } } } } },
    });
    assert.match(error.message, /at most 999 tokens.*found about 1,0/);
    assert.deepEqual(endings(await withModel({ context_window: 1_200 }, {}, task)), ["completed"]);
    assert.deepEqual(endings(await withModel({}, {}, task)), ["completed"]);
  },

  "providers.*.models.*.max_output_tokens": async () => {
    assert.equal((await withModel({ max_output_tokens: 1234 })).requests[0]?.maxTokens, 1234);
    assert.equal((await withModel({})).requests[0]?.maxTokens, undefined);
  },

  "providers.*.models.*.price": async () => {
    const [known] = (await withModel({ price: { input: 0, output: 0 } })).results;
    assert.deepEqual([known?.cost_usd, known?.cost_status], [0, "known"]);
    const [unknown] = (await withModel({})).results;
    assert.deepEqual([unknown?.cost_usd, unknown?.cost_status], [null, "unknown"]);
  },
  "providers.*.models.*.price.input": async () => {
    assert.equal(await costAt({ input: 3_000, output: 0 }), 6);
  },
  "providers.*.models.*.price.output": async () => {
    assert.equal(await costAt({ input: 0, output: 5_000 }), 5);
  },
  "providers.*.models.*.price.cached_input": async () => {
    assert.equal(await costAt({ input: 3_000, cached_input: 1_000, output: 0 }), 4);
  },

  "providers.*.models.*.reasoning_efforts": async () => {
    const facts = { reasoning_efforts: ["low"] };
    assert.deepEqual(routesIn(await withModel(facts, {}, { reasoning_effort: "low" })), ["acme-1 @ acme · low"]);
    const config = { providers: { acme: { models: { "acme-1": facts } } } };
    const error = await refusal({ goal: "one", reasoning_effort: "high" }, { config });
    assert.match(error.message, /acme-1 @ acme accepts low; found high/);
    assert.deepEqual(routesIn(await withModel({}, {}, { reasoning_effort: "high" })), ["acme-1 @ acme · high"]);
  },

  "providers.*.models.*.vision": async () => {
    const task = { images: [dataUrl(TINY_PNG)] };
    const codes = ({ results }: Played) => results[0]?.warnings.map(({ code }) => code);
    assert.deepEqual(codes(await withModel({ vision: true }, {}, task)), []);
    assert.deepEqual(codes(await withModel({}, {}, task)), ["vision-unknown"]);
    const models = { "acme-1": { vision: false }, "acme-2": { vision: true } };
    const error = await refusal({ goal: "one", ...task }, { config: { providers: { acme: { models } } } });
    assert.match(error.message, /found acme-1 @ acme, which does not\. These do: acme-2\./);
  },

  "providers.*.models.*.tools": async () => {
    const toolsIn = ({ requests }: Played) => requests[0]?.tools.length ?? 0;
    assert.ok(toolsIn(await withModel({ tools: true })) > 0);
    const without = await withModel({ tools: false });
    assert.deepEqual([toolsIn(without), endings(without)], [0, ["completed"]]);
    assert.match(without.results[0]?.warnings.map(({ message }) => message).join() ?? "", /acme-1 .*cannot call tools/);
    const config = { providers: { acme: { models: { "acme-1": { tools: false } } } } };
    assert.match((await refusal({ goal: "one", toolsets: ["file"] }, { config })).message, /found acme-1 @ acme/);
  },
};
