/**
 * The refs of a repository that copies belong to. In the user's repository, git changes them. In a working copy, which a
 * child may have prepared, they are files, and git does not look at them.
 */
import { lstatSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeWhole } from "../system/write-whole.ts";
import { readChildRefs } from "./child-refs.ts";
import { type Git, GitError } from "./git.ts";

export type RefState = { commit?: string; isCheckedOut: boolean };

export type RefStore = {
  /** By full name; only those below `prefix`. */
  list(prefix: string): Promise<ReadonlyMap<string, RefState>>;
  /** Changes a ref. @returns false if it is no longer at `before`; absent: it is new. @throws GitError */
  write(name: string, commit: string, before: string | undefined): Promise<boolean>;
  remove(name: string): Promise<void>;
};

export function userRefs(git: Git, root: string): RefStore {
  const place = { cwd: root };

  async function list(prefix: string): Promise<Map<string, RefState>> {
    const format = "--format=%(refname) %(objectname) %(worktreepath)";
    const printed = await git.output(["for-each-ref", format, prefix], place);
    const lines = printed.split("\n").filter((line) => line !== "");
    return new Map(
      lines.map((line) => {
        const [name = "", commit = "", ...path] = line.split(" ");
        return [name, { commit, isCheckedOut: path.join(" ") !== "" }];
      }),
    );
  }

  return {
    list,
    async write(name, commit, before) {
      const args = ["update-ref", "-m", "deputy", name, commit, before ?? "0".repeat(commit.length)];
      const { exitCode, stderr } = await git.run(args, place);
      if (exitCode === 0) return true;
      if ((await list(name)).get(name)?.commit !== before) return false;
      throw new GitError(`git update-ref failed: ${stderr}`);
    },
    async remove(name) {
      await git.output(["update-ref", "-d", name], place);
    },
  };
}

/** @param alternates the text that Deputy wrote into its `objects/info/alternates` */
export function copyRefs(tree: string, alternates: string): RefStore {
  function all(): ReadonlyMap<string, string> {
    const read = readChildRefs(tree, alternates);
    if ("unsound" in read) throw new GitError(`The working copy ${tree} cannot hold a branch: ${read.unsound}.`);
    return read.refs;
  }

  return {
    async list(prefix) {
      const below = [...all()].filter(([name]) => name === prefix || name.startsWith(`${prefix}/`));
      return new Map(below.map(([name, commit]) => [name, { commit, isCheckedOut: false }]));
    },
    async write(name, commit, before) {
      if (all().get(name) !== before) return false;
      const path = join(tree, ".git", name);
      makeRealDirectory(dirname(path));
      writeWhole(path, `${commit}\n`);
      return true;
    },
    async remove(name) {
      if (all().has(name)) rmSync(join(tree, ".git", name), { force: true });
    },
  };
}

/** @throws GitError if anything on the way is not a directory */
function makeRealDirectory(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw new GitError(`${path} is not a directory.`);
  makeRealDirectory(dirname(path));
  mkdirSync(path);
}
