/** `deputy config import`: converts another program's config, and reports everything that was not converted. */

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { dotenvBeside } from "../../../config/config-texts.ts";
import type { Fields } from "../../../config/consume.ts";
import { readYaml } from "../../../config/document.ts";
import { type ConfigPlace, writtenConfigPath } from "../../../config/load.ts";
import { DeputyError } from "../../../errors.ts";
import { BUILT_IN_PROVIDERS, UNSUPPORTED_PROVIDERS } from "../../../routing/catalog/built-in-providers.ts";
import { normalBaseUrl } from "../../../routing/catalog/endpoints.ts";
import { createProviders } from "../../../routing/catalog/providers.ts";
import { isUsableKey } from "../../../routing/keys/provider-connection.ts";
import { readForeignText } from "../../../system/foreign-file.ts";
import { suggest } from "../../../text/did-you-mean.ts";
import { valueAt } from "../../../values/key-path.ts";
import { fieldsOf, isRecord } from "../../../values/record.ts";
import type { Io } from "../../io.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { refuseToOverwrite, writeConfig } from "../write-config.ts";
import { convertForeign } from "./foreign.ts";
import { type Imported, importHermes } from "./hermes.ts";
import type { KnownProviders } from "./hermes-providers.ts";
import { IMPORTED_PROGRAMS, type ImportedProgram } from "./programs.ts";

export type ImportFlags = { write?: true; force?: true; project?: true };

const MAX_BYTES = 1024 ** 2;
/** Some programs keep more than settings in these files. */
const MAX_STATE_BYTES = 64 * 1024 ** 2;

/**
 * @param words a program and a file, or only one of them; without a program, Hermes
 * @throws DeputyError `input-unreadable`, `usage`; with `--write` also `output-unwritable`
 */
export function importConfig(io: Io, place: ConfigPlace, words: readonly string[], flags: ImportFlags): void {
  const [first = "hermes", file] = words;
  const program = Object.hasOwn(IMPORTED_PROGRAMS, first) ? IMPORTED_PROGRAMS[first] : undefined;
  const isHermes = program === undefined && (first === "hermes" || file === undefined);
  if (program === undefined && !isHermes) throw unknownProgram(first);
  if (isHermes && first !== "hermes" && /^[\w-]+$/.test(first) && !existsSync(resolve(io.cwd, first)))
    throw unknownProgram(first);
  if (flags.project && program === undefined) throw new DeputyError("usage", "Hermes has no config for a project.");
  const target = flags.project ? join(io.cwd, ".deputy", "config.yaml") : writtenConfigPath(place);
  if (flags.write) refuseToOverwrite(target, flags.force);
  const { source, imported, hint } = program
    ? importedProgram(program, file, flags, io)
    : importedHermes(io, first === "hermes" ? file : first);
  const notes = notesOn(imported, { ...dotenvBeside(target), ...io.env }, hint).map(oneLine);
  const head = headOf(source, notes);
  if (!flags.write) {
    io.stdout.write(`${head}\n${stringify(masked(imported))}`);
    return;
  }
  const backup = writeConfig(target, `${head}\n${stringify(imported.config)}`);
  io.stdout.write(`${notes.map((note) => `- ${note}\n`).join("")}\nWritten to ${target}.`);
  io.stdout.write(`${backup === undefined ? "" : ` The previous file is ${backup}.`} Next: deputy doctor\n`);
}

function unknownProgram(name: string): DeputyError {
  const names = [...Object.keys(IMPORTED_PROGRAMS), "hermes"];
  const [close] = suggest(name, names, 1);
  const hint = close === undefined ? "" : ` Did you mean ${close}?`;
  return new DeputyError("usage", `Expected one of ${names.join(", ")}; found ${name}.${hint}`);
}

type ImportSource = { source: string; imported: Imported /** Where the program keeps variables. */; hint: string };

function importedHermes(io: Io, file: string | undefined): ImportSource {
  const source = file === undefined ? join(io.env.HOME || homedir(), ".hermes/config.yaml") : resolve(io.cwd, file);
  const hint = "Keys of ~/.hermes/.env are not read: export them, or copy them to a .env next to this file.";
  return { source, imported: importHermes(readSource(source), knownProviders()), hint };
}

/** Reads a program's files: the one that is given, the project's, or the user's. */
function importedProgram(program: ImportedProgram, file: string | undefined, flags: ImportFlags, io: Io): ImportSource {
  const { title, projectFiles, userFiles, parse, select = (fields) => fields, convert } = program;
  const paths =
    file !== undefined
      ? [resolve(io.cwd, file)]
      : flags.project
        ? projectFiles.map((path) => join(io.cwd, path))
        : userFiles(io.env);
  const bounds = flags.project ? { within: [io.cwd] } : {};
  const found = paths.flatMap((path) => {
    const read = readForeignText(path, { ...bounds, maxBytes: MAX_STATE_BYTES });
    if (read === undefined) return [];
    if ("unreadable" in read) throw unreadable(title, path, read.unreadable);
    return [{ path, fields: select(parsedFields(title, path, read.text, parse), path) }];
  });
  if (found.length === 0) throw unreadable(title, paths.join(" or "), "there is no such file");
  const source = found.map(({ path }) => path).join(", ");
  const imported = convertForeign(
    convert,
    found.map(({ fields }) => fields),
    knownProviders(),
  );
  return { source, imported, hint: "Export them, or put them into a .env next to this file." };
}

/** The parser's message may quote the file, which may contain keys; only the place is named. */
function parsedFields(title: string, path: string, text: string, parse: (text: string) => unknown): Fields {
  let value: unknown;
  try {
    value = parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const { line, column } = fieldsOf(error);
    const where = typeof line === "number" ? `${path}:${line}:${String(column)}` : path;
    throw unreadable(title, where, "its syntax is wrong there");
  }
  if (value === undefined) return {};
  if (!isRecord(value)) throw unreadable(title, path, "it is no map of keys and values");
  return value;
}

function unreadable(title: string, path: string, reason: string): DeputyError {
  return new DeputyError("input-unreadable", `Expected a ${title} config at ${path}; it cannot be read: ${reason}.`);
}

function readSource(path: string): Fields {
  const found = readForeignText(path, { maxBytes: MAX_BYTES });
  if (found === undefined || "unreadable" in found)
    throw unreadable("Hermes", path, found?.unreadable ?? "there is no such file");
  const read = readYaml(path, found.text, "1.1");
  if ("errors" in read) throw new DeputyError("input-unreadable", read.errors.join("\n"));
  return read.value;
}

function knownProviders(): KnownProviders {
  const { slugOf } = createProviders({ providers: {} });
  return {
    slugOf,
    insteadOf: (name) => UNSUPPORTED_PROVIDERS.get(name),
    isUsableKey,
    // A replacement for OpenAI speaks chat_completions more often than responses: its URL decides.
    modeOf: (slug) => BUILT_IN_PROVIDERS.find((row) => row.slug === slug && row.apiMode !== "responses")?.apiMode,
    slugAt(baseUrl) {
      const url = normalBaseUrl(baseUrl);
      return BUILT_IN_PROVIDERS.find((row) => row.baseUrl === url && row.keyOptional !== true)?.slug;
    },
  };
}

function notesOn({ notes, literalKeys, variables }: Imported, env: Io["env"], hint: string): string[] {
  const unset = variables.filter((name) => (env[name] ?? "").trim() === "");
  const literal = literalKeys.map((path) => path.join("."));
  return [
    ...notes,
    ...(literal.length === 0
      ? []
      : [
          `Literal keys, copied unchanged: ${literal.join(", ")}. Better: a variable, named by api_key_env or \${NAME}.`,
        ]),
    ...(unset.length === 0 ? [] : [`Not set here: ${unset.join(", ")}. ${hint}`]),
  ];
}

function headOf(source: string, notes: string[]): string {
  const lines = notes.length === 0 ? ["# Everything was converted."] : notes.map((note) => `# - ${note}`);
  return `# From ${source}. \`deputy config show\` shows the values in effect, \`deputy doctor\` checks them.\n${lines.join("\n")}\n`;
}

/** The config without keys, for display. */
function masked({ config, literalKeys }: Imported): unknown {
  const shown = structuredClone(config);
  for (const path of literalKeys) {
    const holder = valueAt(shown, path.slice(0, -1));
    if (typeof holder === "object" && holder !== null) Reflect.set(holder, path.at(-1) ?? "", "[secret]");
  }
  return shown;
}
