/** A staged engine: the model is a function, routes are made up, the journal is in memory. */

import { createSchemaChecker } from "../../src/child/schema/schema-checker.ts";
import type { Model } from "../../src/child/wire/model.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { configSchema } from "../../src/config-schema.ts";
import { createEngine, type Engine } from "../../src/engine/engine.ts";
import { createScheduler } from "../../src/engine/limits/scheduler.ts";
import type { LogError } from "../../src/engine/setup/error-log.ts";
import { NO_SERVER_TOOLS } from "../../src/engine/setup/server-tools.ts";
import type { Setup } from "../../src/engine/setup/setup.ts";
import type { Problem } from "../../src/errors.ts";
import type { StoredEvent } from "../../src/event.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { createMemoryJournal, type Memory } from "../../src/journal/memory.ts";
import type { Planned } from "../../src/plan.ts";
import type { Route } from "../../src/route.ts";
import type { Task } from "../../src/task.ts";
import type { Tool } from "../../src/tool.ts";
import { runInShell } from "../../src/tools/terminal/shell.ts";
import { createWorktrees } from "../../src/worktree/worktrees.ts";
import { leaseOf, route as plainRoute, written } from "./child-stage.ts";

export type ModelScript = (request: ModelCall, signal: AbortSignal) => Promise<Reply>;

export type Staged = {
  script: ModelScript;
  tools?: Tool[];
  memory?: Memory;
  beforeCommit?: (events: readonly StoredEvent[]) => void;
  /** Wraps the journal that the engine uses. */
  wrapJournal?: (journal: Journal) => Journal;
  route?: (provider: string, model: string) => Route;
  /** `delegation:` of the config. */
  delegation?: object;
  /** Providers that are unavailable when a run is resumed. */
  gone?: string[];
  /** Default: unused. */
  logError?: LogError;
  /** Default: the real one. */
  clock?: Clock;
  /** Default: no notes. */
  readNotes?: Setup["readNotes"];
  /** The config, as a document. */
  config?: object;
};

const NO_SANDBOX: Setup["sandboxing"] = {
  support: () => undefined,
  terminalProblem: () => undefined,
  terminalSandbox: () => undefined,
  shellOf: () => ({ run: runInShell, close: async () => {} }),
};

/** `die` releases everything as a killed process does: nothing is written, and the claim is free. */
export function createTestEngine(staged: Staged): { engine: Engine; die(): void } {
  const makeRoute = staged.route ?? plainRoute;
  const clock = staged.clock ?? systemClock;
  const { wrapJournal = (journal) => journal } = staged;
  const journal = wrapJournal(
    createMemoryJournal({
      ...(staged.memory && { memory: staged.memory }),
      ...(staged.beforeCommit && { beforeCommit: staged.beforeCommit }),
    }),
  );
  const model: Model = async (request, signal, show, beforeSend) => {
    await beforeSend?.(written(request));
    const reply = await staged.script(request, signal);
    if (reply.ok) for (const part of reply.parts) if (part.type === "text") show({ type: "text", text: part.text });
    return reply;
  };
  const config = configSchema.parse({
    ...staged.config,
    ...(staged.delegation && { delegation: staged.delegation }),
  });
  const setup: Setup = {
    config,
    warnings: [],
    plan: (call) => ({ planned: call.tasks.map((task) => planOf(task, makeRoute)), warnings: [], agents: {} }),
    candidates: () => [],
    refreshRoute: (route) => (staged.gone?.includes(route.provider) ? { problem: noSuch(route.provider) } : { route }),
    lease: async (route) => leaseOf(route),
    whyKeyless: async () => undefined,
    redact: (text) => text.replaceAll("sk-secret", "[secret]"),
    price: ({ facts: { price } }, usage) =>
      price === undefined ? 0 : (usage.input * price.input + usage.output * price.output) / 1_000_000,
    tools: () => staged.tools ?? [],
    sandboxing: NO_SANDBOX,
    serverTools: async () => NO_SERVER_TOOLS,
    limitsOf: () => ({}),
    isDirectory: () => true,
    readImage: () => {
      throw new Error("no image should be read here");
    },
    readGivenFile: () => {
      throw new Error("no file should be read here");
    },
    readNotes: staged.readNotes ?? (async () => ({ warnings: [] })),
    findSkills: async () => ({ found: [], warnings: [] }),
    readSkill: async () => undefined,
    permissions: config.permissions,
    commandEnvironment: () => ({}),
    listModels: () => ({ aliases: [], models: [] }),
  };
  let ids = 0;
  const engine = createEngine({
    clock,
    random: () => 0,
    journal,
    scheduler: createScheduler({ clock, random: () => 0 }),
    model,
    schemas: createSchemaChecker(),
    logError: staged.logError ?? (() => {}),
    worktrees: createWorktrees({ env: {}, directory: "/nowhere/work", pid: process.pid }),
    newId: () => `run${++ids}${Math.random().toString(36).slice(2, 6)}`,
    setup: () => setup,
    closeConnections: async () => {},
    warn: () => {},
    pid: process.pid,
  });
  return { engine, die: () => void journal.close() };
}

function planOf(task: Task, makeRoute: (provider: string, model: string) => Route): Planned {
  const provider = task.provider ?? "zai";
  if (provider === "nowhere") return { task, problem: noSuch(provider) };
  const model = typeof task.model === "string" ? task.model : "m";
  const timeoutMs = (task.timeout_seconds ?? 0) * 1000;
  const { max_cost_usd: maxCostUsd } = task;
  const limits = { maxIterations: 50, timeoutMs, stallMs: 0, ...(maxCostUsd !== undefined && { maxCostUsd }) };
  const role = task.role === "orchestrator" ? task.role : undefined;
  return { task, route: makeRoute(provider, model), limits, toolsets: [], workspace: "/work", ...(role && { role }) };
}

function noSuch(provider: string): Problem {
  return { code: "unknown-provider", field: "provider", message: `No provider ${provider}.`, suggestions: [] };
}
