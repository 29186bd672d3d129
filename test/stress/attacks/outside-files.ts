/**
 * File and search tools are aimed at files outside of the workspace, by every spelling and through every kind of link.
 */
import { stepOf } from "../../support/end-to-end.ts";
import { aimedAt, plantedPaths } from "./calls.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

export async function attackOutsideFiles(round: Round): Promise<void> {
  const { draw, place } = round;
  round.configure();
  const steps = draw.whole(1, 3);
  round.answerWith((request) => {
    if (stepOf(request) > steps) return { text: "Done." };
    const planted = Array.from({ length: 5 }, () => ({ name: "read_file", input: { path: plantedPaths(draw) } }));
    const command = { name: "terminal", input: { command: round.command("outside") } };
    return { toolCalls: [...aimedAt(place.secrets, round, draw.whole(3, 20)), ...planted, command] };
  });
  const tasks = Array.from({ length: draw.whole(1, 3) }, (_, index) => ({ goal: `Order ${index}` }));
  await runSomehow(round, tasks);
}
