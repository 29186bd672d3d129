/** No function in `src/` is too long to read, and the checker counts correctly. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { functionLengths } from "./function-lengths.ts";

const MAX_OWN_LINES = 60;
const MAX_LINES = 120;

const src = join(import.meta.dirname, "..", "..", "src");

test(`a function has at most ${MAX_OWN_LINES} lines without nested functions, and ${MAX_LINES} with them`, () => {
  const long = globSync("**/*.ts", { cwd: src })
    .flatMap((path) => functionLengths({ path, text: readFileSync(join(src, path), "utf8") }))
    .filter(({ own, total }) => own > MAX_OWN_LINES || total > MAX_LINES);
  assert.deepEqual(long, [], "Split these functions into smaller ones.");
});

describe("the lengths of functions", () => {
  const lengths = (text: string) =>
    functionLengths({ path: "a.ts", text }).map(({ name, total, own }) => [name.slice("a.ts ".length), total, own]);

  test("leave nested functions out of the outer function's lines", () => {
    assert.deepEqual(lengths("function outer() {\n  function inner() {\n    return 1;\n  }\n  return inner;\n}\n"), [
      ["outer", 6, 3],
      ["inner", 3, 3],
    ]);
  });

  test("count a nested function of one line with the line it is on", () => {
    assert.deepEqual(lengths("function outer(all) {\n  return all.map((each) => each + 1);\n}\n"), [
      ["outer", 3, 3],
      ["outer*", 1, 1],
    ]);
  });

  test("name arrow functions, methods and functions in objects", () => {
    const text = "const arrow = () => 1;\nclass C {\n  method() {}\n}\nconst o = { key: () => 1, short() {} };\n";
    assert.deepEqual(
      lengths(text).map(([name]) => name),
      ["arrow", "method", "key", "short"],
    );
  });
});
