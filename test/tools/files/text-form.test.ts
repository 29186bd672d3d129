/** The form of a file survives a change: encoding, byte order mark, line ends. What cannot be kept is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();
const utf16le = (text: string) => Buffer.from(text, "utf16le");

/** Ways to store a text, each read and changed as if it were UTF-8 with line feeds. */
const FORMS: Record<string, (text: string) => Buffer> = {
  "UTF-8 with a byte order mark": (text) => Buffer.from(`\ufeff${text}`),
  "CR LF": (text) => Buffer.from(text.replaceAll("\n", "\r\n")),
  "CR LF and a byte order mark": (text) => Buffer.from(`\ufeff${text.replaceAll("\n", "\r\n")}`),
  UTF16LE: (text) => utf16le(`\ufeff${text}`),
  "UTF16LE with CR LF": (text) => utf16le(`\ufeff${text.replaceAll("\n", "\r\n")}`),
  UTF16BE: (text) => utf16be(`\ufeff${text}`),
  "UTF16LE without a mark": utf16le,
  "UTF16BE without a mark": utf16be,
};

describe("a file's form", () => {
  for (const [name, encode] of Object.entries(FORMS)) {
    test(`${name} is read, and kept by an edit and a whole-file write`, async (context) => {
      const { write, call, workspace } = openWorkshop(context);
      const bytes = () => readFileSync(join(workspace, "f.txt"));
      write("f.txt", encode("première\nzwei 😀\n"));
      assert.match((await call("read_file", { path: "f.txt" })).text, /^1\tpremière\n2\tzwei 😀(\n\[.*\])?$/);
      const edit = { path: "f.txt", old_string: "première\nzwei", new_string: "1\nñ\n2" };
      assert.equal((await call("edit_file", edit)).ok, true);
      assert.deepEqual(bytes(), encode("1\nñ\n2 😀\n"));
      assert.equal((await call("write_file", { path: "f.txt", content: "neu\nß\n" })).ok, true);
      assert.deepEqual(bytes(), encode("neu\nß\n"));
    });
  }

  test("an encoding that cannot be kept is named, shown readably, and never changed", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const files: [name: string, bytes: number[], shown: RegExp][] = [
      ["Windows-1252", [0x61, 0xe9, 0x93, 0x62, 0x94, 0x0a], /^1\taé“b”\n\[.*Windows-1252/],
      ["Latin-1", [0x66, 0xfc, 0x72, 0x20, 0x64, 0x69, 0x63, 0x68], /^1\tfür dich\n\[.*Latin-1/],
      ["Shift_JIS", [0x82, 0xb1, 0x82, 0xf1, 0x82, 0xc9, 0x82, 0xbf, 0x0a], /^1\tこんにち\n\[.*Shift_JIS/],
      ["EUC-JP", [0xa4, 0xb3, 0xa4, 0xf3, 0xa4, 0xcb, 0x0a], /^1\tこんに\n\[.*EUC-JP/],
    ];
    for (const [name, bytes, shown] of files) {
      write(name, new Uint8Array(bytes));
      const { text } = await call("read_file", { path: name });
      assert.match(text, shown);
      assert.ok(!text.includes("\ufffd"));
      for (const output of [
        await call("edit_file", { path: name, old_string: "a", new_string: "b" }),
        await call("write_file", { path: name, content: "new" }),
      ]) {
        assert.ok(!output.ok && output.text.includes("is not UTF-8 text"), output.text);
      }
      assert.deepEqual(readFileSync(join(workspace, name)), Buffer.from(bytes));
    }
  });

  test("line ends of CR alone are kept, and a CR among line feeds makes no such file", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const bytes = (path: string) => readFileSync(join(workspace, path), "utf8");
    write("mac.txt", "one\rtwo\rthree\r");
    assert.ok((await call("edit_file", { path: "mac.txt", old_string: "one\ntwo", new_string: "1\n2\n2b" })).ok);
    assert.ok((await call("edit_file", { path: "mac.txt", old_string: "2b\rthree", new_string: "3" })).ok);
    assert.equal(bytes("mac.txt"), "1\r2\r3\r");
    await call("read_file", { path: "mac.txt" });
    assert.match((await call("write_file", { path: "mac.txt", content: "a\nb\n" })).text, /still has CR line ends\.$/);
    assert.equal(bytes("mac.txt"), "a\rb\r");
    write("feeds.txt", "one\rtwo\nthree\n");
    await call("read_file", { path: "feeds.txt" });
    assert.ok((await call("write_file", { path: "feeds.txt", content: "a\nb\n" })).ok);
    assert.equal(bytes("feeds.txt"), "a\nb\n");
  });

  test("numbers in a binary file are not UTF-16", async (context) => {
    const { write, call } = openWorkshop(context);
    write("le.bin", new Uint8Array([1, 0, 2, 0, 3, 0]));
    write("be.bin", new Uint8Array([0, 1, 0, 2]));
    write("both.bin", new Uint8Array([0x61, 0, 0, 0x62]));
    for (const path of ["le.bin", "be.bin", "both.bin"]) {
      assert.match((await call("read_file", { path })).text, /is a binary file/);
      assert.match((await call("edit_file", { path, old_string: "a", new_string: "b" })).text, /is a binary file/);
    }
  });

  test("a new file is as the model wrote it, and a file with line feeds gets what it wrote", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    await call("write_file", { path: "new.bat", content: "a\r\nb\n" });
    write("unix", "a\n");
    await call("read_file", { path: "unix" });
    await call("write_file", { path: "unix", content: "a\nb" });
    assert.equal(readFileSync(join(workspace, "new.bat"), "utf8"), "a\r\nb\n");
    assert.equal(readFileSync(join(workspace, "unix"), "utf8"), "a\nb");
  });
});

describe("an edit across line ends", () => {
  test("keeps each line's own, outside and inside of what it replaces", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const edit = async (before: string, old_string: string, new_string: string, replace_all = false) => {
      write("m.txt", before);
      const { ok, text } = await call("edit_file", { path: "m.txt", old_string, new_string, replace_all });
      assert.ok(ok, text);
      return readFileSync(join(workspace, "m.txt"), "utf8");
    };
    assert.equal(await edit("0\r\n1\n2\n3\r\n", "0\n1\n2", "0\nI\n2"), "0\r\nI\n2\n3\r\n");
    assert.equal(await edit("0\r\n1\n2\r\n", "1", "a\nb"), "0\r\na\nb\n2\r\n");
    assert.equal(await edit("0\r\n1\n2\r\n", "2", "a\nb"), "0\r\n1\na\r\nb\r\n");
    assert.equal(await edit("x\r\ny\r\nx\ny\n", "x\ny", "z", true), "z\r\nz\n");
    assert.equal(await edit("0\r\nx\nx\r\nx.\r\n1\n", "\nx", "", true), "0.\r\n1\n");
    assert.equal(await edit("0\r\nx\n1\r\n", "0\nx", "0"), "0\r\n1\r\n");
    assert.equal(await edit("0\r\n1\n2\r\n", "0", "0\nx"), "0\r\nx\n1\n2\r\n");
    assert.equal(await edit("a\nb\n", "a\r\nb", "a\r\nc"), "a\nc\n");
    assert.equal(await edit("a\r\nb", "b", "b\nc"), "a\r\nb\r\nc");
  });

  test("changes the line ends themselves when asked to", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("unix", "a\nb\n");
    await call("edit_file", { path: "unix", old_string: "\n", new_string: "\r\n", replace_all: true });
    assert.equal(readFileSync(join(workspace, "unix"), "utf8"), "a\r\nb\r\n");
  });
});
