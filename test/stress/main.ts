/**
 * `npm run stress -- PART [COUNT] [SEED]`: the long runs. Each is seeded, stops at the first broken promise, names the
 * seed that repeats it, and ends with a report of one page, which is also stored in a file. Restarted with the same
 * count and seed after an interruption, it continues after the last finished round.
 */
import { attacksPart } from "./attacks.ts";
import { compactionPart } from "./compaction.ts";
import { crashPart, resumeRacePart } from "./crash.ts";
import { dialectsPart } from "./dialects.ts";
import { faultsPart } from "./faults.ts";
import { isolationPart } from "./isolation.ts";
import { openRounds, type Part } from "./rounds.ts";
import { routingPart } from "./routing.ts";
import { soakPart } from "./soak.ts";
import { treesPart } from "./trees.ts";

const PARTS: Record<string, Part> = {
  attacks: attacksPart,
  compaction: compactionPart,
  crash: crashPart,
  dialects: dialectsPart,
  faults: faultsPart,
  isolation: isolationPart,
  "resume-race": resumeRacePart,
  routing: routingPart,
  soak: soakPart,
  trees: treesPart,
};

const [name = "", count, seed] = process.argv.slice(2);
const part = PARTS[name];
if (part === undefined) {
  const lines = Object.entries(PARTS).map(([known, { usualCount, what }]) => `  ${known} [${usualCount}]  ${what}`);
  console.error(`Usage: npm run stress -- PART [COUNT] [SEED]\n\n${lines.join("\n")}`);
  process.exitCode = 2;
} else {
  const asked = { part: name, count: Number(count ?? part.usualCount), seed: Number(seed ?? Date.now() % 1_000_000) };
  const rounds = openRounds(asked);
  try {
    rounds.report(await part.run(asked, rounds));
  } catch (error) {
    console.error(error);
    console.error(`\nThe same again: npm run stress -- ${name} ${asked.count} ${asked.seed}`);
    process.exitCode = 1;
  }
}
