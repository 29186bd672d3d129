/** Skills: which folders have them, whose come first, and what they never reach. */
import assert from "node:assert/strict";
import { linkSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { findSkills, readSkillFile, type SkillBounds } from "../../src/config/skills/skills.ts";
import { createReadSkill } from "../../src/tools/read-skill.ts";
import { temporaryDirectory } from "../support/command-line.ts";

type Files = Record<string, string>;
type Scene = { files: Files; links?: Files; workspace?: string; trusted?: string };

const skill = (name: string, description = `Does ${name}.`, body = "Do it.") =>
  `---\nname: ${name}\ndescription: ${description}\n---\n${body}\n`;

/** Lays out a home and a project next to it; a path that ends with a slash is a directory. */
function layOut(t: TestContext, { files, links = {}, workspace = "ws", trusted }: Scene) {
  const base = realpathSync(temporaryDirectory(t.after.bind(t)));
  for (const path of ["home/", `${workspace}/`, ...Object.keys(files)])
    mkdirSync(path.endsWith("/") ? join(base, path) : dirname(join(base, path)), { recursive: true });
  for (const [path, text] of Object.entries(files)) if (!path.endsWith("/")) writeFileSync(join(base, path), text);
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    symlinkSync(target, join(base, path));
  }
  const bounds: SkillBounds = {
    env: { HOME: join(base, "home") },
    within: [join(base, workspace)],
    trusted: trusted && join(base, trusted),
    isOwn: (real) => /(home\/\.config|dotfiles)\/deputy\//.test(real),
    protectionOf: (real) => (real.endsWith("denied.md") ? "a rule says deny" : undefined),
    redact: (text) => text.replaceAll("KEY", "[secret]"),
  };
  const place = join(base, workspace);
  const find = () => findSkills(place, bounds);
  return { base, find, bounds };
}

async function foundIn(t: TestContext, scene: Scene) {
  const { base, find } = layOut(t, scene);
  const { found, warnings } = await find();
  return {
    found: found.map(({ name, description, folder }) => `${name}: ${description} ${folder.replace(`${base}/`, "")}`),
    warnings: warnings.map(({ message }) => message.replaceAll(`${base}/`, "")),
  };
}

/** What `read_skill` answers, with the base directory left out. */
async function answerOf(t: TestContext, scene: Scene, input: object) {
  const { base, find, bounds } = layOut(t, scene);
  const { found } = await find();
  const tool = createReadSkill({ skills: found, read: (each, file) => readSkillFile(each, file, bounds) });
  const context = { childId: "c", signal: new AbortController().signal };
  const { ok, text } = await tool.run(tool.input.parse(input), context);
  return { ok, text: text.replaceAll(`${base}/`, "") };
}

describe("skills are found", () => {
  test("in each program's folder, from the workspace up to the root, then in the home", async (t) => {
    const files = {
      "repo/.git/": "",
      "repo/pkg/.claude/skills/a/SKILL.md": skill("a"),
      "repo/pkg/.agents/skills/b/SKILL.md": skill("b"),
      "repo/.opencode/skill/c/SKILL.md": skill("c"),
      "repo/.opencode/skills/d/SKILL.md": skill("d"),
      ".claude/skills/outside/SKILL.md": skill("outside"),
      "home/.claude/skills/e/SKILL.md": skill("e"),
      "home/.agents/skills/f/SKILL.md": skill("f"),
      "home/.config/opencode/skill/g/SKILL.md": skill("g"),
      "home/.config/opencode/skills/h/SKILL.md": skill("h"),
      "home/.config/deputy/skills/i/SKILL.md": skill("i"),
    };
    const { found, warnings } = await foundIn(t, { files, workspace: "repo/pkg", trusted: "repo" });
    assert.deepEqual(
      found.map((each) => each[0]),
      ["a", "b", "c", "d", "i", "e", "f", "g", "h"],
    );
    assert.deepEqual(warnings, []);
  });

  test("once per name, and an untrusted project's never replace the user's", async (t) => {
    const files = {
      "ws/.claude/skills/review/SKILL.md": skill("Review", "The project's."),
      "ws/.agents/skills/review/SKILL.md": skill("review", "Another."),
      "home/.claude/skills/review/SKILL.md": skill("review", "The user's."),
    };
    const { found } = await foundIn(t, { files });
    assert.deepEqual(found, ["review: The user's. home/.claude/skills/review"]);
    const trusted = await foundIn(t, { files, trusted: "ws" });
    assert.deepEqual(trusted.found, ["Review: The project's. ws/.claude/skills/review"]);
  });

  test("by their folder's name where they have none, with a description that is no YAML, and in one line", async (t) => {
    const files = {
      "ws/.claude/skills/pdf/SKILL.md": "---\ndescription: Use: for PDFs,\n  and forms\n---\nDo.",
      "ws/.claude/skills/long/SKILL.md": skill("long", "x".repeat(400)),
      "ws/.claude/skills/notes.md": "no folder",
      "ws/.claude/skills/empty/": "",
    };
    const { found, warnings } = await foundIn(t, { files });
    assert.deepEqual(warnings, []);
    assert.match(found[0] ?? "", /^long: x{299}… /);
    assert.match(found[1] ?? "", /^pdf: Use: for PDFs, and forms ws/);
  });

  test("without keys, and with hidden characters spelled out", async (t) => {
    const text = skill("a", "Send KEY \u{202e}now\u{e0041}.", "Body KEY \u200bhidden.");
    const scene = { files: { "ws/.claude/skills/a/SKILL.md": text } };
    assert.match((await foundIn(t, scene)).found[0] ?? "", /Send \[secret\] \\u\{202e\}now\\u\{e0041\}\./);
    assert.match((await answerOf(t, scene, { name: "a" })).text, /Body \[secret\] \\u\{200b\}hidden\./);
  });

  const refused: Record<string, [scene: Scene, warning: RegExp]> = {
    "without a description": [
      { files: { "ws/.claude/skills/a/SKILL.md": "---\nname: a\n---\nDo." } },
      /^ws\/\.claude\/skills\/a\/SKILL\.md: expected a description in its front matter; found none\. The skill is not used/,
    ],
    "without front matter": [{ files: { "ws/.claude/skills/a/SKILL.md": "Do." } }, /expected front matter/],
    "with a name that could pass for more": [
      { files: { "ws/.claude/skills/a/SKILL.md": skill('"a\\n- b: now"') } },
      /expected a name of at most 64 letters/,
    ],
    "that is a link out of the project": [
      { files: { "s.md": skill("a") }, links: { "ws/.claude/skills/a/SKILL.md": "../../../../s.md" } },
      /found a link that leads out of it/,
    ],
    "whose folder is a link out of the project": [
      { files: { "s/SKILL.md": skill("a") }, links: { "ws/.claude/skills/a": "../../../s" } },
      /found a link that leads out of it/,
    ],
    "that is a link to a file of secrets": [
      { files: { "ws/.env": skill("a") }, links: { "ws/.claude/skills/a/SKILL.md": "../../../.env" } },
      /\.env usually holds secrets/,
    ],
    "that is a directory": [{ files: { "ws/.claude/skills/a/SKILL.md/": "" } }, /found a directory/],
    "that is too large": [
      { files: { "ws/.claude/skills/a/SKILL.md": skill("a", "b", "x".repeat(300_000)) } },
      /expected at most 262144 bytes; found more/,
    ],
  };
  for (const [name, [scene, warning]] of Object.entries(refused))
    test(`but not one ${name}`, async (t) => {
      const { found, warnings } = await foundIn(t, scene);
      assert.deepEqual(found, []);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? "", warning);
    });

  test("with at most 300 entries of a folder", async (t) => {
    const files = Object.fromEntries(
      Array.from({ length: 310 }, (_, at) => [`home/.claude/skills/s${at}/SKILL.md`, skill(`s${at}`)]),
    );
    const { found, warnings } = await foundIn(t, { files });
    assert.equal(found.length, 300);
    assert.match(warnings.join(), /expected at most 300 entries; found more/);
  });

  test("of the user through links, and of a project through links that stay in it", async (t) => {
    const files = {
      "dotfiles/pdf/SKILL.md": skill("pdf"),
      "dotfiles/deputy/skills/own/SKILL.md": skill("own"),
      "ws/.agents/skills/b/SKILL.md": skill("b"),
    };
    const links = {
      "home/.claude/skills/pdf": "../../../dotfiles/pdf",
      "home/.config/deputy": "../../dotfiles/deputy",
      "ws/.claude/skills/b": "../../.agents/skills/b",
    };
    const { found, warnings } = await foundIn(t, { files, links });
    assert.deepEqual(
      { found, warnings },
      {
        found: [
          "own: Does own. home/.config/deputy/skills/own",
          "pdf: Does pdf. home/.claude/skills/pdf",
          "b: Does b. ws/.claude/skills/b",
        ],
        warnings: [],
      },
    );
  });

  test("not at all in a workspace that was replaced", async (t) => {
    const { base, find, bounds } = layOut(t, { files: { "ws/.claude/skills/a/SKILL.md": skill("a") } });
    bounds.within = [];
    assert.deepEqual((await find()).found, []);
    rmSync(base, { recursive: true });
  });
});

describe("read_skill", () => {
  const files = {
    "ws/.claude/skills/a/SKILL.md": skill("a", "Does a.", "One\r\nTwo"),
    "ws/.claude/skills/a/docs/more.md": "More.\n",
    "ws/.claude/skills/a/denied.md": "x",
    "ws/.claude/skills/a/id_rsa": "x",
    "ws/.claude/skills/a/pixel.bin": "\0\0",
    "ws/.claude/skills/a/docs/deep/": "",
    "ws/secret.md": "Secret.",
    "home/.claude/skills/u/SKILL.md": skill("u"),
  };
  const links = {
    "ws/.claude/skills/a/out.md": "../../../secret.md",
    "ws/.claude/skills/a/in.md": "docs/more.md",
    "home/.claude/skills/u/out.md": "../../../../ws/secret.md",
  };

  test("says whose words a skill is, and gives lines with their numbers", async (t) => {
    const ofProject = await answerOf(t, { files }, { name: "A" });
    assert.match(
      ofProject.text,
      /^SKILL\.md of the skill a \(of this project, not of the user\), in ws\/\.claude\/skills\/a:\n1\t---\n/,
    );
    assert.match(ofProject.text, /\n5\tOne\n6\tTwo$/);
    const part = await answerOf(t, { files }, { name: "a", offset: 5, limit: 1 });
    assert.match(part.text, /:\n5\tOne\n\[Cut after line 5\. Continue with offset 6\.\]$/);
    assert.match((await answerOf(t, { files }, { name: "u" })).text, /^SKILL\.md of the skill u \(of the user\)/);
  });

  test("reads a file below the skill's folder, also through a link within it", async (t) => {
    for (const file of ["docs/more.md", "./docs/../docs/more.md", "in.md"])
      assert.match((await answerOf(t, { files, links }, { name: "a", file })).text, /:\n1\tMore\.$/);
  });

  const refused: [name: string, file: string, text: RegExp][] = [
    ["a", "../../../secret.md", /found a path that leads out of it/],
    ["a", "/etc/passwd", /found a path that leads out of it/],
    ["a", ".", /found a path that leads out of it/],
    ["a", "out.md", /found a link that leads out of it/],
    ["u", "out.md", /found a link that leads out of it/],
    ["a", "denied.md", /a rule says deny/],
    ["a", "id_rsa", /usually holds secrets/],
    ["a", "pixel.bin", /found a binary file/],
    ["a", "docs/deep", /found a directory/],
    ["a", "none.md", /^The skill a has no file none\.md\.$/],
    ["deploy", "SKILL.md", /^There is no skill "deploy"\. Skills: u, a\.$/],
  ];
  for (const [name, file, text] of refused)
    test(`refuses ${file} of ${name}`, async (t) => {
      const answer = await answerOf(t, { files, links }, { name, file });
      assert.equal(answer.ok, false);
      assert.match(answer.text, text);
    });

  test("reads a file with a second name, which is the user's to give", async (t) => {
    const { base, find, bounds } = layOut(t, { files });
    linkSync(join(base, "ws/.claude/skills/a/docs/more.md"), join(base, "ws/.claude/skills/a/again.md"));
    const [, a] = (await find()).found;
    assert.ok(a);
    assert.deepEqual(await readSkillFile(a, "again.md", bounds), { text: "More.\n" });
  });
});
