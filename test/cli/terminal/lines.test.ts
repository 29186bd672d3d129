import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLinePrinter } from "../../../src/cli/terminal/lines.ts";
import { createFakeTerminal } from "../../support/fake-terminal.ts";

/** Lines as on a terminal without cursor movement. */
function stage() {
  const terminal = createFakeTerminal(40, 24);
  return { terminal, printer: createLinePrinter(terminal) };
}

describe("lines on a terminal without cursor movement", () => {
  test("appear at once, wrapped at words", () => {
    const { terminal, printer } = stage();
    printer.print("! the model is not known to Deputy; it is sent as is");
    assert.equal(terminal.text(), "! the model is not known to Deputy; it\n  is sent as is");
  });

  test("wait while a question is open, so that its row stays free for the answer", () => {
    const { terminal, printer } = stage();
    printer.pause();
    terminal.write("Allow? ");
    printer.print("✓ [1/2] a lion");
    printer.print("✓ [2/2] a falcon");
    assert.equal(terminal.text(), "Allow?");
    terminal.write("\n");
    printer.resume();
    assert.equal(terminal.text(), "Allow? \n✓ [1/2] a lion\n✓ [2/2] a falcon");
  });

  test("appear once, and at once again, after one question or several", () => {
    const { terminal, printer } = stage();
    for (const line of ["first", "second"]) {
      printer.pause();
      printer.pause();
      printer.print(line);
      printer.resume();
      printer.resume();
    }
    printer.print("third");
    assert.equal(terminal.text(), "first\nsecond\nthird");
  });
});
