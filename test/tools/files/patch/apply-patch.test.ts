/** Patches in the language of GPT models: files are added, updated, moved and deleted, all or none of them. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { parseArguments } from "../../../../src/tool-arguments.ts";
import { createApplyPatch } from "../../../../src/tools/files/edits/patch/apply-patch.ts";
import { openWorkshop } from "../../workshop.ts";

type Permissions = Parameters<typeof openWorkshop>[2];

function openPatching(context: TestContext, permissions?: Permissions) {
  const workshop = openWorkshop(context, {}, permissions);
  const { call, workspace } = workshop;
  return {
    ...workshop,
    patch: (body: string) => call("apply_patch", { input: `*** Begin Patch\n${body}\n*** End Patch` }),
    read: (path: string) => readFileSync(join(workspace, path), "utf8"),
    there: (path: string) => existsSync(join(workspace, path)),
  };
}

/** What is wrong with a patch, which then changes nothing. */
async function rejection(context: TestContext, body: string, files: Record<string, string>): Promise<string> {
  const { write, patch, read } = openPatching(context);
  for (const [path, content] of Object.entries(files)) write(path, content);
  const { ok, text } = await patch(body);
  assert.equal(ok, false, text);
  for (const [path, content] of Object.entries(files)) assert.equal(read(path), content);
  return text;
}

describe("a patch", () => {
  test("adds, updates, moves and deletes files in one call, and reports each", async (context) => {
    const { write, patch, read, there, call } = openPatching(context);
    write("src/app.py", "import os\n\ndef greet():\n    print('Hi')\n\ndef main():\n    greet()\n");
    write("old.txt", "one\ntwo\n");
    write("plain.txt", "same\n");
    await call("read_file", { path: "old.txt" });
    const { ok, text, filesChanged, linesChanged } = await patch(
      `*** Update File: src/app.py
@@ def greet():
-    print('Hi')
+    print('Hello')
+    print('World')
@@ def main():
     greet()
+    greet()
*** Add File: new/deep/file.txt
+first
+
+third
*** Update File: plain.txt
*** Move to: moved/plain.txt
@@
-same
+other
*** Delete File: old.txt`,
    );
    assert.equal(ok, true, text);
    assert.equal(
      read("src/app.py"),
      "import os\n\ndef greet():\n    print('Hello')\n    print('World')\n\ndef main():\n    greet()\n    greet()\n",
    );
    assert.equal(read("new/deep/file.txt"), "first\n\nthird\n");
    assert.equal(read("moved/plain.txt"), "other\n");
    assert.deepEqual([there("plain.txt"), there("old.txt")], [false, false]);
    assert.equal(
      text,
      "Changed src/app.py.\nCreated new/deep/file.txt (13 bytes).\nMoved plain.txt to moved/plain.txt.\nDeleted old.txt.",
    );
    assert.deepEqual(filesChanged, ["src/app.py", "new/deep/file.txt", "plain.txt", "moved/plain.txt", "old.txt"]);
    assert.deepEqual(linesChanged, {
      "src/app.py": { added: 3, removed: 1 },
      "new/deep/file.txt": { added: 3, removed: 0 },
      "plain.txt": { added: 0, removed: 1 },
      "moved/plain.txt": { added: 1, removed: 0 },
      "old.txt": { added: 0, removed: 2 },
    });
  });

  test("is read with what models put around it", async (context) => {
    const { write, call, read } = openPatching(context);
    const body = "*** Begin Patch\n*** Update File: f\n@@\n-a\n+b\n*** End Patch";
    const spellings = [
      `\n  ${body}\n\n`,
      `<<'EOF'\n${body}\nEOF\n`,
      `<<EOF\n${body}\nEOF`,
      `apply_patch <<"EOF"\n${body}\nEOF`,
      `\`\`\`diff\n${body}\n\`\`\``,
      body.replaceAll("\n", "\r\n"),
      body.replace("@@\n", ""),
      body.replace("*** Update", " *** Update").replace("*** End Patch", "  *** End Patch "),
      body.replace("@@", "@@ -1,1 +1,1 @@"),
      body.replace("+b\n", "+b\n\n"),
      body.replace("+b\n", "+b\n*** End of File\n"),
    ];
    for (const input of spellings) {
      write("f", "a\n");
      const { ok, text } = await call("apply_patch", { input });
      assert.deepEqual([ok, read("f")], [true, "b\n"], `${input}\n${text}`);
    }
  });

  test("may be called patch", () => {
    const tool = createApplyPatch({ root: "/", extraDirs: [], own: { directories: [], files: [] }, realPaths: {} });
    assert.deepEqual(parseArguments(tool, { patch: "x" }).data, { input: "x" });
    assert.equal(parseArguments(tool, { diff: "x" }).success, false);
  });

  test("that is no patch, or a part of one, is rejected with the line and what is expected", async (context) => {
    const cases: [body: string, told: RegExp][] = [
      ["", /The patch is empty/],
      ["nonsense", /Line 2 of the patch: expected a section.*found "nonsense"/],
      ["*** Update File: f", /f: the section has no lines/],
      ["*** Update File: f\n@@", /f: hunk 1 has no lines/],
      ["*** Update File: f\n@@\nx", /Line 4 of the patch: each line of a hunk starts with/],
      ["*** Add File: n\nx", /Line 3 of the patch: each line of a new file starts with "\+"/],
      ["*** Add File: n\n+x\n\n+y", /Line 5 of the patch: an empty line of a new file is written "\+"/],
      ["*** Delete File: f\n-a", /nothing follows a deletion/],
      ["*** Update File: f\n a", /changes nothing in f/],
      ["*** Update File: g\n-a", /g does not exist/],
      ["*** Delete File: g", /g does not exist/],
      ["*** Delete File: .", /. is a directory/],
      ["*** Update File: ../g\n-a", /leads out of the workspace/],
      ["*** Add File: ../g\n+a", /leads out of the workspace/],
      ["*** Update File: f\n*** Move to: ../g\n-a\n+b", /leads out of the workspace/],
      ["*** Delete File: f\n*** Add File: f\n+b", /you have not read it/],
    ];
    for (const [body, told] of cases) assert.match(await rejection(context, body, { f: "a\n" }), told);
    const { call } = openPatching(context);
    const cut = await call("apply_patch", { input: "*** Begin Patch\n*** Add File: n\n+x" });
    assert.match(cut.text, /Expected "\*\*\* End Patch" as the last line .*found "\+x".* may have been cut/);
    const bare = await call("apply_patch", { input: "--- a\n+++ b\n@@\n-a\n+b" });
    assert.match(bare.text, /Expected "\*\*\* Begin Patch" as the first line.*A patch starts with/);
  });

  test("that fails in one place changes nothing in any file", async (context) => {
    const { write, patch, read, workspace } = openPatching(context);
    write("a", "a\n");
    write("b", "b\n");
    const { ok } = await patch("*** Update File: a\n-a\n+A\n*** Add File: d/e/new\n+x\n*** Update File: b\n-c\n+B");
    assert.deepEqual([ok, read("a"), read("b"), readdirSync(workspace).sort()], [false, "a\n", "b\n", ["a", "b"]]);
  });

  test("that the system refuses halfway is undone", { skip: process.platform === "win32" }, async (context) => {
    const { write, patch, read, workspace, call } = openPatching(context);
    for (const path of ["a", "b", "c"]) write(path, `${path}\n`);
    chmodSync(join(workspace, "a"), 0o755);
    await call("read_file", { path: "c" });
    write("file", "no directory\n");
    chmodSync(join(workspace, "b"), 0o444);
    for (const last of ["*** Update File: b\n-b\n+B", "*** Add File: file/below\n+x"]) {
      const { ok, text } = await patch(
        `*** Delete File: c\n*** Update File: a\n*** Move to: d/e/a\n-a\n+A\n*** Add File: n/new\n+x\n${last}`,
      );
      assert.equal(ok, false, text);
      assert.doesNotMatch(text, /undone/);
      assert.deepEqual([read("a"), read("b"), read("c")], ["a\n", "b\n", "c\n"]);
      assert.equal(statSync(join(workspace, "a")).mode & 0o777, 0o755);
      assert.deepEqual(readdirSync(workspace).sort(), ["a", "b", "c", "file"]);
    }
  });
});

describe("where a hunk belongs", () => {
  const TWICE = "class A:\n    def run():\n        x = 1\n\nclass B:\n    def run():\n        x = 1\n";

  test("must be clear: one that fits in several places is rejected, with the places", async (context) => {
    const text = await rejection(context, "*** Update File: f\n@@\n-        x = 1\n+        x = 2", { f: TWICE });
    assert.match(text, /fits in several places, such as lines 3, 7\. Give more lines/);
    const inner = await rejection(context, "*** Update File: f\n@@ def run():\n-        x = 1\n+        x = 2", {
      f: TWICE,
    });
    assert.match(inner, /several places/);
  });

  test("is after lines that @@ names, the outer before the inner", async (context) => {
    const { write, patch, read } = openPatching(context);
    for (const contexts of ["@@ class B:\n@@     def run():", "@@ class B:", "@@ class B:\n@@ def run():"]) {
      write("f", TWICE);
      const { ok, text } = await patch(`*** Update File: f\n${contexts}\n-        x = 1\n+        x = 2`);
      assert.ok(ok, text);
      assert.equal(read("f"), TWICE.replace(/x = 1\n$/, "x = 2\n"));
    }
  });

  test("may repeat the line that @@ names", async (context) => {
    const { write, patch, read } = openPatching(context);
    write("f", TWICE);
    assert.ok((await patch("*** Update File: f\n@@ class B:\n class B:\n-    def run():\n+    def go():")).ok);
    assert.equal(read("f"), TWICE.replace(/(B:\n {4}def )run/, "$1go"));
  });

  test("is after the hunk before it, or at the end of the file if it says so", async (context) => {
    const { write, patch, read } = openPatching(context);
    write("f", "a\nx\nb\nx\nx\n");
    assert.ok((await patch("*** Update File: f\n@@\n-b\n+B\n@@\n-x\n+y\n*** End of File")).ok);
    assert.equal(read("f"), "a\nx\nB\nx\ny\n");
    const order = await rejection(context, "*** Update File: f\n@@\n-b\n+B\n@@\n-a\n+A", { f: "a\nb\n" });
    assert.match(order, /Hunk 2 of 2 of f occurs at line 1, above line 3.*in the order of the file/);
    const end = await rejection(context, "*** Update File: f\n@@\n-a\n+A\n*** End of File", { f: "a\nb\n" });
    assert.match(end, /not at the end of the file, but at line 1/);
  });

  test("is the end of the file for a hunk that only adds, unless it names a line", async (context) => {
    const { write, patch, read } = openPatching(context);
    write("f", "a\nb\n");
    assert.ok((await patch("*** Update File: f\n@@\n+c")).ok);
    assert.equal(read("f"), "a\nb\nc\n");
    const text = await rejection(context, "*** Update File: f\n@@ a\n+c", { f: "a\nb\n" });
    assert.match(text, /does not say where/);
  });

  const FUZZ: [name: string, file: string, hunk: string, result: string, told: RegExp][] = [
    ["blanks at the end", "a  \nb\t\nc\n", " a\n-b\n+B", "a  \nB\nc\n", /without regard to blanks at the end of lines/],
    ["indentation", "{\n\ta\n\tb\n}\n", " a\n-b\n+\tB", "{\n\ta\n\tB\n}\n", /without regard to indentation/],
    ["quotes", "say “hi” –\u00a0ok\nx\n", ' say "hi" - ok\n-x\n+y', "say “hi” –\u00a0ok\ny\n", /quotes, dashes/],
  ];
  for (const [name, file, hunk, result, told] of FUZZ) {
    test(`is found without regard to ${name}, which the file keeps`, async (context) => {
      const { write, patch, read } = openPatching(context);
      write("f", file);
      const { ok, text } = await patch(`*** Update File: f\n@@\n${hunk}`);
      assert.ok(ok, text);
      assert.equal(read("f"), result);
      assert.match(text, told);
    });
  }

  test("that is nowhere is answered with the nearest passage and what differs", async (context) => {
    const files = { f: "one\nfunction total(items)\nconst MAX = 1;\n" };
    const cases: [hunk: string, told: RegExp][] = [
      ["-function sum(items)\n+x", /nearest passage is:\n2\tfunction total/],
      ["-const max = 1;\n+x", /Line 3 differs .* upper and lower case.*3\tconst MAX/s],
      ["-const MAX  =  1;\n+x", /Line 3 differs .* blanks within a line/],
      ["@@ class None\n-one\n+x", /^The line "@@ class None" of f does not occur/],
    ];
    for (const [hunk, told] of cases)
      assert.match(await rejection(context, `*** Update File: f\n${hunk}`, files), told);
  });
});

describe("what a patch keeps", () => {
  test("mode, hard links and the link that leads to a file; a moved file stays the same file", async (context) => {
    const { write, patch, read, workspace } = openPatching(context);
    write("real/file", "old\n");
    chmodSync(join(workspace, "real/file"), 0o750);
    linkSync(join(workspace, "real/file"), join(workspace, "other"));
    symlinkSync("real/file", join(workspace, "link"));
    const { text } = await patch("*** Update File: link\n-old\n+new");
    assert.equal(text, "Changed real/file. The file has 2 names (hard links): it has changed under each.");
    assert.ok(lstatSync(join(workspace, "link")).isSymbolicLink());
    assert.deepEqual([read("other"), statSync(join(workspace, "other")).mode & 0o777], ["new\n", 0o750]);
    const { ino } = statSync(join(workspace, "other"));
    assert.ok((await patch("*** Update File: real/file\n*** Move to: deep/er/file\n-new\n+newer")).ok);
    assert.deepEqual([read("other"), statSync(join(workspace, "deep/er/file")).ino], ["newer\n", ino]);
  });

  test("a file without a line feed at its end has none after it either", async (context) => {
    const { write, patch, read } = openPatching(context);
    const cases: [before: string, hunk: string, after: string][] = [
      ["a\nb", "-b\n+c", "a\nc"],
      ["a\nb", " a\n-b", "a"],
      ["a\nb", "+c", "a\nb\nc"],
      ["a\nb", "-a\n-b\n+c", "c"],
      ["a\r\nb", "-b\n+c\n+d", "a\r\nc\r\nd"],
      ["a\rb", "-b\n+c\n+d", "a\rc\rd"],
      ["", "+c", "c\n"],
      ["a", "-a", ""],
    ];
    for (const [before, hunk, after] of cases) {
      write("f", before);
      const { text } = await patch(`*** Update File: f\n${hunk}`);
      assert.equal(read("f"), after, `${JSON.stringify([before, hunk])} ${text}`);
    }
  });

  test("a link is not deleted or moved in place of what it leads to", async (context) => {
    const { write, patch, read, call, workspace } = openPatching(context);
    write("file", "a\n");
    symlinkSync("file", join(workspace, "link"));
    await call("read_file", { path: "link" });
    for (const body of ["*** Delete File: link", "*** Update File: link\n*** Move to: new"])
      assert.match((await patch(body)).text, /link is a link to file: name the file itself/);
    assert.equal(read("file"), "a\n");
    assert.ok((await patch("*** Delete File: file")).ok);
  });

  test("files that exist are neither overwritten by a move, nor lost unread", async (context) => {
    const { write, patch, read, call } = openPatching(context);
    for (const path of ["a", "b"]) write(path, `${path}\n`);
    assert.match((await patch("*** Update File: a\n*** Move to: b\n-a\n+A")).text, /b exists already/);
    assert.match((await patch("*** Add File: b\n+B")).text, /you have not read it/);
    assert.match((await patch("*** Delete File: b")).text, /you have not read it/);
    assert.deepEqual([read("a"), read("b")], ["a\n", "b\n"]);
    await call("read_file", { path: "b" });
    assert.ok((await patch("*** Add File: b\n+B")).ok);
    assert.ok((await patch("*** Delete File: b")).ok);
    assert.match(
      (await patch("*** Update File: a\n-a\n+A\n*** Add File: a\n+x")).text,
      /a has two sections in the patch/,
    );
  });
});

for (const [tool, change] of [
  ["edit_file", (from: string, to: string) => ({ path: "f", old_string: from, new_string: to })],
  [
    "apply_patch",
    (from: string, to: string) => ({ input: `*** Begin Patch\n*** Update File: f\n-${from}\n+${to}\n*** End Patch` }),
  ],
] as const) {
  test(`${tool} says that a file has changed since the child read it, and what it knows afterwards`, async (context) => {
    const { write, call } = openPatching(context);
    write("f", "a\nb\n");
    assert.doesNotMatch((await call(tool, change("a", "A"))).text, /has changed since/);
    await call("read_file", { path: "f" });
    assert.doesNotMatch((await call(tool, change("A", "a"))).text, /has changed since/);
    assert.ok((await call("write_file", { path: "f", content: "a\nb\n" })).ok);
    write("f", "a\nb\nc\n");
    const miss = await call(tool, change("z", "Z"));
    assert.match(miss.text, /does not occur.*f has changed since you last read or wrote it/s);
    assert.match((await call(tool, change("a", "A"))).text, /^.*f\.? .*f has changed since you last read or wrote it/);
    assert.match((await call("write_file", { path: "f", content: "x\n" })).text, /somebody else's work/);
    await call("read_file", { path: "f" });
    assert.doesNotMatch((await call(tool, change("b", "B"))).text, /has changed since/);
  });
}

describe("the rules", () => {
  const TOUCHES_BOTH = "*** Update File: a\n-a\n+A\n*** Add File: secret/b\n+b";
  const deny = (tool: string, match: string) => ({ tool, match, then: "deny" }) as const;
  const cases: [name: string, rule: ReturnType<typeof deny>, body: string][] = [
    ["for apply_patch", deny("apply_patch", "secret/*"), TOUCHES_BOTH],
    ["for every tool", deny("*", "secret"), TOUCHES_BOTH],
    ["for write_file, on a new file", deny("write_file", "secret/b"), TOUCHES_BOTH],
    ["for edit_file, on an update", deny("edit_file", "a"), TOUCHES_BOTH],
    ["for read_file, on an update", deny("read_file", "a"), TOUCHES_BOTH],
    ["for edit_file, on a deletion", deny("edit_file", "a"), "*** Delete File: a"],
    ["for write_file, on a deletion", deny("write_file", "a"), "*** Delete File: a"],
    [
      "for write_file, on the new name of a file",
      deny("write_file", "c"),
      "*** Update File: a\n*** Move to: c\n-a\n+A",
    ],
    [
      "for write_file, on the old name of a file",
      deny("write_file", "a"),
      "*** Update File: a\n*** Move to: c\n-a\n+A",
    ],
  ];
  for (const [name, rule, body] of cases) {
    test(`${name} deny a whole patch that touches one file of theirs`, async (context) => {
      const { write, patch, read, there } = openPatching(context, { rules: [rule], otherwise: "allow" });
      write("a", "a\n");
      const { ok, text } = await patch(body);
      assert.equal(ok, false);
      assert.match(text, /^Not allowed \(deny\)/);
      assert.deepEqual([read("a"), there("secret/b"), there("c")], ["a\n", false, false]);
    });
  }

  test("for what a patch does not do leave it alone", async (context) => {
    const rules = [deny("write_file", "*"), deny("edit_file", "b"), deny("apply_patch", "c")];
    const { write, patch } = openPatching(context, { rules, otherwise: "allow" });
    write("a", "a\n");
    assert.ok((await patch("*** Update File: a\n-a\n+A")).ok);
  });

  test("ask for a file of secrets among others, unless a rule for the tool of that change names it", async (context) => {
    const body = "*** Update File: a\n-a\n+A\n*** Update File: .env\n-KEY=1\n+KEY=2";
    for (const [tool, told] of [
      ["terminal", /^Not allowed \(ask\): \.env usually holds secrets/],
      ["edit_file", /^Changed a\.\nChanged \.env\.$/],
      ["apply_patch", /^Changed a\.\nChanged \.env\.$/],
    ] as const) {
      const { write, patch } = openPatching(context, {
        rules: [{ tool, match: ".env", then: "allow" }],
        otherwise: "ask",
      });
      write("a", "a\n");
      write(".env", "KEY=1\n");
      assert.match((await patch(body)).text, told);
    }
  });

  test("see every path, and whoever is asked sees every change", (context) => {
    const { workspace, write } = openWorkshop(context);
    mkdirSync(join(workspace, "d"));
    write("d/file", "a\n");
    symlinkSync("d", join(workspace, "link"));
    const tool = createApplyPatch({
      root: workspace,
      extraDirs: [],
      own: { directories: [], files: [] },
      realPaths: {},
    });
    const body =
      "*** Update File: link/file\n*** Move to: d/new\n@@ x\n a\n-b\n+c\n*** Add File: n\n+1\n*** Delete File: d/old";
    const { target, asked, file, otherFiles = [] } = tool.subject({ input: `*** Begin Patch\n${body}\n*** End Patch` });
    assert.equal(target, "d/file\nd/new\nn\nd/old");
    assert.equal(asked, body.replace("link/file", "d/file"));
    assert.deepEqual(
      [file, ...otherFiles].map((each) => each?.names),
      [["d/file", "link/file"], ["d/new"], ["n"], ["d/old"]],
    );
  });
});
