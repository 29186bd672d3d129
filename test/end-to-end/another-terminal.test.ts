/**
 * The real program in several terminals: one runs, the others watch it, decide on its requests and send messages to its
 * children.
 */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, stepOf } from "../support/end-to-end.ts";

/** Asks for a command, then answers with everything it has received since. */
function script(request: ModelRequest): Turn {
  if (stepOf(request) === 1) return { toolCalls: [{ name: "terminal", input: { command: "echo built" } }] };
  const said = request.messages.slice(1).flatMap(({ role, text, toolResults }) => {
    return role === "assistant" ? [] : [text, ...toolResults.map((result) => result.text)];
  });
  return {
    text: said
      .map((text) => text.trim())
      .filter(Boolean)
      .join(" | "),
  };
}

test("a run in a pipe is watched, steered and allowed from other terminals", { timeout: 110_000 }, async (t) => {
  const home = temporaryDirectory(after);
  const cwd = mkdtempSync(join(home, "work-"));
  const providers = await createProviders(["zai"], script);
  t.after(providers.close);
  writeFileSync(join(cwd, "tasks.json"), JSON.stringify(["Build it.", "Test it."]));
  const env = { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state"), ...providers.env };
  const deputy = (...argv: string[]) => launch(argv, { cwd, env });
  const told = async (...argv: string[]) => {
    const { code, stdout, stderr } = await deputy(...argv).ended;
    return { code, stdout, stderr };
  };

  const run = deputy("run", "tasks.json", "--json", "--wait-for-approval");
  await until(() => run.stderr().includes("[1/2] asks to run") && run.stderr().includes("[2/2] asks to run"));
  const watching = deputy("watch", "--ndjson");
  const [, id = ""] = /run (\w+)/.exec(run.stderr()) ?? [];
  const waiting = await told("approve");
  assert.match(waiting.stdout, new RegExp(`\\? ${id}\\.1 waits .* left\n  Build it\\.\n.*\n  │ echo built\n`));
  assert.match((await told("steer", `${id}.2`, "Leave out the slow ones.")).stdout, /^Queued: /);
  assert.match((await told("approve", `${id}.1`)).stdout, /^Allowed: \w+\.1, terminal\n {2}│ echo built\n$/);
  assert.match((await told("approve", `${id}.2`, "--deny", "--reason", "Not now.")).stdout, /^Denied/);

  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const { results } = JSON.parse(stdout) as DelegationResult;
  assert.match(results[0]?.summary ?? "", /^built/);
  assert.equal(results[1]?.summary, "Not allowed: Not now. | Leave out the slow ones.");
  assert.match(stderr, /→ \[2\/2\] deputy steer: Leave out the slow ones\./);
  assert.match(stderr, /· \[1\/2\] allowed by deputy approve/);

  const seen = await watching.ended;
  assert.equal(seen.code, 0, seen.stderr);
  const kinds = seen.stdout
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
  for (const kind of ["delegation-start", "steer-request", "approval-answer", "delegation-end", "result"]) {
    assert.ok(kinds.includes(kind), kind);
  }
  const late = await told("approve", `${id}.1`);
  assert.deepEqual([late.code, /has no pending approval request/.test(late.stderr)], [1, true]);
  assert.equal((await told("steer", `${id}.1`, "Hello?")).code, 1);
});
