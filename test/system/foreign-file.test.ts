/** Files that others may have created anywhere: which of them are read, which never are. None of them blocks. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  type ForeignText,
  type ReadBounds,
  readForeignText,
  readForeignTextLater,
} from "../../src/system/foreign-file.ts";

const root = mkdtempSync(join(tmpdir(), "deputy-foreign-"));
after(() => rmSync(root, { recursive: true, force: true }));
const [project, away] = [join(root, "project"), join(root, "away")];
mkdirSync(join(project, "docs"), { recursive: true });
mkdirSync(away);
writeFileSync(join(project, "docs/notes.md"), "Use tabs.");
writeFileSync(join(project, "long.md"), "x".repeat(1_000));
writeFileSync(join(away, "secret.md"), "SECRET");
execFileSync("mkfifo", [join(project, "pipe.md")]);
const socket = createServer().listen(join(project, "socket.md"));
after(() => socket.close());

const LINKS: Record<string, string> = {
  "inside.md": "docs/notes.md",
  "through.md": "linked-docs/notes.md",
  "linked-docs": "docs",
  "out.md": "../away/secret.md",
  "out-absolute.md": join(away, "secret.md"),
  "out-twice.md": "out.md",
  away: "../away",
  "circle.md": "circle.md",
  "nothing.md": "is-not-there.md",
  "terminal.md": "/dev/tty",
  "zero.md": "/dev/zero",
  "environment.md": "/proc/self/environ",
  "root.md": `/proc/self/root${away}/secret.md`,
};
for (const [name, target] of Object.entries(LINKS)) symlinkSync(target, join(project, name));

const BOUNDS = { within: [project], maxBytes: 1_000 };
const WAYS: Record<string, (path: string, bounds: ReadBounds) => ForeignText | Promise<ForeignText>> = {
  "read at once": readForeignText,
  "read without blocking": readForeignTextLater,
};

for (const [way, readText] of Object.entries(WAYS))
  describe(way, () => {
    const read = async (name: string, bounds: Partial<ReadBounds> = {}) =>
      await readText(join(project, name), { ...BOUNDS, ...bounds });

    const links = { "docs/notes.md": false, "inside.md": true, "through.md": true, "linked-docs/notes.md": true };
    for (const [name, isShared] of Object.entries(links))
      test(`${name} in the project is read, and known by another name: ${isShared}`, async () => {
        assert.deepEqual(await read(name), { text: "Use tabs.", isCut: false, isShared });
      });

    const REFUSED: Record<string, RegExp> = {
      "out.md": /found a link that leads out of it/,
      "out-absolute.md": /found a link that leads out of it/,
      "out-twice.md": /found a link that leads out of it/,
      "away/secret.md": /found a link that leads out of it/,
      "root.md": /found a link that leads out of it/,
      "environment.md": /found a link that leads out of it/,
      "circle.md": /ELOOP/,
      docs: /found a directory/,
      "pipe.md": /found a pipe, a device or a socket/,
      "socket.md": /found a pipe, a device or a socket/,
    };
    for (const [name, reason] of Object.entries(REFUSED))
      test(`${name} is refused with the reason`, async () => {
        const found = await read(name);
        assert.ok(found !== undefined && "unreadable" in found, JSON.stringify(found));
        assert.match(found.unreadable, reason);
      });

    for (const name of ["zero.md", "terminal.md", "pipe.md"])
      test(`${name} is refused where links may lead anywhere, too`, async () => {
        const found = await readText(join(project, name), { maxBytes: 10 });
        assert.match(JSON.stringify(found), /found a pipe, a device or a socket/);
      });

    test("a file of the user's own may be linked from anywhere", async () => {
      assert.deepEqual(await readText(join(project, "out.md"), { maxBytes: 10 }), {
        text: "SECRET",
        isCut: false,
        isShared: true,
      });
    });

    test("another directory can be within reach, and one that does not exist changes nothing", async () => {
      const within = [project, join(root, "gone"), away];
      assert.deepEqual(await read("out.md", { within }), { text: "SECRET", isCut: false, isShared: true });
    });

    test("what is off limits stays so within reach", async () => {
      const found = await read("inside.md", { isOwn: (real) => real.endsWith("docs/notes.md") });
      assert.match(JSON.stringify(found), /one of Deputy's own/);
    });

    test("a missing file is not found, not even through a link", async () => {
      for (const name of ["none.md", "long.md/none.md", "nothing.md"]) assert.equal(await read(name), undefined);
    });

    test("a file up to the limit is whole; a longer one is cut or refused", async () => {
      assert.deepEqual(await read("long.md"), { text: "x".repeat(1_000), isCut: false, isShared: false });
      assert.deepEqual(await read("long.md", { maxBytes: 999, mayCut: true }), {
        text: "x".repeat(999),
        isCut: true,
        isShared: false,
      });
      assert.deepEqual(await read("long.md", { maxBytes: 999 }), {
        unreadable: "expected at most 999 bytes; found more",
      });
    });

    test("a file is read to its end whatever size it reports", async (t) => {
      if (process.platform !== "linux") return t.skip("there is no /proc");
      const found = await readText("/proc/self/status", { maxBytes: 100, mayCut: true });
      assert.ok(found !== undefined && "text" in found && found.isCut && found.text.length === 100);
    });
  });

test("a path that turns into a link while it is read never yields what the link leads to", async (t) => {
  if (process.platform !== "linux") return t.skip("elsewhere there is a moment in which it could");
  const swapping = `
    const { renameSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
    const { workerData: { project, away } } = require("node:worker_threads");
    for (;;) {
      symlinkSync(away, project + "/link"); renameSync(project + "/link", project + "/flips");
      symlinkSync("docs", project + "/link"); renameSync(project + "/link", project + "/flips");
    }`;
  writeFileSync(join(project, "docs/secret.md"), "harmless");
  const worker = new Worker(swapping, { eval: true, workerData: { project, away } });
  t.after(() => worker.terminate());
  const seen = new Set<string>();
  const deadline = Date.now() + 20_000;
  const harmless = '{"text":"harmless","isCut":false,"isShared":true}';
  for (let count = 0; Date.now() < deadline && (count < 2_000 || !seen.has(harmless)); count++)
    seen.add(`${JSON.stringify(readForeignText(join(project, "flips/secret.md"), BOUNDS))}`);
  assert.ok(seen.has(harmless), [...seen].join());
  assert.ok(![...seen].some((text) => text.includes("SECRET")));
});
