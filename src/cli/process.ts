/** The command line in its real world: this process's streams, its environment with the keys taken out, its signals. */
import { systemClock } from "../clock.ts";
import { hideVariables, takeEnvironment } from "../config/environment.ts";
import { present } from "../present.ts";
import type { Io } from "./io.ts";
import { main } from "./main.ts";

/** Ways a person or a system asks a program to end. */
const POLITE_ENDS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the process once what was written has been taken, whatever is still open. Call once, before anything else. */
export async function runProcess(argv: string[]): Promise<void> {
  process.on("SIGXFSZ", () => {}); // A limit on file sizes is an error to tell, not the end.
  const code = await main(argv, createIo());
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

function createIo(): Io {
  const { env, stillVisible } = takeEnvironment();
  for (const stream of [process.stdin, process.stdout, process.stderr]) stream.on("error", ignoreGone);
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    ...present({ keysStillVisible: stillVisible }),
    hideVariables,
    cwd: process.cwd(),
    clock: systemClock,
    onInterrupt(callback) {
      const listener = (signal: NodeJS.Signals) => callback(signal === "SIGINT" ? "Ctrl-C" : signal);
      for (const signal of POLITE_ENDS) process.on(signal, listener);
      return () => {
        for (const signal of POLITE_ENDS) process.off(signal, listener);
      };
    },
    interrupt: () => void process.kill(process.pid, "SIGINT"),
  };
}

/** Whoever read our output has gone (`deputy show … | head`), or the terminal: what is to be done is done in silence. */
function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}
