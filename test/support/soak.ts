// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * One process that delegates again and again, with a journal on disk. After each delegation it measures what is
 * retained and held open. The children read, run commands, fail, are stopped, and are watched.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { parseCall } from "../../src/task.ts";
import { createModelServer, type ModelRequest, type Turn } from "../../src/testing/index.ts";

/** State after a delegation and a garbage collection: memory in bytes, and the number of open resources. */
export type Reading = {
  children: number;
  heap: number;
  rss: number;
  handles: number;
  files: number;
  listeners: number;
};

/** @param onReading called after each delegation of `size` children */
export async function soak(children: number, size: number, onReading: (reading: Reading) => void): Promise<Reading[]> {
  const home = mkdtempSync(join(tmpdir(), "deputy-soak-"));
  const server = await createModelServer({ script: answerTo, keys: { KEY: "sk-soak-41" }, keepRequests: "none" });
  const config = {
    providers: { vendor: { base_url: server.baseUrl("chat_completions"), api_key: "${KEY}", default_model: "m" } },
    provider: "vendor",
    permissions: [{ tool: "terminal", then: "allow" }],
    delegation: { max_concurrent_children: 25, on_unresolved: "skip" },
  };
  writeFileSync(join(home, "config.json"), JSON.stringify(config));
  writeFileSync(join(home, "note.txt"), "a note");
  const env = { HOME: home, PATH: process.env.PATH ?? "", KEY: "sk-soak-41", DEPUTY_STATE_DIR: join(home, "state") };
  const { engine } = await openDeputy({ env, cwd: home, configPath: join(home, "config.json") });
  const readings: Reading[] = [];
  try {
    for (let done = 0; done < children; done += size) {
      await delegate(engine, home, size);
      const reading = { children: done + size, ...look() };
      readings.push(reading);
      onReading(reading);
    }
    return readings;
  } finally {
    await engine.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

type Engine = Awaited<ReturnType<typeof openDeputy>>["engine"];

async function delegate(engine: Engine, home: string, size: number): Promise<void> {
  const tasks = Array.from({ length: size }, (_, index) => ({ goal: `${KINDS[index % KINDS.length]} ${index}` }));
  const delegation = await engine.submit(parseCall({ tasks }, 1_000), { surface: "library", workspace: home });
  const seen = Promise.all([drain(delegation.events), drain(engine.watch(delegation.id, AbortSignal.timeout(60_000)))]);
  await delegation.stop("test", `${delegation.id}.${size}`);
  const { results } = await delegation.result;
  await seen;
  const failed = results.filter(({ status }) => status === "failed").length;
  assert.equal(results.length, size);
  assert.equal(failed, results.filter((_, index) => KINDS[index % KINDS.length] === "refuse").length);
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

/** Behavior by the first word of the goal. The very last child is stopped. */
const KINDS = ["read", "read", "answer", "read", "refuse", "answer", "command", "read", "answer", "answer"];

function answerTo({ messages }: ModelRequest): Turn {
  const [kind] = messages[0]?.text.split(" ") ?? [];
  if (kind === "refuse") return { text: "I will not.", fault: { kind: "refused" } };
  if (messages.length > 1 || kind === "answer") return { text: "Done. ".repeat(50) };
  if (kind === "command") return { toolCalls: [{ name: "terminal", input: { command: "echo done" } }] };
  return { toolCalls: [{ name: "read_file", input: { path: "note.txt" } }] };
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function look(): Omit<Reading, "children"> {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const emitted = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
  return {
    heap: heapUsed + external,
    rss,
    handles: process.getActiveResourcesInfo().filter((name) => name !== "Immediate").length,
    files: readdirSync("/dev/fd").length,
    listeners: emitted,
  };
}
