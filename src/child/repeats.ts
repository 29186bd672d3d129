/**
 * Calls that a child makes again and again with the same outcomes: of one answer, or of a cycle of a few answers. Folded
 * from the ends of its calls, answer by answer.
 */

/** Times in a row that a cycle is repeated: after `toldAt` the child gets a hint, after `atMost` it has to answer. */
export const REPEATS = { toldAt: 3, atMost: 6 };
/** Answers in the longest cycle that is recognized. */
const LONGEST_CYCLE = 3;

export type Repeats = {
  /** The newest outcomes, each of all calls of an answer, newest first. */
  newest: readonly string[];
  /** For cycles of one answer, of two and so on: how many of the last outcomes equal the one a cycle before. */
  equal: readonly number[];
  /** Whether the child was told of the cycle that it repeats. */
  told: boolean;
};

export function createRepeats(): Repeats {
  return { newest: [], equal: Array.from({ length: LONGEST_CYCLE }, () => 0), told: false };
}

/** @param outcome of all calls of an answer: several in one answer are no repetition */
export function withOutcome({ newest, equal, told }: Repeats, outcome: string): Repeats {
  const next = {
    newest: [outcome, ...newest].slice(0, LONGEST_CYCLE),
    equal: equal.map((count, index) => (newest[index] === outcome ? count + 1 : 0)),
  };
  return { ...next, told: told && cycleIn(next).count >= REPEATS.toldAt };
}

/** The cycle that was repeated most often at the end, with its number of answers; of two, the shorter one. */
export function cycleIn({ equal }: Pick<Repeats, "equal">): { answers: number; count: number } {
  const cycles = equal.map((matches, index) => ({ answers: index + 1, count: 1 + Math.floor(matches / (index + 1)) }));
  return cycles.reduce((most, each) => (each.count > most.count ? each : most));
}
