/** `deputy init`: a config, if there is none, and a task file that runs with it. It never replaces a file. */
import { existsSync, writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { stringify } from "yaml";
import { findConfigFiles } from "../../config/load.ts";
import { createSetups } from "../../engine/setup/setup.ts";
import { DeputyError, errorCode, errorMessage } from "../../errors.ts";
import type { Routing } from "../../routing/routing.ts";
import { shellWord } from "../../text/shell-word.ts";
import { present } from "../../values/present.ts";
import { CONFIG_OPTION, type Declare, examples } from "../command.ts";
import { createConfig, NO_KEY } from "../config/init.ts";
import { createPaint, type Io } from "../io.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";

type InitProjectFlags = { yes?: true; config?: string };

export const declareInit: Declare = (command, { io }) => {
  command
    .description("Write a config, if there is none, and a task file that runs at once with the keys found here.")
    .argument("[file]", "the task file to write", "tasks.yaml")
    .option("-y, --yes", "write the suggested config without asking")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
An existing file is left as it is. deputy config init explains the config, and replaces one with --force.
${examples([
  ["deputy init", "your config, and tasks.yaml in this directory"],
  ["deputy init --yes review.yaml", "ask nothing; write the tasks to review.yaml"],
])}`,
    )
    .action((file: string, flags: InitProjectFlags) => initHere(io, file, flags));
};

async function initHere(io: Io, file: string, { yes, config }: InitProjectFlags): Promise<void> {
  const paint = createPaint(io.stdout, io.env);
  const say = (what: string, path: string, isNew: boolean) =>
    io.stdout.write(
      isNew
        ? `${paint("green", "✓")} ${what} written to ${oneLine(path)}\n`
        : `${paint("dim", "-")} ${what} exists already in ${oneLine(path)}; left as it is\n`,
    );
  const place = { env: io.env, cwd: io.cwd, ...present({ explicitPath: config }) };
  const existing = findConfigFiles(place).filter(({ path }) => existsSync(path));
  if (existing.length > 0) for (const { path } of existing) say("Config", path, false);
  else say("Config", (await createConfig(io, place, present({ yes }))).path, true);
  const { routing } = createSetups({ env: io.env, cwd: io.cwd, ...present({ configPath: config }) })();
  const tasks = tasksFor(routing, io.cwd);
  const isNew = writeNew(resolve(io.cwd, file), taskFileText(file, tasks));
  say("Tasks", relative(io.cwd, resolve(io.cwd, file)), isNew);
  io.stdout.write(nextStep(file, isNew ? tasks : [], routing, io));
}

type FirstTask = { goal: string; model?: string; toolsets: string[] };

/** Tasks that read only, so that nothing needs approval. A tier is used only if it can run. */
function tasksFor(routing: Routing, cwd: string): FirstTask[] {
  const toolsets = ["file", "search"];
  const tierOf = (name: string) =>
    problemOf({ goal: "", model: name, toolsets }, routing, cwd) ? {} : { model: name };
  return [
    { goal: "Explain in three sentences what this directory is for.", ...tierOf("small"), toolsets },
    { goal: "List the five most important files here, with one line about each.", toolsets },
    {
      goal: "Name the three things that a newcomer would find hardest to understand here.",
      ...tierOf("large"),
      toolsets,
    },
  ];
}

function problemOf(task: FirstTask, routing: Routing, cwd: string): string | undefined {
  const [planned] = routing.plan({ tasks: [task] }, { cwd }).planned;
  return planned !== undefined && "problem" in planned ? planned.problem.message : undefined;
}

function taskFileText(file: string, tasks: FirstTask[]): string {
  const name = shellWord(file).replace(/^'([\w./-]+)'$/, "$1");
  return `# Tasks for Deputy. They run in parallel, each as its own agent.
#   deputy run ${name} --dry-run      shows each route and price; sends nothing
#   deputy run ${name}
# deputy schema > deputy-task.schema.json lets your editor complete the fields.
${stringify({ tasks }, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}

/** @returns false if there is anything at the path. @throws DeputyError `output-unwritable` */
function writeNew(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw new DeputyError("output-unwritable", `Cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** The next command, or what is missing before it can work. */
function nextStep(file: string, tasks: FirstTask[], routing: Routing, { cwd, stdout }: Io): string {
  if (routing.credentials.usable().length === 0) return NO_KEY;
  const problems = new Set(tasks.flatMap((task) => problemOf(task, routing, cwd) ?? []));
  const missing = [...problems].map((problem) => `${wrapFor(stdout, `! ${oneLine(problem)}`)}\n`).join("");
  return missing === "" ? `Next: deputy run ${file}\n` : `${missing}Then: deputy run ${file}\n`;
}
