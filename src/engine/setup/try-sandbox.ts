/** Runs one command in a sandbox, as a child's would run, to see whether it works here. */
import { createCommandOutput } from "../../tools/terminal/command-output.ts";
import { toolErrorText } from "../../tools/tool-error.ts";
import { createSetups, type SetupPlace } from "./setup.ts";

/** `isOff`: the config turns it off. `isRequired`: without it, no child gets a terminal. */
export type SandboxTrial =
  | { isOff: true }
  | { works: true; program: string; ms: number }
  | { works: false; isRequired: boolean; problem: string; remedy: string };

const TRIAL_MS = 20_000;
const SAYS = "inside";

/** @throws DeputyError `config-invalid` */
export async function trySandboxHere(
  place: Pick<SetupPlace, "env" | "cwd" | "configPath">,
  signal: AbortSignal,
): Promise<SandboxTrial> {
  const { sandboxing, commandEnvironment, config } = createSetups(place)();
  const support = sandboxing.support();
  if (support === undefined) return { isOff: true };
  const isRequired = config.terminal.sandbox === "required";
  if ("problem" in support) return { works: false, isRequired, ...support };
  const shell = sandboxing.shellOf(
    () => ({ workspace: place.cwd }),
    async () => ({ allowed: false, reason: "only a trial." }),
  );
  const output = createCommandOutput();
  const startedAt = performance.now();
  try {
    const command = { command: `echo ${SAYS}`, cwd: place.cwd, environment: commandEnvironment(), timeoutMs: TRIAL_MS };
    await shell.run({ ...command, sandbox: { reads: [] }, onOutput: output.write }, signal);
    const text = output.text().trim();
    if (text === SAYS) return { works: true, ...support, ms: performance.now() - startedAt };
    return { works: false, isRequired, problem: `a command in the sandbox said: ${text}`, remedy: "" };
  } catch (error) {
    const problem = toolErrorText(error);
    if (problem === undefined) throw error;
    return { works: false, isRequired, problem, remedy: "" };
  } finally {
    await shell.close();
  }
}
