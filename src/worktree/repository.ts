/** Looks at the repository that a copy is made of. Nothing in it is changed. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readChildRefs } from "./child-refs.ts";
import { alternatesText, type WorkCopy } from "./copy-record.ts";
import { type Git, type GitCommand, type GitEnd, GitError, type GitIdentity } from "./git.ts";
import { viewCommand } from "./git-view.ts";
import { copyRefs, type RefStore, userRefs } from "./ref-store.ts";

export type Repository = {
  /** Real path of its working tree. */
  root: string;
  /** The git directory of this working tree: only looked at, never run. */
  gitDir: string;
  /** Where its objects are written, and the directories of objects that they need. */
  objects: string;
  beyond: readonly string[];
  /** `sha1` or `sha256`. */
  objectFormat: string;
  /** Settings that a copy needs, by name; the last value of each. */
  settings: ReadonlyMap<string, string>;
  refs: RefStore;
  /** The place in which git reads it. */
  place: GitCommand;
  /** Returns a commit by its name; without one, the HEAD. Undefined if there is none. */
  commitAt(name: string | undefined, signal?: AbortSignal): Promise<{ sha: string; name: string } | undefined>;
  /** Files of a git directory that belong to a checkout, by name. */
  checkoutFiles(): Record<string, string>;
};

/** Settings that decide which bytes a checkout writes, which files are ignored, and who commits. */
const COPIED_SETTINGS = [
  "core.autocrlf",
  "core.eol",
  "core.safecrlf",
  "core.filemode",
  "core.symlinks",
  "core.ignorecase",
  "core.precomposeunicode",
  "core.excludesfile",
  "core.sharedrepository",
];

const READ_SETTINGS = `^(${[...COPIED_SETTINGS, "user.name", "user.email"].join("|").replaceAll(".", "\\.")}|filter\\..*\\.(smudge|process)|extensions\\.objectformat)$`;

const FALLBACK: GitIdentity = { name: "Deputy", email: "deputy@localhost" };

/** The repository of the user's around a directory. @throws GitError that says why there is none, as a sentence */
export async function userRepository(git: Git, directory: string, signal?: AbortSignal): Promise<Repository> {
  const asked = ["--show-toplevel", "--absolute-git-dir", "--git-common-dir", "--show-object-format"];
  const [found, settings] = await Promise.all([
    git.run(["rev-parse", ...asked, "--git-path", "objects"], { cwd: directory }, signal),
    settingsAt(git, { cwd: directory }, signal),
  ]);
  if (found.exitCode !== 0) throw new GitError(whyNone(found, directory));
  const [root = "", gitDir = "", common = "", objectFormat = "sha1", objects = ""] = linesOf(found.stdout);
  if (root === "") throw new GitError(`${directory} is in no working tree of git.`);
  const commonDir = resolve(directory, common);
  const place = { cwd: root };
  return {
    ...{ root, gitDir, objectFormat, settings, place },
    objects: resolve(directory, objects),
    beyond: [],
    refs: userRefs(git, root),
    commitAt: (name, signal) => userCommit(git, root, name, signal),
    checkoutFiles: () => checkoutFilesIn(commonDir),
  };
}

/** A working copy as the repository of copies below it. Only its files, objects and refs are read. */
export async function copyRepository(git: Git, copy: WorkCopy, signal?: AbortSignal): Promise<Repository> {
  const gitDir = join(copy.tree, ".git");
  const objects = join(gitDir, "objects");
  const beyond = [copy.objects, ...copy.beyond];
  const place = viewCommand({ ...copy, objects: [objects, ...beyond] });
  const settings = await settingsAt(git, place, signal);
  return {
    ...{ root: copy.tree, gitDir, objects, beyond, settings, place },
    objectFormat: settings.get("extensions.objectformat") ?? "sha1",
    refs: copyRefs(copy.tree, alternatesText(copy)),
    commitAt: (name, signal) => copyCommit(git, copy, place, name, signal),
    checkoutFiles: () => checkoutFilesIn(copy.view),
  };
}

async function settingsAt(git: Git, place: GitCommand, signal?: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await git.run(["config", "-z", "--get-regexp", READ_SETTINGS], place, signal);
  return settingsIn(stdout.toString("utf8"));
}

async function userCommit(git: Git, root: string, name: string | undefined, signal?: AbortSignal) {
  const sha = await verified(git, { cwd: root }, name ?? "HEAD", signal);
  if (sha === undefined || name !== undefined) return sha === undefined ? undefined : { sha, name: name ?? "HEAD" };
  const branch = await git.run(["symbolic-ref", "-q", "--short", "HEAD"], { cwd: root }, signal);
  const [short = ""] = linesOf(branch.stdout);
  return { sha, name: short === "" ? "HEAD, on no branch" : `HEAD of ${short}` };
}

/** A name is looked for among its branches and tags; it may also be a commit. */
async function copyCommit(git: Git, copy: WorkCopy, place: GitCommand, name: string | undefined, signal?: AbortSignal) {
  const read = readChildRefs(copy.tree, alternatesText(copy));
  if ("unsound" in read) throw new GitError(`The working copy ${copy.tree} cannot be read: ${read.unsound}.`);
  const { head, refs } = read;
  const named =
    name === undefined || name === "HEAD"
      ? head
      : (refAt(refs, name) ?? (/^[0-9a-f]{40,64}$/.test(name) ? name : undefined));
  const sha = named === undefined ? undefined : await verified(git, place, named, signal);
  return sha === undefined ? undefined : { sha, name: name ?? `HEAD of ${copy.branch}` };
}

function refAt(refs: ReadonlyMap<string, string>, name: string): string | undefined {
  return ["", "refs/", "refs/tags/", "refs/heads/"].map((prefix) => refs.get(`${prefix}${name}`)).find(Boolean);
}

async function verified(git: Git, place: GitCommand, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const args = ["rev-parse", "-q", "--verify", "--end-of-options", `${name}^{commit}`];
  const { exitCode, stdout } = await git.run(args, place, signal);
  const [sha = ""] = linesOf(stdout);
  return exitCode === 0 && /^[0-9a-f]{40,64}$/.test(sha) ? sha : undefined;
}

function linesOf(printed: Buffer): string[] {
  return printed.toString("utf8").split("\n");
}

function whyNone({ stderr }: GitEnd, directory: string): string {
  if (/not a git repository/.test(stderr)) return `${directory} is in no git repository.`;
  if (/must be run in a work tree/.test(stderr))
    return `${directory} is in a repository without a working tree (bare).`;
  return `git cannot use the repository around ${directory}: ${stderr}`;
}

function settingsIn(printed: string): Map<string, string> {
  const entries = printed.split("\0").filter((entry) => entry !== "");
  return new Map(
    entries.map((entry): [string, string] => {
      const at = entry.indexOf("\n");
      return at < 0 ? [entry.toLowerCase(), "true"] : [lowerKey(entry.slice(0, at)), entry.slice(at + 1)];
    }),
  );
}

/** The middle part of a name, such as a filter's, keeps its case. */
function lowerKey(key: string): string {
  const parts = key.split(".");
  return [parts[0]?.toLowerCase(), ...parts.slice(1, -1), parts.at(-1)?.toLowerCase()].join(".");
}

export function identityOf({ settings }: Pick<Repository, "settings">): GitIdentity {
  const name = settings.get("user.name");
  const email = settings.get("user.email");
  return name === undefined || email === undefined ? FALLBACK : { name, email };
}

/** Files that an unfinished operation leaves in a git directory, with its name. */
const UNFINISHED: Readonly<Record<string, string>> = {
  "rebase-merge": "a rebase",
  "rebase-apply": "a rebase",
  MERGE_HEAD: "a merge",
  CHERRY_PICK_HEAD: "a cherry-pick",
  REVERT_HEAD: "a revert",
  BISECT_START: "a bisect",
};

/** The operation in the middle of which a working tree is; undefined if it is in none. */
export function unfinishedIn({ gitDir }: Pick<Repository, "gitDir">): string | undefined {
  const found = Object.keys(UNFINISHED).find((name) => existsSync(join(gitDir, name)));
  return found && UNFINISHED[found];
}

/** Filters that change the files of a checkout, and that no copy can run. */
export function configuredFilters({ settings }: Pick<Repository, "settings">): string[] {
  const names = [...settings.keys()].flatMap((key) => /^filter\.(.+)\.(?:smudge|process)$/.exec(key)?.[1] ?? []);
  return [...new Set(names)];
}

/** The text of the config of a git directory of Deputy's making. */
export function configText(
  { settings, objectFormat }: Pick<Repository, "settings" | "objectFormat">,
  identity: GitIdentity,
  { bare }: { bare: boolean },
): string {
  const core = COPIED_SETTINGS.flatMap((key) => {
    const value = settings.get(key);
    return value === undefined ? [] : [[key.slice("core.".length), value]];
  });
  const isSha1 = objectFormat === "sha1";
  return [
    "[core]",
    `\trepositoryformatversion = ${isSha1 ? 0 : 1}`,
    `\tbare = ${bare}`,
    "\tlogallrefupdates = true",
    ...core.map(([key, value = ""]) => `\t${key} = ${quotedValue(value)}`),
    ...(isSha1 ? [] : ["[extensions]", `\tobjectFormat = ${objectFormat}`]),
    "[user]",
    `\tname = ${quotedValue(identity.name)}`,
    `\temail = ${quotedValue(identity.email)}`,
    "",
  ].join("\n");
}

function quotedValue(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

function checkoutFilesIn(commonDir: string): Record<string, string> {
  const names = ["info/exclude", "info/attributes", "shallow"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const path = join(commonDir, name);
      return existsSync(path) ? [[name, readFileSync(path, "utf8")]] : [];
    }),
  );
}
