/** `deputy journal verify`: it detects all damage that changes the content, and no damage crashes a command. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import type { Context } from "../../../src/cli/command.ts";
import { openDeputy } from "../../../src/engine/setup/open-deputy.ts";
import { DeputyError } from "../../../src/errors.ts";
import { JOURNAL_FORMAT, type StoredEvent } from "../../../src/event.ts";
import type { Journal } from "../../../src/journal/journal.ts";
import { createMemory } from "../../../src/journal/memory.ts";
import { checksumOf } from "../../../src/journal/sqlite/checksum.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { verifyJournal } from "../../../src/journal/sqlite/verify.ts";
import { present } from "../../../src/values/present.ts";
import { calls, says, tool } from "../../support/child-stage.ts";
import { deputy } from "../../support/command-line.ts";
import { createTestEngine, type ModelScript } from "../../support/engine-stage.ts";

const options = { surface: "library", workspace: "/work" } as const;

/** The events of two real runs: one that was steered, requested approval and died midway, and one of two children. */
async function trueEvents(): Promise<StoredEvent[]> {
  const memory = createMemory();
  let patient = true;
  const script: ModelScript = async ({ messages }) => {
    const looks = messages.filter(({ role }) => role === "tool").length;
    if (looks === 1 && patient) return new Promise(() => {});
    return looks < 2 ? calls(["look", { word: `${looks}` }], ["act", { word: "x" }]) : says("the answer ".repeat(20));
  };
  const act = { ...tool("act", "write", () => "done"), subject: () => ({ target: "x", otherwise: "ask" as const }) };
  const tools = [tool("look", "read", () => "seen ".repeat(100)), act];
  const first = createTestEngine({ memory, script, tools });
  const { id } = await first.engine.submit({ tasks: [{ goal: "Look." }, { goal: "Look again." }] }, options);
  while (!memory.log.some((text) => text.includes('"tool-end"'))) await new Promise((resolve) => setImmediate(resolve));
  await first.engine.steer(`${id}.1`, "Look left.", "test");
  first.die();
  patient = false;
  const second = createTestEngine({ memory, script, tools });
  await (await second.engine.resume(id, {})).result;
  const quick = createTestEngine({ memory, script: async () => says("done") });
  await (await quick.engine.submit({ tasks: [{ goal: "a" }, { goal: "b" }] }, options)).result;
  return memory.log.map((text) => JSON.parse(text));
}

describe("verify", { timeout: 110_000 }, () => {
  const stateDir = mkdtempSync(join(tmpdir(), "deputy-verify-"));
  const file = join(stateDir, "journal.sqlite");
  let events: StoredEvent[] = [];
  let sound: Buffer;

  before(async () => {
    events = await trueEvents();
    const journal = openSqliteJournal({ stateDir });
    for (const event of events) await journal.append([event]);
    await journal.close();
    sound = readFileSync(file);
  });
  after(() => rmSync(stateDir, { recursive: true }));

  function restore(): void {
    for (const end of ["-wal", "-shm"]) rmSync(`${file}${end}`, { force: true });
    writeFileSync(file, sound);
  }

  function change(statement: string): void {
    restore();
    const database = new DatabaseSync(file);
    database.exec(statement);
    database.close();
  }

  const problems = () => verifyJournal(file).problems.join("\n");

  it("finds no error in an intact journal, including runs that died and were resumed", () => {
    const { problems, runs, events: count, missing } = verifyJournal(file);
    assert.deepEqual([problems, runs, count, missing], [[], 2, events.length, false]);
  });

  it("reads a journal that a process is writing", async () => {
    restore();
    const journal = openSqliteJournal({ stateDir });
    await journal.append([{ kind: "stop-request", at: 1, delegationId: events[0]?.delegationId ?? "", by: "test" }]);
    assert.deepEqual(verifyJournal(file).problems, []);
    await journal.close();
  });

  it("explains how to migrate a journal of an earlier Deputy", () => {
    change("PRAGMA user_version = 1");
    assert.match(problems(), /^It was written by an earlier Deputy/);
  });

  it("reports that there is no journal yet", () => {
    const { missing, problems } = verifyJournal(join(stateDir, "nowhere.sqlite"));
    assert.deepEqual([missing, problems], [true, []]);
  });

  const seq = (kind: StoredEvent["kind"]) => events.findIndex((event) => event.kind === kind) + 1;

  it("finds an event that is missing, in the middle of a run and at its beginning", () => {
    change(`DELETE FROM events WHERE seq = ${seq("step-end")}`);
    assert.match(problems(), /after its event \d+ comes its event \d+/);
    change(`DELETE FROM events WHERE seq = ${seq("delegation-start")}`);
    assert.match(problems(), /after its event 0 comes its event 2.*\n.*comes before delegation-start/);
  });

  it("finds one that was changed by a single letter, or moved to another run", () => {
    change(`UPDATE events SET data = replace(data, 'the answer', 'the ansver') WHERE kind = 'step-end'`);
    assert.match(problems(), /Entry \d+ has changed: its checksum does not match/);
    change(`UPDATE events SET delegation_id = 'other' WHERE seq = ${seq("step-end")}`);
    assert.match(problems(), /its columns do not match its data/);
  });

  /** Changes an event as a careful forger does: its checksum matches. */
  function forge(index: number, change: (data: string) => string): void {
    restore();
    const database = new DatabaseSync(file);
    const { data, ordinal } = database.prepare("SELECT data, ordinal FROM events WHERE seq = ?").get(index) as {
      data: string;
      ordinal: number;
    };
    const forged = change(data);
    assert.notEqual(forged, data);
    database
      .prepare("UPDATE events SET data = ?, checksum = ? WHERE seq = ?")
      .run(forged, checksumOf(forged, ordinal), index);
    database.close();
  }

  it("finds an event that was forged with a matching checksum, wherever it is in its run", () => {
    const later = (data: string) => data.replace(/"at":(\d)/, (_, digit) => `"at":${digit === "1" ? 2 : 1}`);
    for (let index = 1; index <= events.length; index++) {
      forge(index, (data) => later(data));
      assert.match(problems(), /the chain of its events breaks at event/, `event ${index}`);
    }
  });

  it("finds forged events that were removed, added or exchanged, with positions and checksums that match", () => {
    const numbered = `UPDATE events SET ordinal = places.ordinal FROM (
      SELECT seq, row_number() OVER (PARTITION BY delegation_id ORDER BY seq) AS ordinal FROM events
    ) AS places WHERE places.seq = events.seq`;
    const at = seq("tool-end");
    const forgeries = {
      removed: `DELETE FROM events WHERE seq = ${at}`,
      added: `INSERT INTO events (delegation_id, child_id, kind, at, data, ordinal, checksum, hash)
        SELECT delegation_id, child_id, kind, at, data, 0, 0, hash FROM events WHERE seq = ${at}`,
      exchanged: `UPDATE events SET data = (SELECT data FROM events WHERE seq = ${at}) WHERE seq = ${at + 1}`,
    };
    for (const [how, statement] of Object.entries(forgeries)) {
      change(`${statement}; ${numbered}`);
      const database = new DatabaseSync(file);
      const update = database.prepare("UPDATE events SET checksum = ? WHERE seq = ?");
      for (const row of database.prepare("SELECT seq, data, ordinal FROM events").all())
        update.run(checksumOf(String(row.data), Number(row.ordinal)), Number(row.seq));
      database.close();
      assert.match(problems(), /the chain of its events breaks at event/, how);
    }
  });

  it("finds a hash that was removed, and goes on with the next event", () => {
    for (const hash of ["NULL", "x''", "x'00'"]) {
      change(`UPDATE events SET hash = ${hash} WHERE seq = ${seq("tool-end")}`);
      const found = problems();
      assert.match(found, /the chain of its events breaks at event/, hash);
      assert.doesNotMatch(found, /cannot be read/, hash);
    }
  });

  it("finds a head that was noted, also after later events; and says so if its run was written anew", async () => {
    restore();
    const id = events[0]?.delegationId ?? "";
    const journal = openSqliteJournal({ stateDir });
    const head = await journal.head(id);
    assert.deepEqual(verifyJournal(file, present({ head: head?.sha256 })).head, {
      run: id,
      ordinal: head?.ordinal,
      events: head?.ordinal,
    });
    await journal.append([{ kind: "stop-request", at: 1, delegationId: id, by: "test" }]);
    assert.equal(verifyJournal(file, present({ head: head?.sha256 })).head?.events, (head?.ordinal ?? 0) + 1);
    await journal.remove([id]);
    await journal.append(events.filter(({ delegationId }) => delegationId === id).slice(0, -1));
    await journal.close();
    assert.match(
      verifyJournal(file, present({ head: head?.sha256 })).problems.join(),
      /^No run contains the head [0-9a-f]{64}/,
    );
    assert.deepEqual(verifyJournal(file).problems, []);
  });

  it("chains the runs of a journal that an earlier Deputy wrote", async () => {
    restore();
    const before = new DatabaseSync(file);
    const heads = before.prepare("SELECT seq, hash FROM events ORDER BY seq").all();
    before.exec("ALTER TABLE events DROP COLUMN hash; PRAGMA user_version = 2");
    before.close();
    await openSqliteJournal({ stateDir }).close();
    const migrated = new DatabaseSync(file);
    assert.deepEqual(migrated.prepare("SELECT seq, hash FROM events ORDER BY seq").all(), heads);
    migrated.close();
    assert.deepEqual(verifyJournal(file).problems, []);
  });

  it("checks a run of a later format for changes only, and names it", async () => {
    const place = mkdtempSync(join(stateDir, "later-"));
    const journal = openSqliteJournal({ stateDir: place });
    const [start] = events;
    await journal.append([
      { ...start, format: JOURNAL_FORMAT + 1 } as StoredEvent,
      { kind: "compaction-end", at: 1, delegationId: start?.delegationId } as never,
    ]);
    await journal.close();
    const { problems, later } = verifyJournal(join(place, "journal.sqlite"));
    assert.deepEqual([problems, later], [[], [start?.delegationId]]);
  });

  it("finds events that are no events, or never came in this order, whoever wrote them with care", async () => {
    const [start, ...rest] = events;
    const wrong: [StoredEvent[], RegExp][] = [
      [[{ ...start, kind: "delegation-begin" } as never], /there is no event kind "delegation-begin"/],
      [[{ ...start, planned: "none" } as never], /delegation-start: planned: /],
      [rest, /comes before delegation-start/],
      [events.filter(({ kind }) => kind !== "tool-start"), /tool-end .* has no tool-start/],
      [events.filter(({ kind }) => kind !== "step-start"), /step-end 1 of .* has no step-start/],
      [events.filter(({ kind }) => kind !== "approval-ask"), /approval-end .* has no approval-ask/],
      [events.filter(({ kind }) => kind !== "child-start"), /comes before its child-start/],
      [[...events, ...rest.slice(0, 3)], /after the run's end, without a resume/],
      [
        events.flatMap((event): StoredEvent[] => (event.kind === "child-end" ? [event, event] : [event])),
        /after the end of/,
      ],
    ];
    for (const [written, expected] of wrong) {
      const place = mkdtempSync(join(stateDir, "wrong-"));
      const journal = openSqliteJournal({ stateDir: place });
      await journal.append(written);
      await journal.close();
      assert.match(verifyJournal(join(place, "journal.sqlite")).problems.join("\n"), expected);
    }
  });

  const damage = fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), place: fc.nat(), bit: fc.nat(7) }),
    fc.record({
      kind: fc.constant("fill" as const),
      place: fc.nat(),
      length: fc.integer({ min: 1, max: 5000 }),
      byte: fc.nat(255),
    }),
    fc.record({ kind: fc.constant("cut" as const), place: fc.nat() }),
  );
  type Damage = typeof damage extends fc.Arbitrary<infer Value> ? Value : never;

  function inflict(how: Damage): void {
    restore();
    const place = how.place % sound.length;
    const bytes = Buffer.from(sound);
    if (how.kind === "flip") bytes[place] = (bytes[place] ?? 0) ^ (1 << how.bit);
    if (how.kind === "fill") bytes.fill(how.byte, place, Math.min(sound.length, place + how.length));
    writeFileSync(file, how.kind === "cut" ? bytes.subarray(0, place) : bytes);
  }

  /** SQLite reads a file with one of its first bits flipped as read-only, which is reported at once. */
  function openedUnlessRefused(): Journal | undefined {
    try {
      return openSqliteJournal({ stateDir });
    } catch (error) {
      assert.ok(error instanceof DeputyError && error.code === "journal-unusable", String(error));
      return undefined;
    }
  }

  it("finds every damage that changes what is read: flipped bits, overwritten pages, a file cut short", async () => {
    await fc.assert(
      fc.asyncProperty(damage, async (how) => {
        inflict(how);
        const { problems } = verifyJournal(file);
        if (problems.length > 0) return;
        const journal = openedUnlessRefused();
        if (journal === undefined) return;
        const read = await Array.fromAsync(journal.read({}), ({ event }) => event);
        const ofRuns: StoredEvent[] = [];
        for (const delegationId of new Set(events.map((event) => event.delegationId)))
          for await (const { event } of journal.read({ delegationId })) ofRuns.push(event);
        await journal.close();
        assert.deepEqual(read, events, "unnoticed");
        assert.deepEqual(ofRuns, events);
      }),
      { numRuns: 250 },
    );
  });

  it("is suggested by every other command that finds damage, and none of them crashes", async () => {
    const id = events[0]?.delegationId ?? "";
    const home = mkdtempSync(join(stateDir, "home-"));
    const state = join(home, "state");
    mkdirSync(state);
    const env = { HOME: home, DEPUTY_STATE_DIR: state };
    const open: Context["openDeputy"] = (place) => openDeputy(place);
    const commands = [
      ["runs"],
      ["show", id],
      ["show", `${id}.1`],
      ["watch", id],
      ["approve"],
      ["journal", "prune", "--keep", "0", "--dry-run"],
    ];
    await fc.assert(
      fc.asyncProperty(damage, fc.constantFrom(...commands), async (how, argv) => {
        inflict(how);
        const problems = verifyJournal(file).problems;
        for (const end of ["", "-wal", "-shm"]) rmSync(join(state, `journal.sqlite${end}`), { force: true });
        copyFileSync(file, join(state, "journal.sqlite"));
        const { code, stderr } = await deputy(argv, { env, cwd: home, open });
        assert.notEqual(code, 70, stderr);
        assert.doesNotMatch(stderr, /\n {4}at /);
        if (problems.length === 0) assert.doesNotMatch(stderr, /damaged|add up/);
        else if (/is not a journal, or is damaged|is inconsistent/.test(stderr)) {
          assert.match(stderr, /deputy journal verify/);
        }
      }),
      { numRuns: 60 },
    );
  });
});
