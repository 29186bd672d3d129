/** What every journal promises. A new one joins by a line in `STORES`. */
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
import { numberOf, numbersOf, stepStart, stopRequest } from "../support/journal-events.ts";

/** A place for facts, which any number of journals may open; each stands for a process. */
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
        assert.deepEqual(numbersOf(journal.read({})), [1, 2, 3, 4]);
      });

      it("are there for another journal as soon as they resolve, and not before", async () => {
        const other = open();
        const appended = journal.append([stepStart(1)]);
        assert.deepEqual([...journal.read({})], []);
        assert.deepEqual([...other.read({})], []);
        await appended;
        assert.deepEqual(numbersOf(other.read({})), [1]);
      });

      it("of one turn of the event loop are committed together", async () => {
        const settled: number[] = [];
        const first = journal.append([stepStart(1)]).then(() => settled.push(countOf(journal)));
        await Promise.resolve();
        const second = journal.append([stepStart(2)]).then(() => settled.push(countOf(journal)));
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
        assert.deepEqual(
          Array.from(journal.read({}), (entry) => entry.event),
          expected,
        );
      });

      it("of nothing resolve", async () => {
        await journal.append([]);
        assert.equal(countOf(journal), 0);
      });

      it("that wait are committed by close, and later ones are refused", async () => {
        const waiting = journal.append([stepStart(1)]);
        await journal.close();
        await waiting;
        assert.deepEqual(numbersOf(open().read({})), [1]);
        await assert.rejects(journal.append([stepStart(2)]), { code: "journal-unusable", message: /is closed/ });
      });
    });

    describe("read", () => {
      beforeEach(async () => {
        await journal.append([stepStart(1, "a"), stopRequest("a"), stepStart(2, "b"), stopRequest("b")]);
        await journal.append([stepStart(3, "a")]);
      });

      it("gives every entry a growing seq", () => {
        const seqs = Array.from(journal.read({}), (entry) => entry.seq);
        assert.equal(seqs.length, 5);
        assert.deepEqual(
          seqs,
          [...new Set(seqs)].sort((a, b) => a - b),
        );
      });

      it("keeps to one delegation", () => {
        assert.deepEqual(kindsOf(journal.read({ delegationId: "a" })), ["step-start", "stop-request", "step-start"]);
        assert.deepEqual([...journal.read({ delegationId: "nobody" })], []);
      });

      it("keeps to one tree, a run and those below it, whose ids begin with its own and a dot; or to what has none above it", async () => {
        const ids = ["t", "t.1.1", "t-1", "t/1", "t0", "t.10.1", "t.1.1.2.1", "T.1.1", "u.1.1"];
        await journal.append(ids.map((id, index) => stepStart(10 + index, id)));
        const numbersIn = (filter: EntryFilter) => numbersOf(journal.read(filter));
        assert.deepEqual(numbersIn({ within: "t" }), [10, 11, 15, 16]);
        assert.deepEqual(numbersIn({ within: "t.1" }), [11, 16]);
        assert.deepEqual(numbersIn({ within: "t.1.1", kinds: ["step-start"] }), [11, 16]);
        assert.deepEqual(numbersIn({ within: "t", kinds: ["stop-request"] }), []);
        assert.deepEqual(numbersIn({ within: "t%" }), []);
        assert.deepEqual(numbersIn({ roots: true, kinds: ["step-start"] }), [1, 2, 3, 10, 12, 13, 14]);
      });

      it("finds a tree among many others, from any place on", async () => {
        const others = Array.from({ length: 3_000 }, (_, index) => stepStart(index, `o${index % 50}.1.1`));
        await journal.append([stepStart(1, "tree"), ...others, stepStart(2, "tree.1.1"), stepStart(3, "tree")]);
        const numbersIn = (after: number) => numbersOf(journal.read({ within: "tree", kinds: ["step-start"], after }));
        const [first] = journal.read({ within: "tree" });
        assert.deepEqual(
          [numbersIn(0), numbersIn(first?.seq ?? 0)],
          [
            [1, 2, 3],
            [2, 3],
          ],
        );
        const [, nested] = journal.read({ within: "tree" });
        assert.deepEqual(numbersIn(nested?.seq ?? 0), [3]);
      });

      it("keeps to the kinds asked for, in the order they happened", () => {
        const kinds = ["stop-request", "step-start"] as const;
        assert.equal([...journal.read({ kinds: ["stop-request"] })].length, 2);
        assert.deepEqual([...journal.read({ kinds })], [...journal.read({})]);
        assert.deepEqual([...journal.read({ kinds: [] })], []);
      });

      it("combines delegation, kinds and place", () => {
        const [first] = journal.read({ delegationId: "a", kinds: ["step-start"] });
        assert.ok(first);
        const rest = journal.read({ delegationId: "a", kinds: ["step-start"], after: first.seq });
        assert.deepEqual(numbersOf(rest), [3]);
      });

      it("tells what was there when it was called, however slowly it is read", async () => {
        const reading = journal.read({})[Symbol.iterator]();
        const seen = [reading.next().value as Entry];
        await journal.append([stepStart(9)]);
        for (let next = reading.next(); !next.done; next = reading.next()) seen.push(next.value);
        assert.equal(seen.length, 5);
        assert.equal(countOf(journal), 6);
      });

      it("can be left half way, and any number can run at once", async () => {
        const [one, other] = [journal.read({})[Symbol.iterator](), journal.read({})[Symbol.iterator]()];
        for (let count = 0; count < 5; count++) assert.deepEqual(one.next(), other.next());
        journal.read({})[Symbol.iterator]().next();
        await journal.append([stepStart(4)]);
        assert.equal(countOf(journal), 6);
      });
    });

    describe("watch", () => {
      it("begins with what is there and goes on with what comes", async () => {
        await journal.append([stepStart(1)]);
        const seen = take(journal, 3);
        await journal.append([stepStart(2)]);
        await journal.append([stepStart(3)]);
        assert.deepEqual(await seen, [1, 2, 3]);
      });

      it("begins after a given place", async () => {
        await journal.append([stepStart(1), stepStart(2)]);
        const [first] = journal.read({});
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
        const stored = numbersOf(journal.read({}));
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

      it("ends for one watcher and goes on for another", async () => {
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
        const before = [...journal.read({ delegationId: "d2" })];
        assert.deepEqual(journal.remove(["d1", "d3"]).includes("d1"), true);
        assert.deepEqual([...other.read({ delegationId: "d1" })], []);
        assert.deepEqual([...other.read({})], before);
        await other.append([stepStart(5, "d1"), stepStart(6, "d2")]);
        assert.deepEqual(numbersOf(journal.read({})), [2, 4, 5, 6]);
        const seqs = Array.from(journal.read({}), ({ seq }) => seq);
        assert.deepEqual(
          seqs,
          seqs.toSorted((a, b) => a - b),
        );
        assert.ok((seqs[2] ?? 0) > 4, "a seq came back");
      });

      it("leaves what a living process owns, and takes what a dead one owned", async () => {
        const owner = open();
        owner.claim("d1");
        await owner.append([stepStart(1)]);
        assert.deepEqual(journal.remove(["d1"]), []);
        assert.deepEqual(owner.remove(["d1"]), []);
        await owner.close();
        assert.deepEqual(journal.remove(["d1"]), ["d1"]);
        assert.deepEqual([countOf(journal), journal.owner("d1")], [0, undefined]);
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
        journal.remove(["d1"]);
        await journal.append([stepStart(3, "d2")]);
        await watching;
        assert.deepEqual(seen, [2, 3]);
      });
    });

    describe("a claim", () => {
      it("is had by one journal at a time, and again by the one that has it", () => {
        const other = open();
        assert.deepEqual(journal.claim("d1"), { claimed: true });
        assert.deepEqual(other.claim("d1"), { claimed: false, owner: { pid: process.pid, alive: true } });
        assert.deepEqual(journal.claim("d1"), { claimed: true });
      });

      it("is for one delegation", () => {
        const other = open();
        journal.claim("d1");
        assert.deepEqual(other.claim("d2"), { claimed: true });
        assert.deepEqual(journal.claim("d2"), { claimed: false, owner: { pid: process.pid, alive: true } });
      });

      it("is seen by everyone", () => {
        const other = open();
        assert.equal(other.owner("d1"), undefined);
        journal.claim("d1");
        assert.deepEqual(other.owner("d1"), { pid: process.pid, alive: true });
        assert.deepEqual(journal.owner("d1"), { pid: process.pid, alive: true });
      });

      it("is gone after release", () => {
        const other = open();
        journal.claim("d1");
        journal.release("d1");
        assert.equal(other.owner("d1"), undefined);
        assert.deepEqual(other.claim("d1"), { claimed: true });
      });

      it("is released by nobody but its owner", () => {
        const other = open();
        journal.claim("d1");
        other.release("d1");
        assert.deepEqual(other.claim("d1"), { claimed: false, owner: { pid: process.pid, alive: true } });
      });

      it("is free when its owner has closed, who is known to be dead", async () => {
        const other = open();
        journal.claim("d1");
        await journal.close();
        assert.deepEqual(other.owner("d1"), { pid: process.pid, alive: false });
        assert.deepEqual(other.claim("d1"), { claimed: true });
        assert.deepEqual(other.owner("d1"), { pid: process.pid, alive: true });
      });
    });
  });
}

describe("a memory journal whose commits fail", () => {
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
    void journal.append([stepStart(2), stepStart(3)]); // nobody hears of this failure, and nobody is the worse for it
    await new Promise(setImmediate);
    room = 100;
    await assert.rejects(journal.append([stepStart(4)]), full);
    assert.deepEqual(numbersOf(journal.read({})), [1]);
  });
});

describe("a sqlite journal that is watched", () => {
  let stateDir: string;
  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "deputy-journal-"));
  });
  afterEach(() => rmSync(stateDir, { recursive: true }));

  it("looks for others' commits with one timer for all watchers, and with none when they have left", async () => {
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

/** A clock on which nobody wakes until `tick`; `sleepers` are the milliseconds they asked for. */
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

function countOf(journal: Journal): number {
  return [...journal.read({})].length;
}

function kindsOf(entries: Iterable<Entry>): string[] {
  return Array.from(entries, (entry) => entry.event.kind);
}
