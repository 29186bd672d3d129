/**
 * A file as permission rules see it: under the path where it really is, and under each path that leads there. A link
 * to a denied file, a denied link, and a file below a linked directory are each found by one of these names.
 */
import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import type { FileAccess, FileSubject, ToolSubject } from "../../../tool.ts";
import { isWithin } from "../../../values/path-within.ts";
import { locate, showPath, statsOf, type Workspace } from "./workspace.ts";

/** As many as the system follows. */
const MAX_LINKS = 40;

/** The effect of a call on one path. It asks if a rule says so, or if the content may be secret. */
export function fileSubject(workspace: Workspace, path: string, access: FileAccess) {
  const names = namesOf(workspace, path);
  const roots = [...rootsOf(workspace), ...(workspace.enclosing ?? [])];
  const file = { names, access, roots } satisfies FileSubject;
  return { target: names[0], otherwise: "allow", file } satisfies ToolSubject;
}

/** Returns whether something exists at a path. */
export function isThere(workspace: Workspace, path: string): boolean {
  return statsAt(workspace, path) !== undefined;
}

export function isDirectory(workspace: Workspace, path: string): boolean {
  return statsAt(workspace, path)?.isDirectory() === true;
}

/** Undefined for a path that leads nowhere: the call itself reports it. */
function statsAt(workspace: Workspace, path: string): Stats | undefined {
  try {
    return statsOf(locate(workspace, path));
  } catch {
    return undefined;
  }
}

/** The real path first, then the path as written, and the path after each link on the way. */
function namesOf(workspace: Workspace, path: string): FileSubject["names"] {
  const { root, enclosing = [] } = workspace;
  const others = new Set(
    spellings(resolve(root, path)).flatMap((each) => [
      relativeTo(workspace, each),
      ...enclosing.filter((directory) => isWithin(directory, each)).map((directory) => relative(directory, each)),
    ]),
  );
  const real = showPath(workspace, path);
  others.delete(real);
  return [real, ...others];
}

/** The path, and the path after each link that it leads through. */
function spellings(path: string): string[] {
  const found = [path];
  for (let next = afterLink(path); next !== undefined && found.length <= MAX_LINKS; next = afterLink(next))
    found.push(next);
  return found;
}

/** The path with its first link replaced by what the link says; undefined without links. */
function afterLink(path: string): string | undefined {
  const names = path.split("/");
  for (let count = 2; count <= names.length; count += 1) {
    const start = names.slice(0, count).join("/");
    const link = linkAt(start);
    if (link !== undefined) return join(resolve(dirname(start), link), ...names.slice(count));
  }
  return undefined;
}

/** The target of a link as written; undefined for anything else, or if the system does not tell. */
function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

/** A path as rules name it: relative to the workspace, absolute outside of it. */
export function relativeTo(workspace: Pick<Workspace, "root" | "realPaths">, path: string): string {
  const root = rootsOf(workspace).find((directory) => isWithin(directory, path));
  return root === undefined ? path : relative(root, path) || ".";
}

function rootsOf({ root, realPaths }: Pick<Workspace, "root" | "realPaths">): string[] {
  return [...new Set([realPaths[root] ?? root, root])];
}
