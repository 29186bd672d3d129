/**
 * What a sandbox shows of the file system. Everything else does not exist in it: no path, link or capability leads to
 * what was never mounted. A later mount covers an earlier one.
 */
import { existsSync, lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { OwnFiles } from "../../own-files.ts";
import { realPathOf } from "../../system/bound-paths.ts";
import { isWithin } from "../../values/path-within.ts";
import { directoriesTo, type GitFiles, gitDirsOfWorktree } from "./git-files.ts";
import { PRIVATE_CACHES, TOOLCHAIN_SECRETS } from "./toolchains.ts";

/**
 * `git-settings`: a file with the user's own. `private`: an empty directory of the sandbox alone; `closed`: nothing more can be written there. `hidden-…`: it cannot be
 * read.
 */
export type Mount =
  | {
      kind: "read" | "write" | "private" | "closed" | "hidden-file" | "hidden-directory" | "git-settings";
      path: string;
    }
  | { kind: "link"; path: string; to: string }
  | { kind: "proc" | "dev"; path: string };

export type SandboxPlace = {
  /** Real path of the child's workspace, or of the working copy that contains it. */
  workspace: string;
  /** The workspace is a working copy of the child's own: nothing in it runs outside. */
  isIsolated: boolean;
  /** The operator's extra directories; read-only for an isolated child. */
  extraDirs: readonly string[];
  /** Stores of objects from which the working copy borrows. */
  objectStores: readonly string[];
  /** Deputy's own files. */
  own: OwnFiles;
  home: string;
  /** What may be read besides. */
  readable: readonly string[];
  /** Directories of programs: the entries of `PATH`. */
  programs: readonly string[];
};

/** Directories of the system, in which no user's files are. Each may be a link, and need not exist. */
const SYSTEM = [
  ...["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/gnu", "/snap"],
  ...["/home/linuxbrew/.linuxbrew", "/run/current-system", "/var/lib/texmf", "/var/cache/fontconfig"],
  ...["/sys/devices/system", "/sys/fs/cgroup"],
];

/** Directories that every sandbox has for itself. */
const PRIVATE = ["/tmp", "/var/tmp", "/run"];

/** Folders that a home directory may hold secrets in. They are hidden where the workspace itself contains the home. */
const SECRETS_OF_HOME = [
  ...[".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config/gcloud", ".config/gh", ".password-store"],
  ...[".local/share/keyrings", ".mozilla", ".config/google-chrome", ".config/chromium", ".netrc", ".npmrc", ".pypirc"],
  ...[".git-credentials", ".vault-token", ".pgpass", ".my.cnf", ".bash_history", ".zsh_history"],
];

/** Directories that commands can write. */
export function writableRoots({ workspace, isIsolated, extraDirs }: SandboxPlace): string[] {
  return isIsolated ? [workspace] : [workspace, ...existing(extraDirs)];
}

/**
 * @param gitFiles of the user's own repositories there
 * @param reads paths that one command may read besides
 */
export function mountsOf(place: SandboxPlace, gitFiles: readonly GitFiles[], reads: readonly string[]): Mount[] {
  const { workspace, isIsolated, home, objectStores } = place;
  const extra = existing(place.extraDirs);
  const roots = writableRoots(place);
  const system = existing(SYSTEM.filter((path) => !isLink(path)));
  const readable = outermost(
    existing([...place.programs, ...place.readable, ...objectStores, ...gitDirsOfWorktree(workspace), ...reads]),
  ).filter((path) => !system.some((directory) => isWithin(directory, path)));
  const hidden = hiddenIn([...system, ...readable, ...extra, workspace], roots, place);
  const pinned = roots.flatMap((root) =>
    hidden.flatMap((path) => directoriesTo(path, root).filter((each) => existsSync(each))),
  );
  const ofHome = realPathOf(home);
  const homes = [ofHome].filter(
    (path) => ![...PRIVATE, "/"].includes(path) && !roots.some((root) => isWithin(root, path)),
  );
  return [
    { kind: "proc", path: "/proc" },
    { kind: "dev", path: "/dev" },
    ...all("private", PRIVATE),
    ...SYSTEM.filter(isLink).map((path): Mount => ({ kind: "link", path, to: readlinkSync(path) })),
    ...all("read", system),
    ...homes.flatMap(emptyHome),
    ...all("read", isIsolated ? [...readable, ...extra] : readable),
    ...all("write", roots),
    ...gitFiles.flatMap((found) => [...all("write", found.pinned), ...all("read", found.readOnly)]),
    ...all("write", [...new Set(pinned)]),
    ...hidden.map(hiddenMount),
    // Empty besides what is mounted there, and read-only, so that a write fails instead of getting lost.
    ...[...homes, "/"].map((path): Mount => ({ kind: "closed", path })),
  ];
}

function emptyHome(path: string): Mount[] {
  const caches = PRIVATE_CACHES.map((name) => join(path, name));
  return [...all("private", [path, ...caches]), { kind: "git-settings", path: join(path, ".gitconfig") }];
}

/**
 * Deputy's own files, credentials in toolchains, and what only root may read. Directories of Deputy's own that do not exist
 * yet are hidden where a command could create them.
 */
function hiddenIn(
  shown: readonly string[],
  writable: readonly string[],
  { own, home, workspace }: SandboxPlace,
): string[] {
  const ofHome = realPathOf(home);
  const secrets = isWithin(workspace, ofHome) ? [...TOOLCHAIN_SECRETS, ...SECRETS_OF_HOME] : TOOLCHAIN_SECRETS;
  const paths = [
    ...[...own.directories, ...own.files].flatMap((path) => [path, realPathOf(path)]),
    ...secrets.map((name) => join(ofHome, name)),
    ...(process.getuid?.() === 0 ? unreadableForOthers("/etc") : []),
  ];
  const isIn = (roots: readonly string[]) => (path: string) => roots.some((root) => isWithin(root, path));
  const missing = own.directories.map(realPathOf).filter((path) => !existsSync(path) && isIn(writable)(path));
  return outermost([...new Set([...paths.filter(existsSync).filter(isIn(shown)), ...missing])]);
}

function hiddenMount(path: string): Mount {
  return { kind: statSync(path, { throwIfNoEntry: false })?.isFile() ? "hidden-file" : "hidden-directory", path };
}

const SYSTEM_SECRETS_DEPTH = 2;

/** For root, only this mounting keeps a command from what the modes keep from others: `/etc/shadow`, keys of the host. */
function unreadableForOthers(directory: string, depth = SYSTEM_SECRETS_DEPTH): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (!entry.isFile() && !entry.isDirectory()) return [];
    const isOpen = (lstatSync(path).mode & 0o004) !== 0;
    if (!isOpen) return [path];
    return entry.isDirectory() && depth > 1 ? unreadableForOthers(path, depth - 1) : [];
  });
}

function all(kind: "read" | "write" | "private", paths: readonly string[]): Mount[] {
  return paths.map((path) => ({ kind, path }));
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** Real paths of what exists, without the root directory, which would bring everything along. */
function existing(paths: readonly string[]): string[] {
  const real = paths.filter((path) => path.startsWith("/") && existsSync(path)).map((path) => realpathSync(path));
  return [...new Set(real)].filter((path) => path !== "/" && !/^\/(proc|sys|dev|run)$/.test(path));
}

/** Paths that lie in no other one of these. */
function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => other !== path && isWithin(other, path)));
}
