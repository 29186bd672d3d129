/**
 * Runs the fast tests, in one process for each of two cores, so that Deputy is loaded once per process and not per file.
 * Slow tests start programs or take seconds: `test/end-to-end/` and every `*.slow.test.ts`.
 *
 *   fast-tests.ts          all of them
 *   fast-tests.ts SHARE    every second file, starting with file number SHARE
 */
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const PROCESSES = 2;
const root = join(import.meta.dirname, "..");

/** Runs one share; resolves with the exit code. The first one prints as it runs, the others when they have ended. */
async function runShare(share: number): Promise<number> {
  const options = ["--disable-warning=ExperimentalWarning", "--test-timeout=120000", "--test-reporter=spec"];
  const argv = [...options, "--import", "./test/support/fixed-seed.ts", import.meta.filename, String(share)];
  const child = spawn(process.execPath, argv, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const exit = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  if (share === 0) child.stdout.pipe(process.stdout);
  else process.stdout.write(await text(child.stdout));
  return exit;
}

const [share] = process.argv.slice(2);
if (share === undefined) {
  const codes = await Promise.all(Array.from({ length: PROCESSES }, (_, index) => runShare(index)));
  process.exitCode = Math.max(...codes);
} else {
  const files = globSync("test/**/*.test.ts", { cwd: root, exclude: ["test/end-to-end/**", "**/*.slow.test.ts"] });
  const own = files.sort().filter((_, index) => index % PROCESSES === Number(share));
  for (const file of own) await import(join(root, file));
}
