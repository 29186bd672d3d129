/**
 * A random tree of delegations through the engine: depth, fan-out, concurrent calls, providers, prices, budgets,
 * faults, and a stop or a crash somewhere, all from a seed. The requests at the servers are compared with the journal.
 */
import assert from "node:assert/strict";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import type { Delegation, Engine } from "../../src/engine/engine.ts";
import type { FailureKind } from "../../src/errors.ts";
import type { StoredEvent } from "../../src/event.ts";
import { createMemory, createMemoryJournal, type Memory } from "../../src/journal/memory.ts";
import { type UsageTotals, usageTotals } from "../../src/result.ts";
import { allChildren, type Run, type RunChild, spentIn } from "../../src/run/run.ts";
import type { Task } from "../../src/task.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/fake-clock.ts";
import { calls, fails, route, says } from "./child-stage.ts";
import { createRandom, type Random } from "./end-to-end-moments.ts";
import { createTestEngine } from "./engine-stage.ts";
import { mistakesIn } from "./journal-events.ts";

const MAX_DEPTH = 3;
/** USD for a million tokens of an answer; an answer has at most MAX_OUTPUT of them. */
const PRICES: Record<string, number> = { zai: 500, anthropic: 1_000, openrouter: 2_000 };
const MAX_OUTPUT = 3_000;
/** Failures that pass within the number of tries, and one that does not. */
const PASSING = ["network", "overloaded", "rate-limited", "malformed-response"] as const satisfies FailureKind[];

type Node = {
  name: string;
  provider: string;
  /** Its delegations, made in one answer: the tasks of each call, and each call's limit. */
  calls: { nodes: Node[]; maxCostUsd?: number }[];
  maxCostUsd?: number;
  /** The failures of its first requests in each step, or that it never gets an answer. */
  faults: FailureKind[] | "refused";
};

type Schedule = {
  roots: Node[];
  concurrency: number;
  maxCostUsd?: number;
  /** Stops something after this number of requests. */
  stopAfter?: number;
  crashes: boolean;
  /** Draws the choices that are made during the run. */
  seed: number;
};

/** A request as its server saw it. `told`: its cost as reported to Deputy; `usd`: its real cost. */
type Served = { name: string; step: number; usd: number; told: boolean };

export type TreeOutcome = { children: number; requests: number; faults: number; kind: "plain" | "stopped" | "crashed" };

/** @throws Error that names the seed, if a report differs from what happened */
export async function playTree(seed: number): Promise<TreeOutcome> {
  const schedule = draw(seed);
  try {
    return schedule.crashes ? await playCrash(schedule) : await playWhole(schedule);
  } catch (error) {
    throw new Error(`tree of seed ${seed}: ${JSON.stringify(schedule)}`, { cause: error });
  }
}

// Drawing ------------------------------------------------------------------------------------------------------------

function drawing(random: Random) {
  const whole = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
  return {
    whole,
    chance: (share: number) => random() < share,
    pick: <Item>(items: readonly Item[]): Item => items[whole(0, items.length - 1)] as Item,
    list: <Item>(length: number, make: () => Item) => Array.from({ length }, make),
  };
}

function draw(seed: number): Schedule {
  const { whole, chance, pick, list } = drawing(createRandom(seed));
  const isBudgeted = chance(0.4);
  const faultRate = pick([0, 0.1, 0.3]);
  let count = 0;
  const limit = (most: number) => (isBudgeted && chance(0.3) ? { maxCostUsd: whole(2, most) } : {});
  const node = (depth: number): Node => ({
    name: `«${++count}»`,
    provider: pick(Object.keys(PRICES)),
    ...limit(12),
    faults: chance(faultRate) ? (chance(0.2) ? "refused" : list(whole(1, 2), () => pick(PASSING))) : [],
    calls:
      depth < MAX_DEPTH && chance(depth === 1 ? 0.9 : 0.4)
        ? list(whole(1, 3), () => ({ nodes: list(whole(1, 3), () => node(depth + 1)), ...limit(12) }))
        : [],
  });
  const roots = list(whole(1, 3), () => node(1));
  const crashes = chance(0.4);
  return {
    seed,
    roots,
    concurrency: whole(1, 8),
    ...(isBudgeted && { maxCostUsd: whole(3, 60) }),
    ...(!crashes && chance(0.5) && { stopAfter: whole(1, Math.max(2, count)) }),
    crashes,
  };
}

function nodesIn(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...node.calls.flatMap((call) => nodesIn(call.nodes))]);
}

function taskOf({ name, provider, calls: delegated, maxCostUsd }: Node): Task {
  return {
    goal: name,
    provider,
    ...(delegated.length > 0 && { role: "orchestrator" as const }),
    ...(maxCostUsd !== undefined && { max_cost_usd: maxCostUsd }),
  };
}

// The servers --------------------------------------------------------------------------------------------------------

function createServers(schedule: Schedule, clock: FakeClock) {
  const { whole } = drawing(createRandom(schedule.seed + 1));
  const nodes = new Map(nodesIn(schedule.roots).map((node) => [node.name, node]));
  const log: Served[] = [];
  const tries = new Map<string, number>();
  /** Names of the stopped children, which must not send another request. */
  const silenced = new Set<string>();
  const facts = { inFlight: 0, most: 0, faults: 0 };
  let onRequest = () => {};

  async function script(request: ModelCall, signal: AbortSignal): Promise<Reply> {
    if (signal.aborted) return fails("aborted", { isUnsent: true }); // It never arrives.
    const name = goalOf(request);
    const node = nodes.get(name) ?? assert.fail(`nobody delegated ${name}`);
    assert.ok(!silenced.has(name), `${name} asks after it was stopped`);
    const step = request.messages.filter(({ role }) => role === "assistant").length + 1;
    const nth = tries.get(`${name} ${step}`) ?? 0;
    tries.set(`${name} ${step}`, nth + 1);
    const most = Math.min(MAX_OUTPUT, request.maxOutputTokens ?? MAX_OUTPUT);
    const output = whole(0, most);
    const fault = node.faults === "refused" ? "refused" : node.faults[nth];
    const served = { name, step, usd: 0, told: false };
    log.push(served);
    facts.inFlight += 1;
    facts.most = Math.max(facts.most, facts.inFlight);
    onRequest();
    await clock.sleep(whole(1, 400), signal).catch(() => {});
    facts.inFlight -= 1;
    if (fault !== undefined) facts.faults += 1;
    const charged = fault === undefined || fault === "malformed-response" || signal.aborted;
    served.usd = charged ? (output * (PRICES[node.provider] ?? 0)) / 1_000_000 : 0;
    if (signal.aborted) return fails("aborted", { charged });
    if (fault !== undefined) return fails(fault, { charged });
    served.told = true;
    return { ...answer(node, request), usage: { input: 0, output, cached: 0, reasoning: 0 } } as Reply;
  }

  return {
    log,
    facts,
    script,
    silence(names: Iterable<string>) {
      for (const name of names) silenced.add(name);
    },
    listen(listener: () => void) {
      onRequest = listener;
    },
  };
}

type Servers = ReturnType<typeof createServers>;

function goalOf({ messages: [first] }: ModelCall): string {
  return first?.role === "user" ? first.text : "";
}

/**
 * An orchestrator delegates, and then answers with its name and those of its results, in order; a leaf answers with its
 * name.
 */
function answer(node: Node, { messages, mustAnswer }: ModelCall): Reply {
  const told = messages.flatMap((message) => (message.role === "tool" ? [message.text] : []));
  if (mustAnswer || node.calls.length === 0 || told.length > 0) {
    const heard = told.flatMap((text) => text.match(/(?<=^|\n)(?:«\d+»)+(?=\n|$)/g) ?? []);
    return says([node.name, ...heard].join(""));
  }
  return calls(
    ...node.calls.map(({ nodes, maxCostUsd }): [string, unknown] => [
      "delegate_task",
      { tasks: nodes.map(taskOf), ...(maxCostUsd !== undefined && { max_cost_usd: maxCostUsd }) },
    ]),
  );
}

// Playing ------------------------------------------------------------------------------------------------------------

type Stage = { schedule: Schedule; clock: FakeClock; servers: Servers; memory: Memory };

function createStage(schedule: Schedule): Stage {
  const clock = createFakeClock();
  return { schedule, clock, servers: createServers(schedule, clock), memory: createMemory() };
}

function openEngine({ clock, servers, memory }: Stage, beforeCommit?: (events: readonly StoredEvent[]) => void) {
  return createTestEngine({
    script: servers.script,
    memory,
    clock,
    delegation: { max_spawn_depth: MAX_DEPTH + 1 },
    ...(beforeCommit && { beforeCommit }),
    route: (provider, model) =>
      route(provider, model, {
        facts: { price: { input: 0, output: PRICES[provider] ?? 0 }, maxOutputTokens: MAX_OUTPUT },
      }),
  });
}

function submit(engine: Engine, { roots, concurrency, maxCostUsd }: Schedule): Promise<Delegation> {
  const call = { tasks: roots.map(taskOf), ...(maxCostUsd !== undefined && { max_cost_usd: maxCostUsd }) };
  return engine.submit(call, { surface: "cli", workspace: "/work", concurrency });
}

/** Advances time until the work is done. A tree that does not end within a day of fake time hangs. */
async function through<Value>({ clock, servers }: Stage, work: Promise<Value>): Promise<Value> {
  let over = false;
  const end = () => {
    over = true;
  };
  work.then(end, end);
  const until = clock.elapsed() + 24 * 3_600_000;
  while (!over) {
    assert.ok(clock.elapsed() < until, "the tree hangs");
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (!over) await clock.advance(servers.facts.inFlight > 0 ? 25 : 1_000);
  }
  return work;
}

async function playWhole(schedule: Schedule): Promise<TreeOutcome> {
  const stage = createStage(schedule);
  const { engine } = openEngine(stage);
  const delegation = await submit(engine, schedule);
  const stopped =
    schedule.stopAfter === undefined ? undefined : stopOnTheWay(stage, engine, delegation, schedule.stopAfter);
  await through(stage, delegation.result);
  await stopped?.done();
  const { run } = await engine.run(delegation.id);
  await engine.close();
  await check(stage, run);
  if (stopped?.happened() !== true && schedule.maxCostUsd === undefined) checkStatuses(schedule, run);
  return outcomeOf(stage, run, stopped?.happened() ? "stopped" : "plain");
}

/**
 * Stops the run, a child, or a delegation, whichever exists at that moment. After that, everything below it is silent.
 */
function stopOnTheWay({ servers, schedule }: Stage, engine: Engine, { id, events }: Delegation, afterRequests: number) {
  const { pick } = drawing(createRandom(schedule.seed + 2));
  let asked: Promise<void> | undefined;
  servers.listen(() => {
    if (servers.log.length >= afterRequests) asked ??= stopAny();
  });
  async function stopAny(): Promise<void> {
    const { run } = await engine.run(id);
    const children = allChildren(run).filter(({ tally }) => tally.ending === undefined);
    const runs = children.flatMap(({ delegations }) => delegations).filter(({ endedAt }) => endedAt === undefined);
    const open = [id, ...children.map(({ tally }) => tally.childId), ...runs.map(({ delegationId }) => delegationId)];
    await engine.stop(pick(open), "somebody");
  }
  const heard = (async () => {
    for await (const event of events) {
      if (event.kind !== "stop-request") continue;
      const { run } = await engine.run(id);
      const top = event.target ?? event.delegationId;
      const below = allChildren(run).filter(
        ({ tally: { childId } }) => childId === top || childId.startsWith(`${top}.`),
      );
      servers.silence(below.map(({ tally }) => tally.planned.task.goal));
    }
  })();
  return {
    happened: () => asked !== undefined,
    done: () => Promise.all([asked, heard]),
  };
}

/** Plays the same tree twice: undisturbed, and killed at a random event and resumed. */
async function playCrash(schedule: Schedule): Promise<TreeOutcome> {
  const undisturbed = createStage(schedule);
  const whole = openEngine(undisturbed);
  const delegation = await submit(whole.engine, schedule);
  await through(undisturbed, delegation.result);
  const { run: uncut } = await whole.engine.run(delegation.id);
  await whole.engine.close();
  await check(undisturbed, uncut);

  const stage = createStage(schedule);
  const { whole: between } = drawing(createRandom(schedule.seed + 3));
  const cutAfter = between(1, undisturbed.memory.log.length - 1);
  const first = openEngine(stage, (events) => {
    if (stage.memory.log.length + events.length > cutAfter) throw new Error("killed");
  });
  const begun = await submit(first.engine, schedule).catch(() => undefined);
  await through(
    stage,
    (begun?.result ?? Promise.resolve()).then(
      () => {},
      () => {},
    ),
  );
  first.die();
  if (begun === undefined) return outcomeOf(stage, uncut, "crashed");
  const recorded = await stored(stage);
  const lost = lostIn(stage, recorded);
  const finished = new Set(
    recorded.flatMap((event) => (event.kind === "step-end" ? [`${event.childId} ${event.step}`] : [])),
  );
  const before = stage.servers.log.length;

  const second = openEngine(stage);
  const resumed = await second.engine.resume(begun.id, { concurrency: schedule.concurrency });
  await through(stage, resumed.result);
  const { run } = await second.engine.run(begun.id);
  await second.engine.close();
  await check(stage, run, lost);
  const idOf = new Map(allChildren(run).map(({ tally }) => [tally.planned.task.goal, tally.childId]));
  for (const { name, step } of stage.servers.log.slice(before))
    assert.ok(!finished.has(`${idOf.get(name)} ${step}`), `step ${step} of ${name} had ended, and is asked again`);
  if (schedule.maxCostUsd === undefined) {
    checkStatuses(schedule, run);
    assert.deepEqual(allChildren(run).map(inShort(begun.id)), allChildren(uncut).map(inShort(delegation.id)));
  }
  return outcomeOf(stage, run, "crashed");
}

function inShort(id: string) {
  return ({ tally: { childId, ending }, delegations }: RunChild) => [
    childId.replace(id, ""),
    ending?.status,
    ending?.text,
    delegations.map(({ delegationId }) => delegationId.replace(id, "")),
  ];
}

function stored({ memory }: Stage): Promise<StoredEvent[]> {
  return Array.fromAsync(createMemoryJournal({ memory }).read({}), ({ event }) => event);
}

/**
 * Requests whose end was not stored when the process died, or whose cost was not reported: at most the last one of each
 * child.
 */
function lostIn(stage: Stage, events: readonly StoredEvent[]): Served[] {
  const goals = goalsOf(events);
  const recorded = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== "step-end" && event.kind !== "step-fail") continue;
    const name = goals.get(event.childId) ?? "";
    recorded.set(name, (recorded.get(name) ?? 0) + 1);
  }
  const seen = new Map<string, number>();
  return stage.servers.log.filter((served) => {
    const nth = (seen.get(served.name) ?? 0) + 1;
    seen.set(served.name, nth);
    return nth > (recorded.get(served.name) ?? 0) || !served.told;
  });
}

/** What each child was asked to do. */
function goalsOf(events: readonly StoredEvent[]): Map<string, string> {
  const starts = events.filter((event) => event.kind === "delegation-start");
  return new Map(
    starts.flatMap(({ delegationId, planned }) =>
      planned.map(({ task }, index): [string, string] => [`${delegationId}.${index + 1}`, task.goal]),
    ),
  );
}

// The oracle ---------------------------------------------------------------------------------------------------------

/** @param lost requests whose end is missing from the journal because of a crash */
async function check(stage: Stage, run: Run, lost: readonly Served[] = []): Promise<void> {
  const { schedule, servers, clock } = stage;
  const { log, facts } = servers;
  assert.ok(facts.most <= schedule.concurrency, `${facts.most} requests at once where ${schedule.concurrency} may be`);
  assert.deepEqual([facts.inFlight, clock.pending], [0, 0], "requests and timers that are left");
  const children = allChildren(run);
  for (const { tally } of children) assert.ok(tally.ending !== undefined, `${tally.childId} has no end`);
  assert.deepEqual(mistakesIn(await stored(stage)), []);

  const told = log.filter((served) => served.told && !lost.includes(served));
  const knownUsd = children.reduce((sum, { tally }) => sum + tally.costUsd, 0);
  assertUsd(knownUsd, sumOf(told), "what the journal knows and the servers told");
  if (schedule.maxCostUsd !== undefined)
    assert.ok(spentIn(run.children) >= sumOf(log) - 1e-6, `counted ${spentIn(run.children)} of ${sumOf(log)}`);
  const atRoot = run.children.reduce((sum, { tally }) => sum + budgetedUsd(usageTotals(tally)), 0);
  assertUsd(atRoot, spentIn(run.children), "what is carried up the tree and what was spent in it");
  const ownCalls = children.reduce((sum, { tally }) => sum + tally.apiCalls, 0);
  assert.equal(
    run.children.reduce((sum, { tally }) => sum + usageTotals(tally).apiCalls, 0),
    ownCalls,
  );
  if (lost.length === 0) assert.equal(ownCalls, log.length, "requests in the journal and at the servers");

  const within = (nodes: readonly Node[]) => {
    const names = new Set(nodesIn(nodes).map(({ name }) => name));
    return sumOf(log.filter(({ name }) => names.has(name)));
  };
  const assertWithin = (nodes: readonly Node[], limit: number | undefined, what: string) => {
    const spent = within(nodes);
    assert.ok(spent <= (limit ?? Number.POSITIVE_INFINITY) + 1e-9, `${what} cost ${spent} of ${limit}`);
  };
  assertWithin(schedule.roots, schedule.maxCostUsd, "the run");
  for (const node of nodesIn(schedule.roots)) {
    assertWithin([node], node.maxCostUsd, node.name);
    for (const { nodes, maxCostUsd } of node.calls) assertWithin(nodes, maxCostUsd, `a delegation of ${node.name}`);
  }
}

/** The expected end of each child if only faults affect it. */
function checkStatuses({ roots }: Schedule, run: Run): void {
  const known = new Map(nodesIn(roots).map((node) => [node.name, node]));
  const delegated = (node: Node): Node[] =>
    node.faults === "refused" ? [node] : [node, ...node.calls.flatMap(({ nodes }) => nodes.flatMap(delegated))];
  const expected = roots.flatMap(delegated);
  const children = allChildren(run);
  assert.deepEqual(
    children.map(({ tally }) => tally.planned.task.goal),
    expected.map(({ name }) => name),
  );
  const heardFrom = (node: Node): string =>
    node.faults === "refused" ? "" : node.name + node.calls.flatMap(({ nodes }) => nodes.map(heardFrom)).join("");
  for (const { tally } of children) {
    const node = known.get(tally.planned.task.goal) ?? assert.fail();
    const [status, text] = node.faults === "refused" ? ["failed", ""] : ["completed", heardFrom(node)];
    assert.deepEqual([tally.ending?.status, tally.ending?.text], [status, text], tally.childId);
  }
}

function budgetedUsd({ costUsd, uncertainUsd = 0 }: UsageTotals): number {
  return costUsd + uncertainUsd;
}

function sumOf(served: readonly Served[]): number {
  return served.reduce((sum, { usd }) => sum + usd, 0);
}

function assertUsd(found: number, expected: number, what: string): void {
  assert.ok(Math.abs(found - expected) < 1e-6, `${what}: ${found} and ${expected}`);
}

function outcomeOf({ servers }: Stage, run: Run, kind: TreeOutcome["kind"]): TreeOutcome {
  return { children: allChildren(run).length, requests: servers.log.length, faults: servers.facts.faults, kind };
}
