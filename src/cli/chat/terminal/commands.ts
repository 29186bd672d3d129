/** Runs slash commands at a terminal. */
import { DeputyError } from "../../../errors.ts";
import { EXIT_COMPLETED } from "../../exit-codes.ts";
import { type CommandContext, runSlashCommand } from "../slash-commands.ts";
import { leave, problemText, showPrompt, type TerminalChat } from "./terminal-chat.ts";

/** Runs commands one after another, so that their output has the order of the lines. */
export function queueCommand(terminal: TerminalChat, line: string): void {
  terminal.keyboard.hide();
  terminal.commands = terminal.commands.then(() => runCommand(terminal, line));
}

async function runCommand(terminal: TerminalChat, line: string): Promise<void> {
  const { view } = terminal;
  const text = await runSlashCommand(line.trim(), commandContext(terminal)).catch((error: unknown) =>
    problemText(terminal, error),
  );
  for (const row of text.replace(/\n$/, "").split("\n")) if (text !== "") view.print(row);
  showPrompt(terminal);
}

function commandContext(terminal: TerminalChat): CommandContext {
  const { deps, paint, view, background } = terminal;
  return {
    deputy: deps.deputy,
    io: deps.io,
    paint,
    chat: () => terminal.chat,
    running: () => [...view.delegations(), ...background.running()],
    async begin() {
      if (terminal.turn !== undefined)
        throw new DeputyError("usage", "A turn is running: wait for it, or stop it with Ctrl-C.");
      terminal.chat = await deps.resumeChat(terminal.chat);
    },
    leave: () => leave(terminal, EXIT_COMPLETED),
  };
}
