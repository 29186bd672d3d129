/** Values that clients write as JSON text where a list or an object belongs, once or several times over. */

/**
 * What a text stands for: the value, where it is JSON of a list, an object or a quoted text; else the text itself.
 * @throws SyntaxError where it begins like such JSON and is none: it is never taken as a word of that spelling
 */
export function unquoted(text: string): unknown {
  const written = withoutFence(text.trim());
  const straight = withStraightQuotes(written);
  if (straight !== undefined) return straight.value;
  if (!looksLikeJson(written)) return text;
  const value: unknown = JSON.parse(written);
  return typeof value === "string" ? unquoted(value) : value;
}

/** A model's code block, with its language or without. */
function withoutFence(text: string): string {
  const [, language] = /^```(json)?[ \t]*\r?\n/i.exec(text) ?? [];
  if (!text.startsWith("```") || !text.endsWith("```") || text.length < 7) return text;
  const inside = text.slice(3 + (language?.length ?? 0), -3).trim();
  return looksLikeJson(inside) ? inside : text;
}

/** A word processor's quotes around everything. Where straight ones are among them, nobody knows which end a text. */
function withStraightQuotes(text: string): { value: unknown } | undefined {
  const straight = text.replaceAll(/[\u201c\u201d]/g, '"');
  if (straight === text || text.includes('"') || !looksLikeJson(straight)) return undefined;
  try {
    return { value: JSON.parse(straight) };
  } catch {
    return undefined;
  }
}

/** `[draft] plan.png`, `{{item}} of it` and `"a" or "b` do not. */
function looksLikeJson(text: string): boolean {
  if (text.startsWith("[")) return text.endsWith("]") || /^\[\s*["[{]/.test(text);
  if (text.startsWith("{")) return text.endsWith("}") || /^\{\s*"/.test(text);
  return text.length > 1 && text.startsWith('"') && text.endsWith('"');
}
