/** `deputy completion`: prints the script that completes Deputy's command line in a shell. */
import { Argument } from "commander";
import { type Declare, examples } from "../command.ts";
import { programPath } from "../program-path.ts";
import { COMPLETION_SCRIPTS, type Shell } from "./scripts.ts";

const HELP = `
Tab then completes commands, flags and their values: models, aliases, providers, effort levels, and the ids of runs with
their goals. The script asks Deputy at each Tab, so it stays valid when Deputy, your config or your runs change. Nothing
is sent anywhere.`;

export const declareCompletion: Declare = (command, { io }) => {
  command
    .description("Print the script that completes Deputy's command line in your shell.")
    .addArgument(new Argument("<shell>", "your shell").choices(Object.keys(COMPLETION_SCRIPTS)))
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["echo 'source <(deputy completion bash)' >> ~/.bashrc", "bash"],
        ["echo 'source <(deputy completion zsh)' >> ~/.zshrc", "zsh, below the line with compinit"],
        ["deputy completion fish > ~/.config/fish/completions/deputy.fish", "fish"],
      ])}`,
    )
    .action((shell: Shell) => {
      io.stdout.write(COMPLETION_SCRIPTS[shell](programPath(io.env)));
    });
};
