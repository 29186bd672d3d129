/** The file tools on real files: what models read, what changes on disk, and what is rejected with which message. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "./workshop.ts";

describe("read_file", () => {
  test("numbers the lines", async (context) => {
    const { write, call } = openWorkshop(context);
    write("a.txt", "one\ntwo\r\n\nüß€😀");
    assert.deepEqual(await call("read_file", { path: "a.txt" }), { ok: true, text: "1\tone\n2\ttwo\n3\t\n4\tüß€😀" });
  });

  test("reads a part and explains how to read on", async (context) => {
    const { write, call } = openWorkshop(context);
    write("a.txt", "1\n2\n3\n4\n5\n");
    const { text } = await call("read_file", { path: "a.txt", offset: 2, limit: 2 });
    assert.equal(text, "2\t2\n3\t3\n[Cut after line 3. Continue with offset 4.]");
    assert.equal((await call("read_file", { path: "a.txt", offset: 4 })).text, "4\t4\n5\t5");
    assert.equal((await call("read_file", { path: "a.txt", offset: 4, limit: 2 })).text, "4\t4\n5\t5");
  });

  test("reads a file of any size to its end, piece by piece, and nothing twice", async (context) => {
    const { write, call } = openWorkshop(context);
    const lines = Array.from({ length: 7_001 }, (_, index) => `line ${index + 1} ${"x".repeat(index % 40)}`);
    write("a.txt", lines.join("\n"));
    const seen: string[] = [];
    for (let offset: number | undefined = 1; offset !== undefined; ) {
      const { text } = await call("read_file", { path: "a.txt", offset });
      const next: RegExpExecArray | null = /\n\[Cut after line \d+\. Continue with offset (\d+)\.\]$/.exec(text);
      seen.push(
        ...text
          .slice(0, next?.index)
          .split("\n")
          .map((line) => line.replace(/^\d+\t/, "")),
      );
      assert.ok(text.length < 60_000);
      offset = next ? Number(next[1]) : undefined;
    }
    assert.deepEqual(seen, lines);
  });

  test("reports an empty file, and an offset past the end", async (context) => {
    const { write, call } = openWorkshop(context);
    write("empty", "");
    write("two", "1\n2\n");
    assert.deepEqual(await call("read_file", { path: "empty" }), { ok: true, text: "(empty is empty)" });
    assert.deepEqual(await call("read_file", { path: "two", offset: 3 }), {
      ok: false,
      text: "two has 2 lines; line 3 is past its end.",
    });
  });

  test("rejects a file that is not text", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("image.png", new Uint8Array([137, 80, 78, 71, 0, 1]));
    mkdirSync(join(workspace, "directory"));
    const words = async (path: string) => {
      const { ok, text } = await call("read_file", { path });
      assert.equal(ok, false);
      return text;
    };
    assert.equal(await words("image.png"), "image.png is a binary file (6 bytes), not text.");
    assert.match(await words("directory"), /is a directory\. list_dir/);
    assert.match(await words("missing/file"), /does not exist/);
    assert.match(await words("image.png/x"), /not a directory|does not exist/);
  });
});

describe("write_file", () => {
  test("creates a file and its directories, and reports that", async (context) => {
    const { call, workspace } = openWorkshop(context);
    assert.deepEqual(await call("write_file", { path: "a/b/c.txt", content: "ü\n" }), {
      ok: true,
      text: "Created a/b/c.txt (3 bytes).",
      filesChanged: ["a/b/c.txt"],
      linesChanged: { "a/b/c.txt": { added: 1, removed: 0 } },
    });
    assert.equal(readFileSync(join(workspace, "a/b/c.txt"), "utf8"), "ü\n");
  });

  test("replaces a file, keeps its mode and leaves no other file", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("run.sh", "old");
    chmodSync(join(workspace, "run.sh"), 0o751);
    await call("read_file", { path: "run.sh" });
    assert.match((await call("write_file", { path: "./run.sh", content: "new" })).text, /^Changed run\.sh/);
    assert.equal(readFileSync(join(workspace, "run.sh"), "utf8"), "new");
    assert.equal(statSync(join(workspace, "run.sh")).mode & 0o777, 0o751);
    assert.deepEqual(readdirSync(workspace), ["run.sh"]);
  });

  test("takes the place of what a killed process left half-written", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write(".deputy-delegation.0.tmp", "half");
    await call("write_file", { path: "a.txt", content: "whole" });
    assert.deepEqual(readdirSync(workspace), ["a.txt"]);
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), "whole");
  });

  test("refuses a directory, a read-only file and a file as a directory", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("directory/file", "x");
    write("locked", "x");
    chmodSync(join(workspace, "locked"), 0o444);
    for (const path of [".", "directory", "locked", "directory/file/below"]) {
      const output = await call("write_file", { path, content: "y" });
      assert.equal(output.ok, false, path);
      assert.equal(output.filesChanged, undefined);
    }
    assert.equal(readFileSync(join(workspace, "locked"), "utf8"), "x");
    assert.deepEqual(readdirSync(workspace), ["directory", "locked"]);
  });

  test("reports the system's errors with a message, and leaves the old file unchanged", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.txt", "old");
    mkdirSync(join(workspace, ".deputy-delegation.0.tmp"));
    await call("read_file", { path: "a.txt" });
    const { ok, text } = await call("write_file", { path: "a.txt", content: "new" });
    assert.equal(ok, false);
    assert.match(text, /The system refused it: .+ \(\w+\)\./);
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), "old");
  });
});

describe("edit_file", () => {
  test("refuses an edit whose result would be too large, and makes one just below", async (context) => {
    const { call, write } = openWorkshop(context);
    write("a.txt", "a".repeat(10_000));
    const edit = (length: number) => ({
      path: "a.txt",
      old_string: "a",
      new_string: "b".repeat(length),
      replace_all: true,
    });
    const { ok, text } = await call("edit_file", edit(10_000));
    assert.ok(!ok && text.startsWith("a.txt would have 100000000 characters; edit_file makes files up to"), text);
    assert.equal((await call("edit_file", edit(1_000))).ok, true);
  });

  test("replaces the one occurrence, literally", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.txt", "a.b axb");
    const edit = { path: "a.txt", old_string: "a.b", new_string: "$& $1 \\n" };
    assert.deepEqual(await call("edit_file", edit), {
      ok: true,
      text: "Replaced 1 occurrence in a.txt.",
      filesChanged: ["a.txt"],
      linesChanged: { "a.txt": { added: 1, removed: 1 } },
    });
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), "$& $1 \\n axb");
  });

  test("changes nothing if the text is absent or ambiguous, and reports how often it occurs", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.txt", "one two two");
    const edit = (old_string: string) => call("edit_file", { path: "a.txt", old_string, new_string: "x" });
    assert.match((await edit("three")).text, /does not occur in a\.txt/);
    assert.match((await edit("two")).text, /occurs 2 times in a\.txt/);
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), "one two two");
  });

  test("replaces every occurrence when asked to", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.txt", "two two");
    const edit = { path: "a.txt", old_string: "two", new_string: "", replace_all: true };
    assert.equal((await call("edit_file", edit)).text, "Replaced 2 occurrences in a.txt.");
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), " ");
  });

  test("keeps the line ends of a file that has carriage returns", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.txt", "one\r\ntwo\r\nthree\r\n");
    await call("edit_file", { path: "a.txt", old_string: "one\ntwo", new_string: "1\n2" });
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), "1\r\n2\r\nthree\r\n");
  });

  test("refuses text that is not UTF-8, and an edit that changes nothing", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const latin1 = new Uint8Array([97, 0xe4, 98]);
    write("latin1.txt", latin1);
    write("a.txt", "a");
    assert.match((await call("edit_file", { path: "latin1.txt", old_string: "a", new_string: "b" })).text, /not UTF-8/);
    assert.match((await call("edit_file", { path: "a.txt", old_string: "a", new_string: "a" })).text, /the same/);
    assert.deepEqual(readFileSync(join(workspace, "latin1.txt")), Buffer.from(latin1));
  });

  test("loses no edit where many children change one file at once", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const names = Array.from({ length: 100 }, (_, index) => `<${index}>`);
    write("a.txt", names.join(""));
    await Promise.all(
      names.map((name) => call("edit_file", { path: "a.txt", old_string: name, new_string: `${name}!` })),
    );
    assert.equal(readFileSync(join(workspace, "a.txt"), "utf8"), names.map((name) => `${name}!`).join(""));
  });
});

describe("list_dir", () => {
  test("lists names, sorted, with kinds and sizes", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("b.txt", "four");
    write(".hidden", "");
    write("a/inner", "");
    symlinkSync("b.txt", join(workspace, "link"));
    assert.deepEqual(await call("list_dir", {}), {
      ok: true,
      text: ".hidden (0 bytes)\na/\nb.txt (4 bytes)\nlink@",
    });
    assert.equal((await call("list_dir", { path: "a" })).text, "inner (0 bytes)");
  });

  test("marks a cut, an empty directory, and what is no directory", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    for (let index = 0; index < 501; index++) write(`many/${index}`, "");
    mkdirSync(join(workspace, "empty"));
    assert.match((await call("list_dir", { path: "many" })).text, /\n\[Cut: 500 of 501 entries shown/);
    assert.equal((await call("list_dir", { path: "empty" })).text, "(empty is empty)");
    assert.equal((await call("list_dir", { path: "many/1" })).ok, false);
    assert.equal((await call("list_dir", { path: "absent" })).ok, false);
  });
});
