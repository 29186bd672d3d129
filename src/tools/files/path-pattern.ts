/**
 * Path patterns, matched in bounded time for any pattern. `*` and `?` match characters of one name, `**` any number of
 * directories, `[a-z]` and `[!a-z]` one character, `{a,b}` alternatives. A pattern without `/` matches names at any
 * depth.
 */
import { ToolError } from "../tool-error.ts";

const MAX_ALTERNATIVES = 200;
const ANY = Symbol("any number of characters");

type NamePattern = (typeof ANY | CharacterTest)[];
type CharacterTest = (character: string) => boolean;

/**
 * @returns whether a relative path with `/` between names matches
 * @throws ToolError for an invalid pattern
 */
export function compilePathPattern(pattern: string): (path: string) => boolean {
  const alternatives = expandBraces(pattern.replace(/^\.?\//, "")).map((each) => {
    const names = each.split("/");
    return (names.length === 1 ? ["**", ...names] : names).map((name) => (name === "**" ? ANY : compileName(name)));
  });
  return (path) => {
    const names = path.split("/").map((name) => [...name]);
    return alternatives.some((alternative) => matchesInOrder(alternative, names, matchesName));
  };
}

function matchesName(pattern: NamePattern, name: string[]): boolean {
  return matchesInOrder(pattern, name, (test, character) => test(character));
}

/**
 * Returns whether the tests match the items one by one, with `ANY` for any number of them. At most items × tests steps.
 */
function matchesInOrder<Test, Item>(
  tests: readonly (typeof ANY | Test)[],
  items: readonly Item[],
  fits: (test: Test, item: Item) => boolean,
): boolean {
  let test = 0;
  let item = 0;
  /** Position to retry from when the part after the last `ANY` does not match: `ANY` takes one more item. */
  let retry: { test: number; item: number } | undefined;
  while (item < items.length) {
    const current = tests[test];
    if (current === ANY) {
      test += 1;
      retry = { test, item };
    } else if (current !== undefined && fits(current, items[item] as Item)) {
      test += 1;
      item += 1;
    } else if (retry !== undefined) {
      retry.item += 1;
      ({ test, item } = retry);
    } else {
      return false;
    }
  }
  return tests.slice(test).every((rest) => rest === ANY);
}

function compileName(name: string): NamePattern {
  const pattern: NamePattern = [];
  const parts = /\*+|\?|\[(?<not>[!^]?)(?<set>\]?[^\]]*)\]|\\(?<escaped>.)|(?<literal>.)/gsu;
  for (const { 0: part, groups } of name.matchAll(parts)) {
    if (part.startsWith("*")) pattern.push(ANY);
    else if (part === "?") pattern.push(() => true);
    else if (groups?.set !== undefined) pattern.push(compileSet(groups.set, groups.not !== ""));
    else pattern.push((character) => character === (groups?.escaped ?? groups?.literal));
  }
  return pattern;
}

function compileSet(set: string, negated: boolean): CharacterTest {
  const ranges = [...set.matchAll(/(?<from>.)-(?<to>.)|./gsu)].map(({ 0: one, groups }) => ({
    from: groups?.from ?? one,
    to: groups?.to ?? one,
  }));
  return (character) => ranges.some(({ from, to }) => from <= character && character <= to) !== negated;
}

/** Read once from left to right: each part ends where the next can start. */
const INNERMOST_BRACES = /\{[^{},]*,[^{}]*\}/;

/** Expands `a{b,c}d` to `abd` and `acd`. An unmatched brace is literal. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [braces] = next.match(INNERMOST_BRACES) ?? [];
    if (braces === undefined) done.push(next);
    else for (const each of braces.slice(1, -1).split(",")) open.push(next.replace(braces, () => each));
    if (done.length + open.length > MAX_ALTERNATIVES) {
      throw new ToolError(`The pattern has more than ${MAX_ALTERNATIVES} alternatives. Search for fewer at a time.`);
    }
  }
  return done;
}
