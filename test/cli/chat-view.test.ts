/** The output of a chat, event by event, on a terminal of a known size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createChatView } from "../../src/cli/chat/chat-view.ts";
import type { Event } from "../../src/event.ts";
import { foldRun, type Run } from "../../src/run/run.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import { ready } from "../support/child-stage.ts";
import { createFakeTerminal } from "../support/fake-terminal.ts";
import { assertScreen, SIZES } from "../support/golden-screen.ts";

const plain = (_style: unknown, text: string) => text;

function stage(size: { columns: number; rows: number }, styled = false, rich = true) {
  const clock = createFakeClock();
  const terminal = createFakeTerminal(size.columns, size.rows);
  let typed = "";
  const view = createChatView({
    output: terminal,
    paint: plain,
    clock,
    rich,
    styled,
    verbose: false,
    asksHere: true,
    typed: () => typed,
  });
  view.beginTurn(undefined);
  let run: Run | undefined;
  const onEvent = (event: Event) => {
    run = foldRun(run, event);
    view.onEvent(event, run);
  };
  const start = (delegationId: string, goals: string[]) => {
    const tasks = goals.map((goal) => ({ goal }));
    const planned = tasks.map((task) => ready({ task }));
    const depth = delegationId.includes(".") ? 1 : 0;
    onEvent({
      kind: "delegation-start",
      at: clock.now(),
      delegationId,
      call: { tasks },
      planned,
      surface: depth === 0 ? "chat" : "child",
      warnings: [],
      depth,
    });
  };
  const tell = (delegationId: string, child: number, facts: object) =>
    onEvent({ at: clock.now(), delegationId, childId: `${delegationId}.${child}`, ...facts } as Event);
  const end = (delegationId: string) => onEvent({ kind: "delegation-end", at: clock.now(), delegationId });
  return { clock, terminal, view, start, tell, end, type: (text: string) => (typed = text) };
}

test("two hundred children on twenty-four rows: as many as fit, the totals, and what is being typed", async () => {
  const { clock, terminal, view, start, tell, end, type } = stage({ columns: 80, rows: 24 });
  start("abc", ["do it"]);
  tell("abc", 1, { kind: "text-delta", text: "I delegate all of them, and while they work " });
  start(
    "abc.1.1",
    Array.from({ length: 200 }, (_, index) => `Task ${index + 1} of many`),
  );
  for (let child = 1; child <= 120; child++)
    tell("abc.1.1", child, { kind: "child-start", taskIndex: child - 1, prompt: { system: "", user: "" } });
  type("what I type");
  await clock.advance(1_000);
  const screen = terminal.text().split("\n");
  assert.equal(screen.at(-1), "> what I type");
  assert.match(screen.at(-2) ?? "", /^0 of 200 done · 120 running · 80 waiting/);
  for (let child = 1; child <= 200; child++) {
    tell("abc.1.1", child, { kind: "child-end", ending: { status: "completed", text: "" }, durationMs: 1 });
    if (child % 20 === 0) await clock.advance(200);
  }
  end("abc.1.1");
  view.endTurn();
  assert.ok(terminal.highestJump() < 24, `drew over ${terminal.highestJump()} rows`);
  const done = terminal.text().match(/✓ \[ *\d+\/200\] Task \d+ of many/g) ?? [];
  assert.equal(done.length, 200);
  assert.ok(!terminal.text().includes("what I type"), "what was typed is the editor's again");
});

test("an answer's text appears whole above the moving part, however narrow it is", async () => {
  const { clock, terminal, view, start, tell } = stage({ columns: 30, rows: 10 });
  const answer = "The quick brown fox jumps over the lazy dog and goes on to other things.\n\n- one\n- two";
  start("abc", ["do it"]);
  for (const piece of answer.match(/[\s\S]{1,7}/g) ?? []) {
    tell("abc", 1, { kind: "text-delta", text: piece });
    await clock.advance(150);
  }
  view.endTurn();
  assert.equal(
    terminal.text(),
    "The quick brown fox jumps\nover the lazy dog and goes on\nto other things.\n\n- one\n- two",
  );
});

test("without cursor movement, the lines of siblings wait until a question is answered", () => {
  const { terminal, view, start, tell } = stage({ columns: 80, rows: 24 }, false, false);
  start("chat", ["hello"]);
  start("chat.1.1", ["a lion", "a falcon"]);
  const before = terminal.text();
  view.pause();
  tell("chat.1.1", 1, { kind: "child-end", ending: { status: "completed", text: "Roar." }, durationMs: 100 });
  assert.equal(terminal.text(), before);
  view.resume();
  assert.match(terminal.text().slice(before.length), /^\n?✓ \[1\/2\] a lion .*$/);
});

test("a child's question, a retry and a failed tool call are shown; a delegation's own lines show the rest", async () => {
  const { clock, terminal, view, start, tell } = stage({ columns: 100, rows: 24 });
  start("abc", ["do it"]);
  tell("abc", 1, { kind: "attempt-start", position: 0, provider: "zai", model: "glm-4.7" });
  const failure = { kind: "overloaded", message: "zai is overloaded" };
  const about = { step: 1, failure, recovery: { action: "retry", delayMs: 500 }, partialText: "", charged: false };
  tell("abc", 1, { kind: "step-fail", ...about, durationMs: 1 });
  const call = { callId: "c", target: "notes.md", filesChanged: [], durationMs: 40 };
  tell("abc", 1, { kind: "tool-end", ...call, name: "read_file", text: "text", ok: true, outcome: "ran" });
  tell("abc", 1, { kind: "tool-end", ...call, name: "write_file", text: "No such folder.", ok: false, outcome: "ran" });
  tell("abc", 1, { kind: "tool-end", ...call, name: "delegate_task", text: "…", ok: true, outcome: "ran" });
  await clock.advance(200);
  view.endTurn();
  assert.deepEqual(terminal.text().split("\n"), [
    "! overloaded, trying again: zai is overloaded",
    "· read_file notes.md (0.0s)",
    "✗ write_file notes.md No such folder.",
  ]);
});

const ANSWER = `I found **three places** that read the configuration, and the first of them is read twice at every start:

| file | reads | why it matters when the program starts |
|---|:-:|---|
| \`src/config/load.ts\` | 2 | the second read only checks whether the file has changed since the first one |
| \`src/config/trust.ts\` | 1 | trust is stored by path |

## What I would change

1. Read it once, and pass the text on:
   \`\`\`ts
   const text = readConfig(place); // once
   \`\`\`
2. Keep [the cache](https://example.com/cache).

`;

for (const size of SIZES)
  test(`an answer, and the delegation that follows it, on ${size.columns} columns`, async () => {
    const { clock, terminal, view, start, tell, end, type } = stage(size, true);
    start("abc", ["look at the configuration"]);
    for (const piece of ANSWER.match(/[\s\S]{1,40}/g) ?? []) {
      tell("abc", 1, { kind: "text-delta", text: piece });
      await clock.advance(110);
    }
    tell("abc", 1, { kind: "text-delta", text: "I ask two children to *check* each of them" });
    await clock.advance(110);
    tell("abc", 1, { kind: "step-end", parts: [], finish: "tool-calls", step: 1, durationMs: 900, usage: undefined });
    start("abc.1.1", ["Check whether the second read of the configuration is needed", "Check trust.ts"]);
    for (const child of [1, 2])
      tell("abc.1.1", child, { kind: "child-start", taskIndex: child - 1, prompt: { system: "", user: "" } });
    tell("abc.1.1", 1, { kind: "text-delta", text: "The second read compares the stamps of the files" });
    type("and what about the tests?");
    await clock.advance(2_000);
    assertScreen("chat-delegating", size, terminal.text());
    for (const child of [1, 2])
      tell("abc.1.1", child, { kind: "child-end", ending: { status: "completed", text: "" }, durationMs: 2_000 });
    end("abc.1.1");
    tell("abc", 1, { kind: "text-delta", text: "Both agree.\n\n- The second read **can go**.\n" });
    await clock.advance(200);
    view.endTurn();
    assertScreen("chat-answer", size, terminal.text());
  });

/** Two children that ask, one at work and one that has ended, while the request of the first is open. */
async function asking(size: { columns: number; rows: number }) {
  const { clock, terminal, view, start, tell, ...rest } = stage(size);
  start("abc", ["look at the configuration"]);
  const goals = ["Run the tests of the parser", "Run the tests of the printer", "Write a haiku", "Write another haiku"];
  start("abc.1.1", goals);
  for (const child of [1, 2, 3, 4])
    tell("abc.1.1", child, { kind: "child-start", taskIndex: child - 1, prompt: { system: "", user: "" } });
  const asked = { callId: "call-1", step: 1, answerBy: clock.now() + 300_000, name: "terminal", target: "npm test" };
  for (const child of [1, 2])
    tell("abc.1.1", child, { kind: "approval-ask", ...asked, directory: "/work", request: `0123456789a${child}` });
  const question = view.openQuestion?.();
  question?.output.write(
    "\n? abc.1.1.1 (glm-4.7 @ zai) Run the tests\n  asks to run terminal:\n  │ npm test\n  in /work\n",
  );
  question?.ask("Allow? [y]es, once · [n]o, and why · [a]lways · Esc denies and stops: ", () => "");
  tell("abc.1.1", 3, { kind: "child-end", ending: { status: "completed", text: "" }, durationMs: 1_000 });
  await clock.advance(1_000);
  return { clock, terminal, view, question, tell, ...rest };
}

for (const size of SIZES)
  test(`a request below the children at work and those that have ended, on ${size.columns} columns`, async () => {
    const { terminal } = await asking(size);
    assertScreen("chat-approval", size, terminal.text());
  });

for (const [columns, rows] of [
  [40, 24],
  [40, 10],
  [80, 12],
] as const)
  test(`a request fits a screen of ${columns}×${rows}, and its text stays when it is answered`, async () => {
    const { clock, terminal, view, question, type } = await asking({ columns, rows });
    assert.match(terminal.text(), /✓ \[3\/4\] Write a haiku[\s\S]*Allow\?[\s\S]*\(1\s+more\s+waiting\)$/);
    assert.ok(terminal.highestJump() < rows, `drew over ${terminal.highestJump()} rows`);
    type("a draft");
    question?.output.write("Allow? y\n");
    question?.close();
    await clock.advance(200);
    assert.match(terminal.text(), /^Allow\? y$[\s\S]*\n> a draft$/m);
    view.endTurn();
    assert.match(terminal.text(), /│ npm test[\s\S]*Allow\? y$/);
  });
