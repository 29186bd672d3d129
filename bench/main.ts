/**
 * `npm run bench`: Deputy's cost compared with its floor, the same HTTP traffic from a bare fetch loop in the same run.
 * Every measurement is a new process; Deputy and floor alternate; the scripted server runs in this process.
 */
import { cpus, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import type { ModelServer } from "../src/testing/model-server.ts";
import { type Cells, createCells } from "./cells.ts";
import { GOAL_NAMES, GOALS, type GoalName, median, type Row, SIZES, type Size, tableOf, verdict } from "./goals.ts";
import type { Measurement } from "./measurement.ts";
import { IDEAL_WALL_MS, LATENCY_MS, type Pace } from "./scenario.ts";
import { expectRequestsOf, firstRequestAfter, withServer } from "./server.ts";
import { stageOf } from "./stage.ts";

const REPEATS: Record<Size, number> = { 1: 7, 8: 5, 64: 5, 512: 3, 4096: 2 };

type Figures = Record<keyof Measurement, number>;
type Pair = { size: Size; pace: Pace; deputy: Figures; floor: Figures };

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    sizes: { type: "string", default: SIZES.join(",") },
    /**
     * The wave is the first thing that a process does. Otherwise one child runs before it, for Deputy and floor alike.
     */
    cold: { type: "boolean", default: false },
  },
});
const sizes = SIZES.filter((size) => flags.sizes.split(",").includes(String(size)));

const stage = await stageOf();
const cells = await createCells(stage.folder);
try {
  const bodies = { plain: await bodiesSent("plain"), deltas: await bodiesSent("deltas") };
  const start = sizes.includes(1) ? await startTimes(bodies.plain) : undefined;
  const pairs: Pair[] = [];
  for (const size of sizes) if (size > 1) pairs.push(await pairOf(size, "plain", bodies.plain));
  const deltas = sizes.includes(64) ? await pairOf(64, "deltas", bodies.deltas) : undefined;
  report(pairs, deltas, start);
} finally {
  await cells.remove();
  await stage.remove();
}

/** Records the requests of one child of Deputy, which the floor repeats. (This also warms the compile cache.) */
function bodiesSent(pace: Pace): Promise<string[]> {
  return withServer("whole", async (server) => {
    await cells.deputy(server.baseUrl("chat_completions"), 1, pace, false);
    return server.requests.map(({ body }) => JSON.stringify(body));
  });
}

async function pairOf(size: Size, pace: Pace, bodies: string[]): Promise<Pair> {
  const deputy: Measurement[] = [];
  const floor: Measurement[] = [];
  for (let repeat = 1; repeat <= REPEATS[size]; repeat++) {
    note(`${size} children${pace === "deltas" ? ", 400 deltas" : ""}: ${repeat} of ${REPEATS[size]}`);
    await withServer("none", async (server) => {
      deputy.push(await cells.deputy(server.baseUrl("chat_completions"), size, pace, !flags.cold));
      expectRequestsOf(size + (flags.cold ? 0 : 1), server);
    });
    await withServer("none", async (server) => {
      floor.push(await floorOf(cells, server, bodies, size, !flags.cold));
      expectRequestsOf(size + (flags.cold ? 0 : 1), server);
    });
  }
  return { size, pace, deputy: medians(deputy), floor: medians(floor) };
}

function floorOf(
  cells: Cells,
  server: ModelServer,
  bodies: string[],
  children: number,
  warm: boolean,
): Promise<Measurement> {
  return cells.floor({ url: `${server.baseUrl("chat_completions")}/chat/completions`, bodies, children, warm });
}

/**
 * Time from the start of a process to the arrival of its first request, in milliseconds, for `deputy run` and the
 * floor.
 */
async function startTimes(bodies: string[]): Promise<{ deputyMs: number; floorMs: number }> {
  const deputyMs: number[] = [];
  const floorMs: number[] = [];
  // The first start of each fills the compile cache.
  for (let repeat = 0; repeat <= REPEATS[1]; repeat++) {
    note(`start: ${repeat} of ${REPEATS[1]}`);
    const deputy = await firstRequestAfter((server) => cells.command(server.baseUrl("chat_completions")));
    const floor = await firstRequestAfter(async (server) => {
      const startedAt = Date.now();
      await floorOf(cells, server, bodies.slice(0, 1), 1, false);
      return startedAt;
    });
    if (repeat === 0) continue;
    deputyMs.push(deputy);
    floorMs.push(floor);
  }
  return { deputyMs: median(deputyMs), floorMs: median(floorMs) };
}

function medians(measurements: Measurement[]): Figures {
  const of = (figure: keyof Measurement) => median(measurements.map((each) => each[figure]));
  return { wallMs: of("wallMs"), cpuMs: of("cpuMs"), startCpuMs: of("startCpuMs"), peakMb: of("peakMb") };
}

function report(
  pairs: Pair[],
  deltas: Pair | undefined,
  start: { deputyMs: number; floorMs: number } | undefined,
): void {
  const ratios: Record<GoalName, Partial<Record<Size, number>>> = {
    wallToIdeal: bySize(pairs, ({ deputy }) => deputy.wallMs / IDEAL_WALL_MS),
    wallToFloor: bySize(pairs, ({ deputy, floor }) => deputy.wallMs / floor.wallMs),
    cpu: bySize(pairs, ({ deputy, floor }) => deputy.cpuMs / floor.cpuMs),
    memory: bySize(pairs, ({ deputy, floor }) => deputy.peakMb / floor.peakMb),
    start: start ? { 1: start.deputyMs / start.floorMs } : {},
    deltas: deltas ? { 64: deltas.deputy.cpuMs / deltas.floor.cpuMs } : {},
  };
  const rows = (Object.keys(GOALS) as GoalName[]).map((name): Row => {
    const verdicts: Row["verdicts"] = {};
    for (const size of sizes) {
      const goal = (GOALS[name] as Partial<Record<Size, number>>)[size];
      const ratio = ratios[name][size];
      if (goal !== undefined && ratio !== undefined) verdicts[size] = verdict(goal, ratio);
    }
    return { name: GOAL_NAMES[name], verdicts };
  });
  if (flags.json) console.log(JSON.stringify({ pairs, deltas, start, rows }, null, 2));
  else console.log(`${tableOf(rows, sizes)}\n\n${details(deltas ? [...pairs, deltas] : pairs, start)}`);
}

function bySize(pairs: Pair[], ratio: (pair: Pair) => number): Partial<Record<Size, number>> {
  return Object.fromEntries(pairs.map((pair) => [pair.size, ratio(pair)]));
}

function details(pairs: Pair[], start: { deputyMs: number; floorMs: number } | undefined): string {
  const lines = pairs.map(({ size, pace, deputy, floor }) => {
    const both = (figure: (of: Figures) => string) => `${figure(deputy)} (floor ${figure(floor)})`;
    return [
      `N = ${size}${pace === "deltas" ? ", 400 deltas per answer" : ""}:`,
      `wall ${both(({ wallMs }) => `${(wallMs / 1000).toFixed(2)} s`)},`,
      `CPU per child ${both(({ cpuMs }) => `${(cpuMs / size).toFixed(2)} ms`)},`,
      `peak ${both(({ peakMb }) => `${peakMb.toFixed(0)} MB`)},`,
      `CPU of start-up ${both(({ startCpuMs }) => `${startCpuMs.toFixed(0)} ms`)}`,
    ].join(" ");
  });
  if (start) {
    const { deputyMs, floorMs } = start;
    lines.push(`deputy run, process start → first request: ${deputyMs.toFixed(0)} ms (floor ${floorMs.toFixed(0)} ms)`);
  }
  return `${lines.join("\n")}

Medians of fresh processes, Deputy and floor in turn, on ${cpus().length} cores with Node ${process.versions.node}.
A child: two tool rounds (read_file) and an answer, each ${LATENCY_MS} ms away; ideal wall ${IDEAL_WALL_MS} ms; cap = N.
CPU: user and system time of the whole process from submit to the last result, ${flags.cold ? "first use of modules included" : "after one child that went before it"};
what came before is "start-up"; what a fresh process costs is the row of the start, and \`--cold\`. Journal: SQLite, synchronous=FULL, in ${tmpdir()}. Server: its own process, same machine.`;
}

function note(words: string): void {
  process.stderr.write(`bench: ${words}\n`);
}
