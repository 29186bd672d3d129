/** Writes a file's content completely or not at all: to a draft next to it, which is then renamed over it. */
import { closeSync, constants, fchmodSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

export type WholeFile = {
  /** The exact mode, regardless of the umask. Default: that of any new file. */
  mode?: number | undefined;
  /** Name of the draft. A killed process may leave it behind; the next write replaces it. */
  draft?: string;
};

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

/** Replaces a link at `path` rather than following it. @throws Error of the system; the former content stays then */
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
