// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * The requirements of five public proposals for per-task routing, one test per promise, observed at the providers.
 * Where they disagree, the config decides.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { delegateTaskJsonSchema, parseCall, TASK_FIELDS } from "../../src/task.ts";
import { createMemoryJournal, createModelServer, type Script } from "../../src/testing/index.ts";
import { planAll, readyOf } from "../routing/desk.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { processesWith } from "../support/end-to-end.ts";
import { command, endings, KEYS, type Played, play, refusal, requestsFor, routesIn } from "../support/whole-stage.ts";

const goals = (...tasks: object[]) => ({ tasks: tasks.map((task, index) => ({ goal: `task ${index}`, ...task })) });
const inOrder = (played: Played, count: number) =>
  Array.from({ length: count }, (_, index) => routesIn(played, `task ${index}`)).flat();

describe("an override for each task of a batch", () => {
  test("goes for that task, and its siblings stay where they are", async () => {
    const played = await play(
      goals({}, { model: "acme-9" }, { provider: "beta" }, { model: "b-7", provider: "beta" }, {}),
    );
    const routes = ["acme-1 @ acme", "acme-9 @ acme", "beta-1 @ beta", "b-7 @ beta", "acme-1 @ acme"];
    assert.deepEqual(inOrder(played, 5), routes);
  });

  test("that cannot be resolved costs the other tasks nothing", async () => {
    const played = await play(goals({}, { provider: "nowhere" }, { provider: "beta" }));
    assert.deepEqual(endings(played), ["completed", "rejected: unknown-provider", "completed"]);
    assert.deepEqual(inOrder(played, 3), ["acme-1 @ acme", "beta-1 @ beta"]);
  });

  test("that cannot be resolved runs on the delegation's default if the config allows it, with a warning", async () => {
    const config = { delegation: { on_unresolved: "fallback", model: "acme-5" } };
    const played = await play(goals({}, { provider: "nowhere", model: "x-1" }), { config });
    assert.deepEqual(inOrder(played, 2), ["acme-5 @ acme", "acme-5 @ acme"]);
    const result = played.results[1];
    assert.deepEqual([result?.route?.fallback_used, result?.route?.requested.provider], [true, "nowhere"]);
    assert.match(JSON.stringify(result?.warnings), /Runs on acme-5 @ acme instead of the requested route/);
    assert.deepEqual(played.results[0]?.warnings, []);
  });

  test("leaves the tasks without one to be planned once, together", () => {
    const config = { provider: "zai", model: "glm-5" };
    const tasks = [{ goal: "a" }, { goal: "b", model: "glm-5.1" }, { goal: "c" }, { goal: "d" }];
    const { planned } = planAll(tasks, { config, env: { GLM_API_KEY: "key-of-zai" } });
    const [a, b, c, d] = planned.map((entry) => readyOf(entry).route);
    assert.ok(a === c && c === d && b !== a);
  });
});

describe("an override for the whole call", () => {
  test("is a default for every task: the task goes before the call, that before the config, that before the parent", async () => {
    const config = { model: "of-parent-1", delegation: { model: "of-config-1" } };
    const own = await play({ ...goals({}, { model: "of-task-1" }), model: "of-call-1" }, { config });
    assert.deepEqual(inOrder(own, 2), ["of-call-1 @ acme", "of-task-1 @ acme"]);
    assert.deepEqual(routesIn(await play({ goal: "one" }, { config })), ["of-config-1 @ acme"]);
    assert.deepEqual(routesIn(await play({ goal: "one" }, { config: { model: "of-parent-1" } })), [
      "of-parent-1 @ acme",
    ]);
  });

  test("of the provider takes endpoint, key and API mode from that one and discards the old ones", async () => {
    const beta = { base_url: "${BETA_URL}", api_mode: "anthropic_messages", headers: { "x-team": "b" } };
    const acme = { headers: { "x-team": "a", "x-old": "1" } };
    const { requests } = await play({ goal: "one", provider: "beta" }, { config: { providers: { acme, beta } } });
    const [{ vendor, apiMode, headers } = assert.fail()] = requests;
    assert.deepEqual([vendor, apiMode, headers["x-api-key"]], ["beta", "anthropic_messages", KEYS.BETA_KEY]);
    assert.deepEqual([headers["x-team"], headers["x-old"], headers.authorization], ["b", undefined, undefined]);
  });

  test("of the model alone keeps the provider's bundle, and the schema documents that", async () => {
    const config = { providers: { acme: { headers: { "x-team": "a" } } } };
    const { requests } = await play({ goal: "one", model: "other-7" }, { config });
    const [{ vendor, model, headers } = assert.fail()] = requests;
    assert.deepEqual([vendor, model, headers["x-team"]], ["acme", "other-7", "a"]);
    assert.equal(headers.authorization, `Bearer ${KEYS.ACME_KEY}`);
    const schema = JSON.stringify(delegateTaskJsonSchema());
    assert.match(schema, /MODEL-ONLY: without a provider, the current provider and its credentials are kept/);
    assert.match(schema, /PROVIDER OVERRIDE: endpoint, key and API mode come from this provider/);
  });
});

describe("routing with effort", () => {
  test("the task goes before the config, that before the parent", async () => {
    const config = { reasoning_effort: "low", delegation: { reasoning_effort: "medium" } };
    const played = await play(goals({}, { reasoning_effort: "high" }), { config });
    assert.deepEqual(inOrder(played, 2), ["acme-1 @ acme · medium", "acme-1 @ acme · high"]);
    const inherited = await play(goals({}, { model: "acme-2" }), { config: { reasoning_effort: "low" } });
    assert.deepEqual(inOrder(inherited, 2), ["acme-1 @ acme · low", "acme-2 @ acme"]);
  });

  test("batch_defaults: explicit means that fields next to the tasks are no defaults, with a warning", async () => {
    const config = { delegation: { batch_defaults: "explicit" } };
    const call = { ...goals({}, { model: "x-1" }), model: "of-call-1", provider: "beta" };
    const played = await play(call, { config });
    assert.deepEqual(inOrder(played, 2), ["acme-1 @ acme", "x-1 @ acme"]);
    assert.match(JSON.stringify(played.result.warnings), /model, provider next to tasks has no effect/);
  });

  test("no field takes a key, an endpoint or a command", async () => {
    for (const field of ["api_key", "base_url", "api_key_command", "api_mode", "headers", "key"]) {
      const { message } = await refusal({ goal: "one", [field]: "http://127.0.0.1:9" } as never);
      assert.match(message, new RegExp(`Unknown field \`${field}\``));
    }
  });

  test("a failure while child 7 is built leaves the others done, no process, socket or journal row pending", async () => {
    const marker = `BUILD_${process.pid}_${Date.now()}`;
    const broken = { base_url: "${BETA_URL}/v1", api_key_command: ["/bin/sh", "-c", "sleep 0.05; exit 3"] };
    const tasks = Array.from({ length: 9 }, (_, index) => (index === 6 ? { model: "m-1", provider: "broken" } : {}));
    const events: { kind: string; childId?: string }[] = [];
    const script: Script = () => ({ text: "done", latencyMs: 40 });
    const played = await play(goals(...tasks), {
      config: { providers: { broken } },
      env: { [marker]: "x" },
      script,
      watch: (event) => events.push(event),
    });
    const ended = endings(played);
    assert.deepEqual([ended[6], new Set(ended.toSpliced(6, 1))], ["interrupted: route-gone", new Set(["completed"])]);
    assert.equal(played.requests.length, 8);
    assert.ok(played.requests.every(({ status }) => status === 200));
    const of = (kind: string) => events.filter((event) => event.kind === kind).map(({ childId }) => childId);
    assert.deepEqual(of("child-end").toSorted(), of("child-start").toSorted());
    assert.equal(of("child-end").length, 9);
    assert.equal(events.at(-1)?.kind, "delegation-end");
    assert.deepEqual(processesWith(marker), []);
  });
});

describe("parity of surfaces", () => {
  const asked = {
    goal: "carry me",
    context: "and this",
    model: "m-7",
    provider: "beta",
    reasoning_effort: "high",
    toolsets: ["search"],
    output_schema: { type: "object", properties: { lion: { type: "string" } } },
  };
  const answer: Script = () => ({ text: '{"lion":"roar"}' });
  const steady = (played: { requests: Played["requests"] }) => {
    const [{ body, path, vendor } = assert.fail("nothing arrived")] = played.requests;
    return JSON.stringify([vendor, path, body]).replaceAll(/\/[^" ]*deputy-stage-\w+/g, "HOME");
  };

  test("every way to give a task brings the same fields to the same request", async () => {
    const yaml = Object.entries(asked)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
      .join("\n");
    const files = {
      "work/t.yaml": yaml,
      "work/t.json": JSON.stringify(asked),
      "work/t.jsonl": `${JSON.stringify(asked)}\n`,
    };
    const first = steady(await play(asked as never, { script: answer }));
    assert.match(first, /carry me.*and this|and this.*carry me/);
    assert.match(first, /m-7.*high|high.*m-7/);
    const ways: [string[], string?][] = [
      [["run", "t.yaml"]],
      [["run", "t.json"]],
      [["run", "t.jsonl"]],
      [["run", "-"], JSON.stringify({ tasks: [asked] })],
      [["run", "-"], yaml],
    ];
    for (const [argv, stdin] of ways)
      assert.equal(steady(await command(argv, { files, script: answer }, stdin)), first, argv.join(" "));
    for (const tasks of [[asked], { tasks: [asked] }, { tasks: JSON.stringify([asked]) }])
      assert.equal(steady(await play(tasks as never, { script: answer })), first);
  });

  test("one schema covers all of them: unknown fields are rejected on every path, known ones on none", async () => {
    const { properties } = delegateTaskJsonSchema() as { properties: object };
    assert.deepEqual(
      new Set(Object.keys(properties)),
      new Set([...TASK_FIELDS, "tasks", ...Object.keys(properties).filter((name) => name === "background")]),
    );
    const strange = { ...asked, modle: "x" };
    const refused = /Unknown field `modle`\. Did you mean `model`\?/;
    assert.match((await refusal(strange as never)).message, refused);
    assert.match((await refusal({ tasks: [strange] } as never)).message, refused);
    const files = {
      "work/t.yaml": JSON.stringify(strange),
      "work/t.jsonl": `${JSON.stringify(strange)}\n{"goal":"x"}\n`,
    };
    for (const file of ["t.yaml", "t.jsonl"]) {
      const { code, stderr } = await command(["run", file], { files });
      assert.deepEqual([code, refused.test(stderr)], [2, true], stderr);
    }
  });
});

describe("the syntax of /model for each task", () => {
  test("takes a bare id, an alias, a tier, and an id with its provider", async () => {
    const config = {
      models: { small: "acme-small-1", large: { model: "b-9", provider: "beta", reasoning_effort: "high" } },
    };
    const played = await play(
      goals({ model: "acme-3" }, { model: "Small" }, { model: "large" }, { model: "v/x-1 --provider beta" }),
      { config },
    );
    const routes = ["acme-3 @ acme", "acme-small-1 @ acme", "b-9 @ beta · high", "v/x-1 @ beta"];
    assert.deepEqual(inOrder(played, 4), routes);
  });

  test("refuses a provider before a colon with the right form, which then works", async () => {
    const { message } = await refusal({ goal: "one", model: "beta:x-1" });
    const [, right = ""] = /Write "([^"]+)"/.exec(message) ?? [];
    assert.equal(right, "x-1 --provider beta");
    assert.deepEqual(routesIn(await play({ goal: "one", model: right })), ["x-1 @ beta"]);
    assert.match(JSON.stringify(delegateTaskJsonSchema()), /DO NOT write `provider:model`/);
    assert.deepEqual(routesIn(await play({ goal: "one", model: "x-1:free" })), ["x-1:free @ acme"]);
  });

  test("reports an unavailable route with alternatives, which work", async () => {
    const played = await play(goals({}, { model: "x-1 --provider bata" }));
    const error = played.results[1]?.error as { suggestions: string[]; message: string };
    assert.match(error.message, /found bata\. Did you mean beta\?/);
    const again = await play({ goal: "one", model: `x-1 --provider ${error.suggestions[0]}` });
    assert.deepEqual(routesIn(again), ["x-1 @ beta"]);
  });
});

describe("a delegation changes nothing but itself:", () => {
  const script: Script = ({ model }) => (model === "bad-1" ? { fault: { kind: "refused" } } : { text: "done" });
  const sibling = { goal: "the sibling", context: "as ever" };
  const scene = { config: { models: { small: "acme-small-1" } }, files: { "work/.env": "A=1\n" }, script };

  test("a sibling's requests are the same bytes next to another route, a rejected task and a failed one", async () => {
    const seen = new Set<string>();
    for (const others of [
      [],
      [{ goal: "x", model: "b-2 --provider beta --effort high" }],
      [{ goal: "x", provider: "nowhere" }],
      [{ goal: "x", model: "bad-1" }],
    ]) {
      const played = await play({ tasks: [sibling, ...others] }, { ...scene, options: {} });
      const said = requestsFor(played, sibling.goal).map(({ path, vendor, headers, body }) => {
        const { host: _, ...rest } = headers;
        return [vendor, path, rest, body];
      });
      assert.equal(said.length, 1);
      seen.add(
        JSON.stringify([said, { ...played.results[0]?.route, endpoint: "" }]).replaceAll(
          /\/[^" ]*deputy-stage-\w+/g,
          "HOME",
        ),
      );
    }
    assert.equal(seen.size, 1, [...seen].join("\n\n"));
    assert.match([...seen][0] ?? "", /as ever/);
  });

  test("the parent's route, config and its files, environments and a sibling's plan are byte for byte what they were", async (t) => {
    const server = await createModelServer({ script, keys: { ACME_KEY: KEYS.ACME_KEY } });
    const cwd = temporaryDirectory(t.after.bind(t));
    t.after(server.close);
    const base = `base_url: "${server.baseUrl("chat_completions")}", api_key: "\${ACME_KEY}", default_model: m-1`;
    const configPath = join(cwd, "config.yaml");
    writeFileSync(
      configPath,
      `provider: acme\nproviders:\n  acme: { ${base} }\n  other: { ${base} }\nmodels: { small: s-1 }\n`,
    );
    const env = Object.freeze({ PATH: process.env.PATH ?? "", HOME: cwd, ACME_KEY: KEYS.ACME_KEY });
    const { engine, loadConfig } = await openDeputy({ env, cwd, configPath, journal: createMemoryJournal() });
    t.after(engine.close);
    const parent = Object.freeze({ model: "of-session-7", effort: "low" } as const);
    const options = Object.freeze({ surface: "library", workspace: cwd, parent } as const);
    const single = parseCall(sibling, 10);
    const everything = async () =>
      JSON.stringify([
        loadConfig(),
        readFileSync(configPath, "utf8"),
        env,
        process.env,
        parent,
        options,
        single,
        await engine.plan(single, options),
      ]);
    const before = await everything();
    const others = [
      { goal: "x", model: "small --provider other --effort high" },
      { goal: "y", model: "bad-1" },
      { goal: "z", provider: "nowhere" },
    ];
    const call = parseCall({ model: "of-call-1", tasks: [sibling, ...others] }, 10);
    const asked = JSON.stringify(call);
    const { results } = await (await engine.submit(call, options)).result;
    assert.deepEqual(
      results.map(({ status }) => status),
      ["completed", "completed", "failed", "rejected"],
    );
    assert.equal(await everything(), before);
    assert.equal(JSON.stringify(call), asked);
    assert.match(before, /of-session-7 |"of-session-7"/);
  });
});
