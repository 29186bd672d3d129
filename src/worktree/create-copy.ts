/**
 * Makes a working copy: a git repository with refs, index, config and stash of its own, on a new branch, that reads the
 * objects of the repository it is a copy of. It is complete from the moment on in which its folder has its name.
 */
import { copyFile, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { WorktreePlan } from "../isolation.ts";
import { carryState } from "./carry.ts";
import { alternatesText, type CopyRecord, copyIn, makeFolders, type WorkCopy, writeRecord } from "./copy-record.ts";
import type { Git, GitIdentity } from "./git.ts";
import { writeGitFiles, writeView } from "./git-view.ts";
import { type Included, includePaths } from "./include.ts";
import { keepBase, releaseBase } from "./owner-refs.ts";
import { configText, identityOf, type Repository } from "./repository.ts";

export type CopyOrder = {
  childId: string;
  /** The folder that the copy will have. */
  folder: string;
  branch: string;
  plan: WorktreePlan;
  /** Starts from what the child has saved on its branch, and not from its base. `start`: where it had started. */
  saved?: { head: string; start: string } | undefined;
  pid: number;
};

export type CreatedCopy = { copy: WorkCopy; include: Included };

/** @throws GitError, or an error of the system. Nothing is left then */
export async function createCopy(
  git: Git,
  repository: Repository,
  order: CopyOrder,
  signal?: AbortSignal,
): Promise<CreatedCopy> {
  const { folder, plan, childId } = order;
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  const kept = keepBase(repository.refs, { childId, base: plan.base });
  try {
    const [made] = await Promise.all([fill(git, repository, order, draft, signal), kept]);
    writeRecord(made.copy);
    await rename(draft, folder);
    return { ...made, copy: copyIn(folder, made.copy) };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    await kept.then(() => releaseBase(repository.refs, childId)).catch(() => {}); // `deputy clean` does it later.
    throw error;
  }
}

async function fill(
  git: Git,
  repository: Repository,
  { plan, childId, branch, saved, pid }: CopyOrder,
  folder: string,
  signal?: AbortSignal,
): Promise<CreatedCopy> {
  const identity = identityOf(repository);
  const record: CopyRecord = {
    childId,
    repository: repository.root,
    objects: repository.objects,
    beyond: [...repository.beyond],
    subdirectory: plan.subdirectory,
    branch,
    base: plan.base,
    start: saved?.start ?? plan.base,
    heads: saved === undefined ? [] : [saved.head],
    isSetUp: false,
    identity,
    pid,
  };
  const copy = copyIn(folder, record);
  makeFolders(folder);
  await mkdir(copy.tree, { mode: 0o700 });
  const files = withExcludes(repository.checkoutFiles(), plan.include ?? []);
  writeView(copy.view, { ...files, config: configText(repository, identity, { bare: false }) });
  writeCopyGit(copy, repository, identity, files);
  if (saved === undefined && plan.carry) copy.start = await carryState(git, copy, repository);
  const head = saved?.head ?? copy.start;
  const gitDir = join(copy.tree, ".git");
  writeGitFiles(gitDir, { [`refs/heads/${branch}`]: `${head}\n` });
  // The copy is new: there is nothing in its git directory that Deputy did not write.
  const checkout = { cwd: copy.tree, gitDir, workTree: copy.tree };
  await git.output([...PARALLEL, "read-tree", "-m", "-u", head], checkout, signal);
  await copyFile(join(gitDir, "index"), join(copy.view, "index"));
  const include = await includePaths(repository.root, copy.tree, plan.include ?? [], signal);
  return { copy, include };
}

/** Several workers write a large tree faster, and a small one slower. */
const PARALLEL = ["-c", "checkout.workers=0", "-c", "checkout.thresholdForParallelism=5000"];

/** The git directory that the child works with. */
function writeCopyGit(
  { tree, branch, ...record }: WorkCopy,
  repository: Repository,
  identity: GitIdentity,
  files: Readonly<Record<string, string>>,
): void {
  writeGitFiles(join(tree, ".git"), {
    ...files,
    HEAD: `ref: refs/heads/${branch}\n`,
    config: configText(repository, identity, { bare: false }),
    "objects/info/alternates": alternatesText(record),
  });
}

/** What is copied because git does not track it is not part of the child's work. */
function withExcludes(files: Record<string, string>, include: readonly string[]): Record<string, string> {
  if (include.length === 0) return files;
  const patterns = include.map((path) => `/${path.replace(/^\.?\/+|\/+$/g, "").replace(/[\\*?[\]! #]/g, "\\$&")}`);
  return { ...files, "info/exclude": `${files["info/exclude"] ?? ""}\n${patterns.join("\n")}\n` };
}
