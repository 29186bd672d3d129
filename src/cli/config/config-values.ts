/** The values of a configuration for display, each with its source; keys in them are not shown. */
import type { LoadedConfig } from "../../config/load.ts";
import { mayBeKey, withoutKeyLikes } from "../../secret.ts";
import { jsonLine } from "../../text/printed-json.ts";
import { isRecord } from "../../values/record.ts";
import type { Output, Paint } from "../io.ts";
import { formatTable } from "../terminal/table.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { columnsOf, wrapFor } from "../terminal/word-wrap.ts";

export type ConfigValue = { key: string; value: unknown; source: string };

/** Every leaf of the configuration. Secrets are printed as their variables. */
export function valuesOf({ config, sourceOf }: LoadedConfig): ConfigValue[] {
  const leaves = (value: unknown, path: string[]): ConfigValue[] =>
    isBranch(value)
      ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
      : [{ key: path.join("."), value, source: sourceOf(path) }];
  return leaves(JSON.parse(JSON.stringify(withCommandsHidden(config))), []);
}

/** A command may contain a key: its program says enough. */
function withCommandsHidden(config: LoadedConfig["config"]): object {
  const { providers, web } = config;
  const entries = Object.entries(providers).map(([name, entry]) => [name, withCommandHidden(entry)] as const);
  const search = web.search && { search: withCommandHidden(web.search) };
  return { ...config, providers: Object.fromEntries(entries), web: { ...web, ...search } };
}

function withCommandHidden<Entry extends { api_key_command?: string | readonly string[] | undefined }>(
  entry: Entry,
): object {
  const { api_key_command: command } = entry;
  return command === undefined ? entry : { ...entry, api_key_command: programOf(command) };
}

function programOf(command: string | readonly string[]): string {
  const [program = "", ...rest] = typeof command === "string" ? command.trim().split(/\s+/) : command;
  const shown = /^[\w./~-]+$/.test(program) && !mayBeKey(program) ? program : "[secret]";
  return rest.length === 0 ? shown : `${shown} [secret]`;
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && Object.keys(value).length > 0;
}

const VALUE_COLUMNS = [
  { title: "KEY", cut: "start" },
  { title: "VALUE", least: 12 },
  { title: "FROM", least: 20, cut: "start" },
] as const;

/** @param output a terminal that the table has to fit; without it, values are whole */
export function formatValues(
  values: ConfigValue[],
  { warnings }: LoadedConfig,
  paint: Paint,
  output: Output = { write() {} },
): string {
  const rows = values.map(({ key, value, source }) => [key, withoutKeyLikes(jsonLine(value).trimEnd()), source]);
  const table =
    rows.length === 0
      ? "Nothing is set; the defaults apply.\n"
      : formatTable(VALUE_COLUMNS, rows, paint, columnsOf(output));
  return (
    table + warnings.map(({ message }) => `${wrapFor(output, paint("yellow", `! ${oneLine(message)}`))}\n`).join("")
  );
}
