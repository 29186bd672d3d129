/** Makes a new branch of the results: one commit for each child, on top of the user's HEAD. */
import { shortLine } from "../../text/short-line.ts";
import { GitError } from "../git.ts";
import type { Scratch } from "../merge/scratch.ts";
import { identityOf } from "../repository.ts";
import type { BranchToApply } from "./apply-order.ts";

/** Longest subject of a commit, in characters. */
const SUBJECT_CHARS = 72;

/** @throws GitError if the branch cannot be made: its name is taken or is none, or there is no commit to start from */
export async function startOfBranch(scratch: Scratch, name: string): Promise<{ tree: string; head: string }> {
  const { git, repository, signal } = scratch;
  const ask = (args: readonly string[]) => git.run(args, { cwd: repository.root }, signal);
  if (name.startsWith("-") || (await ask(["check-ref-format", `refs/heads/${name}`])).exitCode !== 0)
    throw new GitError(`Expected the name of a branch, found ${JSON.stringify(name)}.`);
  if ((await ask(["show-ref", "--verify", "--quiet", `refs/heads/${name}`])).exitCode === 0)
    throw new GitError(`There is a branch ${name} already. Choose another name; Deputy changes no branch of yours.`);
  const head = await ask(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]);
  if (head.exitCode !== 0) throw new GitError(`${repository.root} has no commit yet that a branch could start from.`);
  const commit = head.stdout.toString("latin1").trim();
  return { head: commit, tree: (await scratch.run(["rev-parse", `${commit}^{tree}`])).toString("latin1").trim() };
}

/** @returns the newest commit of the new branch */
export async function commitResult(
  scratch: Scratch,
  name: string,
  head: string,
  results: readonly { branch: BranchToApply; tree: string }[],
): Promise<string> {
  const { git, repository, command, run, signal } = scratch;
  let commit = head;
  for (const { branch, tree } of results) {
    const input = await messageOf(scratch, branch);
    const args = ["commit-tree", tree, "-p", commit];
    commit = (await run(args, { input, identity: identityOf(repository) })).toString("latin1").trim();
  }
  await git.pipe(
    {
      args: ["pack-objects", "--revs", "--stdout", "-q", "--thin", "--delta-base-offset"],
      command: { ...command, input: `${commit}\n^${head}\n` },
    },
    { args: ["index-pack", "--stdin", "--fix-thin"], command: { cwd: repository.root } },
    signal,
  );
  const unborn = "0".repeat(commit.length);
  const args = ["update-ref", "-m", "deputy apply", `refs/heads/${name}`, commit, unborn];
  await git.output(args, { cwd: repository.root }, signal);
  return commit;
}

/** The message of the child's only commit, or else its goal above the subjects of its commits. */
async function messageOf({ run }: Scratch, { childId, start, head, goal }: BranchToApply): Promise<string> {
  const listed = (await run(["log", "--reverse", "--format=%B%x00", `${start}..${head}`])).toString("utf8");
  const messages = listed.split("\0").flatMap((each) => (each.trim() === "" ? [] : [each.trim()]));
  const subjects = messages.map((each) => `- ${shortLine(each.split("\n", 1)[0], SUBJECT_CHARS)}`);
  const [only] = messages;
  const text = messages.length === 1 ? only : [shortLine(goal, SUBJECT_CHARS), subjects.join("\n")].join("\n\n");
  return `${text?.trim()}\n\nDeputy-Child: ${childId}\n`;
}
