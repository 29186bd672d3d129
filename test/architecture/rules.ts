/**
 * The architecture rules that a program can check: imports point down only, siblings do not import each other, and some
 * operations are allowed in one place only. Each violation is a sentence that says what to do instead.
 */
import { posix } from "node:path";
import { factsOf, type SourceFacts, type SourceFile } from "./source-facts.ts";

/** The layers, each with the layers it may import besides itself, from the bottom up. */
const MAY_IMPORT = {
  words: [],
  system: ["words"],
  config: ["words", "system"],
  routing: ["words", "system"],
  child: ["words", "system"],
  tools: ["words", "system"],
  journal: ["words", "system"],
  worktree: ["words", "system"],
  testing: ["words", "journal"],
  run: ["words", "routing", "child", "tools", "journal"],
  engine: ["words", "system", "config", "routing", "child", "tools", "journal", "worktree", "run"],
  library: ["words", "config", "routing", "child", "tools", "journal", "run", "engine"],
  mcp: ["words", "routing", "child", "tools", "journal", "run", "engine"],
  web: ["words", "routing", "child", "tools", "journal", "run", "engine"],
  cli: ["words", "system", "config", "routing", "child", "tools", "journal", "run", "engine", "mcp", "web"],
} as const satisfies Record<string, readonly string[]>;
type Part = keyof typeof MAY_IMPORT;

/** Files directly in `src/` outside the words layer: the package's entry points. */
const LIBRARY_FILES = ["index.ts", "ai-sdk.ts"];
/** Folders of the words layer. */
const WORDS_FOLDERS = ["text", "values"];
const DEMO = /^cli\/commands\/demo[/.-]/;
const ENVIRONMENT_READERS = /^config\//;
const EMPTY_NAMES = ["util", "utils", "helper", "helpers", "common", "misc", "shared"];

/** Every violation of the rules by these files of `src/`; empty if there are none. */
export function breachesOf(files: SourceFile[]): string[] {
  const facts = files.map(factsOf);
  return [...facts.flatMap((each) => [...placeBreaches(each), ...importBreaches(each), ...contentBreaches(each)])]
    .concat(revealBreaches(facts))
    .concat(namesakeBreaches(facts))
    .concat(cycleBreaches(facts));
}

/** The layer of a file in `src/`; undefined for a folder that is not in the table. */
function partOf(path: string): Part | undefined {
  const [folder = "", ...rest] = path.split("/");
  if (rest.length === 0) return LIBRARY_FILES.includes(path) ? "library" : "words";
  if (WORDS_FOLDERS.includes(folder)) return "words";
  return folder in MAY_IMPORT && folder !== "words" && folder !== "library" ? (folder as Part) : undefined;
}

function placeBreaches({ path }: SourceFacts): string[] {
  const breaches: string[] = [];
  if (partOf(path) === undefined) {
    breaches.push(
      `${path}: src/${path.split("/")[0]}/ is not a part of the house. Put the file into a part that is ` +
        `(${Object.keys(MAY_IMPORT).join(", ")}), or give the new part its arrows in test/architecture/rules.ts.`,
    );
  }
  const empty = path.split(/[/.-]/).find((word) => EMPTY_NAMES.includes(word.toLowerCase()));
  if (empty !== undefined) breaches.push(`${path}: "${empty}" does not say what is in it. Name it by its content.`);
  if (/\/index\.ts$/.test(path) && path !== "testing/index.ts") {
    breaches.push(`${path}: a barrel. Import each name from the file that defines it.`);
  }
  return breaches;
}

function importBreaches(facts: SourceFacts): string[] {
  const breaches = facts.imports.flatMap((specifier) =>
    specifier.startsWith(".") ? arrowBreaches(facts.path, specifier) : packageBreaches(facts.path, specifier),
  );
  if (facts.hasComputedImport) {
    breaches.push(`${facts.path}: import() of a computed path hides where the arrow points. Write the path out.`);
  }
  return breaches;
}

function arrowBreaches(path: string, specifier: string): string[] {
  const target = resolved(path, specifier);
  if (target.startsWith("..")) return [`${path} imports ${specifier}: outside of src/. The package would lack it.`];
  const from = partOf(path);
  const to = partOf(target);
  if (from === undefined || to === undefined || from === to) return [];
  if (to === "testing" && DEMO.test(path)) return [];
  const allowed: readonly Part[] = MAY_IMPORT[from];
  if (allowed.includes(to)) return [];
  return [
    `${path} imports ${target}: ${wrongArrow(from, to)} ${from} may import ${listed(allowed)}. ${remedy(from, to)}`,
  ];
}

function wrongArrow(from: Part, to: Part): string {
  const upward = (MAY_IMPORT[to] as readonly Part[]).includes(from);
  return upward ? "an upward arrow." : "a sideways arrow.";
}

function remedy(from: Part, to: Part): string {
  if (from === "words") return "A word knows nothing of what is done with it: move the code up, or the type down.";
  if (to === "testing") return "testing/ is for tests and for cli/demo: take what you need as an argument.";
  if (from === "testing") return "What a test needs of it belongs in test/, not in what users are given.";
  if ((MAY_IMPORT.engine as readonly Part[]).includes(from)) {
    return "Take what you need as an argument: engine/ hands it over. A type both need is a word.";
  }
  return "Move what both need down into engine/ or the words.";
}

function packageBreaches(path: string, specifier: string): string[] {
  if (partOf(path) !== "words" || specifier.startsWith("node:")) return [];
  const allowed = path.startsWith("config/") ? ["zod", "yaml"] : ["zod"];
  if (allowed.includes(specifier)) return [];
  return [
    `${path} imports ${specifier}: words import each other, node: and ${listed(allowed)} only. ` +
      "Move the code that needs it up into the part that does the work.",
  ];
}

function contentBreaches(facts: SourceFacts): string[] {
  const breaches: string[] = [];
  if (facts.readsEnvironment && !ENVIRONMENT_READERS.test(facts.path)) {
    breaches.push(`${facts.path} reads process.env: only config/ does. Take the value as an argument.`);
  }
  if (facts.saysAny) breaches.push(`${facts.path} says \`any\`: take \`unknown\` and let a schema read it.`);
  return breaches;
}

/** A key is revealed only where a request gets its auth headers. */
function revealBreaches(facts: SourceFacts[]): string[] {
  const revealers = facts.filter((each) => each.revealsSecret).map((each) => each.path);
  if (revealers.length <= 1) return [];
  return [
    `reveal() is called in ${listed(revealers)}: one file only may, the one that signs requests. Pass the Secret on.`,
  ];
}

/** A type name has one meaning in all of `src/`. */
function namesakeBreaches(facts: SourceFacts[]): string[] {
  const declared = Map.groupBy(
    facts.flatMap(({ path, types }) => [...new Set(types)].map((name) => ({ name, path }))),
    ({ name }) => name,
  );
  return [...declared.values()]
    .filter((places) => places.length > 1)
    .map(
      (places) =>
        `The type name ${places[0]?.name} is declared in ${listed(places.map(({ path }) => path))}. ` +
        "Give each type a name of its own, or declare it once and import it.",
    );
}

/** Type imports count: a cycle of types is as hard to read as one of values. */
function cycleBreaches(facts: SourceFacts[]): string[] {
  const targets = new Map(facts.map((each) => [each.path, localTargets(each)]));
  const done = new Set<string>();
  const breaches: string[] = [];
  function visit(path: string, trail: string[]): void {
    if (trail.includes(path)) {
      const cycle = [...trail.slice(trail.indexOf(path)), path];
      breaches.push(`${cycle.join(" → ")}: a cycle. Move what they share into a file of its own, below both.`);
      return;
    }
    if (done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  }
  for (const path of targets.keys()) visit(path, []);
  return breaches;
}

function localTargets({ path, imports }: SourceFacts): string[] {
  return [...new Set(imports.filter((each) => each.startsWith(".")).map((each) => resolved(path, each)))];
}

function resolved(path: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "nothing but itself" : names.join(", ");
}
