/** `deputy watch`: shows a run of any process of this user like its own `deputy run`. */
import { Option } from "commander";
import type { Engine, RunListing } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import type { DelegationResult } from "../../result.ts";
import { parseRunId, type Run, type RunUpdate, resultsOf } from "../../run/run.ts";
import { CONFIG_OPTION, type Declare, examples, QUIET_OPTION, withDeputy } from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { createFollower, type FollowedDelegation, type FollowFlags } from "../terminal/follow.ts";

type WatchFlags = Pick<FollowFlags, "json" | "ndjson" | "verbose" | "quiet"> & { last?: true; config?: string };

export const declareWatch: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Watch a run, in any process, until it ends.")
    .argument("[id]", "the run's id, or its beginning (default: the newest active run)")
    .option(...LAST_OPTION)
    .addOption(new Option("--json", "print the result as JSON").conflicts("ndjson"))
    .option("--ndjson", "print events and result as JSON lines")
    .option(...QUIET_OPTION)
    .option("-v, --verbose", "also show requests, tool calls and approvals")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Shows past events first and then new ones; a run that has ended is replayed. Only the run's own process shows text while
a model is writing it.

Ctrl-C stops watching but not the run; deputy stop ID stops the run.

Exit codes: 0 all completed · 1 some did not, or the process exited before the run ended · 130 interrupted.
${examples([
  ["deputy watch", "the newest active run"],
  ["deputy watch 7f3a", "this run"],
  ["deputy watch 7f3a --ndjson | grep child-end", "its events as JSON lines"],
])}`,
    )
    .action((written: string | undefined, flags: WatchFlags) =>
      withDeputy(context, flags.config, async ({ engine, loadConfig }) => {
        const id = flags.last ? await whichRun(engine, { id: written, last: true }, io) : written;
        const runId =
          id === undefined
            ? (await newestAtWork(engine)).run.delegationId
            : await engine.runId(parseRunId(id).delegationId);
        const { notify } = loadConfig().config;
        const follower = await createFollower(io, { ...flags, readOnly: true, notify }, 0);
        const leaving = new AbortController();
        try {
          context.exitWith((await follower.follow(watched(engine, runId, leaving.signal))).code);
        } finally {
          leaving.abort();
        }
      }),
    );
};

/** Presents another process's run as a delegation of this one: its stored events, then its result. */
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

/** @throws DeputyError `run-unknown` if nothing is running */
async function newestAtWork(engine: Engine): Promise<RunListing> {
  const isAtWork = ({ owner, run }: RunListing) =>
    ["here", "elsewhere"].includes(owner) && !run.delegationId.includes(".");
  // Look among the newest first, which is fast however many runs there are.
  const atWork = (await engine.runs(20)).find(isAtWork) ?? (await engine.runs()).find(isAtWork);
  if (atWork !== undefined) return atWork;
  const [last] = await engine.runs(1);
  const hint =
    last === undefined
      ? 'Start one: deputy run --goal "…"'
      : `Replay the last run: deputy watch ${last.run.delegationId}`;
  throw new DeputyError("run-unknown", `No run is active. ${hint}`);
}
