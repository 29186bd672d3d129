/** Project notes: which files they are, what they import, and what they never reach. */
import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { importsIn } from "../../src/child/note-imports.ts";
import { projectNotes } from "../../src/child/notes.ts";
import { temporaryDirectory } from "../support/command-line.ts";

type Files = Record<string, string>;

/** Reads the notes of a workspace among these files; `.git/` makes a directory a repository. */
async function notesOf(t: TestContext, files: Files, workspace = "ws", links: Files = {}) {
  const base = realpathSync(temporaryDirectory(t.after.bind(t)));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(path.endsWith("/") ? join(base, path) : dirname(join(base, path)), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(join(base, path), text);
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(base, path));
  const place = join(base, workspace);
  const { text, warnings } = await projectNotes(place, {
    within: [place],
    redact: (text) => text.replaceAll("KEY", "[secret]"),
  });
  return { text, warnings: warnings.map(({ message }) => message.replaceAll(base, "")) };
}

describe("the notes of a workspace", () => {
  const cases: Record<string, [files: Files, text: string | undefined]> = {
    "AGENTS.md": [{ "ws/AGENTS.md": "Use tabs.\n", "ws/CLAUDE.md": "Other." }, "Use tabs.\n"],
    "CLAUDE.md without an AGENTS.md": [{ "ws/CLAUDE.md": "Use tabs." }, "Use tabs."],
    "CLAUDE.md where AGENTS.md is empty": [{ "ws/AGENTS.md": "", "ws/CLAUDE.md": "Use tabs." }, "Use tabs."],
    "CLAUDE.md where AGENTS.md is blank": [
      { "ws/AGENTS.md": "\u{feff} \r\n\t\n", "ws/CLAUDE.md": "Use tabs." },
      "Use tabs.",
    ],
    "CLAUDE.md where AGENTS.md is a comment": [
      { "ws/AGENTS.md": "<!-- later -->\n<!--\nmore\n-->\n", "ws/CLAUDE.md": "Use tabs." },
      "Use tabs.",
    ],
    "nothing where both are empty": [{ "ws/AGENTS.md": "\n", "ws/CLAUDE.md": "\n" }, undefined],
    "AGENTS.md with text next to a comment": [
      { "ws/AGENTS.md": "<!-- x -->Use tabs.", "ws/CLAUDE.md": "Other." },
      "<!-- x -->Use tabs.",
    ],
  };
  for (const [name, [files, text]] of Object.entries(cases))
    test(`are ${name}`, async (t) => assert.deepEqual(await notesOf(t, files), { text, warnings: [] }));

  test("are without keys, with a warning", async (t) => {
    const { text, warnings } = await notesOf(t, { "ws/AGENTS.md": "Key: KEY" });
    assert.equal(text, "Key: [secret]");
    assert.match(warnings.join(), /AGENTS\.md contains a known API key/);
  });
});

describe("the notes of a repository", () => {
  test("come from its root down to the workspace, and from no further up", async (t) => {
    const files = {
      "AGENTS.md": "Outside.",
      "repo/.git/": "",
      "repo/AGENTS.md": "Root.",
      "repo/packages/CLAUDE.md": "Packages.",
      "repo/packages/a/AGENTS.md": "A.",
      "repo/packages/b/AGENTS.md": "B.",
    };
    assert.deepEqual(await notesOf(t, files, "repo/packages/a"), {
      text: "From ../../AGENTS.md:\n\nRoot.\n\nFrom ../CLAUDE.md:\n\nPackages.\n\nFrom AGENTS.md:\n\nA.",
      warnings: [],
    });
  });

  test("are found if only the root has any, in a worktree, and through a link to the workspace", async (t) => {
    const files = { "repo/.git": "gitdir: elsewhere", "repo/AGENTS.md": "Root.", "repo/pkg/": "" };
    assert.equal((await notesOf(t, files, "repo/pkg")).text, "Root.");
    assert.equal((await notesOf(t, files, "link", { link: "repo/pkg" })).text, "Root.");
  });

  test("are those of the innermost one, and without one those of the workspace alone", async (t) => {
    const files = {
      "repo/.git/": "",
      "repo/AGENTS.md": "Outer.",
      "repo/sub/.git/": "",
      "repo/sub/AGENTS.md": "Inner.",
    };
    assert.equal((await notesOf(t, files, "repo/sub")).text, "Inner.");
    assert.equal((await notesOf(t, { "AGENTS.md": "Outside.", "ws/a/": "" }, "ws/a")).text, undefined);
  });

  test("that are too long lose the text of the root first", async (t) => {
    const files = { "repo/.git/": "", "repo/AGENTS.md": "r".repeat(39_000), "repo/pkg/AGENTS.md": "p".repeat(30_000) };
    const { text = "" } = await notesOf(t, files, "repo/pkg");
    assert.match(
      text,
      /^From \.\.\/AGENTS\.md:\n\nr{10000}\n\[truncated: these are the first 10000 characters of AGENTS\.md\]/,
    );
    assert.match(text, /\n\np{30000}$/);
  });

  test("may not import what lies above their own directory, nor be links that lead there", async (t) => {
    const files = { "repo/.git/": "", "repo/private.md": "Private.", "repo/pkg/AGENTS.md": "See @../private.md" };
    const { text, warnings } = await notesOf(t, files, "repo/pkg");
    assert.equal(text, "See @../private.md");
    assert.match(
      warnings.join(),
      /AGENTS\.md: @\.\.\/private\.md: expected a file in \/repo\/pkg; found a path that leads out/,
    );
    const linked = await notesOf(t, { "repo/.git/": "", "secret.md": "Secret." }, "repo", {
      "repo/CLAUDE.md": "../secret.md",
    });
    assert.match(linked.warnings.join(), /expected a file in \/repo; found a link that leads out of it/);
  });
});

describe("an import", () => {
  test("adds the files that it names, relative to the file, each once", async (t) => {
    const { text, warnings } = await notesOf(t, {
      "ws/CLAUDE.md": "@docs/rules.md\nAlso @docs/style.md, and (@README).",
      "ws/docs/rules.md": "Rules. @style.md @../CLAUDE.md",
      "ws/docs/style.md": "Style.",
      "ws/README": "Readme.",
    });
    const from = (name: string, body: string) => `From ${name}:\n\n${body}`;
    const expected = [
      from("CLAUDE.md", "@docs/rules.md\nAlso @docs/style.md, and (@README)."),
      from("docs/rules.md", "Rules. @style.md @../CLAUDE.md"),
      from("docs/style.md", "Style."),
      from("README", "Readme."),
    ];
    assert.deepEqual({ text, warnings }, { text: expected.join("\n\n"), warnings: [] });
  });

  const refused: Record<string, [files: Files, links: Files, warning: RegExp]> = {
    "an absolute path": [
      { "ws/AGENTS.md": "@/etc/hostname" },
      {},
      /@\/etc\/hostname: expected a path relative to this file/,
    ],
    "a path in the home": [{ "ws/AGENTS.md": "@~/.ssh/config" }, {}, /@~\/\.ssh\/config: expected a path relative/],
    "a path out of the workspace": [
      { "ws/AGENTS.md": "@docs/../../x.md", "x.md": "X." },
      {},
      /found a path that leads out of it/,
    ],
    "a link out of the workspace": [
      { "ws/AGENTS.md": "@x.md", "x.md": "X." },
      { "ws/x.md": "../x.md" },
      /found a link that leads out/,
    ],
    "a file of secrets": [
      { "ws/AGENTS.md": "@.env", "ws/.env": "A=secret" },
      {},
      /found that .* usually holds secrets/,
    ],
    "a link to a file of secrets": [
      { "ws/AGENTS.md": "@a.md", "ws/id_rsa": "secret" },
      { "ws/a.md": "id_rsa" },
      /found that .* usually holds secrets/,
    ],
    "a directory": [{ "ws/AGENTS.md": "@docs/", "ws/docs/": "" }, {}, /found a directory/],
    "a document that is missing": [
      { "ws/AGENTS.md": "@docs/none.md" },
      {},
      /expected a file at @docs\/none\.md; found none/,
    ],
  };
  for (const [name, [files, links, warning]] of Object.entries(refused))
    test(`of ${name} is refused with a warning`, async (t) => {
      const { text, warnings } = await notesOf(t, files, "ws", links);
      assert.equal(text, files["ws/AGENTS.md"]);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", warning);
    });

  test("ends after five levels and a hundred files", async (t) => {
    const chain = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`ws/${at}.md`, `Level ${at}. @${at + 1}.md`]),
    );
    const deep = await notesOf(t, { "ws/AGENTS.md": "@0.md", ...chain });
    assert.match(deep.text ?? "", /Level 4\./);
    assert.doesNotMatch(deep.text ?? "", /Level 5\./);
    assert.match(deep.warnings.join(), /expected at most 5 levels of imports/);
    const many = Array.from({ length: 300 }, (_, at) => `@m${at}.md`).join(" ");
    const wide = await notesOf(t, { "ws/AGENTS.md": many, "ws/m1.md": "One." });
    assert.match(wide.warnings.at(-1) ?? "", /at most 100 imports; found more/);
  });

  test("is a name after @ in the text, not an address, a mention of nothing, or code", () => {
    const text = `@a.md, see @b/c.md. (@d) *@e.md* mail x@f.md \`@g.md\` \`\`x \` @h.md\`\`
@with\\ blank.md <!-- @i.md
--> @a.md

\`\`\`
@j.md
\`\`\`
~~~md
\`\`\`
@k.md
~~~
an open \` backtick

@l.md \` @m.md
\`\`\`
@n.md`;
    assert.deepEqual(importsIn(text), ["a.md", "b/c.md", "d", "e.md", "with blank.md", "l.md", "m.md"]);
  });

  test("of somebody, a package or a decorator that is no file causes no warning", async (t) => {
    const text = "Ask @alice about @types/node and @Override.";
    assert.deepEqual(await notesOf(t, { "ws/AGENTS.md": text }), { text, warnings: [] });
  });

  test("is found in linear time", () => {
    for (const piece of ["<!--", "`", "` ``", "@", "@a ", "```\n", "\\ ", "@.,"]) importsIn(piece.repeat(256 * 1024));
    importsIn(`@${".".repeat(256 * 1024)}x`);
  });
});
