/**
 * Types the commands that the pages show, page by page and in order: in a separate home, with the page's config and
 * tasks, keys of scripted providers, and the ids of runs that the page's own commands have created.
 */
import assert from "node:assert/strict";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createFakeClock, type FakeClock, type ModelRequest, type Turn } from "../../src/testing/index.ts";
import { deputy, type Invocation, start, temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, PROVIDERS, type Slug, stepOf, taskOf } from "../support/end-to-end.ts";
import { commandsIn } from "./command-words.ts";
import { type Block, blocksOf } from "./page.ts";

const root = join(import.meta.dirname, "../..");
const SLUGS: Slug[] = ["zai", "openrouter", "anthropic", "openai", "gemini"];

/** Why the test does not run this command. */
const NOT_TYPED: Record<string, string> = {
  "npm start": "sets up the clone (test/setup.slow.test.ts) and runs deputy demo (test/cli/binary.slow.test.ts)",
  "npm test": "runs this",
};

/** What the reader does while a command is running. */
type Person = {
  does(typed: Invocation, clock: FakeClock): unknown;
  /** The reader is at a terminal. */
  terminal?: true;
  /** Time advances only when the reader advances it. */
  waits?: true;
  /** Its exit code, if it is not 0. */
  code?: number;
  /** Additional flags that keep this machine's state out of the way. */
  flags?: string[];
};
const PERSONS: [words: RegExp, person: Person][] = [
  [/^chat(?!.* -p)/, { terminal: true, does: talk }],
  [/^watch/, { code: 130, does: (typed) => until(() => typed.stderr().includes("Say one")).then(typed.interrupt) }],
  [
    /^serve/,
    { flags: ["--port", "0"], does: (typed) => until(() => typed.stderr().includes("Token")).then(typed.interrupt) },
  ],
  [/^mcp install(?!.*--write)/, { terminal: true, waits: true, does: answering("y\n") }],
  [/^config init/, { terminal: true, waits: true, does: answering("\n") }],
  [/^models --refresh/, { code: 1, does: () => {} }], // The scripted providers list no models.
  [/^(diff|apply)/, { code: 1, does: () => {} }], // Their children have no branches.
  // No task of theirs has failed.
  [/^retry/, { code: 3, does: () => {} }],
];
const NOBODY: Person = { does: () => {} };

/** Files that readers have. */
const FILES: Record<string, string> = {
  "work/README.md": "A project.\n",
  "work/tasks.yaml": "[{ goal: Say one. }, { goal: Say two. }, { goal: Say three. }]\n",
  "work/words.csv": "word,language\nhouse,French\nbook,Japanese\n",
  "work/changes.diff": "+ a line\n",
  "work/question.txt": "What is this?\n",
  "work/old/config.yaml": "model: { default: glm-4.7, provider: zai }\n",
  "work/.deputy/config.yaml": "delegation: { max_iterations: 20 }\n",
  ".hermes/config.yaml": "model: { default: glm-4.7, provider: zai }\n",
};
const CONFIG = "provider: anthropic\nmodels: { small: claude-haiku-4-5, large: claude-opus-5-5 }\n";

describe("the commands shown", () => {
  const pages = globSync(["README.md", "docs/*.md"], { cwd: root }).map((path) => ({
    path,
    blocks: blocksOf(readFileSync(join(root, path), "utf8")),
  }));
  const withCommands = pages.filter(({ blocks }) => blocks.some(({ language }) => language === "sh"));

  test("are on most pages", () => assert.ok(withCommands.length > 10));

  for (const { path, blocks } of withCommands)
    test(`${path}: work in their order`, async () => {
      const reader = await createReader(blocks);
      try {
        for (const block of blocks) await reader.reads(block);
      } finally {
        await reader.leaves();
      }
    });
});

// A reader ------------------------------------------------------------------------------------------------------------

/** A reader who follows the page. */
async function createReader(blocks: readonly Block[]) {
  const home = temporaryDirectory(after);
  const cwd = join(home, "work");
  const lines = blocks.flatMap((block) => (block.language === "sh" ? linesOf(block) : []));
  const config = blocks.find(({ kind }) => kind === "config")?.text;
  const isExporting = lines.some((line) => line.startsWith("export "));
  const isConfiguring = lines.some((line) => /config (init|import --write)/.test(line));
  const models = createModels();
  const providers = await createProviders(SLUGS, models.speak);
  const env: Record<string, string> = { PATH: process.env.PATH ?? "", HOME: home };
  const underWay: Invocation[] = [];
  const made = { runId: "" };

  for (const [path, text] of Object.entries(FILES)) write(path, text);
  if (!isExporting) for (const slug of SLUGS) hasKeyOf(slug);
  if (config === undefined && !isExporting && !isConfiguring) hasConfig(CONFIG);
  const [firstOfRun] = lines.filter((line) => /\bID\b/.test(line) || makesRun(line));
  if (firstOfRun !== undefined && !makesRun(firstOfRun)) await startRun(["run", "tasks.yaml", "--wait-for-approval"]);

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  }

  /** Created now, as in a new process. */
  function stage() {
    return { cwd, env: { ...env }, open: openDeputy };
  }

  function hasConfig(text: string): void {
    write(".config/deputy/config.yaml", text);
    if (!/^provider:/m.test(text)) env.DEPUTY_PROVIDER = "anthropic";
  }

  function hasKeyOf(slug: Slug): void {
    const { keyVariable, urlVariable } = PROVIDERS[slug];
    for (const name of [keyVariable, urlVariable]) env[name] = providers.env[name] ?? "";
  }

  /** Files shown on the page exist; a reader with tasks for several providers has their keys. */
  function writes({ kind, language, text }: Block): void {
    if (config !== undefined) hasConfig(config);
    if (kind === "tasks") write(`work/tasks.${language}`, text);
    for (const slug of SLUGS) hasKeyOf(slug);
  }

  /** A run that continues while other commands are typed: its second child waits for an answer. */
  async function startRun(words: string[]): Promise<void> {
    models.isAsking = true;
    const run = start(words, stage());
    underWay.push(run);
    await until(() => /deputy approve/.test(run.stdout() + run.stderr()));
    models.isAsking = false;
    made.runId ||= await newestRun();
  }

  async function newestRun(): Promise<string> {
    const { stdout } = await deputy(["runs", "--json"], stage());
    const [newest] = JSON.parse(stdout) as { delegation_id: string }[];
    assert.ok(newest, "expected a run");
    return newest.delegation_id;
  }

  async function types(line: string): Promise<void> {
    const [, exported] = /^export (\w+)=/.exec(line) ?? [];
    if (exported !== undefined)
      return hasKeyOf(SLUGS.find((slug) => PROVIDERS[slug].keyVariable === exported) ?? assert.fail(line));
    const [[program = "", ...written] = [], ...pipedInto] = commandsIn(line);
    if (`${program} ${written.join(" ")}` in NOT_TYPED) return;
    assert.match(program, /^(bin\/)?deputy$/, line);
    if (written[0] === "stop") await until(() => models.isAtWork);
    if (written[0] === "resume") await underWay[0]?.code;
    const words = written.map((word) => word.replace(/^ID\b/, made.runId));
    if (line.endsWith("&")) return startRun(words);

    const {
      does,
      terminal,
      waits,
      code = 0,
      flags = [],
    } = PERSONS.find(([like]) => like.test(written.join(" ")))?.[1] ?? NOBODY;
    const [, from] = / < (\S+)/.exec(line) ?? [];
    const clock = createFakeClock(Date.now());
    const typed = start([...words, ...flags], {
      ...stage(),
      ...(waits && { clock }),
      ...(from !== undefined && { stdin: readFileSync(join(cwd, from)) }),
      ...(terminal && { terminal }),
    });
    const acted = does(typed, clock);
    const told = () => `${line}\n${typed.stdout()}\n${typed.stderr()}`;
    assert.equal(await typed.code, code, told());
    await acted;
    for (const [filter, pattern = ""] of pipedInto) {
      assert.equal(filter, "grep", line);
      assert.ok(typed.stdout().includes(pattern), told());
    }
    if (makesRun(line)) made.runId = await newestRun();
  }

  return {
    async reads(block: Block): Promise<void> {
      if (/^(yaml|jsonl)$/.test(block.language)) writes(block);
      if (block.language === "sh") for (const line of linesOf(block)) await types(line);
    },
    async leaves(): Promise<void> {
      for (const { interrupt, code } of underWay) {
        interrupt();
        await code;
      }
      await providers.close();
      providers.checkScripts();
    },
  };
}

function linesOf({ text }: Block): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/\s+#.*/, "").trim())
    .filter((line) => line !== "");
}

function makesRun(line: string): boolean {
  return /deputy run /.test(line) && !line.includes("--dry-run") && !line.endsWith("&");
}

/** Gives every question the same answer, a moment after it is shown. */
function answering(answer: string): Person["does"] {
  return async ({ stdin, stdout, code }, clock) => {
    let isOver = false;
    void code.finally(() => {
      isOver = true;
    });
    for (let shown = 0; !isOver; ) {
      const questions = () => stdout().match(/\]: /g)?.length ?? 0;
      await until(() => isOver || questions() > shown);
      shown = questions();
      await clock.advance(300);
      stdin.write(answer);
    }
  };
}

async function talk({ stdin, stdout }: Invocation): Promise<void> {
  await until(() => stdout().includes("> "));
  stdin.write("What is this?\r");
  await until(() => /A project\.[\s\S]*> /.test(stdout()));
  stdin.write("/quit\r");
}

// Models --------------------------------------------------------------------------------------------------------------

/**
 * The models' answers. While `isAsking` is set, a second child requests approval for a command. The first one that
 * continues after its approval then works for a minute.
 */
function createModels() {
  const models = { isAsking: false, isAtWork: false, speak };

  function speak(request: ModelRequest): Turn {
    const task = taskOf(request);
    const isSecond = task.includes("Say two.");
    if (models.isAsking && isSecond && stepOf(request) === 1)
      return { toolCalls: [{ name: "terminal", input: { command: "true" } }] };
    const text = task.includes('"choice"') ? '{ "choice": "A", "because": "It is simple." }' : "A project.";
    if (!isSecond || stepOf(request) === 1 || models.isAtWork) return { text };
    models.isAtWork = true;
    return { text, latencyMs: 60_000 };
  }

  return models;
}
