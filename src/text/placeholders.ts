/**
 * Placeholders in texts of tasks: `{{name}}` and `{{name.field}}`. Only a declared first name makes one; other braces are
 * text. A value is put in once and never read again.
 */
import { suggest } from "./did-you-mean.ts";

/** A declared name: returns the text of a path after it (`field` of `{{name.field}}`), or throws what is wrong with it. */
export type PlaceholderValue = (path: readonly string[]) => string;
export type Declared = ReadonlyMap<string, PlaceholderValue>;

export type FilledText = {
  text: string;
  /** Declared names that were put in. */
  used: ReadonlySet<string>;
  /** What looks like a placeholder and is text, each with the form that was probably meant. */
  nearMisses: readonly { written: string; meant: string }[];
};

/** Longest text between two braces that is read as a name. */
const MAX_INNER = 200;
const DOUBLE = new RegExp(`\\{\\{([^{}\\n]{1,${MAX_INNER}})\\}\\}`, "g");
/** `{name}`, `${name}`. */
const SINGLE = new RegExp(`\\$?\\{([^{}\\n]{1,${MAX_INNER}})\\}`, "g");
const NAME = /^[A-Za-z_][\w-]*$/;

export function isPlaceholderName(name: string): boolean {
  return NAME.test(name);
}

export function fillPlaceholders(text: string, declared: Declared): FilledText {
  const used = new Set<string>();
  const nearMisses: FilledText["nearMisses"][number][] = [];
  const filled = text.replaceAll(DOUBLE, (written, inner: string) => {
    const { name, path } = partsOf(inner);
    const value = declared.get(name);
    if (value !== undefined) {
      used.add(name);
      return value(path);
    }
    const [close] = NAME.test(name) ? suggest(name, declared.keys(), 1) : [];
    if (close !== undefined) nearMisses.push({ written, meant: `{{${[close, ...path].join(".")}}}` });
    return written;
  });
  for (const [written, inner = ""] of text.replaceAll(DOUBLE, "").matchAll(SINGLE))
    if (declared.has(partsOf(inner).name)) nearMisses.push({ written, meant: `{{${inner.trim()}}}` });
  return { text: filled, used, nearMisses };
}

function partsOf(inner: string): { name: string; path: string[] } {
  const [name = "", ...path] = inner.trim().split(".");
  return { name, path };
}
