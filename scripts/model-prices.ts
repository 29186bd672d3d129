/**
 * `npm run prices [version]`: rebuilds Deputy's table of prices and context windows from the one that the npm package
 * @earendil-works/pi-ai (MIT) generates from the providers' own price pages. Facts are taken, no code.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Price } from "../src/route.ts";
import type { TableEntry } from "../src/routing/catalog/price-table.ts";
import { present } from "../src/values/present.ts";

const PACKAGE = "@earendil-works/pi-ai";
const TARGET = join(import.meta.dirname, "..", "src", "routing", "catalog", "price-table.json");

/** A provider in the package. `prefix` selects ids and is dropped; `only` are the ids to take, in our spelling. */
type Source = { name: string; prefix?: string; only?: readonly string[] };

/** Where a provider's models are found; the first that has a model is used. */
const SOURCES: Readonly<Record<string, readonly Source[]>> = {
  anthropic: [{ name: "anthropic" }],
  openai: [{ name: "openai" }],
  gemini: [{ name: "google" }],
  vertex: [{ name: "google-vertex" }],
  xai: [{ name: "xai" }],
  // Vercel's gateway charges the makers' list prices (vercel.com/docs/ai-gateway/pricing).
  zai: [{ name: "zai" }, { name: "vercel-ai-gateway", prefix: "zai/" }],
  kimi: [{ name: "moonshotai" }],
  "kimi-cn": [{ name: "moonshotai-cn" }],
  minimax: [{ name: "minimax" }],
  "minimax-cn": [{ name: "minimax-cn" }],
  deepseek: [{ name: "deepseek" }],
  alibaba: [{ name: "vercel-ai-gateway", prefix: "alibaba/" }],
  mistral: [{ name: "mistral" }],
  groq: [{ name: "groq" }],
  together: [{ name: "together" }],
  fireworks: [{ name: "fireworks" }],
  cerebras: [{ name: "cerebras" }],
  huggingface: [{ name: "huggingface" }],
  openrouter: [{ name: "openrouter" }],
  "ai-gateway": [{ name: "vercel-ai-gateway" }],
  "opencode-zen": [{ name: "opencode" }],
  stepfun: [
    { name: "vercel-ai-gateway", prefix: "stepfun/" },
    { name: "huggingface", prefix: "stepfun-ai/", only: ["step-3.5-flash"] },
  ],
  xiaomi: [{ name: "xiaomi" }, { name: "opencode-go", only: ["mimo-v2.5-pro"] }],
  bedrock: [{ name: "amazon-bedrock" }],
};

type Cost = { input: number; output: number; cacheRead?: number; cacheWrite?: number };
type Tier = Cost & { inputTokensAbove: number };
type Model = {
  id: string;
  type?: string;
  cost?: Cost & { tiers?: Tier[] };
  contextWindow?: number;
  maxTokens?: number;
};
type Models = Readonly<Record<string, Readonly<Record<string, Model>>>>;
type Entries = Record<string, TableEntry>;

/** A price of 0 means that the package does not know it. */
function priceOf({ input, output, cacheRead, cacheWrite }: Cost): Price {
  return present({ input, output, cachedInput: cacheRead || undefined, cacheWrite: cacheWrite || undefined });
}

function entryOf({ cost, contextWindow }: Model): TableEntry {
  const isPriced = cost !== undefined && cost.input > 0 && cost.output > 0;
  const tiers = isPriced ? (cost.tiers ?? []) : [];
  return present({
    price: isPriced ? priceOf(cost) : undefined,
    longPrompts:
      tiers.length === 0 ? undefined : tiers.map((tier) => ({ above: tier.inputTokensAbove, ...priceOf(tier) })),
    contextWindow: contextWindow || undefined,
  });
}

function tableOf(models: Models): Record<string, Entries> {
  return Object.fromEntries(Object.entries(SOURCES).map(([slug, sources]) => [slug, entriesOf(sources, models)]));
}

/** The models of all sources, sorted; the first source that has a model is used. */
function entriesOf(sources: readonly Source[], models: Models): Entries {
  const entries = sources.toReversed().flatMap((source) => entriesIn(source, models));
  return Object.fromEntries([...new Map(entries)].sort(([one], [other]) => (one < other ? -1 : 1)));
}

function entriesIn({ name, prefix = "", only }: Source, models: Models): [string, TableEntry][] {
  const known = models[name];
  if (known === undefined) throw new Error(`Expected ${name} among the providers of ${PACKAGE}; found none.`);
  return Object.values(known).flatMap((model): [string, TableEntry][] => {
    if (!model.id.startsWith(prefix) || model.id.endsWith(":batch")) return [];
    const id = model.id.slice(prefix.length);
    if (only === undefined) return [[id, entryOf(model)]];
    return only.includes(id.toLowerCase()) ? [[id.toLowerCase(), entryOf(model)]] : [];
  });
}

async function main(): Promise<void> {
  const [, , wanted = "latest"] = process.argv;
  const folder = mkdtempSync(join(tmpdir(), "deputy-prices-"));
  try {
    const npm = (...words: string[]) => execFileSync("npm", words, { cwd: folder, encoding: "utf8" });
    const version: string = JSON.parse(npm("view", `${PACKAGE}@${wanted}`, "version", "--json"));
    const times: Record<string, string> = JSON.parse(npm("view", PACKAGE, "time", "--json"));
    const archive = npm("pack", `${PACKAGE}@${version}`, "--silent").trim();
    execFileSync("tar", ["xzf", archive], { cwd: folder });
    const generated = join(folder, "package", "dist", "models.generated.js");
    const { MODELS } = await import(pathToFileURL(generated).href);
    const providers = tableOf(MODELS);
    const document = { source: `${PACKAGE} ${version}`, date: times[version]?.slice(0, 10) ?? "unknown", providers };
    writeFileSync(TARGET, formatted(document));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One line per model. */
function formatted({ providers, ...head }: { providers: Record<string, Entries> } & Record<string, unknown>): string {
  const blocks = Object.entries(providers).map(([slug, entries]) => {
    const lines = Object.entries(entries).map(([id, entry]) => `      ${JSON.stringify(id)}: ${JSON.stringify(entry)}`);
    return `    ${JSON.stringify(slug)}: {\n${lines.join(",\n")}\n    }`;
  });
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "providers": {\n${blocks.join(",\n")}\n  }\n}\n`;
}

await main();
