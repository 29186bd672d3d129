/**
 * Settings in YAML. The library would rewrite the whole file, so a new entry is inserted between the lines if possible.
 */
import { isMap, LineCounter, parseDocument, stringify } from "yaml";
import { yamlError } from "../../config/syntax.ts";
import { appendLines, lineBreakOf, SettingsError, type SettingsSyntax } from "./settings-syntax.ts";

export const yamlSettings: SettingsSyntax = {
  parse(text) {
    const lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const [error] = document.errors;
    if (error === undefined) return document.toJS();
    const { line, col } = lines.linePos(error.pos[0]);
    throw new SettingsError(`it is not valid YAML: line ${line}, column ${col}: ${yamlError(error, document.errors)}`);
  },

  edit(text, [section, name], entry) {
    const document = parseDocument(text);
    const root = document.contents;
    const holder = isMap(root) ? root.get(section, true) : undefined;
    if (holder === undefined && !(isMap(root) && root.flow))
      return appendLines(text, yamlSettings.snippet([section, name], entry));
    if (isMap(holder) && holder.range && !holder.flow && !holder.has(name)) {
      const [start, end] = holder.range;
      const indent = text.slice(text.lastIndexOf("\n", start) + 1, start);
      const lines = stringify({ [name]: entry })
        .replace(/^/gm, indent)
        .trimEnd();
      return appendLines(text.slice(0, end), `${lines}\n`) + text.slice(end);
    }
    if (!isMap(holder)) document.set(section, document.createNode({})); // A key without a value.
    document.setIn([section, name], document.createNode(entry));
    return document.toString({ lineWidth: 0 }).replaceAll("\n", lineBreakOf(text));
  },

  snippet: ([section, name], entry) => stringify({ [section]: { [name]: entry } }),
};
