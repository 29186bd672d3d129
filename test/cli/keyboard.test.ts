/** The line editor of a chat, on a terminal where its prompt takes two rows. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { createKeyboard } from "../../src/cli/chat/keyboard.ts";

const QUESTION = "Allow? [y]es, once · [n]o, and why · [a]lways for this run: ";

test("a prompt takes nothing away of what was written above it, however high the one before was", async () => {
  let written = "";
  const input = new PassThrough();
  const write = (text: string) => {
    written += text;
    return true;
  };
  const output = { columns: 40, rows: 15, isTTY: true, write };
  const keyboard = createKeyboard({ input, output, rich: true, history: [], complete: (line) => [[], line] });
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
