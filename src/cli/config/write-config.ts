/** Writes configs for commands: replaces a user's config only when told to, and always keeps a copy. */
import { copyFileSync, existsSync, lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DeputyError, errorMessage } from "../../errors.ts";
import { writePrivateFile } from "../../system/private-file.ts";

/** @throws DeputyError `usage` if there is one already */
export function refuseToOverwrite(path: string, force: true | undefined): void {
  if (force || !existsSync(path)) return;
  throw new DeputyError(
    "usage",
    `There is a config at ${path} already. --force replaces it and keeps a copy; --config writes to another path.`,
  );
}

/**
 * @returns the path of the copy of the former config, if any
 * @throws DeputyError `output-unwritable`
 */
export function writeConfig(path: string, text: string, mode?: number): string | undefined {
  try {
    const backup = existsSync(path) ? freeName(`${path}.bak`) : undefined;
    if (backup !== undefined) copyFileSync(path, backup);
    writePrivateFile(path, text, mode);
    return backup;
  } catch (error) {
    throw new DeputyError("output-unwritable", `Cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Writes another program's settings: follows links, and keeps the file's mode.
 * @returns the path of the copy of the former file, if any
 * @throws DeputyError `output-unwritable`
 */
export function writeSettings(path: string, text: string): string | undefined {
  if (!existsSync(path)) return writeConfig(whereLinked(path), text);
  const target = realpathSync(path);
  return writeConfig(target, text, statSync(target).mode & 0o777);
}

/** The target of a dangling link. Circular links cannot be read, so they never get here. */
function whereLinked(path: string): string {
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? whereLinked(resolve(realpathSync(dirname(path)), readlinkSync(path))) : path;
}

/** A free name: `config.yaml.bak`, `config.yaml.bak.2` … */
function freeName(path: string): string {
  let name = path;
  for (let count = 2; existsSync(name); count++) name = `${path}.${count}`;
  return name;
}
