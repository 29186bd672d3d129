/**
 * Path patterns, matched in bounded time for any pattern. `*` and `?` match characters of one name, `**` any number of
 * directories, `[a-z]` and `[!a-z]` one character, `{a,b}` alternatives. A pattern without `/` matches names at any
 * depth. Brackets also stand for themselves: routes have names such as `[id]`. Unicode normal forms are the same.
 */
import { ToolError } from "../../tool-error.ts";

const MAX_ALTERNATIVES = 200;
const MAX_BRACKETS = 3;
const BRACKETS = /\[[^\]]*\]+/g;
const ANY = Symbol("any number of characters");

type NamePattern = (typeof ANY | CharacterTest)[];
type CharacterTest = (character: string) => boolean;

/**
 * @returns whether a relative path with `/` between names matches
 * @throws ToolError for an invalid pattern
 */
export function compilePathPattern(pattern: string): (path: string) => boolean {
  const written = pattern.normalize("NFC").replace(/^(\.?\/)+/, "");
  const alternatives = expandBraces(written.endsWith("/") ? `${written}**` : written).map((each) => {
    const names = each.split("/");
    return (names.length === 1 ? ["**", ...names] : names).map((name) => (name === "**" ? ANY : compileReadings(name)));
  });
  return (path) => {
    const names = path
      .normalize("NFC")
      .split("/")
      .map((name) => [...name]);
    return alternatives.some((alternative) => matchesInOrder(alternative, names, matchesName));
  };
}

/**
 * A list of such patterns, as `*.ts, *.tsx` or `*.ts !*.test.ts`. It matches what one of them matches, or anything if
 * all are negated, except what a negated one matches.
 * @throws ToolError for an invalid pattern
 */
export function compilePathPatterns(list: string): (path: string) => boolean {
  const patterns = splitList(list);
  const negated = patterns.filter((each) => each.startsWith("!")).map((each) => compilePathPattern(each.slice(1)));
  const wanted = patterns.filter((each) => !each.startsWith("!")).map(compilePathPattern);
  // A name may contain a comma or a blank.
  if (patterns.length > 1 && negated.length === 0) wanted.push(compilePathPattern(list));
  return (path) =>
    (wanted.length === 0 || wanted.some((matches) => matches(path))) && !negated.some((matches) => matches(path));
}

/** Separated by commas or blanks outside of braces. */
function splitList(list: string): string[] {
  return list.match(/(?:\{[^{}]*\}|[^\s,])+/g) ?? [list];
}

function matchesName(readings: NamePattern[], name: string[]): boolean {
  return readings.some((pattern) => matchesInOrder(pattern, name, (test, character) => test(character)));
}

/** A name with each of its brackets as a set, and as itself; with many of them, all as sets and all as themselves. */
function compileReadings(name: string): NamePattern[] {
  const brackets = name.match(BRACKETS)?.length ?? 0;
  const choices = brackets > MAX_BRACKETS ? [0, -1] : Array.from({ length: 2 ** brackets }, (_, choice) => choice);
  return choices.map((choice) => {
    let bracket = 0;
    return compileName(
      name.replaceAll(BRACKETS, (each) => (choice & (1 << (bracket++ % 31)) ? escapeSet(each) : each)),
    );
  });
}

function escapeSet(set: string): string {
  return set.replaceAll(/[[\]]/g, "\\$&");
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
