/**
 * A run is killed, and resumed where it cannot continue: from elsewhere, without its key or its provider. Nothing is
 * lost.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { DelegationResult } from "../../../src/result.ts";
import { stepOf } from "../../support/end-to-end.ts";
import { write } from "./place.ts";
import type { LaunchOptions, Round } from "./round.ts";

type Obstacle = (round: Round) => LaunchOptions;

const OBSTACLES: Record<string, Obstacle> = {
  "from another directory": ({ place }) => ({ cwd: place.outside, bare: true }),
  "without the key": ({ place }) => ({ env: { [place.key.variable]: undefined } }),
  "with an empty key": ({ place }) => ({ env: { [place.key.variable]: "" } }),
  "without the provider": (round) =>
    rewritten(round, { model: "m2", provider: "other", providers: { other: ELSEWHERE } }),
  "with its model unknown": (round) => rewritten(round, { providers: { other: ELSEWHERE } }),
  "with a config that cannot be read": (round) => rewritten(round, "delegation: [\n"),
  "with an empty config": (round) => rewritten(round, ""),
};

/** Nobody listens there, and no request should be sent there. */
const ELSEWHERE = { base_url: "http://127.0.0.1:9/v1", models: { m2: {} } };

export async function attackByResumingElsewhere(round: Round): Promise<void> {
  const { draw } = round;
  round.configure();
  const { promise: killed, resolve: kill } = Promise.withResolvers<void>();
  round.answerWith(async (request) => {
    if (stepOf(request) === 1) return { text: "I look.", toolCalls: [{ name: "list_dir", input: {} }] };
    await killed;
    return { text: "Done." };
  });
  const tasks = Array.from({ length: draw.whole(1, 4) }, (_, index) => ({ goal: `Order ${index}` }));
  const run = round.launch(["run", round.tasks(tasks), "--json"]);
  const enough = draw.whole(1, tasks.length * 2);
  await round.until(() => round.requests.length >= enough, run);
  await sleep(draw.whole(0, 100));
  run.kill();
  await run.ended;
  kill();
  const id = await round.runId();
  if (id === undefined) return;
  await round.checkpoint();
  for (const name of draw.some(Object.keys(OBSTACLES), draw.whole(1, 3))) await meet(round, name, id);
  await round.checkpoint();
  const { code, stdout, stderr } = await round.launch(["resume", id, "--json"]).ended;
  if (code !== 0)
    return lose(round, `the run did not go on (exit code ${code}): ${stderr.slice(-300)}${stdout.slice(0, 300)}`);
  const { results } = JSON.parse(stdout) as DelegationResult;
  for (const { status, child_id } of results) if (status !== "completed") lose(round, `${child_id} is ${status}`);
}

/** If it cannot continue, it is left unchanged; if it can, it ends well. */
async function meet(round: Round, name: string, id: string): Promise<void> {
  const options = OBSTACLES[name]?.(round);
  const { code, stderr } = await round.launch(["resume", id, "--json"], { limits: ":", ...options }).ended;
  round.configure();
  const ends = (await round.stored()).filter((event) => event.kind === "child-end");
  const failed = ends.filter(({ ending }) => ending.status !== "completed");
  if (failed.length > 0) {
    lose(
      round,
      `resumed ${name} (exit code ${code}), ${failed.length} children are ${failed[0]?.ending.status}: ${stderr.slice(-300)}`,
    );
  }
}

function lose(round: Round, words: string): void {
  round.breach({ kind: "lost", words });
}

function rewritten(round: Round, config: object | string): LaunchOptions {
  write(round.place.config, typeof config === "string" ? config : JSON.stringify(config));
  round.userChanged();
  return {};
}
