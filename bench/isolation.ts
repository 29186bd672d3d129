/**
 * `npm run bench:isolation`: time to make a child's working copy, compared with `git clone --shared` of the same
 * repository. The two alternate, so that both meet the same disk.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWorktrees } from "../src/worktree/worktrees.ts";
import { median } from "./goals.ts";

const COPIES = 64;
const GOAL_MS = 150;
const GOAL_RATIO = 1.2;

const home = mkdtempSync(join(tmpdir(), "deputy-bench-"));
const env = { PATH: process.env.PATH ?? "", HOME: home };
const git = (cwd: string, ...args: string[]) =>
  execFileSync("git", ["-c", "gc.auto=0", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", ...args], {
    cwd,
    env,
    stdio: "ignore",
  });

function makeRepository(root: string, files: number): void {
  for (let index = 0; index < files; index++) {
    const directory = join(root, `package-${index % 100}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `file-${index}.ts`), `export const value${index} = ${index};\n`.repeat(40));
  }
  git(root, "init", "-q", "-b", "main");
  git(root, "add", "-A");
  git(root, "commit", "-q", "-m", "first");
  git(root, "gc", "-q");
}

async function measure(files: number, copies: number): Promise<{ copyMs: number; cloneMs: number }> {
  const root = join(home, `repository-${files}`);
  mkdirSync(root);
  makeRepository(root, files);
  const worktrees = createWorktrees({ env, directory: join(home, "work"), pid: process.pid });
  const plan = await worktrees.planner()({ workspace: root, goal: "Fix it.", include: [], carry: false });
  if ("unavailable" in plan) throw new Error(plan.unavailable);
  const [copyMs, cloneMs]: [number[], number[]] = [[], []];
  for (let number = 1; number <= copies; number++) {
    let startedAt = performance.now();
    const { copy } = await worktrees.open({ childId: `bench${files}.${number}`, plan });
    copyMs.push(performance.now() - startedAt);
    const clone = join(home, `clone-${files}`);
    startedAt = performance.now();
    git(home, "clone", "-q", "--shared", root, clone);
    cloneMs.push(performance.now() - startedAt);
    rmSync(clone, { recursive: true });
    await worktrees.save(copy, "Nothing.");
    await worktrees.remove(copy);
  }
  return { copyMs: median(copyMs), cloneMs: median(cloneMs) };
}

try {
  const small = await measure(2_000, COPIES);
  const large = await measure(20_000, 8);
  const ratio = large.copyMs / large.cloneMs;
  console.log(
    `${COPIES} copies of 2,000 files: median ${small.copyMs.toFixed(0)} ms; git clone --shared ${small.cloneMs.toFixed(0)} ms`,
  );
  console.log(
    `8 copies of 20,000 files: median ${large.copyMs.toFixed(0)} ms, ${ratio.toFixed(2)} × git clone --shared`,
  );
  const isMet = small.copyMs <= GOAL_MS && ratio <= GOAL_RATIO;
  console.log(`Goals: ${GOAL_MS} ms, ${GOAL_RATIO} × : ${isMet ? "met" : "not met"}`);
  process.exitCode = isMet ? 0 : 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
