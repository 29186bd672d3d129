import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";

test("a flag that the config overrides causes a warning, and only then", async () => {
  const home = mkdtempSync(join(tmpdir(), "deputy-"));
  const configPath = join(home, "config.yaml");
  writeFileSync(configPath, "delegation: { model: glm-4.7, provider: zai }\n");
  const env = { HOME: home, GLM_API_KEY: "key-of-zai", ANTHROPIC_API_KEY: "key-of-anthropic" };
  const { engine } = await openDeputy({ env, cwd: home, configPath, journal: createMemoryJournal() });
  const options = {
    surface: "cli",
    workspace: home,
    parent: { model: "claude-sonnet-5", provider: "anthropic" },
  } as const;

  const overruled = await engine.plan({ tasks: [{ goal: "a" }] }, options);
  assert.match(overruled.warnings[0]?.message ?? "", /claude-sonnet-5 applies to the caller.*glm-4\.7 @ zai/);
  const named = await engine.plan({ tasks: [{ goal: "a", model: "claude-opus-5", provider: "anthropic" }] }, options);
  assert.deepEqual(named.warnings, []);
  const { parent: _, ...withoutFlags } = options;
  assert.deepEqual((await engine.plan({ tasks: [{ goal: "a" }] }, withoutFlags)).warnings, []);
  await engine.close();
  rmSync(home, { recursive: true });
});
