/** `deputy resume`: continues a run whose process has ended, with the output of `deputy run`. */
import { resolve } from "node:path";
import type { ChatExtras, RunListing } from "../../engine/engine.ts";
import { isConversation } from "../../run/run.ts";
import { stateOf } from "../../run/run-report.ts";
import { present } from "../../values/present.ts";
import type { createChatExtras } from "../chat/background-runs.ts";
import { CONFIG_OPTION, type Declare, examples, withDeputy, withSpawnDepth } from "../command.ts";
import { EXIT_INTERRUPTED } from "../exit-codes.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import type { Io } from "../io.ts";
import { createFollower, type FollowFlags } from "../terminal/follow.ts";
import { declareOutputFlags, declareWorkFlags, type WorkFlags, workOptions } from "../work-flags.ts";

type ResumeFlags = FollowFlags & WorkFlags & { last?: true };

export const declareResume: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Continue a run whose process has ended. Finished children do not run again.")
    .argument("[id]", "the run's id, or its beginning")
    .option(...LAST_OPTION);
  declareWorkFlags(command);
  declareOutputFlags(command, "write every result to this directory, including earlier ones");
  command
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Finished steps are not requested again. A tool call that started but did not end is repeated if it only reads; otherwise
Deputy tells the child that the outcome is unknown. A run that another process is working on is not touched.
The current config, keys and --allow rules apply. A child whose provider, key, workspace or image is gone stays
interrupted and can be resumed once it is back.
${examples([
  ["deputy resume 7f3a", "continue this run"],
  ["deputy runs", "find unfinished runs"],
])}`,
    )
    .action((written: string | undefined, flags: ResumeFlags) =>
      withDeputy(withSpawnDepth(context, flags.maxSpawnDepth), flags.config, async (deputy) => {
        const { engine } = deputy;
        const output = flags.output === undefined ? {} : { output: resolve(io.cwd, flags.output) };
        const fits = (listing: RunListing) => ["unfinished", "stopped"].includes(stateOf(listing));
        const id = await whichRun(engine, { id: written, last: flags.last, fits }, io);
        const { run } = await engine.run(id);
        const { notify } = deputy.loadConfig().config;
        const follower = await createFollower(io, { ...flags, ...output, notify }, run.children.length);
        const options = {
          ...workOptions(flags),
          ...present({
            asker: follower.asker,
            beside: isConversation(run) ? await chatExtrasOf(deputy, io, flags.config) : undefined,
          }),
        };
        const delegation = await unlessInterrupted(io, (signal) =>
          engine.resume(run.delegationId, { ...options, signal }),
        );
        if (delegation === undefined) return context.exitWith(EXIT_INTERRUPTED);
        context.exitWith((await follower.follow(delegation, delegation.run)).code);
      }),
    );
};

/** Returns undefined if Ctrl-C or a signal ended the work early. */
async function unlessInterrupted<Value>(io: Io, work: (signal: AbortSignal) => Promise<Value>) {
  const controller = new AbortController();
  const unsubscribe = io.onInterrupt(() => controller.abort());
  try {
    return await work(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return undefined;
    throw error;
  } finally {
    unsubscribe();
  }
}

/** The chat tools of `deputy chat`, for a conversation. Other runs need none. */
async function chatExtrasOf(...given: Parameters<typeof createChatExtras>): Promise<ChatExtras> {
  const chat = await import("../chat/background-runs.ts");
  return chat.createChatExtras(...given);
}
