/** `deputy approve` is typed for the listed request, which another one has replaced meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { stepOf } from "../../support/end-to-end.ts";
import type { Round } from "./round.ts";
import type { Watched } from "./watched.ts";

/** `typed`: arguments of `deputy approve` according to the list. */
type Listed = { id: string; typed: string[] };

export async function attackBySwapping(round: Round): Promise<void> {
  const { draw } = round;
  const timesOut = draw.chance(0.3);
  const callIds = draw.pick([
    ["call_same", "call_same"],
    ["call_1", "call_2"],
  ] as const);
  round.configure({ delegation: { approval_timeout_seconds: timesOut ? 3 : 60 } });
  round.answerWith((request) => {
    const mark = ["listed", "swapped"][stepOf(request) - 1];
    if (mark === undefined) return { text: "Done." };
    const id = callIds[stepOf(request) - 1] ?? "";
    return { toolCalls: [{ id, name: "terminal", input: { command: round.command(mark) } }] };
  });
  await round.whileAwaiting(async () => {
    const run = round.launch(["run", round.tasks([{ goal: "Order 0" }]), "--wait-for-approval", "--json"]);
    const first = await listedWith(round, "listed", run);
    if (first === undefined) return finish(run);
    if (!timesOut) {
      const allows = draw.chance(0.3);
      if (allows) round.approve("listed");
      await approve(round, [...first.typed, ...(allows ? [] : ["--deny"])]);
    }
    await round.until(() => isAsked(round, "swapped"), run);
    await sleep(draw.whole(0, 200));
    const attempts = [first.typed, [first.id], [first.id, "--call", callIds[0]]];
    for (const words of draw.some(attempts, draw.whole(1, 3))) {
      const { stdout, stderr } = await approve(round, words);
      // A rejection may show the current request, and the next answer may mean that one.
      if (`${stdout}${stderr}`.includes("swapped")) break;
    }
    await sleep(300);
    if (draw.chance(0.4)) await allowWhatIsListed(round, run);
    return finish(run);
  });
}

/** The honest counterpart: a listed request is approved as the list says. */
async function allowWhatIsListed(round: Round, run: Watched): Promise<void> {
  if (round.hasMark("swapped")) return;
  const second = await listedWith(round, "swapped", run);
  if (second === undefined) return;
  round.approve("swapped");
  const { code, stderr } = await approve(round, second.typed);
  const ran = await round
    .until(() => round.hasMark("swapped"))
    .then(
      () => true,
      () => false,
    );
  if (code !== 0 || !ran) round.breach({ kind: "lost", words: `what was listed could not be allowed: ${stderr}` });
}

async function finish(run: Watched): Promise<void> {
  run.askToEnd("SIGTERM");
  await run.ended;
}

function approve(round: Round, words: readonly string[]) {
  return round.launch(["approve", ...words], { limits: ":" }).ended;
}

async function isAsked(round: Round, words: string): Promise<boolean> {
  return (await round.stored()).some((event) => event.kind === "approval-ask" && event.target.includes(words));
}

/** Waits until a list shows a request with this text. No other list shows it. */
async function listedWith(round: Round, words: string, run: Watched): Promise<Listed | undefined> {
  await round.until(() => isAsked(round, words), run);
  const { stdout } = await round.launch(["approve"], { limits: ":" }).ended;
  const [, id] = /\? (\w+\.1) /.exec(stdout) ?? [];
  if (id === undefined || !stdout.includes(words)) return undefined; // It expired before.
  const [typed = `deputy approve ${id}`] = /deputy approve \S.*$/m.exec(stdout) ?? [];
  return { id, typed: typed.trim().split(/\s+/).slice(2) };
}
