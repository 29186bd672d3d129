/** Path containment, for every spelling of a path. */
import assert from "node:assert/strict";
import { join, sep } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isWithin } from "../src/values/path-within.ts";

/** Names that are easily confused: `..b`, `...`, and prefixes of one another. */
const name = fc.oneof(
  fc.constantFrom("a", "ab", "A", "..b", "...", " ", "~"),
  fc.string({ minLength: 1, maxLength: 6 }).filter((text) => !/[/\\\0]/.test(text) && text !== "." && text !== ".."),
);
const names = fc.array(name, { maxLength: 4 });
const absolute = (parts: readonly string[]) => `${sep}${parts.join(sep)}`;

describe("a path within a directory", () => {
  test("is the directory itself, and everything whose names begin with its own", () => {
    fc.assert(
      fc.property(names, names, (directory, below) => {
        assert.ok(isWithin(absolute(directory), absolute([...directory, ...below])));
      }),
    );
  });

  test("is known by its names one by one, not by its text", () => {
    fc.assert(
      fc.property(names, names, (directory, path) => {
        const expected = directory.every((part, depth) => path[depth] === part);
        assert.equal(isWithin(absolute(directory), absolute(path)), expected);
      }),
    );
  });

  test("is the same for a slash at the end, for `.` and for a step down and up again", () => {
    fc.assert(
      fc.property(names, names, name, (directory, path, step) => {
        const expected = isWithin(absolute(directory), absolute(path));
        for (const spelled of [`${absolute(path)}${sep}`, `${absolute(path)}${sep}.`, join(absolute(path), step, "..")])
          assert.equal(isWithin(absolute(directory), spelled), expected, spelled);
        assert.equal(isWithin(`${absolute(directory)}${sep}`, absolute(path)), expected);
      }),
    );
  });

  test("`..` never leads out of it, and it does not contain its parent", () => {
    fc.assert(
      fc.property(names, name, (directory, own) => {
        const home = absolute([...directory, own]);
        assert.ok(!isWithin(home, `${home}${sep}..`));
        assert.ok(!isWithin(home, `${home}${sep}..${sep}${own}b`));
        assert.ok(!isWithin(home, absolute(directory)));
      }),
    );
  });

  for (const [path, directory, expected] of [
    ["/ab", "/a", false],
    ["/a/..b", "/a", true],
    ["/a/.../b", "/a", true],
    ["/A/b", "/a", false],
    ["/anything", "/", true],
    ["/", "/", true],
    ["/", "/a", false],
  ] as const) {
    test(`${path} is ${expected ? "" : "not "}in ${directory}`, () => {
      assert.equal(isWithin(directory, path), expected);
    });
  }
});
