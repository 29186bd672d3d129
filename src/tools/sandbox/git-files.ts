/**
 * The files of a repository that make git run programs. In a tree of the user's own, commands cannot change them: a hook
 * or a setting planted there would run outside of the sandbox, with the user's next git command.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { isWithin } from "../../values/path-within.ts";

/** Read-only where they exist. */
const GUARDED = ["hooks", "config", "config.worktree", "info"];
/** Makes git read settings and hooks from elsewhere. Git has it only in linked worktrees, so it cannot be a mount. */
export const ELSEWHERE = "commondir";

const MOST_DEPTH = 3;
const MOST_DIRECTORIES = 2_000;

export type GitFiles = {
  /** Directories that stay where they are: a guarded file cannot be moved away with one of them. */
  pinned: string[];
  readOnly: string[];
  /** Git directories, in which `ELSEWHERE` must not appear. */
  gitDirs: string[];
};

/** Finds the repositories in a directory. @param root its real path */
export function gitFilesIn(root: string): GitFiles {
  const found: GitFiles = { pinned: [], readOnly: [], gitDirs: [] };
  for (const entry of gitEntries(root)) {
    pinDown(found, root, entry);
    if (lstatSync(entry).isDirectory()) guard(found, entry);
    else found.readOnly.push(entry); // It says where the git directory is.
  }
  return { ...found, pinned: [...new Set(found.pinned)] };
}

/** Entries named `.git`, the nearest first. Links, packages and what lies deep are not searched. */
function gitEntries(root: string): string[] {
  const entries: string[] = [];
  let level = [root];
  let seen = 0;
  for (let depth = 0; depth <= MOST_DEPTH && seen < MOST_DIRECTORIES; depth += 1) {
    const below: string[] = [];
    for (const directory of level) {
      seen += 1;
      if (seen > MOST_DIRECTORIES) break;
      for (const entry of listed(directory)) {
        const path = join(directory, entry.name);
        if (entry.name === ".git") entries.push(...(entry.isSymbolicLink() ? [] : [path]));
        else if (entry.isDirectory() && entry.name !== "node_modules") below.push(path);
      }
    }
    level = below;
  }
  return entries;
}

function listed(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return []; // Its user cannot read it, and neither can a command.
  }
}

function guard(found: GitFiles, gitDir: string): void {
  found.gitDirs.push(gitDir);
  mkdirSync(join(gitDir, "hooks"), { recursive: true }); // Absent only without templates; nothing could be mounted there.
  found.readOnly.push(...GUARDED.map((name) => join(gitDir, name)).filter((path) => existsSync(path)));
  for (const module of modulesIn(join(gitDir, "modules"))) {
    pinDown(found, gitDir, module);
    guard(found, module);
  }
}

/** Git directories of submodules; their names may contain slashes. */
function modulesIn(directory: string): string[] {
  return listed(directory)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const path = join(directory, name);
      return existsSync(join(path, "HEAD")) ? [path] : modulesIn(path);
    });
}

function pinDown(found: GitFiles, root: string, entry: string): void {
  found.pinned.push(...directoriesTo(entry, root), ...(lstatSync(entry).isDirectory() ? [entry] : []));
}

/** The directories between a root and a path in it, from the root down: mounted, they cannot be moved. */
export function directoriesTo(path: string, root: string): string[] {
  const above: string[] = [];
  for (let at = dirname(path); at !== root && isWithin(root, at); at = dirname(at)) above.unshift(at);
  return above;
}

/**
 * The directories outside of a workspace that git needs there, if it is a linked worktree: its own git directory, and
 * the one that it shares. A workspace cannot claim any others, because they name it in turn.
 */
export function gitDirsOfWorktree(workspace: string): string[] {
  try {
    const [, written] = /^gitdir: (.+)$/m.exec(readFileSync(join(workspace, ".git"), "utf8")) ?? [];
    if (written === undefined) return [];
    const gitDir = realpathSync(resolve(workspace, written));
    const back = readFileSync(join(gitDir, "gitdir"), "utf8").trim();
    if (realpathSync(back) !== realpathSync(join(workspace, ".git"))) return [];
    const common = realpathSync(resolve(gitDir, readFileSync(join(gitDir, "commondir"), "utf8").trim()));
    return isWithin(join(common, "worktrees"), gitDir) ? [common, gitDir] : [];
  } catch {
    return []; // It is a directory, or names nothing that exists.
  }
}
