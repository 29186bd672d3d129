/** `deputy config import`: converts another program's config, and reports everything that was not converted. */

import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { dotenvBeside } from "../../../config/config-texts.ts";
import { readYaml } from "../../../config/document.ts";
import { type ConfigPlace, writtenConfigPath } from "../../../config/load.ts";
import { DeputyError } from "../../../errors.ts";
import { BUILT_IN_PROVIDERS, UNSUPPORTED_PROVIDERS } from "../../../routing/catalog/built-in-providers.ts";
import { normalBaseUrl } from "../../../routing/catalog/endpoints.ts";
import { createProviders } from "../../../routing/catalog/providers.ts";
import { isUsableKey } from "../../../routing/keys/provider-connection.ts";
import { readForeignText } from "../../../system/foreign-file.ts";
import { valueAt } from "../../../values/key-path.ts";
import type { Io } from "../../io.ts";
import { oneLine } from "../../terminal/terminal-text.ts";
import { refuseToOverwrite, writeConfig } from "../write-config.ts";
import { type Imported, importHermes } from "./hermes.ts";
import type { KnownProviders } from "./hermes-providers.ts";

export type ImportFlags = { write?: true; force?: true };

const MAX_BYTES = 1024 ** 2;

/** @throws DeputyError `input-unreadable`; with `--write` also `usage` and `output-unwritable` */
export function importConfig(io: Io, place: ConfigPlace, file: string | undefined, flags: ImportFlags): void {
  const source = file === undefined ? join(io.env.HOME || homedir(), ".hermes/config.yaml") : resolve(io.cwd, file);
  const target = writtenConfigPath(place);
  if (flags.write) refuseToOverwrite(target, flags.force);
  const imported = importHermes(readSource(source), knownProviders());
  const notes = notesOn(imported, { ...dotenvBeside(target), ...io.env }).map(oneLine);
  const head = headOf(source, notes);
  if (!flags.write) {
    io.stdout.write(`${head}\n${stringify(masked(imported))}`);
    return;
  }
  const backup = writeConfig(target, `${head}\n${stringify(imported.config)}`);
  io.stdout.write(`${notes.map((note) => `- ${note}\n`).join("")}\nWritten to ${target}.`);
  io.stdout.write(`${backup === undefined ? "" : ` The previous file is ${backup}.`} Next: deputy doctor\n`);
}

function readSource(path: string): Record<string, unknown> {
  const found = readForeignText(path, { maxBytes: MAX_BYTES });
  if (found === undefined || "unreadable" in found) {
    const reason = found?.unreadable ?? "there is no such file";
    throw new DeputyError("input-unreadable", `Expected a Hermes config at ${path}; it cannot be read: ${reason}.`);
  }
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

function notesOn({ notes, literalKeys, variables }: Imported, env: Io["env"]): string[] {
  const unset = variables.filter((name) => (env[name] ?? "").trim() === "");
  const literal = literalKeys.map((path) => path.join("."));
  return [
    ...notes,
    ...(literal.length === 0
      ? []
      : [
          `Literal keys, copied unchanged: ${literal.join(", ")}. Better: a variable, named by api_key_env or \${NAME}.`,
        ]),
    ...(unset.length === 0
      ? []
      : [
          `Not set here: ${unset.join(", ")}. Keys of ~/.hermes/.env are not read: export them, or copy them to a .env next to this file.`,
        ]),
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
