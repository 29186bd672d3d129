/** How the commands of children are sandboxed here: from the config, and from what this machine supports. */
import { homedir } from "node:os";
import { delimiter, dirname, resolve } from "node:path";
import { proxyFor } from "../../child/wire/proxy.ts";
import type { CommandShell } from "../../command-executor.ts";
import type { Config } from "../../config-schema.ts";
import type { OwnFiles } from "../../own-files.ts";
import type { Ready } from "../../plan.ts";
import { realPathOf } from "../../system/bound-paths.ts";
import type { Environment } from "../../template.ts";
import { withHome } from "../../text/home-path.ts";
import { createChildShell } from "../../tools/sandbox/child-shell.ts";
import type { SandboxPlace } from "../../tools/sandbox/mounts.ts";
import type { HostDecision } from "../../tools/sandbox/network-proxy.ts";
import { findBubblewrap, type SandboxSupport, trySandbox } from "../../tools/sandbox/support.ts";
import { toolchainsIn } from "../../tools/sandbox/toolchains.ts";
import type { TerminalSandbox } from "../../tools/terminal/terminal.ts";
import { ToolError } from "../../tools/tool-error.ts";
import { resolveBySystem } from "../../tools/web/dialed-address.ts";
import { createAddressGuard } from "../../tools/web/public-address.ts";
import { isWithin } from "../../values/path-within.ts";
import { readCopy } from "../../worktree/copy-record.ts";

export type Sandboxing = {
  /** Whether there is a sandbox, tried once; undefined if the config turns it off. */
  support(): SandboxSupport | undefined;
  /** Why no child gets a terminal and what to do, as sentences; undefined if it may. */
  terminalProblem(): string | undefined;
  /** What the terminal of a child knows of it; undefined without a sandbox that might work. */
  terminalSandbox(isIsolated: boolean): TerminalSandbox | undefined;
  /** Runs the commands of one child. */
  shellOf(
    placed: () => SandboxedChild,
    decide: (host: string, port: number, signal: AbortSignal) => Promise<HostDecision>,
  ): CommandShell;
};

/** Where a child works, once that is known. */
export type SandboxedChild = Pick<Ready, "workspace" | "realPaths" | "copy">;

type SandboxingPlace = { env: Environment; cwd: string; extraDirs: readonly string[]; own: OwnFiles };

export function createSandboxing({ terminal }: Config, place: SandboxingPlace): Sandboxing {
  const path = place.env.PATH ?? "";
  let tried: SandboxSupport | undefined;
  const support = () => {
    if (terminal.sandbox === "off") return undefined;
    tried ??= trySandbox(path);
    return tried;
  };
  return {
    support,
    terminalProblem() {
      const found = terminal.sandbox === "required" ? support() : undefined;
      if (found === undefined || "program" in found) return undefined;
      return `${found.problem}. ${found.remedy}`;
    },
    terminalSandbox: (isIsolated) =>
      terminal.sandbox === "off"
        ? undefined
        : {
            support: () => support() ?? { problem: "it is off", remedy: "" },
            isOffered: findBubblewrap(path) !== undefined,
            isExempt: terminal.sandboxed === "allow" || (terminal.sandboxed === "isolated" && isIsolated),
          },
    shellOf: (placed, decide) =>
      createChildShell({
        program() {
          const found = support();
          if (found !== undefined && "program" in found) return found.program;
          throw new ToolError(`There is no sandbox: ${found?.problem ?? "it is off"}.`);
        },
        place: () => sandboxPlace(terminal, place, placed()),
        dial: lazyDial(terminal.network, place.env),
        decide,
      }),
  };
}

function sandboxPlace(
  { read }: Config["terminal"],
  { env, cwd, extraDirs, own }: SandboxingPlace,
  planned: SandboxedChild,
): SandboxPlace {
  const home = env.HOME || homedir();
  const { workspace, realPaths, copy } = planned;
  const real = realPathOf(copy ?? realPaths?.[workspace] ?? workspace);
  return {
    workspace: real,
    isIsolated: copy !== undefined,
    extraDirs: extraDirs.map((directory) => realPaths?.[directory] ?? directory),
    objectStores: copy === undefined ? [] : storesOf(copy),
    own,
    home,
    readable: read?.map((path) => resolve(cwd, withHome(path, home))) ?? toolchainsIn(home),
    programs: (env.PATH ?? "").split(delimiter).filter((path) => ![real, home].some((each) => isWithin(path, each))),
  };
}

/** The stores of objects that a working copy reads, by Deputy's own record of it. What a child writes there counts nothing. */
function storesOf(copy: string): string[] {
  const record = readCopy(dirname(copy));
  return record === undefined ? [] : [record.objects, ...record.beyond];
}

/** Resolves names and connects; loaded with the first connection. */
function lazyDial(network: readonly string[], env: Environment) {
  return async (url: URL) => {
    const { createDial } = await import("../../tools/sandbox/network-proxy.ts");
    const rules = { privateHosts: network, isPublic: createAddressGuard(), resolve: resolveBySystem };
    return createDial({ ...rules, setting: "terminal.network", proxyFor: (to) => proxyFor(to, env) })(url);
  };
}
