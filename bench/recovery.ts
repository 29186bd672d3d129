// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * `npm run bench:recovery`: CPU time to resume a run of 10,000 events until the first request of every child is sent,
 * and time to search a journal of 1,000,000 events. Fails if recovery takes over 1 s.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDeputy } from "../src/engine/setup/open-deputy.ts";
import type { ChildEvent, StoredEvent } from "../src/event.ts";
import { openSqliteJournal } from "../src/journal/sqlite/sqlite-journal.ts";
import type { Ready } from "../src/plan.ts";
import { createModelServer } from "../src/testing/index.ts";

const RECOVERY_LIMIT_MS = 1_000;
/** Events of one step with a tool call. */
const EVENTS_PER_STEP = 4;
const LIMITS = { maxIterations: 500, timeoutMs: 0, stallMs: 0 };
const ROOT = join(import.meta.dirname, "..");

const [runs = 1_000, eventsPerRun = 1_000] = process.argv.slice(2).map(Number);
const home = mkdtempSync(join(tmpdir(), "deputy-recovery-"));
try {
  const recoveryMs = await recovery();
  await listing();
  if (recoveryMs > RECOVERY_LIMIT_MS) process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}

/** Resumes a run of 50 children whose process died in their 50th step. */
async function recovery(): Promise<number> {
  const children = 50;
  const asked = Promise.withResolvers<number>();
  let begun = process.cpuUsage();
  let requests = 0;
  const server = await createModelServer({
    keepRequests: "none",
    script: () => {
      requests += 1;
      if (requests === children) asked.resolve(sumMs(process.cpuUsage(begun)));
      return { text: "Done." };
    },
  });
  const stateDir = join(home, "one");
  const baseUrl = server.baseUrl("chat_completions");
  const events = runOf("big", children, 10_000, baseUrl, false);
  await store(stateDir, [events]);
  const { engine } = await openDeputy({ env: envOf(stateDir, baseUrl), cwd: home });
  begun = process.cpuUsage();
  const delegation = await engine.resume("big", {});
  const ms = await asked.promise;
  await delegation.result;
  await engine.close();
  await server.close();
  console.log(
    `A run of ${events.length} events goes on: ${ms.toFixed(0)} ms of CPU until all ${children} children ask.`,
  );
  return ms;
}

async function listing(): Promise<void> {
  const stateDir = join(home, "many");
  const baseUrl = "http://127.0.0.1:9/v1";
  for (let run = 0; run < runs; run += 10) {
    const ten = Array.from({ length: 10 }, (_, index) => runOf(`run${run + index}`, 10, eventsPerRun, baseUrl, true));
    await store(stateDir, ten);
  }
  console.log(`\nA journal of ${runs} runs and ${runs * eventsPerRun} events:`);
  const last = `run${runs - 1}`;
  for (const argv of [
    ["runs"],
    ["runs", "--json"],
    ["show", last],
    ["show", `${last}.3`],
    ["watch", last],
    ["show", "run12"],
  ]) {
    const startedAt = performance.now();
    const { status, stdout, stderr } = spawnSync(join(ROOT, "bin/deputy"), argv, {
      cwd: home,
      env: { ...envOf(stateDir, baseUrl), PATH: process.env.PATH ?? "" },
      maxBuffer: 2 ** 30,
      encoding: "utf8",
    });
    const ms = performance.now() - startedAt;
    console.log(
      `  deputy ${argv.join(" ").padEnd(14)} ${ms.toFixed(0).padStart(6)} ms, ${stdout.length} characters${status === 0 ? "" : ` (exit ${status}: ${stderr})`}`,
    );
  }
}

function envOf(stateDir: string, baseUrl: string): Record<string, string> {
  return { HOME: home, DEPUTY_STATE_DIR: stateDir, DEPUTY_CONFIG: configFile(baseUrl) };
}

function configFile(baseUrl: string): string {
  const path = join(home, "config.json");
  writeFileSync(
    path,
    JSON.stringify({ providers: { here: { base_url: baseUrl, default_model: "m" } }, provider: "here" }),
  );
  return path;
}

async function store(stateDir: string, runsOfEvents: StoredEvent[][]): Promise<void> {
  const journal = openSqliteJournal({ stateDir });
  for (const events of runsOfEvents) await journal.append(events);
  await journal.close();
}

/** A run of about this many events, its children stopped in the middle of a step or ended. */
function runOf(delegationId: string, children: number, events: number, baseUrl: string, ended: boolean): StoredEvent[] {
  const tasks = Array.from({ length: children }, (_, index) => ({ goal: `Look at part ${index} of the project` }));
  const steps = Math.floor(events / children / EVENTS_PER_STEP);
  const planned = tasks.map(
    (task): Ready => ({ task, route: routeTo(baseUrl), limits: LIMITS, toolsets: ["file"], workspace: home }),
  );
  const start: StoredEvent = {
    kind: "delegation-start",
    at: 0,
    delegationId,
    call: { tasks } as never,
    planned,
    surface: "cli",
    warnings: [],
  };
  const own = tasks.flatMap((_, index) => childEvents(delegationId, index, steps, ended));
  return [start, ...own, ...(ended ? [{ kind: "delegation-end", at: 0, delegationId } as const] : [])];
}

function routeTo(baseUrl: string): Ready["route"] {
  return {
    provider: "here",
    model: "m",
    endpoint: { baseUrl, apiMode: "chat_completions" },
    facts: {},
    requested: {},
    chosenBy: { provider: "parent", model: "parent" },
    fallbacks: [],
    warnings: [],
  };
}

function childEvents(delegationId: string, taskIndex: number, steps: number, ended: boolean): ChildEvent[] {
  const about = { at: 0, delegationId, childId: `${delegationId}.${taskIndex + 1}` };
  const usage = { input: 1_000, output: 100, cached: 0, reasoning: 0 };
  const call = { name: "read_file", target: "src/main.ts" };
  return [
    { ...about, kind: "child-start", taskIndex, prompt: { system: "You are a child.", user: "Look." } },
    { ...about, kind: "attempt-start", position: 0, provider: "here", model: "m" },
    ...Array.from({ length: steps }, (_, index): ChildEvent[] => {
      const callId = `call-${index}`;
      const parts = [
        { type: "text", text: "I look at the next file. ".repeat(8) },
        { type: "tool-call", callId, name: call.name, input: { path: call.target } },
      ] as const;
      return [
        { ...about, kind: "step-start", step: index + 1 },
        {
          ...about,
          kind: "step-end",
          step: index + 1,
          parts: [...parts],
          finish: "tool-calls",
          usage,
          costUsd: 0.001,
          durationMs: 900,
        },
        { ...about, kind: "tool-start", callId, ...call, effect: "read" },
        {
          ...about,
          kind: "tool-end",
          callId,
          ...call,
          text: "export const one = 1;\n".repeat(40),
          ok: true,
          outcome: "ran",
          filesChanged: [],
          durationMs: 3,
        },
      ];
    }).flat(),
    ended
      ? { ...about, kind: "child-end", ending: { status: "completed", text: "Done. ".repeat(40) }, durationMs: 9_000 }
      : { ...about, kind: "step-start", step: steps + 1 },
  ];
}

function sumMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1_000;
}
