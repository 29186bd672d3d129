/** Whatever a child did to its copy and to its `.git`, its files are saved, and nothing else of the user's changes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { SavedWork } from "../../src/isolation.ts";
import type { WorkCopy } from "../../src/worktree/copy-record.ts";
import { createWorktrees, type Worktrees } from "../../src/worktree/worktrees.ts";
import { git, makeRepository } from "../support/isolation-stage.ts";

type Scene = { root: string; worktrees: Worktrees; copy: WorkCopy; sh(command: string): void };

/** Makes a copy of a repository, and performs a function on it. */
async function withCopy(perform: (scene: Scene) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "deputy-copy-"));
  const root = join(home, "repo");
  try {
    mkdirSync(join(root, "src"), { recursive: true });
    writeFileSync(join(root, "README.md"), "# Ants\n");
    writeFileSync(join(root, "src/a.txt"), "a\n");
    makeRepository(root);
    const env = { PATH: process.env.PATH, HOME: home };
    const worktrees = createWorktrees({ env, directory: join(home, "work"), pid: process.pid });
    const plan = await worktrees.planner()({ workspace: root, goal: "Work.", include: [], carry: false });
    assert.ok("base" in plan);
    const { copy } = await worktrees.open({ childId: "run.1", plan });
    const sh = (command: string) =>
      void execFileSync("sh", ["-c", command], {
        cwd: copy.tree,
        env: { ...env, GIT_CONFIG_NOSYSTEM: "1", HERE: copy.tree, ROOT: root },
        stdio: ["ignore", "ignore", "pipe"],
      });
    await perform({ root, worktrees, copy, sh });
  } finally {
    execFileSync("chmod", ["-R", "u+rwx", home]);
    rmSync(home, { recursive: true, force: true });
  }
}

/** Saves a copy, and checks what is on its branch. */
async function saved({ root, worktrees, copy }: Scene, path: string, text: string): Promise<SavedWork> {
  const work = await worktrees.save(copy, "Work.");
  assert.equal(git(root, "show", `${work.branch}:${path}`), text);
  assert.equal(git(root, "status", "--porcelain"), "");
  git(root, "fsck", "--strict", "--no-dangling");
  return work;
}

describe("a child's .git that", () => {
  const ruins: Record<string, string> = {
    "is gone": "rm -rf .git",
    "is a file": "rm -rf .git; echo 'gitdir: /tmp' > .git",
    "is a file that names the user's repository": 'rm -rf .git; echo "gitdir: $ROOT/.git" > .git',
    "is a link to the user's": 'rm -rf .git; ln -s "$ROOT/.git" .git',
    "has a link to the user's refs": 'rm -rf .git/refs; ln -s "$ROOT/.git/refs" .git/refs',
    "has a link to objects elsewhere": "mv .git/objects ../o; ln -s ../../o .git/objects",
    "has a pipe for an object": "mkdir -p .git/objects/aa; mkfifo .git/objects/aa/$(printf '%038d' 0)",
    "has a pipe for a ref": "mkfifo .git/refs/heads/pipe",
    "has a pipe for an index": "rm -f .git/index; mkfifo .git/index",
    "has a broken HEAD": "echo nonsense > .git/HEAD",
    "has a HEAD that leads to itself":
      "echo 'ref: refs/heads/loop' > .git/HEAD; echo 'ref: refs/heads/loop' > .git/refs/heads/loop",
    "has a HEAD outside of its refs": "echo 'ref: refs/heads/../../../../x' > .git/HEAD",
    "has a HEAD without a commit": "echo 'ref: refs/heads/unborn' > .git/HEAD",
    "has a HEAD that is no object": `printf '%040d' 7 > .git/HEAD`,
    "has a broken index": "echo nonsense > .git/index",
    "has an index with a merge conflict":
      "git checkout -qb x; echo x > README.md; git commit -qam x; git checkout -q -; echo y > README.md; git commit -qam y; git merge -q x || true",
    "is in the middle of a rebase":
      "git checkout -qb x; echo x > README.md; git commit -qam x; git checkout -q -; echo y > README.md; git commit -qam y; git rebase -q x || true",
    "has other alternates": "echo /tmp >> .git/objects/info/alternates",
    "has no alternates": "rm .git/objects/info/alternates",
    "has damaged objects":
      "echo z > z.txt; git add .; git commit -qm z; for f in $(find .git/objects -type f -path '*/??/*'); do chmod u+w $f; echo x > $f; done",
    "lacks objects": "echo z > z.txt; git add .; git commit -qm z; find .git/objects -type f -path '*/??/*' -delete",
    "has replaced objects and grafts":
      "git replace HEAD $(git commit-tree HEAD^{tree} -m fake); echo $(git rev-parse HEAD) > .git/info/grafts",
    "has packed everything": "echo z > z.txt; git add .; git commit -qm z; git gc -q; git pack-refs --all",
    "cannot be read": "chmod 000 .git/refs .git/objects",
  };
  for (const [name, ruin] of Object.entries(ruins))
    test(`${name} loses no file`, { timeout: 60_000 }, () =>
      withCopy(async (scene) => {
        scene.sh("git config user.name C; git config user.email c@x; echo work > work.txt; echo b > src/b.txt");
        scene.sh(`set +e; ${ruin}; true`);
        const refsBefore = git(scene.root, "for-each-ref", "refs/heads/main");
        const { files } = await saved(scene, "work.txt", "work");
        assert.ok(files.some(({ path }) => path === "src/b.txt"));
        assert.equal(git(scene.root, "for-each-ref", "refs/heads/main"), refsBefore);
      }),
    );
});

describe("a child's files that", () => {
  const oddities: Record<string, string> = {
    "cannot be read": "chmod 000 work.txt",
    "are in a directory that cannot be searched": "mkdir d; echo x > d/x.txt; chmod 000 d",
    "have pipes and sockets among them": "mkfifo p; mkfifo src/p; rm README.md; mkfifo README.md",
    "have a pipe for a .gitignore": "mkfifo src/.gitignore",
    "have a pipe for .gitattributes": "rm -f .gitattributes; mkfifo .gitattributes",
    "have a link in place of a directory": 'rm -rf src; ln -s "$ROOT/src" src',
    "have a directory in place of a file": "rm README.md; mkdir README.md; echo x > README.md/x.txt",
    "have a repository in place of a directory": "rm -rf src; git init -q src; echo b > src/b.txt",
    "have a repository in place of a file": "rm README.md; git init -q README.md; echo x > README.md/x.txt",
    "have a repository around tracked files":
      "git init -q src; cd src; git add .; git -c user.name=C -c user.email=c@x commit -qm inner",
    "have names that git refuses": "mkdir .GIT; echo x > .GIT/x.txt; mkdir 'a'; echo y > 'a/.git'",
    "have names that are no text": String.raw`echo x > "$(printf 'a\nb\tc\377')"`,
    "are many links": "ln -s . loop; ln -s /etc/passwd passwd; ln -s nowhere nowhere",
  };
  for (const [name, oddity] of Object.entries(oddities))
    test(`${name} are saved as far as git can hold them`, { timeout: 100_000 }, () =>
      withCopy(async (scene) => {
        scene.sh("echo work > work.txt");
        scene.sh(`set +e; ${oddity}; true`);
        const { branch } = await saved(scene, "work.txt", "work");
        assert.ok(!git(scene.root, "ls-tree", "-r", branch).includes("160000"), "a commit in place of files");
      }),
    );

  test("git cannot hold keep the copy, and are named", () =>
    withCopy(async (scene) => {
      scene.sh("mkdir .GIT; echo x > .GIT/x.txt; echo work > work.txt");
      const { unsaved } = await saved(scene, "work.txt", "work");
      assert.match(unsaved?.join() ?? "", /git cannot hold \.GIT\/x\.txt/);
    }));
});

test("an object with a false name does not replace the user's", () =>
  withCopy(async (scene) => {
    const { root, sh, copy } = scene;
    writeFileSync(join(root, "secret.txt"), "true\n");
    const real = git(root, "hash-object", "-w", "secret.txt");
    rmSync(join(root, "secret.txt"));
    // The child's tree names the user's object; its own object of that name has another content.
    sh("git config user.name C; git config user.email c@x; echo false > false.txt; git add .; git commit -qm c");
    const fake = git(copy.tree, "rev-parse", "HEAD:false.txt");
    const [from, to] = [fake, real].map((sha) => join(copy.tree, ".git/objects", sha.slice(0, 2), sha.slice(2)));
    mkdirSync(join(to ?? "", ".."), { recursive: true });
    writeFileSync(to ?? "", readFileSync(from ?? ""));
    sh(`git update-index --add --cacheinfo 100644,${real},stolen.txt; git commit -qm d; echo work > work.txt`);
    await saved(scene, "work.txt", "work");
    assert.equal(git(root, "cat-file", "-p", real), "true");
  }));

test("the copy's own git works: commit, log, stash, rebase, amend, and a garbage collection of the user's", () =>
  withCopy(async (scene) => {
    const { root, sh } = scene;
    sh("git config user.name C; git config user.email c@x");
    sh(
      "echo 1 > one.txt; git add .; git commit -qm one; git stash list; echo 2 >> one.txt; git stash -q; git stash pop -q",
    );
    git(root, "gc", "-q", "--prune=now");
    sh("git commit -qam two; git commit -q --amend -m three; git rebase -q HEAD~1; git log --oneline; git fsck");
    const work = await saved(scene, "one.txt", "1\n2");
    assert.equal(work.commits, 2);
    assert.equal(existsSync(join(scene.copy.tree, ".git/refs/remotes")), false);
  }));

test("work that is saved twice is one history, and a head that Deputy saved may move", () =>
  withCopy(async (scene) => {
    const { root, sh, copy, worktrees } = scene;
    sh("echo 1 > one.txt");
    const first = await saved(scene, "one.txt", "1");
    assert.equal((await worktrees.save(copy, "Work.")).head, first.head);
    sh("git config user.name C; git config user.email c@x; git add .; git commit -qm own; echo 2 > two.txt");
    const second = await saved(scene, "two.txt", "2");
    assert.deepEqual([second.branch, second.commits], [first.branch, 2]);
    appendFileSync(join(copy.tree, "two.txt"), "3\n");
    git(root, "checkout", "-q", second.branch);
    const third = await worktrees.save(copy, "Work.");
    assert.equal(third.branch, `${first.branch}-2`);
    assert.equal(git(root, "status", "--porcelain"), "");
  }));
