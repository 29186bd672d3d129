/** Plans a child's working copy: the commit that it starts from, or why there can be none. */
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import type { WorktreePlan } from "../isolation.ts";
import { shortLine } from "../text/short-line.ts";
import { isWithin } from "../values/path-within.ts";
import { present } from "../values/present.ts";
import { type Git, GitError } from "./git.ts";
import { configuredFilters, findRepository, type Repository, unfinishedIn } from "./repository.ts";

export type WorktreeWish = {
  /** The child's workspace. */
  workspace: string;
  /** A ref; absent = the HEAD of the workspace. */
  base?: string | undefined;
  goal: string;
  include: readonly string[];
  setup?: string | undefined;
  carry: boolean;
};

/** `field`: the task field that is to be changed. */
export type Unavailable = { unavailable: string; field: "isolation" | "base" };

/** Plans the copies of one call: each repository and each base is looked at once. */
export type PlanWorktree = (wish: WorktreeWish, signal?: AbortSignal) => Promise<WorktreePlan | Unavailable>;

/** The oldest git with which no config but Deputy's own can be in effect. */
const OLDEST = [2, 32] as const;
/** Submodules or files named in a message. */
const MOST_NAMED = 5;

export function createWorktreePlanner(git: Git): PlanWorktree {
  const known = new Map<string, Promise<unknown>>();
  function once<Value>(key: string, look: () => Promise<Value>): Promise<Value> {
    const found = known.get(key) ?? look();
    known.set(key, found);
    return found as Promise<Value>;
  }

  async function plan(wish: WorktreeWish, signal?: AbortSignal): Promise<WorktreePlan | Unavailable> {
    await once("version", () => assertVersion(git, signal));
    const workspace = realpathSync(wish.workspace);
    const repository = await once(`at ${workspace}`, () => usableRepository(git, workspace, signal));
    const { root } = repository;
    const base = await once(`base ${root} ${wish.base}`, () => baseOf(git, repository, wish.base, signal));
    if ("unavailable" in base) return base;
    await once(`tree ${root} ${base.sha}`, () => assertWhole(git, repository, base.sha, signal));
    if (wish.carry) await once(`carry ${root} ${base.sha}`, () => assertCarriable(git, repository, base.sha, signal));
    return {
      repository: root,
      subdirectory: relative(root, workspace),
      base: base.sha,
      baseName: base.name,
      slug: slugOf(wish.goal),
      ...(wish.include.length > 0 && { include: [...wish.include] }),
      ...present({ setup: wish.setup }),
      ...(wish.carry && { carry: true }),
    };
  }

  return async (wish, signal) => {
    try {
      return await plan(wish, signal);
    } catch (error) {
      if (!(error instanceof GitError)) throw error;
      return { unavailable: error.message, field: "isolation" };
    }
  };
}

async function assertVersion(git: Git, signal?: AbortSignal): Promise<void> {
  const text = await git.output(["version"], { cwd: "/" }, signal);
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
  if (isOld) throw new GitError(`git is ${text.trim()}; version ${OLDEST.join(".")} or later is needed.`);
}

async function usableRepository(git: Git, workspace: string, signal?: AbortSignal): Promise<Repository> {
  const repository = await findRepository(git, workspace, signal);
  const { root, commonDir } = repository;
  if (root === "" || !isWithin(root, workspace)) throw new GitError(`${workspace} is in no working tree of git.`);
  const unfinished = unfinishedIn(repository);
  if (unfinished !== undefined)
    throw new GitError(`${root} is in the middle of ${unfinished}. Finish or abort it first.`);
  if (!isWritable(commonDir)) throw new GitError(`${commonDir} is not writable: no branch can be kept there.`);
  const taken = await git.run(["rev-parse", "-q", "--verify", "refs/heads/deputy"], { cwd: root }, signal);
  if (taken.exitCode === 0)
    throw new GitError(
      `${root} has a branch named deputy, beside which there can be no branch deputy/…. Rename it (git branch -m).`,
    );
  return repository;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function baseOf(
  git: Git,
  { root }: Repository,
  asked: string | undefined,
  signal?: AbortSignal,
): Promise<{ sha: string; name: string } | Unavailable> {
  const verified = await git.run(
    ["rev-parse", "-q", "--verify", "--end-of-options", `${asked ?? "HEAD"}^{commit}`],
    { cwd: root },
    signal,
  );
  const sha = verified.stdout.toString("utf8").trim();
  const isFound = verified.exitCode === 0 && /^[0-9a-f]{40,64}$/.test(sha);
  if (asked !== undefined) {
    if (isFound) return { sha, name: asked };
    const unavailable = `Expected a commit, branch or tag of ${root}; found ${shortLine(asked)}.`;
    return { unavailable, field: "base" };
  }
  if (!isFound) throw new GitError(`${root} has no commit yet. Make a first one.`);
  const branch = await git.run(["symbolic-ref", "-q", "--short", "HEAD"], { cwd: root }, signal);
  const name = branch.stdout.toString("utf8").trim();
  return { sha, name: name === "" ? "HEAD, on no branch" : `HEAD of ${name}` };
}

type TreeEntry = { mode: string; sha: string; path: string };

/** @throws GitError if a checkout of the commit would lack submodules or have other contents than the user's */
async function assertWhole(git: Git, repository: Repository, base: string, signal?: AbortSignal): Promise<void> {
  const { root } = repository;
  const printed = await git.output(["ls-tree", "-r", "-z", "--full-tree", base], { cwd: root }, signal);
  const entries = printed.split("\0").flatMap((line): TreeEntry[] => {
    const [, mode, sha, path] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return mode === undefined || sha === undefined || path === undefined ? [] : [{ mode, sha, path }];
  });
  const submodules = initializedSubmodules(root, entries);
  if (submodules.length > 0)
    throw new GitError(
      `Its submodules would be empty in a copy: ${named(submodules)}. Work in one of them, or in place.`,
    );
  const filters = configuredFilters(repository);
  if (filters.length === 0) return;
  const attributes = entries.filter(({ path }) => /(^|\/)\.gitattributes$/.test(path));
  const used = await filtersUsed(git, root, attributes, signal);
  for (const filter of filters.filter((name) => used.has(name))) {
    if (filter === "lfs") await assertNoPointers(git, root, base, signal);
    else throw new GitError(`Files pass the filter ${filter} of your git config, which no copy runs.`);
  }
}

/** Submodules that the user has checked out. One that is empty there may be empty in a copy. */
function initializedSubmodules(root: string, entries: readonly TreeEntry[]): string[] {
  return entries.flatMap(({ mode, path }) => (mode === "160000" && !isEmptyDirectory(join(root, path)) ? [path] : []));
}

function isEmptyDirectory(path: string): boolean {
  return !existsSync(path) || readdirSync(path).length === 0;
}

async function filtersUsed(git: Git, root: string, attributes: TreeEntry[], signal?: AbortSignal) {
  const input = attributes.map(({ sha }) => `${sha}\n`).join("");
  const texts = input === "" ? "" : await git.output(["cat-file", "--batch"], { cwd: root, input }, signal);
  return new Set([...texts.matchAll(/\bfilter=(\S+)/g)].map(([, name]) => name));
}

const LFS_POINTER = "version https://git-lfs.github.com/spec/v1";

async function assertNoPointers(git: Git, root: string, base: string, signal?: AbortSignal): Promise<void> {
  const args = ["grep", "-l", "-z", "-F", "--no-textconv", "-e", LFS_POINTER, base];
  const { stdout } = await git.run(args, { cwd: root }, signal);
  const files = stdout
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => path.slice(base.length + 1));
  if (files.length > 0)
    throw new GitError(`Files that Git LFS stores would be pointers in a copy: ${named(files)}. Work in place.`);
}

/** @throws GitError if the uncommitted state cannot be carried onto the base */
async function assertCarriable(git: Git, { root }: Repository, base: string, signal?: AbortSignal): Promise<void> {
  const head = await git.run(["rev-parse", "-q", "--verify", "HEAD"], { cwd: root }, signal);
  if (head.stdout.toString("utf8").trim() !== base)
    throw new GitError("isolation_dirty: carry needs HEAD as the base, because uncommitted changes belong to it.");
  const unmerged = await git.output(["ls-files", "-u", "-z"], { cwd: root }, signal);
  if (unmerged !== "") throw new GitError(`${root} has unresolved conflicts. Resolve them first.`);
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).join(", ");
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}

/** The first words of a goal, as a part of a branch's name. */
function slugOf(goal: string): string {
  const words = goal
    .normalize("NFKD")
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  let slug = "";
  for (const word of words ?? []) {
    const longer = slug === "" ? word : `${slug}-${word}`;
    if (longer.length > MOST_SLUG) break;
    slug = longer;
  }
  return slug === "" ? (words?.[0] ?? "").slice(0, MOST_SLUG) : slug;
}

const MOST_SLUG = 32;
