/**
 * The documentation is true: generated parts are fresh, links resolve, commands and flags exist, examples load,
 * programs run, and manual lists are complete.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { PassThrough } from "node:stream";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { ERRORS, type Explained, FAILURES, PROBLEMS } from "../scripts/docs/meanings.ts";
import { refreshed } from "../scripts/docs.ts";
import { parseAllowRule } from "../src/cli/approvals/allow-rule.ts";
import { readTaskFile } from "../src/cli/input/task-file.ts";
import type { Io } from "../src/cli/io.ts";
import { commandList, main } from "../src/cli/main.ts";
import { systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config/load.ts";
import { type Config, configKeys, configSchema } from "../src/config-schema.ts";
import { createDeputy } from "../src/engine/deputy.ts";
import { BUILT_IN_PROVIDERS } from "../src/routing/catalog/built-in-providers.ts";
import { createRouting } from "../src/routing/routing.ts";
import { createMemoryJournal, createModelServer, type ModelServer, type Script } from "../src/testing/index.ts";
import { commandsIn } from "./docs/command-words.ts";
import { anchorsOf, blocksOf, codeSpansOf, firstColumnOf, linksOf, sectionOf } from "./docs/page.ts";
import { temporaryDirectory } from "./support/command-line.ts";
import { makeRepository } from "./support/isolation-stage.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const pages = globSync(["*.md", "docs/*.md"], { cwd: root }).map((path) => ({ path, text: read(path) }));
const home = temporaryDirectory(after);
/** Every provider's key, so that output does not depend on the environment. */
const keys = Object.fromEntries(BUILT_IN_PROVIDERS.flatMap(({ keys }) => keys.map(({ name }) => [name, "a-key"])));

const io: Io = {
  stdin: new PassThrough(),
  stdout: { write: () => true },
  stderr: { write: () => true },
  env: {},
  cwd: home,
  clock: systemClock,
  onInterrupt: () => () => {},
};

describe("the pages", () => {
  for (const { path, text } of pages) {
    test(`${path}: generated parts are up to date`, () => {
      assert.equal(text, refreshed(text), "Run npm run docs.");
    });

    test(`${path}: every link leads somewhere`, () => {
      const local = linksOf(text).filter((link) => !/^https?:/.test(link));
      assert.deepEqual(
        local.filter((link) => !leadsSomewhere(link, path)),
        [],
      );
    });

    test(`${path}: every command and flag exists`, async () => {
      for (const words of commandsShown(text)) await understood(words);
      for (const words of commandsNamed(text)) await understood(words, "commander.missingArgument");
    });

    test(`${path}: every example of a config loads, and every task has a route`, async () => {
      const examples = blocksOf(text).filter(({ language }) => /^(yaml|json|jsonl)$/.test(language));
      const [config] = examples.filter(({ kind }) => kind === "config").map(({ text: example }) => loaded(example));
      for (const { kind, language, text: example, line } of examples) {
        if (kind === "config") loaded(example);
        else if (kind === "tasks") await planned(example, language, config);
        else assert.fail(`${path}:${line}: expected \`\`\`${language} config or tasks, so that it can be tested`);
      }
    });
  }

  test("are all reached from the README", () => {
    const reached = new Set(pages.flatMap(({ path, text }) => linksOf(text).map((link) => targetOf(link, path))));
    assert.deepEqual(
      pages.filter(({ path }) => path !== "README.md" && !reached.has(path)),
      [],
    );
  });

  test("ARCHITECTURE.md names existing files, and every folder of the source", () => {
    const text = read("ARCHITECTURE.md");
    const named = codeSpansOf(text).filter((span) => /^[\w/-]+\.(ts|md)$/.test(span));
    assert.ok(named.length > 40);
    assert.deepEqual(
      named.filter((path) => globSync([path, `{src,test}/**/${path}`], { cwd: root }).length === 0),
      [],
    );
    const folders = globSync("src/*/", { cwd: root }).map((path) => `${path.replace(/^src\/|\/$/g, "")}/`);
    assert.ok(folders.length > 8);
    assert.deepEqual(
      folders.filter((folder) => !text.includes(folder)),
      [],
    );
  });

  test("name only existing config keys", () => {
    const known = configKeys().map(({ path }) => path);
    const named = pages
      .flatMap(({ text }) => codeSpansOf(text))
      .filter((span) => /^(delegation|providers|terminal)\.[\w.*]+$/.test(span));
    const generic = named.map((span) => span.replace(/^providers\.[A-Z]+\b/, "providers.*"));
    assert.ok(generic.length > 20);
    assert.deepEqual(
      generic.filter((key) => !known.includes(key)),
      [],
    );
  });
});

describe("a manual list", () => {
  test("has every key of a result, and no other", async (t) => {
    const write = { name: "write_file", input: { path: "notes.txt", content: "A line.\n" } };
    const unknown = { name: "no_such_tool", input: {} };
    const script: Script = ({ messages }) => ({
      text: "{}",
      latencyMs: messages[0]?.text.includes("be late") ? 60_000 : 0,
      toolCalls: messages.length === 1 ? [write, unknown] : [],
    });
    const server = await createModelServer({ script });
    t.after(() => server.close());
    const env = { HOME: home, ...environmentAt(server) };
    const deputy = createDeputy({ env, cwd: home, journal: createMemoryJournal(), parent: { provider: "zai" } });
    const answered = { goal: "x", output_schema: { type: "object" } };
    const result = await deputy.delegate([answered, { goal: "be late", timeout_seconds: 0.05 }]);
    const again = await (await deputy.retry(result.delegation_id)).result;
    const forked = await (await deputy.fork(`${result.delegation_id}.1`, { step: 1 })).result;
    const repository = join(home, "repository");
    mkdirSync(repository);
    makeRepository(repository);
    const isolated = { goal: "x", workspace: repository, isolation: "worktree" } as const;
    const apart = await deputy.delegate([isolated, isolated]);
    await deputy.close();
    const [child, late] = result.results;
    assert.ok(child?.route && late);
    const found = [
      ...Object.keys({ ...again, ...forked }),
      ...Object.keys({ ...late, ...child, ...again.results[0], ...apart.results[0] }),
      ...Object.keys(child.route).map((key) => `route.${key}`),
    ];
    const told = firstColumnOf(sectionOf(read("docs/results.md"), "The result"));
    assert.deepEqual([...new Set(told)].sort(), [...new Set(found)].sort());
  });

  test("has every code of a warning", () => {
    const source = globSync("src/**/*.ts", { cwd: root }).map(read).join("\n");
    const codes = Array.from(source.matchAll(/\bcode: "([a-z]+(?:-[a-z]+)+)"/g), ([, code = ""]) => code);
    const elsewhere = [PROBLEMS, ERRORS].flatMap((explained) => Object.keys(explained));
    const told = firstColumnOf(sectionOf(read("docs/troubleshooting.md"), "Warnings"));
    assert.ok(codes.length > 40);
    assert.deepEqual(
      [...codes, "route-gone", "not-resumed"].filter((code) => !elsewhere.includes(code) && !told.includes(code)),
      [],
    );
  });

  test("quotes messages and codes that the source has, with every code explained", () => {
    const source = globSync("src/**/*.ts", { cwd: root }).map(read).join("\n");
    const tables = [
      ...["Other messages", "Warnings"].map((name) => sectionOf(read("docs/troubleshooting.md"), name)),
      sectionOf(read("docs/runs.md"), "The journal"),
    ];
    const explained = [FAILURES, PROBLEMS, ERRORS].flatMap((codes) => Object.values<Explained>(codes));
    const quoted = [...tables.flatMap(firstColumnOf), ...explained.flatMap(({ says }) => says)];
    assert.ok(quoted.length > 60);
    assert.deepEqual(
      quoted.filter((words) => !source.includes(words)),
      [],
    );
  });
});

describe("the programs shown", () => {
  const programs = pages.flatMap(({ path, text }) =>
    blocksOf(text)
      .filter(({ language }) => language === "ts")
      .map((block) => ({ path, ...block })),
  );

  test("there are some", () => assert.ok(programs.length >= 4));

  for (const { path, line, text } of programs) {
    test(`${path}:${line} runs`, async (t) => {
      const server = await createModelServer({ script: () => ({ text: "Said." }) });
      t.after(() => server.close());
      const { code, output } = await runProgram(text, environmentAt(server));
      assert.equal(code, 0, output);
    });
  }
});

// Links ---------------------------------------------------------------------------------------------------------------

function targetOf(link: string, from: string): string {
  const [file = ""] = link.split("#");
  return file === "" ? from : relative(root, join(root, dirname(from), file));
}

function leadsSomewhere(link: string, from: string): boolean {
  const target = targetOf(link, from);
  const [, anchor] = link.split("#");
  return existsSync(join(root, target)) && (anchor === undefined || anchorsOf(read(target)).has(anchor));
}

// Commands ------------------------------------------------------------------------------------------------------------

function commandsShown(text: string): string[][] {
  const lines = blocksOf(text).flatMap(({ language, text: block }) => (language === "sh" ? block.split("\n") : []));
  return lines.flatMap(commandsIn);
}

/** In a sentence, `deputy resume` means the command. */
function commandsNamed(text: string): string[][] {
  const spans = codeSpansOf(text).filter((span) => /^((bin\/)?deputy|npm) /.test(span));
  return spans.flatMap(commandsIn);
}

/** Fails if the program, or package.json, does not understand a command. */
async function understood(words: string[], forgiven?: string): Promise<void> {
  const [program = "", ...rest] = words;
  if (program === "npm") return assert.ok(isNpmCommand(rest), `npm ${rest.join(" ")}: no such script`);
  if (program === "node") return assert.ok(existsSync(join(root, rest[0] ?? "")), words.join(" "));
  if (["export", "grep", "git"].includes(program)) return;
  assert.match(program, /^(bin\/)?deputy$/, `${words.join(" ")}: expected a command that this test can judge`);
  const [name = "", ...args] = rest;
  assert.equal(await main([name, "--help"], io), 0, `there is no command ${name}`);
  await parsed(name, args).catch((error: Error & { code?: string }) => {
    assert.equal(error.code, forgiven, `${words.join(" ")}: ${error.message}`);
  });
}

function isNpmCommand([command = "", name = ""]: string[]): boolean {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  return command === "run" ? name in scripts : command in scripts || command === "pack";
}

/** Parses a command by its own options, without running it. */
async function parsed(name: string, args: string[]): Promise<void> {
  const openDeputy = () => assert.fail("nothing is to be opened");
  const command = await commandList({ io, openDeputy, exitWith: () => {} }).declared(name);
  assert.ok(command, name);
  quiet(command);
  if (Reflect.get(command, "_actionHandler") !== null) command.action(() => {});
  for (const inner of command.commands) quiet(inner).action(() => {});
  await command.parseAsync(args, { from: "user" });
  for (const rule of (command.opts().allow as string[] | undefined) ?? []) parseAllowRule(rule);
}

function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });
}

// Examples ------------------------------------------------------------------------------------------------------------

function loaded(text: string): Config {
  const path = join(home, "config.yaml");
  writeFileSync(path, text);
  return loadConfig({ env: {}, cwd: home, explicitPath: path }).config;
}

/** Fails if a task would not start for a user with every key. */
async function planned(text: string, language: string, config = configSchema.parse({})): Promise<void> {
  const file = join(home, `tasks.${language}`);
  writeFileSync(file, text);
  const call = await readTaskFile(file, io, 1000);
  const lookAtImage = () => ({ mediaType: "image/png" as const, bytes: 1, sha256: "" });
  const lookAtFile = (_: string, name: string) => ({ name, bytes: 1, sha256: "" });
  const routing = createRouting({ config, env: keys, lookAtImage, lookAtFile });
  const { planned: plans } = routing.plan(call, { parent: { provider: config.provider ?? "anthropic" }, cwd: home });
  assert.deepEqual(
    plans.flatMap((plan) => ("problem" in plan ? [plan.problem.message] : [])),
    [],
  );
}

// Programs ------------------------------------------------------------------------------------------------------------

/** An environment in which all providers are this server. */
function environmentAt(server: ModelServer): Record<string, string> {
  const rows = BUILT_IN_PROVIDERS.filter(({ slug }) => ["zai", "openai", "anthropic"].includes(slug));
  return Object.fromEntries(
    rows.flatMap(({ keys: [key], baseUrlVariable, apiMode }) => [
      [key?.name ?? "", "a-key"],
      [baseUrlVariable ?? "", server.baseUrl(apiMode)],
    ]),
  );
}

/** Runs a program like a user who has installed the package. */
async function runProgram(text: string, env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const folder = join(home, "program");
  mkdirSync(folder, { recursive: true });
  const source = (name: string) => JSON.stringify(pathToFileURL(join(root, "src", name)).href);
  const linked = text
    .replaceAll('"deputize"', source("index.ts"))
    .replaceAll('"deputize/testing"', source("testing/index.ts"));
  writeFileSync(join(folder, "program.ts"), linked);
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "program.ts"], {
    cwd: folder,
    env: { PATH, HOME: folder, TMPDIR: folder, ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (output += piece));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}
