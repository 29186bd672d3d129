/**
 * A git directory for the time of one question: it reads the objects of a repository and keeps its own. What merges and
 * snapshots write goes away with it, and no hook, filter or driver of the repository runs in it.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Git, type GitCommand, GitError } from "../git.ts";
import { type GitPath, gitPaths, isSafePath, joinPaths, nameOf, parentOf, pathIn } from "../git-path.ts";
import { viewCommand, writeView } from "../git-view.ts";
import { configText, identityOf, type Repository } from "../repository.ts";

export type Scratch = {
  git: Git;
  repository: Repository;
  /** For files of its user. */
  directory: string;
  signal: AbortSignal | undefined;
  /**
   * Runs git in it, with a working tree that is empty but for attributes. An exit code of 1 is an answer.
   * @returns what it prints @throws GitError
   */
  run(args: readonly string[], command?: Partial<GitCommand>): Promise<Buffer>;
  /** The command of `run`, for git's own methods. */
  command: GitCommand;
  /** As `run`, on the working tree of the repository. */
  runInTree(args: readonly string[], command?: Partial<GitCommand>): Promise<Buffer>;
};

/** Makes one for the time of `work`. */
export async function withScratch<Value>(
  git: Git,
  repository: Repository,
  work: (scratch: Scratch) => Promise<Value>,
  signal?: AbortSignal,
): Promise<Value> {
  const directory = await mkdtemp(join(tmpdir(), "deputy-merge-"));
  try {
    const config = configText(repository, identityOf(repository), { bare: false });
    writeView(join(directory, "git"), { ...repository.checkoutFiles(), config });
    await mkdir(join(directory, "attributes"));
    return await work(openScratch(git, repository, directory, signal));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function openScratch(git: Git, repository: Repository, directory: string, signal: AbortSignal | undefined): Scratch {
  const view = { view: join(directory, "git"), objects: [repository.objects, ...repository.beyond] };
  const commandOn = (tree: string) => viewCommand({ ...view, tree });
  const command = commandOn(join(directory, "attributes"));
  const commandInTree = commandOn(repository.root);

  async function runOn(given: GitCommand, args: readonly string[]): Promise<Buffer> {
    const { exitCode, stdout, stderr } = await git.run(args, given, signal);
    if (exitCode > 1) throw new GitError(`git ${args[0]} failed: ${stderr}`);
    return stdout;
  }

  return {
    ...{ git, repository, directory, signal, command },
    run: (args, more) => runOn({ ...command, ...more }, args),
    runInTree: (args, more) => runOn({ ...commandInTree, ...more }, args),
  };
}

/**
 * Lets merges follow the attributes of a tree: which files are merged by lines, as a union of lines, or not at all. A
 * merge driver, which would be a program, has no effect.
 */
export async function followAttributes({ directory, run }: Scratch, tree: string): Promise<void> {
  const root = join(directory, "attributes");
  for (const entry of gitPaths(await run(["ls-tree", "-r", "-z", tree]))) {
    const [, id = "", path = ""] = /^100\d+ blob ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
    if (nameOf(path) !== ".gitattributes" || !isSafePath(path)) continue;
    await mkdir(pathIn(root, parentOf(path)), { recursive: true });
    await writeFile(pathIn(root, path), await run(["cat-file", "blob", id]));
  }
}

/** The contents of objects, by their ids. */
export async function blobsOf({ run }: Scratch, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  if (ids.length === 0) return found;
  const output = await run(["cat-file", "--batch"], { input: `${ids.join("\n")}\n` });
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf("\n", at);
    const [id = "", , size] = output.toString("latin1", at, end).split(" ");
    const length = Number(size);
    if (!Number.isInteger(length)) throw new GitError(`An object is missing in the repository: ${id}.`);
    found.set(id, output.subarray(end + 1, end + 1 + length));
    at = end + 1 + length + 1;
  }
  return found;
}

/** Input of commands that read paths. */
export function pathInput(paths: Iterable<GitPath>): { input: Buffer } {
  return { input: joinPaths(paths) };
}
