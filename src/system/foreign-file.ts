/**
 * Reads files that Deputy finds by itself where others may have put anything: project notes, configs, agent
 * definitions. It reads only regular files, up to a size limit, and, in a directory that is not the user's own, follows
 * no link out of the given roots. An unreadable file gives a reason as text, and never blocks.
 */
import * as fs from "node:fs";
import { relative } from "node:path";
import { getSystemErrorMessage, promisify } from "node:util";
import { errorCode } from "../errors.ts";
import { isWithin } from "../values/path-within.ts";

export type ReadBounds = {
  /** Directories that must contain the file, links resolved. Absent for the user's own files. */
  within?: readonly string[];
  /** Returns whether a real path is one of Deputy's own files, which are never readable. */
  isOwn?(real: string): boolean;
  /** Returns why a real path is protected, as a clause, or undefined. */
  protectionOf?(real: string): string | undefined;
  maxBytes: number;
  /** Truncates a longer file. Default: a longer file is unreadable. */
  mayCut?: true;
};

/** `isCut`: the file is longer. `isShared`: it is reached by a link, or has more than one name. `unreadable`: the reason, as a clause. Undefined if there is no such file. */
export type ForeignText = { text: string; isCut: boolean; isShared: boolean } | { unreadable: string } | undefined;

/** Time limit for one file, in milliseconds. */
const MAX_MS = 5_000;
const CHUNK_BYTES = 64 * 1024;
const SPECIAL = "expected a regular file; found a pipe, a device or a socket";
const TOO_SLOW = "the file system did not answer in time";

/** Reads synchronously. The time limit is checked between system calls. */
export function readForeignText(path: string, bounds: ReadBounds): ForeignText {
  const deadline = performance.now() + MAX_MS;
  const steps = textAt(path, bounds);
  let next = steps.next();
  while (!next.done) {
    let value: unknown;
    try {
      if (performance.now() > deadline) throw new Unreadable(TOO_SLOW);
      value = next.value.now();
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(value);
  }
  return next.value;
}

/** Reads without blocking the process: the time limit applies even if a system call never returns. */
export async function readForeignTextLater(path: string, bounds: ReadBounds): Promise<ForeignText> {
  const { promise: tooSlow, resolve } = Promise.withResolvers<ForeignText>();
  const timer = setTimeout(() => resolve({ unreadable: TOO_SLOW }), MAX_MS);
  try {
    return await Promise.race([awaitSteps(textAt(path, bounds)), tooSlow]);
  } finally {
    clearTimeout(timer);
  }
}

// Steps --------------------------------------------------------------------------------------------------------------

class Unreadable extends Error {}

/** One file system call, in its synchronous and asynchronous form. */
type FileCall<T = unknown> = { now(): T; later(): Promise<T> };
type Steps<T> = Generator<FileCall, T, unknown>;

async function awaitSteps<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next();
  while (!next.done) {
    let value: unknown;
    try {
      value = await next.value.later();
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(value);
  }
  return next.value;
}

function* call<T>(now: () => T, later: () => Promise<T>): Steps<T> {
  return (yield { now, later }) as T;
}

const realPathOf = (path: string) =>
  call(
    () => fs.realpathSync.native(path),
    () => fs.promises.realpath(path),
  );
const statsOf = (path: string) =>
  call(
    () => fs.lstatSync(path),
    () => fs.promises.lstat(path),
  );
const statsThrough = (path: string) =>
  call(
    () => fs.statSync(path, { throwIfNoEntry: false }),
    async () => fs.promises.stat(path).catch(() => undefined),
  );
const linkOf = (path: string) =>
  call(
    () => fs.readlinkSync(path),
    () => fs.promises.readlink(path),
  );
const opened = (path: string, flags: number) =>
  call(
    () => fs.openSync(path, flags),
    () => promisify(fs.open)(path, flags),
  );
const statsOfOpen = (descriptor: number) =>
  call(
    () => fs.fstatSync(descriptor),
    () => promisify(fs.fstat)(descriptor),
  );
const readInto = (descriptor: number, bytes: Buffer) =>
  call(
    () => fs.readSync(descriptor, bytes),
    async () => (await promisify(fs.read)(descriptor, bytes, 0, bytes.length, null)).bytesRead,
  );

function* textAt(path: string, bounds: ReadBounds): Steps<ForeignText> {
  try {
    return yield* boundedText(path, bounds);
  } catch (error) {
    if (error instanceof Unreadable) return { unreadable: error.message };
    if (isAbsent(error)) return yield* namelessAt(path);
    const { code, errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return { unreadable: `the system refused it: ${getSystemErrorMessage(-Math.abs(errno))} (${code})` };
  }
}

/** A nameless open file, a pipe or a removed file, is found only by its descriptor, as `/dev/fd/63`. */
function* namelessAt(path: string): Steps<ForeignText> {
  const stats = yield* statsThrough(path);
  if (stats === undefined) return undefined;
  return { unreadable: stats.isFile() ? "expected a file with a name; found one that was removed" : SPECIAL };
}

const { O_NOCTTY = 0, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY } = fs.constants;

/** Checks the location before it opens the file, and again by the descriptor: the path may change in between. */
function* boundedText(path: string, { within, isOwn, protectionOf, maxBytes, mayCut }: ReadBounds): Steps<ForeignText> {
  const real = yield* realPathOf(path);
  const roots = within && (yield* realPathsOf(within));
  const checkPlace = (place: string) => {
    if (roots !== undefined && !roots.some((root) => isWithin(root, place)))
      throw new Unreadable(`expected a file in ${within?.join(" or ")}; found a link that leads out of it`);
    if (isOwn?.(place)) throw new Unreadable("expected a file of the project; found a link to one of Deputy's own");
    const protection = protectionOf?.(place);
    if (protection !== undefined) throw new Unreadable(`expected a file that may be read; found that ${protection}`);
  };
  checkPlace(real);
  checkKind(yield* statsOf(real));
  const descriptor = yield* opened(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  try {
    const stats = yield* statsOfOpen(descriptor);
    checkKind(stats);
    if (roots !== undefined && process.platform === "linux") checkPlace(yield* linkOf(`/proc/self/fd/${descriptor}`));
    const bytes = yield* atMost(maxBytes + 1, descriptor);
    const isCut = bytes.length > maxBytes;
    if (isCut && !mayCut) throw new Unreadable(`expected at most ${maxBytes} bytes; found more`);
    const isShared = stats.nlink > 1 || (yield* isLinked(path, real, within));
    return { text: bytes.toString("utf8", 0, maxBytes), isCut, isShared };
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Whether a path reaches its file through a link; links above the given roots are the user's own. */
function* isLinked(path: string, real: string, within: readonly string[] = []): Steps<boolean> {
  const root = within.find((each) => isWithin(each, path));
  return root === undefined || relative(root, path) !== relative(yield* realPathOf(root), real);
}

/** Skips directories that do not exist. */
function* realPathsOf(directories: readonly string[]): Steps<string[]> {
  const found: string[] = [];
  for (const directory of directories) {
    try {
      found.push(yield* realPathOf(directory));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return found;
}

function isAbsent(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "");
}

function checkKind(stats: fs.Stats): void {
  if (stats.isDirectory()) throw new Unreadable("expected a file; found a directory");
  if (!stats.isFile()) throw new Unreadable(SPECIAL);
}

/** Reads the content, ignoring the size that the system reports: files in /proc have none, others grow. */
function* atMost(maxBytes: number, descriptor: number): Steps<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  while (length < maxBytes) {
    const piece = Buffer.alloc(Math.min(CHUNK_BYTES, maxBytes - length));
    const count = yield* readInto(descriptor, piece);
    if (count === 0) break;
    pieces.push(piece.subarray(0, count));
    length += count;
  }
  return Buffer.concat(pieces, length);
}
