/** The SQLite journal among real processes: they share it, watch each other, race, and are killed. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Claim } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { numbersOf, stepStart, stopRequest } from "../support/journal-events.ts";

const PROGRAM = join(import.meta.dirname, "../support/journal-process.ts");

describe("the sqlite journal among processes", { timeout: 110_000 }, () => {
  let stateDir: string;
  let children: ChildProcess[];

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "deputy-journal-"));
    children = [];
  });

  afterEach(async () => {
    await Promise.all(children.map(kill));
    rmSync(stateDir, { recursive: true });
  });

  function start(...args: (string | number)[]): ChildProcess {
    const [mode = "", ...rest] = args.map(String);
    const child = fork(PROGRAM, [mode, stateDir, ...rest]);
    children.push(child);
    return child;
  }

  it("gives two that append and watch at once the same entries in the same order", async () => {
    const talkers = [start("converse", 0, 200), start("converse", 1_000, 200)];
    const seen = await Promise.all(talkers.map(heard<number[]>));
    const stored = await numbersOf(openSqliteJournal({ stateDir }).read({}));
    assert.equal(new Set(stored).size, 400);
    for (const each of seen) assert.deepEqual(each, stored);
  });

  it("loses nothing that was acknowledged to a kill, and frees the killed one's claim at once", async () => {
    const journal = openSqliteJournal({ stateDir });
    for (let round = 0; round < 8; round++) {
      const before = await numbersOf(journal.read({}));
      const { child, acknowledged } = await appendAndKill(before.length);
      const stored = await numbersOf(journal.read({}));

      assert.ok(acknowledged > before.length);
      assert.ok(stored.length >= acknowledged, `${acknowledged} were acknowledged, ${stored.length} are stored`);
      assert.deepEqual(
        stored,
        stored.map((_, index) => index),
      );
      assert.deepEqual(await journal.owner("d1"), { pid: child.pid, alive: false });
      assert.deepEqual(await journal.claim("d1"), { claimed: true });
      await journal.release("d1");
    }
    await journal.close();
  });

  /** `acknowledged`: the number of entries that the child, or its predecessors, knew to be stored. */
  async function appendAndKill(first: number): Promise<{ child: ChildProcess; acknowledged: number }> {
    const child = start("append", first);
    let acknowledged = await heard<number>(child);
    child.on("message", (number: number) => {
      acknowledged = number;
    });
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    await kill(child);
    return { child, acknowledged: acknowledged + 1 };
  }

  it("is created by the first of two processes, however close the other is", async () => {
    const together = Date.now() + 500;
    const openers = [start("openMany", together, 60), start("openMany", together, 60)];
    assert.deepEqual(await Promise.all(openers.map(heard)), ["opened", "opened"]);
  });

  it("refuses a claim that a living process has, and names it", async () => {
    const child = start("claim");
    await heard(child);
    await ask(child, "d1");
    const journal = openSqliteJournal({ stateDir });
    assert.deepEqual(await journal.claim("d1"), { claimed: false, owner: { pid: child.pid, alive: true } });
    assert.deepEqual(await journal.owner("d1"), { pid: child.pid, alive: true });
    await journal.close();
  });

  it("is opened new by eight at once, and gives each claim they race for to exactly one", async () => {
    const racers = Array.from({ length: 8 }, () => start("claim"));
    await Promise.all(racers.map(heard));
    for (const delegationId of ["d1", "d2", "d3", "d4", "d5"]) {
      const claims = await Promise.all(racers.map((racer) => ask(racer, delegationId)));
      const winner = claims.findIndex((claim) => claim.claimed);
      const refused = { claimed: false, owner: { pid: racers[winner]?.pid, alive: true } };
      assert.deepEqual(
        claims,
        claims.map((_, index) => (index === winner ? { claimed: true } : refused)),
      );
    }
  });

  it("takes nothing more from an owner whose lock was lost and whose run another took", async () => {
    const journal = openSqliteJournal({ stateDir, newId: () => "me" });
    for (const delegationId of ["d1", "d2"]) await journal.claim(delegationId);
    await journal.append([stepStart(1)]);
    closeSync(openSync(join(stateDir, "owners", "me.lock"), "r")); // On POSIX this drops the lock of the whole process.
    const child = start("claim");
    await heard(child);
    assert.deepEqual(await ask(child, "d1"), { claimed: true });

    await journal.append([stopRequest("d1"), stepStart(2, "d2")]);
    await assert.rejects(journal.append([stepStart(3), stepStart(4, "d2")]), { code: "run-owned" });
    await assert.rejects(journal.append([stepStart(5, "d2")]), { code: "run-owned" });
    assert.deepEqual(await Array.fromAsync(journal.read({}), ({ event }) => [event.delegationId, event.kind]), [
      ["d1", "step-start"],
      ["d1", "stop-request"],
      ["d2", "step-start"],
    ]);
    await journal.close();
  });

  it("gives a dead owner's claim to exactly one of seven that want it", async () => {
    const [owner, ...racers] = Array.from({ length: 8 }, () => start("claim"));
    assert.ok(owner);
    await Promise.all([owner, ...racers].map(heard));
    await ask(owner, "d1");
    await kill(owner);
    const claims = await Promise.all(racers.map((racer) => ask(racer, "d1")));
    assert.equal(claims.filter((claim) => claim.claimed).length, 1);
  });

  it("does not keep a process alive that has stopped watching", { timeout: 110_000 }, async () => {
    const [code] = await once(start("idle"), "exit");
    assert.equal(code, 0);
  });

  it("sweeps the lock files of the dead, and leaves none after an orderly end", async () => {
    const dying = start("claim");
    await heard(dying);
    await ask(dying, "d1");
    await kill(dying);
    const owners = join(stateDir, "owners");
    assert.equal(readdirSync(owners).length, 1);

    const journal = openSqliteJournal({ stateDir, newId: () => "me" });
    await journal.claim("d2");
    assert.deepEqual(readdirSync(owners), ["me.lock"]);
    await journal.close();
    assert.deepEqual(readdirSync(owners), []);
  });
});

/** The next message of a child, which must not end first. */
async function heard<Message>(child: ChildProcess): Promise<Message> {
  const exit = once(child, "exit").then(([code]) => assert.fail(`the process ended with ${code}`));
  const [message] = await Promise.race([once(child, "message"), exit]);
  exit.catch(() => {});
  return message;
}

function ask(child: ChildProcess, delegationId: string): Promise<Claim> {
  child.send(delegationId);
  return heard(child);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}
