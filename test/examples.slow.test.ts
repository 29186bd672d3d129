/**
 * Every example runs as its first lines say, against scripted providers: files with the command, programs with Node.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../src/result.ts";
import type { ModelRequest, Turn } from "../src/testing/index.ts";
import { speak } from "./support/chat-models.ts";
import { temporaryDirectory } from "./support/command-line.ts";
import { createProviders, type Ended, launchCommand, ROOT, type Slug, taskOf } from "./support/end-to-end.ts";

const home = temporaryDirectory(after);
const names = readdirSync(join(ROOT, "examples"));
const MOST_LINES = 40;

/** Lets a program import the package by its name, without building it. */
const SOURCE = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const source = ${JSON.stringify({ deputize: "src/index.ts", "deputize/ai-sdk": "src/ai-sdk.ts", "deputize/testing": "src/testing/index.ts" })};
  registerHooks({
    resolve(name, context, next) {
      const root = ${JSON.stringify(`file://${ROOT}/`)};
      if (source[name]) return next(root + source[name], context);
      // Other packages are those of this clone.
      return next(name, context.parentURL?.includes("/examples/") && !/^(node:|[./])/.test(name) ? { ...context, parentURL: root } : context);
    },
  });
`)}`;

describe("the examples", { timeout: 110_000 }, () => {
  for (const name of names) {
    const text = readFileSync(join(ROOT, "examples", name), "utf8");

    test(`${name} fits on a page`, () => {
      assert.ok(text.split("\n").length - 1 <= MOST_LINES);
    });

    if (name.endsWith("-config.yaml")) continue;

    test(`${name} runs`, async (t) => {
      const providers = await createProviders(neededBy(text), answer);
      t.after(providers.close);
      const ended = await runExample(name, text, providers.env);
      assert.equal(ended.code, 0, ended.stderr);
      providers.checkScripts();
      for (const { request } of providers.arrivals) assert.equal(request.status, 200);
      if (name.endsWith(".ts")) assert.equal(ended.stderr, "");
      else checkResults(JSON.parse(ended.stdout), name, text);
    });
  }

  test("are those that the task files' own config belongs to", () => {
    const configs = names.filter((name) => name.endsWith("-config.yaml"));
    const mentioned = names.map((name) => readFileSync(join(ROOT, "examples", name), "utf8")).join("\n");
    for (const config of configs) assert.ok(mentioned.includes(`--config examples/${config}`), config);
  });
});

/** The keys that its first lines name; one is enough if they name none. */
function neededBy(text: string): Slug[] {
  const slugs = (["zai", "anthropic", "openai", "openrouter"] as const).filter((slug) =>
    text.includes(`${slug.toUpperCase()}_API_KEY`),
  );
  return slugs.length === 0 ? ["zai"] : slugs;
}

/** In a separate directory that contains only the examples, as in a clone. */
function runExample(name: string, text: string, env: Record<string, string>): Promise<Ended> {
  const cwd = mkdtempSync(join(home, "clone-"));
  mkdirSync(join(cwd, "examples"));
  cpSync(join(ROOT, "examples"), join(cwd, "examples"), { recursive: true });
  const surroundings = { cwd, env: { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state"), ...env } };
  const command = name.endsWith(".ts")
    ? [process.execPath, "--import", SOURCE, join("examples", name)]
    : ["sh", "-c", `${join(ROOT, "bin")}/${commandIn(text, name)}`];
  return launchCommand(command, surroundings).ended;
}

/** The command in its first lines, without the comment. It is executed, and its result is parsed. */
function commandIn(text: string, name: string): string {
  const [, shown = `deputy run examples/${name}`] = /^# +(deputy run .*?)(?: {2,}.*| \|.*)?$/m.exec(text) ?? [];
  assert.ok(shown.includes(`examples/${name}`), shown);
  return `${shown.replace(/ --(dry-run|json)\b/g, "")} --json`;
}

function checkResults({ results }: DelegationResult, name: string, text: string): void {
  for (const { status, summary, schema_valid } of results) {
    assert.equal(status, "completed");
    assert.notEqual(summary, "");
    assert.notEqual(schema_valid, false);
  }
  const goals = name.endsWith(".jsonl") ? text.trim().split("\n") : text.match(/^(?: *- )?\s*goal:/gm);
  assert.equal(results.length, goals?.length);
}

const RIVERS = { rivers: ["Rhine", "Elbe", "Loire"].map((name, index) => ({ name, length_km: 1000 + index })) };

/** Calls its first suitable tool once; then answers in the requested form. */
function answer(request: ModelRequest): Turn {
  const { messages, tools } = request;
  if (taskOf(request).includes("JSON Schema")) return { text: JSON.stringify(RIVERS) };
  if (tools.some(({ name }) => name === "delegate_task")) return speak(request);
  if (messages.length > 1) return { text: "This is what I found." };
  const has = (name: string) => tools.some((tool) => tool.name === name);
  if (has("glob")) return { toolCalls: [{ name: "glob", input: { pattern: "**/*" } }] };
  if (has("terminal")) return { toolCalls: [{ name: "terminal", input: { command: "git log -5" } }] };
  return { text: "I need not look." };
}
