/** `deputy retry`: runs again what a run did not complete, as a new run, with the output of `deputy run`. */
import { resolve } from "node:path";
import { Option } from "commander";
import type { RunListing } from "../../engine/engine.ts";
import { EFFORTS } from "../../route.ts";
import { isConversation } from "../../run/run.ts";
import { present } from "../../values/present.ts";
import { CONFIG_OPTION, type Declare, examples, usdAmount, withDeputy, withSpawnDepth } from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { createFollower, type FollowFlags } from "../terminal/follow.ts";
import { failedIn } from "../terminal/run-table.ts";
import {
  declareOutputFlags,
  declareWorkFlags,
  type RouteFlags,
  type WorkFlags,
  wishOf,
  workOptions,
} from "../work-flags.ts";

type RetryFlags = FollowFlags & RouteFlags & WorkFlags & { last?: true; maxCost?: number; strict?: true };

export const declareRetry: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Run again what a run did not complete, as a new run. Completed results are carried over.")
    .argument("[id]", "the run's id, or its beginning")
    .option(...LAST_OPTION)
    .option("-m, --model <model>", "run every task that runs again on this model; also `x --provider y`")
    .option("-p, --provider <slug>", "run them at this provider")
    .addOption(new Option("-e, --effort <effort>", "run them with this reasoning effort").choices(EFFORTS));
  declareWorkFlags(command);
  command
    .option("--max-cost <usd>", "maximum cost of the new run (default: that of the earlier one)", usdAmount)
    .option("--strict", "start nothing unless every task can start");
  declareOutputFlags(command, "write every result to this directory, carried ones included");
  command
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
A failed, incomplete, stopped or rejected task starts from its beginning, in the directory where it ran, with the current
config and keys. The result of a completed task is carried over: it costs nothing again. The new run has an id and a budget
of its own, and can be shown, watched, stopped and resumed like any run.
deputy resume ID continues a stopped run where it was instead.

Exit codes: as for deputy run.
${examples([
  ["deputy retry --last", "run the tasks of the newest run that did not complete once more"],
  ["deputy retry 7f3a --model glm-5.1", "on another model"],
  ["deputy retry 7f3a -m claude-opus-5-5 -p anthropic --max-cost 2", "at another provider, for at most $2"],
])}`,
    )
    .action((written: string | undefined, flags: RetryFlags) =>
      withDeputy(withSpawnDepth(context, flags.maxSpawnDepth), flags.config, async ({ engine, loadConfig }) => {
        const fits = ({ run }: RunListing) => run.endedAt !== undefined && failedIn(run) > 0 && !isConversation(run);
        const id = await whichRun(engine, { id: written, last: flags.last, fits }, io);
        const { run } = await engine.run(id);
        const output = flags.output === undefined ? {} : { output: resolve(io.cwd, flags.output) };
        const { notify } = loadConfig().config;
        const follower = await createFollower(io, { ...flags, ...output, notify }, run.children.length);
        const { maxCost: maxCostUsd, strict } = flags;
        const delegation = await engine.retry(id, {
          surface: "cli",
          workspace: io.cwd,
          route: wishOf(flags),
          ...workOptions(flags),
          ...present({ maxCostUsd, strict, asker: follower.asker }),
        });
        context.exitWith((await follower.follow(delegation)).code);
      }),
    );
};
