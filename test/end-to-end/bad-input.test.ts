/**
 * For any invalid input, the program says where it is, what was expected, what was found and what to do; the exit code
 * reflects it. Nothing starts, nothing is sent and no file is changed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createModelServer, type ModelServer } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { type Ended, launch } from "../support/end-to-end.ts";

const home = temporaryDirectory(after);
/** Whether another user can reach the program: a checkout may be in a folder that only its owner can enter. */
function canRunAs(uid: number): boolean {
  const program = join(import.meta.dirname, "..", "..", "bin", "deputy");
  return spawnSync(program, ["--version"], { uid, env: { HOME: tmpdir(), PATH: process.env.PATH } }).status === 0;
}

const NOBODY = 65_534;

/** Two built-in providers at their own addresses; nothing is sent to them. */
const KEYS = { GLM_API_KEY: "key-of-zai-0123", OPENROUTER_API_KEY: "key-of-openrouter" };

type Given = { stdin?: string | Uint8Array; files?: Record<string, string>; env?: Record<string, string> };

function deputy(argv: readonly string[], { stdin = "", files = {}, env = KEYS }: Given = {}): Promise<Ended> {
  const cwd = mkdtempSync(join(home, "case-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  return launch(argv, { cwd, stdin, env: { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state"), ...env } }).ended;
}

type Case = { name: string; argv?: string[]; code: 2 | 3; says: RegExp[] } & Given;

const TASKS = ["run", "tasks.yaml"];
const goal = (...more: string[]) => ["run", "--goal", "Say hello.", ...more];
const ALIASES = "models: { small: glm-4.7, here: there, there: here }\n";

const CASES: Case[] = [
  { name: "an empty file", files: { "tasks.yaml": " \n" }, code: 2, says: [/tasks\.yaml is empty\. Expected tasks/] },
  {
    name: "a YAML syntax error, with line and column",
    files: { "tasks.yaml": 'tasks:\n  - goal: "never closed\n  - goal: fine\n' },
    code: 2,
    says: [/tasks\.yaml:4:1: expected a closing quote, bracket or comma; found none/],
  },
  {
    name: "wrong indentation, with its line",
    files: { "tasks.yaml": "tasks:\n  - goal: Say hello.\n    model: glm-4.7\n   provider: zai\n" },
    code: 2,
    says: [/tasks\.yaml:4:1: wrong indentation: expected the keys of one map/],
  },
  {
    name: "a JSON syntax error, with its place",
    argv: ["run", "tasks.json"],
    files: { "tasks.json": '{\n  "tasks": [{ "goal": "a" },]\n}' },
    code: 2,
    says: [/tasks\.json:2:29: expected no comma before \]; found one/],
  },
  {
    name: "a broken line among JSON lines, by its number",
    argv: ["run", "tasks.jsonl"],
    files: { "tasks.jsonl": '{ "goal": "a" }\n\n{ "goal": \n' },
    code: 2,
    says: [/tasks\.jsonl:3:11: expected a value; found the end/],
  },
  {
    name: "every mistake at once: unknown fields, missing and wrong values, each with its place",
    files: {
      "tasks.yaml":
        "tasks:\n  - goal: a\n    modle: x\n  - gaol: b\n  - 3\n  - { goal: c, reasoning_effort: hgih, max_iterations: 0 }\n",
    },
    code: 2,
    says: [
      /^deputy: tasks\.yaml:3: task 1, modle: Unknown field `modle`\. Did you mean `model`\?$/m,
      /^tasks\.yaml:4: task 2, gaol: Unknown field `gaol`\. Did you mean `goal`\?$/m,
      /^tasks\.yaml:4: task 2, goal: Required but missing\.$/m,
      /^tasks\.yaml:5: task 3: Expected a task with a goal; found 3\.$/m,
      /^tasks\.yaml:6: task 4, reasoning_effort: .*hgih.*high/m,
      /^tasks\.yaml:6: task 4, max_iterations: .*0/m,
    ],
  },
  {
    name: "an unknown provider, with the nearest ones",
    files: { "tasks.yaml": "- Say hello.\n- { goal: Say hello., provider: opnerouter }\n" },
    argv: [...TASKS, "--strict"],
    code: 3,
    says: [/task 2 \(Say hello\.\), provider: .*found opnerouter\. Did you mean .*openrouter/],
  },
  {
    name: "a provider that is known and not supported yet, with what to use instead",
    argv: goal("--provider", "copilot"),
    code: 3,
    says: [/copilot.*`anthropic` or `openrouter` serve the same models/],
  },
  {
    name: "a word that is no model, where a provider is meant",
    argv: goal("--provider", "zai", "--model", "auto"),
    code: 3,
    says: [/task 1 .*, model: .*found auto\. Did you mean inherit\?/],
  },
  {
    name: "a model of another maker's, with the provider that has it",
    argv: goal("--provider", "zai", "--model", "claude-sonnet-5"),
    env: { ...KEYS, ANTHROPIC_API_KEY: "key-of-anthropic" },
    code: 3,
    says: [
      /model: Expected a model that zai serves; found claude-sonnet-5, .*Try claude-sonnet-5 --provider anthropic/,
    ],
  },
  {
    name: "an unknown alias, with the nearest one",
    argv: goal("--provider", "zai", "--model", "smal", "--config", "config.yaml"),
    files: { "config.yaml": ALIASES },
    code: 3,
    says: [/found smal\. Did you mean small\?/],
  },
  {
    name: "aliases that lead in a circle",
    argv: goal("--provider", "zai", "--model", "here", "--config", "config.yaml"),
    files: { "config.yaml": ALIASES },
    code: 3,
    says: [/circle under `models:`: here → there → here/],
  },
  {
    name: "a missing key, with every place that was looked at",
    argv: goal("--provider", "anthropic"),
    code: 3,
    says: [
      /No key for anthropic\. Looked in ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, CLAUDE_CODE_OAUTH_TOKEN, providers\.anthropic\.api_key\./,
      /choose another provider: openrouter, zai/,
    ],
  },
  {
    name: "no key at all",
    argv: goal(),
    env: {},
    code: 3,
    says: [/Expected a provider with a key; found none\. Set a key/],
  },
  {
    name: "more than one provider and no choice",
    argv: goal(),
    code: 3,
    says: [/provider: .*openrouter.*zai/],
  },
  {
    name: "a mistake in the config, with line and column",
    argv: goal("--config", "config.yaml"),
    files: { "config.yaml": "delegation:\n  max_iteration: 3\n" },
    code: 2,
    says: [/config\.yaml:2:3 .*max_iteration.*max_iterations/],
  },
  {
    name: "10,000 tasks, where 1,000 may be",
    files: { "tasks.yaml": "- Say hello.\n".repeat(10_000) },
    code: 2,
    says: [
      /Expected at most 1000 tasks in one call; found 10000\. Split the call, or raise delegation\.max_tasks_per_call/,
    ],
  },
  {
    name: "a goal of 2 MB, where the model's window is known to be smaller",
    argv: [...TASKS, "--config", "config.yaml"],
    files: {
      "tasks.yaml": `- goal: ${"word ".repeat(400_000)}\n  model: glm-4.7\n  provider: zai\n`,
      "config.yaml": "providers: { zai: { models: { glm-4.7: { context_window: 200000 } } } }\n",
    },
    code: 3,
    says: [/task 1 \(word word .{0,60}…\), goal: .*context window/],
  },
  {
    name: "binary garbage on standard input",
    argv: ["run", "-"],
    stdin: Buffer.concat([randomBytes(100_000), Buffer.from([0])]),
    code: 2,
    says: [/standard input is not text: it has a zero byte at \d+\. Expected tasks as YAML, JSON or JSON lines/],
  },
  {
    name: "text in another encoding than UTF-8",
    argv: ["run", "-"],
    stdin: Buffer.from("- caf\xe9\n", "latin1"),
    code: 2,
    says: [/standard input is not text in UTF-8/],
  },
  {
    name: "an output directory that cannot be made",
    argv: goal("--provider", "zai", "--output", "tasks.yaml/results"),
    files: { "tasks.yaml": "" },
    code: 2,
    says: [/Cannot write results to .*tasks\.yaml\/results: .*Nothing was started\. Choose another --output/],
  },
  {
    name: "a file that is not there",
    argv: ["run", "taks.yaml"],
    files: { "tasks.yaml": "" },
    code: 2,
    says: [/taks\.yaml\. Did you mean tasks\.yaml\?/],
  },
  { name: "an unknown option", argv: goal("--modle", "x"), code: 2, says: [/unknown option '--modle'/, /--model/] },
];

describe("the program refuses", { concurrency: 2, timeout: 110_000 }, () => {
  for (const { name, argv = TASKS, code, says, ...given } of CASES) {
    test(name, async () => {
      const ended = await deputy(argv, given);
      assert.equal(ended.code, code, ended.stderr);
      assert.equal(ended.stdout, "");
      for (const words of says) assert.match(ended.stderr, words);
      assert.ok(ended.stderr.length < 4_000, `${ended.stderr.length} characters to read`);
      assert.doesNotMatch(ended.stderr, /\n\s+at /);
    });
  }

  test("an invalid journal, explains how to move it aside, and leaves it unchanged", async () => {
    const cwd = mkdtempSync(join(home, "case-"));
    const state = join(cwd, "state");
    const file = join(state, "journal.sqlite");
    mkdirSync(state);
    writeFileSync(file, randomBytes(50_000));
    const before = digest(file);
    const surroundings = { cwd, env: { HOME: home, DEPUTY_STATE_DIR: state, ...KEYS } };
    for (const argv of [goal("--provider", "zai"), ["runs"], ["resume", "x"]]) {
      const { code, stdout, stderr } = await launch(argv, surroundings).ended;
      assert.equal(code, 3, stderr);
      assert.equal(stdout, "");
      assert.ok(stderr.includes(`${file} is not a journal, or is damaged`), stderr);
      assert.match(
        stderr,
        /Nothing was changed\. To begin a new journal, move this one aside: mkdir '.*' && mv '.*'\* '.*'/,
      );
    }
    assert.equal(digest(file), before);
  });

  test("a journal that it may only read, and leaves it as it is", async (t) => {
    const cwd = mkdtempSync(join(home, "case-"));
    const state = join(cwd, "state");
    const file = join(state, "journal.sqlite");
    const isRoot = process.getuid?.() === 0; // Permissions do not restrict this user.
    const surroundings = { cwd, env: { HOME: cwd, DEPUTY_STATE_DIR: state, ...KEYS }, ...(isRoot && { uid: NOBODY }) };
    for (const path of [home, cwd]) if (isRoot) chmodSync(path, 0o755);
    if (isRoot) chownSync(cwd, NOBODY, NOBODY);
    if (isRoot && !canRunAs(NOBODY)) return t.skip("another user cannot run the program here");
    const first = await launch(["runs"], surroundings).ended;
    assert.equal(first.code, 0, first.stderr);
    const before = digest(file);
    for (const mode of [0o400, 0o444]) {
      chmodSync(file, mode);
      const { code, stdout, stderr } = await launch(goal("--provider", "zai"), surroundings).ended;
      assert.equal(code, 3, stderr);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /Cannot open the journal .*journal\.sqlite for writing: .*permissions, or use another state directory \(DEPUTY_STATE_DIR\)/,
      );
    }
    assert.equal(digest(file), before);
    assert.equal(statSync(file).mode & 0o200, 0);
  });
});

describe("the program takes", { timeout: 110_000 }, () => {
  let server: ModelServer;
  let env: Record<string, string>;

  before(async () => {
    server = await createModelServer({ keys: { here: "key-of-zai-0123" }, script: () => ({ text: "Hello." }) });
    env = { GLM_API_KEY: "key-of-zai-0123", GLM_BASE_URL: server.baseUrl("chat_completions") };
  });

  after(() => server.close());

  test("the same goal several times: each is a separate task", async () => {
    const { code, stdout, stderr } = await deputy(["run", "-", "--json"], { stdin: "- Hi.\n- Hi.\n- Hi.\n", env });
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      JSON.parse(stdout).results.map(({ task_index, summary }: { task_index: number; summary: string }) => [
        task_index,
        summary,
      ]),
      [0, 1, 2].map((index) => [index, "Hello."]),
    );
  });

  test("a goal of 2 MB for a model whose window is not known, and sends it whole", async () => {
    const long = "word ".repeat(400_000).trim();
    const tasks = JSON.stringify([{ goal: long, model: "a-model-nobody-knows" }]);
    const { code, stderr } = await deputy(["run", "-", "--json"], { stdin: tasks, env });
    assert.equal(code, 0, stderr);
    assert.equal(server.requests.at(-1)?.lastUserText, long);
  });

  test("an unknown model, which may be new, and suggests similar ones", async () => {
    const argv = goal("--provider", "anthropic", "--model", "claude-sonet-5", "--dry-run");
    const { code, stdout, stderr } = await deputy(argv, { env: { ANTHROPIC_API_KEY: "key-of-anthropic" } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /claude-sonet-5 is not known to Deputy.* Did you mean .*claude-sonnet-5/);
  });

  test("10,000 tasks where the config allows them: all are planned", async () => {
    const files = { "config.yaml": "delegation: { max_tasks_per_call: 10000 }\n" };
    const argv = ["run", "-", "--config", "config.yaml", "--dry-run"];
    const { code, stdout, stderr } = await deputy(argv, { stdin: "- Hi.\n".repeat(10_000), files, env });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /\b10,000 tasks would start; nothing has been started or spent/);
  });

  test("one bad task among good ones: the good ones run, the bad one is rejected with its problem", async () => {
    const stdin = "- Hi.\n- { goal: Hi., provider: opnerouter }\n";
    const { code, stdout, stderr } = await deputy(["run", "-", "--json"], { stdin, env });
    assert.equal(code, 1, stderr);
    const [good, bad] = JSON.parse(stdout).results;
    assert.equal(good.status, "completed");
    assert.deepEqual([bad.status, bad.error.code, bad.error.field], ["rejected", "unknown-provider", "provider"]);
    assert.match(bad.error.message, /Did you mean .*openrouter/);
  });
});

function digest(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
