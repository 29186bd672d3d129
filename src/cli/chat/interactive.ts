/**
 * A chat at a terminal: lines in, turns out. Lines typed during a turn reach the model with its next request, or become
 * the next message if the turn ends first. Ctrl-C stops the delegations, then the turn, then the chat.
 */

import type { Chat } from "../../engine/chat.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { EXIT_COMPLETED, EXIT_INTERRUPTED } from "../exit-codes.ts";
import type { Io, Paint } from "../io.ts";
import { formatRoute } from "../terminal/format.ts";
import { answerTextOn } from "../terminal/markdown/answer-text.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";
import { editMessage } from "./terminal/message-editor.ts";
import {
  createTerminalChat,
  type InteractiveDeps,
  leave,
  showPrompt,
  type TerminalChat,
} from "./terminal/terminal-chat.ts";
import { onEscape, onInterrupt, onLine } from "./terminal/typing.ts";

export async function chatAtTerminal(deps: InteractiveDeps): Promise<number> {
  const { io } = deps;
  const terminal = createTerminalChat(deps);
  const { keyboard, view, background, paint, exited } = terminal;
  const greeted = await greeting(terminal, deps);
  keyboard.listen({
    onLine: (line) => onLine(terminal, line),
    onInterrupt: () => onInterrupt(terminal),
    onEscape: () => onEscape(terminal),
    onEdit: () => void editMessage(terminal),
    onEnd: () => leave(terminal, EXIT_COMPLETED),
  });
  const unsubscribe = io.onInterrupt((by) =>
    by === "Ctrl-C" ? onInterrupt(terminal) : leave(terminal, EXIT_INTERRUPTED, by),
  );
  io.stdout.write(greeted);
  await background.watchStartedBy(terminal.chat.id);
  showPrompt(terminal);
  try {
    const code = await exited.promise;
    // Commands that were piped in come before the end of the input.
    if (code === EXIT_COMPLETED) await terminal.commands;
    return code;
  } finally {
    unsubscribe();
    background.close();
    view.pause();
    keyboard.close();
    io.stdout.write(wrapFor(io.stdout, farewell(terminal.chat, paint)));
  }
}

async function greeting({ chat, paint }: TerminalChat, { io, deputy }: InteractiveDeps): Promise<string> {
  const { id, route, workspace } = chat;
  const head = `${paint("bold", "Deputy chat")} · ${oneLine(formatRoute(route))}${id === undefined ? "" : ` · run ${id}`}`;
  const warnings = route.warnings.map(({ message }) => paint("yellow", `! ${oneLine(message)}`));
  const hint = paint("dim", `/help lists the commands; Ctrl-D exits. Working in ${oneLine(workspace)}`);
  const closing = id === undefined ? [] : await closingLines(id, deputy.engine, io, paint);
  return `${wrapFor(io.stdout, [head, ...warnings, hint, ...closing].join("\n"))}\n\n`;
}

/** Shows where a continued conversation was left. */
async function closingLines(id: string, engine: Opened["engine"], io: Io, paint: Paint): Promise<string[]> {
  const { run } = await engine.run(id);
  const ending = run.children[0]?.tally.ending;
  if (ending === undefined) return [paint("yellow", "! The last turn was cut short. Say how to continue.")];
  const text = answerTextOn(io.stdout, io.env)(ending.text);
  return text === "" ? [] : ["", text];
}

function farewell({ id }: Chat, paint: Paint): string {
  return id === undefined ? "\n" : `\n${paint("dim", `Continue with: deputy chat --resume ${id}`)}\n`;
}
