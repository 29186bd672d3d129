/** Deputy's refs in the repository that a copy belongs to: the branch of its work, and what keeps its base meanwhile. */
import { type Git, GitError } from "./git.ts";

export type OwnerRefs = {
  childId: string;
  repository: string;
  branch: string;
  /** Heads that Deputy has saved on the branch. */
  heads: readonly string[];
};

const KEEP = "refs/deputy/keep";
const SAVED = "refs/deputy/saved";
/** Branches that are tried if the user has one of the same name. */
const MOST_NAMES = 100;

function numberedName(childId: string): string {
  const at = childId.lastIndexOf(".");
  return `${childId.slice(0, at)}/${childId.slice(at + 1)}`;
}

/** Keeps a commit, so that no garbage collection of the user's removes what the copy reads. */
export function keepBase(
  git: Git,
  { childId, repository, keep }: { childId: string; repository: string; keep: string },
) {
  return git.output(["update-ref", `${KEEP}/${numberedName(childId)}`, keep], { cwd: repository });
}

/** Removes what kept the base of a copy that is gone. */
export async function releaseBase(
  git: Git,
  { childId, repository }: Pick<OwnerRefs, "childId" | "repository">,
): Promise<void> {
  await git.output(["update-ref", "-d", `${KEEP}/${numberedName(childId)}`], { cwd: repository });
}

/** The child ids of everything that is kept in a repository for a copy. */
export async function keptIn(git: Git, repository: string): Promise<string[]> {
  const printed = await git.output(["for-each-ref", "--format=%(refname)", KEEP], { cwd: repository });
  return printed
    .split("\n")
    .filter((name) => name !== "")
    .map((name) => name.slice(KEEP.length + 1).replace(/\/(?=[^/]*$)/, "."));
}

/** The commit that keeps what is on none of a child's branches; undefined if there is none. */
export async function savedAside(git: Git, { childId, repository }: Pick<OwnerRefs, "childId" | "repository">) {
  const end = await git.run(["rev-parse", "-q", "--verify", `${SAVED}/${numberedName(childId)}`], { cwd: repository });
  return end.exitCode === 0 ? end.stdout.toString("utf8").trim() : undefined;
}

export async function saveAside(
  git: Git,
  { childId, repository }: Pick<OwnerRefs, "childId" | "repository">,
  commit: string,
) {
  const name = `${SAVED}/${numberedName(childId)}`;
  await git.output(["update-ref", "--create-reflog", name, commit], { cwd: repository });
  return name;
}

/**
 * Moves the branch to a new head. A branch with commits that are not Deputy's, or that is checked out, stays as it is,
 * and another name is taken.
 * @returns the name of the branch
 */
export async function moveBranch(git: Git, refs: OwnerRefs, head: string): Promise<string> {
  const { repository, branch, heads } = refs;
  for (let number = 1; number <= MOST_NAMES; number++) {
    const name = number === 1 ? branch : `${branch}-${number}`;
    const { commit, isCheckedOut } = await branchState(git, repository, name);
    if (commit === head) return name;
    const isOurs = commit === undefined || (heads.includes(commit) && !isCheckedOut);
    if (!isOurs) continue;
    const before = commit ?? "0".repeat(head.length);
    const args = ["update-ref", "-m", "deputy: save", `refs/heads/${name}`, head, before];
    const { exitCode, stderr } = await git.run(args, { cwd: repository });
    if (exitCode === 0) return name;
    if ((await branchState(git, repository, name)).commit === commit) throw new GitError(stderr);
  }
  throw new GitError(`Every name like ${branch} is taken.`);
}

/** The branch as it is, among those that Deputy may have chosen. @returns undefined without one of its heads */
export async function branchHead(git: Git, { repository, branch }: Pick<OwnerRefs, "repository" | "branch">) {
  return (await branchState(git, repository, branch)).commit;
}

async function branchState(git: Git, repository: string, branch: string) {
  const format = "--format=%(refname) %(objectname) %(worktreepath)";
  const printed = await git.output(["for-each-ref", format, `refs/heads/${branch}`], { cwd: repository });
  const line = printed.split("\n").find((each) => each.startsWith(`refs/heads/${branch} `)) ?? "";
  const [, commit, path] = line.split(" ");
  return { commit, isCheckedOut: path !== undefined && path !== "" };
}
