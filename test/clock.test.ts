import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { systemClock } from "../src/clock.ts";

test("a wait of any length is waited for, though Node's own timers end at 24.8 days", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const day = 24 * 60 * 60 * 1000;
  let rang = 0;
  systemClock.after(60 * day, () => {
    rang += 1;
  });
  const cancel = systemClock.after(30 * day, () => {
    rang += 100;
  });
  const passDays = (days: number) => {
    for (let passed = 0; passed < days; passed++) mock.timers.tick(day);
  };
  passDays(29);
  cancel();
  passDays(30);
  assert.equal(rang, 0);
  passDays(3);
  assert.equal(rang, 1);
  mock.timers.reset();
});
