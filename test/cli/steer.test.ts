/** `deputy steer` and `deputy approve`, typed in another process than the run's: what a person reads, and exit codes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Engine } from "../../src/engine/engine.ts";
import { createMemory } from "../../src/journal/memory.ts";
import { calls, says, tool } from "../support/child-stage.ts";
import { deputy, start } from "../support/command-line.ts";
import { createTestEngine } from "../support/engine-stage.ts";

const options = { surface: "library", workspace: "/work", answersFromElsewhere: true } as const;

/** A child that asks to run something dangerous, then says what it heard. `type` is a command of another process. */
async function stage(goals = ["Clean up."]) {
  const memory = createMemory();
  const dangerous = {
    ...tool("act", "write", () => "done"),
    subject: () => ({ target: "rm -r build\u202e\n  # \u001b[2Khello", otherwise: "ask" as const }),
  };
  const owner = createTestEngine({
    memory,
    tools: [dangerous],
    script: async ({ messages }) => {
      const said = messages.flatMap((message) => (message.role === "assistant" ? [] : [message.text]));
      return said.length > 1 ? says(said.slice(1).join(" | ")) : calls(["act", { word: "x" }]);
    },
  }).engine;
  const delegation = await owner.submit({ tasks: goals.map((goal) => ({ goal })) }, options);
  const other = (): Engine => createTestEngine({ memory, script: async () => says("") }).engine;
  while (owner.questions().length < goals.length) await new Promise((resolve) => setImmediate(resolve));
  return {
    id: delegation.id,
    owner,
    result: delegation.result,
    type: (...argv: string[]) => deputy(argv, { engine: other() }),
    start: (...argv: string[]) => start(argv, { engine: other() }),
    typeInto: (stdin: string, ...argv: string[]) => deputy(argv, { engine: other(), stdin }),
  };
}

describe("deputy steer", () => {
  test("queues a message, and with --wait says when the child has it", async () => {
    const { id, type, start: begin, result, owner } = await stage();
    const queued = await type("steer", id, "Keep the logs.");
    assert.deepEqual([queued.code, queued.stderr], [0, ""]);
    assert.equal(queued.stdout, `Queued: ${id}.1 hears it with its next request. See deputy show ${id}.1.\n`);
    const waiting = begin("steer", `${id}.1`, "Be quick.", "--wait");
    while ([...owner.events(`${id}.1`)].filter(({ kind }) => kind === "steer-request").length < 2) await turn();
    assert.equal((await type("approve", id)).code, 0);
    assert.equal(await waiting.code, 0);
    assert.equal(waiting.stdout(), `Delivered: ${id}.1 has it.\n`);
    assert.equal((await result).results[0]?.summary, "done | Keep the logs. | Be quick.");
    const shown = await type("show", `${id}.1`);
    assert.match(shown.stdout, /message +delivered, deputy steer: Keep the logs\./);
    assert.match(shown.stdout, /── message to it\nBe quick\./);
    await owner.close();
  });

  test("reads a message from standard input, and tells a program what became of it", async () => {
    const { id, type, typeInto, result, owner } = await stage();
    const { code, stdout } = await typeInto("Keep the logs.\nAll of them.\n", "steer", id, "-", "--json");
    const { state, child_id } = JSON.parse(stdout);
    assert.deepEqual([code, state, child_id], [0, "queued", `${id}.1`]);
    await type("approve", id);
    assert.equal((await result).results[0]?.summary, "done | Keep the logs.\nAll of them.");
    await owner.close();
  });

  test("says that a child missed it, or has ended before", async () => {
    const { id, type, start: begin, owner } = await stage();
    const waiting = begin("steer", id, "Too late.", "--wait");
    while ([...owner.events(`${id}.1`)].every(({ kind }) => kind !== "steer-request")) await turn();
    await type("stop", id);
    assert.equal(await waiting.code, 1);
    assert.match(waiting.stdout(), /^Missed: \w+\.1 ended first/);
    assert.match((await type("show", `${id}.1`)).stdout, /message +missed, deputy steer: Too late\./);
    const over = await type("steer", `${id}.1`, "Hello?");
    assert.equal(over.code, 1);
    assert.match(over.stderr, /\.1 has ended \(interrupted\): nobody is there to hear it/);
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
        `  deputy approve ${id}.1`,
        "",
      ],
    );
    const [document] = JSON.parse((await type("approve", "--json")).stdout);
    assert.deepEqual([document.child_id, document.tool, document.goal], [`${id}.1`, "act", "Clean up."]);
    await type("approve", id);
    await result;
    assert.equal((await type("approve")).stdout, "No child waits to be allowed anything.\n");
    await owner.close();
  });

  test("allows, and an answer that comes later is told that it does not count", async () => {
    const { id, type, owner, result } = await stage();
    const allowed = await type("approve", `${id}.1`);
    assert.deepEqual([allowed.code, allowed.stdout.split("\n")[0]], [0, `Allowed: ${id}.1, act`]);
    assert.equal((await result).results[0]?.summary, "done");
    const late = await type("approve", `${id}.1`, "--deny");
    assert.equal(late.code, 1);
    assert.match(late.stderr, /asks nothing now/);
    await owner.close();
  });

  test("denies with a reason that the child hears", async () => {
    const { id, type, owner, result } = await stage();
    const denied = await type("approve", id, "--deny", "--reason", "Ask me tomorrow.", "--json");
    assert.deepEqual([denied.code, JSON.parse(denied.stdout).counted], [0, true]);
    assert.equal((await result).results[0]?.summary, "Not allowed: Ask me tomorrow.");
    await owner.close();
  });

  test("asks which question is meant where a run has several", async () => {
    const { id, type, owner, result } = await stage(["one", "two"]);
    const unclear = await type("approve", id);
    assert.equal(unclear.code, 2);
    assert.match(unclear.stderr, /2 are open\. Say which: \w+\.1 --call \S+, \w+\.2 --call/);
    assert.equal((await type("approve", `${id}.1`)).code, 0);
    assert.equal((await type("approve", id)).code, 0);
    await result;
    await owner.close();
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
