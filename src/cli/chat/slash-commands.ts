/** Slash commands of a chat. They never reach the model, and none of them writes a config. */

import type { Chat } from "../../engine/chat.ts";
import type { Question } from "../../engine/engine.ts";
import { listAvailableModels } from "../../engine/setup/list-available.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { DeputyError, keyRemoved } from "../../errors.ts";
import { costOf } from "../../result.ts";
import { EFFORTS, type Effort, type Route, type Wish } from "../../route.ts";
import { parseRunId, type Run } from "../../run/run.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { present } from "../../values/present.ts";
import { openShownRequests } from "../approvals/shown-requests.ts";
import { userOf } from "../approvals/user.ts";
import { formatDecision, formatRequests } from "../commands/approve.ts";
import { formatModels } from "../commands/models.ts";
import { formatChild, formatRun } from "../commands/show.ts";
import { formatReceipt } from "../commands/steer.ts";
import type { Io, Paint } from "../io.ts";
import { resultStyleOn } from "../terminal/final-answers.ts";
import { formatCost, formatCount, formatRoute, formatTotalCost, plural } from "../terminal/format.ts";
import { inRows } from "../terminal/markdown/text-flow.ts";
import { formatRuns, runTableView } from "../terminal/run-table.ts";
import { sizeOf } from "../terminal/screen.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { formatTranscript } from "../terminal/transcript.ts";
import { columnsOf } from "../terminal/word-wrap.ts";
import { isStartedBy } from "./background-runs.ts";

export type CommandContext = {
  deputy: Opened;
  io: Io;
  paint: Paint;
  chat(): Chat;
  /** Running delegations of this chat, those in the background last. */
  running(): string[];
  /** Starts a new conversation on the same route. */
  begin(): Promise<void>;
  leave(): void;
};

type SlashCommand = {
  usage: string;
  summary: string;
  /** @returns the text to print */
  run(argument: string, context: CommandContext): Promise<string> | string;
};

export const SLASH_COMMANDS: Record<string, SlashCommand> = {
  model: {
    usage: "/model [MODEL] [--provider P] [--effort E]",
    summary: "choose the model for the next message; without MODEL, show the current one",
    run: async (model, { chat, paint }) =>
      model === "" ? routeText(chat().route, paint, chat().route) : changed(chat(), { model }, paint),
  },
  models: {
    usage: "/models [PART]",
    summary: "list the models you can use now",
    run: (part, { deputy, io, paint }) => {
      const world = { routing: deputy.routing(), config: deputy.loadConfig().config, cwd: io.cwd };
      const { models, aliases } = listAvailableModels(world, { match: part }, "operator");
      return formatModels(models, aliases, paint, columnsOf(io.stdout));
    },
  },
  effort: {
    usage: `/effort [${EFFORTS.join("|")}]`,
    summary: "set the reasoning effort for the next message",
    run: async (effort, { chat, paint }) => {
      if (effort === "") return `effort ${chat().route.effort ?? "not set: the model's default"}\n`;
      return changed(chat(), { effort: effortNamed(effort) }, paint);
    },
  },
  runs: {
    usage: "/runs",
    summary: "list your runs, newest first",
    run: async (_, { deputy, io }) => formatRuns(await deputy.engine.runs(20), runTableView(io)),
  },
  show: {
    usage: "/show [ID[.n]]",
    summary: "show a run's results or one child; without ID, the last delegation",
    run: async (id, context) => shown(id === "" ? await lastDelegation(context) : id, context),
  },
  stop: {
    usage: "/stop [ID[.n]]",
    summary: "stop a run or a child; without ID, all delegations of this chat",
    run: async (id, { deputy, running }) => {
      const ids = id === "" ? running() : [id];
      for (const each of ids) await deputy.engine.stop(each, "/stop");
      return ids.length === 0 ? "This chat has no running delegations.\n" : `Asked to stop: ${ids.join(", ")}\n`;
    },
  },
  steer: {
    usage: "/steer ID.n TEXT",
    summary: "send a message to a running child",
    run: async (argument, { deputy }) => {
      const [, id = "", text = ""] = /^(\S+)\s+([\s\S]+)$/.exec(argument) ?? [];
      if (id === "") return wrongUse("steer");
      const receipt = await deputy.engine.steer(id, text, "/steer");
      const removed = receipt.keyRemoved ? `${keyRemoved("The message").message}\n` : "";
      return `${formatReceipt(receipt)}\n${removed}`;
    },
  },
  approve: {
    usage: "/approve [ID.n [--request CODE] [--deny] [WHY]]",
    summary: "list approval requests; with ID, approve or deny a listed one",
    run: (argument, context) => approve(argument, context),
  },
  cost: {
    usage: "/cost",
    summary: "show the cost of this conversation and its delegations",
    run: (_, context) => costText(context),
  },
  new: {
    usage: "/new",
    summary: "start a new conversation; this one stays in /runs",
    run: async (_, { begin }) => {
      await begin();
      return "New conversation. The previous one is kept: /runs\n";
    },
  },
  help: {
    usage: "/help",
    summary: "show this list",
    run: (_, { io, paint }) => helpText(io, paint),
  },
  quit: {
    usage: "/quit",
    summary: "exit; deputy chat --continue continues this chat",
    run: (_, { leave }) => {
      leave();
      return "";
    },
  },
};

/** A command is one word followed by a blank or the end: `/etc/hosts is …` is a message. */
export function isSlashCommand(line: string): boolean {
  return /^\/[a-z?]*(\s|$)/i.test(line);
}

/** @throws DeputyError if there is no such command, or it fails */
export async function runSlashCommand(line: string, context: CommandContext): Promise<string> {
  const [, written = "", argument = ""] = /^\/(\S*)\s*([\s\S]*?)\s*$/.exec(line) ?? [];
  const name = OTHER_NAMES[written.toLowerCase()] ?? written.toLowerCase();
  const command = Object.hasOwn(SLASH_COMMANDS, name) ? SLASH_COMMANDS[name] : undefined;
  if (command !== undefined) return command.run(argument, context);
  const [close] = suggest(name, Object.keys(SLASH_COMMANDS), 1);
  const hint = close === undefined ? "/help lists them all." : `Did you mean /${close}?`;
  throw new DeputyError("usage", `There is no command /${oneLine(written)}. ${hint}`);
}

const OTHER_NAMES: Record<string, string> = { exit: "quit", q: "quit", "?": "help", h: "help", clear: "new" };

function wrongUse(name: string): never {
  throw new DeputyError("usage", `Expected ${SLASH_COMMANDS[name]?.usage}.`);
}

function effortNamed(written: string): Effort {
  const effort = EFFORTS.find((known) => known === written.toLowerCase());
  if (effort !== undefined) return effort;
  throw new DeputyError("usage", `Expected one of ${EFFORTS.join(", ")}; found ${oneLine(written)}.`);
}

async function changed(chat: Chat, wish: Wish, paint: Paint): Promise<string> {
  const before = chat.route;
  return routeText(await chat.use(wish), paint, before);
}

function routeText(route: Route, paint: Paint, before: Route): string {
  const warnings = route.warnings.map(({ message }) => paint("yellow", `! ${oneLine(message)}\n`)).join("");
  const from = route.keyName === undefined ? "" : paint("dim", ` · key ${route.keyName}`);
  const when = route === before ? "" : paint("dim", " · from the next message on");
  return `${warnings}${paint("bold", oneLine(formatRoute(route)))}${from}${when}\n`;
}

/**
 * Without an id, lists pending requests; with one, answers a listed request. A request that was not listed is shown
 * first.
 */
async function approve(argument: string, { deputy: { engine }, io, paint }: CommandContext): Promise<string> {
  const shown = openShownRequests(io);
  const [, id = "", rest = ""] = /^(\S*)\s*(.*)$/s.exec(argument) ?? [];
  const list = (questions: Question[]) => {
    shown.add(questions);
    return formatRequests(questions, io);
  };
  if (id === "") return list(await engine.questions());
  const [flag = "", request] = /--request[ =](\S+)/.exec(rest) ?? [];
  const question = await engine.question({ id, ...present({ request }) });
  if (request === undefined && shown.stateOf(question, id) !== "listed")
    return `${list([question])}Nothing was decided, because this request was not listed before. Repeat the command to decide.\n`;
  const words = rest.replace(flag, "").trim().split(/\s+/);
  const allowed = !words.includes("--deny");
  const why = words.filter((word) => word !== "--deny").join(" ");
  const reason = why === "" ? `${allowed ? "allowed" : "denied"} with /approve` : why;
  const exactly = { id: question.childId, request: question.request };
  return formatDecision(await engine.answer({ ...exactly, allowed, reason, by: userOf("/approve") }), allowed, paint);
}

/** The chat's delegations, oldest first. */
async function delegationsOf({ deputy, chat }: CommandContext): Promise<Run[]> {
  const { id } = chat();
  if (id === undefined) return [];
  const { run } = await deputy.engine.run(id);
  return run.children.flatMap(({ delegations }) => delegations);
}

async function backgroundRunsOf({ deputy, chat }: CommandContext): Promise<Run[]> {
  const { id } = chat();
  if (id === undefined) return [];
  const newest = await deputy.engine.runs(1, isStartedBy(id));
  return newest.map(({ run }) => run);
}

/** The last delegation of the chat, which may be in the background. */
async function lastDelegation(context: CommandContext): Promise<string> {
  const runs = [...(await delegationsOf(context)), ...(await backgroundRunsOf(context))];
  const last = runs.toSorted((one, other) => one.startedAt - other.startedAt).at(-1);
  if (last === undefined) throw new DeputyError("usage", "This chat has no delegations yet. Name a run: /show ID");
  return last.delegationId;
}

async function shown(id: string, { deputy, io, paint }: CommandContext): Promise<string> {
  const style = resultStyleOn(io.stdout, io.env);
  const { run } = await deputy.engine.run(id);
  const { taskIndex } = parseRunId(id);
  if (taskIndex === undefined) return formatRun(run, style);
  return `${formatChild(run, taskIndex, style)}\n${formatTranscript(await Array.fromAsync(deputy.engine.events(id)), paint)}`;
}

async function costText(context: CommandContext): Promise<string> {
  const { deputy, chat, paint } = context;
  const { id } = chat();
  if (id === undefined) return "No message was sent yet; nothing was spent.\n";
  const { run } = await deputy.engine.run(id);
  const [session] = run.children;
  if (session === undefined) return "";
  const { usd, status } = costOf(session.tally);
  const { input, output, cached } = session.tally.tokens;
  const limit = run.call.max_cost_usd === undefined ? "" : ` of at most $${run.call.max_cost_usd}`;
  const lines = (await delegationsOf(context)).map(({ delegationId, children }) => {
    const cost = formatTotalCost(children.map(({ tally }) => costOf(tally)));
    return `  ${delegationId} · ${plural(children.length, "task")} · ${cost}`;
  });
  return [
    paint("bold", `${formatCost({ usd, status })}${limit}`),
    `${formatCount(input)} tokens in (${formatCount(cached)} cached), ${formatCount(output)} out`,
    ...(lines.length === 0 ? [] : ["including these delegations:", ...lines]),
    "",
  ].join("\n");
}

const HINTS = `@path gives the model a file of the workspace. !command runs a command of yours; its output goes with your next message.
Alt-Enter, or \\ at the end, continues the message on the next line; pasted text is one message. Tab completes.
Ctrl-R searches the history. Ctrl-G, or Ctrl-X Ctrl-E, opens the message in $EDITOR.
While the model is answering, a line you enter is sent with its next request; commands run at once.
Esc stops the answer with its delegations, and denies an open approval request. Ctrl-C stops the delegations first, then the answer, then the program.
Ctrl-D exits.`;

const USAGE_COLUMNS = 32;

function helpText({ stdout }: Io, paint: Paint): string {
  const columns = sizeOf(stdout).columns - 1;
  const lines = Object.values(SLASH_COMMANDS).flatMap(({ usage, summary }) => {
    const line = `  ${usage.padEnd(USAGE_COLUMNS)} ${summary}`;
    return usage.length <= USAGE_COLUMNS && line.length <= columns
      ? [line]
      : [`  ${usage}`, ...inRows(summary, columns - 6).map((row) => `      ${row}`)];
  });
  return `${[...lines, "", ...inRows(HINTS, columns).map((row) => paint("dim", row))].join("\n")}\n`;
}
