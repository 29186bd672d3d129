/** `deputy config init`: the files it writes, its questions, and the files that it leaves unchanged. */
import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { loadConfig } from "../../../src/config/load.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { deputy, start, temporaryDirectory, until } from "../../support/command-line.ts";

function bareHome(t: TestContext, keys: Record<string, string> = {}) {
  const home = temporaryDirectory(t.after.bind(t));
  return { home, path: join(home, ".config/deputy/config.yaml"), stage: { cwd: home, env: { HOME: home, ...keys } } };
}

const KEYS = { ANTHROPIC_API_KEY: "key-of-anthropic", GLM_API_KEY: "key-of-zai" };

test("names a provider, model and tiers from the keys that are found, and the doctor likes it", async (t) => {
  const { path, stage, home } = bareHome(t, KEYS);
  const { code, stdout } = await deputy(["config", "init"], stage);
  assert.equal(code, 0);
  const text = readFileSync(path, "utf8");
  assert.ok(stdout.startsWith(text) && stdout.includes(path), "it prints what it wrote, and where");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.match(text, /^# {3}zai +GLM_API_KEY$/m);
  assert.ok(!text.includes("key-of-"));
  const { config } = loadConfig({ env: stage.env, cwd: home });
  assert.deepEqual([config.provider, config.model], ["anthropic", "claude-sonnet-5"]);
  assert.deepEqual(config.models, {
    small: "claude-haiku-5-5 --provider anthropic",
    medium: "claude-sonnet-5 --provider anthropic",
    large: "claude-opus-5-5 --provider anthropic",
  });
  const doctor = await deputy(["doctor"], stage);
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.match(doctor.stdout, /^✓ default .*claude-sonnet-5 @ anthropic/m);
  const models = JSON.parse((await deputy(["models", "--json"], stage)).stdout);
  assert.ok(models.aliases.every(({ problem }: { problem: unknown }) => problem === null));
});

for (const variable of ["OPENROUTER_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "GLM_API_KEY", "TOGETHER_API_KEY"])
  test(`writes what loads for ${variable} alone`, async (t) => {
    const { stage } = bareHome(t, { [variable]: "key-1234" });
    await deputy(["config", "init", "--yes"], stage);
    assert.equal((await deputy(["doctor"], stage)).code, 0);
    const { aliases } = JSON.parse((await deputy(["models", "--json"], stage)).stdout);
    assert.deepEqual(
      aliases.filter(({ problem }: { problem: unknown }) => problem !== null),
      [],
    );
  });

test("explains what is missing if no key is found", async (t) => {
  const { stage, home } = bareHome(t);
  const { code, stdout } = await deputy(["config", "init"], stage);
  assert.equal(code, 0);
  assert.match(stdout, /No provider has a key yet/);
  assert.deepEqual(loadConfig({ env: stage.env, cwd: home }).config.models, {});
});

test("writes through links, also to a file that does not exist yet; a circle of links is refused", async (t) => {
  const { home, path, stage } = bareHome(t, KEYS);
  const target = join(home, "dotfiles/deputy.yaml");
  for (const directory of ["dotfiles", ".config/deputy"]) mkdirSync(join(home, directory), { recursive: true });
  symlinkSync("../../dotfiles/deputy.yaml", path);
  symlinkSync("deputy.yaml", join(home, "dotfiles/second.yaml"));
  assert.equal((await deputy(["config", "init"], stage)).code, 0);
  assert.match(readFileSync(target, "utf8"), /claude-sonnet/);
  assert.equal((await deputy(["config", "init"], stage)).code, 2, "the config exists now");
  writeFileSync(target, "model: m1\n");
  assert.equal((await deputy(["config", "init", "--force"], stage)).code, 0);
  const second = join(home, "dotfiles/second.yaml");
  assert.equal((await deputy(["config", "init", "--force", "--config", second], stage)).code, 0);
  for (const link of [path, second]) assert.ok(lstatSync(link).isSymbolicLink(), link);
  assert.match(readFileSync(target, "utf8"), /claude-sonnet/);
  assert.equal(readFileSync(`${target}.bak`, "utf8"), "model: m1\n");
  symlinkSync("circle.yaml", join(home, "circle.yaml"));
  const circle = await deputy(["config", "init", "--config", join(home, "circle.yaml")], stage);
  assert.ok(circle.code === 2 && circle.stderr.includes("Cannot write"), circle.stderr);
});

test("never overwrites, and with --force keeps each former config", async (t) => {
  const { path, stage } = bareHome(t, KEYS);
  await deputy(["config", "init"], stage);
  const first = readFileSync(path, "utf8");
  const again = await deputy(["config", "init"], { ...stage, env: { ...stage.env, ANTHROPIC_API_KEY: "" } });
  assert.equal(again.code, 2);
  assert.match(again.stderr, /There is a config at .* already\. --force/);
  assert.equal(readFileSync(path, "utf8"), first);
  for (const _ of [1, 2])
    await deputy(["config", "init", "--force"], { ...stage, env: { ...stage.env, ANTHROPIC_API_KEY: "" } });
  assert.notEqual(readFileSync(path, "utf8"), first);
  assert.equal(readFileSync(`${path}.bak`, "utf8"), first);
  assert.deepEqual(readdirSync(join(path, "..")).sort(), ["config.yaml", "config.yaml.bak", "config.yaml.bak.2"]);
});

test("asks on a terminal, with what it would write as the default", async (t) => {
  const { path, stage } = bareHome(t, KEYS);
  const clock = createFakeClock();
  const invocation = start(["config", "init"], { ...stage, terminal: true, clock });
  for (const [times, answer] of ["nobody", "zai", "", "-", "", "gpt-6-sol --provider openai"].entries()) {
    await until(() => invocation.stdout().match(/\]: /g)?.length === times + 1);
    await clock.advance(300);
    invocation.stdin.write(`${answer}\n`);
  }
  assert.equal(await invocation.code, 0);
  assert.equal(invocation.stdout().match(/Provider \(anthropic, zai\) \[anthropic\]: /g)?.length, 2);
  const text = readFileSync(path, "utf8");
  assert.match(text, /^provider: zai\nmodel: glm-5\.3$/m);
  assert.match(text, /^ {2}# small: .*\n {2}medium: glm-5\.3 --provider zai\n {2}large: gpt-6-sol --provider openai$/m);
});

test("asks again for a model that cannot run, and once more for one that Deputy does not know", async (t) => {
  const { path, stage } = bareHome(t, { GLM_API_KEY: "key-of-zai" });
  const clock = createFakeClock();
  const invocation = start(["config", "init"], { ...stage, terminal: true, clock });
  const answers = ["claude-opus-5", "glm-9.9", "glm-5.2", "chatgpt", "glm-7.7", "glm-7.7", "", ""];
  for (const [times, answer] of answers.entries()) {
    await until(() => invocation.stdout().match(/\]: /g)?.length === times + 1);
    await clock.advance(300);
    invocation.stdin.write(`${answer}\n`);
  }
  assert.equal(await invocation.code, 0);
  const [dialog = ""] = stripVTControlCharacters(invocation.stdout()).split("# Deputy's configuration");
  for (const row of dialog.split(/\]: |\n/)) assert.ok(row.length <= 80, row);
  const text = dialog.replaceAll("\n  ", " ");
  assert.match(text, /! .*found claude-opus-5, which another provider makes/);
  assert.match(text, /! .*glm-9\.9 is not known to Deputy.* Enter it again to use it anyway\./);
  assert.match(text, /! .*found chatgpt, the name of a vendor/);
  assert.match(readFileSync(path, "utf8"), /^model: glm-5\.2$/m);
  assert.match(readFileSync(path, "utf8"), /^ {2}small: glm-7\.7 --provider zai$/m);
});

for (const variable of ["GLM_API_KEY", "DEEPSEEK_API_KEY", "MISTRAL_API_KEY", "XIAOMI_API_KEY"])
  test(`writes three tiers for ${variable} alone`, async (t) => {
    const { stage, home } = bareHome(t, { [variable]: "key-1234" });
    await deputy(["config", "init", "--yes"], stage);
    const { models } = loadConfig({ env: stage.env, cwd: home }).config;
    assert.deepEqual(Object.keys(models), ["small", "medium", "large"]);
  });

test("takes no answer from what was pasted or typed ahead, and asks for each", async (t) => {
  const { path, stage } = bareHome(t, KEYS);
  const clock = createFakeClock();
  const invocation = start(["config", "init"], { ...stage, terminal: true, clock });
  invocation.stdin.write("zai\nnone\n\n\n\n");
  await until(() => invocation.stdout().includes("Provider ("));
  await clock.advance(1_000);
  assert.doesNotMatch(invocation.stdout(), /Default model for tasks/);
  invocation.stdin.write("zai\nnone\n");
  await until(() => invocation.stdout().includes("Default model for tasks"));
  await clock.advance(1_000);
  assert.doesNotMatch(invocation.stdout(), /stands for/);
  invocation.stdin.end();
  assert.equal(await invocation.code, 2);
  assert.ok(!existsSync(path));
});

test("asks nothing with --yes, and writes nothing where the answers end", async (t) => {
  const { path, stage } = bareHome(t, KEYS);
  const ended = start(["config", "init"], { ...stage, terminal: true });
  ended.stdin.end("anthropic\n");
  assert.equal(await ended.code, 2);
  assert.ok(!existsSync(path));
  const silent = start(["config", "init", "--yes", "--config", "mine.yaml"], { ...stage, terminal: true });
  assert.equal(await silent.code, 0);
  assert.doesNotMatch(silent.stdout(), /Provider \(/);
  assert.ok(existsSync(join(stage.cwd, "mine.yaml")));
});
