/**
 * `!command` in a chat: runs the user's own command in the workspace, without keys in its environment, shows its
 * output, and keeps it for the next message to the model.
 */
import { printProblem, printText, showPrompt, type TerminalChat } from "./terminal-chat.ts";

/** Time after which a command is said to be running, in milliseconds. */
const SLOW_MS = 2_000;

/** Commands run one after another, with the slash commands. */
export function queueShellCommand(terminal: TerminalChat, command: string): void {
  terminal.keyboard.hide();
  terminal.commands = terminal.commands.then(() => run(terminal, command));
}

async function run(terminal: TerminalChat, command: string): Promise<void> {
  const { deps, chat, view, paint } = terminal;
  const shell = new AbortController();
  terminal.shell = shell;
  const cancel = deps.io.clock.after(SLOW_MS, () => view.print(paint("dim", "· Running. Esc stops the command.")));
  try {
    const { text } = await deps.deputy.userTools(chat.workspace).runCommand(command, shell.signal);
    printText(terminal, text);
    view.print(paint("dim", "· The output goes with your next message."));
    terminal.outputs.push(`The user ran this command in the workspace:\n\n${command}\n\nIts output:\n\n${text}`);
  } catch (error) {
    printProblem(terminal, error);
  } finally {
    cancel();
    terminal.shell = undefined;
    showPrompt(terminal);
  }
}
