/** `deputy watch`: a run at work, in whatever process of this user it is, shown as its own `deputy run` shows it. */
import { Option } from "commander";
import type { Engine, RunListing } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import type { DelegationResult } from "../../result.ts";
import { parseRunId, type Run, type RunUpdate, resultsOf } from "../../run/run.ts";
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "../command.ts";
import { createFollower, type FollowedDelegation, type FollowFlags } from "../terminal/follow.ts";

type WatchFlags = Pick<FollowFlags, "json" | "ndjson" | "verbose"> & { config?: string };

export const declareWatch: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Watch a run at work, in whatever process it is, until it ends.")
    .argument("[id]", "the run, or the beginning of its id (default: the newest that runs)")
    .addOption(new Option("--json", "the result as JSON on stdout").conflicts("ndjson"))
    .option("--ndjson", "events and result as JSON lines on stdout")
    .option("-v, --verbose", "also every request, tool call and approval")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
You see what happened before, and then what happens; a run that has ended is told from its beginning to its end. Text
that a model is still writing is seen by the run's own process only.

Ctrl-C ends the watching, never the run: deputy stop ID stops that.

Exit codes: 0 all completed · 1 some did not, or the run's process ended before the run · 130 you left.
${examples([
  ["deputy watch", "the newest run at work"],
  ["deputy watch 7f3a", "this one"],
  ["deputy watch 7f3a --ndjson | grep child-end", "its events, for a program"],
])}`,
    )
    .action((id: string | undefined, flags: WatchFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const runId =
          id === undefined ? newestAtWork(engine).run.delegationId : engine.runId(parseRunId(id).delegationId);
        const follower = await createFollower(io, { ...flags, readOnly: true }, 0);
        const leaving = new AbortController();
        try {
          context.exitWith((await follower.follow(watched(engine, runId, leaving.signal))).code);
        } finally {
          leaving.abort();
        }
      }),
    );
};

/** Another's run as if it were a delegation of this process: its events as they are stored, then what came of it. */
function watched(engine: Engine, id: string, signal: AbortSignal): FollowedDelegation {
  const { promise: result, resolve: end } = Promise.withResolvers<DelegationResult>();
  async function follow(onUpdate: (update: RunUpdate) => void): Promise<void> {
    let run: Run | undefined;
    for await (const update of engine.replay(id, signal)) {
      run = update.run;
      onUpdate(update);
    }
    if (run !== undefined) end(resultsOf(run));
  }
  return { id, follow, result, stop: async () => {} };
}

/** @throws DeputyError `run-unknown` where nothing runs */
function newestAtWork(engine: Engine) {
  const isAtWork = ({ owner, run }: RunListing) =>
    ["here", "elsewhere"].includes(owner) && !run.delegationId.includes(".");
  // Among the newest it is found at once, however many there are.
  const atWork = engine.runs(20).find(isAtWork) ?? engine.runs().find(isAtWork);
  if (atWork !== undefined) return atWork;
  const [last] = engine.runs(1);
  const hint =
    last === undefined
      ? 'Start one: deputy run --goal "…"'
      : `The last one is told by: deputy watch ${last.run.delegationId}`;
  throw new DeputyError("run-unknown", `Nothing runs now. ${hint}`);
}
