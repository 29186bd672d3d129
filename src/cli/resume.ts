/** `deputy resume`: goes on with a run whose process has ended; shown and written as `deputy run` does. */
import { resolve } from "node:path";
import { Option } from "commander";
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "./command.ts";
import { createFollower, type FollowFlags } from "./follow.ts";

export const declareResume: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Go on with a run whose process has ended. Finished children are not run again.")
    .argument("<id>", "the run, or the beginning of its id")
    .addOption(new Option("--json", "the result as JSON on stdout").conflicts("ndjson"))
    .option("--ndjson", "events and result as JSON lines on stdout")
    .option("-o, --output <dir>", "write each result into this directory, those from before too")
    .option("-v, --verbose", "also every request, tool call and approval")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Steps that were finished are not asked again. A tool call that had begun and not ended is repeated if it only reads;
otherwise the child is told that its outcome is unknown. A run that another process is still working on is left alone.
${examples([
  ["deputy resume 7f3a", "go on with it"],
  ["deputy runs", "find the unfinished ones"],
])}`,
    )
    .action((id: string, flags: FollowFlags & { config?: string }) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const output = flags.output === undefined ? {} : { output: resolve(io.cwd, flags.output) };
        const { run } = engine.run(id);
        const follower = await createFollower(io, { ...flags, ...output }, run.children.length);
        const options = follower.asker === undefined ? {} : { asker: follower.asker };
        const delegation = await engine.resume(run.delegationId, options);
        context.exitWith((await follower.follow(delegation, engine.run(run.delegationId).run)).code);
      }),
    );
};
