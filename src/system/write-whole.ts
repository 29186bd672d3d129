/** Writes a file's content completely or not at all: to a draft next to it, which is then renamed over it. */
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { errorCode } from "../errors.ts";

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

/**
 * Creates a file that is complete from the first moment on. Of several processes that do so at once, one succeeds.
 * @returns false if there is anything at `path`, which stays. @throws Error of the system
 */
export function createWhole(path: string, content: string, mode: number): boolean {
  const draft = `${path}.${process.pid}.new`;
  try {
    writeNew(draft, content, mode);
    linkOrCopy(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Some file systems have no hard links. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EACCES"];

function linkOrCopy(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if (!NO_LINKS.includes(errorCode(error) ?? "")) throw error;
    copyFileSync(draft, path, constants.COPYFILE_EXCL);
  }
}

function writeNew(path: string, content: string | Buffer, mode: number | undefined, owner?: FileOwner): void {
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
