import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deputy } from "../support/command-line.ts";

describe("the command line", () => {
  test("lists the commands without an argument, and explains each command with examples", async () => {
    const { code, stdout } = await deputy([]);
    assert.equal(code, 0);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+)\b.* {2}\w/gm)].map(([, name = ""]) => name);
    assert.ok(commands.length >= 6, stdout);
    for (const name of commands) {
      const help = await deputy([name, "--help"]);
      assert.equal(help.code, 0, name);
      assert.match(help.stdout, new RegExp(`^Usage: deputy ${name} `), name);
      assert.deepEqual(await deputy(["help", name]), help);
    }
  });

  test("fits its help into 80 columns", async () => {
    const commands = [...(await deputy([])).stdout.matchAll(/^ {2}([a-z]+)\b.* {2}\w/gm)].map(([, name = ""]) => name);
    for (const words of [[], ["journal", "prune"], ["mcp", "install"], ...commands.map((name) => [name])]) {
      const { stdout } = await deputy([...words, "--help"], { terminal: true });
      assert.deepEqual(
        stdout.split("\n").filter((line) => line.length > 80),
        [],
      );
    }
  });

  test("suggests the intended command or option, and exits with 2", async () => {
    const command = await deputy(["rnu"]);
    assert.equal(command.code, 2);
    assert.equal(command.stderr, "deputy: There is no command rnu. Did you mean deputy run?\n");
    const option = await deputy(["run", "--efort", "high"]);
    assert.equal(option.code, 2);
    assert.match(option.stderr, /deputy: unknown option '--efort'\n\(Did you mean --effort\?\)/);
    const nested = await deputy(["config", "init", "--model", "x"]);
    assert.match(nested.stderr, /\nSee deputy config init --help\.\n$/);
    assert.equal((await deputy(["constructor"])).code, 2);
  });

  test("refuses values of the wrong kind and flags that do not go together", async () => {
    for (const argv of [
      ["run", "--goal", "x", "--concurrency", "0"],
      ["run", "--goal", "x", "--max-cost", "free"],
      ["run", "--goal", "x", "--effort", "huge"],
      ["run", "--goal", "x", "--json", "--ndjson"],
      ["run", "--goal", "x", "--allow", ": ls"],
      ["run", "--goal", "x", "--allow", "termnal: ls"],
      ["models", "--provider", "nowhere"],
      ["run", "--goal", "x", "--workspace", "/no/such/place"],
      ["run", "--goal", "x", "tasks.yaml"],
      ["run", "tasks.yaml", "--context", "c"],
      ["run"],
    ]) {
      const { code, stderr } = await deputy(argv);
      assert.equal(code, 2, argv.join(" "));
      assert.match(stderr, /^deputy: /, argv.join(" "));
    }
  });

  test("prints its version", async () => {
    assert.match((await deputy(["--version"])).stdout, /^\d+\.\d+\.\d+/);
  });

  test("reports a bug with its stack, and exits with 70", async () => {
    const engine = { runs: () => assert.fail("boom"), hooksSettled: async () => {}, close: async () => {} };
    const { code, stderr } = await deputy(["runs"], { engine: engine as never });
    assert.equal(code, 70);
    assert.match(stderr, /This is a bug in Deputy[\s\S]*boom[\s\S]* at /);
  });
});
