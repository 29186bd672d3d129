/**
 * Isolated children of the real program, killed, resumed, stopped and cleaned in a random order. Afterwards, every file
 * that a child was told it had written is in the repository.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { verifyJournal } from "../../src/journal/sqlite/verify.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { createProviders, type Ended, launch, type Process, type Providers, stepOf, taskOf } from "./end-to-end.ts";
import { createRandom, type Random } from "./end-to-end-moments.ts";
import { git, makeRepository } from "./isolation-stage.ts";

/** `files`: those that children were told they had written. */
export type IsolationRound = { moves: string[]; files: number; bytes: number };

const CHILDREN = 3;
const STEPS = 5;
const MOST_MOVES = 7;

type Stage = {
  root: string;
  env: Record<string, string>;
  providers: Providers;
  /** What each file contains, once its child has the result of the command that wrote it. */
  written: Map<string, string>;
  started: Process[];
};

/** @throws AssertionError if a byte of work is lost, or anything is left that should not be */
export async function playIsolation(seed: number): Promise<IsolationRound> {
  const home = mkdtempSync(join(tmpdir(), "deputy-isolation-"));
  const written = new Map<string, string>();
  const providers = await createProviders(["zai"], (request) => step(request, written));
  const root = join(home, "repo");
  const stage: Stage = { root, env: { ...providers.env, HOME: home }, providers, written, started: [] };
  try {
    layOut(home, root);
    const moves = await play(stage, createRandom(seed));
    providers.checkScripts();
    const bytes = [...written.values()].reduce((sum, text) => sum + text.length, 0);
    return { moves, files: written.size, bytes };
  } finally {
    for (const { child, ended } of stage.started) {
      child.kill("SIGKILL");
      await ended;
    }
    await providers.close();
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function layOut(home: string, root: string): void {
  mkdirSync(join(home, ".config/deputy"), { recursive: true });
  const delegation = { isolation: "worktree", approvals: "allow" };
  const config = { provider: "zai", model: "glm-5.1", delegation };
  writeFileSync(join(home, ".config/deputy/config.yaml"), JSON.stringify(config));
  mkdirSync(root);
  makeRepository(root);
}

/** Each step writes one file; some commit, put it aside, or go to another branch. */
function step(request: ModelRequest, written: Map<string, string>): Turn {
  const number = stepOf(request);
  const [child = ""] = /child-\d/.exec(taskOf(request)) ?? [];
  const last = request.messages.at(-1)?.toolResults.at(-1)?.text ?? "";
  for (const [, name = "", text = ""] of last.matchAll(/^wrote (\S+) (\S+)$/gm)) written.set(name, text);
  if (number > STEPS) return { text: "done" };
  const name = `${child}-step-${number}.txt`;
  const text = `${child}:${number}`.repeat(20);
  const commit = "git add -A && git commit -q -m step";
  const more = ["true", commit, `${commit} && git checkout -q -B side`, "true", "git stash -q -u && git stash pop -q"];
  const command = `echo '${text}' > ${name} && ${more[(number * 7 + child.length + Number(child.at(-1))) % more.length]} && echo wrote ${name} '${text}'`;
  return { toolCalls: [{ name: "terminal", input: { command } }] };
}

async function play(stage: Stage, random: Random): Promise<string[]> {
  const moves: string[] = [];
  const tasks = Array.from({ length: CHILDREN }, (_, index) => ({ goal: `child-${index + 1}`, model: "glm-5.1" }));
  let work = start(stage, ["run", "-", "--json"], JSON.stringify({ tasks }));
  const until = stage.providers.arrivals.length + Math.floor(random() * CHILDREN * STEPS);
  await arrived(stage, until, work);
  for (let move = 0; move < MOST_MOVES; move++) {
    await delay(random() * 120);
    const choice = Math.floor(random() * 5);
    if (choice === 0) {
      work.child.kill("SIGKILL");
      await work.ended;
      moves.push("kill");
    } else if (choice === 1) {
      await command(stage, ["stop", "--last"]);
      moves.push("stop");
    } else if (choice === 2) {
      const ended = await command(stage, ["clean", "--json"]);
      assert.equal(ended.code, 0, ended.stderr);
      moves.push("clean");
    } else if (work.isOver()) {
      work = start(stage, ["resume", "--last", "--json"]);
      moves.push("resume");
      await arrived(stage, stage.providers.arrivals.length + Math.floor(random() * 6), work);
    }
  }
  await finish(stage, work);
  return moves;
}

function start(stage: Stage, argv: string[], stdin = ""): Process {
  const started = launch(argv, { cwd: stage.root, env: stage.env, stdin });
  stage.started.push(started);
  return started;
}

async function command(stage: Stage, argv: string[]): Promise<Ended> {
  return launch(argv, { cwd: stage.root, env: stage.env }).ended;
}

/** Waits for this many requests in all, or for the end of the process. */
async function arrived({ providers }: Stage, count: number, work: Process): Promise<void> {
  while (providers.arrivals.length < count && !work.isOver()) await delay(10);
}

/** Ends the run, cleans, and looks for everything that was written. */
async function finish(stage: Stage, work: Process): Promise<void> {
  const { root, env, written } = stage;
  await command(stage, ["stop", "--last"]);
  await work.ended;
  await command(stage, ["stop", "--last"]); // It may have been killed.
  const cleaned = await command(stage, ["clean", "--json"]);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.deepEqual(JSON.parse(cleaned.stdout).kept, [], cleaned.stdout);
  const branches = git(root, "for-each-ref", "--format=%(refname)", "refs/heads/deputy").split("\n").filter(Boolean);
  const found = new Map(branches.flatMap((branch) => filesOn(root, branch)));
  for (const [name, text] of written) assert.equal(found.get(name), text, `${name} is lost`);
  assert.equal(git(root, "status", "--porcelain"), "");
  assert.equal(git(root, "for-each-ref", "refs/deputy/keep"), "");
  git(root, "fsck", "--strict");
  const home = env.HOME ?? "";
  const copies = join(home, ".local/share/deputy/work");
  if (existsSync(copies)) assert.deepEqual(readdirSync(copies), []);
  assert.deepEqual(verifyJournal(join(home, ".local/state/deputy/journal.sqlite")).problems, []);
}

function filesOn(root: string, branch: string): [name: string, text: string][] {
  const names = git(root, "ls-tree", "--name-only", branch).split("\n");
  return names.map((name) => [name, git(root, "show", `${branch}:${name}`)]);
}
