/** How a command writes the user's config: never over one that is there, unless told to, and then with a copy kept. */
import { copyFileSync, existsSync } from "node:fs";
import { writePrivateFile } from "../config/private-file.ts";
import { DeputyError } from "../errors.ts";

/** @throws DeputyError `usage` where there is one already */
export function refuseToOverwrite(path: string, force: true | undefined): void {
  if (force || !existsSync(path)) return;
  throw new DeputyError(
    "usage",
    `There is a config at ${path} already. --force replaces it and keeps a copy; --config writes to another path.`,
  );
}

/**
 * @returns where the former config is kept, where there was one
 * @throws DeputyError `output-unwritable`
 */
export function writeConfig(path: string, text: string): string | undefined {
  try {
    const backup = existsSync(path) ? freeName(`${path}.bak`) : undefined;
    if (backup !== undefined) copyFileSync(path, backup);
    writePrivateFile(path, text);
    return backup;
  } catch (error) {
    throw new DeputyError("output-unwritable", `Cannot write ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** `config.yaml.bak`, `config.yaml.bak.2` … */
function freeName(path: string): string {
  let name = path;
  for (let count = 2; existsSync(name); count++) name = `${path}.${count}`;
  return name;
}
