/**
 * Runs the commands of one child: in its sandbox, which starts with the first of them and lives as long as the child, or
 * outside. A command that may read more has a sandbox of its own, so that no other one can read it, too.
 */
import type { CommandShell, ShellCommand, ShellEnd } from "../../command-executor.ts";
import { runInShell } from "../terminal/shell.ts";
import type { SandboxPlace } from "./mounts.ts";
import type { DecideOnHost, NetworkDoor } from "./network-proxy.ts";
import type { Sandbox } from "./sandbox.ts";

export type ChildShellOptions = {
  /** Path of bubblewrap. It is not asked for before the first command in the sandbox. @throws ToolError without one */
  program(): string;
  place(): SandboxPlace;
  dial: NetworkDoor["dial"];
  /** Decides on hosts for this child, until the signal aborts. */
  decide(host: string, port: number, signal: AbortSignal): ReturnType<DecideOnHost>;
};

export function createChildShell(options: ChildShellOptions): CommandShell {
  /** Questions about hosts that commands wait for. They end with the commands. */
  const asks = new Set<Promise<unknown>>();
  let asking = new AbortController();
  /** Outputs of commands in the sandbox. */
  const outputs = new Set<ShellCommand["onOutput"]>();
  let shared: Promise<Sandbox> | undefined;

  async function start(command: ShellCommand, reads: readonly string[]): Promise<Sandbox> {
    const { openSandbox } = await import("./open-sandbox.ts");
    const { program, place, dial, decide } = options;
    const tell = (text: string) => {
      for (const onOutput of outputs) onOutput(Buffer.from(`\n[sandbox: ${text}]\n`));
    };
    const ask: DecideOnHost = (host, port) => {
      const decision = decide(host, port, asking.signal);
      asks.add(decision);
      return decision.finally(() => asks.delete(decision));
    };
    const door = { dial, decide: ask, onRefusal: tell };
    return openSandbox({ program: program(), place: place(), reads, environment: command.environment, door, tell });
  }

  async function endAsks(): Promise<void> {
    asking.abort();
    asking = new AbortController();
    await Promise.allSettled(asks);
  }

  function startShared(command: ShellCommand): Promise<Sandbox> {
    const starting = start(command, []);
    const forget = () => {
      if (shared === starting) shared = undefined; // The next command starts another one.
    };
    starting.then(({ ended }) => ended).then(forget, forget);
    return starting;
  }

  async function runInside(command: ShellCommand, reads: readonly string[], signal: AbortSignal): Promise<ShellEnd> {
    outputs.add(command.onOutput);
    try {
      if (reads.length === 0) {
        shared ??= startShared(command);
        return await (await shared).run(command, signal);
      }
      const own = await start(command, reads);
      return await own.run(command, signal).finally(own.close);
    } finally {
      outputs.delete(command.onOutput);
      if (outputs.size === 0) await endAsks();
    }
  }

  return {
    run(command, signal) {
      const { sandbox } = command;
      return sandbox === undefined ? runInShell(command, signal) : runInside(command, sandbox.reads, signal);
    },
    async close() {
      await shared?.then(({ close }) => close()).catch(() => {});
      await endAsks();
    },
  };
}
