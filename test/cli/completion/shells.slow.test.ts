/**
 * The completion scripts in real shells, installed as the documentation says and used at a terminal: keys in, a command
 * line out. `deputy` on the path is a stand-in that prints its arguments, so nothing runs but completion.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { shellWord } from "../../../src/text/shell-word.ts";
import { temporaryDirectory } from "../../support/command-line.ts";
import { PROGRAM } from "../../support/end-to-end.ts";
import { NO_TERMINAL, openProgram, type Terminal } from "../../support/pty.ts";

type ShellSetup = { command: string[]; file: string; setup(program: string): string; describes: boolean };

const SHELLS: Record<string, ShellSetup> = {
  bash: {
    command: ["bash", "--noprofile", "-i"],
    file: ".bashrc",
    setup: () => "PS1='ready$ '\nbind 'set bell-style none'\nsource <(deputy completion bash)\n",
    describes: false,
  },
  zsh: {
    command: ["zsh", "-i"],
    file: ".zshrc",
    setup: () =>
      "PROMPT='ready$ '\nunsetopt beep\nautoload -Uz compinit && compinit -u -D\nsource <(deputy completion zsh)\n",
    describes: true,
  },
  fish: {
    command: ["fish", "-i"],
    file: ".config/fish/config.fish",
    setup: () =>
      "function fish_prompt; echo -n 'ready$ '; end\nfunction fish_greeting; end\n" +
      "mkdir -p ~/.config/fish/completions\ndeputy completion fish > ~/.config/fish/completions/deputy.fish\n",
    describes: true,
  },
};

const CONFIG =
  "models: { swift: acme-mini --provider acme }\n" +
  "providers: { acme: { base_url: 'http://127.0.0.1:1/v1', models: { 'acme-mini:free': {} } } }\n";

/** Why a shell cannot be tested here; undefined if it can. */
function missing(name: string): string | undefined {
  const isThere = spawnSync(name, ["--version"]).status === 0;
  return isThere ? NO_TERMINAL : `${name} is not installed here: its completion is not tested`;
}

/** A home in which the shell has the completion, and a program `deputy` that prints its arguments. */
function openShell(context: TestContext, { command, file, setup }: ShellSetup): Terminal {
  const home = temporaryDirectory((cleanUp) => context.after(cleanUp));
  for (const folder of ["bin", ".config/fish", ".config/deputy", "state"])
    mkdirSync(join(home, folder), { recursive: true });
  const stub = `#!/bin/sh\n[ "$1" = completion ] && exec ${shellWord(PROGRAM)} "$@"\necho "RAN: $*"\n`;
  writeFileSync(join(home, "bin/deputy"), stub, { mode: 0o755 });
  writeFileSync(join(home, "a task.yaml"), "");
  writeFileSync(join(home, ".config/deputy/config.yaml"), CONFIG);
  writeFileSync(join(home, file), setup(PROGRAM));
  const env = { HOME: home, PATH: `${join(home, "bin")}${delimiter}${process.env.PATH}`, DEPUTY_STATE_DIR: home };
  const terminal = openProgram(command, { cwd: home, env, columns: 200 });
  context.after(terminal.kill);
  return terminal;
}

/** Types keys, waits for what completion makes of them, and runs the line. */
async function type(terminal: Terminal, keys: string, shown: string): Promise<void> {
  terminal.type(keys);
  await terminal.see(shown);
}

for (const [name, shell] of Object.entries(SHELLS))
  describe(`completion in ${name}`, { skip: missing(name) }, () => {
    test("completes commands, flags and their values, with colons and equals signs in them", async (context) => {
      const terminal = openShell(context, shell);
      await terminal.see("ready$");
      await type(terminal, "deputy ret\t", "retry ");
      await type(terminal, "x --eff\t", "--effort ");
      await type(terminal, "xh\t", "xhigh ");
      await type(terminal, "-m swi\t", "swift ");
      await type(terminal, "\n", "RAN: retry x --effort xhigh -m swift");
      await type(terminal, "deputy run --model=acme-mini:f\t", "mini:free ");
      await type(terminal, "\n", "RAN: run --model=acme-mini:free");
      await type(terminal, "deputy run a\\ ta\t", "task.yaml");
      await type(terminal, "\n", "RAN: run a task.yaml");
    });

    test("shows what can be typed, with descriptions where the shell has them", async (context) => {
      const terminal = openShell(context, shell);
      await terminal.see("ready$");
      await type(terminal, "deputy journal \t\t", "verify");
      if (shell.describes) await terminal.see("Check the file");
    });
  });
