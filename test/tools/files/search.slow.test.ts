/** glob and grep, with the real ripgrep on real files. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

for (const repository of [true, false]) {
  test(`files named in .gitignore are left out, ${repository ? "in" : "outside of"} a git repository`, async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    if (repository) mkdirSync(join(workspace, ".git"));
    if (repository) write(".git/config", "needle");
    write(".gitignore", "node_modules/\n*.log\n");
    for (const path of ["a.txt", ".github/b.txt", "node_modules/c.txt", "d.log", "sub/e.log", "sub/f.txt"]) {
      write(path, "needle");
    }
    const kept = [".github/b.txt", "a.txt", "sub/f.txt"];
    assert.equal((await call("glob", { pattern: "**/*.{txt,log}" })).text, kept.join("\n"));
    assert.equal((await call("glob", { pattern: "*", path: "sub" })).text, "sub/f.txt");
    assert.equal((await call("grep", { pattern: "needle" })).text, kept.map((path) => `${path}:1: needle`).join("\n"));
    assert.equal(
      (await call("grep", { pattern: "needle", include: "*.log" })).text,
      "No matches.\n[Left out by .gitignore or another ignore file, but with matches. Give one as path to search it anyway: d.log, sub/e.log]",
    );
    assert.equal((await call("grep", { pattern: "needle", path: "d.log" })).text, "d.log:1: needle");
    assert.equal((await call("grep", { pattern: "needle", path: "sub" })).text, "sub/f.txt:1: needle");
  });
}

test("no search takes a NUL byte, which no program can be given", async (context) => {
  const { call, write } = openWorkshop(context);
  write("a.txt", "tab\there\n\\0\n");
  for (const [name, input] of [
    ["grep", { pattern: "a\0b" }],
    ["grep", { pattern: "\0" }],
    ["grep", { pattern: "a", include: "*.t\0s" }],
    ["glob", { pattern: "a\0*" }],
  ] as const)
    await assert.rejects(call(name, input), /without a NUL byte; found one/, JSON.stringify(input));
  for (const name of ["grep", "glob"])
    assert.match((await call(name, { pattern: "a", path: "a\0.txt" })).text, /A path cannot contain a NUL byte/);
  assert.equal((await call("grep", { pattern: "b\there" })).text, "a.txt:1: tab\there");
  assert.equal((await call("grep", { pattern: "\\\\0" })).text, "a.txt:2: \\0");
});

describe("grep", () => {
  test("gives path, line and text", async (context) => {
    const { write, call } = openWorkshop(context);
    write("a:1.txt", "x\n  Needle: 3 \nneedle\r\n");
    const { ok, text } = await call("grep", { pattern: "needle", ignore_case: true });
    assert.ok(ok);
    assert.equal(text, "a:1.txt:2:   Needle: 3\na:1.txt:3: needle");
    assert.equal((await call("grep", { pattern: "needle", path: "a:1.txt" })).text, "a:1.txt:3: needle");
  });

  test("searches only names that `include` fits", async (context) => {
    const { write, call } = openWorkshop(context);
    for (const path of ["a.ts", "b.tsx", "deep/c.ts", "d.js"]) write(path, "needle");
    const found = async (include: string) => (await call("grep", { pattern: "needle", include })).text;
    assert.equal(await found("*.ts"), "a.ts:1: needle\ndeep/c.ts:1: needle");
    assert.equal(await found("**/*.{tsx,js}"), "b.tsx:1: needle\nd.js:1: needle");
    assert.equal(await found("deep/*.ts"), "deep/c.ts:1: needle");
    assert.equal(await found("*.ts,*.tsx"), "a.ts:1: needle\nb.tsx:1: needle\ndeep/c.ts:1: needle");
    assert.equal(await found("!*.{ts,tsx}"), "d.js:1: needle");
    assert.equal(await found("["), "No matches.");
  });

  test("takes a pattern for a pattern, whatever it looks like", async (context) => {
    const { write, call } = openWorkshop(context);
    write("a.txt", "--files\n-e\n$(x)\n'\"`\n");
    const found = async (pattern: string) => (await call("grep", { pattern })).text;
    assert.equal(await found("--files"), "a.txt:1: --files");
    assert.equal(await found("-e"), "a.txt:2: -e");
    assert.equal(await found("\\$\\(x"), "a.txt:3: $(x)");
    assert.equal(await found("'\"`"), "a.txt:4: '\"`");
  });

  test("quotes ripgrep's error for an invalid pattern, and reports plainly that nothing was found", async (context) => {
    const { call, write } = openWorkshop(context);
    write("a.txt", "x");
    const broken = await call("grep", { pattern: "a(" });
    assert.equal(broken.ok, false);
    assert.match(broken.text, /^regex parse error:.*unclosed group/s);
    assert.deepEqual(await call("grep", { pattern: "absent" }), { ok: true, text: "No matches." });
    assert.match((await call("grep", { pattern: "x", path: "absent" })).text, /absent does not exist/);
  });

  test("marks a cut of many lines, cuts long ones, and leaves binary files out", async (context) => {
    const { write, call } = openWorkshop(context);
    write("many.txt", "needle\n".repeat(100_000));
    const many = (await call("grep", { pattern: "needle" })).text.split("\n");
    assert.equal(many.length, 201);
    assert.match(many.at(-1) ?? "", /^\[Cut: only the first 200 lines/);
    write("many.txt", `needle ${"x ".repeat(3_000)}\nneedle ${"y".repeat(1_000_000)}\n`);
    write("binary", "\0needle\n");
    const long = (await call("grep", { pattern: "needle" })).text.split("\n");
    assert.match(long[0] ?? "", /^many\.txt:1: needle x.*\[… line cut\]$/);
    assert.ok((long[0]?.length ?? 0) <= 1_040);
    assert.match(long[1] ?? "", /^many\.txt:2: \[Omitted long matching line\]$/);
    assert.equal(long.length, 2);
  });
});

describe("glob", () => {
  test("finds files by name, at any depth or at a place, sorted", async (context) => {
    const { write, call } = openWorkshop(context);
    for (const path of ["a.ts", "src/b.ts", "src/deep/c.ts", "src/deep/c.md", "-x.ts"]) write(path, "");
    const found = async (pattern: string, path?: string) => (await call("glob", { pattern, path })).text.split("\n");
    assert.deepEqual(await found("*.ts"), ["-x.ts", "a.ts", "src/b.ts", "src/deep/c.ts"]);
    assert.deepEqual(await found("./*.ts"), ["-x.ts", "a.ts", "src/b.ts", "src/deep/c.ts"]);
    assert.deepEqual(await found("src/*.ts"), ["src/b.ts"]);
    assert.deepEqual(await found("src/**/*.{ts,md}"), ["src/b.ts", "src/deep/c.md", "src/deep/c.ts"]);
    assert.deepEqual(await found("deep/c.*", "src"), ["src/deep/c.md", "src/deep/c.ts"]);
    assert.deepEqual(await found("-?.ts"), ["-x.ts"]);
  });

  test("reports that nothing was found, marks a cut, and rejects too many alternatives", async (context) => {
    const { write, call } = openWorkshop(context);
    for (let index = 0; index < 501; index++) write(`many/${index}`, "");
    assert.deepEqual(await call("glob", { pattern: "*.rs" }), {
      ok: true,
      text: "No matches: no file under . matches *.rs.",
    });
    assert.match((await call("glob", { pattern: "*" })).text, /\n\[Cut: only the first 500 files are shown/);
    assert.match((await call("glob", { pattern: "{a,b,c,d}".repeat(10) })).text, /more than 200 alternatives/);
  });
});

test("a search ends when its child is stopped", async (context) => {
  const { call, write } = openWorkshop(context);
  write("a.txt", "x");
  const controller = new AbortController();
  const search = call("grep", { pattern: "x" }, controller.signal);
  controller.abort();
  assert.deepEqual(await search, { ok: false, text: "Stopped before it was done." });
});

describe("a search that would find nothing", () => {
  test("finds names with brackets, absolute patterns, and names in another normal form", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    for (const path of ["app/[id]/page.tsx", "app/i/page.tsx", "app/(shop)/[[...slug]]/page.tsx", "cafe\u0301.txt"]) {
      write(path, "x");
    }
    const found = async (pattern: string, path = ".") => (await call("glob", { pattern, path })).text;
    assert.equal(await found("app/[id]/page.tsx"), "app/[id]/page.tsx\napp/i/page.tsx");
    assert.equal(await found("app/(shop)/[[...slug]]/*.tsx"), "app/(shop)/[[...slug]]/page.tsx");
    assert.equal(await found(`${workspace}/app/i/*`), "app/i/page.tsx");
    assert.equal(await found(`${workspace}/app/i/*`, "app/i"), "app/i/page.tsx");
    assert.equal(await found("caf\u00e9*"), "cafe\u0301.txt");
    assert.match(await found("APP/I/*.TSX"), /^No matches.*\n\[Named so in another case: app\/i\/page\.tsx\]$/);
  });

  test("searches a workspace that the ignore rules around it leave out whole", async (context) => {
    for (const rule of ["*", "/work/*", "work/**", "**"]) {
      const { write, workspace, base } = openWorkshop(context);
      mkdirSync(join(base, ".git"));
      writeFileSync(join(base, ".gitignore"), `${rule.replace("work", "workspace")}\n`);
      write("a.txt", "needle");
      write(".gitignore", "*.log\n");
      write("b.log", "needle");
      const { call } = openWorkshop(context, { workspace });
      assert.equal((await call("glob", { pattern: "*.{txt,log}" })).text, "a.txt", rule);
      assert.equal((await call("grep", { pattern: "needle" })).text, "a.txt:1: needle", rule);
    }
  });

  test("names what ignore files and binary content keep from being found, unless a rule protects it", async (context) => {
    const rules = [{ tool: "*", match: "*denied*", then: "deny" }] as const;
    const { write, call } = openWorkshop(context, {}, { rules: [...rules], otherwise: "deny" });
    write(".ignore", "dist/\n*.gen\n");
    for (const path of ["dist/a.ts", "b.gen", "dist/denied.ts"]) write(path, "needle");
    write("c.bin", "needle\0");
    const { text } = await call("grep", { pattern: "needle" });
    assert.match(
      text,
      /^No matches\.\n.*ignore file, but with matches.*: b\.gen, dist\/a\.ts\]\n\[Binary files .*: c\.bin\]/,
    );
    assert.ok(!text.includes("denied.ts"));
    assert.match((await call("glob", { pattern: "*.gen" })).text, /Left out by .*: b\.gen\]/);
    assert.equal((await call("grep", { pattern: "needle", path: "dist" })).text.split("\n")[0], "dist/a.ts:1: needle");
    assert.match((await call("grep", { pattern: "absent" })).text, /^No matches\.(\n\[1 file is not shown.*)?$/);
  });

  test("says what to do in words of the tool where ripgrep advises its own options", async (context) => {
    const { write, call } = openWorkshop(context);
    write("f.txt", "foo\nbar\n");
    for (const [pattern, told] of [
      ["foo\\nbar", /one line at a time/],
      ["(?<=a)b", /Look-around/],
      ["(a)\\1", /backreferences/],
      ["(?!x) --foo", /Look-around/],
      ["(((a{1000}){1000}){1000}){1000}", /shorter pattern/],
    ] as const) {
      const { ok, text } = await call("grep", { pattern });
      assert.ok(!ok && told.test(text), text);
      assert.doesNotMatch(text, /--(multiline|pcre2|dfa|regex)|-U\b/);
    }
  });
});
