/** Path patterns: what they match. None of them is slow. */
import assert from "node:assert/strict";
import { matchesGlob } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { compilePathPattern, compilePathPatterns } from "../../../src/tools/files/paths/path-pattern.ts";

const matches = (pattern: string, path: string) => compilePathPattern(pattern)(path);

test("sets, escapes and braces mean what they mean elsewhere", () => {
  const cases: [pattern: string, path: string, fits: boolean][] = [
    ["[a-c].ts", "x/b.ts", true],
    ["[!a-c].ts", "b.ts", false],
    ["[^a-c].ts", "d.ts", true],
    ["[]].ts", "].ts", true],
    ["[a-].ts", "-.ts", true],
    ["[.ts", "[.ts", true],
    ["\\*.ts", "*.ts", true],
    ["\\*.ts", "a.ts", false],
    ["{a,b{c,d}}.ts", "bd.ts", true],
    ["{a,b}.ts", "c.ts", false],
    ["{a}.ts", "{a}.ts", true],
    ["a{,b}.ts", "a.ts", true],
    ["?.ts", "😀.ts", true],
    ["/a.ts", "a.ts", true],
    ["src/", "src/deep/a.ts", true],
    ["src/", "a/src/a.ts", false],
    [".//a.ts", "a.ts", true],
    ["app/[id]/page.tsx", "app/[id]/page.tsx", true],
    ["app/[id]/page.tsx", "app/i/page.tsx", true],
    ["app/[id]/page.tsx", "app/x/page.tsx", false],
    ["app/[[...slug]]/*.tsx", "app/[[...slug]]/page.tsx", true],
    ["[id].[jt]s", "[id].ts", true],
    ["[a][b][c][d].ts", "[a][b][c][d].ts", true],
    ["caf\u00e9*", "cafe\u0301.txt", true],
    ["cafe\u0301/*", "caf\u00e9/a", true],
  ];
  for (const [pattern, path, fits] of cases) assert.equal(matches(pattern, path), fits, `${pattern} ${path}`);
});

test("a list matches what one of its patterns matches, except what a negated one does", () => {
  const cases: [list: string, fits: string[], not: string[]][] = [
    ["*.ts,*.tsx", ["a.ts", "x/b.tsx"], ["a.js"]],
    ["*.ts, *.tsx", ["a.ts", "b.tsx"], ["a.js"]],
    ["*.ts *.md", ["a.ts", "b.md"], ["a.js"]],
    ["!*.test.ts", ["a.ts", "b.md"], ["a.test.ts", "x/a.test.ts"]],
    ["*.ts,!*.test.ts", ["a.ts"], ["a.test.ts", "b.md"]],
    ["src/**/*.{ts,tsx},*.md", ["src/a.tsx", "x/b.md"], ["a.ts"]],
    ["a, b.ts", ["a, b.ts", "b.ts"], ["c.ts"]],
  ];
  for (const [list, fits, not] of cases) {
    for (const path of fits) assert.ok(compilePathPatterns(list)(path), `${list} ${path}`);
    for (const path of not) assert.ok(!compilePathPatterns(list)(path), `${list} ${path}`);
  }
});

test("stars match as Node's own patterns do", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 });
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
  const namePattern = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 4 });
  const wildcards = fc.oneof({ arbitrary: fc.constant("**"), weight: 1 }, { arbitrary: namePattern, weight: 3 });
  const pattern = fc.array(wildcards, { minLength: 2, maxLength: 4 }).map((names) => names.join("/"));
  fc.assert(
    // A final `**` also matches the directory itself, which is not a file, so it is excluded.
    fc.property(pattern, path, (wanted, found) => {
      fc.pre(!/(^|\/)\*\*\/?$/.test(wanted) && !/[^/]\*\*|\*\*[^/]/.test(wanted));
      assert.equal(matches(wanted, found), matchesGlob(found, wanted), `${wanted} ${found}`);
    }),
    { numRuns: 3_000 },
  );
});

test("every pattern is matched quickly", () => {
  const startedAt = performance.now();
  for (const unit of ["*a", "**/", "**/a*", "[a", "{a,", "{,", "?*", "[!"]) {
    try {
      matches(`${unit.repeat(1_000 / unit.length)}b`, `${"a".repeat(250)}/`.repeat(16));
    } catch (error) {
      assert.match(String(error), /alternatives/);
    }
  }
  assert.ok(performance.now() - startedAt < 5_000);
});
