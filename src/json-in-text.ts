/** Values that clients write as JSON text where a list or an object belongs, once or several times over. */

/**
 * What a text stands for: the value, where it is JSON of a list, an object or a quoted text; else the text itself.
 * @throws SyntaxError where it begins like such JSON and is none: it is never taken as a word of that spelling
 */
export function unquoted(text: string): unknown {
  const written = text.trim();
  if (!looksLikeJson(written)) return text;
  const value: unknown = JSON.parse(written);
  return typeof value === "string" ? unquoted(value) : value;
}

/** `[draft] plan.png`, `{{item}} of it` and `"a" or "b` do not. */
function looksLikeJson(text: string): boolean {
  if (text.startsWith("[")) return text.endsWith("]") || /^\[\s*["[{]/.test(text);
  if (text.startsWith("{")) return text.endsWith("}") || /^\{\s*"/.test(text);
  return text.length > 1 && text.startsWith('"') && text.endsWith('"');
}
