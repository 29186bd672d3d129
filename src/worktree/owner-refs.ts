/** Deputy's refs in the repository that a copy belongs to: the branch of its work, and what keeps its base meanwhile. */
import type { CopyRecord } from "./copy-record.ts";
import { GitError } from "./git.ts";
import type { RefStore } from "./ref-store.ts";

const KEEP = "refs/deputy/keep";
const SAVED = "refs/deputy/saved";
/** Names that are tried if the user has a branch of the same name. */
const MOST_NAMES = 100;

function numberedName(childId: string): string {
  const at = childId.lastIndexOf(".");
  return `${childId.slice(0, at)}/${childId.slice(at + 1)}`;
}

/** Keeps the base of a copy, so that no garbage collection of the user's removes what the copy reads. */
export async function keepBase(refs: RefStore, { childId, base }: Pick<CopyRecord, "childId" | "base">): Promise<void> {
  await put(refs, `${KEEP}/${numberedName(childId)}`, base);
}

/** Removes what kept the base of a copy that is gone. */
export function releaseBase(refs: RefStore, childId: string): Promise<void> {
  return refs.remove(`${KEEP}/${numberedName(childId)}`);
}

/** The children for whose copies a base is kept. */
export async function keptIn(refs: RefStore): Promise<string[]> {
  const names = [...(await refs.list(KEEP)).keys()];
  return names.map((name) => name.slice(KEEP.length + 1).replace(/\/(?=[^/]*$)/, "."));
}

/** The commit with what is on none of a child's branches; undefined if there is none. */
export async function savedAside(refs: RefStore, childId: string): Promise<string | undefined> {
  const name = `${SAVED}/${numberedName(childId)}`;
  return (await refs.list(name)).get(name)?.commit;
}

export function saveAside(refs: RefStore, childId: string, commit: string): Promise<void> {
  return put(refs, `${SAVED}/${numberedName(childId)}`, commit);
}

/** Sets a ref that only this child's owner changes. */
async function put(refs: RefStore, name: string, commit: string): Promise<void> {
  if (await refs.write(name, commit, undefined)) return;
  const before = (await refs.list(name)).get(name)?.commit;
  if (before !== commit && !(await refs.write(name, commit, before)))
    throw new GitError(`${name} was changed meanwhile.`);
}

/**
 * Moves the branch to a new head. A branch with commits that are not Deputy's, or that is checked out, stays as it is,
 * and another name is taken.
 * @returns the name of the branch
 */
export async function moveBranch(
  refs: RefStore,
  { branch, heads }: Pick<CopyRecord, "branch" | "heads">,
  head: string,
): Promise<string> {
  for (let number = 1; number <= MOST_NAMES; number++) {
    const name = number === 1 ? branch : `${branch}-${number}`;
    const full = `refs/heads/${name}`;
    const { commit, isCheckedOut = false } = (await refs.list(full)).get(full) ?? {};
    if (commit === head) return name;
    const isOurs = commit === undefined || (heads.includes(commit) && !isCheckedOut);
    if (isOurs && (await refs.write(full, head, commit))) return name;
  }
  throw new GitError(`Every name like ${branch} is taken.`);
}

/** The newest commit of a branch; undefined without one. */
export async function branchHead(refs: RefStore, branch: string): Promise<string | undefined> {
  const name = `refs/heads/${branch}`;
  return (await refs.list(name)).get(name)?.commit;
}
