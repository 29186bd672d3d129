/** The fields and config keys that give a child a working copy of its own. */
import assert from "node:assert/strict";
import type { CallInput } from "../../src/task.ts";
import { ALLOWED, inTurn, type RepositoryStage, withRepository } from "../support/isolation-stage.ts";
import type { Document } from "../support/whole-stage.ts";
import type { Effects } from "./effects.ts";

const WRITES = inTurn("echo new > new.txt", "ls -A");
const ISOLATED = { goal: "one", isolation: "worktree" } as const;

/** Whether a child that writes a file works in a copy. `before` changes the repository. */
async function isIsolated(call: CallInput, delegation: Document = {}): Promise<boolean> {
  const config = { delegation: { ...ALLOWED.delegation, ...delegation } };
  const { outcome } = await withRepository({ config, script: WRITES }, async (stage) => {
    const { results } = await stage.delegate(call);
    assert.deepEqual([results[0]?.status, results[0]?.error], ["completed", null]);
    const isInTree = stage.git("status", "--porcelain") !== "";
    assert.equal(results[0]?.branch === undefined, isInTree);
    return !isInTree;
  });
  return outcome;
}

/** The names in a copy's root, as its child sees them. */
async function namesInCopy(
  delegation: Document,
  prepare: (stage: RepositoryStage) => void,
  call: CallInput = ISOLATED,
) {
  const config = { delegation: { ...ALLOWED.delegation, ...delegation } };
  const { outcome } = await withRepository({ config, script: inTurn("ls -A") }, async (stage) => {
    prepare(stage);
    const { results } = await stage.delegate(call);
    return results[0]?.error?.message ?? results[0]?.summary.trim().split("\n").toSorted();
  });
  return outcome;
}

async function effectOfIsolation(inCall: (fields: object) => CallInput): Promise<void> {
  assert.equal(await isIsolated(inCall({ isolation: "worktree" })), true);
  assert.equal(await isIsolated(inCall({ isolation: "none" })), false);
  assert.equal(await isIsolated(inCall({})), false);
  assert.equal(await isIsolated(inCall({ isolation: "none" }), { isolation: "worktree" }), false);
}

async function effectOfBase(inCall: (fields: object) => CallInput): Promise<void> {
  const prepare = (stage: RepositoryStage) => {
    stage.git("checkout", "-q", "-b", "other");
    stage.write("other.txt", "other\n");
    stage.git("add", "-A");
    stage.git("commit", "-q", "-m", "other");
    stage.git("checkout", "-q", "main");
  };
  const names = (fields: object) => namesInCopy({}, prepare, inCall({ isolation: "worktree", ...fields }));
  assert.deepEqual(await names({ base: "other" }), [".git", "README.md", "other.txt"]);
  assert.deepEqual(await names({}), [".git", "README.md"]);
}

export const ISOLATION_CALL_EFFECTS: Effects = {
  isolation: () => effectOfIsolation((fields) => ({ tasks: [{ goal: "one" }], ...fields })),
  base: () => effectOfBase((fields) => ({ tasks: [{ goal: "one" }], ...fields })),
  "tasks[].isolation": () => effectOfIsolation((fields) => ({ goal: "one", ...fields })),
  "tasks[].base": () => effectOfBase((fields) => ({ goal: "one", ...fields })),
};

export const ISOLATION_EFFECTS: Effects = {
  "delegation.isolation": async () => {
    assert.equal(await isIsolated({ goal: "one" }, { isolation: "worktree" }), true);
    assert.equal(await isIsolated({ goal: "one" }, { isolation: "none" }), false);
    // A child without tools that change files needs no copy.
    const config = { delegation: { isolation: "worktree" } };
    await withRepository({ config }, async ({ delegate }) => {
      const { results } = await delegate({ goal: "one", toolsets: ["search"] });
      assert.equal(results[0]?.base, undefined);
    });
  },

  "agents.*.isolation": async () => {
    const agents = (isolation: string) => ({ agents: { ant: { prompt: "Work.", isolation } } });
    for (const [wish, call, expected] of [
      ["worktree", {}, true],
      ["none", {}, false],
      ["worktree", { isolation: "none" }, false],
      ["none", { isolation: "worktree" }, true],
    ] as const) {
      const config = { ...agents(wish), ...ALLOWED };
      await withRepository({ config, script: WRITES }, async (stage) => {
        const { results } = await stage.delegate({ goal: "one", agent: "ant", ...call });
        assert.equal(results[0]?.branch !== undefined, expected);
      });
    }
  },

  "delegation.isolation_include": async () => {
    const prepare = (stage: RepositoryStage) => {
      stage.write(".gitignore", ".env\n");
      stage.git("add", "-A");
      stage.git("commit", "-q", "-m", "ignore");
      stage.write(".env", "PORT=1\n");
    };
    const included = await namesInCopy({ isolation_include: [".env"] }, prepare);
    assert.deepEqual(included, [".env", ".git", ".gitignore", "README.md"]);
    assert.deepEqual(await namesInCopy({}, prepare), [".git", ".gitignore", "README.md"]);
  },

  "delegation.isolation_setup": async () => {
    assert.deepEqual(await namesInCopy({ isolation_setup: "touch ready" }, () => {}), [".git", "README.md", "ready"]);
    assert.match(
      String(await namesInCopy({ isolation_setup: "echo no ants >&2; exit 3" }, () => {})),
      /exit code 3.*no ants/s,
    );
  },

  "delegation.isolation_dirty": async () => {
    const prepare = (stage: RepositoryStage) => stage.write("draft.txt", "draft\n");
    assert.deepEqual(await namesInCopy({ isolation_dirty: "carry" }, prepare), [".git", "README.md", "draft.txt"]);
    assert.deepEqual(await namesInCopy({ isolation_dirty: "ignore" }, prepare), [".git", "README.md"]);
  },
};
