/** Paths through a value of unknown shape: the keys and places in lists that lead to a part of it. */

export type KeyPath = readonly (string | number)[];

/** `models.small.fallbacks[0]`, below what `parent` names. */
export function pathText(path: readonly PropertyKey[], parent = ""): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, parent);
}

/** What a path leads to; undefined where it ends before. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}
