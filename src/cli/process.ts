/** The command line in a real process: its streams, its environment without the keys, its signals. */
import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { ReadStream } from "node:tty";
import { systemClock } from "../clock.ts";
import { hideVariables, secretsOfParent, takeEnvironment } from "../config/environment.ts";
import { present } from "../values/present.ts";
import type { Input, Io } from "./io.ts";
import { main } from "./main.ts";

/** Signals that ask a program to end. */
const POLITE_ENDS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the process once its output is written, even if handles are open. Call once, before anything else. */
export async function runProcess(argv: string[]): Promise<void> {
  process.on("SIGXFSZ", () => {}); // An exceeded file size limit becomes an error to report, instead of killing the process.
  const code = await main(argv, createIo());
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

function createIo(): Io {
  const { env, stillVisible } = takeEnvironment();
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on("error", ignoreGone);
  return {
    stdin: process.stdin,
    openKeyboard,
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    ...present({ keysStillVisible: stillVisible }),
    hideVariables,
    secretsOfParent,
    cwd: process.cwd(),
    clock: systemClock,
    onInterrupt(callback) {
      const listener = (signal: NodeJS.Signals) => callback(signal === "SIGINT" ? "Ctrl-C" : signal);
      for (const signal of POLITE_ENDS) process.on(signal, listener);
      return () => {
        for (const signal of POLITE_ENDS) process.off(signal, listener);
      };
    },
    isForeground,
    interrupt: () => void process.kill(process.pid, "SIGINT"),
  };
}

/** The kernel stops a background job that changes its terminal's modes. */
function isForeground(): boolean {
  const listed = spawnSync("ps", ["-o", "stat=", "-p", String(process.pid)], { encoding: "utf8" });
  return listed.status === 0 && listed.stdout.includes("+");
}

/** The keyboard of the terminal that controls this process. */
function openKeyboard(): Input | undefined {
  try {
    const keyboard = new ReadStream(openSync("/dev/tty", "r"));
    keyboard.on("error", ignoreGone);
    return keyboard;
  } catch {
    return undefined; // There is no such terminal, or this system has none.
  }
}

/** The reader of the output (`deputy show … | head`) or the terminal has gone: the work continues silently. */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}
