/**
 * The command line: argv → exit code. For a fast start, only the chosen command's file is loaded, and its parts of the
 * engine only when it acts. Every error ends here as a message and an exit code.
 */
import { Command, CommanderError } from "commander";
import { DeputyError, ERROR_EXIT } from "../errors.ts";
import { withoutKeyLikes } from "../secret.ts";
import { shortageIn } from "../system/shortage.ts";
import { suggest } from "../text/did-you-mean.ts";
import { harmless } from "../text/spelled-text.ts";
import type { Context, Declare } from "./command.ts";
import type { CommandList } from "./completion/complete.ts";
import { fitted } from "./help-text.ts";
import { createPaint, type Io, type Output } from "./io.ts";
import { wrapFor } from "./terminal/word-wrap.ts";

/** A bug in Deputy (`EX_SOFTWARE` of sysexits): distinct from the codes for how a run ended. */
const EXIT_BUG = 70;
const EXIT_USAGE = ERROR_EXIT.usage;
/** What the scripts of `deputy completion` call; users do not, so no help lists it. */
const COMPLETE = "complete";

type CommandEntry = { usage: string; summary: string; load: () => Promise<Declare> };

const COMMANDS: Record<string, CommandEntry> = {
  init: {
    usage: "init [FILE]",
    summary: "write a config and a task file that runs with your keys",
    load: async () => (await import("./commands/init.ts")).declareInit,
  },
  run: {
    usage: "run [options] FILE|-",
    summary: "run a batch of tasks, each on its own model (--goal for one)",
    load: async () => (await import("./commands/run.ts")).declareRun,
  },
  chat: {
    usage: "chat",
    summary: "chat with an agent that delegates (-p for one message)",
    load: async () => (await import("./chat/chat.ts")).declareChat,
  },
  runs: {
    usage: "runs",
    summary: "list past and present runs",
    load: async () => (await import("./commands/runs.ts")).declareRuns,
  },
  show: {
    usage: "show ID[.n]",
    summary: "show a run's results, or the details of one child",
    load: async () => (await import("./commands/show.ts")).declareShow,
  },
  report: {
    usage: "report ID",
    summary: "write a run as Markdown or one HTML file: goals, routes, costs, changes",
    load: async () => (await import("./commands/report.ts")).declareReport,
  },
  costs: {
    usage: "costs",
    summary: "add up requests, tokens and dollars by model, provider, day, tag, agent or run",
    load: async () => (await import("./report/costs.ts")).declareCosts,
  },
  diff: {
    usage: "diff ID[.n]",
    summary: "show what children changed on their branches, as a patch",
    load: async () => (await import("./commands/diff.ts")).declareDiff,
  },
  apply: {
    usage: "apply ID[.n]",
    summary: "apply children's work to your working tree, or to a new branch",
    load: async () => (await import("./commands/apply.ts")).declareApply,
  },
  resume: {
    usage: "resume ID",
    summary: "continue a run whose process has ended",
    load: async () => (await import("./commands/resume.ts")).declareResume,
  },
  retry: {
    usage: "retry ID",
    summary: "run again what did not complete, as a new run",
    load: async () => (await import("./commands/retry.ts")).declareRetry,
  },
  fork: {
    usage: "fork ID.n[@STEP]",
    summary: "start a new run from a step of a child, on any model",
    load: async () => (await import("./commands/fork.ts")).declareFork,
  },
  clean: {
    usage: "clean [ID]",
    summary: "remove working copies of isolated children whose work is saved",
    load: async () => (await import("./commands/clean.ts")).declareClean,
  },
  stop: {
    usage: "stop ID[.n]",
    summary: "stop a run or one of its children, in any process",
    load: async () => (await import("./commands/stop.ts")).declareStop,
  },
  watch: {
    usage: "watch [ID]",
    summary: "watch a run, in any process",
    load: async () => (await import("./commands/watch.ts")).declareWatch,
  },
  steer: {
    usage: "steer ID[.n] TEXT|-",
    summary: "send a message to a running child, in any process",
    load: async () => (await import("./commands/steer.ts")).declareSteer,
  },
  approve: {
    usage: "approve [ID[.n]]",
    summary: "list approval requests and decide on them, in any process",
    load: async () => (await import("./commands/approve.ts")).declareApprove,
  },
  mcp: {
    usage: "mcp [install PROGRAM]",
    summary: "offer delegate_task to Claude Code, Codex, opencode, Cursor, Hermes, VS Code",
    load: async () => (await import("./serving/mcp.ts")).declareMcp,
  },
  serve: {
    usage: "serve",
    summary: "the same over HTTP, for several programs at once",
    load: async () => (await import("./serving/serve.ts")).declareServe,
  },
  journal: {
    usage: "journal verify|prune",
    summary: "check that nothing stored was lost or changed; remove old runs",
    load: async () => (await import("./commands/journal.ts")).declareJournal,
  },
  demo: {
    usage: "demo",
    summary: "watch three tasks run in parallel on scripted models: no key, nothing spent",
    load: async () => (await import("./commands/demo.ts")).declareDemo,
  },
  models: {
    usage: "models [PART]",
    summary: "list the models you can use now, with prices and effort levels",
    load: async () => (await import("./commands/models.ts")).declareModels,
  },
  agents: {
    usage: "agents",
    summary: "list the agent definitions a task can name, with their routes",
    load: async () => (await import("./commands/agents.ts")).declareAgents,
  },
  doctor: {
    usage: "doctor",
    summary: "check keys, config, journal and runtime",
    load: async () => (await import("./commands/doctor.ts")).declareDoctor,
  },
  schema: {
    usage: "schema [task|config]",
    summary: "print the JSON Schema of a task file or of the config, for editors",
    load: async () => (await import("./commands/schema.ts")).declareSchema,
  },
  completion: {
    usage: "completion bash|zsh|fish",
    summary: "print the script that completes commands, flags and values on Tab",
    load: async () => (await import("./completion/completion.ts")).declareCompletion,
  },
  config: {
    usage: "config show|set|init|…",
    summary: "show and set up the configuration",
    load: async () => (await import("./config/config.ts")).declareConfig,
  },
};

/**
 * @param argv without the program's own name
 * @returns 0 all completed · 1 some did not · 2 cannot be read · 3 nothing could start · 130 interrupted · 70 a bug
 */
export async function main(argv: string[], io: Io, openDeputy: Context["openDeputy"] = openReal): Promise<number> {
  try {
    return await dispatch(argv, io, openDeputy);
  } catch (error) {
    return reportError(error, io);
  }
}

async function dispatch(argv: string[], io: Io, openDeputy: Context["openDeputy"]): Promise<number> {
  const words = argv[0] === "help" ? [...argv.slice(1, 2), "--help"] : argv;
  const [name = "--help", ...rest] = words;
  if (name === "--help" || name === "-h") return print(io, fitted(overview(io), helpColumns(io.stdout)));
  if (name === "--version" || name === "-V")
    return print(io, `${await (await import("./version.ts")).readVersion()}\n`);
  let code = 0;
  const exitWith = (chosen: number) => {
    code = chosen;
  };
  const context: Context = { io, openDeputy, exitWith };
  if (name === COMPLETE)
    return (await import("./completion/complete.ts")).complete(rest, commandList(context), context);
  const command = await declaredCommand(name, context);
  if (command === undefined) throw new DeputyError("usage", unknownCommand(name));
  await command.parseAsync(rest, { from: "user" });
  return code;
}

/** A command with its options and subcommands; undefined if there is none of that name. */
async function declaredCommand(name: string, context: Context): Promise<Command | undefined> {
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) return undefined;
  const command = createCommand(name, context.io);
  const declare = await entry.load();
  declare(command, context);
  for (const sub of command.commands) sub.showHelpAfterError(`See ${command.name()} ${sub.name()} --help.`);
  return command;
}

/** All commands, for completion in a shell. */
export function commandList(context: Context): CommandList {
  return {
    summaries: Object.fromEntries(Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary])),
    declared: (name) => declaredCommand(name, context),
  };
}

function createCommand(name: string, io: Io): Command {
  const paint = createPaint(io.stdout, io.env);
  return new Command(`deputy ${name}`)
    .exitOverride()
    .showHelpAfterError(`See deputy ${name} --help.`)
    .configureHelp({ styleTitle: (title) => paint("bold", title) })
    .configureOutput({
      writeOut: (text) => io.stdout.write(fitted(text, helpColumns(io.stdout))),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(wrapFor(io.stderr, text.replace(/^error: /, "deputy: "))),
      getOutHelpWidth: () => helpColumns(io.stdout),
      getErrHelpWidth: () => helpColumns(io.stderr),
      getOutHasColors: () => paint("bold", "") !== "",
    });
}

function helpColumns({ columns = 100 }: Output): number {
  return Math.min(columns, 120);
}

function print(io: Io, text: string): number {
  io.stdout.write(text);
  return 0;
}

function overview(io: Io): string {
  const paint = createPaint(io.stdout, io.env);
  const widest = Math.max(...Object.values(COMMANDS).map(({ usage }) => usage.length));
  const commands = Object.values(COMMANDS).map(({ usage, summary }) => `  ${usage.padEnd(widest)}  ${summary}`);
  return `Deputy runs a batch of tasks in parallel, each as an agent on its own model, provider and effort.

${paint("bold", "Usage:")} deputy COMMAND [options]

${paint("bold", "Commands:")}
${commands.join("\n")}

  --help, --version; deputy COMMAND --help explains a command, with examples.

${paint("bold", "Start with:")}
  deputy demo
  deputy init
  deputy run --goal "Explain what this project does"
`;
}

function unknownCommand(name: string): string {
  const [close] = suggest(name, Object.keys(COMMANDS), 1);
  const hint = close === undefined ? `Known: ${Object.keys(COMMANDS).join(", ")}.` : `Did you mean deputy ${close}?`;
  return `There is no command ${name}. ${hint}`;
}

const openReal: Context["openDeputy"] = async (options) =>
  (await import("../engine/setup/open-deputy.ts")).openDeputy(options);

function reportError(thrown: unknown, io: Io): number {
  const shortage = shortageIn(thrown);
  const error = shortage === undefined ? thrown : new DeputyError("out-of-resources", shortage, { cause: thrown });
  if (error instanceof DeputyError) {
    io.stderr.write(`${wrapFor(io.stderr, `deputy: ${harmless(withoutKeyLikes(error.message))}`)}\n`);
    return ERROR_EXIT[error.code];
  }
  // Commander has already printed its message; asking for help is not an error.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  io.stderr.write(`deputy: This is a bug in Deputy. Please report it with these lines:\n${stack}\n`);
  return EXIT_BUG;
}
