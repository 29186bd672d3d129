/**
 * `deputy demo`: three haikus in parallel on scripted models. Only the models are simulated: the servers on loopback,
 * HTTP and streaming, a key per server that the server checks, the engine and the view are real.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { userConfigPath } from "../../config/load.ts";
import type { DelegationResult } from "../../result.ts";
import { parseCall } from "../../task.ts";
import { createModelServer, type ModelServer } from "../../testing/model-server.ts";
import { type Context, type Declare, withDeputy } from "../command.ts";
import { createPaint, type Io, type Paint } from "../io.ts";
import { createFollower } from "../terminal/follow.ts";
import { formatDuration } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { columnsOf } from "../terminal/word-wrap.ts";

/** One scripted provider: its model, its answer, and its speed. Prices are USD per million tokens. */
type DemoPart = {
  provider: string;
  model: string;
  keyVariable: string;
  price: { input: number; output: number };
  haiku: string;
  latencyMs: number;
  tokensPerSecond: number;
};

const LION: DemoPart = {
  provider: "zai",
  model: "glm-4.7",
  keyVariable: "ZAI_API_KEY",
  price: { input: 0.6, output: 2.2 },
  haiku: "Gold grass holds its breath –\nthe lion lets the noon pass,\ncrowned by idle light.",
  latencyMs: 500,
  tokensPerSecond: 12,
};
const DOLPHIN: DemoPart = {
  provider: "mylab",
  model: "glm-5.1",
  keyVariable: "MYLAB_API_KEY",
  price: { input: 1.4, output: 4.4 },
  haiku: "A silver comma –\nthe sea pauses, then goes on\nwith its long sentence.",
  latencyMs: 900,
  tokensPerSecond: 9,
};
const FALCON: DemoPart = {
  provider: "openrouter",
  model: "stepfun/step-3.5-flash",
  keyVariable: "OPENROUTER_API_KEY",
  price: { input: 0.1, output: 0.3 },
  haiku: "Height folds into speed;\nthe whole valley is one breath\nbetween wing and wing.",
  latencyMs: 300,
  tokensPerSecond: 16,
};
const PARTS = [LION, DOLPHIN, FALCON];

const TASKS = [
  { goal: "Write a haiku about a lion.", model: LION.model, provider: LION.provider },
  { goal: "Write a haiku about a dolphin.", model: DOLPHIN.model },
  { goal: "Write a haiku about a falcon.", model: `${FALCON.model} --provider ${FALCON.provider}` },
];

type Played = { part: DemoPart; server: ModelServer; key: string };

export const declareDemo: Declare = (command, context) => {
  command
    .description("Run three tasks in parallel on scripted models. Needs no key and no network, and costs nothing.")
    .option("-v, --verbose", "also show requests")
    .action(async (flags: { verbose?: true }) => context.exitWith(await demo(flags, context)));
};

async function demo(flags: { verbose?: true }, context: Context): Promise<number> {
  const { io } = context;
  const home = mkdtempSync(join(tmpdir(), "deputy-demo-"));
  // An interrupt still prints finished results and removes the directory.
  const stopListening = io.onInterrupt(() => {});
  const played: Played[] = [];
  try {
    for (const part of PARTS) played.push(await play(part));
    const env = prepareHome(home, played, io);
    return await withDeputy(
      { ...context, io: { ...io, env, cwd: home } },
      undefined,
      async ({ engine, loadConfig }) => {
        const { notify } = loadConfig().config;
        const follower = await createFollower(io, { ...flags, ephemeral: true, notify }, TASKS.length);
        const { output } = follower;
        const paint = createPaint(output, io.env);
        output.write(introduction(paint));
        const call = parseCall({ tasks: TASKS }, TASKS.length);
        const { code, result } = await follower.follow(await engine.submit(call, { surface: "demo", workspace: home }));
        output.write(conclusion(result, played, { cwd: io.cwd, paint, columns: columnsOf(output) }));
        return code;
      },
    );
  } finally {
    await Promise.all(played.map(({ server }) => server.close()));
    rmSync(home, { recursive: true, force: true });
    stopListening();
  }
}

async function play(part: DemoPart): Promise<Played> {
  const key = `${part.provider}-demo-key`;
  const server = await createModelServer({
    keys: { [part.keyVariable]: key },
    models: [part.model],
    script: () => ({ text: part.haiku, latencyMs: part.latencyMs, tokensPerSecond: part.tokensPerSecond }),
  });
  return { part, server, key };
}

/** Writes the config of a user with these three providers, and returns their environment. */
function prepareHome(home: string, played: Played[], io: Io): Io["env"] {
  const keys = Object.fromEntries(played.map(({ part, key }) => [part.keyVariable, key]));
  const env = { PATH: io.env.PATH, TERM: io.env.TERM, HOME: home, ...keys };
  const providers = Object.fromEntries(
    played.map(({ part, server }) => [
      part.provider,
      {
        base_url: server.baseUrl("chat_completions"),
        api_mode: "chat_completions",
        api_key: `\${${part.keyVariable}}`,
        models: { [part.model]: { price: part.price, context_window: 200_000 } },
      },
    ]),
  );
  const config = { provider: DOLPHIN.provider, model: DOLPHIN.model, providers };
  const path = userConfigPath(env);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(config, null, 2));
  return env;
}

function introduction(paint: Paint): string {
  return `${paint("bold", "Three haikus in parallel, each on its own model and provider.")}
The models are scripted: three servers on this machine stand in for the
providers and answer with texts we wrote. The rest is real: HTTP, streaming, a
key per provider that its server checks. Nothing leaves this machine and nothing
is spent; the costs are what such models would cost.

`;
}

type Surroundings = { cwd: string; paint: Paint; columns: number };

function conclusion(
  result: DelegationResult | undefined,
  played: Played[],
  { cwd, paint, columns }: Surroundings,
): string {
  return [
    result === undefined ? "" : timing(result),
    `\n${paint("bold", "Requests that the servers received:")}\n${arrivals(played, paint, columns)}`,
    `\n${paint("bold", "The same with real models:")}\n${ownTurn(cwd)}`,
  ].join("");
}

function timing({ results, total_duration_seconds: total }: DelegationResult): string {
  if (results.some(({ status }) => status !== "completed")) return "";
  const durations = results.map((result) => result.duration_seconds);
  const [slowest, sum] = [Math.max(0, ...durations), durations.reduce((a, b) => a + b, 0)];
  return (
    `\nAll three took ${formatDuration(total)}, as long as the slowest (${formatDuration(slowest)}); ` +
    `one after the other would be ${formatDuration(sum)}.\n`
  );
}

function arrivals(played: Played[], paint: Paint, columns: number): string {
  const rows = played.flatMap(({ part, server }) =>
    server.requests.map(({ model, keyName, status }) => [
      part.provider,
      model,
      keyName ?? "an unknown key",
      `${status}`,
    ]),
  );
  return formatTable(["SERVER", "MODEL", "KEY", "STATUS"], rows, paint, columns);
}

/** The command to type next, relative to the user's directory. */
function ownTurn(cwd: string): string {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const path = (...names: string[]) => nearestPath(cwd, join(root, ...names));
  const program = existsSync(join(root, "src")) ? path("bin", "deputy") : "deputy";
  const file = path("examples", "haiku.yaml");
  return `  export ZAI_API_KEY=…\n  export OPENROUTER_API_KEY=…\n  ${program} run ${file}\n`;
}

function nearestPath(from: string, to: string): string {
  const path = relative(from, to);
  return path.startsWith("..") ? to : path;
}
