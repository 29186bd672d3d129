/**
 * Recognizes Deputy's own files, whatever they are called: by path with links resolved, and by device and inode, which
 * are the same for a hard link, another mount and another spelling on a case-insensitive file system.
 */
import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { OwnFiles } from "../../../own-files.ts";
import { realPathOf } from "../../../system/bound-paths.ts";

export type OwnCheck = {
  /** Returns whether a path, links resolved, is one of Deputy's own files or lies in one of its directories. */
  isOwn(real: string): boolean;
  /** Returns whether a file is one of them, under any name. */
  isOwnFile(stats: BigIntStats): boolean;
  /** The files and directories themselves, links resolved. */
  paths: readonly string[];
};

/** Reflects the files at one time: create one per tool call. */
export function createOwnCheck({ directories, files }: OwnFiles): OwnCheck {
  const realDirectories = directories.map(realPathOf);
  const paths = [...realDirectories, ...files.map(realPathOf)];
  const spellings = paths.map(folded);
  const identities = new Set(paths.map(statsOf).flatMap((stats) => (stats ? [identityOf(stats)] : [])));
  const verdicts = new Map<string, boolean>();
  let inside: Set<string> | undefined;

  function isOwn(path: string): boolean {
    const known = verdicts.get(path);
    if (known !== undefined) return known;
    const verdict = isOwnItself(path) || (dirname(path) !== path && isOwn(dirname(path)));
    verdicts.set(path, verdict);
    return verdict;
  }

  function isOwnItself(path: string): boolean {
    if (isConfigDirectory(basename(path)) || paths.includes(path)) return true;
    const stats = statsOf(path);
    // If nothing exists there, another spelling could create one of them on some file systems.
    return stats === undefined ? spellings.includes(folded(path)) : isOwnFile(stats) || isOwnNow(path, stats);
  }

  /** One of them may have been replaced since, or be found under another spelling on some file systems. */
  function isOwnNow(path: string, stats: BigIntStats): boolean {
    const spelling = folded(path);
    const alike = paths.filter((_, at) => spellings[at] === spelling).map(statsOf);
    return alike.some((own) => own !== undefined && identityOf(own) === identityOf(stats));
  }

  /** Only a file with several names can lie in one of Deputy's directories and be found elsewhere. */
  function isOwnFile(stats: BigIntStats): boolean {
    if (identities.has(identityOf(stats))) return true;
    if (!stats.isFile() || stats.nlink < 2n) return false;
    inside ??= new Set(realDirectories.flatMap(identitiesIn));
    return inside.has(identityOf(stats));
  }

  return { isOwn, isOwnFile, paths };
}

const ASCII = /^[ -~]*$/;

/** A project's `.deputy`, in effect or not, in any spelling that some file system treats as the same. */
function isConfigDirectory(name: string): boolean {
  if (ASCII.test(name)) return name.toLowerCase() === ".deputy";
  return folded(name.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")) === ".deputy";
}

function folded(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

function statsOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function identitiesIn(directory: string): string[] {
  if (!statsOf(directory)?.isDirectory()) return [];
  return readdirSync(directory, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const stats = statsOf(join(directory, name));
    return stats?.isFile() ? [identityOf(stats)] : [];
  });
}
