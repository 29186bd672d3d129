import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createRuleSaver } from "../../../src/cli/approvals/save-rule.ts";
import { findConfigFiles, loadConfig } from "../../../src/config/load.ts";
import { stateDir, trustConfig } from "../../../src/config/trust.ts";

const CALL = { toolName: "terminal", target: "npm test" };

/** A home with a user's config and a project with one, each if given. */
function stage(t: TestContext, { user, project }: { user?: string; project?: string }) {
  const home = mkdtempSync(join(tmpdir(), "deputy-rule-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const env = { HOME: home };
  const cwd = join(home, "work");
  const paths = { user: join(home, ".config/deputy/config.yaml"), project: join(cwd, ".deputy/config.yaml") };
  for (const [path, text] of [
    [paths.user, user],
    [paths.project, project],
  ] as const) {
    mkdirSync(join(path, ".."), { recursive: true });
    if (text !== undefined) writeFileSync(path, text, { mode: 0o600 });
  }
  const place = { env, cwd };
  const trust = () => trustConfig(paths.project, stateDir(env));
  const read = (which: "user" | "project") => readFileSync(paths[which], "utf8");
  return { saver: createRuleSaver(place), place, paths, trust, read };
}

describe("a rule that is saved at an approval request", () => {
  test("gets into a config that did not exist, and allows exactly this call", (t) => {
    const { saver, place, paths } = stage(t, {});
    assert.equal(saver.save(CALL, "user"), paths.user);
    assert.deepEqual(loadConfig(place).config.permissions, [{ tool: "terminal", match: "npm test", then: "allow" }]);
  });

  test("leaves comments and layout as they are, and precedes the rule that asked", (t) => {
    const user =
      "# mine\nmodel: glm-5.1 # the best\npermissions:\n  # first\n  - { tool: terminal, match: rm *, then: deny }\n  - { tool: terminal, then: ask }\n";
    const { saver, place, read } = stage(t, { user });
    saver.save(CALL, "user");
    for (const kept of ["# mine", "model: glm-5.1 # the best", "  # first"]) assert.ok(read("user").includes(kept));
    assert.deepEqual(
      loadConfig(place).config.permissions.map(({ then }) => then),
      ["deny", "allow", "ask"],
    );
  });

  test("gets into a trusted project's config, which stays trusted", (t) => {
    const { saver, place, trust } = stage(t, { user: "model: glm-5.1\n", project: "# ours\nmodel: glm-4.7\n" });
    trust();
    saver.save(CALL, "project");
    assert.ok(findConfigFiles(place).every(({ trusted }) => trusted));
    assert.equal(loadConfig(place).config.permissions.length, 1);
  });

  const RULES = "permissions: [{ tool: terminal, match: rm *, then: deny }]\n";
  const refusals: [what: string, Parameters<typeof stage>[1], "user" | "project", RegExp, string?][] = [
    ["a project without a config", {}, "project", /there is no \.deputy\/config\.yaml/],
    ["a project that is not trusted", { project: "model: glm-4.7\n" }, "project", /is not trusted/],
    ["a call with a star", {}, "user", /contains \*/, "ls *"],
    ["a call without a text", {}, "user", /every call of the tool/, " "],
    ["a call with a key", {}, "user", /may be a key/, "curl -H 'x: sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789'"],
  ];
  for (const [what, files, where, reason, target = CALL.target] of refusals)
    test(`is refused for ${what}, and nothing changes`, (t) => {
      const { saver, place } = stage(t, files);
      assert.throws(() => saver.save({ ...CALL, target }, where), reason);
      assert.deepEqual(loadConfig(place).config.permissions, []);
    });

  test("never silences the rules of the other file", (t) => {
    const ours = stage(t, { user: RULES, project: "model: glm-4.7\n" });
    ours.trust();
    assert.throws(() => ours.saver.save(CALL, "project"), /would replace yours here/);
    const theirs = stage(t, { user: "model: glm-5.1\n", project: RULES });
    theirs.trust();
    assert.throws(() => theirs.saver.save(CALL, "user"), /replace yours here/);
  });

  test("is shown with hidden characters escaped", (t) => {
    const { saver } = stage(t, {});
    assert.equal(
      saver.shown({ toolName: "terminal", target: "echo \u202e x\x1b[8m" }),
      "{ tool: terminal, match: echo \\u{202e} x\\x1b[8m, then: allow }",
    );
  });
});
