/** The line editor of a chat: its output on a narrow terminal, and the keys that answer a question. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createKeyboard } from "../../src/cli/chat/keyboard/keyboard.ts";
import type { Completion } from "../../src/cli/chat/keyboard/line-editor.ts";
import { type AnswerForm, ESCAPE } from "../../src/cli/chat/keyboard/question-line.ts";
import { createFakeClock } from "../../src/testing/fake-clock.ts";
import "../support/terminal-type.ts";

const QUESTION = "Allow? [y]es, once · [n]o, and why · [a]lways for this run: ";

test("a prompt takes nothing away of what was written above it, however high the one before was", async () => {
  let written = "";
  const input = new PassThrough();
  const write = (text: string) => {
    written += text;
    return true;
  };
  const output = { columns: 40, rows: 15, isTTY: true, write };
  const keyboard = createKeyboard({ input, output, rich: true, history: [], complete: async (line) => [[], line] });
  const lines: string[] = [];
  let heard = () => {};
  const onLine = (line: string) => {
    lines.push(line);
    heard();
  };
  keyboard.listen({ onLine, onInterrupt() {}, onEnd() {} });
  for (const prompt of [QUESTION, QUESTION, "> ", QUESTION]) {
    written = "";
    keyboard.show(prompt);
    const ups = written.split("\x1b").filter((piece) => /^\[\d*A/.test(piece));
    assert.deepEqual(ups, [], JSON.stringify(written));
    const entered = new Promise<void>((resolve) => {
      heard = resolve;
    });
    input.write("y\r");
    await entered;
    keyboard.hide();
    keyboard.clear();
  }
  assert.deepEqual(lines, ["y", "y", "y", "y"]);
  keyboard.close();
});

/** A keyboard on the test's own clock. `wait` advances it, after everything typed before has arrived. */
function questionStage(options: { keepsDrafts?: true; onlyAnswers?: true; questionsInView?: true } = {}, columns = 80) {
  const input = new PassThrough();
  const clock = createFakeClock();
  let written = "";
  const write = (text: string) => {
    written += text;
    return true;
  };
  const output = { columns, rows: 24, isTTY: true, write };
  const complete = async (line: string): Promise<Completion> => [[], line];
  const keyboard = createKeyboard({ input, output, rich: true, history: [], complete, clock, ...options });
  const messages: string[] = [];
  let interrupts = 0;
  const onInterrupt = () => {
    interrupts += 1;
  };
  let escapes = 0;
  const onEscape = () => {
    escapes += 1;
  };
  let ends = 0;
  const onEnd = () => {
    ends += 1;
  };
  keyboard.listen({ onLine: (line) => messages.push(line), onInterrupt, onEnd, onEscape });
  const ask = (signal = new AbortController().signal, form?: AnswerForm) => {
    const question: { answer?: string | undefined; settled: boolean } = { settled: false };
    void keyboard.ask("Allow? ", signal, form).then((answer) => Object.assign(question, { answer, settled: true }));
    return question;
  };
  const type = async (keys: string) => {
    input.write(keys);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const wait = (ms: number) => clock.advance(ms);
  return {
    input,
    keyboard,
    ask,
    type,
    wait,
    messages,
    interrupts: () => interrupts,
    escapes: () => escapes,
    ends: () => ends,
    screen: () => written,
    clear: () => {
      written = "";
    },
  };
}

describe("a question at the keyboard", () => {
  test("is answered by what is typed under it, once the keyboard was quiet for a moment", async () => {
    const { ask, type, wait } = questionStage();
    const question = ask();
    await wait(300);
    await type("n because\r");
    assert.deepEqual(question, { answer: "n because", settled: true });
  });

  for (const [what, early] of [
    ["a whole line", "y\r"],
    ["two lines", "y\ry\r"],
    ["a line by line feeds", "y\n"],
    ["an Enter", "\r"],
    ["the end of the input", "\x04"],
  ] as const)
    test(`is not answered by ${what}, typed as it appears`, async () => {
      const { ask, type, wait } = questionStage();
      const question = ask();
      await type(early);
      await wait(299);
      assert.equal(question.settled, false);
      await type(early);
      await wait(300);
      assert.equal(question.settled, false);
      await type("y\r");
      assert.deepEqual(question, { answer: "y", settled: true });
    });

  for (const [begun, rest] of [
    ["y", "\r"],
    ["wh", "y\r"],
    ["ye", "s\r"],
    ["y\ry", "\r"],
  ] as const)
    test(`is not answered by ${JSON.stringify(begun)}, typed too early, and then ${JSON.stringify(rest)}`, async () => {
      const { ask, type, wait, screen } = questionStage();
      const question = ask();
      await type(begun);
      await wait(1_000);
      await type(rest);
      assert.equal(question.settled, false);
      assert.match(screen(), /Text typed before the question appeared does not answer it\./);
      await wait(300);
      await type("y\r");
      assert.deepEqual(question, { answer: "y", settled: true });
    });

  test("is not answered by keys that do not stop", async () => {
    const { ask, type, wait } = questionStage();
    const question = ask();
    for (let times = 0; times < 20; times++) {
      await type("y\r");
      await wait(100);
    }
    assert.equal(question.settled, false);
  });

  test("takes one line of a paste, and the next question does not get the rest", async () => {
    const { ask, type, wait, messages } = questionStage();
    const first = ask();
    await wait(300);
    await type("n\ry\ry\r");
    assert.deepEqual(first, { answer: "n", settled: true });
    const second = ask();
    await type("y\r");
    await wait(300);
    assert.deepEqual([second.settled, messages], [false, []]);
    const pasted = ask();
    await wait(300);
    await type("\x1b[200~y\ry\x1b[201~\r");
    assert.notEqual(pasted.answer, "y");
  });

  test("leaves the message that was being typed in the input line, and it answers nothing", async () => {
    const { ask, type, wait, keyboard, messages } = questionStage({ keepsDrafts: true });
    await type("make it sh");
    const question = ask();
    await type("ort\r");
    await wait(300);
    assert.equal(question.settled, false);
    await type("y\r");
    assert.deepEqual(question, { answer: "y", settled: true });
    assert.deepEqual([keyboard.typed, messages], ["make it short", []]);
    await type("\r");
    assert.deepEqual(messages, ["make it short"]);
  });

  test("is withdrawn with its signal, and gives the keyboard back", async () => {
    const { ask, type, wait, messages, keyboard } = questionStage({ keepsDrafts: true });
    await type("hel");
    const withdrawn = new AbortController();
    const question = ask(withdrawn.signal);
    withdrawn.abort();
    await wait(0);
    await type("lo\r");
    assert.deepEqual([question, messages, keyboard.typed], [{ answer: undefined, settled: true }, ["hello"], ""]);
  });

  test("reacts to Ctrl-C at any moment", async () => {
    const { ask, type, wait, interrupts } = questionStage();
    ask();
    await type("\x03");
    assert.equal(interrupts(), 1);
    await wait(300);
    await type("\x03");
    assert.equal(interrupts(), 2);
  });
});

describe("a block of lines that arrives at once, without the marks of a paste", () => {
  for (const [block, message] of [
    ["one\rtwo\r", "one⏎two"],
    ["one\ntwo\n\nthree\n", "one⏎two⏎⏎three"],
    ["one\r\n/exit\r\n", "one⏎/exit"],
    ["\rone\ry\r", "⏎one⏎y"],
  ] as const)
    test(`is one message: ${JSON.stringify(block)}`, async () => {
      const { type, messages } = questionStage();
      await type(block);
      assert.deepEqual(messages, [message]);
    });

  test("waits in the input line if it ends without a line break", async () => {
    const { type, messages, keyboard } = questionStage();
    await type("one\rtwo");
    assert.deepEqual([messages, keyboard.typed], [[], "one⏎two"]);
    await type(" and three\r");
    assert.deepEqual(messages, ["one⏎two and three"]);
  });

  test("answers no question that appears before its end", async () => {
    const { ask, type, wait, messages } = questionStage({ keepsDrafts: true });
    await type("y\ry");
    const question = ask();
    await type("\ry\r");
    await wait(300);
    assert.deepEqual([question.settled, messages], [false, []]);
  });
});

describe("single keys that arrive together", () => {
  for (const [keys, expected] of [
    ["hello\r", ["hello"]],
    ["hello\r\x1b[A", ["hello"]],
    ["hello\r\r", ["hello", ""]],
  ] as const)
    test(`are no block: ${JSON.stringify(keys)}`, async () => {
      const { type, messages } = questionStage();
      await type(keys);
      assert.deepEqual(messages, expected);
    });
});

describe("a line above the prompt", () => {
  for (const [columns, typed, lefts] of [
    [40, "half a message", 4],
    [40, "half a message that is longer than one row of a narrow terminal", 30],
    [40, "half a message that is longer than one row of a narrow terminal", 2],
    [80, "", 0],
  ] as const)
    test(`leaves what is typed and the cursor as they are: ${typed.length} characters on ${columns} columns`, async () => {
      const { keyboard, type, messages, clear, screen } = questionStage({}, columns);
      keyboard.show("> ");
      await type(typed);
      for (let times = 0; times < lefts; times++) await type("\x1b[D");
      clear();
      keyboard.above("a line of another run\n");
      const [before = "", after = ""] = screen().split("a line of another run\n");
      assert.ok(before.endsWith("\x1b[J"), JSON.stringify(before));
      assert.ok(after.startsWith("\x1b[1G\x1b[0J> "), `moves up into the line: ${JSON.stringify(after)}`);
      assert.ok(stripVTControlCharacters(after).trimEnd().endsWith(`> ${typed}`.trimEnd()), JSON.stringify(after));
      await type("X\r");
      assert.deepEqual(messages, [`${typed.slice(0, typed.length - lefts)}X${typed.slice(typed.length - lefts)}`]);
    });

  test("waits while another program has the terminal", async () => {
    const { keyboard, clear, screen } = questionStage();
    keyboard.show("> ");
    keyboard.hide();
    const { promise, resolve } = Promise.withResolvers<void>();
    const lent = keyboard.lend(() => promise);
    clear();
    keyboard.above("a line of another run\n");
    assert.equal(screen(), "");
    resolve();
    await lent;
    assert.ok(screen().includes("a line of another run\n"));
  });
});

describe("keys of a chat", () => {
  test("Esc counts once nothing follows it, and not as the beginning of another key", async () => {
    const { type, wait, escapes, keyboard } = questionStage();
    await type("ab\x1b[D");
    await type("\x1b");
    await type("[Dx");
    await wait(60);
    assert.deepEqual([escapes(), keyboard.typed], [0, "xab"]);
    await type("\x1b");
    await wait(60);
    assert.deepEqual([escapes(), keyboard.typed], [1, "xab"]);
  });

  test("Esc that was pressed before or below a question does nothing else", async () => {
    const { ask, type, wait, escapes } = questionStage();
    await type("\x1b");
    const question = ask();
    await wait(300);
    await type("\x1b");
    await wait(60);
    assert.deepEqual([escapes(), question.settled], [0, false]);
  });

  test("Alt-Enter begins a new line of the message", async () => {
    const { type, messages } = questionStage();
    await type("one\x1b\rtwo");
    await type("\x1b");
    await type("\rthree\r");
    assert.deepEqual(messages, ["one⏎two⏎three"]);
  });

  test("Ctrl-R finds earlier lines, newest first; Enter takes one to the line, Ctrl-C or Esc nothing", async () => {
    const { type, wait, keyboard, messages } = questionStage();
    for (const line of ["look at one", "Look at two", "other"]) await type(`${line}\r`);
    keyboard.show("> ");
    await type("draft");
    await type("\x12");
    await type("look");
    assert.equal(keyboard.typed, "Look at two");
    await type("\x12");
    assert.equal(keyboard.typed, "look at one");
    await type("\x03");
    assert.deepEqual([keyboard.typed, messages.length], ["draft", 3]);
    await type("\x12two");
    await type("\x1b");
    await wait(60);
    assert.equal(keyboard.typed, "draft");
    await type("\x12");
    await type("tx");
    await type("\x7f");
    await type("w");
    await type("\r");
    assert.deepEqual([keyboard.typed, messages.length], ["Look at two", 3]);
    await type("\r");
    assert.deepEqual(messages.at(-1), "Look at two");
  });

  test("a question that appears during a search of the history is not answered by its keys", async () => {
    const { ask, type, wait, keyboard } = questionStage({ keepsDrafts: true });
    await type("yes\r");
    keyboard.show("> ");
    await type("draft");
    await type("\x12");
    await type("y");
    const question = ask();
    await type("\r");
    await wait(300);
    assert.equal(question.settled, false);
    await type("y\r");
    assert.deepEqual([question, keyboard.typed], [{ answer: "y", settled: true }, "draft"]);
  });
});

describe("a question that single keys answer", () => {
  const never = new AbortController().signal;
  const KEYS: AnswerForm = { words: ["yes", "no", "always"] };

  test("is answered without Enter, once the keyboard was quiet for a moment", async () => {
    const { ask, type, wait } = questionStage();
    const question = ask(never, KEYS);
    await type("y");
    await wait(299);
    await type("y");
    await wait(300);
    assert.equal(question.settled, false);
    await type("Y");
    assert.deepEqual(question, { answer: "y", settled: true });
  });

  for (const keys of ["x", "\r", "yes", "yy", "\x1b[200~y\ry\r\x1b[201~\r", "\x04", "\x1b[A"])
    test(`is not answered by ${JSON.stringify(keys)}`, async () => {
      const { ask, type, wait } = questionStage({ onlyAnswers: true });
      const question = ask(never, KEYS);
      await wait(300);
      await type(keys);
      assert.equal(question.settled, false);
      await wait(300);
      await type("n");
      assert.deepEqual(question, { answer: "n", settled: true });
    });

  test("drops the rest of a word that is typed after its key, and no next question gets it", async () => {
    const { ask, type, wait, messages } = questionStage();
    const first = ask(never, KEYS);
    await wait(300);
    for (const key of ["y", "e", "s", "\r"]) await type(key);
    assert.equal(first.answer, "y");
    const second = ask(never, KEYS);
    await type("y");
    await wait(299);
    assert.equal(second.settled, false);
    await wait(1);
    await type("a");
    assert.equal(second.answer, "a");
    await wait(300);
    await type("hello\r");
    assert.deepEqual(messages, ["hello"]);
  });

  for (const typed of ["\r", "es\r", "ES\r", "es"])
    test(`drops ${JSON.stringify(typed)} as the rest of the answer, and keeps what follows`, async () => {
      const { ask, type, wait, messages } = questionStage({ keepsDrafts: true });
      const question = ask(never, KEYS);
      await wait(300);
      for (const key of `y${typed}`) await type(key);
      assert.equal(question.answer, "y");
      await wait(300);
      await type("hello\r");
      assert.deepEqual(messages, ["hello"]);
    });

  for (const typed of ["hello", "easy does it", "e", "estimate", "y"])
    test(`does not lose ${JSON.stringify(typed)}, typed at once for the next message`, async () => {
      const { ask, type, wait, messages, keyboard } = questionStage({ keepsDrafts: true });
      ask(never, KEYS);
      await wait(300);
      for (const key of `y${typed}`) await type(key);
      await wait(300);
      assert.equal(keyboard.typed, typed);
      await type("\r");
      assert.deepEqual(messages, [typed]);
    });

  test("leaves Ctrl-D and Ctrl-C their meaning after the answer", async () => {
    const { ask, type, wait, ends, interrupts } = questionStage({ keepsDrafts: true });
    ask(never, KEYS);
    await wait(300);
    await type("y");
    await type("\x03");
    assert.equal(interrupts(), 1);
    await type("\x04");
    assert.equal(ends(), 1);
  });

  for (const [first, typed] of [
    ["m", "y"],
    ["p", "ry"],
    ["b", "a"],
    ["y", "y"],
  ] as const)
    test(`does not let ${JSON.stringify(typed)}, typed after ${first}, answer the next question`, async () => {
      const { ask, type, wait } = questionStage({ keepsDrafts: true });
      ask(never, { words: ["yes", "my", "project", "back"] });
      await wait(300);
      await type(first);
      const next = ask(never, KEYS);
      await wait(200);
      for (const key of typed) await type(key);
      await wait(1_000);
      assert.equal(next.settled, false);
      await type("n");
      assert.equal(next.answer, "n");
    });

  for (const form of [KEYS, "free"] as const)
    test(`is answered by Esc: ${JSON.stringify(form)}`, async () => {
      const { ask, type, wait, escapes } = questionStage({ keepsDrafts: true, questionsInView: true });
      const question = ask(never, form);
      await wait(300);
      await type("\x1b");
      await wait(49);
      assert.equal(question.settled, false);
      await wait(1);
      assert.deepEqual([question.answer, escapes()], [ESCAPE, 0]);
    });

  for (const keys of [["\x1b", "[A"], ["\x1b", "y"], ["\x1by"], ["\x1b", "[200~yes\x1b[201~"]])
    test(`is not answered by an Esc that begins another key: ${JSON.stringify(keys)}`, async () => {
      const { ask, type, wait } = questionStage({ keepsDrafts: true });
      const question = ask(never, KEYS);
      await wait(300);
      for (const key of keys) await type(key);
      await wait(1_000);
      assert.equal(question.settled, false);
    });

  for (const early of [0, 260, 299])
    test(`is not answered by Esc ${early} ms after it appeared, and waits for quiet again`, async () => {
      const { ask, type, wait, escapes } = questionStage({ keepsDrafts: true });
      const question = ask(never, KEYS);
      await wait(early);
      await type("\x1b");
      await wait(299);
      await type("y");
      await wait(200);
      assert.deepEqual([question.settled, escapes()], [false, 0]);
    });

  test("gives a draft back, which Enter sends", async () => {
    const { ask, type, wait, messages } = questionStage({ keepsDrafts: true });
    await type("y");
    const question = ask(never, KEYS);
    await type("es, and more");
    await wait(600);
    await type("\r");
    await wait(600);
    await type("y\r");
    assert.equal(question.answer, "y");
    await wait(600);
    await type("\r");
    assert.deepEqual(messages, ["yes, and more"]);
  });
});
