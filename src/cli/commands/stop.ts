/** `deputy stop`: asks a run or one child to stop, in any process of this user. */
import type { RunListing } from "../../engine/engine.ts";
import { hasEnded, isConversation, parseRunId, type Run, type RunChild } from "../../run/run.ts";
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";

export const declareStop: Declare = (command, context) => {
  command
    .description("Stop a run or one of its children. Finished work is kept.")
    .argument("[id]", "a run, or a child (ID.n)")
    .option(...LAST_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      examples([
        ["deputy stop 7f3a", "stop all children of a run"],
        ["deputy stop 7f3a.2", "stop the second child; its siblings continue"],
      ]),
    )
    .action((written: string | undefined, flags: { last?: true; config?: string }) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const fits = ({ run }: RunListing) => run.endedAt === undefined;
        const id = await whichRun(engine, { id: written, last: flags.last, fits }, context.io);
        const { run } = await engine.run(id);
        const { taskIndex = -1 } = parseRunId(id);
        const child = run.children[taskIndex];
        if (run.endedAt !== undefined || (child !== undefined && hasEnded(child))) {
          context.io.stdout.write(`${id} has ended already. See deputy show ${id}.\n`);
          return;
        }
        await engine.stop(id, "deputy stop");
        const notes = queuedNotes(run, child).join("");
        context.io.stdout.write(wrapFor(context.io.stdout, `Asked ${id} to stop. See deputy show ${id}.\n${notes}`));
      }),
    );
};

/** Names the messages that the stopped children have not received, and what becomes of them. */
function queuedNotes(run: Run, only: RunChild | undefined): string[] {
  const stopped = only === undefined ? run.children.filter((child) => !hasEnded(child)) : [only];
  const fate = isConversation(run)
    ? "Send it with the next message."
    : `deputy resume ${run.delegationId} delivers it.`;
  const queued = stopped.flatMap(({ steers }) => steers.filter(({ state }) => state === "queued"));
  return queued.map(({ text }) => `! Not delivered yet: “${oneLine(text)}” ${fate}\n`);
}
