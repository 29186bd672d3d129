/** Tables and lists at terminals of every width, and in a pipe: no row is too wide, and no word is broken. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { displayWidth } from "../../../src/cli/terminal/terminal-text.ts";
import { openDeputy } from "../../../src/engine/setup/open-deputy.ts";
import { createMemory } from "../../../src/journal/memory.ts";
import { calls, route, says, tool } from "../../support/child-stage.ts";
import { deputy, type Stage, temporaryDirectory } from "../../support/command-line.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

const WIDTHS = [40, 62, 80, 120, 200];
const MODEL = "qwen3-235b-a22b-instruct-2507";
const GOAL = "Write a haiku about a lion that sleeps below a tree in the long grass, and then one about a falcon.";

const CONFIG = `
model: ${MODEL}
provider: mylab
providers:
  mylab:
    base_url: http://127.0.0.1:9/v1
    api_key_env: MYLAB_API_KEY_OF_THE_TEAM
    models: { ${MODEL}: { context_window: 131072, price: { input: 0.21, output: 1.5 }, reasoning_efforts: [low, high] } }
models:
  careful: ${MODEL} --provider mylab --effort high
  broken: some-model --provider nowhere-at-all
agents:
  reviewer: { description: "${GOAL}", prompt: You review., model: careful, toolsets: [file, search] }
`;

const TASKS = `- { goal: "${GOAL}", model: ${MODEL} }\n- Say done\n`;

/** Returns what each invocation gets. */
type Place = () => Stage;

/** A home whose config and agents cause long values and warnings. */
function home(): Place {
  const cwd = temporaryDirectory(after);
  mkdirSync(join(cwd, ".config/deputy"), { recursive: true });
  writeFileSync(join(cwd, ".config/deputy/config.yaml"), CONFIG);
  mkdirSync(join(cwd, ".claude/agents"), { recursive: true });
  writeFileSync(join(cwd, ".claude/agents/unreadable.md"), "---\nname: [\n---\nprompt\n");
  writeFileSync(join(cwd, "tasks.yaml"), TASKS);
  const env = { HOME: cwd, MYLAB_API_KEY_OF_THE_TEAM: "key-123456", TERM: "dumb" };
  return () => ({ cwd, env, open: openDeputy });
}

/** Runs on models with long names, in memory. */
async function past(): Promise<Place> {
  const memory = createMemory();
  const priced = (provider: string, model: string) =>
    route(provider, model, { facts: { price: { input: 1, output: 1 } } });
  const open = () => createTestEngine({ memory, script: async () => says("done"), route: priced }).engine;
  const tasks = [{ goal: GOAL, model: MODEL }, { goal: "Second" }];
  await (await open().submit({ tasks }, { surface: "cli", workspace: "/work" })).result;
  const cwd = temporaryDirectory(after);
  writeFileSync(join(cwd, "tasks.yaml"), TASKS);
  return () => ({ engine: open(), cwd, env: { TERM: "dumb" } });
}

/** A run that waits for a decision. */
async function waiting(): Promise<Place> {
  const memory = createMemory();
  const command = `npm test -- ${"--grep 'nested lists of the parser' ".repeat(4).trim()}`;
  const subject = () => ({ target: command, otherwise: "ask" as const });
  const tools = [{ ...tool("act", "write", () => "done"), subject }];
  const { engine } = createTestEngine({ memory, tools, script: async () => calls(["act", { word: "x" }]) });
  after(() => engine.close());
  await engine.submit({ tasks: [{ goal: GOAL }] }, { surface: "cli", workspace: "/work", answersFromElsewhere: true });
  while ((await engine.questions()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  const env = { DEPUTY_STATE_DIR: temporaryDirectory(after), TERM: "dumb" };
  return () => ({ engine: createTestEngine({ memory, script: async () => says("") }).engine, env });
}

/** `whole`: the output also has paths, which stay whole to be copied. */
const COMMANDS: [argv: string[], place: () => Place | Promise<Place>, paths?: "whole"][] = [
  [["models"], home],
  [["agents"], home, "whole"],
  [["doctor"], home, "whole"],
  [["config", "show", "--set"], home],
  [["config", "path"], home, "whole"],
  [["config", "get", "models"], home],
  [["run", "tasks.yaml", "--dry-run"], home],
  [["runs"], past],
  [["costs"], past],
  [["costs", "--by", "run"], past],
  [["run", "tasks.yaml"], past],
  [["approve"], waiting],
];

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Ids and times differ from one invocation to the next. */
function isTheSame(word: string): boolean {
  return !/\d/.test(word);
}

describe("on a terminal of any width", () => {
  for (const [argv, prepare, paths] of COMMANDS)
    test(`deputy ${argv.join(" ")} fits, and breaks between words`, async () => {
      const place = await prepare();
      const piped = await deputy(argv, place());
      const known = new Set(wordsOf(piped.stdout + piped.stderr));
      for (const columns of WIDTHS) {
        const { stdout, stderr } = await deputy(argv, { ...place(), terminal: { columns } });
        const text = stdout + stderr;
        for (const row of text.split("\n"))
          assert.ok(displayWidth(row) <= columns || (paths === "whole" && wordsOf(row).length === 1), row);
        const broken = wordsOf(text).filter((word) => !known.has(word) && !word.includes("…") && isTheSame(word));
        assert.deepEqual(broken, [], `${columns}: ${text}`);
      }
    });
});

describe("in a pipe", () => {
  for (const [argv, prepare, value] of [
    [["runs"], past, GOAL],
    [["costs"], past, `${MODEL} @ zai`],
    [["run", "tasks.yaml", "--dry-run"], home, GOAL],
    [["approve"], waiting, GOAL],
    [["agents"], home, GOAL],
    [["models"], home, "MYLAB_API_KEY_OF_THE_TEAM"],
    [["config", "show"], home, JSON.stringify(GOAL)],
  ] as const)
    test(`deputy ${argv.join(" ")} cuts nothing`, async () => {
      const place = await prepare();
      const { stdout } = await deputy([...argv], place());
      assert.ok(stdout.includes(value), stdout);
      assert.ok(!stdout.includes("…"), stdout);
    });
});

describe("colors", () => {
  test("change no width, and NO_COLOR and TERM=dumb leave them out", async () => {
    const place = await past();
    const at = async (env: Record<string, string>) =>
      (await deputy(["runs"], { ...place(), env, terminal: { columns: 62 } })).stdout;
    const colored = await at({ NO_COLOR: "" });
    assert.ok(colored.includes("\u001b[32m✓"), colored);
    const plain = stripVTControlCharacters(colored);
    assert.equal(await at({ NO_COLOR: "1" }), plain);
    assert.equal(await at({ NO_COLOR: "", TERM: "dumb" }), plain);
  });
});
