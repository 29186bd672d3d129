/** A run of a later journal format is refused by every command that reads it, and disturbs no other run. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JOURNAL_FORMAT, type StoredEvent } from "../../src/event.ts";
import { createMemory, createMemoryJournal } from "../../src/journal/memory.ts";
import { says } from "../support/child-stage.ts";
import { deputy } from "../support/command-line.ts";
import { createTestEngine } from "../support/engine-stage.ts";

const SURFACE = { surface: "library", workspace: "/work" } as const;

/** A journal with a run that ended, and the same run as three kinds of later program would have written it. */
async function journalOfTwoVersions() {
  const memory = createMemory();
  const engine = () => createTestEngine({ memory, script: async () => says("done") }).engine;
  const { id, result } = await engine().submit({ tasks: [{ goal: "Say done." }] }, SURFACE);
  await result;
  const events = memory.log.map((text): StoredEvent => JSON.parse(text));
  const unended = events.filter(({ kind }) => kind !== "delegation-end" && kind !== "child-end");
  const journal = createMemoryJournal({ memory });
  const format = JOURNAL_FORMAT + 1;
  const inRun = (delegationId: string, event: StoredEvent): StoredEvent => ({ ...event, delegationId });
  const write = (name: string, written: readonly object[]) =>
    journal.append(written.map((event) => inRun(name, event as StoredEvent)));
  await write(
    "begun",
    unended.map((event) => (event.kind === "delegation-start" ? { ...event, format } : event)),
  );
  await write("resumed", [...unended, { kind: "delegation-resume", at: 5, pid: 1, renewed: {}, format }]);
  await write("unknown", [...unended, { kind: "compaction-end", at: 5 }]);
  return { memory, engine, id };
}

describe("a run of a later Deputy", () => {
  for (const run of ["begun", "resumed", "unknown"])
    test(`is refused, unchanged, by every command that reads it (${run})`, async () => {
      const { memory, engine } = await journalOfTwoVersions();
      const before = [...memory.log];
      for (const argv of [
        ["show", run],
        ["resume", run],
        ["watch", run],
        ["steer", `${run}.1`, "Hello."],
      ]) {
        const { code, stderr } = await deputy(argv, { engine: engine() });
        assert.match(stderr, new RegExp(`Run ${run} was written by a newer Deputy: .*Update Deputy`), argv.join(" "));
        assert.equal(code, 3, `${argv.join(" ")}: ${stderr}`);
      }
      assert.deepEqual(memory.log, before);
    });

  test("is named by `deputy runs`, which lists the others, and stays when the journal is pruned", async () => {
    const { engine, id } = await journalOfTwoVersions();
    const { code, stdout, stderr } = await deputy(["runs"], { engine: engine() });
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^✓ +${id} `, "m"));
    assert.doesNotMatch(stdout, /^\S +(begun|resumed) /m);
    assert.match(stderr, /^! 2 runs of a newer Deputy are not listed: begun, resumed\. Update Deputy to read them\.$/m);
    const pruned = await engine().prune({ unfinished: true });
    assert.deepEqual(pruned.runs.includes("begun") || pruned.runs.includes("resumed"), false);
  });

  test("is not continued by a server, and hides no approval request of another run", async () => {
    const { engine } = await journalOfTwoVersions();
    assert.deepEqual(await engine().orphanedRuns("mcp"), []);
    assert.deepEqual(await engine().questions(), []);
  });

  test("does not concern a run of this format, or one that names none", async () => {
    const { memory, engine, id } = await journalOfTwoVersions();
    assert.match((await deputy(["show", id], { engine: engine() })).stdout, /done/);
    const bare = memory.log.map((text) => text.replace(`,"format":${JOURNAL_FORMAT}`, ""));
    memory.log.splice(0, Number.POSITIVE_INFINITY, ...bare);
    assert.match((await deputy(["show", id], { engine: engine() })).stdout, /done/);
  });
});
