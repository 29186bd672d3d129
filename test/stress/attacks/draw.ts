/** Random choices of a round. The same seed makes the same choices. */
import { randomBytes } from "node:crypto";
import { createRandom } from "../../support/end-to-end-moments.ts";

export type Draw = {
  /** A whole number in a range, both ends included. */
  whole(least: number, most: number): number;
  chance(share: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** This many different items, in random order. */
  some<Item>(items: readonly Item[], count: number): Item[];
};

export function createDraw(seed: number): Draw {
  const random = createRandom(seed);
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[whole(0, items.length - 1)] as Item;
  return {
    whole,
    chance: (share) => random() < share,
    pick,
    some(items, count) {
      const left = [...items];
      return Array.from({ length: Math.min(count, left.length) }, () =>
        left.splice(whole(0, left.length - 1), 1),
      ).flat();
    },
  };
}

/** 40 unique characters. Not from the seed: two processes may use the same seed at once. */
export function newToken(): string {
  return randomBytes(20).toString("hex");
}
