/**
 * Copies paths that git does not track into a working copy, such as dependencies and local settings. No link leads back
 * into the repository or out of the copy: what the child changes there would not be its own.
 */
import { constants, type Dirent } from "node:fs";
import { copyFile, lstat, mkdir, readdir, readlink, realpath, symlink, utimes } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { errorCode } from "../errors.ts";
import { isWithin } from "../values/path-within.ts";

/** `skipped`: links that were left out, because they lead out of the repository. */
export type Included = { included: string[]; missing: string[]; skipped: string[] };

type Copying = { from: string; to: string; skipped: string[]; signal: AbortSignal | undefined };

/** @param paths relative to the repository's root; what the copy already has stays */
export async function includePaths(
  from: string,
  to: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<Included> {
  const copying: Copying = { from: await realpath(from), to: await realpath(to), skipped: [], signal };
  const included: string[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    const name = relative(from, resolve(from, path));
    const isInside = name !== "" && isWithin(from, resolve(from, path)) && !/(^|\/)\.git(\/|$)/i.test(name);
    const isReal = isInside && isWithin(copying.from, await realpath(dirname(join(from, name))).catch(() => "/"));
    const found = isReal ? await lstat(join(from, name)).catch(() => undefined) : undefined;
    if (found === undefined) missing.push(path);
    else {
      await mkdir(dirname(join(copying.to, name)), { recursive: true });
      if (!isWithin(copying.to, await realpath(dirname(join(copying.to, name))))) copying.skipped.push(name);
      else await copyEntry(name, found, copying);
      included.push(path);
    }
  }
  return { included, missing, skipped: copying.skipped };
}

type Kind = Pick<Dirent, "isDirectory" | "isFile" | "isSymbolicLink">;

async function copyEntry(name: string, kind: Kind, copying: Copying): Promise<void> {
  const { from, to, signal } = copying;
  signal?.throwIfAborted();
  const [source, target] = [join(from, name), join(to, name)];
  if (kind.isSymbolicLink()) await copyLink(name, copying);
  else if (kind.isFile())
    await unlessThere(copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE));
  else if (kind.isDirectory()) {
    const { mode, atime, mtime } = await lstat(source);
    await unlessThere(mkdir(target, { mode: mode | 0o700 }));
    if (!(await lstat(target)).isDirectory()) return; // The copy has something else there.
    for (const entry of await readdir(source, { withFileTypes: true }))
      await copyEntry(join(name, entry.name), entry, copying);
    await utimes(target, atime, mtime);
  }
}

/** A link into the repository leads to the same place in the copy. */
async function copyLink(name: string, { from, to, skipped }: Copying): Promise<void> {
  const written = await readlink(join(from, name));
  const target = resolve(from, dirname(name), written);
  if (!isWithin(from, target)) skipped.push(name);
  else await unlessThere(symlink(relative(dirname(name), relative(from, target)) || ".", join(to, name)));
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
