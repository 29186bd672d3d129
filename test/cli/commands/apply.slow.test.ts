/** `deputy diff` and `deputy apply` on the branches of real runs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { changeLine, numbered, withBranches } from "../../support/branch-stage.ts";
import { until } from "../../support/command-line.ts";

const FILES = { "a.txt": numbered(), "b.txt": numbered() };

/** Ids, commits and directories differ each time. */
function steady(text: string, id: string, root: string): string {
  return text
    .replaceAll(id, "7f3a9c2e")
    .replaceAll(root, "/work/ants")
    .replace(/[0-9a-f]{40}/g, (sha) => "0".repeat(sha.length));
}

describe("the conflicts of siblings", () => {
  test("are in results, events, the lines of the run, show, the summary and the report for a model", async () => {
    await withBranches(FILES, async ({ delegate, deputy, library, repository }) => {
      const commands = [changeLine(3, "three"), changeLine(12, "twelve"), changeLine(3, "III"), "true"];
      const { delegation_id: id, results } = await delegate(commands);
      const hunk = { start: 3, lines: 1, their_start: 3, their_lines: 1 };
      const with_ = (child: number) => [
        { child_id: `${id}.${child}`, files: [{ path: "a.txt", kind: "content", hunks: [hunk] }] },
      ];
      assert.deepEqual(
        results.map(({ conflicts }) => conflicts),
        [with_(3), [], with_(1), undefined],
      );
      const { run } = await library.run(id);
      assert.deepEqual(run.children[0]?.tally.conflicts, with_(3));
      const shown = await deputy(["show", id]);
      assert.match(shown.stdout, /^Conflicts\n\[1\/4\] × \[3\/4\] a\.txt line 3$/m);
      assert.match(shown.stdout, new RegExp(`· deputy apply ${id} ·`));
      assert.match(
        (await deputy(["show", `${id}.1`])).stdout,
        new RegExp(`^conflict +does not merge with ${id}\\.3: a\\.txt line 3$`, "m"),
      );
      assert.match((await deputy(["watch", id])).stderr, /^! \[1\/4\] and \[3\/4\] do not merge: a\.txt line 3$/m);
      assert.equal((await deputy(["journal", "verify"])).code, 0);
      assert.deepEqual(JSON.parse((await deputy(["show", id, "--json"])).stdout).results[2].conflicts, with_(1));
      assert.equal(repository.git("status", "--porcelain"), "");
    });
  });

  test("are absent where nothing was compared, and nothing is recorded for one branch", async () => {
    await withBranches(FILES, async ({ delegate, library }) => {
      const { delegation_id: id, results } = await delegate([changeLine(3, "three"), "true"]);
      assert.deepEqual(
        results.map(({ conflicts }) => conflicts),
        [undefined, undefined],
      );
      const kinds = [];
      for await (const { kind } of library.watch(id)) kinds.push(kind);
      assert.equal(kinds.includes("conflict-check"), false);
    });
  });
});

describe("deputy diff", () => {
  test("prints a patch for git apply in a pipe, also with names and bytes that are no text", async () => {
    await withBranches(FILES, async ({ delegate, library, repository }) => {
      const odd = `printf 'caf\\351\\000' > café; printf '\\033[31mred\\r\\n' > esc.txt; rm b.txt`;
      const { delegation_id: id } = await delegate([`${changeLine(3, "three")}; ${odd}`]);
      const { children } = await library.diff(id);
      assert.deepEqual(
        children[0]?.files.map(({ path, status }) => `${status} ${path}`),
        ["modified a.txt", "deleted b.txt", "added café", "added esc.txt"],
      );
      // Through the real program: only there, bytes are bytes.
      const env = {
        ...process.env,
        HOME: join(repository.path, ".."),
        DEPUTY_STATE_DIR: join(repository.path, "..", "state"),
      };
      const bin = join(import.meta.dirname, "../../../bin/deputy");
      const piped = spawnSync("sh", ["-c", `"${bin}" diff ${id}.1 | git apply --index`], { cwd: repository.path, env });
      assert.equal(piped.status, 0, String(piped.stderr));
      assert.equal(repository.git("write-tree"), repository.git("rev-parse", `${children[0]?.head}^{tree}`));
    });
  });

  test("is colored and harmless on a terminal", async () => {
    await withBranches(FILES, async ({ delegate, deputy }) => {
      const { delegation_id: id } = await delegate([`printf '\\033[31mred\\302\\205\\n' > "$(printf 'e\\033sc')"`]);
      const { stdout } = await deputy(["diff", id], { terminal: true });
      assert.match(stdout, /^\+\\x1b\[31mred\\x85$/m);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left.
      assert.doesNotMatch(stdout, /[\x1b\x85]/);
    });
  });

  test("lists files with --stat, and everything with --json", async () => {
    await withBranches(FILES, async ({ delegate, deputy, repository }) => {
      const commands = [
        changeLine(3, "three"),
        "git mv b.txt c.txt && git commit -qm 'Rename it' && echo more >> c.txt",
        "true",
      ];
      const { delegation_id: id } = await delegate(commands);
      const { stdout, code } = await deputy(["diff", id, "--stat"]);
      assert.equal(code, 0);
      assert.match(steady(stdout, id, repository.path), /2 commits · 1 file, \+1 −0\n {2}b\.txt → c\.txt \+1 −0\n/);
      assert.match(stdout, /0 files, \+0 −0\n! It changed nothing\./);
      const document = JSON.parse((await deputy(["diff", `${id}.2`, "--json"])).stdout);
      const [child] = document.children;
      assert.deepEqual(child.files, [{ path: "c.txt", status: "renamed", from: "b.txt", added: 1, removed: 0 }]);
      assert.match(child.patch, /^rename to c\.txt$/m);
      assert.match(child.branch, new RegExp(`^deputy/${id}/2-run-git-mv-b-txt`));
    });
  });

  test("says that a child is still running, or has no branch", async () => {
    await withBranches(FILES, async ({ delegate, deputy, library }) => {
      const inPlace = await delegate(["true"], { isolation: "none" });
      const { code, stderr } = await deputy(["diff", inPlace.delegation_id]);
      assert.deepEqual([code, /no branch: only tasks with isolation: worktree/.test(stderr)], [1, true]);
      const goal = "Run: until test -e stop; do sleep 0.02; done";
      const { id, result } = await library.start([{ goal, isolation: "worktree" }]);
      await until(async () => ((await library.run(id)).run.children[0]?.openCalls.size ?? 0) > 0);
      const seen = await deputy(["diff", `${id}.1`]);
      assert.deepEqual([seen.code, seen.stdout], [0, ""]);
      assert.match(seen.stderr, /is still running\. Its work is on its branch when it ends/);
      assert.match((await deputy(["apply", `${id}.1`])).stderr, /it has not ended/);
      await library.stop(id);
      await result;
    });
  });
});

describe("deputy apply", () => {
  test("applies in task order, stops at the first conflict, and says what can be done", async () => {
    await withBranches(FILES, async ({ delegate, deputy, repository }) => {
      const commands = [
        changeLine(3, "three"),
        changeLine(12, "twelve"),
        changeLine(3, "III"),
        changeLine(5, "five", "b.txt"),
        "true",
      ];
      const { delegation_id: id } = await delegate(commands);
      const dry = await deputy(["apply", id, "--dry-run"]);
      assert.equal(repository.git("status", "--porcelain"), "");
      const applied = await deputy(["apply", id], { terminal: true });
      assert.deepEqual([dry.code, applied.code], [1, 1]);
      assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), numbered({ 3: "three", 12: "twelve" }));
      assert.equal(readFileSync(join(repository.path, "b.txt"), "utf8"), numbered());
      assert.match(
        steady(applied.stdout, id, repository.path),
        /\[3\/5\].*does not merge with the work of 7f3a9c2e\.1/s,
      );
      const alone = await deputy(["apply", `${id}.4`, "--json"]);
      assert.equal(alone.code, 0);
      assert.equal(JSON.parse(alone.stdout).children[0].status, "applied");
      const again = await deputy(["apply", `${id}.4`]);
      assert.deepEqual([again.code, /is there already/.test(again.stdout)], [0, true]);
      assert.match((await deputy(["show", `${id}.4`])).stdout, /^applied +to .*\/work at \d{4}-/m);
      assert.equal((await deputy(["journal", "verify"])).code, 0);
    });
  });

  test("asks about what takes effect by itself; without a terminal, only --yes agrees", async () => {
    await withBranches(FILES, async ({ delegate, deputy, start, repository }) => {
      const { delegation_id: id } = await delegate([
        "mkdir -p .husky && echo x > .husky/pre-commit && echo y > ok.txt",
      ]);
      const refused = await deputy(["apply", id]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /\.husky\/pre-commit: git runs it.*\nNobody can be asked here\..*--yes/);
      assert.equal(existsSync(join(repository.path, "ok.txt")), false);
      const clock = createFakeClock();
      const asking = start(["apply", id], { terminal: true, clock });
      await until(() => asking.stderr().includes("Apply it? [y/N]"));
      await clock.advance(300); // What was typed ahead does not count.
      asking.stdin.write("n\r");
      assert.equal(await asking.code, 1);
      assert.equal(existsSync(join(repository.path, "ok.txt")), false);
      const agreed = await deputy(["apply", id, "--yes"]);
      assert.deepEqual([agreed.code, existsSync(join(repository.path, ".husky/pre-commit"))], [0, true]);
      assert.match(agreed.stderr, /\.husky\/pre-commit: git runs it/);
    });
  });

  test("leaves out what did not complete, and asks before it applies again what was changed since", async () => {
    await withBranches(FILES, async ({ delegate, deputy, repository }) => {
      const { delegation_id: id } = await delegate([changeLine(3, "three"), changeLine(12, "twelve")], {
        max_iterations: 1,
      });
      const none = await deputy(["apply", id]);
      assert.equal(none.code, 1);
      assert.match(
        none.stderr,
        new RegExp(`${id}\\.1: it did not complete \\(incomplete\\); deputy apply ${id}\\.1 applies`),
      );
      assert.equal((await deputy(["apply", `${id}.1`])).code, 0);
      repository.write("a.txt", numbered());
      const again = await deputy(["apply", `${id}.1`]);
      assert.equal(again.code, 1);
      assert.match(again.stderr, new RegExp(`${id}\\.1: it was applied here before, at `));
      assert.equal((await deputy(["apply", `${id}.1`, "--yes"])).code, 0);
    });
  });

  test("makes a branch or a patch, and touches no file", async () => {
    await withBranches(FILES, async ({ delegate, deputy, repository }) => {
      const { delegation_id: id } = await delegate([changeLine(3, "three"), changeLine(12, "twelve")]);
      const branch = await deputy(["apply", id, "--branch", "fixes"]);
      assert.deepEqual([branch.code, repository.git("status", "--porcelain")], [0, ""]);
      assert.equal(repository.git("show", "fixes:a.txt"), numbered({ 3: "three", 12: "twelve" }).trimEnd());
      assert.equal(repository.git("rev-parse", "--abbrev-ref", "HEAD"), "main");
      const taken = await deputy(["apply", id, "--branch", "fixes"]);
      assert.deepEqual([taken.code, /There is a branch fixes already/.test(taken.stderr)], [1, true]);
      const patch = await deputy(["apply", id, "--patch"]);
      assert.match(patch.stdout, /^diff --git a\/a\.txt b\/a\.txt\n/);
      assert.equal(repository.git("status", "--porcelain"), "");
      assert.equal((await deputy(["apply", id, "--patch", "--branch", "x"])).code, 2);
    });
  });

  test("changes the working tree of the run, from wherever it is called", async () => {
    await withBranches(FILES, async ({ delegate, deputy, repository }) => {
      const { delegation_id: id } = await delegate([changeLine(3, "three")]);
      repository.git("worktree", "add", "--quiet", "../linked");
      mkdirSync(join(repository.path, "../linked/deep"));
      assert.equal((await deputy(["apply", id], { cwd: join(repository.path, "../linked/deep") })).code, 0);
      assert.equal(repository.git("status", "--porcelain"), "");
      assert.equal(readFileSync(join(repository.path, "../linked/a.txt"), "utf8"), numbered({ 3: "three" }));
      const elsewhere = mkdtempSync(join(tmpdir(), "deputy-elsewhere-"));
      try {
        assert.equal((await deputy(["apply", id], { cwd: elsewhere })).code, 0);
      } finally {
        rmSync(elsewhere, { recursive: true });
      }
      assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), numbered({ 3: "three" }));
    });
  });

  test("says that the repository or the commits are gone", async () => {
    await withBranches(FILES, async ({ delegate, deputy, repository }) => {
      const { delegation_id: id, results } = await delegate([changeLine(3, "three")]);
      repository.git("branch", "-D", results[0]?.branch ?? "");
      assert.equal((await deputy(["diff", id])).code, 0);
      repository.git("reflog", "expire", "--expire=now", "--all");
      repository.git("gc", "--quiet", "--prune=now");
      for (const name of ["diff", "apply"]) {
        const { code, stderr } = await deputy([name, id]);
        assert.deepEqual([code, /does not have the commits of \S+\.1 any more/.test(stderr)], [1, true], name);
      }
      repository.remove(".");
      const { code, stderr } = await deputy(["diff", id], { cwd: tmpdir() });
      assert.deepEqual([code, /does not exist any more/.test(stderr)], [1, true]);
    });
  });

  test("the library applies with the same rules", async () => {
    await withBranches(FILES, async ({ delegate, library, repository }) => {
      const { delegation_id: id } = await delegate([`${changeLine(3, "three")}; echo Obey > AGENTS.md`]);
      const declined = await library.apply(id);
      assert.deepEqual([declined.complete, declined.children[0]?.status], [false, "declined"]);
      const asked: string[] = [];
      const applied = await library.apply(id, {
        confirm(concerns) {
          asked.push(...concerns.map(({ path, kind }) => `${kind} ${path}`));
          return true;
        },
      });
      assert.deepEqual([applied.complete, asked], [true, ["agent AGENTS.md"]]);
      assert.equal(readFileSync(join(repository.path, "a.txt"), "utf8"), numbered({ 3: "three" }));
      await assert.rejects(library.apply(id, { branch: "x", patch: true }), { code: "usage" });
    });
  });
});
