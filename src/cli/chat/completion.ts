/** Tab completion: commands, then their models, aliases, efforts or runs. */
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { EFFORTS } from "../../route.ts";
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
};

export function completionSource({ engine, routing, loadConfig }: Opened): CompletionSource {
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
  };
}

export async function completeLine(line: string, source: CompletionSource): Promise<Completion> {
  if (!line.startsWith("/")) return [[], line];
  const part = /(?<!\S)\S*$/.exec(line)?.[0] ?? "";
  const words = line
    .slice(0, line.length - part.length)
    .trim()
    .split(/\s+/);
  const all = await candidatesFor(words, source);
  const candidates = all.filter((candidate) => candidate.startsWith(part));
  return [[...new Set(candidates)].map((candidate) => `${candidate} `), part];
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
