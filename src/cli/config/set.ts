/** `deputy config set`: writes one value to a config file, whose comments and layout stay. */

import { readValue } from "../../config/document.ts";
import { editedText } from "../../config/edit-text.ts";
import type { ConfigPlace } from "../../config/load.ts";
import { DeputyError } from "../../errors.ts";
import { variablesIn } from "../../template.ts";
import { type KeyPath, keyPathIn, pathText } from "../../values/key-path.ts";
import type { Io } from "../io.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { writeWarning } from "../terminal/warning.ts";
import { configErrors, type EditedConfig, editedConfig, saveConfig, type WhichFile } from "./edited-config.ts";
import { modelDoubtsIn } from "./model-doubts.ts";

/** @throws DeputyError `usage`, `config-invalid`, `output-unwritable`; the file is unchanged then */
export function setConfigValue(io: Io, place: ConfigPlace, key: string, written: string, which: WhichFile): void {
  const appends = key.endsWith("[]");
  const path = typedKey(appends ? key.slice(0, -2) : key);
  const value = readValue(written);
  const edited = editedConfig(place, which);
  const text = editedText(edited.text, { path, appends }, value);
  checkChange(edited, text);
  const here = { env: io.env, cwd: io.cwd, configPath: edited.path };
  const before = edited.text === "" ? [] : modelDoubtsIn(here);
  saveConfig(io, place, edited, text);
  io.stdout.write(`Set ${oneLine(key)} in ${edited.path}.\n`);
  for (const doubt of modelDoubtsIn(here)) if (!before.includes(doubt)) writeWarning(io, doubt);
  if (holdsPlainSecret(path, value)) writeWarning(io, plainSecretNote(path));
}

/**
 * Only what is wrong in the file has a line in it; what the command adds has none.
 * @throws DeputyError `config-invalid`
 */
function checkChange({ path, text: former }: EditedConfig, text: string): void {
  const said = (error: string) => error.slice(path.length).replace(/^:\d+:\d+ /, "");
  const old = configErrors(path, former);
  const errors = configErrors(path, text).map(
    (error) => old.find((other) => said(other) === said(error)) ?? said(error),
  );
  if (errors.length > 0) throw new DeputyError("config-invalid", errors.join("\n"), { details: errors });
}

/** @throws DeputyError `usage` */
export function typedKey(key: string): KeyPath {
  const path = keyPathIn(key);
  if (path !== undefined) return path;
  const expected = 'a key such as delegation.max_iterations, permissions[0].then or models."a.b"';
  throw new DeputyError("usage", `Expected ${expected}; found ${JSON.stringify(key)}.`);
}

const SECRET_KEYS = ["api_key", "api_keys", "headers"];

function holdsPlainSecret(path: KeyPath, value: unknown): boolean {
  if (Array.isArray(value)) return value.some((inner) => holdsPlainSecret(path, inner));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).some(([key, inner]) => holdsPlainSecret([...path, key], inner));
  const isSecret = path.some((key) => SECRET_KEYS.includes(String(key)));
  return isSecret && typeof value === "string" && variablesIn(value).length === 0;
}

function plainSecretNote(path: KeyPath): string {
  const owner = path[0] === "providers" && path.length > 1 ? pathText(path.slice(0, 2)) : "providers.NAME";
  return (
    "The key is now in the file as plain text, and in the history of your shell. Better: put it into a variable, and " +
    `deputy config set ${owner}.api_key_env VARIABLE (or a value of '\u0024{VARIABLE}')`
  );
}
