/**
 * Texts of one config file and of the `.env` next to it. They are read once and together, so that the user trusts
 * exactly what takes effect. A project's files must lie in the project: anybody may have put a link there.
 */
import { devNull } from "node:os";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { DeputyError, type Warning } from "../errors.ts";
import { readForeignText } from "../system/foreign-file.ts";

export type ConfigKind = "named" | "user" | "project";

/** `isShared`: the config's text has another name somewhere. `warnings`: an existing `.env` that cannot be read. */
export type ConfigTexts = { text: string; isShared: boolean; dotenv: string; warnings: Warning[] };

/** Maximum size. A project's file must be small, because it is read before the user trusts it. */
const MAX_BYTES: Record<ConfigKind, number> = { named: 1024 ** 2, user: 1024 ** 2, project: 64 * 1024 };
const MAX_DOTENV_BYTES = 256 * 1024;

/** @throws DeputyError `config-invalid` if the config itself cannot be read; its content is never quoted */
export function readConfigTexts(path: string, kind: ConfigKind): ConfigTexts {
  return { ...configText(path, kind), ...dotenvText(path, kind) };
}

/** Variables of the `.env` next to one of the user's own config files. Neither file needs to exist. */
export function dotenvBeside(path: string): Record<string, string> {
  return parseEnv(dotenvText(path, "user").dotenv) as Record<string, string>;
}

function configText(path: string, kind: ConfigKind): Pick<ConfigTexts, "text" | "isShared"> {
  if (path === devNull) return { text: "", isShared: false };
  const found = readForeignText(path, { ...boundsOf(path, kind), maxBytes: MAX_BYTES[kind] });
  if (found !== undefined && "text" in found) return { text: found.text, isShared: found.isShared };
  const reason = found?.unreadable ?? "there is no such file";
  const hint = kind === "named" ? " Name a file that Deputy can read, and read again for each run." : "";
  throw new DeputyError("config-invalid", `Expected a config file at ${path}; it cannot be read: ${reason}.${hint}`);
}

function dotenvText(path: string, kind: ConfigKind): Pick<ConfigTexts, "dotenv" | "warnings"> {
  const file = join(dirname(path), ".env");
  const found = readForeignText(file, { ...boundsOf(path, kind), maxBytes: MAX_DOTENV_BYTES });
  if (found === undefined) return { dotenv: "", warnings: [] };
  if ("text" in found) return { dotenv: found.text, warnings: [] };
  const message = `${file}: ${found.unreadable}. Its variables are not set.`;
  return { dotenv: "", warnings: [{ code: "dotenv-unreadable", message }] };
}

/** A project is the directory that contains `.deputy`. */
function boundsOf(path: string, kind: ConfigKind): { within?: string[] } {
  return kind === "project" ? { within: [dirname(dirname(path))] } : {};
}
