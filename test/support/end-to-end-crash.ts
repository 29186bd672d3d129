/**
 * A crew's run, killed with SIGKILL at given moments and resumed until it ends. Every promise about crashes is checked
 * here, against the requests at the servers, the journal at the kill, and the workspace of an undisturbed run.
 */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildEvent, StoredEvent } from "../../src/event.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { verifyJournal } from "../../src/journal/sqlite/verify.ts";
import type { DelegationResult } from "../../src/result.ts";
import { until } from "./command-line.ts";
import {
  type Arrival,
  commandOf,
  createProviders,
  type Ended,
  launch,
  type Process,
  type Providers,
  processesWith,
  stepOf,
  taskOf,
} from "./end-to-end.ts";
import {
  CREW_CONCURRENCY,
  CREW_SIZE,
  CREW_SLUGS,
  crewAnswer,
  crewTasks,
  prepareWorkspace,
  snapshot,
} from "./end-to-end-crew.ts";

/** When to kill: this many milliseconds after this many more requests have arrived at the servers. */
export type Moment = { requests: number; delayMs: number };

/** The course of an undisturbed run. */
export type Undisturbed = {
  workspace: Record<string, string>;
  results: object[];
  requests: number;
  /** Milliseconds from the start of the process to the first request, and to its end. */
  startUpMs: number;
  wallMs: number;
};

/** The state at a kill. */
export type Kill = {
  state: "nothing stored" | "unfinished" | "ended";
  requests: number;
  /** Requests in flight at the kill whose answer was not stored. */
  inFlight: number;
};

/** The same, with the journal's content at that time. */
type KillWithJournal = Kill & { stored: readonly StoredEvent[] };

/** The outcome. */
export type Outcome = {
  kills: Kill[];
  requests: number;
  /** Requests that arrived a second time. */
  repeated: number;
  /** Calls that were reported to a child as having an unknown outcome. */
  unknown: number;
  /** Resumes that two processes competed for. */
  contests: number;
};

export type CrewStage = {
  /** Path of the workspace. */
  readonly workspace: string;
  readonly providers: Providers;
  readonly runOptions: readonly string[];
  launch(argv: readonly string[]): Process;
  runs(): Promise<{ delegation_id: string; state: string }[]>;
  /** Processes left by the program or by its commands. */
  left(): number[];
  /** While closed, no model answers. */
  gate(open: boolean): void;
  /** The journal's content, read from a copy of its files, so that reading repairs nothing. */
  stored(): Promise<StoredEvent[]>;
  close(): Promise<void>;
};

/**
 * @param home where all stages may keep the runtime's caches
 * @param place a new directory for this stage alone
 */
export async function createCrewStage(home: string, place: string): Promise<CrewStage> {
  const [workspace, state, copy] = ["workspace", "state", "copy"].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  prepareWorkspace(workspace);
  writeFileSync(join(place, "tasks.json"), JSON.stringify(crewTasks()));
  let open = Promise.withResolvers<void>();
  open.resolve();
  const providers = await createProviders(CREW_SLUGS, async (request) => {
    await open.promise;
    return crewAnswer(request);
  });
  const env = { HOME: home, DEPUTY_STATE_DIR: state, ...providers.env };
  const start = (argv: readonly string[]) => launch(argv, { cwd: place, env });
  return {
    workspace,
    providers,
    runOptions: ["--allow", "terminal: *", "--concurrency", String(CREW_CONCURRENCY), "--json"],
    launch: start,
    async runs() {
      const { code, stdout, stderr } = await start(["runs", "--json"]).ended;
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    },
    left: () => processesWith(`DEPUTY_STATE_DIR=${state}\0`),
    gate(isOpen) {
      if (isOpen) open.resolve();
      else open = Promise.withResolvers();
    },
    async stored() {
      mkdirSync(copy, { recursive: true });
      for (const name of ["journal.sqlite", "journal.sqlite-wal"]) {
        if (existsSync(join(state, name))) copyFileSync(join(state, name), join(copy, name));
      }
      const journal = openSqliteJournal({ stateDir: copy });
      const events = await Array.fromAsync(journal.read({}), ({ event }) => event);
      await journal.close();
      assert.deepEqual(verifyJournal(join(copy, "journal.sqlite")).problems, [], "the journal is damaged");
      return events;
    },
    close: providers.close,
  };
}

/** The command that starts the crew. */
export function crewRun({ workspace, runOptions }: CrewStage): string[] {
  return ["run", "tasks.json", "--workspace", workspace, ...runOptions];
}

/** Runs the crew to its end, undisturbed. */
export async function runUndisturbed(stage: CrewStage): Promise<Undisturbed> {
  const startedAt = performance.now();
  const run = stage.launch(crewRun(stage));
  await until(() => stage.providers.arrivals.length > 0 || run.isOver());
  const startUpMs = performance.now() - startedAt;
  const ended = await run.ended;
  const wallMs = performance.now() - startedAt;
  stage.providers.checkScripts();
  const { results } = completed(ended);
  const { arrivals } = stage.providers;
  assert.equal(countDistinct(arrivals), arrivals.length, "an undisturbed run asks nothing twice");
  await until(() => stage.left().length === 0);
  const workspace = snapshot(stage.workspace);
  assert.equal(Object.keys(workspace).filter((name) => /^(output|log)\//.test(name)).length, 2 * CREW_SIZE);
  return { workspace, results: results.map(essence), requests: arrivals.length, startUpMs, wallMs };
}

/**
 * Kills the crew's run at each moment, resumes it each time, and checks the promises.
 * @param contested two processes resume at once
 */
export async function killAndResume(
  stage: CrewStage,
  moments: readonly Moment[],
  undisturbed: Undisturbed,
  competitors = 1,
): Promise<Outcome> {
  const { arrivals } = stage.providers;
  const kills: KillWithJournal[] = [];
  let contests = 0;
  let command = crewRun(stage);
  const launch = () => {
    const count = command[0] === "resume" ? competitors : 1;
    contests += count - 1;
    return Array.from({ length: count }, () => stage.launch(command));
  };
  for (const moment of moments) {
    await killAt(moment, launch(), arrivals);
    await nobodyLeft(stage);
    const stored = await stage.stored();
    kills.push({ state: stateIn(stored), requests: arrivals.length, inFlight: unanswered(stored).length, stored });
    command = await commandAfter(stage, stored);
  }
  const ended = winnerOf(await Promise.all(launch().map((process) => process.ended)));
  stage.providers.checkScripts();
  const { delegation_id: id, results } = completed(ended);
  const lastStored = await stage.stored();
  const outcome = { ...outcomeOf(stage, kills, lastStored), contests };
  checkOwners(lastStored, kills);
  checkRequests(outcome, kills, arrivals, undisturbed);
  assert.deepEqual(snapshot(stage.workspace), undisturbed.workspace);
  assert.deepEqual(results.map(essence), undisturbed.results);
  assert.deepEqual(listed(await stage.runs()), [{ id, state: "ended" }]);
  await checkNothingStartsAgain(stage, id, ended);
  return outcome;
}

async function killAt(
  { requests, delayMs }: Moment,
  programs: readonly Process[],
  arrivals: readonly Arrival[],
): Promise<void> {
  const enough = arrivals.length + requests;
  await until(() => arrivals.length >= enough || programs.every((program) => program.isOver()));
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  for (const { child } of programs) child.kill("SIGKILL");
  await Promise.all(programs.map(({ ended }) => ended));
}

/** Processes that the program started end with it, however it died. */
async function nobodyLeft(stage: CrewStage): Promise<void> {
  await until(() => stage.left().length === 0).catch((error) => {
    throw new Error(`Still there: ${stage.left().map(commandOf).join("; ")}`, { cause: error });
  });
}

/** Exactly one of the processes that resumed at once owned the run. The others said so, or printed the ended run. */
function winnerOf(competitors: Ended[]): Ended {
  const [winner, ...others] = competitors.toSorted((a, b) => (a.code ?? 99) - (b.code ?? 99));
  assert.ok(winner);
  for (const { code, stdout, stderr } of others) {
    if (code === 0) assert.deepEqual(JSON.parse(stdout), JSON.parse(winner.stdout));
    else assert.match(`${code} ${stderr}`, /^3 .*is active in process \d+/s);
  }
  return winner;
}

function outcomeOf(
  { providers: { arrivals } }: CrewStage,
  kills: KillWithJournal[],
  stored: readonly StoredEvent[],
): Omit<Outcome, "contests"> {
  return {
    kills: kills.map(({ stored: _, ...kill }) => kill),
    requests: arrivals.length,
    repeated: arrivals.length - countDistinct(arrivals),
    unknown: stored.filter((event) => event.kind === "tool-end" && event.outcome === "unknown").length,
  };
}

/** However many processes tried to resume, one did. If they were killed too, the next one may have started. */
function checkOwners(stored: readonly StoredEvent[], [kill, ...more]: readonly Kill[]): void {
  if (kill === undefined || more.length > 0) return;
  const resumed = stored.filter(({ kind }) => kind === "delegation-resume");
  assert.equal(resumed.length, kill.state === "unfinished" ? 1 : 0, "more than one process went on with the run");
}

/** No finished step was requested again, and no request was made beyond those that a kill makes necessary. */
function checkRequests(
  { requests, repeated, unknown }: Outcome,
  kills: readonly KillWithJournal[],
  arrivals: readonly Arrival[],
  undisturbed: Undisturbed,
): void {
  for (const kill of kills) {
    const settled = stepsStored(kill.stored, ["step-end"]);
    const again = arrivals
      .slice(kill.requests)
      .map(stepName)
      .filter((step) => settled.has(step));
    assert.deepEqual(again, [], "a finished step was asked again");
  }
  const inFlight = kills.reduce((sum, kill) => sum + kill.inFlight, 0);
  assert.ok(repeated <= inFlight, `${repeated} came twice, ${inFlight} were in flight`);
  // A model that learns of an unknown outcome checks once, and repeats only what did not happen.
  const different = requests - repeated;
  const words = `${different} different requests, ${undisturbed.requests} undisturbed, ${unknown} outcomes unknown`;
  assert.ok(different >= undisturbed.requests - unknown && different <= undisturbed.requests + 2 * unknown, words);
}

/**
 * Checks the list of runs after a kill.
 * @returns the command that continues: `deputy run` again if nothing was stored
 */
async function commandAfter(stage: CrewStage, stored: readonly StoredEvent[]): Promise<string[]> {
  const [first] = stored;
  const runs = listed(await stage.runs());
  if (first === undefined) {
    assert.deepEqual(runs, []);
    assert.equal(stage.providers.arrivals.length, 0, "a request left before the run was stored");
    return crewRun(stage);
  }
  assert.deepEqual(runs, [{ id: first.delegationId, state: stateIn(stored) }]);
  return ["resume", first.delegationId, ...stage.runOptions];
}

function listed(runs: Awaited<ReturnType<CrewStage["runs"]>>): object[] {
  return runs.map(({ delegation_id: id, state }) => ({ id, state }));
}

async function checkNothingStartsAgain(stage: CrewStage, id: string, ended: Ended): Promise<void> {
  const before = stage.providers.arrivals.length;
  const again = await stage.launch(["resume", id, ...stage.runOptions]).ended;
  assert.deepEqual(completed(again), completed(ended));
  assert.equal(stage.providers.arrivals.length, before);
  assert.deepEqual(stage.left(), []);
}

function completed({ code, stdout, stderr }: Ended): DelegationResult {
  assert.equal(code, 0, stderr + stdout);
  return JSON.parse(stdout) as DelegationResult;
}

/** The facts that must not depend on how often the run was killed. */
function essence({
  task_index,
  status,
  exit_reason,
  summary,
  error,
  route,
}: DelegationResult["results"][number]): object {
  return { task_index, status, exit_reason, summary, error, effective: route?.effective, key: route?.key_name };
}

function stateIn(stored: readonly StoredEvent[]): Kill["state"] {
  if (stored.length === 0) return "nothing stored";
  return stored.some(({ kind }) => kind === "delegation-end") ? "ended" : "unfinished";
}

/** Steps whose request may have been sent and whose end is not stored. */
function unanswered(stored: readonly StoredEvent[]): string[] {
  const ended = stepsStored(stored, ["step-end", "step-fail"]);
  return [...stepsStored(stored, ["step-start"])].filter((step) => !ended.has(step));
}

type StepEvent = Extract<ChildEvent, { step: number }>;

function stepsStored(stored: readonly StoredEvent[], kinds: StepEvent["kind"][]): Set<string> {
  const events = stored.filter((event): event is StepEvent => (kinds as string[]).includes(event.kind));
  return new Set(events.map(({ childId, step }) => `${Number(childId.split(".")[1])}/${step}`));
}

/** `7/2`: the second step of the seventh order. */
function stepName({ request }: Arrival): string {
  return `${Number(taskOf(request).replace(/\D/g, ""))}/${stepOf(request)}`;
}

/** Number of different conversations that arrived. Call ids belong to the servers and differ. */
function countDistinct(arrivals: readonly Arrival[]): number {
  const texts = arrivals.map(({ request }) =>
    JSON.stringify(request.messages, (name, value) => (name === "id" ? undefined : value)),
  );
  return new Set(texts).size;
}
