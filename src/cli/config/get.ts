/** `deputy config get`: one value in effect, or a part of the configuration, and its source. */
import { type ConfigPlace, loadConfig } from "../../config/load.ts";
import { keysAllowedAt } from "../../config-schema.ts";
import { DeputyError } from "../../errors.ts";
import { withoutKeyLikes } from "../../secret.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { type KeyPath, pathText, valueAt } from "../../values/key-path.ts";
import { createPaint, type Io } from "../io.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { type ConfigValue, formatValues, valuesOf } from "./config-values.ts";
import { typedKey } from "./set.ts";

/**
 * Prints the value alone on standard output; its source is a note.
 * @returns whether anything is set
 * @throws DeputyError `usage` for a key that cannot exist; `config-invalid`
 */
export function getConfigValue(io: Io, place: ConfigPlace, key: string, { json }: { json?: true }): boolean {
  const path = typedKey(key);
  checkKey(path);
  const loaded = loadConfig(place);
  const name = pathText(path);
  const found = valuesOf(loaded).flatMap((each) => partAt(each, path) ?? []);
  const [first] = found;
  if (json) io.stdout.write(jsonDocument(found));
  else if (first?.key === name) {
    const text = typeof first.value === "string" ? first.value : JSON.stringify(first.value);
    io.stdout.write(`${withoutKeyLikes(oneLine(text))}\n`);
    io.stderr.write(createPaint(io.stderr, io.env)("dim", `from ${oneLine(first.source)}\n`));
  } else if (first !== undefined) {
    io.stdout.write(formatValues(found, { ...loaded, warnings: [] }, createPaint(io.stdout, io.env), io.stdout));
  } else io.stderr.write(`${pathText(path)} is not set. Set it: deputy config set ${pathText(path)} VALUE\n`);
  return first !== undefined;
}

/** The value if it is at the path or below it, or what the path selects in it; undefined if it has nothing there. */
function partAt(each: ConfigValue, path: KeyPath): ConfigValue | undefined {
  if (each.key.startsWith(`${path.join(".")}.`)) return each;
  const depth = path.findIndex((_, index) => path.slice(0, index + 1).join(".") === each.key) + 1;
  const value = depth === 0 ? undefined : valueAt(each.value, path.slice(depth));
  return value === undefined ? undefined : { ...each, key: pathText(path), value };
}

function checkKey(path: KeyPath): void {
  for (const [depth, step] of path.entries()) {
    const known = keysAllowedAt(path.slice(0, depth));
    if (known === undefined || known.includes(String(step)) || typeof step === "number") continue;
    const [close] = suggest(String(step), known, 1);
    const hint = close === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean ${close}?`;
    throw new DeputyError("usage", `There is no key ${pathText(path.slice(0, depth + 1))}. ${hint}`);
  }
}
