// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the config names a variable.
/**
 * Several keys of one provider, over real HTTP: the key of each request, the effect of a failed key, and the report.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { Event } from "../../src/event.ts";
import type { ErrorFault } from "../../src/testing/faults.ts";
import { createMemoryJournal, createModelServer, type Script } from "../../src/testing/index.ts";
import { worksFor } from "../fields/effects.ts";
import { impatientClock } from "../support/impatient-clock.ts";
import { endings, KEYS, type Played, play, refusal, type Scene } from "../support/whole-stage.ts";

const SECOND = { ACME_TWO: "sk-acme-two-4c1e" };
const THIRD = { ACME_THREE: "sk-acme-three-9b0d" };

/** A scene in which acme has these keys in addition to its first. */
function withKeys(keys: Record<string, string>, scene: Scene = {}): Scene {
  const api_keys = Object.keys(keys).map((name) => `\${${name}}`);
  return { ...scene, keys, env: keys, config: { ...scene.config, providers: { acme: { api_keys } } } };
}

const keysOf = ({ requests }: Played) => requests.map(({ keyName }) => keyName);
const goals = (count: number) => ({ tasks: Array.from({ length: count }, (_, index) => ({ goal: `task ${index}` })) });

/** Answers once this many requests are in flight. */
function atOnce(count: number): Script {
  const { promise: complete, resolve } = Promise.withResolvers<void>();
  let arrived = 0;
  return async () => {
    arrived += 1;
    if (arrived === count) resolve();
    await complete;
    return { text: "done" };
  };
}

/** Answers as `then` does, but fails requests with these keys. */
function failing(faults: Record<string, ErrorFault>, then: Script = () => ({ text: "done" })): Script {
  return (request) => {
    const fault = faults[request.keyName ?? ""];
    return fault === undefined ? then(request) : { fault };
  };
}

describe("several keys of a provider", () => {
  test("share the children evenly, each under way with the key that had the fewest", async () => {
    const played = await play(goals(9), withKeys({ ...SECOND, ...THIRD }, { script: atOnce(9) }));
    const carrying = (key: string) => keysOf(played).filter((name) => name === key).length;
    assert.deepEqual(["ACME_KEY", "ACME_TWO", "ACME_THREE"].map(carrying), [3, 3, 3]);
  });

  test("take turns where one request follows the other", async () => {
    const played = await play({ goal: "one" }, withKeys(SECOND, { script: worksFor(3) }));
    assert.deepEqual(keysOf(played), ["ACME_KEY", "ACME_TWO", "ACME_KEY", "ACME_TWO"]);
    const { key_name, key_names } = played.results[0]?.route ?? {};
    assert.deepEqual([key_name, key_names], ["ACME_TWO", ["ACME_KEY", "ACME_TWO"]]);
  });

  test("are one key where their values are the same", async () => {
    const acme = { api_keys: ["${ACME_KEY}", "${SAME}", KEYS.ACME_KEY] };
    const { results } = await play(goals(2), { config: { providers: { acme } }, env: { SAME: KEYS.ACME_KEY } });
    assert.deepEqual(
      results.map(({ route }) => route?.key_name),
      ["ACME_KEY", "ACME_KEY"],
    );
  });
});

test("the delegations of a process share the load of a provider's keys", async (t) => {
  const server = await createModelServer({ keys: { one: "key-number-one", two: "key-number-two" }, script: atOnce(2) });
  const env = {
    GLM_API_KEY: "key-number-one",
    ZAI_API_KEY: "key-number-two",
    GLM_BASE_URL: server.baseUrl("chat_completions"),
  };
  const library = createDeputy({ env, cwd: import.meta.dirname, journal: createMemoryJournal() });
  t.after(() => Promise.all([library.close(), server.close()]));
  await Promise.all([library.delegate({ goal: "first" }), library.delegate({ goal: "second" })]);
  assert.deepEqual(server.requests.map(({ keyName }) => keyName).sort(), ["one", "two"]);
});

const FAULTS: [status: string, fault: ErrorFault, kind: string][] = [
  ["429", { kind: "rate-limited", retryAfter: 30 }, "rate-limited"],
  ["402", { kind: "quota-exhausted", status: 402 }, "quota-exhausted"],
  ["401", { kind: "unauthorized" }, "unauthorized"],
];
for (const [status, fault, kind] of FAULTS) {
  test(`after a ${status} in the middle of a conversation another key continues at once, and the failed one cools down`, async () => {
    const { waits, clock } = impatientClock();
    const events: Event[] = [];
    const scene = {
      script: failing({ ACME_TWO: fault }, worksFor(4)),
      clock,
      watch: (event: Event) => events.push(event),
    };
    const played = await play({ goal: "one" }, withKeys({ ...SECOND }, scene));
    assert.deepEqual(endings(played), ["completed"]);
    assert.deepEqual(keysOf(played), ["ACME_KEY", "ACME_TWO", "ACME_KEY", "ACME_KEY", "ACME_KEY", "ACME_KEY"]);
    assert.deepEqual(waits, []);
    const told = events.flatMap((event) =>
      event.kind === "step-end" || event.kind === "step-fail" ? [`${event.step} ${event.kind} ${event.keyName}`] : [],
    );
    assert.deepEqual(told.slice(0, 3), ["1 step-end ACME_KEY", "2 step-fail ACME_TWO", "2 step-end ACME_KEY"]);
    assert.deepEqual(played.results[0]?.route?.attempts[0]?.failures, [kind]);
    assert.deepEqual(played.results[0]?.route?.key_names, ["ACME_KEY", "ACME_TWO"]);
  });
}

describe("where all keys fail", () => {
  test("with limits, the child waits for the key that is available first, and continues with it", async () => {
    const { waits, clock } = impatientClock();
    let requests = 0;
    const script: Script = ({ keyName }) => {
      requests += 1;
      if (requests > 2) return { text: "done" };
      return { fault: { kind: "rate-limited", retryAfter: keyName === "ACME_KEY" ? 50 : 20 } };
    };
    const played = await play({ goal: "one" }, withKeys(SECOND, { script, clock }));
    assert.deepEqual(endings(played), ["completed"]);
    assert.deepEqual(keysOf(played), ["ACME_KEY", "ACME_TWO", "ACME_TWO"]);
    assert.ok(waits.length === 1 && (waits[0] ?? 0) > 19_000 && (waits[0] ?? 0) < 23_000, String(waits));
  });

  test("one for good, the other with a limit, the child waits for the limit to end", async () => {
    const { waits, clock } = impatientClock();
    let limited = 0;
    const script: Script = ({ keyName }) => {
      if (keyName === "ACME_TWO") return { fault: { kind: "unauthorized" } };
      return ++limited === 1 ? { fault: { kind: "rate-limited", retryAfter: 20 } } : { text: "done" };
    };
    const played = await play({ goal: "one" }, withKeys(SECOND, { script, clock }));
    assert.deepEqual([endings(played), keysOf(played)], [["completed"], ["ACME_KEY", "ACME_TWO", "ACME_KEY"]]);
    assert.equal(waits.length, 1);
  });

  test("for good, each is asked once, and the child fails", async () => {
    const fault = { kind: "unauthorized" } as const;
    const script = failing({ ACME_KEY: fault, ACME_TWO: fault, ACME_THREE: fault });
    const played = await play({ goal: "one" }, withKeys({ ...SECOND, ...THIRD }, { script }));
    assert.deepEqual(endings(played), ["failed: unauthorized"]);
    assert.deepEqual(keysOf(played), ["ACME_KEY", "ACME_TWO", "ACME_THREE"]);
  });

  test("again and again, the tries of the table are what counts", async () => {
    const { waits, clock } = impatientClock();
    const fault = { kind: "rate-limited", retryAfter: 0 } as const;
    const script = failing({ ACME_KEY: fault, ACME_TWO: fault });
    const played = await play({ goal: "one" }, withKeys(SECOND, { script, clock }));
    assert.deepEqual(endings(played), ["failed: rate-limited"]);
    assert.equal(played.requests.length, 24);
    assert.ok(waits.length >= 11, String(waits));
  });
});

test("a single key is used again, however it failed before", async () => {
  const script = failing({ ACME_KEY: { kind: "unauthorized" } });
  const played = await play(goals(3), { script });
  assert.deepEqual([played.requests.length, endings(played)], [3, Array(3).fill("failed: unauthorized")]);
});

test("two providers with the same keys share no cooldowns", async () => {
  const entry = { base_url: "${ACME_URL}/v1", api_keys: ["${ACME_KEY}", "${ACME_TWO}"], default_model: "m" };
  const config = {
    providers: { one: { ...entry, headers: { "x-entry": "one" } }, two: entry },
    delegation: { max_concurrent_children: 1 },
  };
  const script: Script = ({ keyName, headers }) =>
    headers["x-entry"] === "one" && keyName === "ACME_KEY" ? { fault: { kind: "unauthorized" } } : { text: "done" };
  const tasks = ["one", "one", "two"].map((provider, index) => ({ goal: `task ${index}`, provider }));
  const played = await play({ tasks }, { config, keys: SECOND, env: SECOND, script });
  assert.deepEqual(keysOf(played), ["ACME_KEY", "ACME_TWO", "ACME_TWO", "ACME_KEY"]);
});

test("a stopped child gives its key back", async () => {
  let requests = 0;
  const script: Script = () => (++requests === 1 ? { fault: { kind: "silence" } } : { text: "done" });
  const config = { delegation: { max_concurrent_children: 1 } };
  const tasks = [{ goal: "task 0", timeout_seconds: 0.2 }, { goal: "task 1" }, { goal: "task 2" }];
  const played = await play({ tasks }, withKeys(SECOND, { script, config }));
  assert.deepEqual(keysOf(played), ["ACME_KEY", "ACME_TWO", "ACME_KEY"]);
});

test("no key is in an event, the journal, an error, the output of a tool or a command's environment", async () => {
  const events: Event[] = [];
  const keys = { ...SECOND, ...THIRD };
  const values = [KEYS.ACME_KEY, ...Object.values(keys)];
  // The model does not know the keys: the shell assembles them.
  const command = `env; echo ${values.map((key) => `${key.slice(0, 5)}""${key.slice(5)}`).join(" ")}`;
  const script: Script = ({ keyName, messages }) => {
    if (keyName === "ACME_KEY") {
      const body = JSON.stringify({ error: { message: `Incorrect API key provided: ${KEYS.ACME_KEY}.` } });
      return { fault: { kind: "response", status: 401, body } };
    }
    return messages.length === 1 ? { toolCalls: [{ name: "terminal", input: { command } }] } : { text: "done" };
  };
  const options: Scene["options"] = { permissions: [{ tool: "terminal", then: "allow" }] };
  const scene = withKeys(keys, { script, options, journal: "disk", watch: (event) => events.push(event) });
  const { files, requests, result } = await play({ goal: "one" }, scene);
  assert.equal(result.results[0]?.status, "completed");
  const told = requests.at(-1)?.messages.at(-1)?.toolResults[0]?.text ?? "";
  assert.match(told, /^HOME=/m);
  assert.doesNotMatch(told, /^ACME_(KEY|TWO|THREE)=/m);
  assert.match(told, /\[secret ACME_KEY\] \[secret ACME_TWO\] \[secret ACME_THREE\]$/);
  assert.match(JSON.stringify(events), /Incorrect API key provided: \[secret ACME_KEY\]/);
  const everything = [JSON.stringify(events), JSON.stringify(result), ...Object.values(files)].join("\n");
  assert.match(everything, /Incorrect API key provided/);
  for (const value of values) assert.ok(!everything.includes(value), value);
});

test("keys of a higher layer replace those of the lower one: they never form one pool", async () => {
  const acme = { base_url: "${ACME_URL}/v1", default_model: "m", api_keys: ["${ACME_TWO}"] };
  const played = await play(goals(2), { project: { providers: { acme } }, keys: SECOND, env: SECOND });
  assert.deepEqual(keysOf(played), ["ACME_TWO", "ACME_TWO"]);
});

test("an error in a list of keys shows none of them", async () => {
  const acme = { api_keys: "sk-written-out" };
  const { message } = await refusal({ goal: "one" }, { config: { providers: { acme } } });
  assert.match(message, /providers\.acme\.api_keys: expected a list; found a string/);
});

test("a child that went on at a keyless endpoint does not name the key of the route before", async (t) => {
  const server = await createModelServer({ script: () => ({ text: "done" }) });
  t.after(server.close);
  const config = {
    providers: {
      acme: { api_key: "${ACME_KEY}" },
      local: { base_url: server.baseUrl("chat_completions") },
    },
    delegation: { fallbacks: ["m-2 --provider local"] },
  };
  const broken = { fault: { kind: "unauthorized" } } as const;
  const { results } = await play({ goal: "one" }, { config, script: () => broken });
  assert.deepEqual([results[0]?.provider, results[0]?.route?.key_name], ["local", null]);
  assert.deepEqual(results[0]?.route?.key_names, ["ACME_KEY"]);
});
