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
 * Writes a config to where `path` leads: a link stays a link, because many keep their configs in another directory.
 * @returns the path of the copy of the former config, if any
 * @throws DeputyError `output-unwritable`
 */
export function writeConfig(path: string, text: string): string | undefined {
  return writeLinked(path, text, () => undefined);
}

/**
 * Writes another program's settings in the same way, and keeps the file's mode.
 * @returns the path of the copy of the former file, if any
 * @throws DeputyError `output-unwritable`
 */
export function writeSettings(path: string, text: string): string | undefined {
  return writeLinked(path, text, (target) => statSync(target).mode & 0o777);
}

/**
 * Replaces a config after an edit that was checked, without a copy; a link stays a link, and the file's mode stays.
 * @throws DeputyError `output-unwritable`
 */
export function replaceConfig(path: string, text: string): void {
  try {
    const target = whereLinked(path);
    const former = statSync(target, { throwIfNoEntry: false });
    writePrivateFile(target, text, former && former.mode & 0o777);
  } catch (error) {
    throw new DeputyError("output-unwritable", `Cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

function writeLinked(path: string, text: string, modeOf: (former: string) => number | undefined): string | undefined {
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      writePrivateFile(whereLinked(path), text);
      return undefined;
    }
    const target = realpathSync(path);
    const backup = freeName(`${target}.bak`);
    copyFileSync(target, backup);
    writePrivateFile(target, text, modeOf(target));
    return backup;
  } catch (error) {
    throw new DeputyError("output-unwritable", `Cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Where a chain of links ends, also if nothing is there. The system refuses circular ones before. */
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
