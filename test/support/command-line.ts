/** The command line in process: argv in; stdout, stderr, exit code and files out. The engine is the staged one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { Context } from "../../src/cli/command.ts";
import type { Io, Output } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { systemClock } from "../../src/clock.ts";
import { configSchema } from "../../src/config-schema.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createRouting } from "../../src/routing/routing.ts";
import { createTestEngine, type ModelScript } from "./engine-stage.ts";
import "./terminal-type.ts";

export type Stage = {
  /** Text of standard input; a keyboard if `terminal` is set. */
  stdin?: string | Uint8Array;
  cwd?: string;
  env?: Record<string, string>;
  script?: ModelScript;
  engine?: Engine;
  /** Opens Deputy instead of the staged engine. */
  open?: Context["openDeputy"];
  /** Both streams are a terminal, 80 × 24 unless its width is given, with a user. */
  terminal?: true | { columns: number };
  clock?: Io["clock"];
};

export type Invocation = {
  stdin: PassThrough;
  /** The output so far. */
  stdout(): string;
  stderr(): string;
  interrupt(): void;
  code: Promise<number>;
};

/** Starts the program without waiting for it. */
export function start(argv: string[], stage: Stage = {}): Invocation {
  const stdout = collector(stage.terminal);
  const stderr = collector(stage.terminal);
  const stdin = new PassThrough();
  if (stage.terminal) Object.assign(stdin, { isTTY: true });
  else stdin.end(stage.stdin ?? "");
  const interrupts = new Set<(by: string) => void>();
  const io: Io = {
    stdin,
    stdout: stdout.output,
    stderr: stderr.output,
    env: { TERM: "xterm", NO_COLOR: "1", ...stage.env },
    cwd: stage.cwd ?? tmpdir(),
    clock: stage.clock ?? systemClock,
    onInterrupt(callback) {
      interrupts.add(callback);
      return () => interrupts.delete(callback);
    },
  };
  const engine = stage.engine ?? createTestEngine({ script: stage.script ?? neverAsked }).engine;
  const loadConfig = () => ({
    config: configSchema.parse({}),
    files: [],
    sourceOf: () => "default",
    levels: { parent: [], delegation: [] },
    untrustedAliases: [],
    dotenv: {},
    warnings: [],
    agents: { definitions: [], warnings: [] },
  });
  const openStaged = async () => ({
    engine,
    loadConfig,
    routing: () => createRouting({ config: configSchema.parse({}), env: {} }),
    userTools: () => {
      throw new Error("the staged engine has no tools of the user");
    },
    logError: () => {},
  });
  return {
    stdin,
    stdout: stdout.text,
    stderr: stderr.text,
    interrupt() {
      for (const callback of interrupts) callback("Ctrl-C");
    },
    code: main(argv, io, stage.open ?? openStaged),
  };
}

/** Runs the program to its end. */
export async function deputy(argv: string[], stage: Stage = {}) {
  const invocation = start(argv, stage);
  const code = await invocation.code;
  return { code, stdout: invocation.stdout(), stderr: invocation.stderr() };
}

/** Waits until a condition holds; fails after forty seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 40_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A directory for one test. */
export function temporaryDirectory(after: (cleanUp: () => void) => void): string {
  const path = mkdtempSync(join(tmpdir(), "deputy-cli-"));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function collector(terminal: Stage["terminal"]): { output: Output; text: () => string } {
  let written = "";
  const output: Output = {
    write: (text) => {
      written += text;
      return true;
    },
    ...(terminal && { isTTY: true, columns: 80, rows: 24, ...(terminal !== true && terminal) }),
  };
  return { output, text: () => written };
}

const neverAsked: ModelScript = async () => {
  throw new Error("no model should be asked here");
};
