/** What `deputy run` says when a provider rejects the key or the model. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createModelServer } from "../../src/testing/model-server.ts";
import type { Turn } from "../../src/testing/turn.ts";
import { deputy, temporaryDirectory } from "../support/command-line.ts";

const KEY = "sk-lab-0a1b2c3d4e5f";

/** Runs a task at a server that answers with `turn`, and returns what it says on stderr. */
async function runAgainst(t: TestContext, turn: Turn, key = KEY) {
  const server = await createModelServer({ script: () => turn, keys: { lab: KEY } });
  t.after(server.close);
  const home = temporaryDirectory(t.after.bind(t));
  const baseUrl = server.baseUrl("chat_completions");
  const lab = { base_url: baseUrl, api_key_env: "LAB_KEY" };
  writeFileSync(join(home, "config.yaml"), JSON.stringify({ providers: { lab }, delegation: {} }));
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), LAB_KEY: key };
  const argv = ["run", "--config", "config.yaml", "--provider", "lab", "--model", "lion-1", "--goal", "Roar"];
  const { code, stdout, stderr } = await deputy(argv, { cwd: home, env, open: openDeputy });
  assert.deepEqual([code, stdout], [1, ""]);
  assert.ok(!stderr.includes(key));
  return stderr;
}

function rejection(status: number, message: string): Turn {
  const headers = { "content-type": "application/json" };
  return { fault: { kind: "response", status, headers, body: JSON.stringify({ error: { message } }) } };
}

describe("a rejected request", () => {
  test("with a wrong key names the key's variable", async (t) => {
    const stderr = await runAgainst(t, { text: "never" }, "sk-of-nobody-12345678");
    assert.match(stderr, /lion-1 @ lab does not accept the key: correct or replace it \(401 with LAB_KEY: /);
  });

  test("with a key that may not use the model names the key's variable", async (t) => {
    const stderr = await runAgainst(t, { fault: { kind: "unauthorized", status: 403 } });
    assert.match(stderr, /does not let this key do that: .* \(403 with LAB_KEY/);
  });

  for (const [status, message] of [
    [404, "The model `lion-1` does not exist or you do not have access to it."],
    [404, "model: lion-1"],
    [400, "Unknown model, please check the model code."],
    [400, "lion-1 is not a valid model ID: no such model"],
  ] as const)
    test(`for a model that is not there names it and the next step: ${status} ${message}`, async (t) => {
      const stderr = await runAgainst(t, rejection(status, message));
      assert.match(stderr, new RegExp(`lion-1 @ lab does not accept the request \\(${status}: `));
      assert.match(stderr, /The model lion-1 is probably not available there.*deputy models --provider lab --refresh/);
    });

  test("for another reason does not blame the model or the key", async (t) => {
    const stderr = await runAgainst(t, rejection(400, "temperature must be at most 1"));
    assert.match(stderr, /does not accept the request \(400: temperature must be at most 1\)/);
    assert.doesNotMatch(stderr, /not available there|LAB_KEY/);
  });
});
