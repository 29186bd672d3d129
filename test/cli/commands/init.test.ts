/** `deputy init` makes a directory ready: what it writes runs at once, and what exists stays. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openDeputy } from "../../../src/engine/setup/open-deputy.ts";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";
import { createProviders } from "../../support/end-to-end.ts";

function place(files: Record<string, string> = {}) {
  const home = temporaryDirectory(after);
  const cwd = join(home, "work");
  for (const folder of [cwd, join(home, ".config/deputy")]) mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const run = (argv: string[], env: Record<string, string> = {}) =>
    deputy(argv, { cwd, env: { HOME: home, PATH: process.env.PATH ?? "", ...env }, open: openDeputy });
  return { cwd, run, read: (name: string) => readFileSync(join(home, name), "utf8") };
}

const CONFIG = ".config/deputy/config.yaml";

describe("deputy init", () => {
  test("writes a config and tasks that run at once", async () => {
    const providers = await createProviders(["zai"], () => ({ text: "done" }));
    try {
      const { run, read } = place();
      const first = await run(["init"], providers.env);
      assert.equal(first.code, 0, first.stderr);
      assert.match(
        first.stdout,
        /✓ Config written to .*config\.yaml\n✓ Tasks written to tasks\.yaml\nNext: deputy run tasks\.yaml\n$/,
      );
      assert.match(read(CONFIG), /^provider: zai$/m);
      assert.match(read("work/tasks.yaml"), /model: small[\s\S]*model: large/);
      assert.doesNotMatch(read("work/tasks.yaml"), /[&*]\w/, "a list repeats instead of naming a YAML anchor");
      const ran = await run(["run", "tasks.yaml", "--strict"], providers.env);
      assert.equal(ran.code, 0, ran.stdout + ran.stderr);
      assert.equal(ran.stdout.match(/done/g)?.length, 3);
    } finally {
      await providers.close();
    }
  });

  test("never replaces a file", async () => {
    const files = { [CONFIG]: "provider: zai\n", "work/tasks.yaml": "mine\n" };
    const { run, read, cwd } = place(files);
    const { code, stdout } = await run(["init"], { ZAI_API_KEY: "key-of-zai" });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /- Config exists already .*left as it is\n- Tasks exists already in tasks\.yaml; left as it is/,
    );
    for (const [name, text] of Object.entries(files)) assert.equal(read(name), text);
    symlinkSync("nowhere", join(cwd, "other.yaml"));
    assert.match((await run(["init", "other.yaml"], { ZAI_API_KEY: "key-of-zai" })).stdout, /left as it is/);
    assert.equal(existsSync(join(cwd, "nowhere")), false);
  });

  test("says what is missing without a key, or with a config that fits none", async () => {
    const { run, read } = place();
    const without = await run(["init", "--yes", "first tasks.yaml"]);
    assert.equal(without.code, 0);
    assert.match(without.stdout, /No provider has a key yet\. Set one \(for example ANTHROPIC_API_KEY\)/);
    assert.match(read("work/first tasks.yaml"), /deputy run 'first tasks\.yaml'\n/);
    assert.doesNotMatch(read("work/first tasks.yaml"), /model:/);
    const { run: inOther } = place({ [CONFIG]: "provider: openai\n" });
    assert.match(
      (await inOther(["init"], { ZAI_API_KEY: "key-of-zai" })).stdout,
      /! .*OPENAI_API_KEY[\s\S]*Then: deputy run/,
    );
  });

  test("reports an invalid config, and writes no tasks", async () => {
    const { run, cwd } = place({ [CONFIG]: "modle: x\n" });
    const { code, stderr } = await run(["init"]);
    assert.equal(code, 2);
    assert.match(stderr, /Did you mean `model`\?/);
    assert.equal(existsSync(join(cwd, "tasks.yaml")), false);
  });
});
