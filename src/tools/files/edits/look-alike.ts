/** Names and texts that look the same and are not: another normal form, other quotes, dashes, blanks or case. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A text in which everything that looks alike is alike. */
export function foldLooks(line: string): string {
  return line
    .normalize("NFKC")
    .replaceAll(/[\u2018\u2019\u201a\u201b\u2032\u00b4`]/g, "'")
    .replaceAll(/[\u201c-\u201f\u2033\u00ab\u00bb]/g, '"')
    .replaceAll(/[\u2010-\u2015\u2212]/g, "-")
    .replaceAll(/[\u200b-\u200d\u2060\ufeff\u00ad]/g, "")
    .replaceAll(/\s/g, " ");
}

/** The name in a directory that is the same in Unicode's eyes: as macOS writes names, and as models do. */
export function sameNameIn(directory: string, name: string): string | undefined {
  if (!/\P{ASCII}/u.test(name)) return undefined;
  const wanted = name.normalize("NFC");
  return namesIn(directory).find((each) => each.normalize("NFC") === wanted);
}

/** An existing path that looks like one that does not exist, or differs from it only in case. */
export function pathLike(path: string): string | undefined {
  const parent = dirname(path);
  if (parent === path) return undefined;
  const directory = existsSync(parent) ? parent : pathLike(parent);
  if (directory === undefined) return undefined;
  const wanted = foldLooks(basename(path)).toLowerCase();
  const name = namesIn(directory).find((each) => foldLooks(each).toLowerCase() === wanted);
  return name === undefined ? undefined : join(directory, name);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // It is no directory, or may not be read: then it has no name to offer.
  }
}
