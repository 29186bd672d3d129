/** Which paths take effect by themselves, and which only look like it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { concernAbout } from "../../src/worktree/apply/concerns.ts";
import { isSafePath, textOf } from "../../src/worktree/git-path.ts";

const CONCERNING: Record<string, readonly string[]> = {
  hook: [
    ".husky/pre-commit",
    "packages/a/.husky/_/x",
    ".githooks/post-merge",
    ".pre-commit-config.yaml",
    "lefthook.yml",
  ],
  ci: [".github/workflows/ci.yml", ".GitHub/Workflows/ci.yml", ".gitlab-ci.yml", ".circleci/config.yml", "Jenkinsfile"],
  script: ["Makefile", "lib/Makefile", ".npmrc", "setup.py", ".cargo/config.toml", ".yarnrc.yml", "rules.mk"],
  attributes: [".gitattributes", "docs/.gitattributes"],
  submodule: [".gitmodules"],
  agent: [
    "AGENTS.md",
    "docs/agents.md",
    "CLAUDE.local.md",
    ".claude/settings.json",
    ".codex/config.toml",
    ".mcp.json",
  ].concat([".cursor/rules/x.mdc", ".deputy/config.yaml", "skills/a/SKILL.md", ".github/copilot-instructions.md"]),
  editor: [".vscode/tasks.json", "app/.devcontainer/devcontainer.json", "x.code-workspace", ".idea/workspace.xml"],
  environment: [".envrc", ".env", ".env.local", "mise.toml", "sub/.tool-versions"],
};

const HARMLESS = [
  ...["src/a.ts", "README.md", "github/workflows/ci.yml", "src/husky/x.ts", "makefile.ts", "docs/agents/index.md"],
  ...["claude.ts", "env.ts", ".environment", "vscode/x", "package.json", "Makefile.md", "x.husky/y", "my.envrc"],
];

for (const [kind, paths] of Object.entries(CONCERNING))
  test(`${kind}: asks about ${paths.join(", ")}`, () => {
    for (const path of paths) assert.equal(concernAbout(path)?.kind, kind, path);
  });

test("does not ask about files that only have a similar name", () => {
  for (const path of HARMLESS) assert.equal(concernAbout(path), undefined, path);
});

test("no name of git's own directory, and no way out of the tree, is a path of a repository", () => {
  const unsafe = [
    "../x",
    "a/../b",
    ".git/config",
    "a/.GIT/hooks/x",
    ".git /x",
    "git~1/x",
    "a//b",
    "/etc/passwd",
    ".git",
  ];
  for (const path of [...unsafe, Buffer.from(".g\u200cit/config").toString("latin1"), "a\\.git\\x"])
    assert.equal(isSafePath(path), false, path);
  for (const path of ["a", ".github/x", ".gitignore", "a.git/x", "git/x", "..a/b", ".gitx"])
    assert.ok(isSafePath(path), path);
});

test("paths keep their bytes, and are shown as text", () => {
  assert.equal(textOf(Buffer.from("naïve").toString("latin1")), "naïve");
  assert.equal(textOf("caf\xe9/a"), "caf\\xe9/a");
});
