/** Tab completion: commands, then their models, aliases, efforts or runs; in a message, files after `@`. */
import { readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { EFFORTS } from "../../route.ts";
import { isSecretFile } from "../../secret-files.ts";
import { isWithin } from "../../values/path-within.ts";
import type { Completion } from "./keyboard/line-editor.ts";
import { SLASH_COMMANDS } from "./slash-commands.ts";

type CompletionSource = {
  commands: readonly string[];
  /** Model ids and aliases. */
  models(): string[];
  providers(): string[];
  efforts: readonly string[];
  /** Ids of runs and of their children. */
  runs(): Promise<string[]>;
  /** Paths of the workspace that begin like this one; a directory ends with `/`. */
  files(path: string): string[];
};

/** Names of one directory that are offered. */
const MOST_NAMES = 200;

/** @param workspace the current one of the chat */
export function completionSource({ engine, routing, loadConfig }: Opened, workspace: () => string): CompletionSource {
  return {
    commands: Object.keys(SLASH_COMMANDS),
    models: () => [
      ...Object.keys(loadConfig().config.models),
      ...routing()
        .candidates()
        .map(({ model }) => model),
    ],
    providers: () =>
      routing()
        .credentials.usable()
        .map(({ slug }) => slug),
    efforts: EFFORTS,
    runs: async () =>
      (await engine.runs()).flatMap(({ run }) => [run.delegationId, ...run.children.map(({ tally }) => tally.childId)]),
    files: (path) => filesIn(workspace(), path),
  };
}

/** Leaves out what is not in the workspace, and what `@` does not read: Deputy's own files and files of secrets. */
function filesIn(workspace: string, path: string): string[] {
  const directory = path.endsWith("/") || path === "" ? path : `${dirname(path)}/`.replace(/^\.\//, "");
  try {
    const real = realpathSync(join(workspace, directory));
    if (!isWithin(realpathSync(workspace), real)) return [];
    return readdirSync(real, { withFileTypes: true })
      .filter(({ name }) => ![".deputy", ".git"].includes(name) && !isSecretFile(join(real, name)))
      .map((entry) => `${directory}${entry.name}${entry.isDirectory() ? "/" : ""}`)
      .filter((each) => each.startsWith(path) && !/\p{C}/u.test(each))
      .slice(0, MOST_NAMES);
  } catch {
    return []; // There is no such directory.
  }
}

export async function completeLine(line: string, source: CompletionSource): Promise<Completion> {
  if (!line.startsWith("/")) return completeFile(line, source);
  const part = /(?<!\S)\S*$/.exec(line)?.[0] ?? "";
  const words = line
    .slice(0, line.length - part.length)
    .trim()
    .split(/\s+/);
  const all = await candidatesFor(words, source);
  const candidates = all.filter((candidate) => candidate.startsWith(part));
  return [[...new Set(candidates)].map((candidate) => `${candidate} `), part];
}

/** A blank in a path is written `\ `. */
function completeFile(line: string, source: CompletionSource): Completion {
  const [, part] = /(?<![^\s([{"'])@((?:\\ |[^\s\\])*)$/.exec(line) ?? [];
  if (part === undefined) return [[], line];
  const paths = source.files(part.replaceAll("\\ ", " ")).map((path) => path.replaceAll(" ", "\\ "));
  return [paths.map((path) => (path.endsWith("/") ? path : `${path} `)), part];
}

async function candidatesFor(words: string[], source: CompletionSource): Promise<readonly string[]> {
  const [command = ""] = words;
  const before = words.at(-1);
  if (command === "") return source.commands.map((name) => `/${name}`);
  if (before === "--provider") return source.providers();
  if (before === "--effort" || command === "/effort") return source.efforts;
  if (command === "/model" || command === "/models") {
    const flags = command === "/model" && words.length > 1 ? ["--provider", "--effort"] : [];
    return words.length > 1 ? flags : source.models();
  }
  return ["/show", "/stop", "/steer", "/approve"].includes(command) && words.length === 1 ? source.runs() : [];
}
