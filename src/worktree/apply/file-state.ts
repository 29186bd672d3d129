/** What identifies the content of a file without reading it. */
import { lstatSync } from "node:fs";
import { errorCode } from "../../errors.ts";

export type FileState = {
  isDirectory: boolean;
  isLink: boolean;
  /** Number of the file in its file system, size, mode, and time of the last change in nanoseconds, as text. */
  identity: string;
};

/** Does not follow links. @returns undefined if there is nothing */
export function fileState(path: Buffer): FileState | undefined {
  try {
    const found = lstatSync(path, { bigint: true });
    const identity = [found.ino, found.size, found.mode, found.mtimeNs].join(" ");
    return { isDirectory: found.isDirectory(), isLink: found.isSymbolicLink(), identity };
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}

/** A directory changes when a file in it does, and stays the same one. */
export function isSameFile(one: FileState | undefined, other: FileState | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.isDirectory ? other.isDirectory : one.identity === other.identity;
}
