/** Permission rules for files: what they cover under which name, and files of secrets without a rule. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createFileJudge, createFoundJudge } from "../../src/child/file-rules.ts";
import { decidePermission } from "../../src/child/permissions.ts";
import type { FileAccess, PermissionRule } from "../../src/tool.ts";

type Outcome = PermissionRule["then"];
const rule = (match: string, then: Outcome, tool = "*"): PermissionRule => ({ tool, match, then });

function decide(
  rules: PermissionRule[],
  names: string | [string, ...string[]],
  {
    tool = "read_file",
    access = "read",
    otherwise = "ask",
  }: { tool?: string; access?: FileAccess; otherwise?: Outcome } = {},
) {
  const judge = createFileJudge({ rules, otherwise }, tool, ["/work/project"]);
  return judge({ names: typeof names === "string" ? [names] : names, access }).decision;
}

describe("a rule that denies a path covers", () => {
  const covered: Record<string, string[]> = {
    "docs/plan.md": ["docs/plan.md", "app/docs/plan.md", "Docs/PLAN.md", "/other/docs/plan.md"],
    ".git/config": [".git/config", "sub/.git/config", "a/b/c/.git/config", ".GIT/config"],
    "secrets/*": ["secrets/a", "secrets/a/b/c", "app/secrets/a", "/other/secrets/a"],
    private: ["private", "private/a", "a/private/b/c"],
    "private/": ["private", "private/a", "a/private/b"],
    "./private": ["private", "a/private/b"],
    "/work/project/private": ["private", "private/a"],
    "**/private/**": ["private/a", "a/private/b/c"],
    "docs/**/plan": ["docs/plan", "docs/a/plan", "x/docs/a/b/plan"],
    ".*": [".git", "src/.cache/a"],
    "*.sql": ["dump.sql", "db/dump.SQL", "old.sql/part1"],
    "caf\u00e9/*": ["cafe\u0301/menu", "CAFE\u0301/menu"],
    "a//b": ["a/b", "x/a/b/c"],
  };
  for (const [pattern, paths] of Object.entries(covered))
    for (const path of paths)
      test(`\`${pattern}\`: ${path}`, () => {
        assert.equal(decide([rule(pattern, "deny")], path), "deny");
        assert.equal(decide([rule(pattern, "ask")], path), "ask");
      });

  const others: Record<string, string[]> = {
    "secrets/*": ["src/secretsanta.ts", "secrets", "my-secrets/a", "secrets.md"],
    ".git/config": [".git/configs", "my.git/config", ".github/config", "config"],
    private: ["private.ts", "src/privately/a", "un-private"],
    ".*": [".", "src/a.ts"],
    "docs/**/plan": ["docs/a/plans", "docs/blueprint/plan.md", "plan"],
    "*.sql": ["sql", "dump.sqlite", "src/sql.ts"],
    "/work/project/private": ["src/public", "project/public"],
  };
  for (const [pattern, paths] of Object.entries(others))
    for (const path of paths)
      test(`\`${pattern}\`, not ${path}`, () => assert.equal(decide([rule(pattern, "deny")], path), "allow"));
});

describe("a file with several names", () => {
  const rules = [rule("vault/*", "deny"), rule("alias", "deny")];
  test("is denied for where it is, for how it was written, and for each link between", () => {
    assert.equal(decide(rules, ["vault/a", "docs/a"]), "deny");
    assert.equal(decide(rules, ["docs/a", "vault/a"]), "deny");
    assert.equal(decide(rules, ["docs/a", "x", "alias"]), "deny");
    assert.equal(decide(rules, ["docs/a", "x", "y"]), "allow");
  });

  test("is allowed only by a rule for where it is, and by no name of a link", () => {
    const list = [rule("docs/*", "allow"), { tool: "*", then: "deny" as const }];
    assert.equal(decide(list, ["docs/a", "link"]), "allow");
    assert.equal(decide(list, ["src/a", "docs/link"]), "deny");
    assert.equal(decide([rule("link", "allow")], [".env", "link"]), "ask");
    assert.equal(decide([rule("src/*", "allow")], [".env", "src/link"]), "ask");
  });
});

describe("a rule that allows", () => {
  test("matches the whole path exactly", () => {
    const list = (match: string) => [rule(match, "allow"), { tool: "*", then: "deny" as const }];
    assert.equal(decide(list("docs/*"), "docs/a/b"), "allow");
    for (const path of ["app/docs/a", "Docs/a", "docs"]) assert.equal(decide(list("docs/*"), path), "deny", path);
  });

  test("goes before a later one that denies the directory", () => {
    const rules = [rule("secrets/public.md", "allow"), rule("secrets", "deny")];
    assert.equal(decide(rules, "secrets/public.md"), "allow");
    assert.equal(decide(rules, "secrets/other.md"), "deny");
  });
});

describe("a tool that shows files obeys the rules for read_file too", () => {
  const rules = [rule("notes/*", "deny", "read_file"), rule("drafts/*", "deny", "grep")];
  for (const [tool, access] of [
    ["grep", "read"],
    ["edit_file", "read"],
    ["glob", "list"],
    ["list_dir", "list"],
  ] as const)
    test(tool, () => assert.equal(decide(rules, "notes/a", { tool, access }), "deny"));

  test("but write_file does not, and read_file not those for grep", () => {
    assert.equal(decide(rules, "notes/a", { tool: "write_file", access: "create" }), "allow");
    assert.equal(decide(rules, "drafts/a"), "allow");
    assert.equal(decide(rules, "drafts/a", { tool: "grep" }), "deny");
  });
});

describe("a file of secrets without a rule", () => {
  test("asks before it is read or replaced, under any name, but may be listed and created", () => {
    for (const name of [".env", "app/.env.local", "id_rsa", ".aws/credentials"]) {
      for (const tool of ["read_file", "grep", "edit_file"]) assert.equal(decide([], name, { tool }), "ask", name);
      assert.equal(decide([], ["docs/a", name]), "ask");
      assert.equal(decide([], name, { tool: "write_file", access: "replace" }), "ask");
      assert.equal(decide([], name, { tool: "write_file", access: "create" }), "allow");
      assert.equal(decide([], name, { tool: "list_dir", access: "list" }), "allow");
    }
    for (const name of [".env.example", "environment.ts", "id_rsa.pub"]) assert.equal(decide([], name), "allow", name);
  });

  test("follows approvals, and says what would allow it", () => {
    assert.equal(decide([], ".env", { otherwise: "allow" }), "allow");
    assert.equal(decide([], ".env", { otherwise: "deny" }), "deny");
    const { because } = createFileJudge(
      { rules: [], otherwise: "ask" },
      "read_file",
    )({ names: [".env"], access: "read" });
    assert.match(because, /\.env usually holds secrets.*`read_file: \.env`.*approvals: ask/);
  });

  test("is allowed by a rule that names it, and not by one that only includes it", () => {
    for (const match of [".env", ".env*", "*.env", "*"])
      assert.equal(decide([rule(match, "allow")], ".env"), "allow", match);
    for (const match of ["config/.env", "*/.env", "config/.e*"])
      assert.equal(decide([rule(match, "allow")], "config/.env"), "allow", match);
    for (const match of ["config/*", "config*", "co*", "config/**"])
      assert.equal(decide([rule(match, "allow")], "config/.env"), "ask", match);
    assert.equal(decide([rule(".env", "allow", "read_file")], ".env", { tool: "grep" }), "allow");
    assert.equal(decide([rule("config/*", "allow"), rule("*", "deny")], "config/.env"), "deny");
  });
});

test("what a call was approved for covers what it finds for the same reason, and nothing else", () => {
  const rules = [rule("vault", "ask"), rule("vault/inner/*", "deny"), rule("*.sql", "ask")].toReversed();
  const judge = createFoundJudge({ rules, otherwise: "ask" }, "grep", { names: ["vault"], access: "list" });
  const found = (name: string) => judge({ names: [name], access: "read" }).decision;
  assert.equal(found("vault/a"), "allow");
  assert.equal(found("vault/inner/a"), "deny");
  assert.equal(found("vault/dump.sql"), "ask");
  assert.equal(found("vault/.env"), "allow", "the rule for vault decides");
  assert.equal(found("other/.env"), "ask");
});

describe("a command that names a protected file", () => {
  const decideCommand = (rules: PermissionRule[], command: string, otherwise: Outcome = "ask") =>
    decidePermission(rules, otherwise, "terminal", { target: command, otherwise: "ask", isCommandLine: true }).decision;
  const broad = ["cat *", "head *", "git *", "cp *", "docker *", "python *", "source *"].map((match) =>
    rule(match, "allow", "terminal"),
  );
  for (const command of [
    ...["cat .env", "cat ./.env", "cat a.txt .env", "head -5 app/.env.local", "cat '.env'", 'cat ".e"nv', "cat .e\\nv"],
    ...["git show HEAD:.env", "git diff --output=x.pem", "cp ~/.ssh/id_rsa x", "docker run --env-file=.env x"],
    ...[
      "cat $HOME/.netrc",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's syntax.
      "cat .e${none}nv",
      "cat .e$1nv",
      'cat .e$none"nv"',
      "cat $name.pem",
      "cat {a,.env}",
      "cat .en{v,}",
      "cat .e{n{v,w},x}",
      "cat app/id_{rsa,x}",
      "cat .e{a..z}v",
      `cat .e{${"a,".repeat(500)}nv}`,
      "cat .en*",
      "cat .e?v",
      "python -c 'open(\".env\")'",
      "cat a.txt && cat .env",
    ],
  ])
    test(`is not allowed by a rule with \`*\`: ${command}`, () => assert.equal(decideCommand(broad, command), "ask"));

  for (const command of [
    "cat .env.example",
    "cat src/environment.ts",
    "git add id_map.ts",
    "cat *",
    "git diff *.ts",
    "cat $file",
    "cat src/$name.ts",
    "cat src/{one,two}.ts",
    "cat id_map.{ts,js}",
    "git show stash@{0}",
    "git diff HEAD@{1} {a,b}/{c,d}.ts",
  ])
    test(`is one that names a harmless file: ${command}`, () => assert.equal(decideCommand(broad, command), "allow"));

  test("is allowed by a rule for all commands, for this one, or for this file", () => {
    for (const match of ["*", "cat .env", "cat .env*", "cat *.env"])
      assert.equal(decideCommand([rule(match, "allow", "terminal")], "cat .env"), "allow", match);
    assert.equal(decideCommand([rule(".env", "allow", "read_file"), ...broad], "cat .env"), "allow");
    assert.equal(decideCommand(broad, "cat .env", "allow"), "allow");
  });

  test("follows the rules for files: one for every tool decides, one for read_file at least asks", () => {
    const denied = [rule("vault/*", "deny"), ...broad];
    for (const command of [
      "cat va{u,x}lt/a",
      "cat vault/a",
      "cat app/vault/a/b",
      "cat ./vault//a",
      "git show x:vault/a",
      "cat VAULT/a",
    ])
      assert.equal(decideCommand(denied, command), "deny", command);
    assert.equal(decideCommand([...broad, rule("vault/*", "deny", "read_file")], "cat vault/a"), "ask");
    assert.equal(decideCommand(denied, "cat vaulted/a"), "allow");
    assert.equal(decideCommand([...broad, { tool: "*", then: "deny" }], "git status"), "allow");
  });
});

test("a hundred thousand paths are judged in no time, whatever the rules", () => {
  const rules = ["secrets/*", ".git/config", "*.sql", "a*b*c*d*e", "**/private/**"].map((match) => rule(match, "deny"));
  const judge = createFileJudge({ rules, otherwise: "ask" }, "grep", ["/work/project"]);
  const startedAt = process.cpuUsage();
  for (let index = 0; index < 100_000; index++)
    judge({
      names: [`packages/p${index % 100}/src/deep/dir${index % 1_000}/file-${index}.component.ts`],
      access: "read",
    });
  const { user } = process.cpuUsage(startedAt);
  assert.ok(user < 4_000_000, `${user / 1_000} ms`);
});
