/**
 * Puts the state of a working tree into an index: everything that is tracked, or untracked and not ignored. Git's own
 * `add` stops at the first odd file; a child may leave any. Paths are bytes (latin1 strings), because names need not be
 * text.
 */
import { constants, lstatSync } from "node:fs";
import { chmod, lstat, readdir, rm, unlink } from "node:fs/promises";
import { type Git, type GitCommand, GitError } from "./git.ts";
import { gitPaths, joinPaths, parentOf, pathIn } from "./git-path.ts";

/** `nested`: repositories inside the tree, whose commits are not part of its state. `left`: files git cannot hold. */
export type Staged = { nested: string[]; left: string[] };

/**
 * @param command a view of the tree, with the index to change
 * @param forced paths that count as tracked although they may be ignored
 */
export async function stage(git: Git, command: GitCommand, forced: readonly string[] = []): Promise<Staged> {
  return withRepair(command, (tried) => stageOnce(git, tried, forced));
}

/** Does something with a tree, again after a repair of what keeps git from reading it. */
export async function withRepair<Value>(
  command: GitCommand,
  work: (command: GitCommand) => Promise<Value>,
): Promise<Value> {
  const lock = `${command.index}.lock`; // Only Deputy uses the index, and no git of an earlier try is left.
  await rm(lock, { force: true });
  try {
    return await work({ ...command, timeoutMs: FIRST_TRY_MS });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    await rm(lock, { force: true });
    await makeReadable(command.cwd);
    return work(command);
  }
}

/** The paths that another index tracks and this one does not, such as ignored files that were added by force. */
export async function trackedOnlyIn(git: Git, index: string, command: GitCommand): Promise<string[]> {
  if (!lstatSync(index, { throwIfNoEntry: false })?.isFile()) return [];
  const other = await git.run(["ls-files", "-z"], { ...command, index, timeoutMs: FIRST_TRY_MS });
  if (other.exitCode !== 0) return []; // It is damaged.
  const own = new Set(gitPaths((await git.run(["ls-files", "-z"], command)).stdout));
  return gitPaths(other.stdout).filter((path) => !own.has(path));
}

/** A pipe in place of a `.gitignore` or `.gitattributes` makes git wait forever. */
const FIRST_TRY_MS = 20_000;

async function stageOnce(git: Git, command: GitCommand, forced: readonly string[]): Promise<Staged> {
  const changed = await list(git, ["-m", "-d"], command);
  const others = await list(git, ["-o", "--exclude-standard"], command);
  const nested = others.filter((path) => path.endsWith("/"));
  const inside = await withoutIgnored(
    git,
    command,
    (await Promise.all(nested.map((at) => filesIn(command.cwd, at)))).flat(),
  );
  const wanted = [...new Set([...changed, ...forced, ...inside, ...others.filter((path) => !path.endsWith("/"))])];
  const submodules = await submodulesIn(git, command);
  const look = createLook(command.cwd);
  const added: string[] = [];
  const removed: string[] = [];
  for (const path of wanted) {
    if (submodules.has(path)) continue;
    if (await look(path)) added.push(path);
    else removed.push(path);
  }
  await removeEntries(git, command, removed);
  await addEntries(git, command, added);
  return { nested, left: await missing(git, command, added) };
}

/** @throws GitError also if a directory could not be searched */
async function list(git: Git, options: readonly string[], command: GitCommand): Promise<string[]> {
  const args = ["ls-files", "-z", ...options];
  const { exitCode, stdout, stderr } = await git.run(args, command);
  if (exitCode !== 0 || /could not open directory|Permission denied/.test(stderr))
    throw new GitError(`git ls-files failed: ${stderr}`);
  return gitPaths(stdout);
}

async function submodulesIn(git: Git, command: GitCommand): Promise<Set<string>> {
  const { stdout } = await git.run(["ls-files", "-s", "-z"], command);
  const entries = gitPaths(stdout).filter((entry) => entry.startsWith("160000 "));
  return new Set(entries.map((entry) => entry.slice(entry.indexOf("\t") + 1)));
}

/** Returns whether a path is a file or a link in real directories: behind a linked directory, there is nothing. */
function createLook(root: string): (path: string) => Promise<boolean> {
  const directories = new Map<string, Promise<boolean>>();

  function isDirectory(path: string): Promise<boolean> {
    const known = directories.get(path) ?? lookAtDirectory(path);
    directories.set(path, known);
    return known;
  }

  async function lookAtDirectory(path: string): Promise<boolean> {
    if (path === "") return true;
    if (!(await isDirectory(parentOf(path)))) return false;
    return (await lstat(pathIn(root, path)).catch(() => undefined))?.isDirectory() === true;
  }

  return async (path) => {
    if (!(await isDirectory(parentOf(path)))) return false;
    const found = await lstat(pathIn(root, path)).catch(() => undefined);
    return found?.isFile() === true || found?.isSymbolicLink() === true;
  };
}

async function removeEntries(git: Git, command: GitCommand, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await git.output(["update-index", "--force-remove", "-z", "--stdin"], { ...command, input: joinPaths(paths) });
}

/** Adds files, one by one where git fails at some of them. */
async function addEntries(git: Git, command: GitCommand, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const args = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
  const { exitCode } = await git.run(args, { ...command, input: joinPaths(paths) });
  if (exitCode === 0) return;
  const [first = ""] = paths;
  if (paths.length === 1) {
    if (await becomesReadable(command.cwd, first)) await addEntries(git, command, paths);
    return;
  }
  const middle = Math.ceil(paths.length / 2);
  await addEntries(git, command, paths.slice(0, middle));
  await addEntries(git, command, paths.slice(middle));
}

/** The paths that are not in the index after all: git passes over names that it does not allow. */
async function missing(git: Git, command: GitCommand, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const held = new Set(gitPaths((await git.run(["ls-files", "-z"], command)).stdout));
  return paths.filter((path) => !held.has(path));
}

/** Lets the owner read a file. @returns whether that changed anything */
async function becomesReadable(root: string, path: string): Promise<boolean> {
  const real = pathIn(root, path);
  const found = await lstat(real).catch(() => undefined);
  if (!found?.isFile() || (found.mode & constants.S_IRUSR) !== 0) return false;
  await chmod(real, found.mode | constants.S_IRUSR);
  return true;
}

/** The files of a repository inside the tree, without its own git directories. */
async function filesIn(root: string, directory: string): Promise<string[]> {
  const entries = await readdir(pathIn(root, directory), { withFileTypes: true, encoding: "latin1" });
  const found = entries.filter(({ name }) => name.toLowerCase() !== ".git");
  const files = await Promise.all(
    found.map((entry) => {
      const path = `${directory}${entry.name}`;
      if (entry.isDirectory()) return filesIn(root, `${path}/`);
      return entry.isFile() || entry.isSymbolicLink() ? [path] : [];
    }),
  );
  return files.flat();
}

async function withoutIgnored(git: Git, command: GitCommand, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const args = ["check-ignore", "-z", "--stdin", "--no-index"];
  const { stdout } = await git.run(args, { ...command, input: joinPaths(paths) });
  const ignored = new Set(gitPaths(stdout));
  return paths.filter((path) => !ignored.has(path));
}

/** Lets the owner search every directory, and removes what stands where git expects a file and is none. */
async function makeReadable(directory: string): Promise<void> {
  const { mode } = await lstat(directory);
  if ((mode & 0o700) !== 0o700) await chmod(directory, mode | 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== ".git") await makeReadable(path);
    } else if (!entry.isFile() && !entry.isSymbolicLink() && /^\.git(ignore|attributes)$/.test(entry.name))
      await unlink(path);
  }
}
