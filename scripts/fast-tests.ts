/**
 * Runs the fast tests in one process for each of two cores, so that Deputy is loaded once per process and not per file.
 * A process gets its next file when it has finished one. The first process prints as it runs, the other when it ends.
 * Slow tests start programs or take seconds: `test/end-to-end/` and every `*.slow.test.ts`.
 */
import { fork } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, describe } from "node:test";

const PROCESSES = 2;
const root = join(import.meta.dirname, "..");

/** Runs files of the queue in another process until none is left; resolves with its exit code. */
async function runFrom(queue: string[], printsLive: boolean): Promise<number> {
  const options = ["--disable-warning=ExperimentalWarning", "--test-timeout=120000", "--test-reporter=spec"];
  const child = fork(import.meta.filename, ["worker"], {
    cwd: root,
    execArgv: [...options, "--import", "./test/support/fixed-seed.ts"],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const exit = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? 1)));
  child.on("message", () => {
    const file = queue.shift();
    if (file === undefined) child.disconnect();
    else child.send(file);
  });
  if (child.stdout !== null && !printsLive) process.stdout.write(await text(child.stdout));
  else child.stdout?.pipe(process.stdout);
  return exit;
}

/** Runs each file that is sent to this process as a suite, and asks for the next. */
function runFilesSent(): void {
  const askForFile = () => void process.send?.("next");
  process.on("message", (file: string) => {
    describe(file, async () => {
      after(askForFile);
      await import(join(root, file));
    });
  });
  askForFile();
}

if (process.argv[2] === "worker") runFilesSent();
else {
  const slow = ["test/end-to-end/**", "**/*.slow.test.ts"];
  const queue = globSync("test/**/*.test.ts", { cwd: root, exclude: slow }).sort();
  const codes = await Promise.all(Array.from({ length: PROCESSES }, (_, index) => runFrom(queue, index === 0)));
  process.exitCode = Math.max(...codes);
}
