/** `deputy run`: runs a file of tasks, or one task given as text, and prints the results. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Option } from "commander";
import type { SubmitOptions } from "../../engine/engine.ts";
import { DeputyError, ERROR_EXIT } from "../../errors.ts";
import { EFFORTS } from "../../route.ts";
import { type Call, parseCall } from "../../task.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import {
  CONFIG_OPTION,
  type Context,
  collect,
  type Declare,
  examples,
  usdAmount,
  withDeputy,
  withSpawnDepth,
} from "../command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { readGoal, readTaskFile } from "../input/task-file.ts";
import { withProvider } from "../input/which-provider.ts";
import { createPaint, type Io } from "../io.ts";
import { createFollower, type FollowFlags } from "../terminal/follow.ts";
import { type EstimatedPlan, formatPlan, planDocument } from "../terminal/plan-table.ts";
import {
  declareOutputFlags,
  declareWorkFlags,
  type RouteFlags,
  type WorkFlags,
  wishOf,
  workOptions,
} from "../work-flags.ts";

type RunFlags = FollowFlags &
  RouteFlags &
  WorkFlags & {
    goal?: string[];
    context?: string[];
    set?: string[];
    items?: string;
    maxCost?: number;
    strict?: true;
    dryRun?: true;
    workspace?: string;
  };

const HELP = `
A task file contains the arguments of delegate_task as YAML or JSON, or a list of tasks; a JSON Lines file has one task
per line. Values that a task omits come from the call, then from delegation: in the config, then from the flags, then
from the config's top-level model and provider.

  context: Answer in English.
  tasks:
    - goal: Write a haiku about a lion.
      model: glm-4.7
      provider: zai
    - goal: Write a haiku about a falcon.
      model: stepfun/step-3.5-flash --provider openrouter

--set name=value fills {{name}} in goals and contexts. --items runs the file's one task once per row: {{item.name}} is a
field of the row, {{item}} the whole row, {{index}} its number from 1. Other braces are text.

A terminal shows a live view of the children; the answers follow. A pipe or file gets only the answers on stdout: one
task's text alone, or each text below its goal. Lines about the run go to stderr. -q does the same on a terminal.
--json prints one document to stdout: { delegation_id, results, total_duration_seconds, total_cost_usd, warnings }.
--ndjson prints one line per stored event, { "kind": "child-start", … }, and ends with { "kind": "result", … }, which
contains the same document. Everything else goes to stderr.
--output writes 001-SLUG.json (the full result) and 001-SLUG.md (the answer) to DIR as each task ends.

Ctrl-C stops the children and prints the results so far; a second Ctrl-C exits at once. Finished work is kept:
deputy resume ID continues the run.

Exit codes: 0 all completed · 1 some did not · 2 invalid input · 3 nothing could start · 130 interrupted ·
70 a bug in Deputy.`;

export const declareRun: Declare = (command, context) => {
  command
    .description("Run tasks in parallel, each on its own model, provider and effort.")
    .argument("[file]", "a task file, or - for standard input")
    .option("-g, --goal <text>", "run a task instead of a file; - reads it from standard input (repeatable)", collect)
    .option("--context <text>", "background for these tasks (repeatable)", collect)
    .option("--set <name=value>", "fill {{name}} in goals and contexts (repeatable)", collect)
    .option("--items <file>", "run the one task once per row of a CSV or JSON Lines file")
    .option("-m, --model <model>", "default model for tasks; also `x --provider y`")
    .option("-p, --provider <slug>", "default provider for tasks")
    .addOption(new Option("-e, --effort <effort>", "default reasoning effort for tasks").choices(EFFORTS));
  declareWorkFlags(command);
  command
    .option("--max-cost <usd>", "maximum cost of all tasks together", usdAmount)
    .option("--strict", "start nothing unless every task can start")
    .addOption(new Option("--dry-run", "show the plan without starting anything").conflicts("ndjson"))
    .option("-w, --workspace <dir>", "directory the children work in (default: this one)");
  declareOutputFlags(command, "write each result to this directory as it arrives");
  command
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["deputy run tasks.yaml", "run a file"],
        ['deputy run --goal "Explain src/ in ten lines"', "run one task"],
        ["deputy run tasks.yaml --dry-run", "see routes, prices and problems first"],
        ['deputy run --goal "Write a commit message" | tee message.txt', "only the answer goes to the pipe"],
        ["deputy run tasks.jsonl --json > out.json", "one document for a program"],
        ["deputy run review.yaml --set branch=main", "fill {{branch}} in its goals"],
        ["deputy run translate.yaml --items words.csv", "one task per row"],
        ["deputy run - --output results < tasks.yaml", "from standard input, a file per result"],
      ])}`,
    )
    .action(async (file: string | undefined, flags: RunFlags) => context.exitWith(await run(file, flags, context)));
};

async function run(file: string | undefined, flags: RunFlags, context: Context): Promise<number> {
  const { io } = context;
  const workspace = await workspaceOf(flags, io);
  return withDeputy(withSpawnDepth(context, flags.maxSpawnDepth), flags.config, async (deputy) => {
    const { engine, loadConfig } = deputy;
    const { delegation, notify } = loadConfig().config;
    const written = await callOf(file, flags, io, delegation.max_tasks_per_call);
    const { call, warnings: notes } = await filled(written, flags, io, delegation.max_tasks_per_call);
    const route = await withProvider(deputy, { call, flags, workspace }, io);
    const options = { ...submitOptions({ ...flags, ...route }, workspace), ...(notes.length > 0 && { notes }) };
    if (flags.dryRun) {
      const strict = flags.strict === true || delegation.on_unresolved === "reject";
      return showPlan(await engine.estimate(call, options), { json: flags.json, strict }, io);
    }
    const output = flags.output === undefined ? {} : { output: resolve(io.cwd, flags.output) };
    const follower = await createFollower(io, { ...flags, ...output, notify }, call.tasks.length);
    const asker = follower.asker === undefined ? {} : { asker: follower.asker };
    return (await follower.follow(await engine.submit(call, { ...options, ...asker }))).code;
  });
}

async function callOf(file: string | undefined, flags: RunFlags, io: Io, maxTasks: number): Promise<Call> {
  if (file !== undefined && flags.goal !== undefined) throw usage("Give either a file or --goal, not both.");
  if (flags.goal !== undefined) return parseCall(await goalsAsCall(flags.goal, flags.context, io), maxTasks);
  if (file === undefined)
    throw usage("Expected a task file, - for standard input, or --goal TEXT. See deputy run --help.");
  if (flags.context !== undefined) throw usage("--context requires --goal. In a file, set `context` next to `tasks`.");
  return readTaskFile(file, io, maxTasks);
}

/** Placeholders exist only in calls with --set or --items. */
async function filled(call: Call, { set: sets = [], items: path }: RunFlags, io: Io, maxTasks: number) {
  if (sets.length === 0 && path === undefined) return { call, warnings: [] };
  const { fillCall } = await import("../input/fill-call.ts");
  const items = path === undefined ? undefined : await (await import("../input/items-file.ts")).readItems(path, io);
  return fillCall(call, { sets, ...present({ items }), maxTasks });
}

async function goalsAsCall(goals: string[], contexts: string[] | undefined, io: Io): Promise<unknown> {
  if (goals.filter((goal) => goal === "-").length > 1)
    throw usage("Expected --goal - once, because standard input can be read once; found it again.");
  const piped = goals.includes("-") ? await readGoal(io) : "";
  const tasks = goals.map((goal) => ({ goal: goal === "-" ? piped : goal }));
  return { context: contexts?.join("\n\n"), ...(tasks.length === 1 ? tasks[0] : { tasks }) };
}

export async function workspaceOf(flags: Pick<RunFlags, "workspace">, io: Io): Promise<string> {
  const workspace = resolve(io.cwd, flags.workspace ?? ".");
  const found = await stat(workspace).catch(() => undefined);
  if (!found?.isDirectory()) throw usage(`--workspace: expected a directory; found none at ${workspace}.`);
  return workspace;
}

function usage(message: string): DeputyError {
  return new DeputyError("usage", message);
}

function submitOptions(flags: RunFlags, workspace: string): SubmitOptions {
  const { maxCost: maxCostUsd, strict } = flags;
  return {
    surface: "cli",
    workspace,
    parent: wishOf(flags),
    ...workOptions(flags),
    ...present({ maxCostUsd, strict }),
  };
}

function showPlan(plan: EstimatedPlan, { json, strict }: { json: true | undefined; strict: boolean }, io: Io): number {
  if (json) io.stdout.write(jsonDocument(planDocument(plan)));
  else io.stdout.write(formatPlan(plan, strict, createPaint(io.stdout, io.env), io.stdout));
  const ready = plan.planned.filter((planned) => "route" in planned).length;
  if (ready === plan.planned.length) return EXIT_COMPLETED;
  return ready === 0 || strict ? ERROR_EXIT["nothing-to-run"] : EXIT_NOT_COMPLETED;
}
