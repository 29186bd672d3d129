/** What `deputy complete` offers at each place of a command line, from the same declarations that parse it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { Command } from "commander";
import { placeholderOf } from "../../../src/cli/completion/complete.ts";
import { lineWords } from "../../../src/cli/completion/line-words.ts";
import { VALUES } from "../../../src/cli/completion/values.ts";
import { commandList } from "../../../src/cli/main.ts";
import { systemClock } from "../../../src/clock.ts";
import { EFFORTS } from "../../../src/route.ts";
import { says } from "../../support/child-stage.ts";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";
import { createTestEngine } from "../../support/engine-stage.ts";

const CONFIG = `
models:
  swift: acme-mini --provider acme
  "two words": acme-mini
providers:
  acme:
    base_url: http://127.0.0.1:1/v1
    api_key: \${ACME_KEY}
    models: { acme-mini: {}, "acme-mini:free": {}, "$(touch owned)": {} }
mcp_servers:
  docs: { command: docs-mcp }
  git-log: { url: "http://127.0.0.1:1/mcp" }
`;

/** A home with a config; its provider has a key. */
function home(context: TestContext): Record<string, string> {
  const folder = temporaryDirectory((cleanUp) => context.after(cleanUp));
  mkdirSync(join(folder, ".config/deputy"), { recursive: true });
  writeFileSync(join(folder, ".config/deputy/config.yaml"), CONFIG);
  return { HOME: folder, ACME_KEY: "key-of-acme", DEPUTY_STATE_DIR: folder };
}

async function completed(line: string, stage: Parameters<typeof deputy>[1] = {}): Promise<string[]> {
  const { code, stdout, stderr } = await deputy(["complete", "--line", line], stage);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout.split("\n").slice(0, -1);
}

function values(lines: string[]): string[] {
  return lines.map((line) => line.split("\t")[0] ?? "");
}

describe("on Tab", () => {
  test("commands are offered with what they do, the hidden one is not", async () => {
    assert.deepEqual(await completed("deputy res"), ["resume\tcontinue a run whose process has ended"]);
    assert.deepEqual(values(await completed("deputy comp")), ["completion"]);
    assert.deepEqual(values(await completed("deputy help jo")), ["journal"]);
    assert.deepEqual(await completed("deputy --v"), ["--version"]);
  });

  test("subcommands and their own flags are offered", async () => {
    assert.deepEqual(values(await completed("deputy journal ")), ["verify", "prune"]);
    assert.deepEqual(values(await completed("deputy journal prune --k")), ["--keep"]);
    assert.deepEqual(values(await completed("deputy config show --")), ["--set", "--json", "--config", "--help"]);
  });

  test("flags are offered where nothing else is expected, and never after --", async () => {
    assert.ok(values(await completed("deputy runs ")).includes("--failed"));
    assert.deepEqual(await completed("deputy runs -- --fa"), []);
  });

  test("a flag's values are offered, also after =", async () => {
    assert.deepEqual(values(await completed("deputy run --effort ")), [...EFFORTS]);
    assert.deepEqual(values(await completed("deputy run -e h")), ["high"]);
    assert.deepEqual(values(await completed("deputy run --effort=xh")), ["--effort=xhigh"]);
    assert.deepEqual(values(await completed("deputy chat --toolsets file,se")), ["file,search"]);
    assert.deepEqual(values(await completed("deputy completion f")), ["fish"]);
    assert.deepEqual(values(await completed("deputy mcp install cl")), ["claude-code"]);
  });

  test("models, aliases and providers come from the user's config, and only as plain words", async (context) => {
    const env = home(context);
    assert.deepEqual(await completed("deputy run --model ", { env }), [
      "swift\tacme-mini --provider acme",
      "acme-mini\tacme",
      "acme-mini:free\tacme",
    ]);
    assert.deepEqual(values(await completed("deputy run -p acme -m acme-mini:", { env })), ["acme-mini:free"]);
    assert.deepEqual(await completed("deputy run --provider other --model acme", { env }), []);
    assert.deepEqual(values(await completed("deputy retry x --provider ", { env })), ["acme"]);
  });

  test("toolsets are those that exist, of the config's MCP servers too", async (context) => {
    const env = home(context);
    const offered = async (typed: string) => values(await completed(`deputy chat --toolsets${typed}`, { env }));
    assert.deepEqual(await offered(" "), ["file", "search", "terminal", "web", "todo", "mcp:docs", "mcp:git-log"]);
    assert.deepEqual(await offered(" file,mcp:d"), ["file,mcp:docs"]);
    assert.deepEqual(await offered("=mcp:"), ["--toolsets=mcp:docs", "--toolsets=mcp:git-log"]);
    assert.deepEqual(values(await completed("deputy chat --toolsets m")), []);
  });

  test("runs are offered with their goals, and children after a dot", async (context) => {
    const env = home(context);
    const { engine } = createTestEngine({ script: async () => says("done") });
    const goal = "Count\tthe \u001b[31mants: all of them";
    const tasks = [{ goal }, { goal: "Second." }];
    const { id, result } = await engine.submit({ tasks }, { surface: "cli", workspace: "/work" });
    await result;
    const [line = "", ...others] = await completed("deputy show ", { env, engine });
    assert.deepEqual([line, others], [`${id}\tCount the \\x1b[31mants: all of them`, []]);
    assert.deepEqual(values(await completed(`deputy stop ${id}.`, { env, engine })), [`${id}.1`, `${id}.2`]);
  });

  test("paths are left to the shell", async () => {
    assert.deepEqual(await completed("deputy run ta"), [":files"]);
    assert.deepEqual(await completed("deputy run --workspace sr"), [":directories"]);
    assert.deepEqual(await completed("deputy run --goal 'a text' --config "), [":files"]);
  });

  test("an error is silence", async (context) => {
    const env = home(context);
    writeFileSync(join(env.HOME ?? "", ".config/deputy/config.yaml"), "models: [");
    assert.deepEqual(await completed("deputy run --model ", { env }), []);
    assert.deepEqual(await completed("deputy nothing "), []);
    assert.deepEqual(await completed(""), await completed("deputy "));
  });
});

describe("a shell's line", () => {
  const lines: [line: string, words: string[]][] = [
    ["deputy ", ["deputy", ""]],
    ["deputy run", ["deputy", "run"]],
    [`deputy -g "a 'b' c" 'd "e"' f\\ g`, ["deputy", "-g", "a 'b' c", 'd "e"', "f g"]],
    [`deputy "open qu`, ["deputy", "open qu"]],
    ["deputy a\\ ", ["deputy", "a "]],
    ["", [""]],
  ];
  for (const [line, words] of lines)
    test(`${JSON.stringify(line)} is ${JSON.stringify(words)}`, () => {
      assert.deepEqual(lineWords(line), words);
    });
});

describe("the placeholders in the help", () => {
  const quiet = { write: () => true };
  const io = { stdin: process.stdin, stdout: quiet, stderr: quiet, env: {}, cwd: "/", clock: systemClock };
  const list = commandList({
    io: { ...io, onInterrupt: () => () => {} },
    openDeputy: () => assert.fail("not opened"),
    exitWith: () => {},
  });

  function placeholdersIn(command: Command): string[] {
    const taken = [
      ...command.options.filter(({ required, optional }) => required || optional),
      ...command.registeredArguments,
    ];
    return [
      ...taken.filter(({ argChoices }) => argChoices === undefined).map(placeholderOf),
      ...command.commands.flatMap(placeholdersIn),
    ];
  }

  test("all have values to offer, or none on purpose", async () => {
    const found = new Set<string>();
    for (const name of Object.keys(list.summaries)) {
      const command = await list.declared(name);
      assert.ok(command, name);
      for (const placeholder of placeholdersIn(command)) found.add(placeholder);
    }
    assert.deepEqual([...found].sort(), Object.keys(VALUES).sort());
  });
});
