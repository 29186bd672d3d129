/** A sum of tokens above its parts counts as output, and the answer says so, unless the vendor is known to count so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createWireStage, wireRoute } from "../../../support/wire-stage.ts";

async function read(provider: string, model: string, usage: object) {
  const event = { choices: [{ delta: { content: "yes" }, finish_reason: "stop" }], usage };
  const headers = { "content-type": "text/event-stream" };
  const body = `data: ${JSON.stringify(event)}\n\n`;
  const stage = await createWireStage(() => ({ fault: { kind: "response", status: 200, headers, body } }));
  const route = wireRoute(stage.server.baseUrl("chat_completions"), "chat_completions", { provider, model });
  const { reply } = await stage.ask("chat_completions", { route });
  await stage.close();
  assert.ok(reply.ok, JSON.stringify(reply));
  const { input, output, reasoning } = reply.usage ?? assert.fail("a usage is reported");
  return { counts: [input, output, reasoning], warnings: reply.warnings.map(({ message }) => message) };
}

const ABOVE = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 400 };

test("what only the sum holds is output, and a warning says how much", async () => {
  for (const more of [{}, { completion_tokens_details: { reasoning_tokens: 0 } }, { cached_tokens: 20 }]) {
    const { counts, warnings } = await read("mine", "m", { ...ABOVE, ...more });
    assert.deepEqual(counts, [100, 300, 0]);
    assert.match(warnings.join(), /250 above its parts/);
  }
});

test("it is reasoning where the vendor counts so", async () => {
  const { counts, warnings } = await read("mine", "gemini-3-pro", ABOVE);
  assert.deepEqual(counts, [100, 300, 250]);
  assert.deepEqual(warnings, []);
});

test("a sum that its parts explain is none of this", async () => {
  for (const usage of [
    { ...ABOVE, total_tokens: 150 },
    { ...ABOVE, completion_tokens_details: { reasoning_tokens: 250 } },
    { prompt_tokens: 100, completion_tokens: 50 },
  ])
    assert.deepEqual((await read("mine", "m", usage)).warnings, []);
});
