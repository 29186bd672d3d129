/** `deputy fork`: starts a new run from a step of a child, with the output of `deputy run`. */
import { resolve } from "node:path";
import { Option } from "commander";
import { DeputyError } from "../../errors.ts";
import { EFFORTS } from "../../route.ts";
import { present } from "../../values/present.ts";
import {
  ALLOW_OPTION,
  CONFIG_OPTION,
  type Declare,
  examples,
  QUIET_OPTION,
  SPAWN_DEPTH_OPTION,
  usdAmount,
  WAIT_FOR_APPROVAL_OPTION,
  withDeputy,
  withSpawnDepth,
} from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { createFollower, type FollowFlags } from "../terminal/follow.ts";
import { type RouteFlags, type WorkFlags, wishOf, workOptions } from "../work-flags.ts";

type ForkFlags = FollowFlags & RouteFlags & WorkFlags & { last?: true; goal?: string; maxCost?: number };

export const declareFork: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Start a new run from a step of a child, on any model, with the conversation up to that step.")
    .argument("[id]", "a child and a step (ID.n@STEP); without a step, the newest one")
    .option(...LAST_OPTION)
    .option("-g, --goal <text>", "the next message to the child; required after its answer")
    .option("-m, --model <model>", "continue on this model; also `x --provider y`")
    .option("-p, --provider <slug>", "continue at this provider")
    .addOption(new Option("-e, --effort <effort>", "continue with this reasoning effort").choices(EFFORTS))
    .option(...SPAWN_DEPTH_OPTION)
    .option("--max-cost <usd>", "maximum cost of the new run (default: that of the earlier one)", usdAmount)
    .option(...ALLOW_OPTION)
    .option(...WAIT_FOR_APPROVAL_OPTION)
    .addOption(new Option("--json", "print the result as JSON").conflicts("ndjson"))
    .option("--ndjson", "print events and result as JSON lines")
    .option("-o, --output <dir>", "write the result to this directory")
    .option(...QUIET_OPTION)
    .option("-v, --verbose", "also show requests, tool calls and approvals")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
The new child knows what the earlier one knew after the tool results of that step; this costs nothing again. Its limits
and its budget start anew. Files are as they are now: a message names those that later steps changed.
deputy show ID.n lists the steps of a child.

Exit codes: as for deputy run.
${examples([
  ["deputy fork 7f3a.2@4 --model glm-5.1", "the second child from its fourth step on another model"],
  ['deputy fork 7f3a.2 --goal "Now write the tests."', "a next message after its answer"],
])}`,
    )
    .action((written: string | undefined, flags: ForkFlags) =>
      withDeputy(withSpawnDepth(context, flags.maxSpawnDepth), flags.config, async ({ engine, loadConfig }) => {
        const { child, step } = childAndStep(written);
        const id = await whichRun(engine, { id: child, last: flags.last }, io);
        const output = flags.output === undefined ? {} : { output: resolve(io.cwd, flags.output) };
        const { notify } = loadConfig().config;
        const follower = await createFollower(io, { ...flags, ...output, notify }, 1);
        const { goal, maxCost: maxCostUsd } = flags;
        const delegation = await engine.fork(id, {
          surface: "cli",
          workspace: io.cwd,
          route: wishOf(flags),
          ...workOptions(flags),
          ...present({ step, goal, maxCostUsd, asker: follower.asker }),
        });
        context.exitWith((await follower.follow(delegation)).code);
      }),
    );
};

/** @throws DeputyError `usage` for a step that is no number */
function childAndStep(written: string | undefined): { child?: string; step?: number } {
  if (written === undefined) return {};
  const [child = "", step, ...more] = written.split("@");
  if (step === undefined) return { child };
  if (/^[1-9]\d{0,8}$/.test(step) && more.length === 0) return { child, step: Number(step) };
  throw new DeputyError("usage", `Expected ID.n@STEP with a whole number from 1, such as 7f3a.2@4; found ${written}.`);
}
