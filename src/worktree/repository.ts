/** Looks at the repository that a copy is made of. Nothing in it is changed. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Git, type GitEnd, GitError, type GitIdentity } from "./git.ts";

export type Repository = {
  /** Real path of its working tree. */
  root: string;
  /** The git directory of this working tree, and the one that all its working trees share. */
  gitDir: string;
  commonDir: string;
  objects: string;
  /** `sha1` or `sha256`. */
  objectFormat: string;
  /** Settings that a copy needs, by lower-case name; the last value of each. */
  settings: ReadonlyMap<string, string>;
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

/** In a git directory of Deputy's making, `excludesfile` needs its default spelled out no less than any other value. */
const READ_SETTINGS = `^(${[...COPIED_SETTINGS, "user.name", "user.email"].join("|").replaceAll(".", "\\.")}|filter\\..*\\.(smudge|process)|extensions\\..*)$`;

const FALLBACK: GitIdentity = { name: "Deputy", email: "deputy@localhost" };

/** @throws GitError that says why there is none, as a sentence */
export async function findRepository(git: Git, directory: string, signal?: AbortSignal): Promise<Repository> {
  const asked = ["--show-toplevel", "--absolute-git-dir", "--git-common-dir", "--show-object-format"];
  const [found, settings] = await Promise.all([
    git.run(["rev-parse", ...asked, "--git-path", "objects"], { cwd: directory }, signal),
    git.run(["config", "-z", "--get-regexp", READ_SETTINGS], { cwd: directory }, signal),
  ]);
  if (found.exitCode !== 0) throw new GitError(whyNone(found, directory));
  const [root = "", gitDir = "", common = "", objectFormat = "sha1", objects = ""] = found.stdout
    .toString("utf8")
    .split("\n");
  const absolute = (path: string) => resolve(directory, path);
  return {
    root,
    gitDir: absolute(gitDir),
    commonDir: absolute(common),
    objects: absolute(objects),
    objectFormat,
    settings: settingsIn(settings.stdout.toString("utf8")),
  };
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

/** Files below `info/` and others that belong to a checkout, by name; absent ones are left out. */
export function checkoutFiles({ commonDir }: Pick<Repository, "commonDir">): Record<string, string> {
  const names = ["info/exclude", "info/attributes", "shallow"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const path = join(commonDir, name);
      return existsSync(path) ? [[name, readFileSync(path, "utf8")]] : [];
    }),
  );
}
