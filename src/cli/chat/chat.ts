/** `deputy chat`: a conversation with an agent that can delegate; at a terminal, or one message for a script. */
import { Option } from "commander";
import type { ChatOptions, LiveChat } from "../../engine/chat.ts";
import { openChat } from "../../engine/chat.ts";
import type { Engine } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { EFFORTS, type Effort, type Wish } from "../../route.ts";
import { isConversation } from "../../run/run.ts";
import { parseAllowRule } from "../approvals/allow-rule.ts";
import {
  ALLOW_OPTION,
  CONCURRENCY_OPTION,
  CONFIG_OPTION,
  type Context,
  type Declare,
  examples,
  hideKeys,
  positiveNumber,
  WAIT_FOR_APPROVAL_OPTION,
  withDeputy,
} from "../command.ts";
import { workspaceOf } from "../commands/run.ts";

type ChatFlags = {
  print?: string | true;
  json?: true;
  ndjson?: true;
  model?: string;
  provider?: string;
  effort?: Effort;
  toolsets?: string[];
  allow?: string[];
  maxCost?: number;
  concurrency?: number;
  continue?: true;
  resume?: string;
  workspace?: string;
  waitForApproval?: true;
  verbose?: true;
  config?: string;
};

const HELP = `
At a terminal you type; /help lists the commands. The agent works with the tools of a child, and with delegate_task: it
hands tasks to children on other models, which you see at work. A conversation is a run: deputy runs, show, watch and
stop know it, and --continue or --resume go on with it, in any process.

With -p, one message: the answer is all that stdout gets, what happens meanwhile goes to stderr. What is piped in is the
message, or stands below the one given with -p. With --json, stdout gets one document, as deputy run prints it: the
answer is results[0].summary, the conversation delegation_id. With --ndjson it gets a line for each stored event, those of
what is delegated too, and as the last line { "kind": "result", … } with that document.

Children run on what delegation: in the config says, else on the model of the chat; a task may name its own. /model and
the flags change this conversation alone, never a config.

Ctrl-C stops first what was delegated, then the turn, then the program.

Exit codes: 0 left, or answered · 1 no whole answer · 2 cannot be read · 3 no model to run on · 130 interrupted.`;

export const declareChat: Declare = (command, context) => {
  command
    .description("Talk with an agent that can delegate, each task to its own model.")
    .option("-p, --print [message]", "one message, and only its answer on stdout; - or nothing: from standard input")
    .addOption(new Option("--json", "with -p: the result as JSON").conflicts("ndjson"))
    .option("--ndjson", "with -p: events and result as JSON lines")
    .option("-m, --model <model>", "what the chat runs on; also an alias, a family, or `x --provider y`")
    .option("--provider <slug>", "the provider it runs at")
    .addOption(new Option("-e, --effort <effort>", "how hard its model thinks").choices(EFFORTS))
    .addOption(
      new Option("--toolsets <names>", "only these of the toolsets, by commas; `none` for none").argParser(names),
    )
    .option(...ALLOW_OPTION)
    .option("--max-cost <usd>", "most money for the whole conversation, what it delegates included", positiveNumber)
    .option(...CONCURRENCY_OPTION)
    .addOption(new Option("--continue", "go on with the last conversation of this directory").conflicts("resume"))
    .addOption(new Option("--resume <id>", "go on with this conversation").conflicts("toolsets"))
    .option("-w, --workspace <dir>", "directory its tools work in (default: this one)")
    .option(...WAIT_FOR_APPROVAL_OPTION)
    .option("-v, --verbose", "also every request and approval")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["deputy chat", "talk"],
        ["deputy chat --model opus", "on the newest model of a family"],
        ['deputy chat -p "What does this project do?"', "one question, one answer"],
        ['git diff | deputy chat -p "Review this"', "about what is piped in"],
        ["deputy chat --continue", "where you left"],
      ])}`,
    )
    .action(async (flags: ChatFlags) => context.exitWith(await chat(flags, context)));
};

async function chat(flags: ChatFlags, context: Context): Promise<number> {
  const { io } = context;
  const isOnce = flags.print !== undefined || io.stdin.isTTY !== true;
  if (!isOnce && (flags.json || flags.ndjson))
    throw usage("--json and --ndjson go with -p, or with a message that is piped in.");
  if (!isOnce && io.stdout.isTTY !== true)
    throw usage('A chat needs a terminal for what it shows. For a script: deputy chat -p "…"');
  if (flags.continue && flags.toolsets)
    throw usage("A conversation that goes on keeps its toolsets: leave --toolsets out.");
  const workspace = await workspaceOf(flags, io);
  return withDeputy(context, flags.config, async (deputy) => {
    hideKeys(io, deputy);
    const { engine } = deputy;
    const message = isOnce ? await messageOf(flags, context) : undefined;
    const options = chatOptions(flags, workspace, engine);
    const opened = await openChat(engine, options);
    const { createChatExtras } = await import("./background-runs.ts");
    const turn = {
      beside: createChatExtras(deputy, io, flags.config),
      ...(flags.allow && { permissions: flags.allow.map(parseAllowRule) }),
      ...(flags.concurrency !== undefined && { concurrency: flags.concurrency }),
    };
    const verbose = flags.verbose === true;
    if (message !== undefined) {
      const { chatOnce } = await import("./headless.ts");
      const { json, ndjson, waitForApproval } = flags;
      const answering = { ...turn, ...(waitForApproval && { answersFromElsewhere: true }) };
      return chatOnce({ io, deputy, chat: opened, message, json, ndjson, verbose, turn: answering });
    }
    const { chatAtTerminal } = await import("./interactive.ts");
    const { id: _, ...fresh } = options;
    const resumeChat = async ({ route: { provider, model, effort } }: LiveChat) =>
      openChat(engine, { ...fresh, wish: { provider, model, ...(effort !== undefined && { effort }) } });
    return chatAtTerminal({
      io,
      deputy,
      chat: opened,
      resumeChat,
      verbose,
      turn: { ...turn, answersFromElsewhere: true },
    });
  });
}

async function messageOf({ print }: ChatFlags, { io }: Context): Promise<string> {
  const { messageFor } = await import("./headless.ts");
  return messageFor(print === true ? undefined : print, io);
}

function chatOptions(flags: ChatFlags, workspace: string, engine: Engine): ChatOptions {
  const { model, provider, effort, toolsets, maxCost } = flags;
  const wish: Wish = {
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(effort !== undefined && { effort }),
  };
  const id = flags.continue ? lastConversation(workspace, engine) : flags.resume;
  return {
    workspace,
    wish,
    ...(id !== undefined && { id }),
    ...(toolsets && { toolsets }),
    ...(maxCost !== undefined && { maxCostUsd: maxCost }),
  };
}

function lastConversation(workspace: string, engine: Engine): string {
  const conversations = engine.runs().flatMap(({ run }) => (isConversation(run) ? [run] : []));
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
