/** Applying random changes in order gives what git gives when it merges the branches in that order. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { applyBranches } from "../../src/worktree/apply/apply-branches.ts";
import { userRepository } from "../../src/worktree/repository.ts";
import { createTestRepository, type TestRepository, testGit } from "../support/git-repository.ts";
import { playEdits, randomBase, randomEdits, reallyMerges } from "../support/random-edits.ts";

test("a new branch and the working tree have the tree that git merge gives, up to the first conflict", async (context) => {
  const repository = createTestRepository(context);
  const start = randomBase(repository);
  const tree = (commit: string) => repository.git("rev-parse", `${commit}^{tree}`);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(randomEdits, fc.array(randomEdits, { minLength: 1, maxLength: 3 }), async (users, siblings) => {
      const heads = siblings.map((edits) => repository.commitFrom(start, () => playEdits(repository, edits)));
      const main = repository.commitFrom(start, () => playEdits(repository, users));
      const expected = mergedInOrder(repository, main, heads);
      checkOut(repository, main);
      number += 1;
      const name = `result-${number}`;
      const order = {
        repository: await userRepository(testGit, repository.path),
        directory: repository.path,
        branches: heads.map((head, index) => ({ childId: `run.${index + 1}`, start, head, goal: "Change it." })),
        isDryRun: false,
        confirm: async () => true,
      };
      const onBranch = await applyBranches(testGit, { ...order, target: { kind: "branch", name } });
      assert.equal(onBranch.commit === undefined ? tree(main) : tree(name), expected.tree);
      const inTree = await applyBranches(testGit, { ...order, target: { kind: "tree" } });
      assert.deepEqual(
        inTree.outcomes.map(({ status }) => status),
        onBranch.outcomes.map(({ status }) => status),
      );
      assert.equal(inTree.outcomes.filter(({ status }) => status === "conflict").length, expected.conflicts);
      assert.equal(repository.git("rev-parse", "HEAD"), main);
      repository.git("add", "-A");
      assert.equal(repository.git("write-tree"), expected.tree);
      assert.equal(
        readdirSync(`${repository.path}/.git`).some((each) => each.startsWith("deputy-apply")),
        false,
      );
    }),
    { numRuns: 40 },
  );
});

function checkOut(repository: TestRepository, commit: string): void {
  repository.git("checkout", "--quiet", "--detach", "--force", commit);
  repository.git("clean", "-ffdxq");
}

/** Git's own merges, up to the first that stops. */
function mergedInOrder(repository: TestRepository, main: string, heads: readonly string[]) {
  let current = main;
  for (const head of heads) {
    if (!reallyMerges(repository, current, head))
      return { tree: repository.git("rev-parse", `${current}^{tree}`), conflicts: 1 };
    current = repository.git("rev-parse", "HEAD");
  }
  return { tree: repository.git("rev-parse", `${current}^{tree}`), conflicts: 0 };
}
