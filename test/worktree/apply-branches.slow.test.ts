/** Applying branches: the result is git's, the rest of the user's repository stays byte for byte. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { applyBranches } from "../../src/worktree/apply/apply-branches.ts";
import type { Applied, ApplyOrder } from "../../src/worktree/apply/apply-order.ts";
import { userRepository } from "../../src/worktree/repository.ts";
import { createTestRepository, type TestRepository, testGit } from "../support/git-repository.ts";

const LINES = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
const text = (changes: Record<number, string> = {}) =>
  `${LINES.map((line, index) => changes[index + 1] ?? line).join("\n")}\n`;

type Prepared = { repository: TestRepository; start: string; branch(change: () => void): string };

/** A repository on `main` with a few files, and children's commits that start from it. */
function prepare(context: Parameters<typeof createTestRepository>[0]): Prepared {
  const repository = createTestRepository(context);
  repository.write("a.txt", text());
  repository.write("b.txt", text());
  repository.write("d/one.txt", "one\n".repeat(5));
  repository.write("d/two.txt", "two\n".repeat(5));
  repository.write(".gitignore", "ignored*\n");
  const start = repository.commit("base");
  const branch = (change: () => void) => {
    const head = repository.commitFrom(start, change, "child's work");
    repository.git("checkout", "--quiet", "main");
    return head;
  };
  return { repository, start, branch };
}

type Child = { start: string; head: string };

async function apply(
  repository: TestRepository,
  children: readonly Child[],
  more: Partial<ApplyOrder> = {},
): Promise<Applied> {
  const { directory = repository.path } = more;
  return applyBranches(testGit, {
    repository: await userRepository(testGit, directory),
    directory,
    target: { kind: "tree" },
    branches: children.map((child, index) => ({ childId: `run.${index + 1}`, goal: `Goal ${index + 1}.`, ...child })),
    isDryRun: false,
    confirm: async () => false,
    ...more,
  });
}

const statuses = ({ outcomes }: Applied) => outcomes.map(({ status }) => status);

/** Content, mode and time of every file, also git's own. Git renews the time of an object that it would write again. */
function fileStates(root: string): Map<string, string> {
  const entries = readdirSync(root, { recursive: true, withFileTypes: true });
  return new Map(
    entries.map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeNs } = lstatSync(path, { bigint: true });
      const content = entry.isFile() ? readFileSync(path, "latin1") : entry.isSymbolicLink() ? readlinkSync(path) : "";
      const time = path.includes("/objects/") ? "" : mtimeNs;
      return [path.slice(root.length + 1), entry.isDirectory() ? `directory ${mode}` : `${mode} ${time} ${content}`];
    }),
  );
}

/** Everything but these paths of the working tree is as before. */
function assertUntouched(before: Map<string, string>, root: string, changed: readonly string[] = []): void {
  const after = fileStates(root);
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  assert.deepEqual(
    differing.filter((path) => !changed.includes(path)),
    [],
  );
}

test("changes the files of the child's work, and nothing else", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => {
    repository.write("a.txt", text({ 5: "new" }));
    repository.write("n/new.txt", "new\n");
    repository.remove("d/two.txt");
  });
  const before = fileStates(repository.path);
  const applied = await apply(repository, [{ start, head }]);
  assert.deepEqual(statuses(applied), ["applied"]);
  assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), text({ 5: "new" }));
  assert.equal(repository.git("status", "--porcelain"), " M a.txt\n D d/two.txt\n?? n/");
  assertUntouched(before, repository.path, ["a.txt", "n", "n/new.txt", "d/two.txt"]);
});

test("merges with what the user has changed since, committed or not", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => {
    repository.write("a.txt", text({ 5: "child" }));
    repository.write("b.txt", text({ 5: "child" }));
  });
  repository.write("a.txt", text({ 15: "committed" }));
  repository.commit("user's");
  repository.write("b.txt", text({ 15: "uncommitted" }));
  assert.deepEqual(statuses(await apply(repository, [{ start, head }])), ["applied"]);
  assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), text({ 5: "child", 15: "committed" }));
  assert.equal(readFileSync(join(repository.path, "b.txt"), "utf8"), text({ 5: "child", 15: "uncommitted" }));
});

const USER_STATES: Record<string, (prepared: Prepared) => void> = {
  "uncommitted changes": ({ repository }) => repository.write("b.txt", "mine\n"),
  "staged changes": ({ repository }) => {
    repository.write("b.txt", "staged\n");
    repository.git("add", "b.txt");
    repository.write("b.txt", "and changed again\n");
  },
  "untracked and ignored files": ({ repository }) => {
    repository.write("untracked/x", "mine\n");
    repository.write("ignored.txt", "mine\n");
  },
  "a new file that is only intended to be added": ({ repository }) => {
    repository.write("intended.txt", "mine\n");
    repository.git("add", "-N", "intended.txt");
  },
  "a deleted file": ({ repository }) => repository.remove("d/one.txt"),
  "a file replaced by a link": ({ repository }) => {
    repository.remove("b.txt");
    symlinkSync("/etc/hostname", join(repository.path, "b.txt"));
  },
  "a file replaced by a directory": ({ repository }) => {
    repository.remove("b.txt");
    repository.write("b.txt/x", "mine\n");
  },
  "a detached HEAD": ({ repository }) => void repository.git("checkout", "--quiet", "--detach"),
  "a stash": ({ repository }) => {
    repository.write("b.txt", "stashed\n");
    repository.git("stash");
  },
  "a rebase that has stopped": ({ repository, start }) => {
    repository.git("checkout", "--quiet", "-b", "topic", start);
    repository.write("b.txt", "topic\n");
    repository.commit("topic");
    repository.git("checkout", "--quiet", "main");
    repository.write("b.txt", "main\n");
    repository.commit("main");
    repository.git("checkout", "--quiet", "topic");
    assert.notEqual(repository.tryGit("rebase", "main"), 0);
  },
  "a merge that has stopped": ({ repository, start }) => {
    repository.git("checkout", "--quiet", "-b", "topic", start);
    repository.write("b.txt", "topic\n");
    repository.commit("topic");
    repository.git("checkout", "--quiet", "main");
    repository.write("b.txt", "main\n");
    repository.commit("main");
    assert.notEqual(repository.tryGit("merge", "topic"), 0);
  },
  "a nested repository without a commit": ({ repository }) => {
    mkdirSync(join(repository.path, "nested"));
    repository.git("-C", "nested", "init", "--quiet");
  },
  "files assumed unchanged": ({ repository }) => {
    repository.git("update-index", "--assume-unchanged", "b.txt");
    repository.write("b.txt", "mine\n");
  },
  "an index split in two": ({ repository }) => void repository.git("update-index", "--split-index"),
  "hooks, filters and a monitor": ({ repository }) => {
    const program = join(repository.path, ".git", "program");
    writeFileSync(program, `#!/bin/sh\ntouch ${join(repository.path, "ran")}\ncat\n`, { mode: 0o755 });
    for (const name of ["post-checkout", "post-index-change", "reference-transaction", "pre-commit", "post-merge"])
      writeFileSync(join(repository.path, ".git", "hooks", name), readFileSync(program), { mode: 0o755 });
    repository.git("config", "core.fsmonitor", program);
    repository.git("config", "filter.x.clean", program);
    repository.git("config", "merge.x.driver", `${program} %A`);
    repository.git("config", "diff.external", program);
    writeFileSync(join(repository.path, ".git", "info", "attributes"), "a.txt merge=x\nb.txt filter=x\n");
  },
};

for (const [what, change] of Object.entries(USER_STATES))
  test(`keeps ${what}: index, HEAD, refs, stash, other files and their times`, async (context) => {
    const prepared = prepare(context);
    const { repository, start, branch } = prepared;
    const head = branch(() => {
      repository.write("a.txt", text({ 5: "child" }));
      repository.write("n/new.txt", "new\n");
    });
    change(prepared);
    const before = fileStates(repository.path);
    const applied = await apply(repository, [{ start, head }]);
    assert.deepEqual(statuses(applied), ["applied"], JSON.stringify(applied.outcomes));
    assertUntouched(before, repository.path, ["a.txt", "n", "n/new.txt"]);
    assert.equal(existsSync(join(repository.path, "ran")), false);
  });

for (const [what, change] of Object.entries(USER_STATES))
  test(`with ${what}, a conflict changes nothing at all`, async (context) => {
    const prepared = prepare(context);
    const { repository, start, branch } = prepared;
    const head = branch(() => {
      repository.write("a.txt", text({ 5: "child" }));
      repository.write("c.txt", "new\n");
    });
    change(prepared);
    repository.write("a.txt", text({ 5: "user" }));
    const before = fileStates(repository.path);
    const applied = await apply(repository, [{ start, head }]);
    const [outcome] = applied.outcomes;
    assert.equal(outcome?.status, "conflict");
    assert.deepEqual(outcome?.status === "conflict" && outcome.files, [
      { path: "a.txt", kind: "content", hunks: [{ start: 5, lines: 1, their_start: 5, their_lines: 1 }] },
    ]);
    assertUntouched(before, repository.path);
  });

const OBSTACLES: Record<
  string,
  { child: (repository: TestRepository) => void; user: (repository: TestRepository) => void; status: string }
> = {
  "an untracked file of the same name": {
    child: (repository) => repository.write("n.txt", "child\n"),
    user: (repository) => repository.write("n.txt", "user\n"),
    status: "conflict",
  },
  "an ignored file of the same name": {
    child: (repository) => {
      repository.write("ignored.txt", "child\n");
      repository.git("add", "-f", "ignored.txt");
    },
    user: (repository) => repository.write("ignored.txt", "user\n"),
    status: "conflict",
  },
  "an untracked directory of the same name": {
    child: (repository) => repository.write("n", "child\n"),
    user: (repository) => repository.write("n/mine.txt", "user\n"),
    status: "blocked",
  },
  "an untracked file in place of the directory": {
    child: (repository) => repository.write("n/child.txt", "child\n"),
    user: (repository) => repository.write("n", "user\n"),
    status: "blocked",
  },
  "a link out of the tree in place of the directory": {
    child: (repository) => repository.write("n/child.txt", "child\n"),
    user: (repository) => symlinkSync("/mnt", join(repository.path, "n")),
    status: "blocked",
  },
  "an ignored file in a directory that becomes a file": {
    child: (repository) => {
      repository.remove("d");
      repository.write("d", "child\n");
    },
    user: (repository) => repository.write("d/ignored.txt", "user\n"),
    status: "blocked",
  },
  "a file that is being merged": {
    child: (repository) => repository.write("b.txt", text({ 12: "child" })),
    user: (repository) => {
      repository.git("checkout", "--quiet", "-b", "topic");
      repository.write("b.txt", text({ 2: "topic" }));
      repository.commit("topic");
      repository.git("checkout", "--quiet", "main");
      repository.write("b.txt", text({ 2: "main" }));
      repository.commit("main");
      assert.notEqual(repository.tryGit("merge", "topic"), 0);
    },
    status: "blocked",
  },
  "a file outside of a sparse checkout": {
    child: (repository) => repository.write("d/one.txt", "child\n"),
    user: (repository) => {
      repository.git("sparse-checkout", "init", "--no-cone");
      repository.git("sparse-checkout", "set", "--no-cone", "/*.txt");
    },
    status: "blocked",
  },
  "a file that passes through a filter": {
    child: (repository) => repository.write("b.txt", text({ 12: "child" })),
    user: (repository) => {
      repository.git("config", "filter.lfs.smudge", "cat");
      repository.write(".gitattributes", "*.txt filter=lfs\n");
    },
    status: "blocked",
  },
};

for (const [what, { child, user, status }] of Object.entries(OBSTACLES))
  test(`stops at ${what}, and changes nothing`, async (context) => {
    const { repository, start, branch } = prepare(context);
    const head = branch(() => {
      repository.write("c.txt", "also new\n");
      child(repository);
    });
    user(repository);
    const before = fileStates(repository.path);
    const applied = await apply(repository, [{ start, head }]);
    assert.deepEqual(statuses(applied), [status], JSON.stringify(applied.outcomes));
    assertUntouched(before, repository.path);
  });

test("applies in order, up to the first that does not fit, and names it", async (context) => {
  const { repository, start, branch } = prepare(context);
  const heads = [
    branch(() => repository.write("a.txt", text({ 2: "one" }))),
    branch(() => repository.write("a.txt", text({ 12: "two" }))),
    branch(() => {
      repository.write("a.txt", text({ 2: "three" }));
      repository.write("c.txt", "three\n");
    }),
    branch(() => repository.write("b.txt", text({ 2: "four" }))),
  ];
  const before = fileStates(repository.path);
  const applied = await apply(
    repository,
    heads.map((head) => ({ start, head })),
  );
  assert.deepEqual(statuses(applied), ["applied", "applied", "conflict", "not-reached"]);
  assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), text({ 2: "one", 12: "two" }));
  assertUntouched(before, repository.path, ["a.txt"]);
});

test("applies nothing twice", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => repository.write("a.txt", text({ 2: "one" })));
  await apply(repository, [{ start, head }]);
  const before = fileStates(repository.path);
  assert.deepEqual(statuses(await apply(repository, [{ start, head }])), ["contained"]);
  repository.git("commit", "--quiet", "-am", "applied");
  assert.deepEqual(statuses(await apply(repository, [{ start, head }])), ["contained"]);
  assert.deepEqual(statuses(await apply(repository, [{ start, head: start }])), ["unchanged"]);
  assert.equal(fileStates(repository.path).get("a.txt"), before.get("a.txt"));
});

test("makes modes, links, binary files, odd names and a directory in place of a file", async (context) => {
  const { repository, start, branch } = prepare(context);
  const odd = Buffer.from("caf\xe9 \n'\"", "latin1");
  const head = branch(() => {
    chmodSync(join(repository.path, "a.txt"), 0o755);
    symlinkSync("a.txt", join(repository.path, "link"));
    repository.write("b.bin", Buffer.from([0, 1, 2, 255]));
    writeFileSync(Buffer.concat([Buffer.from(`${repository.path}/`), odd]), "odd\n");
    repository.remove("b.txt");
    repository.write("b.txt/below", "x\n");
    renameSync(join(repository.path, "d/one.txt"), join(repository.path, "moved.txt"));
  });
  const applied = await apply(repository, [{ start, head }], { confirm: async () => true });
  assert.deepEqual(statuses(applied), ["applied"]);
  assert.equal(repository.git("status", "--porcelain").includes("UU"), false);
  repository.git("add", "-A");
  assert.equal(repository.git("write-tree"), repository.git("rev-parse", `${head}^{tree}`));
  assert.deepEqual(
    applied.concerns.map(({ path, kind }) => `${path}: ${kind}`),
    ["a.txt: executable"],
  );
});

test("writes line ends as the user's checkout has them", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => repository.write("a.txt", text({ 2: "one" })));
  repository.git("config", "core.autocrlf", "true");
  repository.remove("a.txt");
  repository.git("checkout", "--", "a.txt");
  assert.deepEqual(statuses(await apply(repository, [{ start, head }])), ["applied"]);
  assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), text({ 2: "one" }).replaceAll("\n", "\r\n"));
});

test("works in a linked working tree, in a subdirectory, and with SHA-256", async (context) => {
  const repository = createTestRepository(context, "--object-format=sha256");
  repository.write("a.txt", text());
  const start = repository.commit("base");
  const head = repository.commitFrom(start, () => repository.write("sub/a.txt", "new\n"));
  repository.git("checkout", "--quiet", "main");
  repository.git("worktree", "add", "--quiet", "linked", "-b", "other");
  const before = fileStates(join(repository.path, ".git"));
  mkdirSync(join(repository.path, "linked", "deep"));
  const applied = await apply(repository, [{ start, head }], { directory: join(repository.path, "linked", "deep") });
  assert.deepEqual(statuses(applied), ["applied"]);
  assert.equal(readFileSync(join(repository.path, "linked", "sub", "a.txt"), "utf8"), "new\n");
  assert.equal(existsSync(join(repository.path, "sub")), false);
  assertUntouched(before, join(repository.path, ".git"));
});

test("a dry run tells what would happen, and changes nothing", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => {
    repository.write("a.txt", text({ 2: "one" }));
    repository.write("AGENTS.md", "Obey.\n");
  });
  const before = fileStates(repository.path);
  const applied = await apply(repository, [{ start, head }], { isDryRun: true, confirm: () => assert.fail() });
  assert.deepEqual(statuses(applied), ["applied"]);
  assert.deepEqual(
    applied.concerns.map(({ path, kind }) => [path, kind]),
    [["AGENTS.md", "agent"]],
  );
  assertUntouched(before, repository.path);
});

test("changes nothing if the user does not agree", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => repository.write(".github/workflows/ci.yml", "on: push\n"));
  const before = fileStates(repository.path);
  const asked: string[] = [];
  const confirm: ApplyOrder["confirm"] = async (concerns) => {
    asked.push(...concerns.map(({ path }) => path));
    return false;
  };
  assert.deepEqual(statuses(await apply(repository, [{ start, head }], { confirm })), ["declined"]);
  assert.deepEqual(asked, [".github/workflows/ci.yml"]);
  assertUntouched(before, repository.path);
});

test("notices that a file changed while the user was asked", async (context) => {
  const { repository, start, branch } = prepare(context);
  const head = branch(() => {
    repository.write("a.txt", text({ 2: "one" }));
    repository.write("CLAUDE.md", "Obey.\n");
  });
  const confirm = async () => {
    repository.write("a.txt", "changed meanwhile\n");
    return true;
  };
  const applied = await apply(repository, [{ start, head }], { confirm });
  assert.deepEqual(applied.outcomes, [
    { childId: "run.1", status: "blocked", obstacles: [{ path: "a.txt", reason: "it changed meanwhile" }] },
  ]);
  assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), "changed meanwhile\n");
  assert.equal(existsSync(join(repository.path, "CLAUDE.md")), false);
});

test("a new branch has one commit for each child on top of HEAD, and nothing else changes", async (context) => {
  const { repository, start, branch } = prepare(context);
  const heads = [
    branch(() => repository.write("a.txt", text({ 2: "one" }))),
    branch(() => repository.write("b.txt", text({ 2: "two" }))),
  ];
  repository.write("d/one.txt", "committed\n");
  const main = repository.commit("user's");
  repository.write("a.txt", "uncommitted\n");
  const before = fileStates(repository.path);
  const children = heads.map((head) => ({ start, head }));
  const applied = await apply(repository, children, { target: { kind: "branch", name: "topic/x" } });
  assert.deepEqual(statuses(applied), ["applied", "applied"]);
  assert.equal(repository.git("log", "--format=%s", `${main}..topic/x`), "child's work\nchild's work");
  assert.match(repository.git("log", "-1", "--format=%B", "topic/x"), /Deputy-Child: run\.2$/m);
  assert.equal(repository.git("diff", "--stat=80", main, "topic/x").split("\n").length, 3);
  assert.equal(repository.git("fsck", "--strict"), "");
  const isNew = (path: string) => /^\.git\/(objects|refs\/heads\/topic|logs\/refs\/heads\/topic)/.test(path);
  assertUntouched(before, repository.path, [...fileStates(repository.path).keys()].filter(isNew));
  await assert.rejects(apply(repository, children, { target: { kind: "branch", name: "topic/x" } }), /already/);
  await assert.rejects(apply(repository, children, { target: { kind: "branch", name: "a..b" } }), /name of a branch/);
  await assert.rejects(
    apply(repository, children, { target: { kind: "branch", name: "--force" } }),
    /name of a branch/,
  );
});

test("a patch applies to the tree that it was made for", async (context) => {
  const { repository, start, branch } = prepare(context);
  const heads = [
    branch(() => repository.write("a.txt", text({ 2: "one" }))),
    branch(() => {
      repository.write("a.txt", text({ 12: "two" }));
      repository.write("b.bin", Buffer.from([0, 1, 2]));
    }),
  ];
  repository.write("a.txt", text({ 19: "uncommitted" }));
  const children = heads.map((head) => ({ start, head }));
  const before = fileStates(repository.path);
  const { patch } = await apply(repository, children, { target: { kind: "patch" } });
  assertUntouched(before, repository.path);
  writeFileSync(join(repository.path, ".git", "x.patch"), patch ?? "");
  repository.git("apply", join(repository.path, ".git", "x.patch"));
  assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), text({ 2: "one", 12: "two", 19: "uncommitted" }));
});

test("refuses names that lead out of the tree or into git's own files", async (context) => {
  const { repository, start } = prepare(context);
  const blob = repository.git("rev-parse", `${start}:a.txt`);
  const trees = [".git", ".GIT", "..", "git~1", ".git "].map((name) => {
    const inner = makeTree(repository, [`100644 blob ${blob}\tevil`]);
    return { name, tree: makeTree(repository, [`040000 tree ${inner}\t${name}`]) };
  });
  for (const { name, tree } of trees) {
    const head = repository.git("commit-tree", tree, "-p", start, "-m", "evil");
    const before = fileStates(repository.path);
    const applied = await apply(repository, [{ start, head }], { confirm: async () => true });
    assert.deepEqual(statuses(applied), ["blocked"], name);
    assertUntouched(before, repository.path);
  }
});

/** Without git's checks of names. */
function makeTree(repository: TestRepository, entries: readonly string[]): string {
  const raw = Buffer.concat(
    entries.map((entry) => {
      const [, mode = "", id = "", name = ""] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(entry) ?? [];
      return Buffer.concat([Buffer.from(`${mode.replace(/^0/, "")} ${name}\0`), Buffer.from(id, "hex")]);
    }),
  );
  writeFileSync(join(repository.path, ".git", "tree"), raw);
  return repository.git("hash-object", "-t", "tree", "-w", "--literally", join(repository.path, ".git", "tree"));
}
