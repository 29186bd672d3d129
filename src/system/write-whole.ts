/** Gives a file its content, all of it or nothing: written beside it, then renamed over it. */
import { closeSync, constants, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

export type WholeFile = {
  /** Exactly this mode, whatever the umask. Default: that of any new file. */
  mode?: number | undefined;
  /** What the file is called until it is whole. A killed process may leave it; the next write takes it. */
  draft?: string;
};

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

/** A link at `path` is replaced, never followed. @throws Error of the system; the former content stays then */
export function writeWhole(path: string, content: string, file: WholeFile = {}): void {
  const { mode, draft = `${path}.${process.pid}.part` } = file;
  try {
    writeNew(draft, content, mode);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeNew(path: string, content: string, mode: number | undefined): void {
  rmSync(path, { force: true });
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode ?? 0o666);
  try {
    if (mode !== undefined) fchmodSync(descriptor, mode);
    writeFileSync(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}
