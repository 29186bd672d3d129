/**
 * `npm run test:agents [PROGRAM…]`: real agent programs, installed from npm and set up by `deputy mcp install`,
 * delegate three tasks to three providers through their own MCP client. Their model and the three providers are
 * scripted servers on loopback, each of which accepts only its own key. Only the installation of the programs needs a
 * network.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createModelServer, type ModelServer } from "../../src/testing/index.ts";
import { createParentScript, QUESTION, TASKS } from "./parent-script.ts";
import { PARENT_KEY, PROGRAMS, type Program } from "./programs.ts";

const DEPUTY = fileURLToPath(new URL("../../bin/deputy", import.meta.url));
/** Directory in which programs are kept between runs. */
const INSTALLED = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "deputy", "agents");
const PATIENCE_MS = 120_000;

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !PROGRAMS.some(({ installAs }) => installAs === name));
if (unknown.length > 0) {
  const known = PROGRAMS.map(({ installAs }) => installAs).join(", ");
  process.stderr.write(`Expected programs out of ${known}; found ${unknown.join(", ")}.\n`);
  process.exit(2);
}

let failures = 0;
for (const program of PROGRAMS) {
  if (chosen.length > 0 && !chosen.includes(program.installAs)) continue;
  const startedAt = Date.now();
  const complaints = await tryProgram(program).catch((error: unknown) => [String(error)]);
  const name = `${program.command} ${program.version}`;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  if (complaints.length === 0) process.stdout.write(`✓ ${name}: three tasks on three providers (${seconds} s)\n`);
  else process.stdout.write(`✗ ${name} (${seconds} s)\n${complaints.map((line) => `    ${line}\n`).join("")}`);
  failures += complaints.length === 0 ? 0 : 1;
}
process.exit(failures === 0 ? 0 : 1);

/** Returns all problems; empty if there are none. */
async function tryProgram(program: Program): Promise<string[]> {
  const executable = await install(program);
  const folder = mkdtempSync(join(tmpdir(), "deputy-agents-"));
  const servers: ModelServer[] = [];
  try {
    const parent = await createModelServer({
      script: createParentScript(),
      keys: { PARENT_KEY },
      extraFields: ["client_metadata"],
    });
    servers.push(parent);
    for (const { model, key, answer } of TASKS) {
      servers.push(await createModelServer({ script: () => ({ text: answer }), keys: { key }, models: [model] }));
    }
    const [, ...providers] = servers;
    const home = join(folder, "home");
    const place = { home, workspace: join(folder, "workspace"), baseUrl: parent.baseUrl(program.apiMode) };
    mkdirSync(place.workspace, { recursive: true });
    mkdirSync(home);
    program.prepare(place);
    configureDeputy(home, providers);
    const keys = Object.fromEntries(TASKS.map(({ keyVariable, key }) => [keyVariable, key]));
    const env = { HOME: home, PATH: process.env.PATH ?? "", ...keys, ...program.env(place) };
    const installed = await run(DEPUTY, ["mcp", "install", program.installAs, "--write"], place.workspace, env);
    if (installed.code !== 0) return [`deputy mcp install failed: ${installed.output}`];
    const { code, output } = await run(executable, program.args(QUESTION, place), place.workspace, env);
    return [
      ...(code === 0 ? [] : [`it ended with ${code}: ${output.slice(-2000)}`]),
      ...TASKS.flatMap(({ answer, provider }) =>
        output.includes(answer) ? [] : [`no answer of ${provider} in: ${output.slice(-2000)}`],
      ),
      ...providers.flatMap((server, index) => misused(server, TASKS[index]?.provider ?? "")),
      ...parent.scriptErrors.map(String),
    ];
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Each provider received one request, for its own model, with its own key. */
function misused({ requests }: ModelServer, provider: string): string[] {
  const statuses = requests.map(({ status }) => status);
  return statuses.length === 1 && statuses[0] === 200
    ? []
    : [`${provider} was asked ${requests.length} times, with ${statuses.join(", ") || "nothing"}`];
}

/** Three custom endpoints, with keys in variables. */
function configureDeputy(home: string, providers: readonly ModelServer[]): void {
  const entries = TASKS.map(({ provider, apiMode, keyVariable, model }, index) =>
    [
      `  ${provider}:`,
      `    base_url: ${providers[index]?.baseUrl(apiMode)}`,
      `    api_mode: ${apiMode}`,
      `    api_key_env: ${keyVariable}`,
      `    default_model: ${model}`,
    ].join("\n"),
  );
  const folder = join(home, ".config", "deputy");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.yaml"), `provider: ${TASKS[0]?.provider}\nproviders:\n${entries.join("\n")}\n`);
}

async function install({ package: name, version, command }: Program): Promise<string> {
  const folder = join(INSTALLED, `${command}-${version}`);
  const executable = join(folder, "node_modules", ".bin", command);
  if (existsSync(executable)) return executable;
  process.stdout.write(`Installing ${name}@${version} (once) …\n`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const args = ["install", "--no-audit", "--no-fund", `${name}@${version}`];
  const { code, output } = await run("npm", args, folder, process.env);
  if (code !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`npm could not install ${name}@${version}: ${output.slice(-1000)}`);
  }
  return executable;
}

type Ran = { code: number | null; output: string };

/** Runs a program to its end, or ends it with all its processes. */
function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const hear = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    const end = () => {
      try {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(end, PATIENCE_MS);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      setTimeout(() => {
        end(); // Leftover processes.
        resolve({ code, output });
      }, 200);
    });
  });
}
