/**
 * A run is asked to end at a random moment, whatever it is doing or waiting for. It ends in time, and can be resumed.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Turn } from "../../../src/testing/index.ts";
import { stepOf, taskOf } from "../../support/end-to-end.ts";
import type { Round } from "./round.ts";

/** A model's action that keeps a child busy for longer than any test waits. */
const BUSY: Record<string, (round: Round) => Turn> = {
  silent: () => ({ fault: { kind: "silence" } }),
  "silent in the middle": () => ({
    text: "Well, let me think about that.",
    deltas: 4,
    fault: { kind: "silence", afterDeltas: 2 },
  }),
  slow: () => ({ text: "word ".repeat(2_000), tokensPerSecond: 20 }),
  late: () => ({ text: "At last.", latencyMs: 60_000 }),
  sleeping: () => call("trap '' TERM HUP INT; sleep 60"),
  talking: () => call("yes | head -c 2000000000 | tail -c 100; sleep 60"),
  asking: (round) => call(round.command("asked")),
  reading: () => ({ toolCalls: Array.from({ length: 60 }, () => ({ name: "grep", input: { pattern: "." } })) }),
  prompt: () => ({ text: "Done." }),
};

function call(command: string): Turn {
  return { toolCalls: [{ name: "terminal", input: { command } }] };
}

export async function attackByStopping(round: Round): Promise<void> {
  const { draw } = round;
  round.configure({
    delegation: { max_concurrent_children: draw.whole(1, 5) },
    permissions: [
      { tool: "terminal", match: "*sleep 60", then: "allow" },
      { tool: "terminal", match: "touch *", then: "ask" },
    ],
  });
  const kinds = Array.from({ length: draw.whole(1, 5) }, () => draw.pick(Object.keys(BUSY)));
  let patient = true;
  round.answerWith((request) => {
    const kind = kinds[Number(/Order (\d+)/.exec(taskOf(request))?.[1])] ?? "prompt";
    if (!patient || stepOf(request) > 2) return { text: "Done." };
    if (stepOf(request) === 1) return { text: "I look.", toolCalls: [{ name: "list_dir", input: {} }] };
    return BUSY[kind]?.(round) ?? { text: "Done." };
  });
  const path = round.tasks(kinds.map((_, index) => ({ goal: `Order ${index}` })));
  await round.whileAwaiting(async () => {
    const run = round.launch(["run", path, "--json", ...draw.pick([["--wait-for-approval"], []])]);
    const enough = draw.whole(0, kinds.length * 2);
    // Children that wait for a slot, or whose turn is over, send no more requests.
    await Promise.race([round.until(() => round.requests.length >= enough, run), sleep(2_500)]);
    await sleep(draw.whole(0, 400));
    const id = await round.runId();
    const end = draw.pick(["SIGTERM", "SIGINT", "SIGHUP", "stop", "stop"] as const);
    if (end !== "stop" || id === undefined) run.askToEnd(end === "stop" ? "SIGTERM" : end);
    else {
      await round.launch(["stop", id], { limits: ":" }).ended;
      run.askedToEnd();
    }
    await run.ended;
  });
  const id = await round.runId();
  if (id === undefined) return;
  patient = false;
  await round.checkpoint();
  const { code, stderr } = await round.launch(["resume", id, "--json"]).ended;
  if (code !== 0)
    round.breach({ kind: "lost", words: `the stopped run did not go on (exit code ${code}): ${stderr.slice(-300)}` });
}
