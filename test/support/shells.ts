/**
 * Real shells with the completion scripts, installed as the documentation says and used at a terminal: keys in, a command
 * line out.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { temporaryDirectory } from "./command-line.ts";
import { NO_TERMINAL, openProgram, type Terminal } from "./pty.ts";

type ShellSetup = { command: string[]; file: string; setup: string; describes: boolean };

export const SHELLS: Record<string, ShellSetup> = {
  bash: {
    command: ["bash", "--noprofile", "-i"],
    file: ".bashrc",
    setup: "PS1='ready$ '\nbind 'set bell-style none'\nsource <(deputy completion bash)\n",
    describes: false,
  },
  zsh: {
    command: ["zsh", "-i"],
    file: ".zshrc",
    setup:
      "PROMPT='ready$ '\nunsetopt beep\nautoload -Uz compinit && compinit -u -D\nsource <(deputy completion zsh)\n",
    describes: true,
  },
  fish: {
    command: ["fish", "-i"],
    file: ".config/fish/config.fish",
    setup:
      "function fish_prompt; echo -n 'ready$ '; end\nfunction fish_greeting; end\n" +
      "mkdir -p ~/.config/fish/completions\ndeputy completion fish > ~/.config/fish/completions/deputy.fish\n",
    describes: true,
  },
};

const CONFIG =
  "models: { swift: acme-mini --provider acme }\n" +
  "providers: { acme: { base_url: 'http://127.0.0.1:1/v1', models: { 'acme-mini:free': {} } } }\n";

/** Why a shell cannot be tested here; undefined if it can. */
export function missingShell(name: string): string | undefined {
  const isThere = spawnSync(name, ["--version"]).status === 0;
  return isThere ? NO_TERMINAL : `${name} is not installed here: its completion is not tested`;
}

/** A shell in a new home. @param program the folder with the program `deputy`, or the text of one */
export function openShell(
  context: TestContext,
  { command, file, setup }: ShellSetup,
  program: { folder: string } | { text: string },
): Terminal {
  const home = temporaryDirectory((cleanUp) => context.after(cleanUp));
  for (const folder of ["bin", ".config/fish", ".config/deputy", "state"])
    mkdirSync(join(home, folder), { recursive: true });
  if ("text" in program) writeFileSync(join(home, "bin/deputy"), program.text, { mode: 0o755 });
  writeFileSync(join(home, "a task.yaml"), "");
  writeFileSync(join(home, ".config/deputy/config.yaml"), CONFIG);
  writeFileSync(join(home, file), setup);
  const folder = "text" in program ? join(home, "bin") : program.folder;
  const path = [folder, dirname(process.execPath), process.env.PATH].join(delimiter);
  const env = { HOME: home, PATH: path, DEPUTY_STATE_DIR: home };
  const terminal = openProgram(command, { cwd: home, env, columns: 200 });
  context.after(terminal.kill);
  return terminal;
}

/** Types keys, waits for what completion makes of them, and runs the line. */
export async function typeKeys(terminal: Terminal, keys: string, shown: string): Promise<void> {
  terminal.type(keys);
  await terminal.see(shown);
}
