/** An edit that misses says what differs and where; a long line can be read on. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

describe("an edit that misses", () => {
  const misses: [name: string, file: string, old: string, told: RegExp][] = [
    [
      "curly quotes",
      "a\nplease don’t\n",
      "don't",
      /^.*Line 2 differs .*quotes.*’ \(U\+2019\).*' \(U\+0027\).*\n2\tplease don’t$/s,
    ],
    ["a dash", "1 – 2\n", "1 - 2", /dashes.*– \(U\+2013\)/s],
    ["a no-break blank", "a\u00a0b\n", "a b", /blanks.*U\+00A0/s],
    ["trailing blanks", "hello   \nworld\n", "hello\nworld", /lines 1 to 2 .*trailing blanks/],
    ["indentation", "f {\n    x;\n}\n", "f {\n  x;\n}", /lines 1 to 3 .*indentation.*\n2\t {4}x;/s],
    ["tabs", "a\n\tb;\nc\n", "a\n    b;\nc", /indentation/],
    ["line numbers", "alpha\nbeta\n", "1\talpha\n2\tbeta", /line numbers.*line 1/],
    ["entities", "x\nif (a && b) {}\n", "if (a &amp;&amp; b)", /&amp;.*line 2/],
    ["escapes", 'say("a")\n', 'say(\\"a\\")', /backslash.*line 1/],
    ["case", "const MAX = 1;\n", "const max = 1;", /case/],
    ["a normal form", "cafe\u0301\n", "caf\u00e9", /Line 1 differs/],
    [
      "one wrong line",
      "a1 = 1\nb2 = 2\nc3 = 3\n",
      "a1 = 1\nb2 = 9\nc3 = 3",
      /nearest passage is:\n1\ta1 = 1\n2\tb2 = 2\n3\tc3 = 3$/,
    ],
    ["a wrong word", "one\nfunction total(items)\n", "function sum(items)", /nearest passage is:\n2\tfunction total/],
    ["nothing like it", "one\ntwo\n", "completely different", /No passage resembles it/],
  ];
  for (const [name, file, old_string, told] of misses) {
    test(`tells of ${name}`, async (context) => {
      const { write, call } = openWorkshop(context);
      write("f.txt", file);
      const { ok, text } = await call("edit_file", { path: "f.txt", old_string, new_string: "X" });
      assert.ok(!ok && text.startsWith("old_string does not occur in f.txt."), text);
      assert.match(text, told);
    });
  }

  test("takes bounded time and space for its answer", async (context) => {
    const { write, call } = openWorkshop(context);
    write("big.txt", "some words of a line\n".repeat(90_000));
    write("wide.txt", "ab".repeat(900_000));
    for (const path of ["big.txt", "wide.txt"]) {
      const startedAt = performance.now();
      const old_string = "some words of another line\n".repeat(500);
      const { text } = await call("edit_file", { path, old_string, new_string: "X" });
      assert.ok(text.length < 3_000, String(text.length));
      assert.ok(performance.now() - startedAt < 10_000);
    }
  });
});

describe("a long line", () => {
  async function readThrough(context: Parameters<typeof openWorkshop>[0], content: string) {
    const { write, call } = openWorkshop(context);
    write("f", content);
    const pieces: string[] = [];
    for (let column: number | undefined = 1; column !== undefined; ) {
      const { text } = await call("read_file", { path: "f", offset: 2, limit: 1, column });
      pieces.push(
        text
          .replace(/^2\t/, "")
          .replace(/(\[one word.*\])?\[… .*$/s, "")
          .replace(/\n\[Cut .*$/s, ""),
      );
      const next = Number(/Read on with offset 2 and column (\d+)/.exec(text)?.[1]);
      assert.ok(Number.isNaN(next) || next > column, text);
      column = Number.isNaN(next) ? undefined : next;
      assert.ok(pieces.length < 1_000);
    }
    return pieces;
  }

  test("is read to its end, and nothing twice", async (context) => {
    const line = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `é😀${id}` })));
    assert.equal((await readThrough(context, `first\n${line}\nlast\n`)).join(""), line);
  });

  test("shows no part of a word: one that is too long is left out, and what follows is shown", async (context) => {
    const pieces = await readThrough(context, `first\n${"x".repeat(3_000)} end of ${"y".repeat(2_500)} it`);
    assert.equal(pieces.join(""), " end of  it");
  });

  test("says that a column is within a word, whose rest is left out", async (context) => {
    const { write, call } = openWorkshop(context);
    write("f", `${"x".repeat(3_000)}\n${"y".repeat(2_500)} end\n`);
    const read = async (offset: number, column: number) =>
      (await call("read_file", { path: "f", offset, limit: 1, column })).text.split("\n")[0];
    assert.equal(await read(1, 2_990), "1\t[the rest of a word, 11 characters, is left out]");
    assert.equal(await read(2, 2_400), "2\t[the rest of a word, 101 characters, is left out] end");
    assert.equal(await read(2, 2_501), "2\t end");
    assert.equal(await read(2, 2_502), "2\tend");
  });

  test("says that a column is past its end", async (context) => {
    const { write, call } = openWorkshop(context);
    write("f", "abc\n");
    assert.match(
      (await call("read_file", { path: "f", column: 9 })).text,
      /has 3 characters; column 9 is past its end/,
    );
  });
});

describe("several edits in one call", () => {
  const FILE = "one\ntwo\nthree\n";
  const edits = (...pairs: [old_string: string, new_string: string][]) =>
    pairs.map(([old_string, new_string]) => ({ old_string, new_string }));

  test("are made in order, each in the result of the one before", async (context) => {
    const { write, call } = openWorkshop(context);
    write("f.txt", FILE);
    const wanted = edits(["one", "1"], ["1\ntwo", "12"], ["three", ""]);
    const { ok, text } = await call("edit_file", { path: "f.txt", old_string: "", new_string: "", edits: wanted });
    assert.deepEqual([ok, text], [true, "Replaced 3 occurrences in f.txt."]);
    assert.equal((await call("read_file", { path: "f.txt" })).text, "1\t12\n2\t");
  });

  test("are all made or none, and the one that misses is named", async (context) => {
    const { write, call } = openWorkshop(context);
    write("f.txt", FILE);
    for (const [wanted, told] of [
      [edits(["one", "1"], ["tow", "2"]), /^Edit 2 of 2, nothing was changed: old_string does not occur in f\.txt\./],
      [edits(["three", "3"], ["three", "4"], ["one", "1"]), /^Edit 2 of 3, nothing was changed: /],
      [edits(["t", "T"], ["one", "1"]), /^Edit 1 of 2, nothing was changed: old_string occurs 2 times/],
    ] as const) {
      const { ok, text } = await call("edit_file", { path: "f.txt", edits: wanted });
      assert.ok(!ok);
      assert.match(text, told);
      assert.equal((await call("read_file", { path: "f.txt" })).text, "1\tone\n2\ttwo\n3\tthree");
    }
  });

  test("come instead of a single one", async (context) => {
    const { call } = openWorkshop(context);
    for (const input of [
      { old_string: "a", new_string: "b", edits: edits(["a", "b"]) },
      { old_string: "a" },
      { new_string: "a" },
      { old_string: "", new_string: "a" },
      { edits: [] },
      {},
    ])
      await assert.rejects(call("edit_file", { path: "f.txt", ...input }), JSON.stringify(input));
  });
});
