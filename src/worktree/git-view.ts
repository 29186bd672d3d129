/**
 * A git directory of Deputy's making onto a working copy. Git reads config, index, ignore rules and attributes from it,
 * and from the copy only files and objects. Whatever a child writes into the copy's own `.git` is never config here.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { GitCommand } from "./git.ts";

/** The parts of a view. */
export type ViewParts = {
  view: string;
  /** Root of the working tree. */
  tree: string;
  /** Directories of objects that are read: of the copy, and of the repository. */
  objects: readonly string[];
};

/** Writes a view. @param files by name; `config` is one of them */
export function writeView(view: string, files: Readonly<Record<string, string>>): void {
  for (const name of ["objects", "refs"]) mkdirSync(join(view, name), { recursive: true, mode: 0o700 });
  writeGitFiles(view, { HEAD: "ref: refs/heads/none\n", ...files });
}

/** Writes files of a git directory that nobody else uses yet. */
export function writeGitFiles(gitDir: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(gitDir, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text);
  }
}

/** A git command that works on a copy through its view. New objects are the view's own. */
export function viewCommand({ view, tree, objects }: ViewParts, more: Partial<GitCommand> = {}): GitCommand {
  return {
    cwd: tree,
    gitDir: view,
    workTree: tree,
    index: join(view, "index"),
    objects: join(view, "objects"),
    alternates: objects,
    ...more,
  };
}
