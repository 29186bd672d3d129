/** `deputy steer` and `deputy approve` from another process than the run's: their output and exit codes. */
import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type CommandContext, runSlashCommand } from "../../../src/cli/chat/slash-commands.ts";
import { systemClock } from "../../../src/clock.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import { createMemory } from "../../../src/journal/memory.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { calls, says, tool } from "../../support/child-stage.ts";
import { deputy, start, temporaryDirectory, until } from "../../support/command-line.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

const options = { surface: "library", workspace: "/work", answersFromElsewhere: true } as const;

const DANGEROUS = "rm -r build\u202e\n  # \u001b[2Khello";

/**
 * A child that asks to run something dangerous, then reports the decision. `type` is a command of another process.
 * @param targets what it asks to run, one after another
 */
async function stage(goals = ["Clean up."], targets = [DANGEROUS]) {
  const memory = createMemory();
  const state = temporaryDirectory(after);
  const env = { DEPUTY_STATE_DIR: state };
  const dangerous = {
    ...tool("act", "write", () => "done"),
    subject: (input: unknown) => {
      const target = targets[Number((input as { word: string }).word)] ?? DANGEROUS;
      return { target, otherwise: "ask" as const };
    },
  };
  const owner = createTestEngine({
    memory,
    tools: [dangerous],
    script: async ({ messages }) => {
      const said = messages.flatMap((message) => (message.role === "assistant" ? [] : [message.text]));
      const asked = messages.filter(({ role }) => role === "tool").length;
      return asked < targets.length ? calls(["act", { word: `${asked}` }]) : says(said.slice(1).join(" | "));
    },
  }).engine;
  const delegation = await owner.submit({ tasks: goals.map((goal) => ({ goal })) }, options);
  const other = (): Engine => createTestEngine({ memory, script: async () => says("") }).engine;
  while ((await owner.questions()).length < goals.length) await new Promise((resolve) => setImmediate(resolve));
  return {
    id: delegation.id,
    owner,
    result: delegation.result,
    state,
    type: (...argv: string[]) => deputy(argv, { engine: other(), env }),
    start: (...argv: string[]) => start(argv, { engine: other(), env }),
    typeInto: (stdin: string, ...argv: string[]) => deputy(argv, { engine: other(), env, stdin }),
    /** A command at a terminal, on a clock controlled by the test. */
    atTerminal: (...argv: string[]) => {
      const clock = createFakeClock(Date.now());
      return { ...start(argv, { engine: other(), env, terminal: true, clock }), clock };
    },
    /** A line typed into a chat. */
    slash: (line: string) => {
      const io = { env, clock: systemClock, stdout: { write() {} } };
      const context = { deputy: { engine: other() }, io, paint: (_style: unknown, text: string) => text };
      return runSlashCommand(line, context as unknown as CommandContext);
    },
    /** Waits until the child has a different request. */
    next: async (before: string) => {
      while ((await owner.questions()).every(({ request }) => request === before)) await turn();
    },
  };
}

/** Number of messages sent to the first child. */
async function steerRequests(engine: Engine, id: string): Promise<number> {
  const events = await Array.fromAsync(engine.events(`${id}.1`));
  return events.filter(({ kind }) => kind === "steer-request").length;
}

/** The code of the first waiting child's request. */
async function openRequest(engine: Engine): Promise<string | undefined> {
  const [question] = await engine.questions();
  return question?.request;
}

describe("deputy steer", () => {
  test("queues a message, and with --wait reports its delivery", async () => {
    const { id, type, start: begin, result, owner } = await stage();
    const queued = await type("steer", id, "Keep the logs.");
    assert.deepEqual([queued.code, queued.stderr], [0, ""]);
    assert.equal(
      queued.stdout,
      `Queued: ${id}.1 receives the message with its next request. See deputy show ${id}.1.\n`,
    );
    const waiting = begin("steer", `${id}.1`, "Be quick.", "--wait");
    while ((await steerRequests(owner, id)) < 2) await turn();
    assert.equal((await type("approve", id)).code, 0);
    assert.equal(await waiting.code, 0);
    assert.equal(waiting.stdout(), `Delivered: ${id}.1 has received the message.\n`);
    assert.equal((await result).results[0]?.summary, "done | Keep the logs. | Be quick.");
    const shown = await type("show", `${id}.1`);
    assert.match(shown.stdout, /message +delivered, deputy steer: Keep the logs\./);
    assert.match(shown.stdout, /── message to it\nBe quick\./);
    await owner.close();
  });

  test("reads a message from standard input, and reports its outcome to a program", async () => {
    const { id, type, typeInto, result, owner } = await stage();
    const { code, stdout } = await typeInto("Keep the logs.\nAll of them.\n", "steer", id, "-", "--json");
    const { state, child_id } = JSON.parse(stdout);
    assert.deepEqual([code, state, child_id], [0, "queued", `${id}.1`]);
    await type("approve", id);
    assert.equal((await result).results[0]?.summary, "done | Keep the logs.\nAll of them.");
    await owner.close();
  });

  test("reports that a stopped child receives it after a resume, and that a child has ended", async () => {
    const { id, type, start: begin, owner } = await stage();
    const waiting = begin("steer", id, "Too late.", "--wait");
    while ((await steerRequests(owner, id)) < 1) await turn();
    assert.match(
      (await type("stop", id)).stdout,
      /\n! Not delivered yet: “Too late\.” deputy resume \w+ delivers it\.\n$/,
    );
    assert.equal(await waiting.code, 0);
    assert.match(waiting.stdout(), /^Queued: \w+\.1 receives the message after deputy resume/);
    assert.match((await type("show", `${id}.1`)).stdout, /message +queued, deputy steer: Too late\./);
    const over = await type("steer", `${id}.1`, "Hello?");
    assert.equal(over.code, 1);
    assert.match(over.stderr, /\.1 has ended \(interrupted\) and cannot receive messages/);
    await owner.close();
  });
});

describe("deputy approve", () => {
  test("lists what waits, exactly as it would run, with all that could hide spelled out", async () => {
    const { id, type, owner, result } = await stage();
    const { code, stdout } = await type("approve");
    assert.equal(code, 0);
    const [head, goal, ...rest] = stdout.split("\n");
    assert.match(head ?? "", new RegExp(`^\\? ${id}\\.1 waits \\d+\\.\\ds, (4m 59s|5m 00s) left$`));
    assert.deepEqual(
      [goal, ...rest],
      [
        "  Clean up.",
        "  asks to run act:",
        "  │ rm -r build\\u{202e}",
        "  │   # \\x1b[2Khello",
        "  in /work",
        `  deputy approve ${id}.1 --request ${await openRequest(owner)}`,
        "",
      ],
    );
    const [document] = JSON.parse((await type("approve", "--json")).stdout);
    const { child_id, tool, goal: asked, directory, request } = document;
    assert.deepEqual([child_id, tool, asked, directory], [`${id}.1`, "act", "Clean up.", "/work"]);
    assert.equal(request, await openRequest(owner));
    await type("approve", id);
    await result;
    assert.equal((await type("approve")).stdout, "No approval requests are pending.\n");
    await owner.close();
  });

  test("allows, and a later answer is rejected with a message", async () => {
    const { id, type, owner, result } = await stage();
    const allowed = await type("approve", `${id}.1`);
    assert.deepEqual([allowed.code, allowed.stdout.split("\n")[0]], [0, `Allowed: ${id}.1, act`]);
    assert.equal((await result).results[0]?.summary, "done");
    const late = await type("approve", `${id}.1`, "--deny");
    assert.equal(late.code, 1);
    assert.match(late.stderr, /has no pending approval request/);
    await owner.close();
  });

  test("denies with a reason that the child gets", async () => {
    const { id, type, owner, result } = await stage();
    const denied = await type("approve", id, "--deny", "--reason", "Ask me tomorrow.", "--json");
    assert.deepEqual([denied.code, JSON.parse(denied.stdout).counted], [0, true]);
    assert.equal((await result).results[0]?.summary, "Not allowed: Ask me tomorrow.");
    await owner.close();
  });

  test("requires an id if a run has several requests", async () => {
    const { id, type, owner, result } = await stage(["one", "two"]);
    const unclear = await type("approve", id);
    assert.equal(unclear.code, 2);
    assert.match(unclear.stderr, /2 are open\. Choose one: \w+\.1 --call \S+, \w+\.2 --call/);
    assert.equal((await type("approve", `${id}.1`)).code, 0);
    assert.equal((await type("approve", id)).code, 0);
    await result;
    await owner.close();
  });
});

describe("deputy approve ID", () => {
  const TWO = ["ls", "rm -rf /"];

  test("answers what was listed, and nothing that has taken its place", async () => {
    const { id, type, owner, result, next, state } = await stage(["Clean up."], TWO);
    const listed = await type("approve");
    const [, code = ""] = /--request (\w+)/.exec(listed.stdout) ?? [];
    assert.match((await type("approve", `${id}.1`)).stdout, /^Allowed: .*\n {2}│ ls\n$/);
    await next(code);
    const refused = await type("approve", `${id}.1`);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /asks to run act:\n {2}│ rm -rf \/\n {2}in \/work\n/);
    assert.match(refused.stderr, /Nothing was decided: \w+\.1 has a different request now/);
    assert.equal((await owner.questions()).length, 1);
    assert.equal(statSync(join(state, "shown-requests.json")).mode & 0o777, 0o600);
    assert.match((await type("approve", id, "--deny")).stdout, /^Denied: .*\n {2}│ rm -rf \/\n$/);
    assert.match((await result).results[0]?.summary ?? "", /done \| Not allowed/);
    await owner.close();
  });

  for (const flags of [[], ["--deny"], ["--json"]])
    test(`rejects a request that replaced the listed one, however it is answered: ${flags.join(" ") || "allow"}`, async () => {
      const { id, type, owner, next } = await stage(["Clean up."], TWO);
      await type("approve", "--json");
      const [first] = await owner.questions();
      await owner.answer({ id, allowed: true, reason: "elsewhere", by: "test" });
      await next(first?.request ?? "");
      for (const target of [id, `${id}.1`]) {
        const { code, stdout } = await type("approve", target, ...flags);
        assert.equal(code, target === id ? 1 : 0);
        if (flags.includes("--json") && code === 1) {
          const { counted, pending } = JSON.parse(stdout);
          assert.deepEqual([counted, pending.target, pending.directory], [false, "rm -rf /", "/work"]);
        }
      }
      await owner.close();
    });

  test("with --request answers exactly that one, listed or not; any other stays open", async () => {
    const { id, type, owner, result, next } = await stage(["Clean up."], TWO);
    const request = (await openRequest(owner)) ?? "";
    for (const wrong of ["0".repeat(12), request.slice(0, 8), "", "--deny"]) {
      const refused = await type("approve", id, `--request=${wrong}`);
      assert.notEqual(refused.code, 0, wrong);
      assert.equal(await openRequest(owner), request);
    }
    assert.match((await type("approve", id, "--request", request)).stdout, /^Allowed: .*\n {2}│ ls\n$/);
    await next(request);
    const late = await type("approve", id, "--request", request);
    assert.equal(late.code, 1);
    assert.match(late.stderr, /is not open; \w+ has a different request now\. Nothing was decided/);
    await type("approve", id, "--deny");
    await result;
    await owner.close();
  });

  test("--all in a script answers exactly what was listed; what was requested since stays open", async () => {
    const { id, type, owner, next } = await stage(["One.", "Two."], TWO);
    const unlisted = await type("approve", "--all");
    assert.equal(unlisted.code, 1, "nobody has listed anything");
    assert.match(unlisted.stderr, /2 requests not decided\. .* listed above, run the same command again\.\n$/);
    assert.equal((await owner.questions()).length, 2);
    const [first] = await owner.questions();
    await owner.answer({ id: first?.childId ?? "", allowed: true, reason: "elsewhere", by: "test" });
    await next(first?.request ?? "");
    while ((await owner.questions()).length < 2) await turn();
    const { code, stdout, stderr } = await type("approve", "--all");
    assert.equal(code, 1);
    assert.match(stdout, /^Allowed: \w+\.2, act\n {2}│ ls\n$/);
    assert.match(stderr, /│ rm -rf \/\n[\s\S]*1 request not decided\. .* run the same command again\.\n$/);
    await type("stop", id);
    await owner.close();
  });

  test("--all at a terminal shows what is pending, and a yes answers exactly that", async () => {
    const { id, atTerminal, owner, type } = await stage(["One.", "Two."], TWO);
    const asked = await owner.questions();
    const { code, stderr, stdin, stdout, clock } = atTerminal("approve", "--all");
    stdin.write("y\n");
    await until(() => /Allow 2 requests\?/.test(stderr() + stdout()));
    const [first] = asked;
    await owner.answer({ id: first?.childId ?? "", allowed: true, reason: "elsewhere", by: "test" });
    await until(async () => (await owner.questions()).some(({ target }) => target === "rm -rf /"));
    await clock.advance(1_000);
    stdin.write("y\n");
    assert.equal(await code, 1);
    assert.match(stdout(), /Allowed: \w+\.2, act\n {2}│ ls\n/);
    assert.ok((await owner.questions()).some(({ target }) => target === "rm -rf /"));
    await type("stop", id);
    await owner.close();
  });

  test("--all --deny denies everything that is pending, and an id beside --all is a mistake", async () => {
    const { id, type, owner, result } = await stage(["One.", "Two."]);
    assert.equal((await type("approve", id, "--all")).code, 2);
    const { code, stdout } = await type("approve", "--all", "--deny", "--reason", "not today");
    assert.deepEqual([code, stdout.match(/^Denied: /gm)?.length], [0, 2]);
    assert.match((await result).results[0]?.summary ?? "", /not today/);
    await owner.close();
  });

  test("in a script prints an unlisted request, and answers that one", async () => {
    const { id, type, owner, result, next } = await stage(["Clean up."], TWO);
    for (const target of TWO) {
      const [waiting] = await owner.questions();
      const { code, stdout, stderr } = await type("approve", id);
      assert.deepEqual([code, stdout.split("\n")[1]], [0, `  │ ${target}`]);
      assert.match(stderr, /asks to run act:\n {2}│ .*\n {2}in \/work\n/);
      if (target !== TWO.at(-1)) await next(waiting?.request ?? "");
    }
    assert.equal((await result).results[0]?.summary, "done | done");
    await owner.close();
  });

  test("at a terminal asks before it allows an unlisted request, and ignores text typed ahead", async () => {
    const { id, atTerminal, owner, result } = await stage(["Clean up."], ["ls"]);
    for (const [answer, code] of [
      ["n\r", 1],
      ["\r", 1],
      ["y\r", 0],
    ] as const) {
      const { stdin, stderr, clock, code: ended } = atTerminal("approve", id);
      stdin.write("y\ry\r");
      await until(() => stderr().includes("Allow it? [y/N]"));
      await clock.advance(300);
      assert.equal((await owner.questions()).length, 1);
      stdin.write(answer);
      assert.equal(await ended, code);
    }
    assert.equal((await result).results[0]?.summary, "done");
    await owner.close();
  });

  test("at a terminal allows without a question what was listed, and with --yes anything", async () => {
    const { id, type, atTerminal, owner, result, next } = await stage(["Clean up."], TWO);
    const [first] = await owner.questions();
    assert.equal(await atTerminal("approve", id, "--yes").code, 0);
    await next(first?.request ?? "");
    await type("approve");
    assert.equal(await atTerminal("approve", id).code, 0);
    assert.equal((await result).results[0]?.summary, "done | done");
    await owner.close();
  });

  test("records the surface and the user, and show prints both", async () => {
    const { id, type, owner, result } = await stage(["Clean up."], ["ls"]);
    await type("approve", id, "--reason", "go ahead");
    await result;
    const { stdout } = await type("show", `${id}.1`);
    assert.ok(stdout.includes(`── allowed by deputy approve (${userInfo().username})\ngo ahead`), stdout);
    assert.match(stdout, /── asks to run act in \/work\nls/);
    await owner.close();
  });

  test("remembers what it has listed of a child when that has expired, and another request has its place", async () => {
    const { id, type, owner, result, next, state } = await stage(["Clean up."], TWO);
    await type("approve");
    const [first] = await owner.questions();
    const { until = 0 } = JSON.parse(readFileSync(join(state, "shown-requests.json"), "utf8"))[first?.request ?? ""];
    assert.ok(first !== undefined && until > (first.answerBy ?? 0) + 60_000);
    await owner.answer({ id, request: first.request, allowed: false, reason: "as if its time was over", by: "test" });
    await next(first.request);
    const { code, stderr } = await type("approve", id);
    assert.equal(code, 1);
    assert.match(stderr, /has a different request now/);
    await owner.close();
    await result.catch(() => {});
  });

  test("forgets what was listed long ago: then nothing was listed", async () => {
    const { id, type, owner, result, state } = await stage(["Clean up."], ["ls"]);
    await type("approve");
    const path = join(state, "shown-requests.json");
    const old = { "0123456789ab": { childId: `${id}.1`, until: Date.now() - 1 } };
    writeFileSync(path, JSON.stringify(old));
    assert.equal((await type("approve", id)).code, 0);
    await result;
    for (const text of ["no JSON", "[]", '{"a": 1}', "null"]) {
      writeFileSync(path, text);
      assert.equal((await type("approve")).code, 0, text);
    }
    await owner.close();
  });
});

test("/approve in a chat shows an unlisted request, and answers it when it is repeated, or by its code", async () => {
  const { id, slash, owner, result, next } = await stage(["Clean up."], ["ls", "make", "rm -rf /"]);
  const isOpen = async (target: string) => (await owner.questions())[0]?.target === target;
  assert.match(await slash(`/approve ${id}`), /│ ls\n {2}in \/work\n[\s\S]*Nothing was decided/);
  assert.ok(await isOpen("ls"));
  const first = (await openRequest(owner)) ?? "";
  assert.match(await slash(`/approve ${id}`), /^Allowed/);
  await next(first);
  assert.match(await slash(`/approve ${id}.1 --deny too loud`), /│ make\n[\s\S]*Nothing was decided/);
  assert.ok(await isOpen("make"));
  const second = (await openRequest(owner)) ?? "";
  assert.match(await slash(`/approve ${id} --request ${second} --deny too loud`), /^Denied/);
  await next(second);
  await assert.rejects(slash(`/approve ${id} --request ${second}`), /is not open/);
  assert.match(await slash("/approve"), /│ rm -rf \/\n {2}in \/work\n/);
  assert.match(await slash(`/approve ${id} --deny`), /^Denied/);
  assert.match((await result).results[0]?.summary ?? "", /^done \| Not allowed: too loud \| Not allowed: denied with/);
  await owner.close();
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
