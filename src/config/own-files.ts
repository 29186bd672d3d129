/**
 * Deputy's own files: the configs in effect with the `.env` next to each, the user's config directory, `.deputy`, the
 * state directory, its compiled code, and the settings it wrote for agent programs. No tool of a child can reach them.
 */
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { OwnFiles } from "../own-files.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import { type ConfigPlace, findConfigFiles, userConfigPath, withAncestors } from "./load.ts";
import { stateDir } from "./trust.ts";

/** @throws DeputyError `input-unreadable` */
export function ownFiles(place: ConfigPlace): OwnFiles {
  const { env, cwd } = place;
  const state = resolve(stateDir(env));
  return {
    directories: [
      state,
      resolve(dirname(userConfigPath(env))),
      resolve(env.HOME || homedir(), ".cache", "deputy"), // bin/deputy.mjs makes Node cache compiled code there.
      // No tool creates one, so only those that are links have to be listed.
      ...withAncestors(resolve(cwd))
        .map((directory) => join(directory, ".deputy"))
        .filter((path) => existsSync(path)),
    ],
    files: [
      ...findConfigFiles(place).flatMap(({ path }) => [path, join(dirname(path), ".env")]),
      ...writtenSettings(state),
    ],
  };
}

/**
 * Records another program's settings file that starts Deputy. @throws DeputyError `input-unreadable`, or an error of
 * the system
 */
export function rememberSettings(path: string, state: string): void {
  const known = writtenSettings(state);
  const real = realpathSync(path);
  if (!known.includes(real)) writePrivateFile(settingsList(state), `${JSON.stringify([...known, real], null, 2)}\n`);
}

/** A missing or damaged list is empty. */
function writtenSettings(state: string): string[] {
  const text = readPrivateFile(settingsList(state), "the list of settings files that Deputy wrote");
  try {
    const paths: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(paths) ? paths.filter((path) => typeof path === "string") : [];
  } catch {
    return [];
  }
}

function settingsList(state: string): string {
  return join(state, "settings.json");
}
