/**
 * `npm run bench:mcp`: time from the start of `deputy mcp` to its response to `tools/list`, as an agent program sees
 * it, compared with the start of an idle Node. The two alternate.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { median } from "./goals.ts";

const REPEATS = 15;
const GOAL_MS = 300;
/** On a busy machine: multiple of an idle Node's start. */
const GOAL_RATIO = 4;

const ROOT = join(import.meta.dirname, "..");
const PROGRAM = join(ROOT, "bin/deputy.mjs");

const INITIALIZE = {
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
};

const home = mkdtempSync(join(tmpdir(), "deputy-bench-"));
const env = {
  PATH: process.env.PATH ?? "",
  HOME: home,
  GLM_API_KEY: "sk-bench-1234567890",
  ANTHROPIC_API_KEY: "sk-bench-2345678901",
  OPENROUTER_API_KEY: "sk-bench-3456789012",
};

async function idleMs(): Promise<number> {
  const startedAt = performance.now();
  await new Promise((resolve) => spawn(process.execPath, ["-e", "0"], { env }).on("close", resolve));
  return performance.now() - startedAt;
}

async function listedMs(): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PROGRAM, "mcp"], { env, cwd: home, stdio: ["pipe", "pipe", "inherit"] });
  const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  say({ id: 1, ...INITIALIZE });
  let ms = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { id, result } = JSON.parse(line) as { id: number; result: { tools?: unknown[] } };
    if (id === 1) {
      say({ method: "notifications/initialized" });
      say({ id: 2, method: "tools/list" });
    } else if (result.tools?.length) {
      ms = performance.now() - startedAt;
      child.stdin.end();
    }
  }
  if (ms === 0) throw new Error("deputy mcp listed no tools");
  return ms;
}

try {
  await listedMs(); // Fills the compile cache, like the first start on a machine.
  const idle: number[] = [];
  const listed: number[] = [];
  for (let round = 0; round < REPEATS; round++) {
    idle.push(await idleMs());
    listed.push(await listedMs());
  }
  const ms = median(listed);
  const ratio = ms / median(idle);
  const source = existsSync(join(ROOT, "src/cli/process.ts")) ? "from source" : "built";
  console.log(
    `deputy mcp (${source}): tools/list answered ${ms.toFixed(0)} ms after the start, ${ratio.toFixed(1)} times \`node -e 0\` (${median(idle).toFixed(0)} ms)`,
  );
  console.log(`Goal: at most ${GOAL_MS} ms, or on a busy machine ${GOAL_RATIO} times \`node -e 0\`.`);
  if (ms > GOAL_MS && ratio > GOAL_RATIO) process.exitCode = 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
