// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * Runs the fault matrix over real HTTP against all of Deputy except its disk: one `deputy run` with two tasks for each
 * fault. One has no fallback, the other a declared one.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import type { DelegationResult, Result } from "../../src/result.ts";
import type { ApiMode } from "../../src/route.ts";
import { createMemoryJournal, createModelServer, type ModelRequest, type Turn } from "../../src/testing/index.ts";
import { createAwaited } from "./awaited.ts";
import { deputy } from "./command-line.ts";
import { FAULT_MATRIX, type FaultCase } from "./fault-matrix.ts";
import { createIdleClock } from "./idle-clock.ts";

const CASES = Object.entries(FAULT_MATRIX);
/** Faults that take a long time. */
const WAITING: readonly string[] = ["silence", "slow-drip"];
const KEYS = { VENDOR_KEY: "sk-vendor-77aa01", SPARE_KEY: "sk-spare-5c02be" };
const PRICE = { input: 1, output: 1 };

/** A child with a fault: its requests, and its end. */
export type Met = { requests: ModelRequest[]; result: Result };
export type Played = {
  /** By the fault. */
  alone: Record<string, Met>;
  rescued: Record<string, Met>;
  stderr: string;
  exitCode: number;
  inFlight: number;
  scriptErrors: readonly unknown[];
};

/** Plays every case in one run of `deputy run`: two tasks for each. */
export async function playMatrix(apiMode: ApiMode): Promise<Played> {
  const home = mkdtempSync(join(tmpdir(), "deputy-matrix-"));
  const awaited = createAwaited();
  const clock = createIdleClock(5_000, awaited.isBusy);
  const requests: ModelRequest[] = [];
  let goals: string[] = [];
  const server = await createModelServer({
    clock,
    keys: KEYS,
    script: (request) => {
      requests.push(request);
      const turn = answerTo(request);
      if (WAITING.includes(turn.fault?.kind ?? "")) awaited.park(goals.indexOf(request.messages[0]?.text ?? ""));
      return turn;
    },
  });
  try {
    const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), ...KEYS };
    const nobody = `http://127.0.0.1:${await closedPort()}/v1`;
    const spare = {
      base_url: server.baseUrl("chat_completions", "/spare"),
      api_key: "${SPARE_KEY}",
      models: { s: { price: PRICE } },
    };
    const vendor = ({ answer }: FaultCase) => ({
      base_url: answer === "nobody" ? nobody : server.baseUrl(apiMode),
      api_key: "${VENDOR_KEY}",
      api_mode: apiMode,
      models: { m: { price: PRICE } },
    });
    const pairs = (["alone", "rescued"] as const).flatMap((how) =>
      CASES.map(([name, fault], index) => ({ how, name, fault, slug: `${how}-${index}` })),
    );
    // Each case has its own provider: one that limits requests would delay the others.
    const config = {
      providers: { spare, ...Object.fromEntries(pairs.map(({ slug, fault }) => [slug, vendor(fault)])) },
      models: Object.fromEntries(
        pairs.map(({ how, slug }) => [
          `on-${slug}`,
          { model: "m", provider: slug, ...(how === "rescued" && { fallbacks: ["s --provider spare"] }) },
        ]),
      ),
      delegation: { max_concurrent_children: 1000, stall_seconds: 300 },
    };
    const tasks = pairs.map(({ how, name, slug }) => ({ goal: `${how}: ${name}`, model: `on-${slug}` }));
    goals = tasks.map(({ goal }) => goal);
    writeFileSync(join(home, "config.json"), JSON.stringify(config));
    writeFileSync(join(home, "note.txt"), "a note");
    writeFileSync(join(home, "tasks.json"), JSON.stringify({ tasks }));
    const { code, stdout, stderr } = await deputy(["run", "tasks.json", "--config", "config.json", "--json"], {
      cwd: home,
      env,
      clock,
      open: (options) =>
        openDeputy({ ...options, clock, journal: createMemoryJournal({ beforeCommit: awaited.note }) }),
    });
    assert.notEqual(stdout, "", stderr);
    const { results } = JSON.parse(stdout) as DelegationResult;
    const met = (how: string) =>
      Object.fromEntries(
        results.flatMap((result) => {
          const goal = tasks[result.task_index]?.goal ?? "";
          if (!goal.startsWith(how)) return [];
          return [
            [
              goal.slice(how.length + 2),
              { result, requests: requests.filter(({ messages }) => messages[0]?.text === goal) },
            ],
          ];
        }),
      );
    return {
      alone: met("alone"),
      rescued: met("rescued"),
      stderr,
      exitCode: code,
      inFlight: server.inFlight,
      scriptErrors: server.scriptErrors,
    };
  } finally {
    clock.stop();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Requests to the vendor get the fault. Requests to the spare one, and requests after a rejected call, get an answer.
 */
function answerTo({ path, messages }: ModelRequest): Turn {
  const name = messages[0]?.text.replace(/^\w+: /, "") ?? "";
  const { answer } = FAULT_MATRIX[name] ?? assert.fail(`no case ${name}`);
  if (answer === "nobody" || path.startsWith("/spare")) return { text: "rescued" };
  return messages.length > 1 ? { text: "I see." } : answer;
}

async function closedPort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
