/** A repository in the workspace of a stage, and runs of Deputy whose children work in copies of it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDeputy, type DelegateOptions } from "../../src/engine/deputy.ts";
import { type Event, isStored } from "../../src/event.ts";
import { createRunInvariants, invariantError } from "../../src/journal/invariants.ts";
import type { DelegationResult } from "../../src/result.ts";
import type { CallInput } from "../../src/task.ts";
import { createMemoryJournal, type Script } from "../../src/testing/index.ts";
import { type Place, type Scene, type Seen, stage } from "./whole-stage.ts";

/** The identity of every commit that a test makes itself. */
const WHO = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"];

/** Runs git as a user does, with no config but the repository's. @returns its output without the last line end */
export function git(cwd: string, ...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  return execFileSync("git", [...WHO, ...args], {
    cwd,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trimEnd();
}

/** Makes a repository with one commit of everything that is there. */
export function makeRepository(root: string): void {
  git(root, "init", "-q", "-b", "main");
  if (readdirSync(root).length === 1) writeFileSync(join(root, "README.md"), "# Ants\n");
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", "first");
}

export type RepositoryStage = {
  place: Place;
  /** Root of the repository. */
  root: string;
  git(...args: string[]): string;
  write(path: string, text: string): void;
  delegate(call: CallInput, options?: DelegateOptions): Promise<DelegationResult>;
  events: Event[];
  /** Folders of the copies that are left, as `run/number`. */
  copies(): string[];
  /** Names of all refs of the repository. */
  refs(): string[];
};

/** Sets a stage with a repository of the scene's files in `work`, and performs a function on it. */
export function withRepository<Outcome>(
  scene: Scene,
  perform: (stage: RepositoryStage) => Promise<Outcome>,
): Promise<Seen & { outcome: Outcome }> {
  return stage(scene, async (place) => {
    makeRepository(place.cwd);
    const events: Event[] = [];
    const library = createDeputy({ ...place, journal: createMemoryJournal() });
    try {
      return await perform({
        place,
        events,
        root: place.cwd,
        git: (...args) => git(place.cwd, ...args),
        write: (path, text) => writeFileSync(join(place.cwd, path), text),
        copies: () => copiesIn(place),
        refs: () => git(place.cwd, "for-each-ref", "--format=%(refname)").split("\n"),
        async delegate(call, options) {
          const delegation = await library.start(call, options);
          for await (const event of delegation.events) events.push(event);
          const result = await delegation.result;
          assert.deepEqual(errorsIn(events), []);
          return result;
        },
      });
    } finally {
      await library.close();
    }
  });
}

/** What is wrong with the order of events, run by run. */
function errorsIn(events: readonly Event[]): string[] {
  const runs = Map.groupBy(events.filter(isStored), ({ delegationId }) => delegationId);
  return [...runs.values()].flatMap((stored) => {
    const run = createRunInvariants();
    return stored.flatMap((event) => invariantError(run, event) ?? []);
  });
}

function copiesIn({ env }: Place): string[] {
  const work = join(env.HOME ?? "", ".local/share/deputy/work");
  const runs = existsSync(work) ? readdirSync(work) : [];
  return runs.flatMap((run) => readdirSync(join(work, run)).map((number) => `${run}/${number}`));
}

/** Runs these command lines in order, one in each step, and answers with the last result. */
export function inTurn(...commands: string[]): Script {
  return ({ messages }) => {
    const step = messages.filter(({ role }) => role === "assistant").length;
    const command = commands[step];
    if (command !== undefined) return { toolCalls: [{ name: "terminal", input: { command } }] };
    return {
      text:
        messages
          .at(-1)
          ?.toolResults.map(({ text }) => text)
          .join("\n") || "done",
    };
  };
}

/** Commands need no approval. */
export const ALLOWED = { delegation: { approvals: "allow" } };
