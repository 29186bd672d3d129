/** The config file that `config set` and `config edit` change: its place, its text, and what a change must satisfy. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ConfigKind, readConfigTexts } from "../../config/config-texts.ts";
import { readDocument } from "../../config/document.ts";
import { type ConfigPlace, findConfigFiles, userConfigPath, writtenConfigPath } from "../../config/load.ts";
import { isTrusted, stateDir } from "../../config/trust.ts";
import { DeputyError } from "../../errors.ts";
import type { Io } from "../io.ts";
import { writeWarning } from "../terminal/warning.ts";
import { replaceConfig } from "./write-config.ts";

/** Without one, the file of `--config` or DEPUTY_CONFIG, else the user's own. */
export type WhichFile = { user?: true; project?: true };

export type EditedConfig = { path: string; kind: ConfigKind; text: string };

/** The file with its text, which is empty if there is none yet. @throws DeputyError `config-invalid` */
export function editedConfig(place: ConfigPlace, { user, project }: WhichFile): EditedConfig {
  const kind = project ? "project" : user ? "user" : "named";
  const path = project ? projectConfigPath(place) : user ? userConfigPath(place.env) : writtenConfigPath(place);
  return { path, kind, text: existsSync(path) ? readConfigTexts(path, kind).text : "" };
}

/** The nearest project's file, else one in the working directory. */
function projectConfigPath({ env, cwd }: ConfigPlace): string {
  const files = findConfigFiles({ env: { ...env, DEPUTY_CONFIG: undefined }, cwd });
  return files.find(({ kind }) => kind === "project")?.path ?? join(cwd, ".deputy", "config.yaml");
}

/** @throws DeputyError `config-invalid` with every error as `file:line:col key: …`; nothing is written then */
export function checkConfig(path: string, text: string): void {
  const errors = configErrors(path, text);
  if (errors.length > 0) throw new DeputyError("config-invalid", errors.join("\n"), { details: errors });
}

/** Every error of a config's text as `file:line:col key: …`. */
export function configErrors(path: string, text: string): string[] {
  const read = readDocument(path, text);
  return "errors" in read ? read.errors : [];
}

/**
 * Replaces the file, unless it has changed meanwhile, and says what a project's file needs.
 * @throws DeputyError `config-invalid`, `output-unwritable`
 */
export function saveConfig(io: Io, place: ConfigPlace, { path, kind, text: former }: EditedConfig, text: string): void {
  checkConfig(path, text);
  if (existsSync(path) && readConfigTexts(path, kind).text !== former)
    throw new DeputyError("output-unwritable", `${path} has changed meanwhile; it was left as it is. Try again.`);
  replaceConfig(path, text);
  if (kind !== "project" || isTrusted(path, readConfigTexts(path, kind), stateDir(place.env))) return;
  writeWarning(io, "This project's config can only choose among your routes until you trust it: deputy config trust");
}
