/** Maximum nesting depth of JSON: recursive code overflows its stack on much deeper values. */

const MAX_DEPTH = 500;

/** The error text for JSON that is too deep. */
export const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;

/** Checks without recursion. @param json valid JSON */
export function isTooDeep(json: string): boolean {
  let depth = 0;
  let deepest = 0;
  let inText = false;
  for (let at = 0; at < json.length; at += 1) {
    const sign = json[at];
    if (sign === '"') inText = !inText;
    else if (inText) at += sign === "\\" ? 1 : 0;
    else if (sign === "{" || sign === "[") deepest = Math.max(deepest, ++depth);
    else if (sign === "}" || sign === "]") depth -= 1;
  }
  return deepest > MAX_DEPTH;
}
