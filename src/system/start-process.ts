/** The only place where Deputy starts other processes, so that every failure to start is handled. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Starts a program, and resolves when it runs.
 * @throws Error of the system if it cannot be started: no such program, no descriptors, processes or memory left
 */
export async function startProcess(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
): Promise<ChildProcess> {
  const child = spawn(program, args, options);
  // A permanent listener: an error event while nobody waits would crash Deputy.
  child.on("error", () => {});
  await once(child, "spawn");
  return child;
}
