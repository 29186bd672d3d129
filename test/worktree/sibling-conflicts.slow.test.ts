/** Which siblings would not merge: every kind of conflict, and the same verdict as git's on random changes. */
import assert from "node:assert/strict";
import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { conflictInWords } from "../../src/conflict.ts";
import { type ChildBranch, siblingConflicts } from "../../src/worktree/merge/sibling-conflicts.ts";
import { userRepository } from "../../src/worktree/repository.ts";
import { createTestRepository, type TestRepository, testGit } from "../support/git-repository.ts";
import { playEdits, randomBase, randomEdits, reallyMerges } from "../support/random-edits.ts";

async function conflictsIn({ path }: TestRepository, branches: readonly ChildBranch[]) {
  return siblingConflicts(testGit, await userRepository(testGit, path), branches);
}

const LINES = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
const text = (changes: Record<number, string> = {}) =>
  `${LINES.map((line, index) => changes[index + 1] ?? line).join("\n")}\n`;

function baseOf(repository: TestRepository): string {
  repository.write("a.txt", text());
  repository.write("d/one.txt", "one\n".repeat(10));
  repository.write("d/two.txt", "two\n".repeat(10));
  repository.write("b.bin", Buffer.from([0, 1, 2, 3, 0, 255]));
  repository.write("crlf.txt", text().replaceAll("\n", "\r\n"));
  return repository.commit("base");
}

type Change = (repository: TestRepository) => void;
const write =
  (path: string, content: string | Buffer): Change =>
  (repository) =>
    repository.write(path, content);
const remove =
  (path: string): Change =>
  (repository) =>
    repository.remove(path);
const rename =
  (from: string, to: string): Change =>
  ({ path }) => {
    mkdirSync(dirname(join(path, to)), { recursive: true });
    renameSync(join(path, from), join(path, to));
  };
const link =
  (path: string, target: string): Change =>
  (repository) => {
    repository.remove(path);
    symlinkSync(target, join(repository.path, path));
  };
const all =
  (...changes: Change[]): Change =>
  (repository) => {
    for (const change of changes) change(repository);
  };

const CONFLICTS: Record<string, { one: Change; other: Change; found: string[] }> = {
  "the same line": {
    one: write("a.txt", text({ 5: "mine" })),
    other: write("a.txt", text({ 5: "theirs" })),
    found: ["a.txt line 5"],
  },
  "neighboring lines": {
    one: write("a.txt", text({ 5: "mine" })),
    other: write("a.txt", text({ 6: "theirs" })),
    found: ["a.txt line 5"],
  },
  "several places": {
    one: write("a.txt", text({ 2: "mine", 9: "mine", 10: "mine" })),
    other: write("a.txt", text({ 2: "theirs", 10: "theirs", 20: "theirs" })),
    found: ["a.txt line 2 and 1 more place"],
  },
  "a deleted and a changed line": {
    one: write("a.txt", text().replace("line 5\n", "")),
    other: write("a.txt", text({ 5: "theirs" })),
    found: ["a.txt after line 4"],
  },
  "lines of a file with CRLF": {
    one: write("crlf.txt", text({ 3: "mine" }).replaceAll("\n", "\r\n")),
    other: write("crlf.txt", text({ 3: "theirs" }).replaceAll("\n", "\r\n")),
    found: ["crlf.txt line 3"],
  },
  "line ends against content": {
    one: write("crlf.txt", text()),
    other: write("crlf.txt", text({ 3: "theirs" }).replaceAll("\n", "\r\n")),
    found: ["crlf.txt lines 1–20"],
  },
  "an edit and a rename with an edit": {
    one: all(rename("a.txt", "z.txt"), write("z.txt", text({ 5: "mine" }))),
    other: write("a.txt", text({ 5: "theirs" })),
    found: ["z.txt line 5"],
  },
  "two renames of one file": {
    one: rename("a.txt", "y.txt"),
    other: rename("a.txt", "z.txt"),
    found: ["a.txt (both rename it, or rename others to it)"],
  },
  "two files renamed to one name": {
    one: rename("d/one.txt", "new.txt"),
    other: rename("d/two.txt", "new.txt"),
    found: ["new.txt (both add it, with different content)"],
  },
  "a delete and an edit": {
    one: remove("a.txt"),
    other: write("a.txt", text({ 5: "theirs" })),
    found: ["a.txt (one deletes what the other changes)"],
  },
  "a delete and a rename": {
    one: remove("a.txt"),
    other: rename("a.txt", "z.txt"),
    found: ["z.txt (one deletes what the other changes)"],
  },
  "two new files of one name": {
    one: write("new.txt", "mine\n"),
    other: write("new.txt", "theirs\n"),
    found: ["new.txt (both add it, with different content)"],
  },
  "two changes of a binary file": {
    one: write("b.bin", Buffer.from([0, 9])),
    other: write("b.bin", Buffer.from([0, 8])),
    found: ["b.bin (both change it, and it is binary)"],
  },
  "a link instead of a file that the other changes": {
    one: link("a.txt", "d/one.txt"),
    other: write("a.txt", text({ 5: "theirs" })),
    found: ["a.txt (one makes it another type of file)"],
  },
  "two targets of a new link": {
    one: link("l", "a.txt"),
    other: link("l", "b.bin"),
    found: ["l (both add it, with different content)"],
  },
  "a file where the other has a directory": {
    one: write("x", "file\n"),
    other: write("x/y", "below\n"),
    found: ["x (one has a file where the other has a directory)"],
  },
  "a new file in a directory that the other renames": {
    one: all(rename("d/one.txt", "e/one.txt"), rename("d/two.txt", "e/two.txt")),
    other: write("d/new.txt", "new\n"),
    found: ["e/new.txt (one adds it to a directory that the other renames)"],
  },
};

for (const [what, { one, other, found }] of Object.entries(CONFLICTS))
  test(`names the conflict of ${what}, whichever sibling is first`, async (context) => {
    const repository = createTestRepository(context);
    const start = baseOf(repository);
    const heads = [one, other].map((change) => repository.commitFrom(start, () => change(repository)));
    const branches = heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head }));
    const [conflict, ...more] = await conflictsIn(repository, branches);
    assert.deepEqual(more, []);
    assert.deepEqual(conflict?.children, ["run.1", "run.2"]);
    assert.deepEqual(conflict?.files.map(conflictInWords).slice(0, found.length), found);
    const reversed = await conflictsIn(repository, branches.toReversed());
    assert.deepEqual(
      reversed.map(({ children }) => children),
      [["run.2", "run.1"]],
    );
  });

const CLEAN: Record<string, { one: Change; other: Change }> = {
  "different files": { one: write("a.txt", "mine\n"), other: write("c.txt", "theirs\n") },
  "lines apart from each other": {
    one: write("a.txt", text({ 2: "mine" })),
    other: write("a.txt", text({ 19: "theirs" })),
  },
  "the same change": { one: write("a.txt", text({ 5: "same" })), other: write("a.txt", text({ 5: "same" })) },
  "the same new file": { one: write("n", "same\n"), other: write("n", "same\n") },
  "a rename and an edit": { one: rename("a.txt", "z.txt"), other: write("a.txt", text({ 5: "theirs" })) },
  "two deletes": { one: remove("a.txt"), other: remove("a.txt") },
  "a mode and an edit": {
    one: ({ path }) => chmodSync(join(path, "a.txt"), 0o755),
    other: write("a.txt", text({ 5: "theirs" })),
  },
  "a change and nothing": { one: write("a.txt", "mine\n"), other: () => {} },
};

for (const [what, { one, other }] of Object.entries(CLEAN))
  test(`finds no conflict of ${what}`, async (context) => {
    const repository = createTestRepository(context);
    const start = baseOf(repository);
    const heads = [one, other].map((change) => repository.commitFrom(start, () => change(repository)));
    const branches = heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head }));
    assert.deepEqual(await conflictsIn(repository, branches), []);
  });

test("gives names that are not UTF-8 as text, and those with any character whole", async (context) => {
  const repository = createTestRepository(context);
  const start = baseOf(repository);
  const names = [Buffer.from("caf\xe9", "latin1"), Buffer.from('naïve\n\t"x"')];
  const heads = ["mine", "theirs"].map((content) =>
    repository.commitFrom(start, () => {
      for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${repository.path}/`), name]), content);
    }),
  );
  const branches = heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head }));
  const [conflict] = await conflictsIn(repository, branches);
  assert.deepEqual(conflict?.files.map(({ path }) => path).toSorted(), ["caf\\xe9", 'naïve\n\t"x"']);
});

test("gives the verdict of git merge on random changes, in both orders", async (context) => {
  const repository = createTestRepository(context);
  const start = randomBase(repository);
  await fc.assert(
    fc.asyncProperty(fc.array(randomEdits, { minLength: 2, maxLength: 4 }), async (siblings) => {
      const heads = siblings.map((edits) => repository.commitFrom(start, () => playEdits(repository, edits)));
      const branches = heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head }));
      const found = await conflictsIn(repository, branches);
      const pairs = found.map(({ children }) => children.join(" "));
      for (const [index, one] of branches.entries())
        for (const other of branches.slice(index + 1)) {
          const expected = !reallyMerges(repository, one.head, other.head);
          assert.equal(pairs.includes(`${one.childId} ${other.childId}`), expected, `${one.childId} ${other.childId}`);
          assert.equal(!reallyMerges(repository, other.head, one.head), expected);
        }
    }),
    { numRuns: 40 },
  );
});

test("names pairs with different bases as git merge does", async (context) => {
  const repository = createTestRepository(context);
  const start = baseOf(repository);
  const later = repository.commitFrom(start, () => repository.write("a.txt", text({ 2: "later" })));
  const one = repository.commitFrom(start, () => repository.write("a.txt", text({ 2: "mine" })));
  const other = repository.commitFrom(later, () => repository.write("c.txt", "new\n"));
  const apart = repository.commitFrom(later, () => repository.write("d/one.txt", "new\n"));
  const found = await conflictsIn(repository, [
    { childId: "run.1", start, head: one },
    { childId: "run.2", start: later, head: other },
    { childId: "run.3", start: later, head: apart },
  ]);
  assert.deepEqual(
    found.map(({ children }) => children.join(" ")),
    ["run.1 run.2", "run.1 run.3"],
  );
  assert.equal(reallyMerges(repository, one, other), false);
});

test("a child that starts from another one's branch does not conflict with it", async (context) => {
  const repository = createTestRepository(context);
  const start = baseOf(repository);
  const one = repository.commitFrom(start, () => repository.write("a.txt", text({ 2: "mine" })));
  const next = repository.commitFrom(one, () => repository.write("a.txt", text({ 2: "again" })));
  const branches = [
    { childId: "run.1", start, head: one },
    { childId: "run.2", start: one, head: next },
  ];
  assert.deepEqual(await conflictsIn(repository, branches), []);
});

test("64 siblings are compared within seconds, whether no two or all of them collide", async (context) => {
  const repository = createTestRepository(context);
  for (let index = 0; index < 64; index += 1) repository.write(`f/${index}`, text());
  const start = baseOf(repository);
  const apart = Array.from({ length: 64 }, (_, index) =>
    repository.commitFrom(start, () => repository.write(`f/${index}`, text({ 3: "mine" }))),
  );
  const together = Array.from({ length: 64 }, (_, index) =>
    repository.commitFrom(start, () => repository.write("a.txt", text({ 3: `mine ${index}` }))),
  );
  const timed = async (heads: readonly string[]) => {
    const branches = heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head }));
    const beganAt = performance.now();
    const found = await conflictsIn(repository, branches);
    return { count: found.length, seconds: (performance.now() - beganAt) / 1000 };
  };
  const [none, every] = [await timed(apart), await timed(together)];
  assert.deepEqual([none.count, every.count], [0, 2016]);
  assert.ok(none.seconds < 2 && every.seconds < 10, JSON.stringify({ none, every }));
  context.diagnostic(JSON.stringify({ none, every }));
});

test("leaves the repository as it was: no object, ref or file more", async (context) => {
  const repository = createTestRepository(context);
  const start = baseOf(repository);
  const heads = ["x", "y"].map((value) => repository.commitFrom(start, () => repository.write("a.txt", `${value}\n`)));
  repository.git("checkout", "--quiet", "main");
  const before = snapshotOf(repository.path);
  const branches = heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head }));
  assert.equal((await conflictsIn(repository, branches)).length, 1);
  assert.deepEqual(snapshotOf(repository.path), before);
});

/** Every file with its size and time. */
function snapshotOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .map((name) => `${name} ${lstatSync(name).size} ${lstatSync(name).mtimeMs}`)
    .toSorted();
}
