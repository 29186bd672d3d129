/** Runs one measured process at a time, each a new one, and reads its measurement. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeputyOrder } from "./deputy.ts";
import type { FloorOrder } from "./floor.ts";
import type { Measurement } from "./measurement.ts";
import { configFor, FILES, goalOf, KEY, KEY_VARIABLE, MODELS, type Pace } from "./scenario.ts";

/** Time limit of one process. */
const PATIENCE_MS = 180_000;

export type Cells = {
  /** Runs a Deputy with `children` children and its journal on disk. */
  deputy(baseUrl: string, children: number, pace: Pace, warm: boolean): Promise<Measurement>;
  floor(order: FloorOrder): Promise<Measurement>;
  /** Starts `deputy run` on a task file; resolves with its start time once it has ended. */
  command(baseUrl: string): Promise<number>;
  remove(): Promise<void>;
};

/**
 * @param installed a folder laid out like the installed package, with `bin/` and `dist/`
 * @param toolsets of the children; the default ones by default
 */
export async function createCells(installed: string, toolsets?: readonly string[]): Promise<Cells> {
  const folder = await mkdtemp(join(tmpdir(), "deputy-bench-"));
  const workspace = join(folder, "workspace");
  await mkdir(workspace);
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(workspace, name), text);
  const taskFile = join(folder, "task.yaml");
  await writeFile(taskFile, `goal: "${goalOf(0)}"\n`);
  let homes = 0;

  /** A separate home for each process: the compile cache is the only thing it shares with earlier ones. */
  async function homeFor(baseUrl: string, most: number): Promise<Record<string, string>> {
    const home = join(folder, `home-${homes++}`);
    await mkdir(home);
    const config = join(home, "config.yaml");
    await writeFile(config, configFor(baseUrl, most, toolsets));
    return { DEPUTY_STATE_DIR: join(home, "state"), DEPUTY_CONFIG: config, [KEY_VARIABLE]: KEY };
  }

  /** Type stripping of source files happens once and is cached, so they load like built ones. */
  function run(args: string[], env: Record<string, string>): Promise<string> {
    const environment = {
      PATH: process.env.PATH,
      HOME: folder,
      NODE_COMPILE_CACHE: join(folder, "compile"),
      NODE_NO_WARNINGS: "1",
      ...env,
    };
    return outputOf(args, environment, workspace);
  }
  const cell = (file: string, order: unknown) => [join(import.meta.dirname, file), JSON.stringify(order)];

  return {
    async deputy(baseUrl, children, pace, warm) {
      const library = join(installed, "dist", "index.js");
      const order: DeputyOrder = { library, children, model: MODELS[pace], workspace, warm };
      return JSON.parse(await run(cell("deputy.ts", order), await homeFor(baseUrl, children)));
    },
    async floor(order) {
      const file = join(folder, "floor.json");
      await writeFile(file, JSON.stringify(order));
      return JSON.parse(await run([join(import.meta.dirname, "floor.ts"), file], {}));
    },
    async command(baseUrl) {
      const env = await homeFor(baseUrl, 10);
      const startedAt = Date.now();
      await run([join(installed, "bin", "deputy.mjs"), "run", taskFile, "--json"], env);
      return startedAt;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function outputOf(args: string[], env: NodeJS.ProcessEnv, cwd: string): Promise<string> {
  const child = spawn(process.execPath, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE_MS });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  child.stderr.on("data", (bytes) => (complaints += bytes));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(new Error(`${args[0]} ended with ${code ?? signal}:\n${complaints.slice(-2000)}${output.slice(-500)}`));
    });
  });
}
