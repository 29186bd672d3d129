/** Obstacles of the SQLite journal are reported with a remedy, and left unchanged. */
import assert from "node:assert/strict";
import { execFileSync, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { DeputyError } from "../../src/errors.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { verifyJournal } from "../../src/journal/sqlite/verify.ts";
import { numbersOf, stepStart } from "../support/journal-events.ts";

const PROGRAM = join(import.meta.dirname, "../support/journal-process.ts");
/** Runs a command where it may create private mounts. */
const OWN_MOUNTS = ["unshare", "-rm"];
const UNUSABLE = { name: "DeputyError", code: "journal-unusable" };

describe("the sqlite journal", { timeout: 110_000 }, () => {
  let stateDir: string;
  let file: string;

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), "deputy's journal-"));
    file = join(stateDir, "journal.sqlite");
  });

  afterEach(() => rmSync(stateDir, { recursive: true }));

  async function write(many: number): Promise<void> {
    const journal = openSqliteJournal({ stateDir });
    await journal.append(Array.from({ length: many }, (_, index) => stepStart(index)));
    await journal.close();
  }

  /** The error on opening, after checking that the file is unchanged. */
  function refusal(): DeputyError {
    const content = () => (statSync(file, { throwIfNoEntry: false })?.isFile() ? readFileSync(file) : undefined);
    const before = content();
    try {
      openSqliteJournal({ stateDir });
    } catch (error) {
      assert.deepEqual(content(), before);
      assert.ok(error instanceof DeputyError);
      return error;
    }
    assert.fail("the journal was opened");
  }

  /** Follows the advice of an error. */
  function obey(message: string): void {
    const [command] = message.match(/mkdir .*$/) ?? [];
    assert.ok(command, message);
    execFileSync("sh", ["-c", command]);
  }

  describe("refuses what is not its own", () => {
    for (const size of [50, 512, 5_000, 100_000]) {
      it(`a file of ${size} bytes of garbage, and a new one begins where the garbage was moved aside`, async () => {
        writeFileSync(file, "g".repeat(size));
        const { code, message } = refusal();
        assert.equal(code, "journal-unusable");
        assert.ok(message.includes(file), message);

        obey(message);
        await write(3);
        assert.deepEqual(await numbersOf(openSqliteJournal({ stateDir }).read({})), [0, 1, 2]);
        assert.equal(readFileSync(join(stateDir, "aside", "journal.sqlite"), "utf8"), "g".repeat(size));
      });
    }

    it("a second damaged journal, with a second place to move it to", () => {
      mkdirSync(join(stateDir, "aside"));
      writeFileSync(file, "g".repeat(100));
      obey(refusal().message);
      assert.ok(existsSync(join(stateDir, "aside-2", "journal.sqlite")));
    });

    describe("a link, and leaves what it leads to as it is", () => {
      const LINKS: [string, (path: string, target: string) => void][] = [
        ["to a foreign file", (path, target) => symlinkSync(target, path)],
        ["to a directory", (path, target) => symlinkSync(dirname(target), path)],
        ["to nothing", (path, target) => symlinkSync(`${target}-gone`, path)],
        ["that is hard", (path, target) => linkSync(target, path)],
      ];
      for (const suffix of ["", "-wal", "-shm"])
        for (const [name, make] of LINKS)
          it(`${name}, at journal.sqlite${suffix}`, async () => {
            if (suffix !== "") await write(1);
            const target = join(mkdtempSync(join(stateDir, "foreign-")), "file");
            writeFileSync(target, "");
            chmodSync(target, 0o644);
            make(file + suffix, target);
            const { code, message } = refusal();
            assert.equal(code, "journal-unusable");
            assert.match(message, /to be a file of its own; found .*link.*DEPUTY_STATE_DIR.*mkdir/s);
            assert.match(verifyJournal(file).problems.join(), /to be a file of its own/);
            const { mode, size } = statSync(target);
            assert.deepEqual([mode & 0o777, size, existsSync(`${target}-gone`)], [0o644, 0, false]);
            obey(message);
            await write(1);
          });
    });

    for (const [name, make] of [
      ["a process owned runs", () => mkdirSync(join(stateDir, "owners"))],
      ["a project is trusted", () => writeFileSync(join(stateDir, "trusted.json"), "{}")],
      ["its log has content", () => writeFileSync(`${file}-wal`, "w".repeat(5_000))],
    ] as const)
      it(`a journal of 0 bytes after ${name}`, async () => {
        await write(1);
        for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
        truncateSync(file, 0);
        make();
        const { code, message } = refusal();
        assert.equal(code, "journal-unusable");
        assert.match(message, /is damaged: it is empty.*backup/s);
        assert.match(verifyJournal(file).problems.join(), /it is empty/);
        assert.equal(statSync(file).size, 0);
      });

    it("a journal cut short", async () => {
      await write(2_000);
      truncateSync(file, 20_000);
      assert.match(refusal().message, /is damaged: database disk image is malformed/);
    });

    it("a database of another program", () => {
      const other = new DatabaseSync(file);
      other.exec("CREATE TABLE recipes (name TEXT)");
      other.close();
      assert.match(refusal().message, /Expected Deputy's journal at .*, found a database of another program/);
    });

    it("a journal of a newer Deputy", async () => {
      await write(1);
      const later = new DatabaseSync(file);
      later.exec("PRAGMA user_version = 99");
      later.close();
      assert.match(refusal().message, /newer Deputy: its version is 99.*Update Deputy/s);
    });

    it("a directory in the journal's place", () => {
      mkdirSync(file);
      assert.throws(() => openSqliteJournal({ stateDir }), { ...UNUSABLE, message: /to be a file.*mkdir '/ });
    });

    it("a state directory that is a file, or below one", () => {
      writeFileSync(file, "");
      assert.throws(() => openSqliteJournal({ stateDir: file }), {
        ...UNUSABLE,
        message: /another state directory \(DEPUTY_STATE_DIR\)/,
      });
      assert.throws(() => openSqliteJournal({ stateDir: join(file, "state") }), UNUSABLE);
    });
  });

  it("takes an empty file for a new journal", async () => {
    writeFileSync(file, "");
    await write(1);
    assert.deepEqual(await numbersOf(openSqliteJournal({ stateDir }).read({})), [0]);
  });

  it("reports damage that is only found while reading, and how to move it aside", async () => {
    await write(2_000);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0x55, 8 * 4_096, 60 * 4_096));
    const journal = openSqliteJournal({ stateDir });
    await assert.rejects(Array.fromAsync(journal.read({})), { ...UNUSABLE, message: /is damaged.*mkdir '/ });
    await assert.rejects(journal.watch({}, new AbortController().signal)[Symbol.asyncIterator]().next(), UNUSABLE);
    await journal.close();
  });

  it("reports damage anywhere as damage, or does not notice it: no other error results from it", async () => {
    await write(300);
    const sound = readFileSync(file);
    const damage = fc.record({
      place: fc.nat(sound.length - 1),
      length: fc.integer({ min: 1, max: 600 }),
      byte: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ place, length, byte }) => {
        writeFileSync(file, Buffer.from(sound).fill(byte, place, Math.min(place + length, sound.length)));
        try {
          const journal = openSqliteJournal({ stateDir });
          try {
            await Array.fromAsync(journal.read({}));
            await journal.append([stepStart(300)]);
          } finally {
            await journal.close();
          }
        } catch (error) {
          assert.ok(error instanceof DeputyError && error.code === "journal-unusable", String(error));
        }
      }),
      { numRuns: 100 },
    );
  });

  describe("takes", () => {
    it("a state directory that is a link", async () => {
      const real = mkdtempSync(join(stateDir, "real-"));
      symlinkSync(real, join(stateDir, "link"));
      await openSqliteJournal({ stateDir: join(stateDir, "link") }).close();
      assert.ok(statSync(join(real, "journal.sqlite")).size > 0);
    });

    it("an empty file where nothing else is as a new journal", async () => {
      writeFileSync(file, "");
      await write(2);
      assert.equal(verifyJournal(file).events, 2);
    });

    it("a directory whose journal was moved aside", async () => {
      await write(2);
      writeFileSync(join(stateDir, "trusted.json"), "{}");
      for (const suffix of ["", "-wal", "-shm"]) rmSync(file + suffix, { force: true });
      await write(1);
    });
  });

  describe("keeps to its user", () => {
    it("with modes of 0600 and 0700, whatever the umask is and the mode was", async () => {
      const umask = process.umask(0);
      try {
        const nested = join(stateDir, "some", "state");
        const journal = openSqliteJournal({ stateDir: nested, newId: () => "me" });
        await journal.claim("d1");
        await journal.append([stepStart(1)]);
        const modes = ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "owners/me.lock", ".", "owners"];
        assert.deepEqual(
          modes.map((name) => (statSync(join(nested, name)).mode & 0o777).toString(8)),
          ["600", "600", "600", "600", "700", "700"],
        );
        await journal.close();

        chmodSync(join(nested, "journal.sqlite"), 0o644);
        await openSqliteJournal({ stateDir: nested }).close();
        assert.equal(statSync(join(nested, "journal.sqlite")).mode & 0o777, 0o600);
      } finally {
        process.umask(umask);
      }
    });

    it("and reports that it may not write the file, or the directory", async () => {
      await write(1);
      for (const readOnly of [0o400, 0o444]) {
        chmodSync(file, readOnly);
        assert.match((await openAsUser()).message, /Cannot open the journal .* for writing: .*permissions/);
      }
      chmodSync(file, 0o600);
      chmodSync(stateDir, 0o500);
      assert.match((await openAsUser()).message, /Cannot open the journal .* for writing: .*permissions/);
      chmodSync(stateDir, 0o700);
    });

    /** Permissions do not apply to root: if the tests run as root, a process opens the journal as another user. */
    async function openAsUser(): Promise<{ code?: string; message: string }> {
      if (process.getuid?.() === 0) for (const path of [stateDir, file]) chownSync(path, 65_534, 65_534);
      const child = fork(PROGRAM, ["open", stateDir]);
      const [told] = await once(child, "message");
      assert.equal(told.code, "journal-unusable");
      return told;
    }
  });

  describe("when the disk takes no more", () => {
    type Filled = { acknowledged: number; failures: { code: string; message: string }[]; stored: number[] };

    function checkNothingLost({ acknowledged, failures, stored }: Filled): void {
      assert.ok(acknowledged > 0);
      assert.deepEqual(
        stored,
        Array.from({ length: acknowledged }, (_, index) => index),
      );
      assert.deepEqual(failures[1], failures[0]);
    }

    it("fails for good, with all it acknowledged and nothing half written: a limit on file sizes", () => {
      const filled = fill(`ulimit -f 400 && exec "$@"`);
      checkNothingLost(JSON.parse(filled.stdout));
      assert.equal(JSON.parse(filled.stdout).failures[0].code, "journal-full");
    });

    it("fails for good, with all it acknowledged and nothing half written: a full disk", (test) => {
      const smallDisk = `mount -t tmpfs -o size=400k none '${stateDir.replaceAll("'", "'\\''")}'`;
      if (run(smallDisk, OWN_MOUNTS).status !== 0) return test.skip("a small disk cannot be mounted here");
      const filled = fill(`${smallDisk} && exec "$@"`, OWN_MOUNTS);
      checkNothingLost(JSON.parse(filled.stdout));
      const [failure] = JSON.parse(filled.stdout).failures;
      assert.equal(failure.code, "journal-full");
      assert.match(failure.message, /cannot grow.*Free some space.*deputy resume/);
    });

    function fill(script: string, wrapper: readonly string[] = []): { stdout: string } {
      return run(script, wrapper, process.execPath, PROGRAM, "fill", stateDir);
    }
  });
});

/** Runs a shell script with its arguments, inside another command if one is given. */
function run(script: string, wrapper: readonly string[], ...args: string[]): { stdout: string; status: number | null } {
  const [command = "", ...rest] = [...wrapper, "sh", "-c", script, "sh", ...args];
  return spawnSync(command, rest, { encoding: "utf8" });
}
