/**
 * Writes a change into a tree, as a process of its own that kills itself before its nth operation on files.
 * Arguments: root, folder, n.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";

const [root = "", folder = "", last = ""] = process.argv.slice(2);
let left = Number(last);

function count(): void {
  left -= 1;
  if (left <= 0) process.kill(process.pid, "SIGKILL");
}

function counted<Args extends unknown[], Value>(operation: (...args: Args) => Value): (...args: Args) => Value {
  return (...args) => {
    count();
    return operation(...args);
  };
}

const { mkdirSync, writeFileSync } = fs;
Object.assign(fs, {
  renameSync: counted(fs.renameSync),
  linkSync: counted(fs.linkSync),
  mkdirSync: counted(mkdirSync),
  rmdirSync: counted(fs.rmdirSync),
  writeFileSync: counted(writeFileSync),
});
syncBuiltinESMExports();

const { writeTree } = await import("../../src/worktree/apply/tree-writer.ts");
await writeTree(
  { root, folder },
  {
    steps: [
      { path: "changed", isDeleted: false },
      { path: "new/deep/file", isDeleted: false },
      { path: "gone/deep", isDeleted: true },
      { path: "turned", isDeleted: false },
      { path: "turned/one", isDeleted: true },
      { path: "turned/two", isDeleted: true },
      { path: "link", isDeleted: false },
    ],
    async fill(directory) {
      mkdirSync(join(directory, "new/deep"), { recursive: true });
      for (const path of ["changed", "new/deep/file", "turned", "link"])
        writeFileSync(join(directory, path), `new ${path}\n`);
    },
    check: async () => {},
    keeps: () => false,
  },
);
process.stdout.write("done\n");
