/** A chat at a terminal as one object: its parts, and the state that lines, keys and turns change. */
import { stateDir } from "../../../config/trust.ts";
import type { LiveChat, TurnOptions } from "../../../engine/chat.ts";
import type { Asker, ChatExtras, Delegation } from "../../../engine/engine.ts";
import type { Opened } from "../../../engine/setup/open-deputy.ts";
import { DeputyError } from "../../../errors.ts";
import { harmless } from "../../../text/spelled-text.ts";
import { present } from "../../../values/present.ts";
import { createApprovalPrompt, type OpenPrompt } from "../../approvals/approval-prompt.ts";
import { createRuleSaver } from "../../approvals/save-rule.ts";
import { promptIn } from "../../approvals/terminal-prompt.ts";
import { createPaint, type Io, isRichTerminal, type Paint } from "../../io.ts";
import { routeOf } from "../../terminal/follow.ts";
import { formatsMarkdown } from "../../terminal/markdown/answer-text.ts";
import { inRows } from "../../terminal/markdown/text-flow.ts";
import { createNotifier, type TerminalNotifier } from "../../terminal/notification.ts";
import { sizeOf } from "../../terminal/screen.ts";
import { wrapFor } from "../../terminal/word-wrap.ts";
import { type ChatView, createChatView } from "../chat-view.ts";
import { completeLine, completionSource } from "../completion.ts";
import { type History, openHistory } from "../keyboard/history.ts";
import { createKeyboard, type Keyboard } from "../keyboard/keyboard.ts";
import { unfolded } from "../keyboard/paste.ts";
import { type BackgroundWatch, createBackgroundWatch } from "./background-watch.ts";
import { type ChatSignal, type ChatState, nextState } from "./states.ts";

export type InteractiveDeps = {
  io: Io;
  deputy: Opened;
  chat: LiveChat;
  /** Opens a new conversation with the options of the given one. */
  resumeChat(chat: LiveChat): Promise<LiveChat>;
  turn: Omit<TurnOptions, "asker" | "beside">;
  /** Creates the tools of the chat's agent. */
  extrasFor(onStarted: (runId: string) => void): ChatExtras;
  verbose: boolean;
  /** The config that was named. */
  config: string | undefined;
};

export type ActiveTurn = {
  /** Undefined until the turn has started. */
  delegation: Delegation | undefined;
  /** Of each message sent to the turn: its text if the turn ended before the model received it. */
  steered: Promise<string | undefined>[];
  /** The user has stopped it with a key. */
  isStopped: boolean;
};

export type TerminalChat = {
  readonly deps: InteractiveDeps;
  readonly paint: Paint;
  readonly history: History;
  readonly keyboard: Keyboard;
  readonly view: ChatView;
  readonly asker: Asker;
  readonly background: BackgroundWatch;
  /** Tools and hints for the agent. */
  readonly extras: ChatExtras;
  readonly notifier: TerminalNotifier;
  /** Delegations that were asked to stop. */
  readonly stopped: Set<string>;
  /** Settles with the exit code. */
  readonly exited: PromiseWithResolvers<number>;
  state: ChatState;
  /** Settles when the commands typed so far have run. */
  commands: Promise<void>;
  chat: LiveChat;
  turn: ActiveTurn | undefined;
  /** Stops the user's command that is running. */
  shell: AbortController | undefined;
  /** The user's editor has the terminal. */
  isEditing: boolean;
  /** Commands of the user and their outputs, for the next message that starts a turn. */
  outputs: string[];
  /** Lines that ended in a backslash. */
  draft: string;
};

export function createTerminalChat(deps: InteractiveDeps): TerminalChat {
  const { io, deputy, verbose } = deps;
  const { stdin: input, stdout: output, clock } = io;
  const paint = createPaint(output, io.env);
  const rich = isRichTerminal(output, io.env);
  const styled = formatsMarkdown(output, io.env);
  const history = openHistory(stateDir(io.env), (text) => deputy.routing().credentials.redact(text));
  const complete = (line: string) =>
    completeLine(
      line,
      completionSource(deputy, () => terminal.chat.workspace),
    );
  const keyboard = createKeyboard({
    input,
    output,
    rich,
    history: history.entries,
    complete,
    keepsDrafts: rich,
    questionsInView: rich,
    clock,
  });
  const typed = () => unfolded(terminal.draft + keyboard.typed);
  const view = createChatView({ output, paint, clock, rich, styled, verbose, asksHere: true, typed });
  const notifier = createNotifier(output, io.env, deputy.loadConfig().config.notify);
  const background = createBackgroundWatch({
    engine: deputy.engine,
    paint,
    columns: () => sizeOf(output).columns,
    print: (line) => printAside(terminal, line),
  });
  const terminal: TerminalChat = {
    deps,
    paint,
    history,
    keyboard,
    view,
    asker: createAsker(deps, () => terminal),
    background,
    extras: deps.extrasFor(background.watch),
    notifier,
    stopped: new Set(),
    exited: Promise.withResolvers(),
    state: "idle",
    commands: Promise.resolve(),
    chat: deps.chat,
    turn: undefined,
    shell: undefined,
    isEditing: false,
    outputs: [],
    draft: "",
  };
  return terminal;
}

/** Asks for approvals in the redrawn rows of the turn, or below its text if nothing is redrawn. */
function createAsker({ io, deputy, config }: InteractiveDeps, terminal: () => TerminalChat): Asker {
  return createApprovalPrompt({
    byKey: isRichTerminal(io.stdout, io.env),
    saver: createRuleSaver({ ...io, ...present({ explicitPath: config }) }),
    routeOf: async (childId) => routeOf((await deputy.engine.run(childId)).run, childId),
    stopTurn: () => void interruptTurn(terminal(), "Esc"),
    open(childId) {
      const { state, view, keyboard, notifier } = terminal();
      if (state === "stopping") return undefined;
      signal(terminal(), "ask");
      notifier.asked(childId);
      const question = view.openQuestion?.();
      const prompt = question === undefined ? promptBelow(terminal()) : promptIn(question, keyboard);
      return {
        ...prompt,
        close() {
          prompt.close();
          signal(terminal(), "answer");
        },
      };
    },
  });
}

function promptBelow({ deps, paint, view, keyboard }: TerminalChat): OpenPrompt {
  view.pause();
  return {
    output: deps.io.stdout,
    paint,
    readAnswer: (prompt, aborted) => keyboard.ask(prompt, aborted, "line"),
    close: view.resume,
  };
}

export function signal(terminal: TerminalChat, what: ChatSignal): void {
  terminal.state = nextState(terminal.state, what);
}

/** Prints a line that nobody waits for: above the prompt while the chat waits for a message. */
export function printAside({ state, keyboard, view, deps }: TerminalChat, line: string): void {
  if (state === "idle" || state === "confirming") keyboard.above(`${wrapFor(deps.io.stdout, line)}\n`);
  else if (state !== "leaving") view.print(line);
}

/** Shows the prompt if the chat waits for a message. */
export function showPrompt({ state, keyboard, draft, paint }: TerminalChat): void {
  if (state === "idle" || state === "confirming") keyboard.show(draft === "" ? `${paint("bold", ">")} ` : "… ");
}

/** Ends the chat. A running turn is stopped, and the record names who stopped it. */
export function leave(terminal: TerminalChat, code: number, by = "the user left"): void {
  signal(terminal, "leave");
  terminal.turn?.delegation?.stop(by).catch((error: unknown) => printProblem(terminal, error));
  terminal.exited.resolve(code);
}

/** Stops the turn and everything that it delegated. Returns false if it has not started. */
export function interruptTurn(terminal: TerminalChat, by: string): boolean {
  const { turn, view, paint } = terminal;
  if (turn?.delegation === undefined) return false;
  signal(terminal, "stop");
  turn.isStopped = true;
  turn.delegation.stop(by).catch((error: unknown) => printProblem(terminal, error));
  view.print(paint("yellow", `! Stopped with ${by}; the answer so far is kept.`));
  view.stopping();
  return true;
}

/** Prints a line of a text that may contain anything. */
export function printText({ view, deps }: TerminalChat, text: string): void {
  for (const row of inRows(harmless(text), sizeOf(deps.io.stdout).columns - 1)) view.print(row);
}

export function printProblem(terminal: TerminalChat, error: unknown): void {
  terminal.view.print(problemText(terminal, error).trimEnd());
}

/** The text of an expected error. Any other error ends the chat. */
export function problemText(terminal: TerminalChat, error: unknown): string {
  if (error instanceof DeputyError) return `${warningText(terminal, error.message)}\n`;
  terminal.exited.reject(error);
  return "";
}

export function warningText({ deps, paint }: TerminalChat, text: string): string {
  const rows = inRows(`! ${harmless(text)}`, sizeOf(deps.io.stdout).columns - 1);
  return rows.map((row) => paint("yellow", row)).join("\n");
}
