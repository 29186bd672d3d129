/** `deputy steer`: sends a message to a running child in any process of this user. */
import { text } from "node:stream/consumers";
import type { RunListing, SteerReceipt } from "../../engine/engine.ts";
import { DeputyError, keyRemoved } from "../../errors.ts";
import { rootIdOf } from "../../run/run.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import type { Io } from "../io.ts";

type SteerFlags = { last?: true; wait?: true; json?: true; config?: string };

export const declareSteer: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Send a message to a running child. The child receives it with its next request.")
    .argument("[id]", "a child (ID.n), or a run with one open child")
    .argument("[text]", "the message, or - for standard input")
    .option(...LAST_OPTION)
    .option("--wait", "wait until the message is delivered or the child has ended")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
The child is not interrupted: it finishes its current step and receives the message before its next request. A child
that is writing its final answer takes another step, within its limits. The receipt is one of:
  queued     not delivered yet; after a stop or a crash, deputy resume delivers it
  delivered  added to the child's conversation and sent with its next request
  missed     the child ended for good before it received the message

Exit codes: 0 queued or delivered · 1 missed, or the child had already ended.
${examples([
  ['deputy steer 7f3a.2 "Leave out the tests"', "message the second child"],
  ['deputy steer 7f3a "Be brief" --wait', "message the only open child and wait for delivery"],
  ['deputy steer .2 "Be brief" --last', "message the second child of the newest run"],
  ["git diff | deputy steer 7f3a.2 -", "read the message from standard input"],
])}`,
    )
    .action((first: string | undefined, second: string | undefined, flags: SteerFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const [written, words] = second === undefined ? [undefined, first] : [first, second];
        if (words === undefined) throw new DeputyError("usage", "Expected a message, or - for standard input.");
        const fits = ({ run }: RunListing) => run.endedAt === undefined;
        const id = await whichRun(engine, { id: written, last: flags.last, fits }, io);
        const message = words === "-" ? await text(io.stdin) : words;
        const sent = await engine.steer(id, message.trim(), "deputy steer");
        if (sent.keyRemoved) io.stderr.write(`${keyRemoved("The message").message}\n`);
        const receipt = flags.wait ? await waitFor(sent, engine.settleSteer, io) : sent;
        const { id: messageId, childId, state } = receipt;
        if (flags.json) {
          io.stdout.write(jsonDocument({ id: messageId, child_id: childId, state }));
        } else io.stdout.write(`${formatReceipt(receipt)}\n`);
        context.exitWith(state === "missed" ? EXIT_NOT_COMPLETED : EXIT_COMPLETED);
      }),
    );
};

/** Waits until the user stops waiting. */
async function waitFor(
  sent: SteerReceipt,
  settle: (receipt: SteerReceipt, signal: AbortSignal) => Promise<SteerReceipt>,
  io: Io,
): Promise<SteerReceipt> {
  const timeout = new AbortController();
  const stop = io.onInterrupt(() => timeout.abort());
  try {
    return await settle(sent, timeout.signal);
  } finally {
    stop();
  }
}

export function formatReceipt({ childId, state, owner }: SteerReceipt): string {
  if (state === "delivered") return `Delivered: ${childId} has received the message.`;
  if (state === "missed") return `Missed: ${childId} ended before it received the message. See deputy show ${childId}.`;
  if (owner === "alive")
    return `Queued: ${childId} receives the message with its next request. See deputy show ${childId}.`;
  const run = rootIdOf(childId);
  return `Queued: ${childId} receives the message after deputy resume ${run}, because no process is working on it.`;
}
