/** A run that ends by itself, or is interrupted: by a signal, by `deputy stop`, by a kill and a resume. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Round } from "./round.ts";
import type { Watched } from "./watched.ts";

const ENDS = ["by itself", "by itself", "SIGTERM", "SIGINT", "SIGHUP", "stop", "kill"] as const;

export type RunOptions = {
  cwd?: string;
  limits?: string;
  env?: Record<string, string | undefined>;
  /** Options of `deputy resume` that the run has too. */
  options?: readonly string[];
  ends?: readonly (typeof ENDS)[number][];
};

/** @returns the last process that owned the run */
export async function runSomehow(round: Round, tasks: unknown, given: RunOptions = {}): Promise<Watched> {
  const { draw, place } = round;
  const { options = [], ends = ENDS, ...surroundings } = given;
  const all = [...options, ...draw.pick([["--json"], ["--ndjson"], ["--verbose"], []]), "--output", place.output];
  const run = round.launch(["run", round.tasks(tasks), ...all], surroundings);
  const end = draw.pick(ends);
  if (end !== "by itself") {
    const requests = draw.whole(0, 4);
    await round.until(() => round.requests.length >= requests, run);
    await sleep(draw.whole(0, 300));
  }
  if (end === "by itself") await run.ended;
  else if (end === "stop") await stop(round, run);
  else if (end === "kill") return killAndResume(round, run, all, surroundings);
  else run.askToEnd(end);
  await run.ended;
  return run;
}

/** Without a stored run there is nothing to stop by its id, so a signal does. */
async function stop(round: Round, run: Watched): Promise<void> {
  const id = await round.runId();
  if (id === undefined) return run.askToEnd("SIGTERM");
  const stopping = round.launch(["stop", id], { limits: ":" });
  await stopping.ended;
  run.askedToEnd();
}

async function killAndResume(
  round: Round,
  run: Watched,
  all: readonly string[],
  surroundings: RunOptions,
): Promise<Watched> {
  run.kill();
  await run.ended;
  const id = await round.runId();
  if (id === undefined) return run;
  await round.checkpoint();
  const resumed = round.launch(["resume", id, ...all], surroundings);
  await resumed.ended;
  return resumed;
}
