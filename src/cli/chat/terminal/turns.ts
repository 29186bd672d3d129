/** Turns of a chat at a terminal: a message and its answer, messages to a running turn, and stopping one. */
import { DeputyError, keyRemoved } from "../../../errors.ts";
import type { DelegationResult } from "../../../result.ts";
import type { Run } from "../../../run/run.ts";
import { harmless } from "../../../text/spelled-text.ts";
import { EXIT_INTERRUPTED } from "../../exit-codes.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { turnTotals } from "../chat-view.ts";
import { withMentionedFiles } from "../mentions.ts";
import { turnProblem } from "../turn-end.ts";
import {
  type ActiveTurn,
  interruptTurn,
  leave,
  printProblem,
  problemText,
  showPrompt,
  signal,
  type TerminalChat,
  warningText,
} from "./terminal-chat.ts";

/** Runs a turn to its end. Messages that arrived too late for it become the next turn. */
export async function runTurn(terminal: TerminalChat, message: string): Promise<void> {
  const { deps, keyboard, view, paint } = terminal;
  const { clock } = deps.io;
  const turn: ActiveTurn = { delegation: undefined, steered: [], isStopped: false };
  terminal.turn = turn;
  signal(terminal, "begin");
  keyboard.hide();
  const startedAt = clock.now();
  let ending: string;
  try {
    view.beginTurn(await runSoFar(terminal));
    const { run, result } = await takeTurn(terminal, turn, message);
    const tookMs = clock.now() - startedAt;
    ending = endingText(terminal, turn, { run, result, tookMs });
    if (terminal.state !== "leaving") terminal.notifier.ended(run, tookMs);
  } catch (error) {
    ending = problemText(terminal, error).trimEnd();
  } finally {
    view.endTurn();
    terminal.turn = undefined;
    signal(terminal, "end");
  }
  view.print(`${ending}\n`);
  const missed = (await Promise.all(turn.steered)).filter((text) => text !== undefined);
  if (missed.length === 0 || terminal.state === "leaving") return showPrompt(terminal);
  view.print(paint("dim", "The turn ended before it received this; it becomes the next message:"));
  view.print(`${paint("bold", ">")} ${harmless(missed.join("\n"))}`);
  await runTurn(terminal, missed.join("\n"));
}

async function runSoFar({ chat: { id }, deps: { deputy } }: TerminalChat): Promise<Run | undefined> {
  return id === undefined ? undefined : (await deputy.engine.run(id)).run;
}

async function takeTurn(
  terminal: TerminalChat,
  turn: ActiveTurn,
  message: string,
): Promise<{ run: Run; result: DelegationResult }> {
  const { chat, deps, asker, extras, view } = terminal;
  await terminal.commands; // The output of the user's last command belongs to the message.
  const text = await withFiles(terminal, message);
  const delegation = await chat.say([text, ...terminal.outputs.splice(0)].join("\n\n"), {
    ...deps.turn,
    words: message,
    asker,
    beside: extras,
  });
  turn.delegation = delegation;
  await delegation.follow(({ event, run }) => view.onEvent(event, run));
  return { run: delegation.run, result: await delegation.result };
}

/** The message with the files that it mentions. */
async function withFiles(terminal: TerminalChat, message: string): Promise<string> {
  const { chat, deps, view } = terminal;
  if (!message.includes("@")) return message;
  const tools = deps.deputy.userTools(chat.workspace);
  const { text, problems } = await withMentionedFiles(message, tools, new AbortController().signal);
  for (const problem of problems) view.print(warningText(terminal, problem));
  return text;
}

type TurnEnd = { run: Run; result: DelegationResult; tookMs: number };

/** A stop with a key has said so. */
function endingText(terminal: TerminalChat, { isStopped }: ActiveTurn, { run, result, tookMs }: TurnEnd): string {
  const [session] = result.results;
  const isSaid = isStopped && session?.status === "interrupted";
  const problem = isSaid ? undefined : session && turnProblem(session, run);
  return problem === undefined ? terminal.paint("dim", turnTotals(run, tookMs)) : warningText(terminal, problem);
}

/** Sends a message to the running turn; it becomes the next turn if this one ends first. */
export async function steerTurn(terminal: TerminalChat, turn: ActiveTurn, text: string): Promise<void> {
  const { view, paint } = terminal;
  const { engine } = terminal.deps.deputy;
  if (turn.delegation === undefined) return void turn.steered.push(Promise.resolve(text));
  try {
    const whole = await withFiles(terminal, text);
    const receipt = await engine.steer(`${turn.delegation.id}.1`, whole, "the user", undefined, text);
    view.print(paint("dim", `> ${oneLine(text)} (sent with the next request)`));
    if (receipt.keyRemoved) view.print(warningText(terminal, keyRemoved("The message").message));
    const settled = engine.settleSteer(receipt, new AbortController().signal);
    turn.steered.push(settled.then(({ state }) => (state === "delivered" ? undefined : text)));
  } catch (error) {
    if (!(error instanceof DeputyError) || error.code !== "run-ended") return printProblem(terminal, error);
    turn.steered.push(Promise.resolve(text));
  }
}

/** Stops the delegations or, the next time, the turn. A turn that has not started cannot be stopped: the chat ends. */
export function stopTurn(terminal: TerminalChat): void {
  if (stopDelegations(terminal) || interruptTurn(terminal, "Ctrl-C")) return;
  leave(terminal, EXIT_INTERRUPTED);
}

/** Returns false if no delegation is running that was not asked to stop before. */
function stopDelegations(terminal: TerminalChat): boolean {
  const { view, stopped, paint } = terminal;
  const { engine } = terminal.deps.deputy;
  const running = view.delegations();
  if (running.every((id) => stopped.has(id))) return false;
  for (const id of running) {
    stopped.add(id);
    engine.stop(id, "Ctrl-C").catch((error: unknown) => printProblem(terminal, error));
  }
  view.print(paint("yellow", "! Stopped the delegations; finished work is kept. Press Ctrl-C again to stop the turn."));
  return true;
}
