/** Starts a run that outlives its caller: a separate process continues it, like `deputy resume`. */
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { handOver } from "../config/environment.ts";
import type { Opened } from "../engine/setup/open-deputy.ts";
import { DeputyError, errorMessage } from "../errors.ts";
import { shortageIn } from "../system/shortage.ts";
import { startProcess } from "../system/start-process.ts";
import type { Io } from "./io.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/deputy.mjs", import.meta.url));

type DetachedPlace = Pick<Io, "env" | "cwd"> & Pick<Opened, "routing"> & { configPath: string | undefined };

/**
 * Starts the process and resolves with its first line, when it owns the run. Secrets go through a pipe and not the
 * environment, which every process of this user can read.
 * @throws DeputyError `run-owned` with its last output, if it ended before
 */
export async function startDetached(runId: string, { env, cwd, routing, configPath }: DetachedPlace): Promise<void> {
  const config = configPath === undefined ? [] : ["--config", configPath];
  const argv = [PROGRAM, "resume", runId, "--ndjson", "--wait-for-approval", ...config];
  try {
    const { plain, secrets } = handOver(env, routing().credentials.holdsKey);
    const child = await startProcess(process.execPath, argv, {
      cwd,
      env: plain,
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin?.on("error", () => {}).end(secrets); // If it ends before it reads them, its last output says why.
    await firstLineFrom(child);
    // From here on it is silent: what happens is in the journal.
    child.removeAllListeners();
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.unref();
  } catch (error) {
    const reason = shortageIn(error) ?? errorMessage(error);
    throw new DeputyError("run-owned", `The run could not start in the background: ${reason}`, { cause: error });
  }
}

/** @throws Error with its last output, if it ends before */
function firstLineFrom(child: ChildProcess): Promise<void> {
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (words += text));
  return new Promise((resolve, reject) => {
    child.once("close", () => reject(new Error(words.trim() || "it exited without a message")));
    child.stdout?.once("data", () => resolve());
  });
}
