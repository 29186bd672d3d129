/** Decisions of permission rules about command lines, checked against real shells. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { decidePermission } from "../../src/child/permissions.ts";
import type { PermissionRule } from "../../src/tool.ts";

const RULES: PermissionRule[] = ["ok", "ok *"].map((match) => ({ tool: "terminal", match, then: "allow" }));

function isAllowed(command: string): boolean {
  const subject = { target: command, otherwise: "ask", isCommandLine: true } as const;
  return decidePermission(RULES, "ask", "terminal", subject).decision === "allow";
}

test("a command line that is allowed never runs anything else, in a real shell", (context) => {
  const directory = mkdtempSync(join(tmpdir(), "deputy-approval-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const programs = join(directory, "programs");
  const shells = ["/bin/bash", "/bin/sh"].filter((shell) => existsSync(shell));
  spawnSync("mkdir", [programs]);
  for (const [name, body] of [
    ["ok", ":"],
    ["bad", `echo bad >> ${directory}/harm`],
  ] as const) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(programs, name), 0o755);
  }
  const pieces = [
    ...["ok", "ok ", "bad", "bad ", "x", " ", " ", ";", "&&", "||", "|", "|", "&", "\n", "\t", "\r", "\\\n", "\\"],
    ...["'", "'", '"', '"', "`", "(", ")", "{", "}", "[", "]", "$", "$(", "$x", "$" + "{x}", "$" + "{x:-", "$'"],
    ...["#", "!", "=", "x=1", "<", ">", "<<x", ">&1", "2>&1", ">/dev/null", "*", "~", "-", "if ", "then ", "eval "],
  ];
  const line = fc
    .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 9 })
    .map((parts) => `ok ${parts.join("")}`);
  let run = 0;
  fc.assert(
    fc.property(line, (command) => {
      if (!isAllowed(command)) return;
      if (!command.includes("bad") && !/[<>]/.test(command)) return;
      run += 1;
      for (const shell of shells) {
        spawnSync(shell, ["-c", command], { cwd: directory, env: { PATH: programs }, timeout: 110_000 });
      }
      assert.deepEqual(readdirSync(directory), ["programs"], command);
    }),
    { numRuns: 6_000 },
  );
  assert.ok(run > 100, `${run} allowed command lines were run: too few to tell`);
});
