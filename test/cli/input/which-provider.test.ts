/** Several keys and no config: a terminal asks once which provider to use; elsewhere the error names the two ways. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openDeputy } from "../../../src/engine/setup/open-deputy.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { deputy, start, temporaryDirectory, until } from "../../support/command-line.ts";

const KEYS = {
  ANTHROPIC_API_KEY: "sk-ant-REDACTED",
  GLM_API_KEY: "0123456789abcdef0123456789abcdef.0123456789abcdef",
};

function place(config?: string) {
  const home = temporaryDirectory(after);
  const path = join(home, ".config/deputy/config.yaml");
  if (config !== undefined) {
    mkdirSync(join(home, ".config/deputy"), { recursive: true });
    writeFileSync(path, config);
  }
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), XDG_CONFIG_HOME: "", ...KEYS };
  return { path, stage: { cwd: home, env, open: openDeputy } };
}

const DRY = ["run", "--goal", "one", "--dry-run", "--json"];
const QUESTION = /Which provider\? 1 to 2, or Enter for none: /;

function atTerminal(argv: string[], stage: object) {
  const clock = createFakeClock(Date.now());
  return { ...start(argv, { ...stage, terminal: true, clock }), clock };
}

/** Types a line once the prompt has been on the screen for a while. */
async function answer(running: ReturnType<typeof atTerminal>, prompt: RegExp, line: string): Promise<void> {
  await until(() => prompt.test(running.stderr()));
  await running.clock.advance(300);
  running.stdin.write(line);
}

function providerOf(stdout: string): string {
  return JSON.parse(stdout).tasks[0].route?.provider;
}

describe("several keys, and nothing that names a provider", () => {
  test("are a question at a terminal, whose answer can be saved", async () => {
    const { path, stage } = place();
    const running = atTerminal(DRY, stage);
    await answer(running, QUESTION, "2\n");
    assert.match(running.stderr(), /PROVIDER +MODEL\n1 +anthropic +claude-\S+\n2 +zai +glm-\S+\n/);
    await answer(running, /Save it as the default in .*config\.yaml\? \[y\/N\]: /, "y\n");
    assert.equal(await running.code, 0);
    assert.equal(providerOf(running.stdout()), "zai");
    assert.match(readFileSync(path, "utf8"), /^provider: zai$/m);
    const again = atTerminal(DRY, stage);
    assert.equal(await again.code, 0);
    assert.equal(providerOf(again.stdout()), "zai");
    assert.equal(again.stderr(), "");
  });

  test("leave no config if the choice is for once", async () => {
    const { path, stage } = place();
    const running = atTerminal(DRY, stage);
    await answer(running, QUESTION, "1\n");
    await answer(running, /\[y\/N\]: /, "\n");
    assert.equal(await running.code, 0);
    assert.equal(providerOf(running.stdout()), "anthropic");
    assert.equal(existsSync(path), false);
  });

  test("are not decided by what was typed ahead", async () => {
    const { path, stage } = place();
    const running = atTerminal(DRY, stage);
    running.stdin.write("2\ny\n");
    await answer(running, QUESTION, "1\n");
    await answer(running, /\[y\/N\]: /, "n\n");
    assert.equal(await running.code, 0);
    assert.equal(providerOf(running.stdout()), "anthropic");
    assert.equal(existsSync(path), false);
  });

  test("are an error with both ways to name one if nobody is asked, or answers", async () => {
    const { stage } = place();
    const piped = await deputy(["run", "--goal", "one"], stage);
    assert.equal(piped.code, 3);
    assert.match(
      piped.stderr,
      /anthropic, zai\. Name one in the task, with --provider, or as `provider` in the config/,
    );
    const running = atTerminal(["run", "--goal", "one"], stage);
    await answer(running, QUESTION, "\n");
    assert.equal(await running.code, 3);
  });

  test("are no question where flags, the config or every task name a provider", async () => {
    const flagged = atTerminal([...DRY, "--provider", "zai"], place().stage);
    const configured = atTerminal(DRY, place("provider: zai\n").stage);
    for (const running of [flagged, configured]) {
      assert.equal(await running.code, 0);
      assert.equal(providerOf(running.stdout()), "zai");
      assert.doesNotMatch(running.stderr(), /Which provider/);
    }
  });

  test("are a question for a new chat too", async () => {
    const { stage } = place();
    const running = atTerminal(["chat"], stage);
    await answer(running, QUESTION, "2\n");
    await answer(running, /\[y\/N\]: /, "n\n");
    await until(() => /glm-\S+ @ zai/.test(running.stdout()));
    running.stdin.write("/exit\n");
    await running.code;
  });
});
