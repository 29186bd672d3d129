// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * A random schedule of faults, injected into a batch of children over three providers. The results, the journal and the
 * costs are compared with the servers' own log.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import type { ChildEvent, StoredEvent } from "../../src/event.ts";
import type { DelegationResult, Result } from "../../src/result.ts";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { foldRun, type Run, resultsOf } from "../../src/run/run.ts";
import { type CallInput, parseCall } from "../../src/task.ts";
import { createMemoryJournal, createModelServer, type ModelRequest, type Turn } from "../../src/testing/index.ts";
import { createAwaited } from "./awaited.ts";
import { until } from "./command-line.ts";
import { createRandom, type Random } from "./end-to-end-moments.ts";
import { type Cost, caseIn, FAULT_MATRIX, type FaultCase } from "./fault-matrix.ts";
import { createIdleClock } from "./idle-clock.ts";

export const CHILDREN = 50;
const SLUGS = ["alpha", "beta", "gamma"] as const;
type Slug = (typeof SLUGS)[number];

/** Excluded: they take too long to be played hundreds of times, or no server plays them. */
const LEFT_OUT = ["an answer of more than 16 MB", "a slow drip", "nothing listens at the address"];
const FAULTS = Object.entries(FAULT_MATRIX).filter(([name]) => !LEFT_OUT.includes(name));

/** Cost of every answer in USD if its provider reports usage, which is the same for all. */
const USAGE = { input: 1_000, output: 100 };
const ANSWER_USD = 0.0011;

type Order = {
  alias: string;
  slug: Slug;
  /** Tool calls before the answer. */
  calls: number;
  timeoutSeconds?: number;
  maxIterations?: number;
};

/** All random choices, drawn from the seed. */
type Schedule = {
  seed: number;
  modes: Record<Slug, ApiMode>;
  concurrency: number;
  faultRate: number;
  maxCostUsd?: number;
  orders: Order[];
  /** Stops one child, or all, after this number of requests. */
  stops: { afterRequests: number; target?: number }[];
};

/** A request as its server saw it. */
type Entry = { slug: Slug; expected?: FaultCase; final: boolean; text: string };

export type ScheduleOutcome = { requests: number; faults: number; statuses: Record<string, number>; minutes: number };

/** @throws AssertionError if a report differs from what happened */
export async function playSchedule(seed: number): Promise<ScheduleOutcome> {
  const schedule = draw(seed);
  const { result, events, logs, count, virtualMs } = await run(schedule);
  checkNothingLost(result, events);
  assert.equal(
    logs.reduce((sum, log) => sum + log.length, 0),
    count,
  );
  for (const [index, order] of schedule.orders.entries()) {
    const found = result.results[index] ?? assert.fail(`task ${index} has no result`);
    const own = events.filter((event): event is ChildEvent => "childId" in event && event.childId === found.child_id);
    const log = logs[index] ?? [];
    try {
      checkRequests(found, own, log);
      checkStatus(found, log, order, schedule);
      checkCost(found, log, reservedIn(own));
    } catch (error) {
      const told = JSON.stringify({
        order,
        log: log.map(({ expected, ...entry }) => ({ ...entry, ...expected })),
        found,
      });
      throw new Error(`task ${index} of seed ${seed}: ${told}`, { cause: error });
    }
  }
  if (schedule.maxCostUsd !== undefined) {
    const spent = result.results.reduce((sum, { cost_usd }) => sum + (cost_usd ?? 0), 0);
    assert.ok(spent <= schedule.maxCostUsd, `spent ${spent} of ${schedule.maxCostUsd}`);
  }
  const statuses = Object.fromEntries(
    Map.groupBy(result.results, ({ status }) => status)
      .entries()
      .map(([status, those]) => [status, those.length]),
  );
  const faults = logs.flat().filter(({ expected }) => expected !== undefined).length;
  return { requests: count, faults, statuses, minutes: virtualMs / 60_000 };
}

// Drawing ------------------------------------------------------------------------------------------------------------

function draw(seed: number): Schedule {
  const random = createRandom(seed);
  const chance = (share: number) => random() < share;
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  const pick = <Item>(items: readonly Item[]): Item => items[whole(0, items.length - 1)] as Item;
  const orders = Array.from({ length: CHILDREN }, (): Order => {
    const slug = pick(SLUGS);
    return {
      slug,
      alias: chance(0.5) ? slug : `${slug}_rescued`,
      calls: whole(0, 3),
      ...(chance(0.15) && { timeoutSeconds: whole(20, 600) }),
      ...(chance(0.1) && { maxIterations: whole(1, 3) }),
    };
  });
  return {
    seed,
    modes: { alpha: pick(API_MODES), beta: pick(API_MODES), gamma: pick(API_MODES) },
    concurrency: whole(3, CHILDREN),
    faultRate: random() * 0.6,
    ...(chance(0.2) && { maxCostUsd: 0.05 + random() * 0.2 }),
    orders,
    stops: [
      ...(chance(0.4) ? [{ afterRequests: whole(1, 60), target: whole(0, CHILDREN - 1) }] : []),
      ...(chance(0.1) ? [{ afterRequests: whole(20, 200) }] : []),
    ],
  };
}

/** The fault of a task's nth request: the same for the same seed, however the requests interleave. */
function faultOf({ seed, faultRate, modes }: Schedule, slug: Slug, task: number, nth: number): FaultCase | undefined {
  const random: Random = createRandom(seed * 7_919 + task * 104_729 + nth * 1_299_709);
  if (random() >= faultRate) return undefined;
  const [, fault] = FAULTS[Math.floor(random() * FAULTS.length)] ?? assert.fail();
  return caseIn(fault, modes[slug]);
}

// Running ------------------------------------------------------------------------------------------------------------

async function run(schedule: Schedule) {
  const home = mkdtempSync(join(tmpdir(), "deputy-faults-"));
  const awaited = createAwaited();
  const clock = createIdleClock(2_000, awaited.isBusy);
  const logs: Entry[][] = schedule.orders.map(() => []);
  const journal = createMemoryJournal({ beforeCommit: awaited.note });
  let count = 0;
  let onRequest = () => {};
  const server = await createModelServer({
    clock,
    keys: Object.fromEntries(SLUGS.map((slug) => [slug, `sk-${slug}-0d9f`])),
    keepRequests: "none",
    script: (request) => {
      count += 1;
      onRequest();
      const turn = answerTo(schedule, logs, request);
      if (turn.fault?.kind === "silence") awaited.park(taskOf(request));
      return turn;
    },
  });
  writeFileSync(join(home, "config.json"), JSON.stringify(configOf(schedule, server.baseUrl)));
  writeFileSync(join(home, "note.txt"), "a note");
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state") };
  const { engine } = await openDeputy({
    env,
    cwd: home,
    configPath: join(home, "config.json"),
    clock,
    journal,
    random: createRandom(schedule.seed + 1),
  });
  try {
    const startedAt = clock.now();
    const delegation = await engine.submit(callOf(schedule), { surface: "library", workspace: home });
    const { id } = delegation;
    onRequest = () => {
      for (const { afterRequests, target } of schedule.stops) {
        if (count === afterRequests)
          void delegation.stop("test", target === undefined ? undefined : `${id}.${target + 1}`);
      }
    };
    const result = await withinTime(delegation.result, schedule.seed);
    const events = await Array.fromAsync(journal.read({ delegationId: id }), ({ event }) => event);
    const virtualMs = clock.now() - startedAt;
    await until(() => server.inFlight === 0);
    await engine.close();
    assert.deepEqual([server.scriptErrors, clock.pending], [[], 0], "scripts that failed, timers that are left");
    return { result, events, logs, count, virtualMs };
  } finally {
    clock.stop();
    await engine.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Children that hang are found here: the clock skips every wait. */
async function withinTime(result: Promise<DelegationResult>, seed: number): Promise<DelegationResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`schedule ${seed} hangs`)), 90_000);
  });
  return Promise.race([result, late]).finally(() => clearTimeout(timer));
}

function configOf({ modes, concurrency, maxCostUsd }: Schedule, baseUrl: (mode: ApiMode, prefix: string) => string) {
  const providers = SLUGS.map((slug) => [
    slug,
    {
      base_url: baseUrl(modes[slug], `/${slug}`),
      api_key: `sk-${slug}-0d9f`,
      api_mode: modes[slug],
      models: { m: { price: { input: 1, output: 1 } } },
    },
  ]);
  const models = SLUGS.flatMap((slug, index) => [
    [slug, { model: "m", provider: slug }],
    [`${slug}_rescued`, { model: "m", provider: slug, fallbacks: [`m --provider ${nextOf(index)}`] }],
  ]);
  return {
    providers: Object.fromEntries(providers),
    models: Object.fromEntries(models),
    delegation: { max_concurrent_children: concurrency, ...(maxCostUsd && { max_cost_usd: maxCostUsd }) },
  };
}

function nextOf(index: number): Slug {
  return SLUGS[(index + 1) % SLUGS.length] ?? "alpha";
}

function callOf({ orders }: Schedule) {
  const tasks = orders.map(({ alias, timeoutSeconds, maxIterations }, index) => ({
    goal: `Order ${index}`,
    model: alias,
    ...(timeoutSeconds && { timeout_seconds: timeoutSeconds }),
    ...(maxIterations && { max_iterations: maxIterations }),
  }));
  return parseCall({ tasks } as CallInput, 1_000);
}

function taskOf({ messages }: ModelRequest): number {
  return Number(/^Order (\d+)/.exec(messages[0]?.text ?? "")?.[1]);
}

/** The server's response, which it also logs. */
function answerTo(schedule: Schedule, logs: Entry[][], request: ModelRequest): Turn {
  const { path, messages, lastUserText } = request;
  const slug = SLUGS.find((known) => path.startsWith(`/${known}/`)) ?? assert.fail(path);
  const task = taskOf(request);
  const log = logs[task] ?? assert.fail(`no task ${task}`);
  const expected = faultOf(schedule, slug, task, log.length);
  const said = messages.filter(({ role }) => role === "assistant").length;
  const isLast = lastUserText !== messages[0]?.text;
  const final = isLast || said >= (schedule.orders[task]?.calls ?? 0);
  const text = final ? `Order ${task} is done after ${said} steps.` : `I look, step ${said}.`;
  const usual: Turn = {
    text,
    usage: USAGE,
    ...(!final && { toolCalls: [{ name: "read_file", input: { path: "note.txt" } }] }),
  };
  if (expected === undefined || expected.answer === "nobody") {
    log.push({ slug, final, text });
    return usual;
  }
  // A faulty call is a tool call itself, so the last request, which needs an answer, does not get it.
  const { toolCalls, fault } = expected.answer;
  if (toolCalls !== undefined && isLast) {
    log.push({ slug, final, text });
    return usual;
  }
  log.push({ slug, expected, final: final && toolCalls === undefined, text });
  return { ...usual, ...(fault && { fault }), ...(toolCalls && { toolCalls }), deltas: 6 };
}

// The oracle ---------------------------------------------------------------------------------------------------------

function checkNothingLost(result: DelegationResult, events: readonly StoredEvent[]): void {
  assert.deepEqual(
    result.results.map(({ task_index }) => task_index),
    Array.from({ length: CHILDREN }, (_, index) => index),
  );
  const folded = events.reduce<Run | undefined>((before, event) => foldRun(before, event), undefined);
  assert.deepEqual(folded && resultsOf(folded), result, "the result says what the events say");
}

/** Every request is in the journal and has an end. Every answered one arrived. */
function checkRequests(found: Result, events: readonly ChildEvent[], log: readonly Entry[]): void {
  const steps = events.filter(({ kind }) => ["step-start", "step-end", "step-fail"].includes(kind));
  const starts = steps.filter(({ kind }) => kind === "step-start").length;
  for (const [index, { kind }] of steps.entries()) assert.equal(kind === "step-start", index % 2 === 0, "start, end");
  assert.equal(steps.length, 2 * starts);
  const unsent = events.filter((event) => event.kind === "step-fail" && event.isUnsent).length;
  assert.equal(found.api_calls, starts - unsent);
  assert.equal(events.filter(({ kind }) => kind === "child-end").length, 1);
  const cutOff = found.status === "interrupted" || found.status === "timeout";
  assert.ok(
    log.length <= found.api_calls && log.length >= found.api_calls - (cutOff ? 1 : 0),
    `${log.length} arrived, ${found.api_calls} were sent`,
  );
}

function checkStatus(found: Result, log: readonly Entry[], order: Order, schedule: Schedule): void {
  const last = log.at(-1);
  const answered = last?.final === true && last.expected?.kind === undefined;
  const summary = found.summary.replaceAll("\ufffd", "");
  switch (found.status) {
    case "completed":
      assert.ok(answered);
      assert.equal(summary, last?.text);
      return;
    case "failed":
      assert.equal(found.error && "kind" in found.error && found.error.kind, last?.expected?.kind);
      if (last?.expected && hasSpoken(last.expected))
        assert.ok(summary !== "" && last.text.startsWith(summary), summary);
      else assert.equal(summary, lastSaid(log));
      assert.equal(found.route?.attempts.length, order.alias === order.slug ? 1 : 2, "no fallback is left");
      return;
    case "incomplete":
      if (found.exit_reason === "max_iterations") {
        assert.ok(order.maxIterations !== undefined && answered);
        assert.equal(summary, last?.text);
      } else {
        assert.equal(found.exit_reason, "max_cost");
        assert.ok(schedule.maxCostUsd !== undefined);
      }
      return;
    case "timeout":
      assert.ok(order.timeoutSeconds !== undefined && found.duration_seconds >= order.timeoutSeconds);
      return;
    case "interrupted":
      assert.equal(found.exit_reason, "test");
      assert.ok(schedule.stops.some(({ target }) => target === undefined || target === found.task_index));
      return;
    case "rejected":
      assert.fail("nothing here is to be rejected");
      break;
    default:
      found satisfies never;
  }
}

/** The newest text that arrived completely. */
/** Whether text arrived before the break: each answer here has some text before its calls. */
function hasSpoken({ partial, answer }: FaultCase): boolean {
  return partial === true || (answer !== "nobody" && answer.fault?.kind === "half-tool-call");
}

function lastSaid(log: readonly Entry[]): string {
  return log.findLast(({ expected }) => expected?.kind === undefined)?.text ?? "";
}

/** Sum of all reservations for its requests in USD; 0 without a budget. */
function reservedIn(events: readonly ChildEvent[]): number {
  return events.reduce((sum, event) => sum + (event.kind === "step-start" ? (event.reservedUsd ?? 0) : 0), 0);
}

/** A request that may have been charged counts with its reservation. */
function checkCost(found: Result, log: readonly Entry[], reservedUsd: number): void {
  if (found.status === "interrupted" || found.status === "timeout") {
    assert.ok((found.cost_usd ?? 0) <= log.length * ANSWER_USD + reservedUsd + 1e-9);
    return;
  }
  const costs = log.map(({ expected }): Cost => expected?.cost ?? "told");
  const toldUsd = costs.filter((cost) => cost === "told").length * ANSWER_USD;
  const isUncertain = costs.some((cost) => cost === "maybe" || cost === "so far");
  const soFar = costs.filter((cost) => cost === "so far").length * ANSWER_USD;
  if (isUncertain && toldUsd + soFar + reservedUsd === 0)
    assert.deepEqual([found.cost_usd, found.cost_status], [null, "unknown"]);
  else {
    assert.equal(found.cost_status, isUncertain ? "estimated" : "known");
    const usd = found.cost_usd ?? Number.NaN;
    assert.ok(
      usd >= toldUsd - 1e-9 && usd <= toldUsd + soFar + (isUncertain ? reservedUsd : 0) + 1e-9,
      `${usd}; the server said ${toldUsd}`,
    );
  }
}
