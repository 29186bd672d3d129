/**
 * Reads the refs of a working copy, and checks its objects, as data: a child may have written anything there. Git itself
 * never reads them.
 */
import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readForeignText } from "../system/foreign-file.ts";

/** `head`: the commit that it is on; undefined on none. `tips`: every commit that a ref or a log of refs names. */
export type ChildRefs = { head: string | undefined; refs: ReadonlyMap<string, string>; tips: string[] };

/** Why the git directory of a copy cannot be trusted, as a clause. */
export type Unsound = { unsound: string };

const MAX_FILE = 32 * 1024 ** 2;
const MAX_FILES = 200_000;
const MAX_LINKS = 5;
const SHA = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;
const REF_NAME = /^refs\/(?!.*(?:\.\.|\/\/|\/$))[^\s\0\\~^:?*[]+$/;

/** @param alternates the text that Deputy wrote into the copy's `objects/info/alternates` */
export function readChildRefs(tree: string, alternates: string): ChildRefs | Unsound {
  const gitDir = join(tree, ".git");
  try {
    assertDirectory(gitDir, "its .git");
    assertObjects(join(gitDir, "objects"), alternates);
    const packed = packedRefs(gitDir);
    const loose = filesBelow(gitDir, "refs").map((name) => [name, textIn(gitDir, name).trim()] as const);
    const refs = new Map([...packed, ...loose]);
    const logged = filesBelow(gitDir, "logs").flatMap((name) => loggedIn(textIn(gitDir, name)));
    const head = resolved(textIn(gitDir, "HEAD").trim(), refs);
    const tips = new Set([...refs.values(), ...logged].filter((sha) => SHA.test(sha) && !/^0+$/.test(sha)));
    return { head, refs, tips: [...tips] };
  } catch (error) {
    if (error instanceof UnsoundError) return { unsound: error.message };
    throw error;
  }
}

class UnsoundError extends Error {}

function assertDirectory(path: string, what: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  throw new UnsoundError(`${what} is ${found === undefined ? "gone" : "not a directory any more"}`);
}

/** Objects are plain files in real directories, and the only other place they come from is the repository. */
function assertObjects(objects: string, alternates: string): void {
  assertDirectory(objects, "its .git/objects");
  const files = filesBelow(objects, "");
  if (files.some((name) => name.endsWith("http-alternates"))) throw new UnsoundError("its objects come from elsewhere");
  if (readAlternates(objects) !== alternates) throw new UnsoundError("its .git/objects/info/alternates has changed");
}

function readAlternates(objects: string): string | undefined {
  try {
    return readFileSync(join(objects, "info", "alternates"), "utf8");
  } catch {
    return undefined;
  }
}

/** Names, relative to the directory, of all files below it. @throws UnsoundError for anything but files and directories */
function filesBelow(directory: string, name: string): string[] {
  const found: string[] = [];
  const open = [name];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const entry of entriesOf(join(directory, at))) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) open.push(path);
      else if (entry.isFile()) found.push(path);
      else throw new UnsoundError(`${path} in its .git is not a file`);
      if (found.length > MAX_FILES) throw new UnsoundError(`its .git has more than ${MAX_FILES} files`);
    }
  return found;
}

function entriesOf(directory: string): Dirent[] {
  if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) return [];
  try {
    assertDirectory(directory, "a directory in its .git");
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (error instanceof UnsoundError) throw error;
    throw new UnsoundError("a directory in its .git cannot be read");
  }
}

function textIn(gitDir: string, name: string): string {
  const read = readForeignText(join(gitDir, name), { within: [gitDir], maxBytes: MAX_FILE });
  if (read === undefined) throw new UnsoundError(`its .git/${name} is gone`);
  if ("unreadable" in read) throw new UnsoundError(`its .git/${name} cannot be read: ${read.unreadable}`);
  return read.text;
}

function packedRefs(gitDir: string): [name: string, sha: string][] {
  if (lstatSync(join(gitDir, "packed-refs"), { throwIfNoEntry: false }) === undefined) return [];
  return textIn(gitDir, "packed-refs")
    .split("\n")
    .flatMap((line): [string, string][] => {
      const [sha = "", name = ""] = line.split(" ", 2);
      return SHA.test(sha) && REF_NAME.test(name) ? [[name, sha]] : [];
    });
}

/** Each line of a log begins with the commit before and the commit after. */
function loggedIn(text: string): string[] {
  return text.split("\n").flatMap((line) => line.split(" ", 2));
}

/** Follows symbolic refs. On a branch without a commit, there is no head. */
function resolved(written: string, refs: ReadonlyMap<string, string>): string | undefined {
  let value = written;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (SHA.test(value)) return value;
    const [, name = ""] = /^ref: (.+)$/.exec(value) ?? [];
    if (!REF_NAME.test(name) || name === "refs/heads/.invalid") throw new UnsoundError("its .git/HEAD names no branch");
    const next = refs.get(name);
    if (next === undefined) return undefined;
    value = next;
  }
  throw new UnsoundError("its .git/HEAD leads nowhere");
}
