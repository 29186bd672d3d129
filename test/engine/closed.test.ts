import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";

test("every call of a closed library reports that it is closed, and it may be closed again", async () => {
  const deputy = createDeputy({ env: {}, cwd: import.meta.dirname, journal: createMemoryJournal() });
  await deputy.runs();
  await deputy.close();
  for (const asked of [() => deputy.delegate({ goal: "hello" }), () => deputy.runs(), () => deputy.chat()])
    await assert.rejects(asked, { code: "usage", message: /This Deputy is closed/ });
  await deputy.close();
});
