/**
 * Money under crashes: whatever is cut off, stopped, or reported, a run counts at least what its servers charged, and
 * no budget is exceeded. The servers charge for every request that arrives, up to its limit.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Usage } from "../../src/event.ts";
import { createMemory } from "../../src/journal/memory.ts";
import { resultsOf, spentIn } from "../../src/run/run.ts";
import { calls, fails, route, says, tool } from "../support/child-stage.ts";
import { createTestEngine, type ModelScript } from "../support/engine-stage.ts";

const MAX_OUTPUT = 3_000;
/** USD per token: $1,000 per million output tokens, input is free. */
const USD = 0.001;
const LIES: Usage[] = [-500_000, 1e308, Number.NaN].map((output) => ({ input: 0, output, cached: 0, reasoning: 0 }));

const options = { surface: "cli", workspace: "/work" } as const;
const TOOLS = [tool("look", "read", () => "seen")];
const FACTS = { facts: { price: { input: 0, output: USD * 1e6 }, maxOutputTokens: MAX_OUTPUT } };

/** The outcome of a request: answered with a true or false usage, failed, or in flight until the session ends. */
type Move = { kind: "told" | "lied" | "broken" | "silent"; share: number; more: boolean };
/** The outcomes of one process's requests, and its end: it is killed, the run is stopped, or it completes. */
type Session = { moves: Move[]; end: "kill" | "stop" };

const move: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom("told", "told", "told", "lied", "broken", "silent"),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  more: fc.boolean(),
});
const session = fc.record({
  moves: fc.array(move, { minLength: 1, maxLength: 5 }),
  end: fc.constantFrom("kill" as const, "stop" as const),
});

/** Charges each request that arrives. After the last outcome, requests are silent. */
function createServer() {
  let chargedUsd = 0;
  const serve =
    (moves: Move[]): ModelScript =>
    async ({ maxOutputTokens = MAX_OUTPUT }, signal) => {
      const { kind, share, more }: Move = moves.shift() ?? { kind: "silent", share: 1, more: false };
      const output = Math.floor(share * Math.min(MAX_OUTPUT, maxOutputTokens));
      chargedUsd += output * USD;
      const lie = LIES[output % LIES.length];
      const usage = kind === "lied" && lie ? lie : { input: 0, output: Math.max(1, output), cached: 0, reasoning: 0 };
      if (kind === "broken") return fails("malformed-response", { charged: true });
      if (kind !== "silent") return { ...(more ? calls(["look", { word: "x" }]) : says("done")), usage };
      return new Promise((resolve) => {
        const stopped = () => resolve(fails("aborted", { charged: true }));
        if (signal.aborted) stopped();
        signal.addEventListener("abort", stopped);
      });
    };
  return { serve, chargedUsd: () => chargedUsd };
}

/** Long enough for everything except a silent server. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function playSessions(sessions: Session[], limitUsd: number, ownUsd: number): Promise<void> {
  const memory = createMemory();
  const server = createServer();
  let id: string | undefined;
  for (const { moves, end } of [...sessions, { moves: [], end: "stop" } as Session]) {
    const script = server.serve([...moves]);
    const { engine, die } = createTestEngine({ script, memory, tools: TOOLS, route: (p, m) => route(p, m, FACTS) });
    const tasks = [{ goal: "one", max_cost_usd: ownUsd }, { goal: "two" }];
    const { result, ...delegation } = id
      ? await engine.resume(id, {})
      : await engine.submit({ tasks, max_cost_usd: limitUsd }, options);
    id = delegation.id;
    await Promise.race([result, turns(60)]);
    if (end === "stop") await delegation.stop("test").then(() => result);
    const chargedUsd = server.chargedUsd();
    const { run } = await engine.run(id);
    const countedUsd = spentIn(run.children);
    const told = `counted ${countedUsd}, charged ${chargedUsd}, limits ${limitUsd} and ${ownUsd}`;
    assert.ok(countedUsd >= chargedUsd - 1e-9, told);
    assert.ok(countedUsd <= limitUsd + 1e-3, told);
    assert.ok(spentIn(run.children.slice(0, 1)) <= ownUsd + 1e-3, told);
    const { total_cost_usd: totalUsd } = resultsOf(run);
    assert.ok(totalUsd === null || Math.abs(totalUsd - countedUsd) < 1e-9, `${totalUsd} is told: ${told}`);
    die();
  }
}

test("however often a run is killed or stopped, all charges count, and no budget is exceeded", async () => {
  const usd = fc.double({ min: 0.5, max: 20, noNaN: true });
  await fc.assert(fc.asyncProperty(fc.array(session, { minLength: 1, maxLength: 5 }), usd, usd, playSessions), {
    numRuns: 100,
  });
});

test("a request that a crash cuts off counts what was reserved for it, crash after crash", async () => {
  const silent: Move = { kind: "silent", share: 1, more: false };
  await playSessions(
    Array.from({ length: 6 }, () => ({ moves: [silent, silent], end: "kill" as const })),
    20,
    20,
  );
});
