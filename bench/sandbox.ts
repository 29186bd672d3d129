/**
 * `npm run bench:sandbox`: what the sandbox adds to a command after the first, and what the first costs. Commands inside
 * and outside alternate.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandShell } from "../src/command-executor.ts";
import { createSetups } from "../src/engine/setup/setup.ts";
import { median } from "./goals.ts";

const REPEATS = 60;
const GOAL_MS = 60;

const home = mkdtempSync(join(tmpdir(), "deputy-bench-"));
const env = { PATH: process.env.PATH ?? "", HOME: home, DEPUTY_STATE_DIR: join(home, "state") };
const { sandboxing } = createSetups({ env, cwd: home })();
const support = sandboxing.support();
if (support === undefined || "problem" in support) throw new Error(support?.problem ?? "the sandbox is off");

async function runMs(shell: CommandShell, inside: boolean): Promise<number> {
  const startedAt = performance.now();
  const command = { command: "true", cwd: home, environment: env, timeoutMs: 60_000, onOutput() {} };
  const { exitCode } = await shell.run(
    { ...command, ...(inside && { sandbox: { reads: [] } }) },
    new AbortController().signal,
  );
  if (exitCode !== 0) throw new Error(`a command ended with ${exitCode}`);
  return performance.now() - startedAt;
}

const shell = sandboxing.shellOf(
  () => ({ workspace: home }),
  async () => ({ allowed: false, reason: "not measured." }),
);
try {
  const first = await runMs(shell, true);
  await runMs(shell, false);
  const inside: number[] = [];
  const outside: number[] = [];
  for (let round = 0; round < REPEATS; round++) {
    inside.push(await runMs(shell, true));
    outside.push(await runMs(shell, false));
  }
  const added = median(inside) - median(outside);
  console.log(
    `A command takes ${median(inside).toFixed(1)} ms in the sandbox and ${median(outside).toFixed(1)} ms outside: ` +
      `${added.toFixed(1)} ms more. The first one, which starts the sandbox, takes ${first.toFixed(0)} ms.`,
  );
  console.log(`Goal: at most ${GOAL_MS} ms more, after the first.`);
  if (added > GOAL_MS) process.exitCode = 1;
} finally {
  await shell.close();
  rmSync(home, { recursive: true, force: true });
}
