/** Names that could pass for other entries of a list, and searches that depend on how a text is stored. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

describe("a control character in a name", () => {
  test("is spelled out in lists, so that it adds no entry", async (context) => {
    const { write, call } = openWorkshop(context);
    for (const name of ["a\nfake.txt (9 bytes)", "b\r[3 files are not shown]", "c\u001b[2K", "d\u2028e"])
      write(name, "zz");
    const names = ["a\\nfake.txt (9 bytes)", "b\\r[3 files are not shown]", "c\\x1b[2K", "d\\u{2028}e"];
    assert.equal((await call("list_dir", {})).text, names.map((name) => `${name} (2 bytes)`).join("\n"));
    assert.equal((await call("glob", { pattern: "*" })).text, names.join("\n"));
    const found = names.slice(1).map((name) => `${name}:1: zz`);
    assert.equal(
      (await call("grep", { pattern: "zz" })).text,
      [...found, `[Not searched, because a line feed is in the path. read_file shows the file: ${names[0]}]`].join(
        "\n",
      ),
    );
    assert.match((await call("grep", { pattern: "zz", path: "a\nfake.txt (9 bytes)" })).text, /cannot be searched/);
    assert.equal((await call("read_file", { path: "a\nfake.txt (9 bytes)" })).text, "1\tzz");
  });

  test("does not make a denied file pass for another one", async (context) => {
    const rules = [{ tool: "*", match: "secrets", then: "deny" }] as const;
    const { write, call } = openWorkshop(context, {}, { rules, otherwise: "allow" });
    write("ok.txt", "nothing\n");
    write("secrets/x\n./ok.txt", "hidden\n");
    write("secrets\n./ok.txt", "hidden\n");
    for (const input of [{ pattern: "hidden" }, { pattern: "." }, { pattern: "hidden", path: "." }]) {
      const { text } = await call("grep", input);
      assert.ok(!/hidden|ok\.txt:1: h/.test(text), text);
      assert.match(text, /not shown: a permission rule denies/);
    }
  });

  test("is not seen in letters of any script and emojis, which are shown as they are", async (context) => {
    const { write, call } = openWorkshop(context);
    const names = ["caf\u00e9", "\u65e5\u672c", "\ud83d\ude00 (1)"];
    for (const name of names) write(name, "zz");
    assert.equal((await call("glob", { pattern: "*" })).text, names.join("\n"));
    assert.equal((await call("grep", { pattern: "zz" })).text, names.map((name) => `${name}:1: zz`).join("\n"));
  });

  test("that is not UTF-8 is listed without a size that nobody knows", {
    skip: process.platform !== "linux",
  }, async (context) => {
    const { call, workspace } = openWorkshop(context);
    writeFileSync(Buffer.concat([Buffer.from(join(workspace, "a")), Buffer.from([0xff])]), "zz");
    assert.equal((await call("list_dir", {})).text, "a\ufffd (its name is not UTF-8)");
  });
});

describe("grep finds a text however it is stored", () => {
  test("with line ends of any system at `$`", async (context) => {
    const { write, call } = openWorkshop(context);
    write("crlf.txt", "x\r\nxy\r\n");
    write("lf.txt", "x\nxy\n");
    const lines = (...found: string[]) => found.join("\n");
    for (const pattern of ["^x$", "x$", "\\bx$", "^x\\s*$"])
      assert.equal((await call("grep", { pattern })).text, lines("crlf.txt:1: x", "lf.txt:1: x"), pattern);
    for (const pattern of ["\\r$", "x\\x0D", "x\r"])
      assert.match((await call("grep", { pattern })).text, /^crlf\.txt:1: x(\ncrlf\.txt:2: xy)?$/, pattern);
    assert.equal((await call("grep", { pattern: "^[^y]*$" })).text, lines("crlf.txt:1: x", "lf.txt:1: x"));
  });

  test("with its accents in either Unicode normal form, and no other letters", async (context) => {
    const { write, call } = openWorkshop(context);
    write("nfc.txt", "caf\u00e9\n");
    write("nfd.txt", "cafe\u0301\n");
    write("other.txt", "cafe\n");
    for (const pattern of ["caf\u00e9", "cafe\u0301", "^caf(\u00e9)$"])
      assert.match((await call("grep", { pattern })).text, /^nfc\.txt:1: caf\u00e9\nnfd\.txt:1: cafe\u0301$/, pattern);
    assert.equal((await call("grep", { pattern: "[\u00e9]" })).text, "nfc.txt:1: caf\u00e9");
    assert.match((await call("grep", { pattern: "cafe$" })).text, /^other\.txt:1: cafe$/);
  });
});
