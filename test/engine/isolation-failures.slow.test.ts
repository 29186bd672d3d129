/** Failures that users of other tools have reported about working copies of agents: one test for each. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Result } from "../../src/result.ts";
import { ALLOWED, inTurn, makeRepository, type RepositoryStage, withRepository } from "../support/isolation-stage.ts";
import type { Scene } from "../support/whole-stage.ts";

/** Sets a stage with a repository, and performs a function on it. */
async function inRepository(scene: Scene, perform: (stage: RepositoryStage) => Promise<void>): Promise<void> {
  await withRepository(scene, perform);
}

const ISOLATED = { goal: "Work.", isolation: "worktree" } as const;

/** Runs one isolated child with these commands. `before` prepares the repository, `after` looks at it. */
async function works(
  commands: string[],
  {
    before,
    after,
    config,
  }: {
    before?: (stage: RepositoryStage) => void;
    after?: (result: Result, stage: RepositoryStage) => void;
    config?: object;
  },
): Promise<void> {
  const delegation = { ...ALLOWED.delegation, ...config };
  await inRepository({ config: { delegation }, script: inTurn(...commands) }, async (stage) => {
    before?.(stage);
    const [result] = (await stage.delegate(ISOLATED)).results;
    assert.ok(result);
    after?.(result, stage);
  });
}

function commit(stage: RepositoryStage, path: string, text: string): string {
  stage.write(path, text);
  stage.git("add", "-A");
  stage.git("commit", "-q", "-m", path);
  return stage.git("rev-parse", "HEAD");
}

/** A program that leaves a trace if anything runs it. */
function trap(stage: RepositoryStage, trace: string): string {
  const path = join(stage.root, "..", "trap.sh");
  writeFileSync(path, `#!/bin/sh\ntouch '${trace}'\ncat\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("base is a stale commit, the default branch or a session-start snapshot instead of HEAD", () => {
  test("a child starts from the HEAD of its workspace at the time of the call", async () => {
    await inRepository({ config: ALLOWED, script: inTurn("cat README.md") }, async (stage) => {
      const bases: string[] = [];
      for (const text of ["one\n", "two\n"]) {
        bases.push(commit(stage, "README.md", text));
        const [result] = (await stage.delegate(ISOLATED)).results;
        assert.deepEqual([result?.base, result?.summary], [bases.at(-1), text.trim()]);
      }
      stage.git("checkout", "-q", "-b", "feature");
      const onBranch = commit(stage, "README.md", "three\n");
      stage.git("checkout", "-q", "--detach");
      const detached = commit(stage, "README.md", "four\n");
      assert.equal((await stage.delegate(ISOLATED)).results[0]?.base, detached);
      assert.equal((await stage.delegate({ ...ISOLATED, base: "feature" })).results[0]?.base, onBranch);
    });
  });
});

describe("isolation silently off, the live tree edited", () => {
  const cases: [where: string, prepare: (stage: RepositoryStage) => void, why: RegExp][] = [
    ["in the middle of a merge", (stage) => stage.write(".git/MERGE_HEAD", "x"), /in the middle of a merge/],
    ["in the middle of a rebase", (stage) => mkdirSync(join(stage.root, ".git/rebase-merge")), /of a rebase/],
    ["in the middle of a cherry-pick", (stage) => stage.write(".git/CHERRY_PICK_HEAD", "x"), /of a cherry-pick/],
    ["on a branch without a commit", (stage) => stage.git("checkout", "-q", "--orphan", "new"), /no commit yet/],
    ["beside a branch named deputy", (stage) => stage.git("branch", "deputy"), /a branch named deputy/],
    ["in a bare repository", (stage) => stage.git("config", "core.bare", "true"), /without a working tree/],
  ];
  for (const [where, prepare, why] of cases)
    test(`a child never runs in place: ${where}, its task is rejected`, () =>
      inRepository({ config: ALLOWED, script: inTurn("echo edited > README.md") }, async (stage) => {
        prepare(stage);
        await assert.rejects(stage.delegate(ISOLATED), (error: Error) => {
          assert.match(error.message, /isolation: A working copy of its own is impossible/);
          assert.match(error.message, why);
          return true;
        });
        assert.equal(readFileSync(join(stage.root, "README.md"), "utf8"), "# Ants\n");
      }));

  test("nor without a repository, nor with an unknown base", () =>
    inRepository({ config: ALLOWED, script: inTurn("touch edited") }, async (stage) => {
      const plain = join(stage.root, "..", "plain");
      mkdirSync(plain);
      await assert.rejects(stage.delegate(ISOLATED, { workspace: plain }), /is in no git repository/);
      await assert.rejects(stage.delegate({ ...ISOLATED, base: "nowhere" }), /Expected a commit, branch or tag/);
      await assert.rejects(stage.delegate({ ...ISOLATED, base: "--all" }), /Expected a commit, branch or tag/);
      await assert.rejects(stage.delegate({ goal: "Work.", base: "main" }), /isolation: worktree with base/);
      assert.ok(!existsSync(join(plain, "edited")));
    }));

  test("without git, the task is rejected, and one that asks for no copy runs", () =>
    inRepository({ env: { PATH: "/nowhere" }, script: () => ({ text: "done" }) }, async (stage) => {
      await assert.rejects(stage.delegate(ISOLATED), /git was not found/);
      assert.equal((await stage.delegate({ goal: "Talk." })).results[0]?.status, "completed");
    }));

  test("file tools and commands change the copy, not the tree", () =>
    works(["echo edited > README.md; rm -rf src"], {
      before: (stage) => {
        mkdirSync(join(stage.root, "src"));
        commit(stage, "src/a.txt", "a\n");
        stage.write("README.md", "uncommitted\n");
      },
      after: (result, stage) => {
        assert.deepEqual(result.files_changed, ["README.md", "src/a.txt"]);
        assert.equal(readFileSync(join(stage.root, "README.md"), "utf8"), "uncommitted\n");
        assert.equal(stage.git("status", "--porcelain"), " M README.md");
      },
    }));
});

describe("untracked files lost at cleanup", () => {
  const odd = String.raw`mkdir -p 'a dir' && printf x > 'a dir/ö.txt' && printf y > "$(printf 'bytes\377')" && ln -s nowhere link`;
  test("untracked files of any name are on the branch, and what git ignores is not", () =>
    works([odd, "echo '*.log' > .gitignore; touch trace.log; chmod 000 'a dir/ö.txt'; mkfifo pipe"], {
      after: (result, stage) => {
        assert.deepEqual(result.warnings, []);
        const names = stage.git("ls-tree", "-r", "-z", "--name-only", result.branch ?? "");
        assert.deepEqual(names.split("\0").slice(0, 4), [".gitignore", "README.md", "a dir/ö.txt", "bytes\ufffd"]);
        assert.equal(stage.git("show", `${result.branch}:a dir/ö.txt`), "x");
        assert.deepEqual(stage.copies(), []);
      },
    }));

  test("ignored files that the child has added by force are on it, committed or not", () =>
    works(
      [
        "echo '*.log' > .gitignore; echo 1 > a.log; git add -f a.log; git commit -qm log; echo 2 > b.log; git add -f b.log",
      ],
      {
        after: (result, stage) => {
          assert.deepEqual(result.files_changed, [".gitignore", "a.log", "b.log"]);
          assert.equal(stage.git("show", `${result.branch}:b.log`), "2");
        },
      },
    ));

  test("files of a repository inside the copy are on it; the copy stays, because that has commits of its own", () =>
    works(
      [
        "git init -q inner && cd inner && echo 1 > one.txt && git add . && git commit -qm inner",
        "git init -q empty; echo 2 > empty/two.txt",
      ],
      {
        after: (result, stage) => {
          assert.deepEqual(result.files_changed, ["empty/two.txt", "inner/one.txt"]);
          assert.match(result.warnings.map(({ message }) => message).join(), /working copy is kept at .*inner\//);
          assert.equal(stage.copies().length, 1);
        },
      },
    ));

  test("the work of a child that fails or is stopped is on its branch too", async () => {
    const fails: Scene["script"] = (request) =>
      request.messages.some(({ toolResults }) => toolResults.length > 0)
        ? { fault: { kind: "response", status: 400, body: '{"error":{"message":"no"}}' } }
        : inTurn("echo kept > kept.txt")(request);
    await inRepository({ config: ALLOWED, script: fails }, async (stage) => {
      const [result] = (await stage.delegate(ISOLATED)).results;
      assert.equal(result?.status, "failed");
      assert.equal(stage.git("show", `${result.branch}:kept.txt`), "kept");
      assert.deepEqual(stage.copies(), []);
    });
  });
});

describe("unpushed commits lost", () => {
  test("commits on its branch, on others, in a stash, and before a reset are all in the repository", () =>
    works(
      [
        "echo 1 > one.txt; git add .; git commit -qm one; git checkout -qb side HEAD~1; echo 2 > two.txt; git add .; git commit -qm two",
        "echo 3 > README.md; git stash -q; echo 4 > four.txt; git add .; git commit -qm four; git reset -q --hard HEAD~1; git checkout -q -",
        "git rev-parse side 'stash@{0}' 'side@{1}'",
      ],
      {
        after: (result, stage) => {
          assert.deepEqual(result.files_changed, ["one.txt"]);
          assert.equal(result.commits, 1);
          const others = result.summary.split("\n").filter((line) => /^[0-9a-f]{40}$/.test(line));
          assert.equal(others.length, 3);
          const saved = stage.git("for-each-ref", "--format=%(objectname)", "refs/deputy/saved");
          for (const sha of others) stage.git("merge-base", "--is-ancestor", sha, saved);
          assert.deepEqual(stage.copies(), []);
        },
      },
    ));

  test("a branch that the user makes of the same name meanwhile stays as it is", async () => {
    let stage: RepositoryStage | undefined;
    const script: Scene["script"] = (request) => {
      const [copy = ""] = stage?.copies() ?? [];
      const branch = `deputy/${copy.split("/")[0]}/1-work`;
      if (stage !== undefined && !stage.refs().includes(`refs/heads/${branch}`))
        stage.git("branch", branch, stage.git("commit-tree", "HEAD^{tree}", "-m", "of the user"));
      return inTurn("echo mine > README.md")(request);
    };
    await inRepository({ config: ALLOWED, script }, async (made) => {
      stage = made;
      const [result] = (await stage.delegate(ISOLATED)).results;
      assert.match(result?.branch ?? "", /^deputy\/\w+\/1-work-2$/);
      assert.equal(stage.git("show", `${result?.branch}:README.md`), "mine");
      assert.equal(stage.git("log", "-1", "--format=%s", result?.branch?.replace(/-2$/, "") ?? ""), "of the user");
    });
  });
});

describe("the user moved off their branch", () => {
  test("HEAD, index, tree, stash and config of the repository are as before", () =>
    works(
      [
        "git checkout -qb other; echo x > x.txt; git stash -u -q; git config user.name Eve; git commit -q --allow-empty -m y",
      ],
      {
        before: (stage) => {
          stage.write("README.md", "stashed\n");
          stage.git("stash", "-q");
          stage.write("staged.txt", "staged\n");
          stage.git("add", "staged.txt");
          stage.write("README.md", "dirty\n");
          stage.write(
            "../before",
            [
              stage.git("symbolic-ref", "HEAD"),
              stage.git("status", "--porcelain"),
              stage.git("stash", "list"),
              readFileSync(join(stage.root, ".git/config"), "utf8"),
            ].join("\n"),
          );
        },
        after: (_, stage) => {
          const now = [
            stage.git("symbolic-ref", "HEAD"),
            stage.git("status", "--porcelain"),
            stage.git("stash", "list"),
            readFileSync(join(stage.root, ".git/config"), "utf8"),
          ].join("\n");
          assert.equal(now, readFileSync(join(stage.root, "../before"), "utf8"));
        },
      },
    ));
});

describe("locks and worktrees pile up", () => {
  test("after eight children, nothing is left but their branches", async () => {
    await inRepository({ config: ALLOWED, script: inTurn("date > $(basename $(dirname $PWD)).txt") }, async (stage) => {
      const tasks = Array.from({ length: 8 }, (_, index) => ({ goal: `Task ${index}` }));
      const { results } = await stage.delegate({ tasks, isolation: "worktree" });
      assert.deepEqual(stage.refs(), [...results.map(({ branch }) => `refs/heads/${branch}`), "refs/heads/main"]);
      assert.deepEqual(stage.copies(), []);
      assert.equal(stage.git("worktree", "list").split("\n").length, 1);
      const locks = stage
        .git("ls-files", "-o", "--", ".")
        .split("\n")
        .filter((name) => name.endsWith(".lock"));
      assert.deepEqual(locks, []);
    });
  });

  test("a child that changes nothing leaves no branch", () =>
    works(["ls"], {
      after: (result, stage) => {
        assert.deepEqual([result.branch, result.commits, result.files_changed], [undefined, 0, []]);
        assert.deepEqual(stage.refs(), ["refs/heads/main"]);
      },
    }));
});

describe("the stash shared", () => {
  test("a child sees no stash of the user's, and the user none of the child's", () =>
    works(["git stash list; echo x > README.md; git stash; git stash list"], {
      before: (stage) => {
        stage.write("README.md", "of the user\n");
        stage.git("stash", "-q");
      },
      after: (result, stage) => {
        assert.equal(result.summary.match(/^stash@/gm)?.length, 1);
        assert.equal(stage.git("stash", "list").split("\n").length, 1);
      },
    }));
});

describe("submodules empty", () => {
  const withSubmodule = (stage: RepositoryStage) => {
    const library = join(stage.root, "..", "library");
    mkdirSync(library);
    makeRepository(library);
    stage.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "vendor/library");
    stage.git("commit", "-q", "-m", "submodule");
  };
  test("a task is rejected, and the submodule named", () =>
    inRepository({ config: ALLOWED, script: inTurn("ls") }, async (stage) => {
      withSubmodule(stage);
      await assert.rejects(stage.delegate(ISOLATED), /submodules would be empty in a copy: vendor\/library\b/);
    }));

  test("one that the user has not checked out either is as empty in the copy", () =>
    inRepository({ config: ALLOWED, script: inTurn("ls vendor/library | wc -l") }, async (stage) => {
      withSubmodule(stage);
      stage.git("submodule", "--quiet", "deinit", "-f", "vendor/library");
      assert.equal((await stage.delegate(ISOLATED)).results[0]?.summary.trim(), "0");
    }));
});

describe("a sibling's content dropped by an automatic merge", () => {
  test("two children that change one file each have their own content on their own branch", async () => {
    const script: Scene["script"] = (request) => inTurn(`echo '${request.messages[0]?.text}' > README.md`)(request);
    await inRepository({ config: ALLOWED, script }, async (stage) => {
      const { results } = await stage.delegate({ tasks: [{ goal: "ants" }, { goal: "bees" }], isolation: "worktree" });
      assert.deepEqual(
        results.map(({ branch }) => stage.git("show", `${branch}:README.md`)),
        ["ants", "bees"],
      );
      assert.equal(stage.git("show", "main:README.md"), "# Ants");
      assert.equal(stage.git("log", "--merges", "--all", "--oneline"), "");
    });
  });
});

describe("the repository's hooks run by our git calls", () => {
  test("no hook of the user's repository runs, whatever their directory", () =>
    works(["echo x > x.txt"], {
      before: (stage) => {
        const path = trap(stage, join(stage.root, "..", "trace"));
        const hooks = [
          "post-checkout",
          "pre-commit",
          "post-commit",
          "reference-transaction",
          "post-index-change",
          "pre-push",
          "post-rewrite",
        ];
        for (const name of hooks)
          writeFileSync(join(stage.root, ".git/hooks", name), `#!/bin/sh\nexec '${path}'\n`, { mode: 0o755 });
        stage.git("-c", "core.hooksPath=/dev/null", "config", "core.fsmonitor", path);
      },
      after: (result, stage) => {
        assert.equal(result.commits, 1);
        assert.ok(!existsSync(join(stage.root, "..", "trace")));
      },
    }));
});

describe("a child's .git/config or .gitattributes makes our git run its program", () => {
  const PROGRAM = `printf '#!/bin/sh\\ntouch "$HOME/trace"\\ncat\\n' > evil; chmod +x evil; E=$PWD/evil`;
  const attacks: Record<string, string> = {
    "a filter": `git config filter.x.clean "$E"; git config filter.x.smudge "$E"; git config filter.x.process "$E"; echo '* filter=x' > .gitattributes`,
    "an external diff and a textconv": `git config diff.external "$E"; git config diff.x.textconv "$E"; echo '* diff=x' > .gitattributes`,
    "a monitor": `git config core.fsmonitor "$E"`,
    hooks: `for h in pre-commit post-commit reference-transaction post-index-change pre-receive update post-update; do cp evil .git/hooks/$h; done`,
    "a directory of hooks": `mkdir h; for h in post-index-change reference-transaction; do cp evil h/$h; done; git config core.hooksPath $PWD/h`,
    "an include": `printf '[core]\\n fsmonitor = %s\\n hooksPath = %s\\n' "$E" "$PWD" > inc; git config include.path $PWD/inc`,
    signing: `git config commit.gpgSign true; git config gpg.program "$E"`,
    "a command for alternates": `git config core.alternateRefsCommand "$E"; git config uploadpack.packObjectsHook "$E"`,
    "a merge driver": `git config merge.x.driver "$E"; echo '* merge=x' > .gitattributes`,
    "another working tree": `git config core.worktree /; git config core.bare true`,
    "a promisor": `git config extensions.partialClone o; git config remote.o.url "$PWD"; git config remote.o.promisor true; git config remote.o.uploadpack "$E"; git config core.repositoryFormatVersion 1`,
  };
  for (const [name, attack] of Object.entries(attacks))
    test(`${name} of the child's runs nothing, and its work is saved`, () =>
      works([`${PROGRAM}; ${attack}; rm -f "$HOME/trace"; echo work > work.txt`], {
        after: (result, stage) => {
          assert.equal(stage.git("show", `${result.branch}:work.txt`), "work");
          assert.ok(!existsSync(join(stage.place.env.HOME ?? "", "trace")), "its program ran");
        },
      }));
});
