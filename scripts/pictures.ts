// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * `npm run pictures`: draws the pictures of the README from the real program, which runs the README's batch on scripted
 * models on this machine. Run ids are replaced by a fixed one.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createModelServer, type Script } from "../src/testing/index.ts";
import { svgOf } from "./pictures/svg.ts";

const ROOT = join(import.meta.dirname, "..");
const RUN_ID = "7f3a9c2e";

const TASKS = `
tasks:
  - goal: List where prices are computed.
    model: glm-4.7
    provider: zai
    toolsets: [search]
  - goal: Fix the rounding error in the totals.
    model: claude-opus-5-5
    provider: anthropic
    reasoning_effort: high
  - goal: Which of these designs is better?
    model: gpt-6-sol
    provider: openai
    toolsets: []
`;
const CART = "export const total = (prices: number[]) => prices.reduce((sum, price) => sum + price, 0);\n";
const FIXED = "export const total = (cents: number[]) => cents.reduce((sum, price) => sum + price, 0) / 100;\n";

/** What the models answer, by the goal and the number of the step. */
const script: Script = ({ messages }) => {
  const goal = messages.find(({ role }) => role === "user")?.text ?? "";
  const step = messages.filter(({ role }) => role === "assistant").length;
  if (goal.includes("List where prices")) {
    if (step === 0) return { toolCalls: [{ name: "grep", input: { pattern: "price" } }], latencyMs: 100 };
    return {
      text: "src/cart.ts:1 adds prices as floating-point dollars.",
      latencyMs: 300,
      usage: { input: 4_100, output: 30 },
    };
  }
  if (goal.includes("rounding error")) {
    if (step === 0) return { toolCalls: [{ name: "read_file", input: { path: "src/cart.ts" } }], latencyMs: 300 };
    if (step === 1)
      return { toolCalls: [{ name: "write_file", input: { path: "src/cart.ts", content: FIXED } }], latencyMs: 300 };
    return { text: "The totals are now summed in cents.", latencyMs: 300, usage: { input: 9_200, output: 410 } };
  }
  return {
    fault: { kind: "response", status: 400, body: '{"error":{"message":"No access to it."}}' },
  };
};

/** The pictures by their file, as they are drawn now. */
export async function drawPictures(): Promise<Record<string, string>> {
  const home = mkdtempSync(join(tmpdir(), "deputy-pictures-"));
  const server = await createModelServer({ script, strict: false });
  try {
    const work = join(home, "shop");
    mkdirSync(join(work, "src"), { recursive: true });
    writeFileSync(join(work, "src", "cart.ts"), CART);
    writeFileSync(join(work, "tasks.yaml"), TASKS);
    const env = prepare(home, server.url);
    const show = (argv: string[]) => shown(argv, work, env);
    return {
      "docs/pictures/plan.svg": svgOf(
        "deputy run tasks.yaml --dry-run",
        await show(["run", "tasks.yaml", "--dry-run"]),
        150,
      ),
      "docs/pictures/run.svg": svgOf("deputy run tasks.yaml", await show(["run", "tasks.yaml"]), 104),
    };
  } finally {
    await server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Writes the config of a user whose three providers are all the scripted server. */
function prepare(home: string, url: string): Record<string, string> {
  const endpoint = (key: string, path = "/v1", api_mode = "chat_completions") => ({
    base_url: `${url}${path}`,
    api_mode,
    api_key: `\${${key}}`,
  });
  const config = {
    providers: {
      zai: endpoint("ZAI_API_KEY"),
      anthropic: endpoint("ANTHROPIC_API_KEY", "", "anthropic_messages"),
      openai: endpoint("OPENAI_API_KEY"),
    },
  };
  mkdirSync(join(home, ".config", "deputy"), { recursive: true });
  writeFileSync(join(home, ".config", "deputy", "config.yaml"), JSON.stringify(config));
  const keys = { ZAI_API_KEY: "a-zai-key", ANTHROPIC_API_KEY: "an-anthropic-key", OPENAI_API_KEY: "an-openai-key" };
  return { PATH: process.env.PATH ?? "", HOME: home, FORCE_COLOR: "1", COLUMNS: "100", ...keys };
}

/** A command line and its output, both streams as they arrive. */
function shown(argv: string[], cwd: string, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(ROOT, "bin", "deputy"), argv, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = `\u001b[2m$\u001b[22m \u001b[1mdeputy ${argv.join(" ")}\u001b[22m\n`;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (piece: string) => {
        output += piece;
      });
    child.on("error", reject);
    child.on("close", () => resolve(withFixedId(output, env)));
  });
}

function withFixedId(output: string, { HOME = "" }: Record<string, string>): string {
  const [, id] = /\brun ([a-z2-9]{8})\b/.exec(output) ?? [];
  const whole = id === undefined ? output : output.replaceAll(id, RUN_ID);
  return whole.replaceAll(HOME, "~").replace(/127\.0\.0\.1:\d+/g, "127.0.0.1");
}

if (import.meta.main) {
  for (const [path, svg] of Object.entries(await drawPictures())) writeFileSync(join(ROOT, path), svg);
}
