/** A file has its old content or all of its new content, and no draft is left. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, type TestContext, test } from "node:test";
import { writeWhole } from "../../src/system/write-whole.ts";

describe("a file that is written whole", () => {
  let folder = "";
  let path = "";
  beforeEach((t) => {
    folder = mkdtempSync(join(tmpdir(), "deputy-whole-"));
    path = join(folder, "file");
    (t as TestContext).after(() => rmSync(folder, { recursive: true }));
  });

  test("replaces the old one, and leaves no other file", () => {
    writeFileSync(path, "former");
    writeWhole(path, "new");
    assert.equal(readFileSync(path, "utf8"), "new");
    assert.deepEqual(readdirSync(folder), ["file"]);
  });

  test("has the mode it is given, whatever the umask", () => {
    const umask = process.umask(0o077);
    try {
      writeWhole(path, "shared", { mode: 0o664 });
    } finally {
      process.umask(umask);
    }
    assert.equal(statSync(path).mode & 0o777, 0o664);
  });

  test("replaces a killed process's draft, and does not follow a link in its place", () => {
    const [draft, elsewhere] = [join(folder, "draft"), join(folder, "elsewhere")];
    writeFileSync(draft, "half of a longer content");
    writeWhole(path, "first", { draft });
    writeFileSync(elsewhere, "not ours");
    symlinkSync(elsewhere, draft);
    writeWhole(path, "second", { draft });
    assert.deepEqual([readFileSync(path, "utf8"), readFileSync(elsewhere, "utf8")], ["second", "not ours"]);
    assert.ok(!existsSync(draft));
  });

  test("replaces a link and leaves alone what it leads to", () => {
    const elsewhere = join(folder, "elsewhere");
    writeFileSync(elsewhere, "not ours");
    symlinkSync(elsewhere, path);
    writeWhole(path, "new");
    assert.deepEqual([readFileSync(path, "utf8"), readFileSync(elsewhere, "utf8")], ["new", "not ours"]);
  });

  test("stays as it was where the new content cannot take its place", () => {
    mkdirSync(path);
    writeFileSync(join(path, "inside"), "");
    assert.throws(() => writeWhole(path, "new"), { code: /EISDIR|ENOTEMPTY|EEXIST/ });
    assert.deepEqual(readdirSync(folder), ["file"]);
  });
});
