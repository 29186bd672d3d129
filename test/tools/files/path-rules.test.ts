/** Permission rules for paths, in every tool that returns or touches one, on real files. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { PermissionRule } from "../../../src/tool.ts";
import { openWorkshop } from "../workshop.ts";

const deny = (match: string): PermissionRule => ({ tool: "*", match, then: "deny" });

function openProject(t: TestContext, rules: PermissionRule[], extra = false) {
  const workshop = openWorkshop(t, {}, { rules, otherwise: "ask" });
  const { write, workspace, call } = workshop;
  for (const path of ["src/a.ts", "src/secretsanta.ts", "secrets/key.txt", "secrets/deep/b.txt", "app/secrets/c.txt"])
    write(path, "needle\n");
  write("sub/.git/config", "needle\n");
  if (extra) mkdirSync(join(workspace, "links"));
  const text = async (name: string, input: object) => (await call(name, input)).text;
  return { ...workshop, text };
}

describe("files that a rule denies", () => {
  const rules = [deny("secrets/*"), deny(".git/config")];
  const LEFT_OUT = "[3 files are not shown: a permission rule denies them.]";

  test("are in no search and no listing, which say how many there are", async (t) => {
    const { text } = openProject(t, rules);
    assert.equal(
      await text("grep", { pattern: "needle" }),
      `src/a.ts:1: needle\nsrc/secretsanta.ts:1: needle\n${LEFT_OUT}`,
    );
    assert.equal(
      await text("glob", { pattern: "*" }),
      "src/a.ts\nsrc/secretsanta.ts\n[3 files are not shown: a permission rule denies them.]",
    );
    assert.match(await text("list_dir", { path: "secrets" }), /^\[2 files are not shown/);
    assert.match(await text("list_dir", { path: "sub/.git" }), /^\[1 file is not shown/);
    assert.match(
      await text("grep", { pattern: "needle", path: "app/secrets" }),
      /^No matches\.\n\[1 file is not shown/,
    );
    assert.match(await text("glob", { pattern: "*", path: "secrets/deep" }), /^Not allowed \(deny\)/);
  });

  test("are not told apart by what is in them, or by a pattern for their names", async (t) => {
    const { text } = openProject(t, rules);
    for (const pattern of ["^n", "^x", "needle", "absent"])
      assert.ok((await text("grep", { pattern })).endsWith(LEFT_OUT), pattern);
    for (const pattern of ["k*.txt", "x*.txt"])
      assert.match(await text("glob", { pattern }), /^No matches.*\n\[3 files/);
  });

  for (const path of [
    "secrets/key.txt",
    "./secrets//key.txt",
    "src/../secrets/key.txt",
    "app/secrets/c.txt",
    "sub/.git/config",
  ])
    test(`are not read, searched, edited or replaced by name: ${path}`, async (t) => {
      const { text } = openProject(t, rules);
      assert.match(await text("read_file", { path }), /^Not allowed \(deny\)/);
      assert.match(await text("grep", { pattern: "needle", path }), /^Not allowed \(deny\)/);
      assert.match(await text("glob", { pattern: "*", path }), /^Not allowed \(deny\)/);
      assert.match(await text("edit_file", { path, old_string: "x", new_string: "y" }), /^Not allowed \(deny\)/);
      assert.match(await text("write_file", { path, content: "x" }), /^Not allowed \(deny\)/);
    });

  test("are denied through links: to the file, to its directory, through one after another", async (t) => {
    const { text, workspace } = openProject(t, rules, true);
    const link = (to: string, at: string) => symlinkSync(to, join(workspace, at));
    link("../secrets/key.txt", "links/file");
    link("../secrets", "links/directory");
    link("directory", "links/again");
    link(join(workspace, "secrets/key.txt"), "links/absolute");
    for (const path of ["links/file", "links/directory/key.txt", "links/again/deep/b.txt", "links/absolute"])
      assert.match(await text("read_file", { path }), /^Not allowed \(deny\)/, path);
    assert.match(await text("grep", { pattern: "needle", path: "links/again" }), /^No matches\.\n\[2 files/);
    assert.match(await text("list_dir", { path: "links/directory" }), /^\[2 files/);
    assert.match(await text("glob", { pattern: "**/*", path: "links/directory" }), /^No matches.*\n\[2 files/);
  });

  test("are denied by the name of a link, wherever it leads", async (t) => {
    const { text, workspace, write } = openProject(t, [deny("private"), deny("alias/*")], true);
    const link = (to: string, at: string) => symlinkSync(to, join(workspace, at));
    write("open/a.txt", "needle");
    link("../open/a.txt", "links/private");
    link("private", "links/to-private");
    link("../open", "links/alias");
    for (const path of ["links/private", "links/to-private", "links/alias/a.txt"])
      assert.match(await text("read_file", { path }), /^Not allowed \(deny\)/, path);
    assert.match(await text("grep", { pattern: "needle", path: "links/alias" }), /^No matches\.\n\[1 file/);
    assert.equal(await text("read_file", { path: "open/a.txt" }), "1\tneedle");
  });

  test("are recognized in a directory whose name has a line break", async (t) => {
    const { text, write } = openProject(t, rules);
    write("secrets/x\nsrc/a.ts", "needle of the denied\n");
    assert.doesNotMatch(await text("grep", { pattern: "needle" }), /denied\n|of the denied/);
  });
});

test("files next to denied ones are read, listed, found and written as ever", async (t) => {
  const { text, call } = openProject(t, [deny("secrets/*")]);
  assert.equal(await text("read_file", { path: "src/secretsanta.ts" }), "1\tneedle");
  assert.equal(
    await text("grep", { pattern: "needle", path: "src" }),
    "src/a.ts:1: needle\nsrc/secretsanta.ts:1: needle",
  );
  assert.equal(await text("glob", { pattern: "*.ts", path: "src" }), "src/a.ts\nsrc/secretsanta.ts");
  assert.equal(await text("list_dir", { path: "src" }), "a.ts (7 bytes)\nsecretsanta.ts (7 bytes)");
  assert.ok((await call("write_file", { path: "secrets.md", content: "x" })).ok);
});

test("rules reach extra directories, by absolute paths and by names", async (t) => {
  const extra = realpathSync(mkdtempSync(join(tmpdir(), "deputy-extra-")));
  t.after(() => rmSync(extra, { recursive: true }));
  for (const path of ["a.txt", "private/b.txt", "c.txt"]) {
    mkdirSync(dirname(join(extra, path)), { recursive: true });
    writeFileSync(join(extra, path), "needle");
  }
  const rules = [deny(`${extra}/a.txt`), deny("private/*")];
  const { call } = openWorkshop(t, { extraDirs: [extra] }, { rules, otherwise: "ask" });
  assert.equal(
    (await call("grep", { pattern: "needle", path: extra })).text,
    `${extra}/c.txt:1: needle\n[2 files are not shown: a permission rule denies them.]`,
  );
  assert.match((await call("read_file", { path: `${extra}/a.txt` })).text, /^Not allowed/);
});

describe("files of secrets", () => {
  test("are named by listings, but a search of their text leaves them out and says how to ask", async (t) => {
    const { text, write } = openProject(t, []);
    for (const path of [".env", "conf/server.pem", "conf/.env.example"]) write(path, "needle\n");
    assert.equal(
      await text("grep", { pattern: "needle", include: "*.{pem,example}" }),
      "conf/.env.example:1: needle\n[1 file holds secrets and is not shown: read it by name to ask for approval.]",
    );
    assert.match(await text("grep", { pattern: "needle" }), /\n\[2 files hold secrets and are not shown/);
    assert.match(await text("glob", { pattern: "*.pem" }), /^conf\/server\.pem$/);
    assert.match(await text("list_dir", {}), /^\.env \(7 bytes\)/);
    for (const [name, input] of [
      ["read_file", { path: ".env" }],
      ["grep", { path: "conf/server.pem", pattern: "x" }],
      ["edit_file", { path: ".env", old_string: "x", new_string: "y" }],
      ["write_file", { path: ".env", content: "x" }],
      ["terminal", { command: "cat .env" }],
    ] as const)
      assert.match(await text(name, input), /^Not allowed \(ask\): .*usually holds secrets/, name);
    assert.equal(await text("read_file", { path: "conf/.env.example" }), "1\tneedle");
  });

  test("ask through a link, and in a linked directory", async (t) => {
    const { text, write, workspace } = openProject(t, [], true);
    write("conf/.env", "needle\n");
    symlinkSync("../conf/.env", join(workspace, "links/settings"));
    symlinkSync("../conf", join(workspace, "links/conf"));
    symlinkSync("../src/a.ts", join(workspace, "links/.env"));
    for (const path of ["links/settings", "links/conf/.env", "links/.env"])
      assert.match(await text("read_file", { path }), /^Not allowed \(ask\)/, path);
    assert.match(
      await text("grep", { pattern: "needle", path: "links/conf" }),
      /^No matches\.\n\[1 file holds secrets/,
    );
  });

  test("are created like any file", async (t) => {
    const { text } = openProject(t, []);
    assert.match(await text("write_file", { path: "new/.env", content: "A=1" }), /^Created new\/\.env/);
  });

  test("are read and searched where a rule names them", async (t) => {
    const { text, write } = openProject(t, [{ tool: "read_file", match: ".env", then: "allow" }]);
    for (const path of [".env", "app/.env"]) write(path, "needle\n");
    assert.equal(await text("read_file", { path: ".env" }), "1\tneedle");
    assert.match(await text("read_file", { path: "app/.env" }), /^Not allowed \(ask\)/);
    assert.equal(
      await text("grep", { pattern: "needle", include: ".env" }),
      ".env:1: needle\n[1 file holds secrets and is not shown: read it by name to ask for approval.]",
    );
  });
});
