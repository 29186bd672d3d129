/** Writes a file's content completely or not at all: to a draft next to it, which is then renamed over it. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";

export type FileOwner = { uid: number; gid: number };

export type WholeFile = {
  /** The exact mode, regardless of the umask. Default: that of any new file. */
  mode?: number | undefined;
  /** The owner and group. Default: those of any new file. */
  owner?: FileOwner | undefined;
  /** Name of the draft. A killed process may leave it behind; the next write replaces it. */
  draft?: string;
};

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

/** Replaces a link at `path` rather than following it. @throws Error of the system; the former content stays then */
export function writeWhole(path: string, content: string | Buffer, file: WholeFile = {}): void {
  const { mode, owner, draft = `${path}.${process.pid}.part` } = file;
  try {
    writeNew(draft, content, mode, owner);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * Writes a file in place, which keeps its other names, owner and attributes. If that fails, the former content is put
 * back. A process killed meanwhile leaves a part.
 * @param descriptor open for reading and writing
 */
export function overwrite(descriptor: number, content: Buffer): void {
  const former = readFileSync(descriptor);
  try {
    fill(descriptor, content);
  } catch (error) {
    fill(descriptor, former);
    throw error;
  }
}

function fill(descriptor: number, content: Buffer): void {
  for (let at = 0; at < content.length; ) at += writeSync(descriptor, content, at, content.length - at, at);
  ftruncateSync(descriptor, content.length);
}

function writeNew(
  path: string,
  content: string | Buffer,
  mode: number | undefined,
  owner: FileOwner | undefined,
): void {
  rmSync(path, { force: true });
  const descriptor = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode ?? 0o666);
  try {
    // Before the mode: a change of the owner takes bits away.
    if (owner !== undefined) giveTo(descriptor, owner);
    if (mode !== undefined) fchmodSync(descriptor, mode);
    writeFileSync(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

function giveTo(descriptor: number, { uid, gid }: FileOwner): void {
  const made = fstatSync(descriptor);
  if (made.uid !== uid || made.gid !== gid) fchownSync(descriptor, uid, gid);
}
