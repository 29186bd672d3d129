/** Commands of `hooks:`: what they receive, when they run, and that they change nothing in a run. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { ModelCall } from "../../../src/child/wire/request/request.ts";
import { createMemory, createMemoryJournal } from "../../../src/journal/memory.ts";
import { ACME_REFUSES, delegates, runs } from "../../fields/effects.ts";
import { fails, says } from "../../support/child-stage.ts";
import { createTestEngine, type ModelScript } from "../../support/engine-stage.ts";
import { command, type Document, endings, KEYS, play, type Scene } from "../../support/whole-stage.ts";

/** Appends its standard input to `seen` in the directory where it runs. */
const COLLECT = "cat >> seen";
const ALL = ["delegation-start", "child-start", "child-end", "delegation-end"];

type Input = { delegation_id: string; child_id?: string; surface: string; event: { kind: string; at: number } };

function inputsIn(text = ""): Input[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

const kindsIn = (text: string | undefined) => inputsIn(text).map(({ event }) => event.kind);

async function seenBy(hooks: Document[], scene: Scene = {}, call: Parameters<typeof play>[0] = { goal: "one" }) {
  const played = await play(call, { ...scene, config: { ...scene.config, hooks } });
  return { ...played, seen: played.files["work/seen"] };
}

describe("a hook", () => {
  test("gets each of its events once, in order, with run, child and surface, in the run's directory", async () => {
    const { seen, result } = await seenBy([{ on: ALL, command: COLLECT }]);
    const inputs = inputsIn(seen);
    assert.deepEqual(kindsIn(seen), ALL);
    assert.deepEqual([...new Set(inputs.map(({ delegation_id: id }) => id))], [result.delegation_id]);
    assert.deepEqual(
      inputs.map(({ child_id: id }) => id),
      [undefined, `${result.delegation_id}.1`, `${result.delegation_id}.1`, undefined],
    );
    assert.deepEqual([...new Set(inputs.map(({ surface }) => surface))], ["library"]);
    assert.ok(inputs.every(({ event }) => event.at > 0));
  });

  test("gets events of delegations below the run, too", async () => {
    const config = { delegation: { max_spawn_depth: 2 } };
    const script = delegates({ goal: "inner" });
    const { seen, result } = await seenBy(
      [{ on: "child-end", command: COLLECT }],
      { config, script },
      {
        goal: "outer",
        role: "orchestrator",
      },
    );
    const id = result.delegation_id;
    assert.deepEqual(
      inputsIn(seen).map(({ child_id: child }) => child),
      [`${id}.1.1.1`, `${id}.1`],
    );
  });

  test("runs for the statuses that it names, and for no other", async () => {
    const call = { tasks: [{ goal: "one" }, { goal: "two", model: "beta-1", provider: "beta" }] };
    const hooks = [{ on: "child-end", status: ["failed", "timeout"], command: COLLECT }];
    const { seen, result } = await seenBy(hooks, { script: ACME_REFUSES }, call);
    assert.deepEqual(
      inputsIn(seen).map(({ child_id: id }) => id),
      [`${result.delegation_id}.1`],
    );
  });

  test("has no key in its environment, and the user's other variables", async () => {
    const env = { PLAIN: "plain-value", MY_TOKEN: "token-5512" };
    const { seen } = await seenBy([{ on: "child-end", command: "cat > /dev/null; env > seen" }], { env });
    assert.match(seen ?? "", /^PLAIN=plain-value$/m);
    for (const secret of [...Object.values(KEYS), env.MY_TOKEN]) assert.doesNotMatch(seen ?? "", new RegExp(secret));
  });

  test("that reads nothing, fails, hangs or floods leaves the result as it is", async () => {
    for (const line of ["true", "exit 7", "sleep 30", "yes", "kill -9 $$", "no-such-program"]) {
      const hooks = [{ on: ["child-start", "child-end"], command: line, timeout_seconds: 0.2 }];
      assert.deepEqual(endings(await seenBy(hooks, { options: {} })), ["completed"], line);
    }
  });

  test("is run at an approval request before its decision", async () => {
    const asked = Promise.withResolvers<void>();
    const asker = async () => {
      await asked.promise;
      return { allowed: false, reason: "no" };
    };
    const hooks = [{ on: ["approval-ask", "approval-end"], command: COLLECT }];
    const watch: Scene["watch"] = ({ kind }) => kind === "approval-ask" && asked.resolve();
    const { seen } = await seenBy(hooks, { script: runs("touch ran"), options: { asker }, watch });
    assert.deepEqual(kindsIn(seen), ["approval-ask", "approval-end"]);
  });
});

describe("a hook that fails", () => {
  const failing = (line: string): Scene => ({
    config: { hooks: [{ on: ["child-start", "child-end"], command: line }] },
  });

  test("is one warning, with the end of its output, and the exit code is the run's", async () => {
    const { code, stderr, stdout } = await command(["run", "--goal", "one"], failing("echo one; echo two >&2; exit 3"));
    assert.equal(code, 0);
    assert.match(stdout, /^done$/m);
    assert.doesNotMatch(stdout, /hook|two/);
    assert.deepEqual(stderr.match(/^! The hook.*$/gm), [
      "! The hook `echo one; echo two >&2; exit 3` ended with exit code 3: two, at child-start. Its further failures are not shown.",
    ]);
  });

  test("sends no escape sequence to the terminal, and shows no key", async () => {
    const { stderr } = await command(
      ["run", "--goal", "one"],
      failing(`printf '\\033[2J%s\\n' ${KEYS.ACME_KEY}; exit 1`),
    );
    assert.equal(stderr.includes("\u001b[2J") || stderr.includes(KEYS.ACME_KEY), false);
    assert.match(stderr, /^! The hook/m);
  });

  test("has a twin that succeeds without a word", async () => {
    const { stderr } = await command(["run", "--goal", "one"], failing("echo noise"));
    assert.doesNotMatch(stderr, /hook|noise/);
  });
});

describe("a project's config", () => {
  const hooks = [{ on: "child-end", command: "touch ran" }];

  test("cannot add a hook, a command or a webhook until it is trusted", async () => {
    for (const document of [
      { hooks },
      { notify: { command: "touch ran" } },
      { notify: { webhook: { url: "http://127.0.0.1:9/" } } },
    ]) {
      const files = { "work/.deputy/config.yaml": JSON.stringify(document) };
      const { code, stderr, files: left } = await command(["run", "--goal", "one"], { files });
      assert.equal(code, 2);
      assert.match(stderr, /not trusted/);
      assert.equal("work/ran" in left, false);
    }
  });

  test("can once the user has read and trusted it", async () => {
    const { files } = await command(["run", "--goal", "one"], { project: { hooks } });
    assert.ok("work/ran" in files);
  });
});

describe("an event", () => {
  const config = { hooks: [{ on: ALL, command: COLLECT }] };
  const goalIn = ([first]: ModelCall["messages"]) => (first?.role === "user" ? first.text : "");

  /** A workspace, and the events in it that reached a hook: `child-end run.1`. */
  function place(t: TestContext) {
    const workspace = mkdtempSync(join(tmpdir(), "deputy-hooks-"));
    t.after(() => rmSync(workspace, { recursive: true, force: true, maxRetries: 5 }));
    const seen = () =>
      inputsIn(readFileSync(join(workspace, "seen"), "utf8")).map(({ event: { kind }, delegation_id, child_id }) =>
        [kind, child_id ?? delegation_id].join(" "),
      );
    return { seen, options: { surface: "library", workspace } as const };
  }

  test("runs its hook once, though its run is killed and resumed", async (t) => {
    const { seen, options } = place(t);
    const memory = createMemory();
    const script: ModelScript = async ({ messages }) =>
      goalIn(messages) === "slow" ? new Promise(() => {}) : says("done");
    const first = createTestEngine({ script, memory, config });
    const fastEnded = Promise.withResolvers<void>();
    const { id, follow } = await first.engine.submit({ tasks: [{ goal: "fast" }, { goal: "slow" }] }, options);
    void follow(({ event }) => event.kind === "child-end" && fastEnded.resolve()).catch(() => {});
    await fastEnded.promise;
    await first.engine.hooksSettled();
    first.die();

    const second = createTestEngine({ script: async () => says("done"), memory, config });
    await (await second.engine.resume(id, {})).result;
    await second.engine.hooksSettled();
    const children = [1, 2].flatMap((number) => [`child-end ${id}.${number}`, `child-start ${id}.${number}`]);
    assert.deepEqual(seen().sort(), [...children, `delegation-end ${id}`, `delegation-start ${id}`].sort());
  });

  test("runs its hook once, though another process begins the run", async (t) => {
    const { seen, options } = place(t);
    const memory = createMemory();
    const script: ModelScript = async () => says("done");
    const asking = createTestEngine({ script, memory, config });
    const id = await asking.engine.enqueue({ tasks: [{ goal: "one" }] }, options);
    await asking.engine.hooksSettled();
    const working = createTestEngine({ script, memory, config });
    await (await working.engine.resume(id, {})).result;
    await working.engine.hooksSettled();
    assert.deepEqual(seen(), [
      `delegation-start ${id}`,
      `child-start ${id}.1`,
      `child-end ${id}.1`,
      `delegation-end ${id}`,
    ]);
  });

  const forever: ModelScript = () => new Promise(() => {});

  /** A run whose process has died while its children worked. */
  async function abandoned(options: ReturnType<typeof place>["options"], goals: string[], server?: string) {
    const memory = createMemory();
    const first = createTestEngine({ script: forever, memory, config });
    const started = Promise.withResolvers<void>();
    let count = 0;
    const more = server === undefined ? {} : { server };
    const call = { tasks: goals.map((goal) => ({ goal })) };
    const { id, follow } = await first.engine.submit(call, { ...options, ...more });
    void follow(({ event }) => {
      if (event.kind === "step-start" && ++count === goals.length) started.resolve();
    }).catch(() => {});
    await started.promise;
    await first.engine.hooksSettled();
    return { id, memory, first };
  }

  for (const [what, target, ends] of [
    ["a run", "", ["child-end ID.1", "child-end ID.2", "delegation-end ID"]],
    ["one child", ".1", ["child-end ID.1"]],
  ] as const)
    test(`that another process records when it stops ${what} whose process has died runs its hook once`, async (t) => {
      const { seen, options } = place(t);
      const { id, memory, first } = await abandoned(options, ["one", "two"]);
      first.die();
      const before = seen().length;
      const stopping = () => createTestEngine({ script: forever, memory, config }).engine;
      for (const engine of [stopping(), stopping()]) {
        await engine.stop(`${id}${target}`, "test");
        await engine.hooksSettled();
      }
      assert.deepEqual(
        seen().slice(before),
        ends.map((line) => line.replace("ID", id)),
      );
    });

  test("that another process records runs the hooks of its own config, and none without one", async (t) => {
    const { seen, options } = place(t);
    const { id, memory, first } = await abandoned(options, ["one"]);
    first.die();
    const before = seen();
    const { engine } = createTestEngine({ script: forever, memory });
    await engine.stop(id, "test");
    await engine.hooksSettled();
    assert.deepEqual(seen(), before);
  });

  test("that a server records for a run whose every child was to stop runs its hook once", async (t) => {
    const { seen, options } = place(t);
    const { id, memory, first } = await abandoned(options, ["one"], "serve");
    first.die();
    await createMemoryJournal({ memory }).append([
      { kind: "stop-request", at: 1, delegationId: id, by: "test", target: `${id}.1` },
    ]);
    const before = seen().length;
    for (let restart = 0; restart < 2; restart += 1) {
      const server = createTestEngine({ script: forever, memory, config }).engine;
      await server.resumeAfterCrash(await server.run(id), "serve", {});
      await server.hooksSettled();
    }
    assert.deepEqual(seen().slice(before), [`child-end ${id}.1`, `delegation-end ${id}`]);
  });

  test("that a server records for what a user stopped before it crashed runs its hook once", async (t) => {
    const { seen, options } = place(t);
    const { id, memory, first } = await abandoned(options, ["one", "two"], "serve");
    first.die();
    await createMemoryJournal({ memory }).append([
      { kind: "stop-request", at: Date.now(), delegationId: id, by: "test", target: `${id}.1` },
    ]);
    const before = seen().length;
    const server = createTestEngine({ script: async () => says("done"), memory, config }).engine;
    const { result } = await server.resumeAfterCrash(await server.run(id), "serve", {});
    await result;
    await server.hooksSettled();
    assert.deepEqual(seen().slice(before), [`child-end ${id}.1`, `child-end ${id}.2`, `delegation-end ${id}`]);
  });

  test("of a result that a retry carries over runs no hook again", async (t) => {
    const { seen, options } = place(t);
    const script: ModelScript = async ({ messages }) => (goalIn(messages) === "fail" ? fails("refused") : says("done"));
    const { engine } = createTestEngine({ script, config });
    const { id, result } = await engine.submit({ tasks: [{ goal: "good" }, { goal: "fail" }] }, options);
    await result;
    const again = await engine.retry(id, options);
    await again.result;
    await engine.hooksSettled();
    const ofRetry = seen().filter((line) => line.includes(again.id));
    assert.deepEqual(ofRetry, [
      `delegation-start ${again.id}`,
      `child-start ${again.id}.2`,
      `child-end ${again.id}.2`,
      `delegation-end ${again.id}`,
    ]);
  });
});
