/** Paths into a value of unknown shape: the keys and list indexes that lead to a part of it. */

export type KeyPath = readonly (string | number)[];

/** Formats a path such as `models.small.fallbacks[0]`, prefixed with `parent`. */
export function pathText(path: readonly PropertyKey[], parent = ""): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, parent);
}

/** The value at a path; undefined if the path does not exist. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  );
}
