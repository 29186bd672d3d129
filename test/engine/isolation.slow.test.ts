/** Children with `isolation: worktree`: where they work, and where their work is afterwards. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ALLOWED, inTurn, withRepository } from "../support/isolation-stage.ts";

describe("an isolated child", () => {
  test("works in a copy, and leaves its work on a branch of the repository", async () => {
    const script = inTurn(
      "pwd; git status --short; git log --oneline",
      "echo new > new.txt; echo '# Bees' > README.md",
    );
    await withRepository({ config: ALLOWED, script }, async (stage) => {
      const head = stage.git("rev-parse", "HEAD");
      const { results, delegation_id: id } = await stage.delegate({ goal: "Rename the ants.", isolation: "worktree" });
      const [result] = results;
      assert.deepEqual(result?.warnings, []);
      assert.equal(result?.status, "completed");
      assert.deepEqual(
        { branch: result.branch, base: result.base, commits: result.commits, files: result.files_changed },
        { branch: `deputy/${id}/1-rename-the-ants`, base: head, commits: 1, files: ["README.md", "new.txt"] },
      );
      assert.deepEqual(result.lines_changed, {
        "README.md": { added: 1, removed: 1 },
        "new.txt": { added: 1, removed: 0 },
      });
      assert.equal(stage.git("show", `${result.branch}:new.txt`), "new");
      assert.equal(stage.git("status", "--porcelain"), "");
      assert.equal(readFileSync(join(stage.root, "README.md"), "utf8"), "# Ants\n");
      assert.deepEqual(stage.copies(), []);
      assert.deepEqual(stage.refs(), [`refs/heads/${result.branch}`, "refs/heads/main"]);
    });
  });
});
