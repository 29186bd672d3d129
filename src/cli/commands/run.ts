/** `deputy run`: a file of tasks, or one task in words, to its results. */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { Option } from "commander";
import type { Plan, SubmitOptions } from "../../engine/engine.ts";
import { DeputyError, ERROR_EXIT } from "../../errors.ts";
import { EFFORTS, type Effort, type Wish } from "../../route.ts";
import { type Call, parseCall } from "../../task.ts";
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
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { readTaskFile } from "../input/task-file.ts";
import { createPaint, type Io } from "../io.ts";
import { createFollower, type FollowFlags } from "../terminal/follow.ts";
import { formatPlan, planDocument } from "../terminal/plan-table.ts";

type RunFlags = FollowFlags & {
  goal?: string;
  context?: string;
  model?: string;
  provider?: string;
  effort?: Effort;
  concurrency?: number;
  maxCost?: number;
  allow?: string[];
  waitForApproval?: true;
  strict?: true;
  dryRun?: true;
  config?: string;
  workspace?: string;
};

const HELP = `
A task file holds the arguments of delegate_task as YAML or JSON, or a bare list of tasks; JSON lines hold one task a
line. What a task does not say comes from the call, then from delegation: in the config, then from the flags, then from
the config's own model and provider.

  context: Answer in English.
  tasks:
    - goal: Write a haiku about a lion.
      model: glm-4.7
      provider: zai
    - goal: Write a haiku about a falcon.
      model: stepfun/step-3.5-flash --provider openrouter

On a terminal you see the children at work; in a pipe, one line for each that ends. Then come the answers.
With --json, stdout gets one document and nothing else: { delegation_id, results, total_duration_seconds,
total_cost_usd, warnings }. With --ndjson it gets a line for each stored event, { "kind": "child-start", … }, as it
happens, and as the last line { "kind": "result", … } with that same document. The rest goes to stderr.
With --output, DIR gets 001-SLUG.json, the whole result, and 001-SLUG.md, the answer, as each arrives.

Ctrl-C stops the children and prints what there is; a second one leaves at once. Nothing finished is lost:
deputy resume ID goes on.

Exit codes: 0 all completed · 1 some did not · 2 cannot be read · 3 nothing could start · 130 interrupted ·
70 a bug in Deputy.`;

export const declareRun: Declare = (command, context) => {
  command
    .description("Run a batch of tasks, each on its own model, provider and effort, in parallel.")
    .argument("[file]", "a task file, or - for standard input")
    .option("-g, --goal <text>", "one task, in words, instead of a file")
    .option("--context <text>", "background for that task")
    .option("-m, --model <model>", "model for tasks that name none; also `x --provider y`")
    .option("-p, --provider <slug>", "provider for tasks that name none")
    .addOption(new Option("-e, --effort <effort>", "reasoning effort for tasks that name none").choices(EFFORTS))
    .option(...CONCURRENCY_OPTION)
    .option("--max-cost <usd>", "most money for all tasks together", positiveNumber)
    .option(...ALLOW_OPTION)
    .option(...WAIT_FOR_APPROVAL_OPTION)
    .option("--strict", "start nothing unless every task can start")
    .option("--dry-run", "show the plan; start and spend nothing")
    .addOption(new Option("--json", "the result as JSON on stdout").conflicts("ndjson"))
    .addOption(new Option("--ndjson", "events and result as JSON lines on stdout").conflicts("dryRun"))
    .option("-o, --output <dir>", "write each result into this directory as it arrives")
    .option("-w, --workspace <dir>", "directory the children work in (default: this one)")
    .option("-v, --verbose", "also every request, tool call and approval")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["deputy run tasks.yaml", "run a file"],
        ['deputy run --goal "Explain src/ in ten lines"', "run one task"],
        ["deputy run tasks.yaml --dry-run", "see routes, prices and problems first"],
        ["deputy run tasks.jsonl --json > out.json", "one document for a program"],
        ["deputy run - --output results < tasks.yaml", "from standard input, a file per result"],
      ])}`,
    )
    .action(async (file: string | undefined, flags: RunFlags) => context.exitWith(await run(file, flags, context)));
};

async function run(file: string | undefined, flags: RunFlags, context: Context): Promise<number> {
  const { io } = context;
  const workspace = await workspaceOf(flags, io);
  return withDeputy(context, flags.config, async (deputy) => {
    const { engine, loadConfig } = deputy;
    const { delegation } = loadConfig().config;
    hideKeys(io, deputy);
    const call = await callOf(file, flags, io, delegation.max_tasks_per_call);
    const options = submitOptions(flags, workspace);
    if (flags.dryRun) {
      const strict = flags.strict === true || delegation.on_unresolved === "reject";
      return showPlan(await engine.plan(call, options), { json: flags.json, strict }, io);
    }
    const output = flags.output === undefined ? {} : { output: resolve(io.cwd, flags.output) };
    const follower = await createFollower(io, { ...flags, ...output }, call.tasks.length);
    const asker = follower.asker === undefined ? {} : { asker: follower.asker };
    return (await follower.follow(await engine.submit(call, { ...options, ...asker }))).code;
  });
}

async function callOf(file: string | undefined, flags: RunFlags, io: Io, maxTasks: number): Promise<Call> {
  if (file !== undefined && flags.goal !== undefined) throw usage("Give either a file or --goal, not both.");
  if (flags.goal !== undefined) return parseCall({ goal: flags.goal, context: flags.context }, maxTasks);
  if (file === undefined)
    throw usage("Expected a task file, - for standard input, or --goal TEXT. See deputy run --help.");
  if (flags.context !== undefined)
    throw usage("--context goes with --goal. In a file, `context` stands beside `tasks`.");
  return readTaskFile(file, io, maxTasks);
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
  return {
    surface: "cli",
    workspace,
    parent: parentOf(flags),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.maxCost === undefined ? {} : { maxCostUsd: flags.maxCost }),
    ...(flags.allow === undefined ? {} : { permissions: flags.allow.map(parseAllowRule) }),
    ...(flags.waitForApproval === undefined ? {} : { answersFromElsewhere: true }),
    ...(flags.strict === undefined ? {} : { strict: true }),
  };
}

function parentOf({ model, provider, effort }: RunFlags): Wish {
  return {
    ...(model === undefined ? {} : { model }),
    ...(provider === undefined ? {} : { provider }),
    ...(effort === undefined ? {} : { effort }),
  };
}

function showPlan(plan: Plan, { json, strict }: { json: true | undefined; strict: boolean }, io: Io): number {
  if (json) io.stdout.write(`${JSON.stringify(planDocument(plan), null, 2)}\n`);
  else io.stdout.write(formatPlan(plan, strict, createPaint(io.stdout, io.env)));
  const ready = plan.planned.filter((planned) => "route" in planned).length;
  if (ready === plan.planned.length) return EXIT_COMPLETED;
  return ready === 0 || strict ? ERROR_EXIT["nothing-to-run"] : EXIT_NOT_COMPLETED;
}
