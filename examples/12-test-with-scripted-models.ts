// Tests your own batch without a key, a network or any cost: only the models are scripted.
//   node examples/12-test-with-scripted-models.ts          in a clone of Deputy, first: npm run build
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDeputy } from "deputize";
import { createMemoryJournal, createModelServer } from "deputize/testing";

const server = await createModelServer({
  keys: { mine: "key-of-this-test" },
  script({ lastUserText, messages }) {
    if (lastUserText.includes("too hard")) return { fault: { kind: "refused" } };
    const [looked] = messages.flatMap(({ toolResults }) => toolResults);
    return looked ? { text: `I found: ${looked.text}` } : { toolCalls: [{ name: "list_dir", input: { path: "." } }] };
  },
});
const home = mkdtempSync(join(tmpdir(), "scripted-"));
const deputy = createDeputy({
  cwd: home,
  env: { HOME: home, ZAI_API_KEY: "key-of-this-test", GLM_BASE_URL: server.baseUrl("chat_completions") },
  journal: createMemoryJournal(),
  parent: { provider: "zai", model: "glm-4.7" },
});
const { results } = await deputy.delegate(["Look around.", "This is too hard."].map((goal) => ({ goal })));
assert.deepEqual(
  results.map(({ status, exit_reason }) => `${status}: ${exit_reason}`),
  ["completed: answered", "failed: refused"],
);
assert.ok(server.requests.every(({ model, keyName }) => model === "glm-4.7" && keyName === "mine"));
console.log(`${server.count} requests, all as expected.`);
await deputy.close();
await server.close();
