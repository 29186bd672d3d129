/** Handles a line and Ctrl-C in each state of a chat at a terminal. */
import { EXIT_INTERRUPTED } from "../../exit-codes.ts";
import { unfolded } from "../keyboard/paste.ts";
import { isSlashCommand } from "../slash-commands.ts";
import { queueCommand } from "./commands.ts";
import { queueShellCommand } from "./shell-commands.ts";
import type { ChatState } from "./states.ts";
import { interruptTurn, leave, showPrompt, signal, type TerminalChat, warningText } from "./terminal-chat.ts";
import { runTurn, steerTurn, stopTurn } from "./turns.ts";

const ON_MESSAGE: Record<ChatState, (terminal: TerminalChat, message: string) => unknown> = {
  idle: runTurn,
  confirming: runTurn,
  running: steer,
  approving: steer,
  stopping: steer,
  leaving() {},
};

const ON_INTERRUPT: Record<ChatState, (terminal: TerminalChat) => void> = {
  idle: offerToLeave,
  confirming: (terminal) => leave(terminal, EXIT_INTERRUPTED),
  running: stopTurn,
  approving: stopTurn,
  stopping: (terminal) => leave(terminal, EXIT_INTERRUPTED),
  leaving() {},
};

export function onLine(terminal: TerminalChat, line: string): void {
  signal(terminal, "line");
  const message = completeMessage(terminal, line);
  if (message === undefined) {
    showPrompt(terminal);
    return;
  }
  terminal.history.add(message);
  const [, command] = /^!\s*(.*)$/s.exec(message) ?? [];
  if (command === "") sayHowToRun(terminal);
  else if (command !== undefined) queueShellCommand(terminal, command);
  else if (isSlashCommand(message)) queueCommand(terminal, message);
  else ON_MESSAGE[terminal.state](terminal, message);
}

/** Returns the message that ends with this line; undefined if it is empty or continues on the next line. */
function completeMessage(terminal: TerminalChat, line: string): string | undefined {
  if (line.endsWith("\\")) {
    terminal.draft += `${line.slice(0, -1)}\n`;
    return undefined;
  }
  const message = unfolded(terminal.draft + line);
  terminal.draft = "";
  return message.trim() === "" ? undefined : message;
}

export function onInterrupt(terminal: TerminalChat): void {
  const isWaiting = terminal.state === "idle" || terminal.state === "confirming";
  if (terminal.isEditing) return; // Ctrl-C is the editor's.
  if (terminal.shell !== undefined) terminal.shell.abort();
  else if (isWaiting && clearTyped(terminal)) showPrompt(terminal);
  else ON_INTERRUPT[terminal.state](terminal);
}

/** Esc stops the user's command, or the turn with its delegations, and nothing else. */
export function onEscape(terminal: TerminalChat): void {
  if (terminal.shell !== undefined) terminal.shell.abort();
  else if (terminal.state === "running") interruptTurn(terminal, "Esc");
}

function sayHowToRun(terminal: TerminalChat): void {
  terminal.view.print(warningText(terminal, "Expected a command after the exclamation mark, such as !git status."));
  showPrompt(terminal);
}

function steer(terminal: TerminalChat, message: string): void {
  if (terminal.turn !== undefined) void steerTurn(terminal, terminal.turn, message);
}

/** Returns false if nothing was typed. */
function clearTyped(terminal: TerminalChat): boolean {
  const { keyboard, deps } = terminal;
  if (terminal.draft === "" && keyboard.typed === "") return false;
  terminal.draft = "";
  keyboard.clear();
  deps.io.stdout.write("\n");
  return true;
}

function offerToLeave(terminal: TerminalChat): void {
  signal(terminal, "interrupt");
  terminal.deps.io.stdout.write(`\n${terminal.paint("dim", "Press Ctrl-C again, or Ctrl-D, to exit.")}\n`);
  showPrompt(terminal);
}
