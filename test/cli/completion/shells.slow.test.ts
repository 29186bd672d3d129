/**
 * The completion scripts in real shells. `deputy` on the path is a stand-in that prints its arguments, so nothing runs but
 * completion.
 */
import { describe, test } from "node:test";
import { shellWord } from "../../../src/text/shell-word.ts";
import { PROGRAM } from "../../support/end-to-end.ts";
import { missingShell, openShell, SHELLS, typeKeys } from "../../support/shells.ts";

const STAND_IN = { text: `#!/bin/sh\n[ "$1" = completion ] && exec ${shellWord(PROGRAM)} "$@"\necho "RAN: $*"\n` };

for (const [name, shell] of Object.entries(SHELLS))
  describe(`completion in ${name}`, { skip: missingShell(name) }, () => {
    test("completes commands, flags and their values, with colons and equals signs in them", async (context) => {
      const terminal = openShell(context, shell, STAND_IN);
      await terminal.see("ready$");
      await typeKeys(terminal, "deputy ret\t", "retry ");
      await typeKeys(terminal, "x --eff\t", "--effort ");
      await typeKeys(terminal, "xh\t", "xhigh ");
      await typeKeys(terminal, "-m swi\t", "swift ");
      await typeKeys(terminal, "\n", "RAN: retry x --effort xhigh -m swift");
      await typeKeys(terminal, "deputy run --model=acme-mini:f\t", "mini:free ");
      await typeKeys(terminal, "\n", "RAN: run --model=acme-mini:free");
      await typeKeys(terminal, "deputy run a\\ ta\t", "task.yaml");
      await typeKeys(terminal, "\n", "RAN: run a task.yaml");
    });

    test("shows what can be typed, with descriptions where the shell has them", async (context) => {
      const terminal = openShell(context, shell, STAND_IN);
      await terminal.see("ready$");
      await typeKeys(terminal, "deputy journal \t\t", "verify");
      if (shell.describes) await terminal.see("Check the file");
    });
  });
