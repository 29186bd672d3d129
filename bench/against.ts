/**
 * `npm run bench:against -- COMMIT`: the cost of this code compared with another commit's, in alternating pairs of new
 * processes, as ratios (this ÷ other) with 95% intervals.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { type Cells, createCells } from "./cells.ts";
import { SIZES, type Size } from "./goals.ts";
import type { Measurement } from "./measurement.ts";
import { ratioOf } from "./ratio.ts";
import type { Pace } from "./scenario.ts";
import { expectRequestsOf, firstRequestAfter, withServer } from "./server.ts";
import { stageOf, stageOfCommit } from "./stage.ts";

type Figure = Exclude<keyof Measurement, "startCpuMs">;
const FIGURES: Record<Figure, string> = { cpuMs: "CPU", peakMb: "peak memory", wallMs: "wall" };

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: "string", default: "1,64,512" },
    pairs: { type: "string", default: "15" },
    /** The same for both, where their default ones differ. */
    toolsets: { type: "string" },
  },
});
const [commit] = positionals;
if (commit === undefined) throw new Error("Expected a commit to compare with: npm run bench:against -- COMMIT");
const sizes = SIZES.filter((size) => flags.sizes.split(",").includes(String(size)));
const pairs = Number(flags.pairs);

const stages = { now: await stageOf(), other: await stageOfCommit(commit) };
const toolsets = flags.toolsets?.split(",");
const cells = {
  now: await createCells(stages.now.folder, toolsets),
  other: await createCells(stages.other.folder, toolsets),
};
try {
  if (sizes.includes(1)) show("deputy run, start → first request", await ratiosOf(startOf));
  for (const size of sizes) {
    if (size === 1) continue;
    await compareWave(size, "plain");
    if (size === 64) await compareWave(size, "deltas");
  }
  console.log(
    `\n${pairs} alternating pairs of new processes on ${cpus().length} cores; one child ran before each wave.`,
  );
} finally {
  for (const each of [cells.now, cells.other, stages.now, stages.other]) await each.remove();
}

async function compareWave(size: Size, pace: Pace): Promise<void> {
  const measured = await inPairs((of) =>
    withServer("none", async (server) => {
      const measurement = await of.deputy(server.baseUrl("chat_completions"), size, pace, true);
      expectRequestsOf(size + 1, server);
      return measurement;
    }),
  );
  for (const figure of Object.keys(FIGURES) as Figure[]) {
    const ratio = ratioOf(measured.map(({ now, other }) => now[figure] / other[figure]));
    show(`${FIGURES[figure]}, N = ${size}${pace === "deltas" ? ", 400 deltas" : ""}`, ratio);
  }
}

function startOf(of: Cells): Promise<number> {
  return firstRequestAfter((server) => of.command(server.baseUrl("chat_completions")));
}

async function ratiosOf(measure: (of: Cells) => Promise<number>) {
  const measured = await inPairs(measure);
  return ratioOf(measured.map(({ now, other }) => now / other));
}

/** Measures in turns: each goes first in every other pair. The first pair fills the compile cache, and is dropped. */
async function inPairs<Value>(measure: (of: Cells) => Promise<Value>): Promise<{ now: Value; other: Value }[]> {
  const measured: { now: Value; other: Value }[] = [];
  for (let pair = 0; pair <= pairs; pair++) {
    process.stderr.write(`bench: pair ${pair} of ${pairs}\n`);
    if (pair % 2 === 0) {
      const other = await measure(cells.other);
      measured.push({ other, now: await measure(cells.now) });
    } else {
      const now = await measure(cells.now);
      measured.push({ now, other: await measure(cells.other) });
    }
  }
  return measured.slice(1);
}

function show(name: string, { mean, low, high }: ReturnType<typeof ratioOf>): void {
  console.log(`${name.padEnd(36)} ${mean.toFixed(3)}  [${low.toFixed(3)}, ${high.toFixed(3)}]`);
}
