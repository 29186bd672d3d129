/** Sends one message and prints its answer, for scripts: only the answer goes to stdout, progress to stderr. */
import { text } from "node:stream/consumers";
import type { LiveChat, TurnOptions } from "../../engine/chat.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { DeputyError } from "../../errors.ts";
import { isStored } from "../../event.ts";
import { jsonDocument, jsonLine } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { createRuleSaver } from "../approvals/save-rule.ts";
import { approvalPromptOn } from "../approvals/terminal-prompt.ts";
import { EXIT_COMPLETED, EXIT_INTERRUPTED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { createPaint, type Io, isRichTerminal } from "../io.ts";
import { routeOf } from "../terminal/follow.ts";
import { answerTextOn } from "../terminal/markdown/answer-text.ts";
import { createNotifier } from "../terminal/notification.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { screenOf, userTerminal } from "../terminal/user-terminal.ts";
import { createChatView } from "./chat-view.ts";
import { turnProblem } from "./turn-end.ts";

/** Silence of standard input after which a note says what is awaited. */
const SILENT_MS = 3_000;

export type HeadlessDeps = {
  io: Io;
  deputy: Opened;
  chat: LiveChat;
  message: string;
  json?: true | undefined;
  ndjson?: true | undefined;
  verbose: boolean;
  /** The config that was named. */
  config: string | undefined;
  turn: Omit<TurnOptions, "asker">;
};

export async function chatOnce({
  io,
  deputy,
  chat,
  message,
  json,
  ndjson,
  verbose,
  config,
  turn,
}: HeadlessDeps): Promise<number> {
  const output = io.stderr;
  const paint = createPaint(output, io.env);
  const rich = isRichTerminal(output, io.env);
  const terminal = userTerminal(io, output);
  const view = createChatView({
    output,
    paint,
    clock: io.clock,
    rich,
    styled: false,
    verbose,
    asksHere: terminal !== undefined,
  });
  const notifier = createNotifier(screenOf(io, output), io.env, deputy.loadConfig().config.notify);
  const routeOfChild = async (childId: string) => routeOf((await deputy.engine.run(childId)).run, childId);
  const asker =
    terminal &&
    approvalPromptOn(
      terminal,
      { view, notifier, saver: createRuleSaver({ ...io, ...present({ explicitPath: config }) }) },
      routeOfChild,
    );
  for (const warning of chat.route.warnings) view.print(paint("yellow", `! ${oneLine(warning.message)}`));
  const isFirst = chat.id === undefined;
  const delegation = await chat.say(message, { ...turn, ...present({ asker }) });
  let interrupts = 0;
  const exited = Promise.withResolvers<undefined>();
  const unsubscribe = io.onInterrupt((by) => {
    interrupts += 1;
    if (interrupts > 1) exited.resolve(undefined);
    void delegation.stop(by).catch(() => exited.resolve(undefined));
  });
  function line(value: object): void {
    io.stdout.write(jsonLine(value));
  }

  async function watch() {
    await delegation.follow(({ event, run }) => {
      view.onEvent(event, run);
      if (ndjson && isStored(event)) line(event);
    });
    return delegation.result;
  }

  const beganAt = io.clock.elapsed();
  view.beginTurn(isFirst ? undefined : delegation.run);
  try {
    const result = await Promise.race([watch(), exited.promise]);
    const [session] = result?.results ?? [];
    if (result === undefined || session === undefined || view.run === undefined) return EXIT_INTERRUPTED;
    view.endTurn();
    if (interrupts === 0) notifier.ended(view.run, io.clock.elapsed() - beganAt);
    if (json) io.stdout.write(jsonDocument(result));
    else if (ndjson) line({ kind: "result", ...result });
    else if (session.summary !== "") io.stdout.write(`${answerTextOn(io.stdout, io.env)(session.summary)}\n`);
    const problem = turnProblem(session, view.run);
    if (problem === undefined) return EXIT_COMPLETED;
    output.write(`deputy: ${problem}\n`);
    return interrupts > 0 ? EXIT_INTERRUPTED : EXIT_NOT_COMPLETED;
  } finally {
    view.endTurn();
    unsubscribe();
  }
}

/** `words`: the user's own part of it. Input that is piped to an argument is data. */
export type GivenMessage = { message: string; words: string };

/** The message: the argument, followed by piped input. @throws DeputyError `usage` if both are empty */
export async function messageFor(written: string | undefined, io: Io): Promise<GivenMessage> {
  const piped = io.stdin.isTTY === true ? "" : await readAll(io);
  const [words = "", ...data] = [written === "-" ? "" : (written ?? ""), piped].filter((part) => part.trim() !== "");
  if (words !== "") return { message: [words, ...data].join("\n\n").trimEnd(), words };
  throw new DeputyError("usage", 'Expected a message: deputy chat -p "…", or one on standard input. Found nothing.');
}

async function readAll({ stdin, stderr, clock }: Io): Promise<string> {
  const hint = "deputy: Waiting for the end of standard input. If there is no input, use < /dev/null\n";
  const cancel = clock.after(SILENT_MS, () => stderr.write(hint));
  try {
    return await text(stdin);
  } finally {
    cancel();
  }
}
