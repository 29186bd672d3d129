/**
 * Notations of paths that shells, browsers and other systems understand and file tools do not: taken as they are written,
 * `~/x` would become a directory named `~`. They are recognized only in paths that do not exist.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, normalize, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isWithin } from "../../../values/path-within.ts";
import { ToolError } from "../../tool-error.ts";

/** `name`: the part that is not understood. `meant`: the path that it stands for, if that is known. */
type Notation = { name: string; meant?: string | undefined };

/** @throws ToolError if a new path is written in such a notation, with the path to write instead */
export function checkNotation(root: string, path: string): void {
  const notation = notationOf(root, path);
  if (notation === undefined) return;
  const { name, meant } = notation;
  throw new ToolError(
    `Expected a plain path; found ${path}, in which ${name} would become part of a name. ${advice(root, meant)}`,
  );
}

function advice(root: string, meant: string | undefined): string {
  if (meant === undefined) return "Write the path relative to the workspace.";
  const real = resolve(root, meant);
  return isWithin(root, real)
    ? `Write ${relative(root, real) || "."}.`
    : `It seems to mean ${real}, which is out of the workspace. Use a path inside, relative to the workspace.`;
}

function notationOf(root: string, written: string): Notation | undefined {
  const path = isUrl(written) ? written : normalize(written);
  const [first = "", ...rest] = path.split("/");
  const below = rest.join("/");
  const isThere = existsSync(join(root, first));
  if (!isThere && /^file:/i.test(path)) return { name: "file:", meant: pathOfUrl(path) };
  if (!isThere && rest[0] === "" && /^[a-z][\w+.-]*:$/i.test(first)) return { name: first };
  if (!isThere && HOME.test(first)) return { name: first, meant: join(homedir(), below) };
  if (!isThere && rest.length > 0 && /^~\w[\w.-]*$/.test(first)) return { name: first };
  if (!isThere && isVariable(first))
    return { name: first, meant: /PWD|WORKSPACE/.test(first) ? join(root, below) : undefined };
  const odd = unknownPart(root, path, HOME) ?? unknownPart(root, path, COMMAND);
  if (odd !== undefined) return { name: odd };
  const escaped = unknownPart(root, path, /%[0-9a-f]{2}/i);
  if (escaped !== undefined) return { name: escaped, meant: unescaped(path) };
  const slashed = process.platform === "win32" ? undefined : unknownPart(root, path, /\\|^[a-z]:$/i);
  if (slashed === undefined) return undefined;
  const hasDrive = /^[a-z]:/i.test(path);
  return { name: slashed, meant: hasDrive ? undefined : path.replaceAll(/\\+/g, "/") };
}

/** As a name, these are dangerous anywhere: a command that removes such a directory removes another one. */
const HOME = /^(~|\$HOME|\$\{HOME\}|%USERPROFILE%|\$env:(HOME|USERPROFILE))$/i;
const COMMAND = /^(\$\(.*\)|`.*`)$/;

function isUrl(path: string): boolean {
  return /^(file:|[a-z][\w+.-]*:\/\/)/i.test(path);
}

/** Only capitals: a directory may well be called `$lib`. */
function isVariable(name: string): boolean {
  return /^(\$[A-Z_][A-Z0-9_]*|\$\{\w+\}|%[A-Z_]+%|\$env:\w+|\{\{.*\}\})$/.test(name);
}

/** The first name of the path with such a part, unless it exists as it is written. */
function unknownPart(root: string, path: string, part: RegExp): string | undefined {
  const names = path.split("/");
  const odd = names.findIndex((name) => part.test(name));
  return odd < 0 || existsSync(resolve(root, names.slice(0, odd + 1).join("/"))) ? undefined : names[odd];
}

function pathOfUrl(url: string): string | undefined {
  try {
    return fileURLToPath(url);
  } catch {
    return undefined;
  }
}

function unescaped(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
