/** The guarantees of every journal. A new one is added with a line in `STORES`. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import type { Clock } from "../../src/clock.ts";
import { DeputyError } from "../../src/errors.ts";
import type { StoredEvent } from "../../src/event.ts";
import type { Entry, EntryFilter, Journal } from "../../src/journal/journal.ts";
import { createMemory, createMemoryJournal } from "../../src/journal/memory.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { delegationStart, numberOf, numbersOf, stepStart, stopRequest } from "../support/journal-events.ts";

/** Storage that any number of journals may open; each acts as a process. */
type Store = { open(): Journal; remove(): void };

const STORES: Record<string, () => Store> = { memory: memoryStore, sqlite: sqliteStore };

function memoryStore(): Store {
  const memory = createMemory();
  return { open: () => createMemoryJournal({ memory }), remove() {} };
}

function sqliteStore(): Store {
  const stateDir = mkdtempSync(join(tmpdir(), "deputy-journal-"));
  return {
    open: () => openSqliteJournal({ stateDir, pollMs: 5 }),
    remove: () => rmSync(stateDir, { recursive: true }),
  };
}

for (const [name, createStore] of Object.entries(STORES)) {
  describe(`the ${name} journal`, { timeout: 110_000 }, () => {
    let store: Store;
    let journal: Journal;
    let opened: Journal[];

    beforeEach(() => {
      store = createStore();
      opened = [];
      journal = open();
    });

    afterEach(async () => {
      await Promise.all(opened.map((each) => each.close()));
      store.remove();
    });

    function open(): Journal {
      const another = store.open();
      opened.push(another);
      return another;
    }

    describe("appends", () => {
      it("keep their order, across calls and within one", async () => {
        await Promise.all([journal.append([stepStart(1), stepStart(2)]), journal.append([stepStart(3)])]);
        await journal.append([stepStart(4)]);
        assert.deepEqual(await numbersOf(journal.read({})), [1, 2, 3, 4]);
      });

      it("are there for another journal as soon as they resolve, and not before", async () => {
        const other = open();
        const appended = journal.append([stepStart(1)]);
        const before = await Promise.all([journal.read({}), other.read({})].map(entriesOf));
        assert.deepEqual(before, [[], []]);
        await appended;
        assert.deepEqual(await numbersOf(other.read({})), [1]);
      });

      it("of one turn of the event loop are committed together", async () => {
        const settled: number[] = [];
        const first = journal.append([stepStart(1)]).then(async () => settled.push(await countOf(journal)));
        await Promise.resolve();
        const second = journal.append([stepStart(2)]).then(async () => settled.push(await countOf(journal)));
        await Promise.all([first, second]);
        assert.deepEqual(settled, [2, 2]);
      });

      it("give back what JSON keeps of an event, as it was when it was appended", async () => {
        const inputs = fc.sample(fc.jsonValue(), { numRuns: 50, seed: 7 });
        const events = inputs.map((input): StoredEvent => stepEnd(input));
        const expected: unknown = JSON.parse(JSON.stringify(events));
        const appended = journal.append(events);
        for (const event of events) event.at = -1;
        await appended;
        assert.deepEqual(await Array.fromAsync(journal.read({}), (entry) => entry.event), expected);
      });

      it("resolve for no events", async () => {
        await journal.append([]);
        assert.equal(await countOf(journal), 0);
      });

      it("that wait are committed by close, and later ones are refused", async () => {
        const waiting = journal.append([stepStart(1)]);
        await journal.close();
        await waiting;
        assert.deepEqual(await numbersOf(open().read({})), [1]);
        await assert.rejects(journal.append([stepStart(2)]), { code: "journal-unusable", message: /is closed/ });
      });
    });

    describe("read", () => {
      beforeEach(async () => {
        await journal.append([stepStart(1, "a"), stopRequest("a"), stepStart(2, "b"), stopRequest("b")]);
        await journal.append([stepStart(3, "a")]);
      });

      it("gives every entry a growing seq", async () => {
        const seqs = await Array.fromAsync(journal.read({}), (entry) => entry.seq);
        assert.equal(seqs.length, 5);
        assert.deepEqual(
          seqs,
          [...new Set(seqs)].sort((a, b) => a - b),
        );
      });

      it("keeps to one delegation", async () => {
        assert.deepEqual(await kindsOf(journal.read({ delegationId: "a" })), [
          "step-start",
          "stop-request",
          "step-start",
        ]);
        assert.deepEqual(await entriesOf(journal.read({ delegationId: "nobody" })), []);
      });

      it("keeps to one tree, a run and those below it, whose ids begin with its own and a dot; or to what has none above it", async () => {
        const ids = ["t", "t.1.1", "t-1", "t/1", "t0", "t.10.1", "t.1.1.2.1", "T.1.1", "u.1.1"];
        await journal.append(ids.map((id, index) => stepStart(10 + index, id)));
        const numbersIn = (filter: EntryFilter) => numbersOf(journal.read(filter));
        assert.deepEqual(await numbersIn({ within: "t" }), [10, 11, 15, 16]);
        assert.deepEqual(await numbersIn({ within: "t.1" }), [11, 16]);
        assert.deepEqual(await numbersIn({ within: "t.1.1", kinds: ["step-start"] }), [11, 16]);
        assert.deepEqual(await numbersIn({ within: "t", kinds: ["stop-request"] }), []);
        assert.deepEqual(await numbersIn({ within: "t%" }), []);
        assert.deepEqual(await numbersIn({ roots: true, kinds: ["step-start"] }), [1, 2, 3, 10, 12, 13, 14]);
      });

      it("finds a tree among many others, from any place on", async () => {
        const others = Array.from({ length: 3_000 }, (_, index) => stepStart(index, `o${index % 50}.1.1`));
        await journal.append([stepStart(1, "tree"), ...others, stepStart(2, "tree.1.1"), stepStart(3, "tree")]);
        const numbersIn = (after: number) => numbersOf(journal.read({ within: "tree", kinds: ["step-start"], after }));
        const [first, nested] = await entriesOf(journal.read({ within: "tree" }));
        assert.deepEqual(
          [await numbersIn(0), await numbersIn(first?.seq ?? 0)],
          [
            [1, 2, 3],
            [2, 3],
          ],
        );
        assert.deepEqual(await numbersIn(nested?.seq ?? 0), [3]);
      });

      it("keeps to the kinds asked for, in the order they happened", async () => {
        const kinds = ["stop-request", "step-start"] as const;
        assert.equal((await entriesOf(journal.read({ kinds: ["stop-request"] }))).length, 2);
        assert.deepEqual(await entriesOf(journal.read({ kinds })), await entriesOf(journal.read({})));
        assert.deepEqual(await entriesOf(journal.read({ kinds: [] })), []);
      });

      it("keeps to what happened since a time", async () => {
        const kinds = ["step-start"] as const;
        assert.deepEqual(await numbersOf(journal.read({ kinds, since: 1_002 })), [2, 3]);
        assert.deepEqual(await numbersOf(journal.read({ delegationId: "a", roots: true, kinds, since: 1_002 })), [3]);
        assert.deepEqual(await entriesOf(journal.read({ since: 1_004 })), []);
        assert.equal((await entriesOf(journal.read({ since: 0 }))).length, 5);
      });

      it("combines delegation, kinds and place", async () => {
        const [first] = await entriesOf(journal.read({ delegationId: "a", kinds: ["step-start"] }));
        assert.ok(first);
        const rest = journal.read({ delegationId: "a", kinds: ["step-start"], after: first.seq });
        assert.deepEqual(await numbersOf(rest), [3]);
      });

      it("yields the entries that existed when it began, however slowly it is read", async () => {
        const seen: Entry[] = [];
        for await (const entry of journal.read({})) {
          if (seen.push(entry) === 1) await journal.append([stepStart(9)]);
        }
        assert.equal(seen.length, 5);
        assert.equal(await countOf(journal), 6);
      });

      it("can be left half way, and any number can run at once", async () => {
        const [one, other] = [reading(journal), reading(journal)];
        for (let count = 0; count < 5; count++) assert.deepEqual(await one.next(), await other.next());
        await reading(journal).next();
        await journal.append([stepStart(4)]);
        assert.equal(await countOf(journal), 6);
      });
    });

    describe("watch", () => {
      it("begins with the existing entries and continues with new ones", async () => {
        await journal.append([stepStart(1)]);
        const seen = take(journal, 3);
        await journal.append([stepStart(2)]);
        await journal.append([stepStart(3)]);
        assert.deepEqual(await seen, [1, 2, 3]);
      });

      it("begins after a given place", async () => {
        await journal.append([stepStart(1), stepStart(2)]);
        const [first] = await entriesOf(journal.read({}));
        assert.deepEqual(await take(journal, 1, { after: first?.seq ?? 0 }), [2]);
      });

      it("keeps to its filter", async () => {
        const seen = take(journal, 2, { delegationId: "b", kinds: ["step-start"] });
        await journal.append([stepStart(1, "a"), stopRequest("b"), stepStart(2, "b")]);
        await journal.append([stepStart(3, "a")]);
        await journal.append([stepStart(4, "b")]);
        assert.deepEqual(await seen, [2, 4]);
      });

      it("keeps to one tree, and sees what comes in it from another journal", async () => {
        const seen = take(journal, 3, { within: "b" });
        await journal.append([stepStart(1, "a.1.1"), stepStart(2, "b"), stepStart(3, "b.1.1")]);
        await open().append([stepStart(4, "a"), stepStart(5, "b.2.1")]);
        assert.deepEqual(await seen, [2, 3, 5]);
      });

      it("sees what another journal appends", async () => {
        const seen = take(journal, 2);
        const other = open();
        await other.append([stepStart(1)]);
        await other.append([stepStart(2)]);
        assert.deepEqual(await seen, [1, 2]);
      });

      it("loses and repeats nothing while several journals append, however slow its reader", async () => {
        const writers = [journal, open(), open()];
        const watched = [take(journal, 300), take(open(), 300), take(journal, 300, {}, slowly)];
        const numbers = Array.from({ length: 100 }, (_, index) => index);
        for (const number of numbers) {
          await Promise.all(writers.map((writer, which) => writer.append([stepStart(number * 3 + which)])));
        }
        const stored = await numbersOf(journal.read({}));
        assert.equal(new Set(stored).size, 300);
        for (const seen of await Promise.all(watched)) assert.deepEqual(seen, stored);
      });

      it("ends when its signal aborts, waiting or not", async () => {
        await journal.append([stepStart(1)]);
        const stop = new AbortController();
        const waiting = journal.watch({}, stop.signal)[Symbol.asyncIterator]();
        const parked = journal.watch({}, stop.signal)[Symbol.asyncIterator]();
        await waiting.next();
        await parked.next();
        const pending = waiting.next();
        stop.abort();
        assert.deepEqual(await pending, { done: true, value: undefined });
        assert.deepEqual(await parked.next(), { done: true, value: undefined });
      });

      it("begins with nothing where its signal has aborted", async () => {
        await journal.append([stepStart(1)]);
        for await (const entry of journal.watch({}, AbortSignal.abort())) assert.fail(`seen: ${entry.seq}`);
      });

      it("ends for one watcher and continues for another", async () => {
        const stop = new AbortController();
        const ending = journal.watch({}, stop.signal)[Symbol.asyncIterator]().next();
        const seen = take(journal, 1);
        stop.abort();
        assert.equal((await ending).done, true);
        await open().append([stepStart(1)]);
        assert.deepEqual(await seen, [1]);
      });

      it("ends when the journal is closed", async () => {
        const pending = journal.watch({}, new AbortController().signal)[Symbol.asyncIterator]().next();
        await journal.close();
        assert.equal((await pending).done, true);
      });
    });

    describe("remove", () => {
      it("takes whole runs away, for every journal and for good, and leaves the others as they were", async () => {
        await journal.append([1, 2, 3, 4].map((number) => stepStart(number, number % 2 === 0 ? "d2" : "d1")));
        const other = open();
        const before = await entriesOf(journal.read({ delegationId: "d2" }));
        assert.deepEqual((await journal.remove(["d1", "d3"])).includes("d1"), true);
        assert.deepEqual(await entriesOf(other.read({ delegationId: "d1" })), []);
        assert.deepEqual(await entriesOf(other.read({})), before);
        await other.append([stepStart(5, "d1"), stepStart(6, "d2")]);
        assert.deepEqual(await numbersOf(journal.read({})), [2, 4, 5, 6]);
        const seqs = await Array.fromAsync(journal.read({}), ({ seq }) => seq);
        assert.deepEqual(
          seqs,
          seqs.toSorted((a, b) => a - b),
        );
        assert.ok((seqs[2] ?? 0) > 4, "a seq came back");
      });

      it("leaves what a living process owns, and takes what a dead one owned", async () => {
        const owner = open();
        await owner.claim("d1");
        await owner.append([stepStart(1)]);
        assert.deepEqual(await journal.remove(["d1"]), []);
        assert.deepEqual(await owner.remove(["d1"]), []);
        await owner.close();
        assert.deepEqual(await journal.remove(["d1"]), ["d1"]);
        assert.deepEqual([await countOf(journal), await journal.owner("d1")], [0, undefined]);
      });

      it("does not disturb who watches", async () => {
        const seen: number[] = [];
        const over = new AbortController();
        const watching = (async () => {
          for await (const entry of journal.watch({ delegationId: "d2" }, over.signal)) {
            seen.push(numberOf(entry));
            if (seen.length === 2) over.abort();
          }
        })();
        await journal.append([stepStart(1, "d1"), stepStart(2, "d2")]);
        await journal.remove(["d1"]);
        await journal.append([stepStart(3, "d2")]);
        await watching;
        assert.deepEqual(seen, [2, 3]);
      });
    });

    describe("a run that begins", () => {
      it("is owned and has its first events once it resolves, and neither before", async () => {
        const other = open();
        const begun = journal.begin({ id: "d1" }, beginWith(1));
        const before = [await other.owner("d1"), await entriesOf(other.read({}))];
        assert.deepEqual(before, [undefined, []]);
        assert.deepEqual(await begun, beginWith(1)("d1"));
        assert.deepEqual(await other.owner("d1"), { pid: process.pid, alive: true });
        assert.deepEqual(await kindsIn(other, "d1"), ["delegation-start", "step-start"]);
      });

      it("is numbered after those that its child has begun", async () => {
        const ids = [
          await journal.begin({ under: "d1.2" }, beginWith(1)),
          await journal.begin({ under: "d1.2" }, beginWith(2)),
        ];
        assert.deepEqual(ids.map(idOfFirst), ["d1.2.1", "d1.2.2"]);
      });

      it("is numbered apart from runs below it, and from those of other children", async () => {
        for (const under of ["d1.1", "d1.1.1.1", "d1.11", "d1.2"]) await journal.begin({ under }, beginWith(1));
        const [first] = await journal.begin({ under: "d1.1" }, beginWith(2));
        assert.equal(first?.delegationId, "d1.1.2");
      });

      it("has a unique number, even if several begin at once, in any journal", async () => {
        const other = open();
        const begun = await Promise.all(
          [journal, other, journal, other].map((each, step) => each.begin({ under: "d1.1" }, beginWith(step))),
        );
        assert.deepEqual(begun.map(idOfFirst).sort(), ["d1.1.1", "d1.1.2", "d1.1.3", "d1.1.4"]);
      });

      it("fails alone where its first events cannot be made", async () => {
        const broken = journal.begin({ under: "d1.1" }, () => {
          throw new Error("a bug");
        });
        const appended = journal.append([stepStart(1)]);
        await assert.rejects(broken, /a bug/);
        await appended;
        assert.equal(await journal.owner("d1.1.1"), undefined);
        const [first] = await journal.begin({ under: "d1.1" }, beginWith(2));
        assert.equal(first?.delegationId, "d1.1.1");
      });
    });

    describe("a claim", () => {
      it("belongs to one journal at a time, which may repeat it", async () => {
        const other = open();
        assert.deepEqual(await journal.claim("d1"), { claimed: true });
        assert.deepEqual(await other.claim("d1"), { claimed: false, owner: { pid: process.pid, alive: true } });
        assert.deepEqual(await journal.claim("d1"), { claimed: true });
      });

      it("is for one delegation", async () => {
        const other = open();
        await journal.claim("d1");
        assert.deepEqual(await other.claim("d2"), { claimed: true });
        assert.deepEqual(await journal.claim("d2"), { claimed: false, owner: { pid: process.pid, alive: true } });
      });

      it("is seen by everyone", async () => {
        const other = open();
        assert.equal(await other.owner("d1"), undefined);
        await journal.claim("d1");
        assert.deepEqual(await other.owner("d1"), { pid: process.pid, alive: true });
        assert.deepEqual(await journal.owner("d1"), { pid: process.pid, alive: true });
      });

      it("ends with its release", async () => {
        const other = open();
        await journal.claim("d1");
        await journal.release("d1");
        assert.equal(await other.owner("d1"), undefined);
        assert.deepEqual(await other.claim("d1"), { claimed: true });
      });

      it("is released only by its owner", async () => {
        const other = open();
        await journal.claim("d1");
        await other.release("d1");
        assert.deepEqual(await other.claim("d1"), { claimed: false, owner: { pid: process.pid, alive: true } });
      });

      it("is free when its owner has closed, who is known to be dead", async () => {
        const other = open();
        await journal.claim("d1");
        await journal.close();
        assert.deepEqual(await other.owner("d1"), { pid: process.pid, alive: false });
        assert.deepEqual(await other.claim("d1"), { claimed: true });
        assert.deepEqual(await other.owner("d1"), { pid: process.pid, alive: true });
      });
    });
  });
}

function kindsIn(journal: Journal, delegationId: string): Promise<string[]> {
  return Array.fromAsync(journal.read({ delegationId }), ({ event }) => event.kind);
}

function idOfFirst([first]: StoredEvent[]): string | undefined {
  return first?.delegationId;
}

/** Begins a run with its start and a step, as runs with images begin with more than a start. */
function beginWith(step: number): (delegationId: string) => StoredEvent[] {
  return (delegationId) => [delegationStart(delegationId), stepStart(step, delegationId)];
}

describe("a memory journal whose commits fail", () => {
  it("neither owns nor keeps a run that it could not begin", async () => {
    const memory = createMemory();
    const full = new DeputyError("journal-full", "The disk is full.");
    const journal = createMemoryJournal({
      memory,
      beforeCommit: () => {
        throw full;
      },
    });
    await assert.rejects(journal.begin({ id: "d1" }, beginWith(1)), full);
    const other = createMemoryJournal({ memory });
    assert.equal(await other.owner("d1"), undefined);
    assert.deepEqual(await entriesOf(other.read({})), []);
  });

  it("fails every later append with the same error, and keeps nothing of what failed", async () => {
    const full = new DeputyError("journal-full", "The disk is full.");
    let room = 2;
    const journal = createMemoryJournal({
      beforeCommit: (events) => {
        room -= events.length;
        if (room < 0) throw full;
      },
    });
    await journal.append([stepStart(1)]);
    void journal.append([stepStart(2), stepStart(3)]); // Nobody sees this failure, and nothing depends on it.
    await new Promise(setImmediate);
    room = 100;
    await assert.rejects(journal.append([stepStart(4)]), full);
    assert.deepEqual(await numbersOf(journal.read({})), [1]);
  });
});

describe("a sqlite journal that is closed while it is read", () => {
  it("reports it to the reader", async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "deputy-journal-"));
    const journal = openSqliteJournal({ stateDir });
    await journal.append([stepStart(1), stepStart(2)]);
    const entries = journal.read({})[Symbol.asyncIterator]();
    await entries.next();
    await journal.close();
    await assert.rejects(entries.next(), { code: "journal-unusable", message: /is closed/ });
    rmSync(stateDir, { recursive: true });
  });
});

describe("a sqlite journal that is watched", () => {
  let stateDir: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "deputy-journal-"));
  });
  afterEach(() => rmSync(stateDir, { recursive: true }));

  it("polls for others' commits with one timer for all watchers, and with none when they have left", async () => {
    const clock = createStoppedClock();
    const [journal, other] = [openSqliteJournal({ stateDir, clock }), openSqliteJournal({ stateDir })];
    const stops = [new AbortController(), new AbortController()];
    const [first, second] = stops.map(({ signal }) => journal.watch({}, signal)[Symbol.asyncIterator]());
    assert.equal(clock.sleepers.length, 0);
    const seen = [first?.next(), second?.next()];
    assert.deepEqual(clock.sleepers, [100]);

    await other.append([stepStart(1)]);
    clock.tick();
    for (const next of await Promise.all(seen)) assert.equal(next?.value && numberOf(next.value), 1);

    stops[0]?.abort();
    assert.deepEqual(clock.sleepers, [100]);
    stops[1]?.abort();
    assert.deepEqual(clock.sleepers, []);
    await Promise.all([journal.close(), other.close()]);
  });
});

/** A clock whose sleepers wake only on `tick`; `sleepers` contains the requested milliseconds. */
function createStoppedClock(): Clock & { sleepers: number[]; tick(): void } {
  const sleepers: number[] = [];
  let waking: (() => void)[] = [];
  return {
    sleepers,
    now: () => 0,
    elapsed: () => 0,
    after: () => assert.fail("no callback is wanted"),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        sleepers.push(ms);
        waking.push(resolve);
        signal?.addEventListener("abort", () => reject(sleepers.pop()));
      }),
    tick() {
      sleepers.length = 0;
      for (const wake of waking) wake();
      waking = [];
    },
  };
}

function stepEnd(input: unknown): StoredEvent {
  const parts = [{ type: "tool-call" as const, callId: "c", name: "grep", input }];
  const common = { at: 1_000, delegationId: "d1", childId: "d1.1", step: 1, durationMs: 5 };
  return { kind: "step-end", ...common, parts, finish: "tool-calls" };
}

async function take(
  journal: Journal,
  count: number,
  filter: Parameters<Journal["read"]>[0] = {},
  pause: () => Promise<void> = async () => {},
): Promise<number[]> {
  const numbers: number[] = [];
  for await (const entry of journal.watch(filter, new AbortController().signal)) {
    numbers.push(numberOf(entry));
    if (numbers.length === count) break;
    await pause();
  }
  return numbers;
}

function slowly(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function entriesOf(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  return Array.fromAsync(entries);
}

function reading(journal: Journal): AsyncIterator<Entry> {
  return journal.read({})[Symbol.asyncIterator]();
}

async function countOf(journal: Journal): Promise<number> {
  return (await entriesOf(journal.read({}))).length;
}

function kindsOf(entries: AsyncIterable<Entry>): Promise<string[]> {
  return Array.fromAsync(entries, (entry) => entry.event.kind);
}
