/** Isolated children, killed, resumed, stopped and cleaned in random orders: no byte of their work may be lost. */
import { type IsolationRound, playIsolation } from "../support/isolation-rounds.ts";
import type { Part } from "./rounds.ts";

export const isolationPart: Part = {
  what: "random orders of kill, resume, stop and clean of children in working copies",
  usualCount: 500,
  async run({ count, seed }, rounds) {
    const outcomes = rounds.finished<IsolationRound>();
    if (outcomes.length > 0) console.log(`${outcomes.length} rounds were finished before.`);
    for (let round = outcomes.length; round < count; round++) {
      const outcome = await playIsolation(seed + round).catch((error) => {
        throw new Error(`Broken with seed ${seed + round}.`, { cause: error });
      });
      outcomes.push(outcome);
      rounds.add(outcome);
      if (outcomes.length % 25 === 0) console.log(`${outcomes.length} of ${count}: ${inWords(outcomes)}`);
    }
    return `${count} orders (seeds ${seed} to ${seed + count - 1}): ${inWords(outcomes)}. 0 bytes lost.`;
  },
};

function inWords(outcomes: readonly IsolationRound[]): string {
  const moves = Map.groupBy(
    outcomes.flatMap((outcome) => outcome.moves),
    (move) => move,
  );
  const counts = [...moves].map(([move, all]) => `${all.length} × ${move}`).sort();
  const files = outcomes.reduce((sum, outcome) => sum + outcome.files, 0);
  const bytes = outcomes.reduce((sum, outcome) => sum + outcome.bytes, 0);
  return `${counts.join(", ")}; ${files} files with ${bytes} bytes of work`;
}
