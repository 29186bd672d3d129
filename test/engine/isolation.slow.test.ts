/** Children with `isolation: worktree`: where they work, and where their work is afterwards. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Result } from "../../src/result.ts";
import type { ModelRequest, Turn, TurnToolCall } from "../../src/testing/index.ts";
import { ALLOWED, inTurn, type RepositoryStage, withRepository } from "../support/isolation-stage.ts";
import type { Scene } from "../support/whole-stage.ts";

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

const ISOLATED = { goal: "Work.", isolation: "worktree" } as const;

/** Runs one isolated child, and looks at its result and the stage. */
async function works(
  scene: { commands: string[]; delegation?: object; config?: object; before?: (stage: RepositoryStage) => void },
  after: (result: Result, stage: RepositoryStage) => void,
): Promise<void> {
  const config = { ...scene.config, delegation: { ...ALLOWED.delegation, ...scene.delegation } };
  await withRepository({ config, script: inTurn(...scene.commands) }, async (stage) => {
    scene.before?.(stage);
    const [result] = (await stage.delegate(ISOLATED)).results;
    assert.ok(result);
    after(result, stage);
  });
}

function warningsOf({ warnings }: Result): string {
  return warnings.map(({ message }) => message).join("\n");
}

/** Makes these calls in order, one in each step, and answers with the last result. */
function inSteps(calls: TurnToolCall[]): (request: ModelRequest) => Turn {
  return ({ messages }) => {
    const call = calls[messages.filter(({ role }) => role === "assistant").length];
    return call === undefined
      ? {
          text:
            messages
              .at(-1)
              ?.toolResults.map(({ text }) => text)
              .join("\n") || "done",
        }
      : { toolCalls: [call] };
  };
}

const runs = (command: string): TurnToolCall => ({ name: "terminal", input: { command } });
const delegates = (task: object): TurnToolCall => ({ name: "delegate_task", input: task });

describe("a copy gets", () => {
  const dependencies = (stage: RepositoryStage) => {
    writeFileSync(join(stage.root, "../outside.txt"), "outside\n");
    const make = `printf 'deps\\n.env\\n' > .gitignore; git add .; git -c user.name=A -c user.email=a@x commit -qm i
      mkdir -p deps/pkg; echo code > deps/pkg/index.js; ln -s pkg deps/near; ln -s ../../outside.txt deps/far
      ln -s "$PWD/deps/pkg" deps/absolute; echo PORT=1 > .env; chmod 600 .env`;
    execFileSync("sh", ["-c", make], { cwd: stage.root, env: { PATH: process.env.PATH, HOME: stage.root } });
  };

  test("what isolation_include names; no link leads back, and what is missing is said", () =>
    works(
      {
        commands: [
          "cat deps/near/index.js deps/absolute/index.js; ls deps; echo changed > deps/absolute/index.js; readlink deps/absolute; stat -c %a .env",
        ],
        delegation: { isolation_include: ["deps", "./.env", "gone", "../outside.txt", ".git/config"] },
        before: dependencies,
      },
      (result, { root }) => {
        assert.deepEqual(result.summary.split("\n"), ["code", "code", "absolute", "near", "pkg", "pkg", "600"]);
        assert.equal(readFileSync(join(root, "deps/pkg/index.js"), "utf8"), "code\n");
        assert.match(warningsOf(result), /there is no gone in/);
        assert.match(warningsOf(result), /there is no \.\.\/outside\.txt in/);
        assert.match(warningsOf(result), /there is no \.git\/config in/);
        assert.match(warningsOf(result), /deps\/far leads out of/);
        assert.deepEqual(result.files_changed, []);
      },
    ));

  test("included files that git does not ignore, which stay off the branch", () =>
    works(
      {
        commands: ["cat local.env; echo x > x.txt; git add -A; git commit -qm x"],
        delegation: { isolation_include: ["local.env"] },
        before: (stage) => stage.write("local.env", "SECRET=1\n"),
      },
      (result) => assert.deepEqual(result.files_changed, ["x.txt"]),
    ));

  test("carried changes as a commit of their own, which do not count as the child's", () =>
    works(
      {
        commands: ["cat README.md staged.txt new.txt; echo child >> new.txt"],
        delegation: { isolation_dirty: "carry" },
        before: (stage) => {
          stage.write("README.md", "dirty\n");
          stage.write("staged.txt", "staged\n");
          stage.git("add", "staged.txt");
          stage.write("new.txt", "new\n");
          stage.write("before", stage.git("status", "--porcelain", "--", ":!before"));
          stage.git("stash", "list");
        },
      },
      (result, stage) => {
        assert.equal(result.summary, "dirty\nstaged\nnew");
        assert.deepEqual([result.files_changed, result.commits], [["new.txt"], 1]);
        assert.equal(
          stage.git("log", "--format=%s", `${result.base}..${result.branch}`).split("\n")[1]?.slice(0, 20),
          "Uncommitted state of",
        );
        assert.equal(
          stage.git("status", "--porcelain", "--", ":!before"),
          readFileSync(join(stage.root, "before"), "utf8"),
        );
      },
    ));
});

function isInner({ messages }: ModelRequest): boolean {
  return messages[0]?.text === "inner";
}

describe("isolation_setup", () => {
  test("runs in the copy before the first request, and its failure ends the child without one", async () => {
    for (const [setup, status] of [
      ["test -f README.md && touch built", "completed"],
      ["echo no ants; exit 7", "failed"],
    ]) {
      const config = { delegation: { ...ALLOWED.delegation, isolation_setup: setup } };
      const { requests, outcome } = await withRepository({ config, script: inTurn("ls") }, async (stage) => {
        const [result] = (await stage.delegate(ISOLATED)).results;
        assert.deepEqual(stage.copies(), []);
        return result;
      });
      assert.equal(outcome?.status, status);
      assert.equal(requests.length, status === "completed" ? 2 : 0);
      if (status === "failed")
        assert.match(outcome?.error?.message ?? "", /isolation_setup failed in .*exit code 7.*\nno ants$/s);
      if (status === "failed") assert.equal(outcome?.exit_reason, "setup-failed");
    }
  });

  test("is the operator's: an untrusted project cannot set it", async () => {
    await assert.rejects(
      withRepository(
        { files: { "work/.deputy/config.yaml": '{"delegation":{"isolation_setup":"touch /tmp/x"}}' } },
        (stage) => stage.delegate({ goal: "one" }),
      ),
      /expected only choices among your own routes/,
    );
  });
});

describe("a child in a copy", () => {
  test("keeps its directory below the root, its notes and the operator's rules for paths", async () => {
    const config = {
      delegation: ALLOWED.delegation,
      permissions: [
        { tool: "write_file", match: "packages/ants/secret.txt", then: "deny" },
        { tool: "write_file", match: "/packages/ants/absolute.txt", then: "deny" },
      ],
    };
    const script: Scene["script"] = (request) =>
      request.messages.length === 1
        ? {
            toolCalls: [
              ...["secret.txt", "plain.txt"].map((path) => ({ name: "write_file", input: { path, content: "x" } })),
              { name: "terminal", input: { command: "basename $PWD" } },
            ],
          }
        : {
            text:
              request.messages
                .at(-1)
                ?.toolResults.map(({ text }) => text)
                .join("\n") ?? "",
          };
    const files = { "work/packages/ants/AGENTS.md": "Ants first.", "work/AGENTS.md": "All of it." };
    const { requests } = await withRepository({ config, script, files }, async (stage) => {
      const [result] = (await stage.delegate({ ...ISOLATED, workspace: "packages/ants" })).results;
      assert.deepEqual(result?.files_changed, ["plain.txt"]);
      assert.match(result?.summary ?? "", /Not allowed: the rule `write_file: packages\/ants\/secret\.txt`/);
      assert.match(result?.summary ?? "", /^ants$/m);
      assert.equal(stage.git("show", `${result?.branch}:packages/ants/plain.txt`), "x");
    });
    assert.match(requests[0]?.system ?? "", /your own copy of the repository/);
    assert.match(requests[0]?.system ?? "", /Ants first\./);
    assert.match(requests[0]?.system ?? "", /All of it\./);
  });

  test("reads extra_dirs, and does not change them; one in place may", async () => {
    const script: Scene["script"] = (request) =>
      request.messages.length === 1
        ? {
            toolCalls: [
              { name: "read_file", input: { path: "../shared/note.txt" } },
              { name: "write_file", input: { path: "../shared/new.txt", content: "x" } },
            ],
          }
        : {
            text:
              request.messages
                .at(-1)
                ?.toolResults.map(({ text }) => text)
                .join("\n") ?? "",
          };
    for (const isolation of ["worktree", "none"] as const) {
      const config = { delegation: ALLOWED.delegation, extra_dirs: ["../shared"] };
      const files = { "shared/note.txt": "note\n" };
      await withRepository({ config, script, files }, async (stage) => {
        const shared = join(stage.root, "../shared");
        const [result] = (await stage.delegate({ goal: "Work.", isolation })).results;
        assert.equal(existsSync(join(shared, "new.txt")), isolation === "none", result?.summary);
      });
    }
  });

  test("shares it with its own children, whose changes are on its branch", async () => {
    const config = { delegation: { ...ALLOWED.delegation, max_spawn_depth: 2 } };
    const inner = inTurn("echo inner > inner.txt");
    const outer = inSteps([delegates({ goal: "inner" })]);
    const script: Scene["script"] = (request) => (isInner(request) ? inner(request) : outer(request));
    await withRepository({ config, script }, async (stage) => {
      const [result] = (await stage.delegate({ ...ISOLATED, role: "orchestrator" })).results;
      assert.deepEqual(result?.files_changed, ["inner.txt"]);
      assert.equal(stage.refs().length, 2);
      assert.deepEqual(stage.copies(), []);
    });
  });

  test("gives a child that asks for it a copy of its copy, and has that child's branch", async () => {
    const config = { delegation: { ...ALLOWED.delegation, max_spawn_depth: 2 } };
    const inner = inTurn("cat outer.txt; echo inner > inner.txt");
    const outer = inSteps([
      runs("echo outer > outer.txt; git add .; git commit -qm outer"),
      delegates({ goal: "inner", isolation: "worktree" }),
      runs("git merge -q $(git branch --list 'deputy/*/1-inner' --format='%(refname)')"),
    ]);
    const script: Scene["script"] = (request) => (isInner(request) ? inner(request) : outer(request));
    await withRepository({ config, script }, async (stage) => {
      const [result] = (await stage.delegate({ ...ISOLATED, role: "orchestrator" })).results;
      assert.deepEqual(result?.files_changed, ["inner.txt", "outer.txt"]);
      assert.deepEqual(stage.copies(), []);
      assert.equal(stage.git("show", `${result?.branch}:inner.txt`), "inner");
    });
  });

  test("keeps it while a copy of it is kept", async () => {
    const config = { delegation: { ...ALLOWED.delegation, max_spawn_depth: 2 } };
    const inner = inTurn("git init -q own && echo x > own/x.txt");
    const outer = inSteps([delegates({ goal: "inner", isolation: "worktree" })]);
    const script: Scene["script"] = (request) => (isInner(request) ? inner(request) : outer(request));
    await withRepository({ config, script }, async (stage) => {
      const { results, delegation_id: id } = await stage.delegate({ ...ISOLATED, role: "orchestrator" });
      assert.match(warningsOf(results[0] as Result), /because the copy of \w+\.1\.1\.1 needs it/);
      assert.deepEqual(stage.copies(), [`${id}/1`, `${id}.1.1/1`]);
    });
  });
});
