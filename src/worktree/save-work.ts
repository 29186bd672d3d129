/**
 * Saves a child's work in the repository that its copy belongs to: what is tracked, or untracked and not ignored, as a
 * commit on its branch, with all commits that the child made. Objects are checked on their way, so that none can stand
 * for another one of the repository.
 */
import { lstatSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import type { FileLines, SavedWork } from "../isolation.ts";
import { type ChildRefs, readChildRefs, type Unsound } from "./child-refs.ts";
import { alternatesText, type WorkCopy, writeRecord } from "./copy-record.ts";
import { type Git, type GitCommand, GitError } from "./git.ts";
import { viewCommand } from "./git-view.ts";
import { moveBranch, saveAside, savedAside } from "./owner-refs.ts";
import type { RefStore } from "./ref-store.ts";
import { stage, trackedOnlyIn, withRepair } from "./stage.ts";

/** Paths named in a reason. */
const MOST_NAMED = 5;

/** `refs`: of the repository that the copy belongs to. */
export type Saving = { git: Git; refs: RefStore };

/** @param message subject of the commit with what the child has not committed itself @throws GitError */
export async function saveWork(saving: Saving, copy: WorkCopy, message: string): Promise<SavedWork> {
  const refs = readChildRefs(copy.tree, alternatesText(copy));
  if ("unsound" in refs) return saveFiles(saving, copy, message, refs);
  try {
    return await saveCommits(saving, copy, message, refs);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // Its files are saved even if its commits are damaged. A full disk fails here, too.
    return saveFiles(saving, copy, message, { unsound: error.message });
  }
}

/** Saves the files on top of what is known to be good, without the child's own commits. */
async function saveFiles(saving: Saving, copy: WorkCopy, message: string, { unsound }: Unsound): Promise<SavedWork> {
  const { git } = saving;
  const command = viewCommand({ ...copy, objects: [copy.objects, ...copy.beyond] }, { identity: copy.identity });
  const gitDir = join(copy.tree, ".git");
  const left = lstatSync(gitDir, { throwIfNoEntry: false });
  const parent = copy.heads.at(-1) ?? (await knownStart(git, copy, command));
  await resetIndex(git, copy, command, parent);
  const forced = left?.isDirectory() ? await trackedOnlyIn(git, join(gitDir, "index"), command) : [];
  const { head, unsaved } = await commitFiles(git, copy, { command, message, parent, forced });
  const lost = left === undefined ? [] : [`its own commits could not be read (${unsound})`];
  return publish(saving, copy, { command, head, extras: [], unsaved: [...unsaved, ...lost] });
}

/** Keeps what is known of files that are the same. */
function resetIndex(git: Git, { view }: WorkCopy, command: GitCommand, commit: string): Promise<void> {
  return withRepair(command, async (tried) => {
    if ((await git.run(["read-tree", "--reset", commit], tried)).exitCode === 0) return;
    rmSync(join(view, "index"), { force: true });
    await git.output(["read-tree", commit], tried);
  });
}

/** The carried state is in the repository only once something was saved. */
async function knownStart(git: Git, { start, base }: WorkCopy, command: GitCommand): Promise<string> {
  const found = await git.run(["cat-file", "-e", `${start}^{commit}`], command);
  return found.exitCode === 0 ? start : base;
}

async function saveCommits(saving: Saving, copy: WorkCopy, message: string, found: ChildRefs): Promise<SavedWork> {
  const { git, refs } = saving;
  const gitDir = join(copy.tree, ".git");
  const command = viewCommand(
    { ...copy, objects: [join(gitDir, "objects"), copy.objects, ...copy.beyond] },
    { identity: copy.identity },
  );
  const parent = found.head ?? copy.start;
  await resetIndex(git, copy, command, parent);
  const forced = await trackedOnlyIn(git, join(gitDir, "index"), command);
  const { head, unsaved } = await commitFiles(git, copy, { command, message, parent, forced });
  const aside = await savedAside(refs, copy.childId);
  const extras = await commitsAside(git, command, {
    tips: [...found.tips, ...(aside === undefined ? [] : [aside])],
    known: [head, copy.start],
  });
  return publish(saving, copy, { command, head, extras, unsaved });
}

type Commit = { command: GitCommand; message: string; parent: string; forced: readonly string[] };

/** @returns the parent itself if the files are as it has them */
async function commitFiles(git: Git, copy: WorkCopy, { command, message, parent, forced }: Commit) {
  const { nested, left } = await stage(git, command, forced);
  const tree = (await git.output(["write-tree"], command)).trim();
  const last = copy.heads.at(-1);
  const head =
    (await treeOf(git, parent, command)) === tree
      ? parent
      : last !== undefined && (await isSame(git, command, last, { tree, parent }))
        ? last
        : (await git.output(["commit-tree", tree, "-p", parent], { ...command, input: message })).trim();
  const unsaved = [
    ...(nested.length === 0
      ? []
      : [`${named(nested)} has a repository of its own, whose commits are not on the branch`]),
    ...(left.length === 0 ? [] : [`git cannot hold ${named(left)}`]),
  ];
  return { head, unsaved };
}

function named(paths: readonly string[]): string {
  const shown = paths.slice(0, MOST_NAMED).map((path) => Buffer.from(path, "latin1").toString("utf8"));
  return `${shown.join(", ")}${paths.length > MOST_NAMED ? ` and ${paths.length - MOST_NAMED} more` : ""}`;
}

async function treeOf(git: Git, commit: string, command: GitCommand): Promise<string> {
  return (await git.output(["rev-parse", `${commit}^{tree}`], command)).trim();
}

/** Whether a commit of an earlier save has this tree and this parent. */
async function isSame(git: Git, command: GitCommand, commit: string, like: { tree: string; parent: string }) {
  const { exitCode, stdout } = await git.run(["rev-parse", `${commit}^{tree}`, `${commit}^@`], command);
  return exitCode === 0 && stdout.toString("utf8").trim() === `${like.tree}\n${like.parent}`;
}

/** The newest of the commits that are on no saved branch: of other branches, a stash, or before a reset. */
async function commitsAside(
  git: Git,
  command: GitCommand,
  { tips, known }: { tips: readonly string[]; known: readonly string[] },
): Promise<string[]> {
  const asked = tips.map((sha) => `${sha}^{commit}\n`).join("");
  if (asked === "") return [];
  const checked = await git.output(["cat-file", "--batch-check=%(objectname)"], { ...command, input: asked });
  const commits = checked.split("\n").filter((line) => /^[0-9a-f]{40,64}$/.test(line));
  const input = [...new Set(commits), ...known.map((sha) => `^${sha}`)].join("\n");
  const listed = await git.output(["rev-list", "--parents", "--stdin"], { ...command, input: `${input}\n` });
  const lines = listed.split("\n").flatMap((line) => (line === "" ? [] : [line.split(" ")]));
  const inside = new Set(lines.flatMap(([, ...parents]) => parents));
  return lines.flatMap(([commit = ""]) => (inside.has(commit) ? [] : [commit]));
}

type Publication = { command: GitCommand; head: string; extras: readonly string[]; unsaved: readonly string[] };

/** Sends the commits into the repository, moves the branch, and describes what is on it. */
async function publish(
  saving: Saving,
  copy: WorkCopy,
  { command, head, extras, unsaved }: Publication,
): Promise<SavedWork> {
  const { git, refs } = saving;
  const aside = await joined(git, copy, command, { head, extras });
  const isChanged = head !== copy.start || copy.heads.length > 0;
  const tips = [...(isChanged ? [head] : []), ...(aside === undefined ? [] : [aside])];
  await send(git, copy, command, tips);
  if (isChanged) {
    if (copy.heads.at(-1) !== head) copy.heads.push(head);
    writeRecord(copy); // Before the branch moves: after a crash, it is known as Deputy's.
    copy.branch = await moveBranch(refs, copy, head);
    writeRecord(copy);
  }
  if (aside !== undefined) await saveAside(refs, copy.childId, aside);
  const commits = isChanged ? await git.output(["rev-list", "--count", `${copy.start}..${head}`], command) : "0";
  return {
    branch: copy.branch,
    base: copy.base,
    head,
    commits: Number(commits.trim()),
    files: isChanged ? await changedFiles(git, command, copy, head) : [],
    ...(unsaved.length > 0 && { unsaved: [...unsaved] }),
  };
}

/** One commit whose parents are all commits on the side; one of them that has the others is enough. */
async function joined(
  git: Git,
  { childId }: WorkCopy,
  command: GitCommand,
  { head, extras }: { head: string; extras: readonly string[] },
): Promise<string | undefined> {
  if (extras.length < 2) return extras[0];
  const message = `Commits of ${childId} that are on none of its branches any more\n`;
  const parents = extras.flatMap((commit) => ["-p", commit]);
  return (await git.output(["commit-tree", `${head}^{tree}`, ...parents], { ...command, input: message })).trim();
}

/** `--strict` computes each name again and checks every link, so that a child's object is what its name says. */
async function send(git: Git, { objects, beyond, base, tree }: WorkCopy, command: GitCommand, tips: readonly string[]) {
  if (tips.length === 0) return;
  const input = `${[...tips, `^${base}`].join("\n")}\n`;
  await git.pipe(
    {
      args: ["pack-objects", "--revs", "--stdout", "-q", "--thin", "--delta-base-offset"],
      command: { ...command, input },
    },
    {
      args: ["index-pack", "--stdin", "--fix-thin", "--strict"],
      command: { ...command, cwd: tree, objects, alternates: beyond },
    },
  );
}

async function changedFiles(git: Git, command: GitCommand, { start, subdirectory }: WorkCopy, head: string) {
  const args = ["diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv", start, head];
  const printed = await git.output(args, command);
  return printed.split("\0").flatMap((line): FileLines[] => {
    const [, added, removed, path] = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(line) ?? [];
    if (path === undefined) return [];
    const shown = relative(subdirectory, path);
    return added === "-" ? [{ path: shown }] : [{ path: shown, added: Number(added), removed: Number(removed) }];
  });
}
