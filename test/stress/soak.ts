/** Very many children in one process. After each hundred it checks what the process retains and holds open. */
import assert from "node:assert/strict";
import { type Reading, soak } from "../support/soak.ts";
import type { Part } from "./rounds.ts";

const CHILDREN_AT_ONCE = 100;
/** Memory of the last tenth against the second. */
const MAX_GROWTH = 1.1;

export const soakPart: Part = {
  what: "children in one process: memory and handles",
  usualCount: 20_000,
  async run({ count }) {
    const least = 10 * CHILDREN_AT_ONCE;
    assert.ok(count >= least, `Expected at least ${least} children, so that each tenth has a reading; found ${count}.`);
    const readings = await soak(count, CHILDREN_AT_ONCE, (reading) => {
      if (reading.children % (count / 20) < CHILDREN_AT_ONCE) console.log(row(reading));
    });
    const tenth = (nth: number) => {
      const those = readings.filter(({ children }) => Math.ceil((children / count) * 10) === nth);
      const mean = (of: (reading: Reading) => number) =>
        those.reduce((sum, reading) => sum + of(reading), 0) / those.length;
      return { heap: mean(({ heap }) => heap), rss: mean(({ rss }) => rss), last: those.at(-1) ?? assert.fail() };
    };
    const [second, last] = [tenth(2), tenth(10)];
    const growth = last.heap / second.heap;
    const open = ({ last: { handles, files, listeners } }: typeof last) => ({ handles, files, listeners });
    const report = `${count} children in one process. Memory is the heap and what it keeps outside, after a garbage collection
behind every ${CHILDREN_AT_ONCE} children: ${megabytes(second.heap)} in the second tenth, ${megabytes(last.heap)} in the last (${growth.toFixed(3)} of it);
the whole process ${megabytes(second.rss)} and ${megabytes(last.rss)}. Open after the second tenth and at the end:
${JSON.stringify(open(second))}
${JSON.stringify(open(last))}`;
    assert.ok(growth <= MAX_GROWTH, report);
    for (const name of ["handles", "files", "listeners"] as const) {
      assert.ok(last.last[name] <= second.last[name], `${name} grew\n${report}`);
    }
    return report;
  },
};

function row({ children, heap, rss, handles, files, listeners }: Reading): string {
  return `${children} children: ${megabytes(heap)}, process ${megabytes(rss)}, ${handles} handles, ${files} files, ${listeners} listeners`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
