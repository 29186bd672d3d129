import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder } from "../../src/system/make-folder.ts";

test("a folder is created with its parents; an impossible one fails with the system's error instead of retrying forever", () => {
  const root = mkdtempSync(join(tmpdir(), "deputy-"));
  makeFolder(join(root, "a/b/c"), 0o700);
  makeFolder(join(root, "a/b/c"));
  assert.equal(statSync(join(root, "a/b/c")).mode & 0o777, 0o700);
  writeFileSync(join(root, "file"), "");
  assert.throws(() => makeFolder(join(root, "file/inside")), /ENOTDIR|EEXIST/);
  if (process.platform === "linux") assert.throws(() => makeFolder("/proc/deputy/inside"), /ENOENT|EACCES|EPERM/);
  rmSync(root, { recursive: true });
});
