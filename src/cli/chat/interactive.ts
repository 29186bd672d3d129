/**
 * A chat at a terminal: lines in, turns out. What is typed while a turn runs reaches the model with its next request, or
 * becomes the next message where the turn was over first. Ctrl-C stops what was delegated, then the turn, then the chat.
 */

import { stateDir } from "../../config/trust.ts";
import type { LiveChat, TurnOptions } from "../../engine/chat.ts";
import type { Delegation } from "../../engine/engine.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { DeputyError } from "../../errors.ts";
import type { DelegationResult } from "../../result.ts";
import { EFFORTS } from "../../route.ts";
import type { Run } from "../../run/run.ts";
import { createApprovalPrompt } from "../approvals/approval-prompt.ts";
import { EXIT_COMPLETED, EXIT_INTERRUPTED } from "../exit-codes.ts";
import { createPaint, type Io, isRichTerminal, type Paint } from "../io.ts";
import { routeOf } from "../terminal/follow.ts";
import { formatRoute } from "../terminal/format.ts";
import { sizeOf } from "../terminal/screen.ts";
import { harmless, oneLine } from "../terminal/terminal-text.ts";
import { createChatView, turnTotals } from "./chat-view.ts";
import { completeLine } from "./completion.ts";
import { openHistory } from "./history.ts";
import { createKeyboard } from "./keyboard.ts";
import { unfolded } from "./paste.ts";
import { type CommandContext, isSlashCommand, runSlashCommand, SLASH_COMMANDS } from "./slash-commands.ts";
import { inRows } from "./text-flow.ts";
import { turnProblem } from "./turn-end.ts";

export type InteractiveDeps = {
  io: Io;
  deputy: Opened;
  chat: LiveChat;
  /** A new conversation like the one that was opened. */
  resumeChat(chat: LiveChat): Promise<LiveChat>;
  turn: Omit<TurnOptions, "asker">;
  verbose: boolean;
};

type ActiveTurn = { delegation: Delegation | undefined; isStopping: boolean; steered: Promise<string | undefined>[] };

export async function chatAtTerminal(deps: InteractiveDeps): Promise<number> {
  const { io, deputy } = deps;
  const { engine } = deputy;
  const output = io.stdout;
  const paint = createPaint(output, io.env);
  const rich = isRichTerminal(output, io.env);
  const history = openHistory(stateDir(io.env), (text) => deputy.routing().credentials.redact(text));
  const exited = Promise.withResolvers<number>();
  const keyboard = createKeyboard({
    input: io.stdin,
    output,
    rich,
    history: history.entries,
    complete,
    keepsDrafts: rich,
    clock: io.clock,
  });
  const view = createChatView({
    output,
    paint,
    clock: io.clock,
    rich,
    verbose: deps.verbose,
    asksHere: true,
    typed: () => unfolded(draft + keyboard.typed),
  });
  const asker = createApprovalPrompt({
    readAnswer: keyboard.ask,
    output,
    paint,
    routeOf: (childId) => routeOf(engine.run(childId).run, childId),
    onAsk: view.pause,
    onAnswered: view.resume,
  });
  let { chat } = deps;
  let turn: ActiveTurn | undefined;
  /** Lines that ended in a backslash. */
  let draft = "";
  let isLeaving = false;
  let wasInterrupted = false;
  /** Delegations that were asked to stop. */
  const stopped = new Set<string>();

  const commands: CommandContext = {
    deputy,
    io,
    paint,
    chat: () => chat,
    running: view.delegations,
    async begin() {
      if (turn !== undefined)
        throw new DeputyError("usage", "A turn is under way: wait for it, or stop it with Ctrl-C.");
      chat = await deps.resumeChat(chat);
    },
    leave: () => leave(EXIT_COMPLETED),
  };

  // The keyboard ------------------------------------------------------------------------------------------------------

  function ready(): void {
    if (!isLeaving && turn === undefined) keyboard.show(draft === "" ? `${paint("bold", ">")} ` : "… ");
  }

  function onLine(line: string) {
    wasInterrupted = false;
    if (line.endsWith("\\")) {
      draft += `${line.slice(0, -1)}\n`;
      return ready();
    }
    const message = unfolded(draft + line);
    draft = "";
    if (message.trim() === "") return ready();
    history.add(message);
    void (isSlashCommand(message) ? command(message) : turn === undefined ? converse(message) : steer(message, turn));
  }

  async function command(line: string): Promise<void> {
    const text = await runSlashCommand(line.trim(), commands).catch(problemText);
    for (const row of text.replace(/\n$/, "").split("\n")) if (text !== "") view.print(row);
    ready();
  }

  function onInterrupt() {
    if (turn !== undefined) return stop(turn);
    if (draft !== "" || keyboard.typed !== "") {
      draft = "";
      keyboard.clear();
      output.write("\n");
      return ready();
    }
    if (wasInterrupted) return leave(EXIT_INTERRUPTED);
    wasInterrupted = true;
    output.write(`\n${paint("dim", "Ctrl-C again, or Ctrl-D, leaves.")}\n`);
    ready();
  }

  /** First what was delegated, then the turn, then the program. */
  function stop(current: ActiveTurn) {
    const children = view.delegations();
    if (children.length > 0 && !current.isStopping && !children.every((id) => stopped.has(id))) {
      for (const id of children) stopped.add(id);
      for (const id of children) engine.stop(id, "Ctrl-C").catch(cannotStop);
      return view.print(
        paint("yellow", "! Stopping what was delegated; what is done is kept. Ctrl-C again stops the turn."),
      );
    }
    if (current.isStopping || current.delegation === undefined) return leave(EXIT_INTERRUPTED);
    current.isStopping = true;
    current.delegation.stop("Ctrl-C").catch(cannotStop);
    view.print(paint("yellow", "! Stopping the turn; what was said is kept. Ctrl-C again leaves."));
  }
  function cannotStop(error: unknown): void {
    view.print(problemText(error).trimEnd());
  }

  /** A turn under way ends with it, and says by whom. */
  function leave(code: number, by = "the user left"): void {
    isLeaving = true;
    turn?.delegation?.stop(by).catch(cannotStop);
    exited.resolve(code);
  }

  function complete(line: string): [string[], string] {
    const { routing, loadConfig } = deputy;
    return completeLine(line, {
      commands: Object.keys(SLASH_COMMANDS),
      models: () => [
        ...Object.keys(loadConfig().config.models),
        ...routing()
          .candidates()
          .map(({ model }) => model),
      ],
      providers: () =>
        routing()
          .credentials.usable()
          .map(({ slug }) => slug),
      efforts: EFFORTS,
      runs: () =>
        engine.runs().flatMap(({ run }) => [run.delegationId, ...run.children.map(({ tally }) => tally.childId)]),
    });
  }

  // Turns -------------------------------------------------------------------------------------------------------------

  async function converse(message: string): Promise<void> {
    const current: ActiveTurn = { delegation: undefined, isStopping: false, steered: [] };
    turn = current;
    keyboard.hide();
    view.beginTurn(chat.id === undefined ? undefined : engine.run(chat.id).run);
    const beganAt = io.clock.now();
    let last: string | undefined;
    try {
      const { run, result } = await takeTurn(message, current);
      const [session] = result.results;
      last = session && turnProblem(session, run);
      last = last === undefined ? paint("dim", turnTotals(run, io.clock.now() - beganAt)) : warned(last);
    } catch (error) {
      last = problemText(error).trimEnd();
    } finally {
      view.endTurn();
      turn = undefined;
    }
    output.write(`${last}\n\n`);
    const missed = (await Promise.all(current.steered)).filter((text) => text !== undefined);
    if (missed.length === 0 || isLeaving) return ready();
    output.write(`${paint("dim", "The turn was over before it heard this; it is the next message:")}\n`);
    output.write(`${paint("bold", ">")} ${harmless(missed.join("\n"))}\n`);
    await converse(missed.join("\n"));
  }

  async function takeTurn(message: string, current: ActiveTurn): Promise<{ run: Run; result: DelegationResult }> {
    const delegation = await chat.say(message, { ...deps.turn, asker });
    current.delegation = delegation;
    await delegation.follow(({ event, run }) => view.onEvent(event, run));
    return { run: delegation.run, result: await delegation.result };
  }

  /** Said to the turn under way. @see ActiveTurn.steered what becomes of it: the text where the turn was over first */
  async function steer(text: string, current: ActiveTurn): Promise<void> {
    if (current.delegation === undefined) return void current.steered.push(Promise.resolve(text));
    try {
      const receipt = await engine.steer(`${current.delegation.id}.1`, text, "the user");
      view.print(paint("dim", `> ${oneLine(text)} (goes with its next request)`));
      const settled = engine.settleSteer(receipt, new AbortController().signal);
      current.steered.push(settled.then(({ state }) => (state === "delivered" ? undefined : text)));
    } catch (error) {
      if (!(error instanceof DeputyError) || error.code !== "run-ended")
        return view.print(problemText(error).trimEnd());
      current.steered.push(Promise.resolve(text));
    }
  }

  function problemText(error: unknown): string {
    if (!(error instanceof DeputyError)) exited.reject(error);
    else return `${warned(error.message)}\n`;
    return "";
  }

  function warned(text: string): string {
    const rows = inRows(`! ${harmless(text)}`, sizeOf(output).columns - 1);
    return rows.map((row) => paint("yellow", row)).join("\n");
  }

  keyboard.listen({ onLine, onInterrupt, onEnd: () => leave(EXIT_COMPLETED) });
  const unsubscribe = io.onInterrupt((by) => (by === "Ctrl-C" ? onInterrupt() : leave(EXIT_INTERRUPTED, by)));
  output.write(greeting(chat, deputy, paint));
  ready();
  try {
    return await exited.promise;
  } finally {
    unsubscribe();
    view.pause();
    keyboard.close();
    output.write(farewell(chat, paint));
  }
}

function greeting({ id, route, workspace }: LiveChat, { engine }: Opened, paint: Paint): string {
  const head = `${paint("bold", "Deputy chat")} · ${oneLine(formatRoute(route))}${id === undefined ? "" : ` · run ${id}`}`;
  const warnings = route.warnings.map(({ message }) => paint("yellow", `! ${oneLine(message)}`));
  const hint = paint("dim", `/help lists the commands; Ctrl-D leaves. It works in ${oneLine(workspace)}`);
  return `${[head, ...warnings, hint, ...(id === undefined ? [] : closingLines(id, engine, paint))].join("\n")}\n\n`;
}

/** Where a conversation that goes on was left. */
function closingLines(id: string, engine: Opened["engine"], paint: Paint): string[] {
  const { run } = engine.run(id);
  const ending = run.children[0]?.tally.ending;
  if (ending === undefined) return [paint("yellow", "! Its last turn was cut short. Say what to do next.")];
  const text = harmless(ending.text).trim();
  return text === "" ? [] : ["", text];
}

function farewell({ id }: LiveChat, paint: Paint): string {
  return id === undefined ? "\n" : `\n${paint("dim", `Go on with: deputy chat --resume ${id}`)}\n`;
}
