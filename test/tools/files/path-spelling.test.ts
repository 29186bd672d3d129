/** Spellings of paths: what other programs expand makes no odd name, and what looks the same is found. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

const NFC = "caf\u00e9.txt";
const NFD = "cafe\u0301.txt";

describe("a path in another notation", () => {
  test("creates nothing, and the answer says what to write", async (context) => {
    const { call, workspace } = openWorkshop(context);
    const spellings: Record<string, string> = {
      "~/notes.txt": join(homedir(), "notes.txt"),
      "~": homedir(),
      "~root/notes.txt": "relative to the workspace",
      "./~": homedir(),
      "a/../~/notes.txt": join(homedir(), "notes.txt"),
      "a/~/notes.txt": "relative to the workspace",
      "./~root/notes.txt": "relative to the workspace",
      "a/$HOME/notes.txt": "relative to the workspace",
      "`pwd`/notes.txt": "relative to the workspace",
      "a/$(pwd)": "relative to the workspace",
      "$HOME/notes.txt": join(homedir(), "notes.txt"),
      "${HOME}/a/notes.txt": join(homedir(), "a/notes.txt"),
      "%USERPROFILE%/notes.txt": join(homedir(), "notes.txt"),
      "$PWD/notes.txt": "Write notes.txt.",
      "$(pwd)/notes.txt": "relative to the workspace",
      "$TMPDIR/notes.txt": "relative to the workspace",
      "file:///etc/notes.txt": "/etc/notes.txt",
      [`file://${workspace}/a/notes.txt`]: "Write a/notes.txt.",
      "vscode://file/notes.txt": "relative to the workspace",
      "my%20notes/a%C3%A9.txt": "Write my notes/aé.txt.",
      "%2e%2e/notes.txt": "out of the workspace",
      "src\\notes.txt": "Write src/notes.txt.",
      "C:/notes.txt": "relative to the workspace",
    };
    for (const [path, advice] of Object.entries(spellings)) {
      for (const [tool, more] of [
        ["write_file", { content: "x" }],
        ["read_file", {}],
      ] as const) {
        const { ok, text } = await call(tool, { path, ...more });
        assert.ok(!ok && text.includes(advice), `${path}: ${text}`);
      }
    }
    assert.deepEqual(readdirSync(workspace), []);
  });

  test("is a plain name where it exists as it is written, and where it only begins alike", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const names = ["~", "$HOME", "file:", "50%20off", "a\\b", "a/~", "a/$(x)"].map((name) => `${name}/old.txt`);
    for (const path of names) {
      write(path, "old\n");
      assert.equal((await call("read_file", { path })).text, "1\told", path);
      assert.ok((await call("write_file", { path: path.replace("old", "new"), content: "x" })).ok, path);
    }
    for (const path of [
      "~temp",
      "$lib/a.ts",
      "routes/$id.tsx",
      "100%.txt",
      "a~/b",
      "a/~b",
      "a/`b",
      "./$lib/b",
      "notes: today",
      "[id]/$.ts",
    ]) {
      assert.ok((await call("write_file", { path, content: "x" })).ok, path);
      assert.equal(readFileSync(join(workspace, path), "utf8"), "x");
    }
  });
});

describe("a name that looks the same", () => {
  test("is the same in another Unicode normal form, for each file tool", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write(`${NFD.slice(0, 5)}/${NFD}`, "old\n");
    const path = `caf\u00e9/${NFC}`;
    assert.equal((await call("read_file", { path })).text, "1\told");
    assert.ok((await call("edit_file", { path, old_string: "old", new_string: "new" })).ok);
    assert.ok((await call("write_file", { path, content: "newer\n" })).ok);
    assert.equal((await call("list_dir", { path: "caf\u00e9" })).text, `${NFD} (6 bytes)`);
    assert.deepEqual(readdirSync(workspace, { recursive: true }), [NFD.slice(0, 5), `${NFD.slice(0, 5)}/${NFD}`]);
  });

  test("is named where it differs in case, blanks or quotes, and is not taken for the other", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const names = { "README.md": "readme.md", "Screen\u202fshot.txt": "Screen shot.txt", "it\u2019s.md": "it's.md" };
    for (const [name, asked] of Object.entries(names)) {
      write(`Docs/${name}`, "x");
      const { ok, text } = await call("read_file", { path: `docs/${asked}` });
      assert.ok(!ok && text.endsWith(`does: Docs/${name}`), text);
    }
    assert.ok((await call("write_file", { path: "Docs/readme.md", content: "another" })).ok);
    assert.equal(readFileSync(join(workspace, "Docs/README.md"), "utf8"), "x");
  });

  test("both normal forms are files of their own where both exist", async (context) => {
    const { write, call } = openWorkshop(context);
    write(NFC, "one");
    write(NFD, "two");
    assert.equal((await call("read_file", { path: NFC })).text, "1\tone");
    assert.equal((await call("read_file", { path: NFD })).text, "1\ttwo");
  });
});
