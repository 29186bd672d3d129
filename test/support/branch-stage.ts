/** A repository, and a run whose children have each done their work on a branch of their own. */
import { join } from "node:path";
import type { Clock } from "../../src/clock.ts";
import { createDeputy, type DelegateOptions, type Deputy } from "../../src/engine/deputy.ts";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import type { DelegationResult } from "../../src/result.ts";
import type { Script } from "../../src/testing/index.ts";
import { deputy, start } from "./command-line.ts";
import { openTestRepository, type TestRepository } from "./git-repository.ts";
import { ALLOWED, makeRepository } from "./isolation-stage.ts";
import { type Document, stage } from "./whole-stage.ts";

/** Runs the command line that the goal names, and answers. */
const runGoal: Script = ({ messages }) => {
  const { text = "" } = messages.find(({ role }) => role === "user") ?? {};
  const [, command] = /^Run: (.*)$/m.exec(text) ?? [];
  const isDone = messages.some(({ toolResults }) => toolResults.length > 0);
  return command === undefined || isDone ? { text: "done" } : { toolCalls: [{ name: "terminal", input: { command } }] };
};

type CommandOptions = { terminal?: true; cwd?: string; clock?: Clock };

export type BranchStage = {
  repository: TestRepository;
  library: Deputy;
  /** Runs one child for each command line, isolated unless the task says otherwise. */
  delegate(commands: readonly string[], more?: Document, options?: DelegateOptions): Promise<DelegationResult>;
  /** A command of Deputy's in the repository, to its end. */
  deputy(argv: string[], options?: CommandOptions): ReturnType<typeof deputy>;
  /** The same without waiting. */
  start(argv: string[], options?: CommandOptions): ReturnType<typeof start>;
};

/** @param files of the repository's first commit */
export async function withBranches(
  files: Record<string, string>,
  perform: (stage: BranchStage) => Promise<void>,
  script: Script = runGoal,
): Promise<void> {
  const laidOut = Object.fromEntries(Object.entries(files).map(([path, text]) => [join("work", path), text]));
  await stage({ config: ALLOWED, script, files: laidOut }, async (place) => {
    makeRepository(place.cwd);
    const library = createDeputy(place);
    const stageOf = ({ cwd = place.cwd, ...more }: CommandOptions = {}) => ({
      ...{ ...place, ...more, cwd },
      open: (options: Parameters<typeof openDeputy>[0]) => openDeputy(options),
    });
    try {
      await perform({
        repository: openTestRepository(place.cwd),
        library,
        delegate: (commands, more = {}, options) =>
          library.delegate(
            { isolation: "worktree", ...more, tasks: commands.map((command) => ({ goal: `Run: ${command}` })) },
            options,
          ),
        deputy: (argv, options) => deputy(argv, stageOf(options)),
        start: (argv, options) => start(argv, stageOf(options)),
      });
    } finally {
      await library.close();
    }
  });
}

/** Twenty numbered lines, of which some are others. */
export function numbered(changes: Record<number, string> = {}): string {
  return Array.from({ length: 20 }, (_, index) => `${changes[index + 1] ?? `line ${index + 1}`}\n`).join("");
}

/** A command line that changes one of them. */
export function changeLine(line: number, to: string, path = "a.txt"): string {
  return `sed -i.bak 's/^line ${line}$/${to}/' ${path} && rm ${path}.bak`;
}
