/** `deputy chat`: a conversation with an agent that can delegate; at a terminal, or one message for a script. */
import { Option } from "commander";
import type { ChatOptions, LiveChat } from "../../engine/chat.ts";
import { openChat } from "../../engine/chat.ts";
import type { Engine } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { EFFORTS } from "../../route.ts";
import { isConversation } from "../../run/run.ts";
import { present } from "../../values/present.ts";
import {
  ALLOW_OPTION,
  CONCURRENCY_OPTION,
  CONFIG_OPTION,
  type Context,
  type Declare,
  examples,
  SPAWN_DEPTH_OPTION,
  usdAmount,
  WAIT_FOR_APPROVAL_OPTION,
  withDeputy,
  withSpawnDepth,
} from "../command.ts";
import { workspaceOf } from "../commands/run.ts";
import { withProvider } from "../input/which-provider.ts";
import { type RouteFlags, type WorkFlags, wishOf, workOptions } from "../work-flags.ts";
import type { GivenMessage } from "./headless.ts";

type ChatFlags = RouteFlags &
  WorkFlags & {
    print?: string | true;
    json?: true;
    ndjson?: true;
    toolsets?: string[];
    maxCost?: number;
    continue?: true;
    resume?: string;
    workspace?: string;
    verbose?: true;
  };

const HELP = `
/help lists the commands of the terminal chat. The agent has the tools of a child, and delegate_task to run tasks on
other models. You see its children as they work. A conversation is a run: deputy runs, show, watch and stop accept it,
and --continue or --resume continue it in any process.

-p sends one message and prints only the answer to stdout; progress goes to stderr. Piped input is the message, or is
appended to the -p message. --json prints the same document as deputy run: the answer is results[0].summary, the
conversation is delegation_id. --ndjson prints one line per stored event, including those of delegated tasks, and ends
with { "kind": "result", … }, which contains the same document.

Children run on the route that delegation: in the config sets, else on the model of the chat. A task can set its own.
/model and the flags change only this conversation, never a config.

Ctrl-C stops delegated work first, then the turn, then the program.

Exit codes: 0 exited or answered · 1 no complete answer · 2 invalid input · 3 no model to run on · 130 interrupted.`;

export const declareChat: Declare = (command, context) => {
  command
    .description("Chat with an agent that can delegate tasks to other models.")
    .option("-p, --print [message]", "send one message and print only the answer; - or no value: standard input")
    .addOption(new Option("--json", "with -p: the result as JSON").conflicts("ndjson"))
    .option("--ndjson", "with -p: events and result as JSON lines")
    .option("-m, --model <model>", "model of the chat: an id, an alias, a family, or `x --provider y`")
    .option("--provider <slug>", "provider of the chat")
    .addOption(new Option("-e, --effort <effort>", "reasoning effort of the chat").choices(EFFORTS))
    .addOption(new Option("--toolsets <names>", "comma-separated toolsets of the agent, or `none`").argParser(names))
    .option(...ALLOW_OPTION)
    .option("--max-cost <usd>", "maximum cost of the conversation, including delegated tasks", usdAmount)
    .option(...CONCURRENCY_OPTION)
    .option(...SPAWN_DEPTH_OPTION)
    .addOption(new Option("--continue", "continue the last conversation of this directory").conflicts("resume"))
    .addOption(new Option("--resume <id>", "continue this conversation").conflicts("toolsets"))
    .option("-w, --workspace <dir>", "directory its tools work in (default: this one)")
    .option(...WAIT_FOR_APPROVAL_OPTION)
    .option("-v, --verbose", "also show requests and approvals")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["deputy chat", "start a conversation"],
        ["deputy chat --model opus", "use the newest model of a family"],
        ['deputy chat -p "What does this project do?"', "one question, one answer"],
        ['git diff | deputy chat -p "Review this"', "ask about piped input"],
        ["deputy chat --continue", "where you left"],
      ])}`,
    )
    .action(async (flags: ChatFlags) =>
      context.exitWith(await chat(flags, withSpawnDepth(context, flags.maxSpawnDepth))),
    );
};

async function chat(flags: ChatFlags, context: Context): Promise<number> {
  const { io } = context;
  const isOnce = flags.print !== undefined || io.stdin.isTTY !== true;
  if (!isOnce && (flags.json || flags.ndjson))
    throw usage("--json and --ndjson go with -p, or with a message that is piped in.");
  if (!isOnce && io.stdout.isTTY !== true)
    throw usage('A chat needs a terminal for what it shows. For a script: deputy chat -p "…"');
  if (flags.continue && flags.toolsets) throw usage("A continued conversation keeps its toolsets. Remove --toolsets.");
  const workspace = await workspaceOf(flags, io);
  return withDeputy(context, flags.config, async (deputy) => {
    const { engine } = deputy;
    const given = isOnce ? await messageOf(flags, context) : undefined;
    const isNew = !flags.continue && flags.resume === undefined;
    const first = { call: { tasks: [{ goal: "" }] }, flags, workspace, isConversation: true as const };
    const route = isNew ? await withProvider(deputy, first, io) : flags;
    const options = await chatOptions({ ...flags, ...route }, workspace, engine);
    const opened = await openChat(engine, options);
    const { createChatExtras } = await import("./background-runs.ts");
    const turn = workOptions(flags);
    const verbose = flags.verbose === true;
    if (given !== undefined) {
      const { chatOnce } = await import("./headless.ts");
      const { json, ndjson } = flags;
      const beside = createChatExtras(deputy, io, flags.config);
      return chatOnce({
        io,
        deputy,
        chat: opened,
        message: given.message,
        json,
        ndjson,
        verbose,
        config: flags.config,
        turn: { ...turn, beside, words: given.words },
      });
    }
    const { chatAtTerminal } = await import("./interactive.ts");
    const { id: _, ...fresh } = options;
    const resumeChat = async ({ route: { provider, model, effort } }: LiveChat) =>
      openChat(engine, { ...fresh, wish: { provider, model, ...present({ effort }) } });
    return chatAtTerminal({
      io,
      deputy,
      chat: opened,
      resumeChat,
      extrasFor: (onStarted) => createChatExtras(deputy, io, flags.config, onStarted),
      verbose,
      config: flags.config,
      turn: { ...turn, answersFromElsewhere: true },
    });
  });
}

async function messageOf({ print }: ChatFlags, { io }: Context): Promise<GivenMessage> {
  const { messageFor } = await import("./headless.ts");
  return messageFor(print === true ? undefined : print, io);
}

async function chatOptions(flags: ChatFlags, workspace: string, engine: Engine): Promise<ChatOptions> {
  const id = flags.continue ? await lastConversation(workspace, engine) : flags.resume;
  const { toolsets, maxCost: maxCostUsd } = flags;
  return { workspace, wish: wishOf(flags), ...present({ id, toolsets, maxCostUsd }) };
}

async function lastConversation(workspace: string, engine: Engine): Promise<string> {
  const conversations = (await engine.runs()).map(({ run }) => run).filter(isConversation);
  const here = conversations.filter(({ children: [session] }) => {
    const planned = session?.tally.planned;
    return planned !== undefined && "route" in planned && planned.workspace === workspace;
  });
  const [last] = here.sort((one, other) => other.lastEventAt - one.lastEventAt);
  if (last !== undefined) return last.delegationId;
  const [elsewhere] = conversations;
  const hint =
    elsewhere === undefined
      ? "Begin one: deputy chat"
      : `The last one elsewhere: deputy chat --resume ${elsewhere.delegationId}`;
  throw usage(`There is no conversation in ${workspace} yet. ${hint}`);
}

function names(written: string): string[] {
  const found = written
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return found.length === 1 && found[0] === "none" ? [] : found;
}

function usage(message: string): DeputyError {
  return new DeputyError("usage", message);
}
