/** A real git repository in a temporary directory, without the user's config. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { createGit, type Git } from "../../src/worktree/git.ts";

const ENVIRONMENT = {
  PATH: process.env.PATH ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_AUTHOR_NAME: "Ada",
  GIT_AUTHOR_EMAIL: "ada@example.com",
  GIT_COMMITTER_NAME: "Ada",
  GIT_COMMITTER_EMAIL: "ada@example.com",
  GIT_AUTHOR_DATE: "2026-11-01T12:00:00Z",
  GIT_COMMITTER_DATE: "2026-11-01T12:00:00Z",
};

/** Git as Deputy runs it. */
export const testGit: Git = createGit(ENVIRONMENT);

export type TestRepository = {
  path: string;
  /** Runs git as a user would. @returns what it prints, without the last line's end */
  git(...args: string[]): string;
  /** Returns the exit code. */
  tryGit(...args: string[]): number;
  write(path: string, content: string | Buffer): void;
  remove(path: string): void;
  /** Commits everything. @returns the commit */
  commit(message?: string): string;
  /** Starts from a commit, changes the tree, and commits it, on no branch. @returns the commit */
  commitFrom(start: string, change: () => void, message?: string): string;
};

export function temporaryFolder(context: Pick<TestContext, "after">, name = "deputy-test-"): string {
  const path = mkdtempSync(join(tmpdir(), name));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function openTestRepository(path: string): TestRepository {
  const run = (args: readonly string[]) =>
    execFileSync("git", [...args], { cwd: path, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  const git = (...args: string[]) => run(args).toString("utf8").replace(/\n$/, "");
  const write = (name: string, content: string | Buffer) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  };
  const commit = (message = "change") => {
    git("add", "-A");
    git("commit", "--quiet", "--allow-empty", "-m", message);
    return git("rev-parse", "HEAD");
  };
  return {
    path,
    git,
    tryGit(...args) {
      try {
        run(args);
        return 0;
      } catch (error) {
        return error instanceof Error && "status" in error ? Number(error.status) : 1;
      }
    },
    write,
    remove: (name) => rmSync(join(path, name), { recursive: true, force: true }),
    commit,
    commitFrom(start, change, message) {
      git("checkout", "--quiet", "--detach", "--force", start);
      git("clean", "-ffdxq");
      change();
      return commit(message);
    },
  };
}

/** @param options for `git init` */
export function createTestRepository(context: Pick<TestContext, "after">, ...options: string[]): TestRepository {
  const repository = openTestRepository(temporaryFolder(context));
  repository.git("init", "--quiet", "--initial-branch=main", ...options);
  return repository;
}
