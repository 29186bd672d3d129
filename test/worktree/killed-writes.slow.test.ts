/** A change of the user's tree is there completely or not at all, whenever its process is killed. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { recoverTree } from "../../src/worktree/apply/take-back.ts";
import { temporaryFolder } from "../support/git-repository.ts";

const SCRIPT = fileURLToPath(new URL("../support/killed-writer.ts", import.meta.url));
/** Enough operations to reach the end of the change. */
const MOST = 60;

function prepare(context: TestContext): { root: string; folder: string } {
  const directory = temporaryFolder(context);
  const [root, folder] = [join(directory, "tree"), join(directory, "git")];
  for (const path of ["gone", "turned", "kept"]) mkdirSync(join(root, path), { recursive: true });
  mkdirSync(folder);
  for (const path of ["changed", "gone/deep", "turned/one", "turned/two", "kept/file"])
    writeFileSync(join(root, path), `old ${path}\n`, { mode: 0o640 });
  symlinkSync("changed", join(root, "link"));
  return { root, folder };
}

function statesOf(root: string): string[] {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { ino, mode, mtimeNs } = lstatSync(path, { bigint: true });
      if (entry.isDirectory()) return `${path} directory`;
      const content = entry.isSymbolicLink() ? readlinkSync(path) : readFileSync(path, "utf8");
      return `${path} ${ino} ${mode} ${mtimeNs} ${content}`;
    })
    .toSorted();
}

const run = (root: string, folder: string, last: number) =>
  spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", SCRIPT, root, folder, String(last)], {
    encoding: "utf8",
  });

test("a process killed before any operation leaves all of the change or nothing, once the next one has looked", (context) => {
  const outcomes = new Set<string>();
  for (let last = 1; last <= MOST; last += 1) {
    const { root, folder } = prepare(context);
    const before = statesOf(root);
    const { stdout, stderr } = run(root, folder, last);
    const recovery = recoverTree({ root, folder });
    assert.deepEqual(recovery.left, []);
    const isWritten = readFileSync(join(root, "changed"), "utf8") === "new changed\n";
    if (isWritten) {
      assert.equal(readFileSync(join(root, "turned"), "utf8"), "new turned\n");
      assert.equal(readFileSync(join(root, "new/deep/file"), "utf8"), "new new/deep/file\n");
      assert.equal(lstatSync(join(root, "link")).isFile(), true);
      assert.equal(existsSync(join(root, "gone/deep")), false);
    } else assert.deepEqual(statesOf(root), before, `operation ${last}: ${stderr}`);
    assert.deepEqual(readdirSync(folder), []);
    outcomes.add(`${isWritten ? "written" : "as before"}, ${recovery.takenBack ? "taken back" : "left alone"}`);
    if (stdout === "done\n") break;
  }
  assert.deepEqual([...outcomes].toSorted(), ["as before, left alone", "as before, taken back", "written, left alone"]);
});

test("what somebody has changed since stays, and its earlier content is kept", (context) => {
  const { root, folder } = halfWritten(context);
  writeFileSync(join(root, "changed"), "changed by the user\n");
  const { takenBack, left } = recoverTree({ root, folder });
  assert.equal(takenBack, true);
  assert.deepEqual(
    left.map(({ path }) => path),
    ["changed"],
  );
  assert.equal(readFileSync(left[0]?.kept ?? "", "utf8"), "old changed\n");
  assert.equal(readFileSync(join(root, "changed"), "utf8"), "changed by the user\n");
  assert.equal(readFileSync(join(root, "turned/one"), "utf8"), "old turned/one\n");
  assert.deepEqual(recoverTree({ root, folder }), { takenBack: false, left: [] });
});

/** The change was killed after it had replaced the file `changed`. */
function halfWritten(context: TestContext): { root: string; folder: string } {
  for (let last = 1; last <= MOST; last += 1) {
    const place = prepare(context);
    run(place.root, place.folder, last);
    const isOpen = readdirSync(place.folder).includes("deputy-apply");
    if (isOpen && readFileSync(join(place.root, "changed"), "utf8") === "new changed\n") return place;
  }
  return assert.fail("no such moment");
}

test("does not take back what a live process is writing", (context) => {
  const { root, folder } = prepare(context);
  mkdirSync(join(folder, "deputy-apply"));
  writeFileSync(join(folder, "deputy-apply", "plan.json"), JSON.stringify({ pid: process.pid, steps: [], made: [] }));
  assert.equal(recoverTree({ root, folder }).busy, process.pid);
});
