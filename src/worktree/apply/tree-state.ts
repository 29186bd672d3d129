/**
 * The state of the user's working tree as a tree object. A copy of the user's index finds it; the index itself, and what
 * git does not track, stay as they are.
 */
import { copyFile, lstat, readdir, utimes } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../../errors.ts";
import { directoriesOf, type GitPath, gitPaths, pathIn } from "../git-path.ts";
import { pathInput, type Scratch } from "../merge/scratch.ts";

export type TreeState = {
  tree: string;
  /** Paths in the middle of a merge of the user's. */
  unmerged: ReadonlySet<GitPath>;
  /** Returns the paths, of those that the state has, that have changed since. */
  changedSince(): Promise<ReadonlySet<GitPath>>;
};

/** @param touched paths that belong to the state even if git does not track them */
export async function treeState(scratch: Scratch, touched: Iterable<GitPath>): Promise<TreeState> {
  const { repository, directory, runInTree } = scratch;
  const index = join(directory, "state-index");
  const git = (args: readonly string[], more: { input?: Buffer } = {}) => runInTree(args, { index, ...more });
  await copyIndex(repository.gitDir, directory, index);
  await seeAssumedFiles(git);
  const refresh = () => git(["update-index", "-q", "--refresh", "--unmerged", "--ignore-submodules"]);
  const differing = async () => changedPaths(gitPaths(await git(DIFF_FILES)));
  await refresh();
  const changed = await differing();
  const tracked = new Set(gitPaths(await git(["ls-files", "-z"])));
  const untracked = [...touched].filter((path) => !tracked.has(path));
  const present: GitPath[] = [];
  const absent: GitPath[] = [];
  for (const path of new Set([...changed.keys(), ...untracked]))
    ((await isFile(repository.root, path)) ? present : absent).push(path);
  const gone = absent.filter((path) => tracked.has(path));
  if (gone.length > 0) await git(["update-index", "--force-remove", "-z", "--stdin"], pathInput(gone));
  if (present.length > 0) await git(["update-index", "--add", "--replace", "-z", "--stdin"], pathInput(present));
  const tree = (await git(["write-tree"])).toString("latin1").trim();
  return {
    tree,
    unmerged: new Set([...changed].flatMap(([path, status]) => (status === "U" ? [path] : []))),
    async changedSince() {
      await refresh();
      return new Set((await differing()).keys());
    },
  };
}

const DIFF_FILES = ["diff-files", "-z", "--raw", "--no-abbrev", "--no-renames", "--ignore-submodules=all"];

/** A line of modes, objects and status, then the path. An unmerged path may come twice. */
function changedPaths(fields: readonly string[]): Map<GitPath, string> {
  const found = new Map<GitPath, string>();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const status = fields[at]?.at(-1) ?? "";
    const path = fields[at + 1] ?? "";
    if (found.get(path) !== "U") found.set(path, status);
  }
  return found;
}

/**
 * The time of an index tells git which files may have changed since: a copy keeps it, rounded down. An index may be
 * split into several files.
 */
async function copyIndex(gitDir: string, directory: string, index: string): Promise<void> {
  try {
    const { atime, mtimeMs } = await lstat(join(gitDir, "index"));
    await copyFile(join(gitDir, "index"), index);
    await utimes(index, atime, Math.floor(mtimeMs / 1000));
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error; // A repository without an index tracks nothing.
  }
  const shared = (await readdir(gitDir)).filter((name) => name.startsWith("sharedindex."));
  for (const name of shared) await copyFile(join(gitDir, name), join(directory, "git", name));
}

/** Files that git shall assume unchanged may have changed. */
async function seeAssumedFiles(git: (args: readonly string[], more?: { input?: Buffer }) => Promise<Buffer>) {
  const entries = gitPaths(await git(["ls-files", "-v", "-z"]));
  const assumed = entries.filter((entry) => /^[a-z] /.test(entry)).map((entry) => entry.slice(2));
  if (assumed.length > 0) await git(["update-index", "--no-assume-unchanged", "-z", "--stdin"], pathInput(assumed));
}

/** Returns whether a path is a file or a link in real directories. */
async function isFile(root: string, path: GitPath): Promise<boolean> {
  for (const directory of directoriesOf(path)) if (!(await lookAt(root, directory))?.isDirectory()) return false;
  const found = await lookAt(root, path);
  return found?.isFile() === true || found?.isSymbolicLink() === true;
}

function lookAt(root: string, path: GitPath) {
  return lstat(pathIn(root, path)).catch(() => undefined);
}
