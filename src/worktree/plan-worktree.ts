/** Plans a child's working copy: the commit that it starts from, or why there can be none. */
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";
import type { WorktreePlan } from "../isolation.ts";
import { shortLine } from "../text/short-line.ts";
import { isWithin } from "../values/path-within.ts";
import { present } from "../values/present.ts";
import { type Git, type GitCommand, GitError } from "./git.ts";
import { configuredFilters, type Repository, unfinishedIn } from "./repository.ts";

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

/** @throws GitError that says why there is none, as a sentence */
export type FindRepository = (directory: string, signal?: AbortSignal) => Promise<Repository>;

/** Plans the copies of one call: each repository and each base is looked at once. */
export type PlanWorktree = (wish: WorktreeWish, signal?: AbortSignal) => Promise<WorktreePlan | Unavailable>;

/** The oldest git with which no config but Deputy's own can be in effect. */
const OLDEST = [2, 32] as const;
/** Submodules or files named in a message. */
const MOST_NAMED = 5;

export function createWorktreePlanner(git: Git, findRepository: FindRepository): PlanWorktree {
  const known = new Map<string, Promise<unknown>>();
  function once<Value>(key: string, look: () => Promise<Value>): Promise<Value> {
    const found = known.get(key) ?? look();
    known.set(key, found);
    return found as Promise<Value>;
  }

  async function plan(wish: WorktreeWish, signal?: AbortSignal): Promise<WorktreePlan | Unavailable> {
    await once("version", () => assertVersion(git, signal));
    const workspace = realpathSync(wish.workspace);
    const repository = await once(`at ${workspace}`, async () =>
      usableRepository(await findRepository(workspace, signal), workspace),
    );
    const { root } = repository;
    const base = await once(`base ${root} ${wish.base}`, () => baseOf(repository, wish.base, signal));
    if ("unavailable" in base) return base;
    await once(`tree ${root} ${base.sha}`, () => assertWhole(git, repository, base.sha, signal));
    if (wish.carry) await once(`carry ${root} ${base.sha}`, () => assertCarriable(repository, git, base.sha, signal));
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

async function usableRepository(repository: Repository, workspace: string): Promise<Repository> {
  const { root, objects, refs } = repository;
  if (!isWithin(root, workspace)) throw new GitError(`${workspace} is in no working tree of git.`);
  const unfinished = unfinishedIn(repository);
  if (unfinished !== undefined)
    throw new GitError(`${root} is in the middle of ${unfinished}. Finish or abort it first.`);
  if (!isWritable(objects)) throw new GitError(`${objects} is not writable: no branch can be kept there.`);
  if ((await refs.list("refs/heads/deputy")).has("refs/heads/deputy"))
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
  { root, commitAt }: Repository,
  asked: string | undefined,
  signal?: AbortSignal,
): Promise<{ sha: string; name: string } | Unavailable> {
  const found = await commitAt(asked, signal);
  if (found !== undefined) return found;
  if (asked === undefined) throw new GitError(`${root} has no commit yet. Make a first one.`);
  return { unavailable: `Expected a commit, branch or tag of ${root}; found ${shortLine(asked)}.`, field: "base" };
}

type TreeEntry = { mode: string; sha: string; path: string };

/** @throws GitError if a checkout of the commit would lack submodules or have other contents than the user's */
async function assertWhole(git: Git, repository: Repository, base: string, signal?: AbortSignal): Promise<void> {
  const { root, place } = repository;
  const printed = await git.output(["ls-tree", "-r", "-z", "--full-tree", base], place, signal);
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
  const used = await filtersUsed(git, place, attributes, signal);
  for (const filter of filters.filter((name) => used.has(name))) {
    if (filter === "lfs") await assertNoPointers(git, place, base, signal);
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

async function filtersUsed(git: Git, place: GitCommand, attributes: TreeEntry[], signal?: AbortSignal) {
  const input = attributes.map(({ sha }) => `${sha}\n`).join("");
  const texts = input === "" ? "" : await git.output(["cat-file", "--batch"], { ...place, input }, signal);
  return new Set([...texts.matchAll(/\bfilter=(\S+)/g)].map(([, name]) => name));
}

const LFS_POINTER = "version https://git-lfs.github.com/spec/v1";

async function assertNoPointers(git: Git, place: GitCommand, base: string, signal?: AbortSignal): Promise<void> {
  const args = ["grep", "-l", "-z", "-F", "--no-textconv", "-e", LFS_POINTER, base];
  const { stdout } = await git.run(args, place, signal);
  const files = stdout
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => path.slice(base.length + 1));
  if (files.length > 0)
    throw new GitError(`Files that Git LFS stores would be pointers in a copy: ${named(files)}. Work in place.`);
}

/** @throws GitError if the uncommitted state cannot be carried onto the base */
async function assertCarriable(
  { root, gitDir, commitAt, place }: Repository,
  git: Git,
  base: string,
  signal?: AbortSignal,
) {
  const head = await commitAt(undefined, signal);
  if (head?.sha !== base)
    throw new GitError("isolation_dirty: carry needs HEAD as the base, because uncommitted changes belong to it.");
  const index = { ...place, index: join(gitDir, "index") };
  if ((await git.output(["ls-files", "-u", "-z"], index, signal)) !== "")
    throw new GitError(`${root} has unresolved conflicts. Resolve them first.`);
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
