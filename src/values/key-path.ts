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

const KEY_STEP = /"((?:[^"\\]|\\.)*)"|\[(\d+)\]|([^.[\]"]+)/y;

/** Reads `models.small.fallbacks[0]`; a name with dots is quoted: `models."a.b"`. Undefined if it is no path. */
export function keyPathIn(text: string): (string | number)[] | undefined {
  const path: (string | number)[] = [];
  for (let at = 0; at < text.length; at = KEY_STEP.lastIndex) {
    const isDotted = path.length > 0 && text[at] === ".";
    KEY_STEP.lastIndex = isDotted ? at + 1 : at;
    const [, quoted, index, plain] = KEY_STEP.exec(text) ?? [];
    const name = quoted?.replaceAll(/\\(.)/g, "$1") ?? plain;
    if (index !== undefined && !isDotted && path.length > 0) path.push(Number(index));
    else if (name !== undefined && (isDotted || path.length === 0)) path.push(name);
    else return undefined;
  }
  return path.length === 0 ? undefined : path;
}
