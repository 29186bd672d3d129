/** A small sample of `npm run stress -- faults`. */
import { test } from "node:test";
import { testSeed } from "../support/end-to-end-moments.ts";
import { playSchedule } from "../support/fault-schedule.ts";

const SCHEDULES = 4;

test("whatever fails when, every child has its true result, and every request is accounted for", async (t) => {
  const seed = testSeed();
  t.diagnostic(`seed ${seed}`);
  for (let round = 0; round < SCHEDULES; round++) await playSchedule(seed + round);
});
