/** Agent definitions of other tools: found in their folders, mapped to Deputy's settings. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import type { AgentDefinition } from "../../src/agent-definition.ts";
import { type AgentFormat, readAgentFile } from "../../src/config/agents/agent-file.ts";
import { loadConfig } from "../../src/config/load.ts";
import { stateDir, trustConfig } from "../../src/config/trust.ts";

function read(format: AgentFormat, text: string) {
  const found = readAgentFile("x.md", text, format, "x");
  assert.ok("agent" in found, JSON.stringify(found));
  return found.agent;
}

function matter(lines: string, body = "Do it well."): string {
  return `---\n${lines}\n---\n\n${body}\n`;
}

const WEB = ["web_fetch", "web_search"];
const ALL = [
  "read_file",
  "list_dir",
  "write_file",
  "edit_file",
  "glob",
  "grep",
  "terminal",
  ...WEB,
  "todo",
  "read_skill",
];

describe("a file of Claude Code", () => {
  test("names, describes, routes and limits its agent", () => {
    const agent = read(
      "claude",
      matter("name: code-reviewer\ndescription: Reviews code\nmodel: sonnet\neffort: high\nmaxTurns: 7\ncolor: red"),
    );
    assert.deepEqual(agent, {
      name: "code-reviewer",
      description: "Reviews code",
      model: "sonnet",
      reasoning_effort: "high",
      max_iterations: 7,
      prompt: "Do it well.",
      notes: ["without effect here: color"],
    });
  });

  const TOOLS: [lines: string, tools: string[] | undefined, note?: RegExp][] = [
    ["name: a", undefined],
    ["name: a\ntools: '*'", undefined],
    ["name: a\ntools: Read, Grep, Glob", ["read_file", "list_dir", "glob", "grep"]],
    ["name: a\ntools: [Read, Edit]", ["read_file", "list_dir", "edit_file"]],
    ["name: a\ntools: []", []],
    [
      "name: a\ntools: Bash(git diff, git log), Grep",
      ["grep"],
      /without a counterpart here: Bash\(git diff, git log\)/,
    ],
    ["name: a\ntools: WebFetch, mcp__docs__find", ["web_fetch", "mcp__docs__find"]],
    ["name: a\ntools: Read mcp__docs mcp__web__*", ["read_file", "list_dir", "mcp__docs__*", "mcp__web__*"]],
    ["name: a\ntools: mcp__docs__find, mcp__docs__get\ndisallowedTools: mcp__docs__find", []],
    ["name: a\ntools: mcp__docs__find, mcp__web\ndisallowedTools: mcp__docs", ["mcp__web__*"]],
    ["name: a\ntools: mcp__docs__find\ndisallowedTools: mcp__*", []],
    ["name: a\ntools: mcp____find, mcp__, mcp_docs", [], /without a counterpart here: mcp____find, mcp__, mcp_docs/],
    [
      "name: a\ndisallowedTools: Write, Edit, Bash(rm *)",
      ["read_file", "list_dir", "glob", "grep", ...WEB, "todo", "read_skill"],
    ],
    ["name: a\ntools: Grep, Skill", ["grep", "read_skill"]],
    ["name: a\ntools: Grep, TodoWrite", ["grep", "todo"]],
    ["name: a\ndisallowedTools: TodoWrite", ALL.filter((name) => name !== "todo")],
    ["name: a\ntools: Read, Write\ndisallowedTools: Write", ["read_file", "list_dir"]],
  ];
  for (const [lines, tools, note] of TOOLS)
    test(`its tools can only be reduced: ${lines.split("\n").slice(1).join("; ") || "none named"}`, () => {
      const agent = read("claude", matter(lines));
      assert.deepEqual(agent.tools, tools);
      if (note) assert.match(agent.notes.join("\n"), note);
    });

  test("a description that is not YAML is used as written", () => {
    const description = 'Use it like so: <example>user: "x"</example>';
    assert.equal(read("claude", matter(`name: a\ndescription: ${description}`)).description, description);
  });

  test("an error is reported with the file and, if known, the line", () => {
    const mistakes = (text: string) => {
      const found = readAgentFile("x.md", text, "claude", "x");
      return "errors" in found ? found.errors.join() : "";
    };
    assert.match(mistakes("Just words."), /^x\.md: expected front matter/);
    assert.match(mistakes("---\nname: a\nBody"), /^x\.md: expected front matter/);
    assert.match(mistakes(matter("name: a", "")), /^x\.md: expected a prompt/);
    assert.match(mistakes(matter("name: [a\ntools: {")), /^x\.md:\d+:\d+ /);
    assert.match(mistakes(matter("- a list")), /^x\.md:1:1 expected keys and values/);
  });
});

describe("a file of opencode", () => {
  test("is named by its place, and its model's first part is the provider", () => {
    const agent = read(
      "opencode",
      matter(
        "description: Reviews\nmode: subagent\nmodel: openrouter/z-ai/glm-5\nreasoningEffort: low\nsteps: 3\ntemperature: 0.1",
      ),
    );
    assert.deepEqual(agent, {
      name: "x",
      description: "Reviews",
      model: "z-ai/glm-5",
      provider: "openrouter",
      reasoning_effort: "low",
      max_iterations: 3,
      prompt: "Do it well.",
      notes: ["without effect here: temperature"],
    });
    assert.equal(read("opencode", matter("model: glm-5")).provider, undefined);
  });

  const TOOLS: [lines: string, tools: string[] | undefined, note?: RegExp][] = [
    ["mode: all", undefined],
    [
      "tools: { write: false, edit: false }",
      ["read_file", "list_dir", "glob", "grep", "terminal", ...WEB, "todo", "read_skill"],
    ],
    ["tools: { edit: false }", ["read_file", "list_dir", "glob", "grep", "terminal", ...WEB, "todo", "read_skill"]],
    ["tools: { '*': false, grep: true }", ["grep"]],
    [
      "tools: { bash: false, webfetch: true, todoread: true }",
      ALL.filter((name) => name !== "terminal"),
      /without a counterpart here: todoread/,
    ],
    ["permission: { edit: deny }", ["read_file", "list_dir", "glob", "grep", "terminal", ...WEB, "todo", "read_skill"]],
    [
      "permission: { edit: ask }",
      ["read_file", "list_dir", "glob", "grep", "terminal", ...WEB, "todo", "read_skill"],
      /edit: ask removes it/,
    ],
    ["permission: { bash: ask }", ALL],
    ["tools: { todowrite: false }", ALL.filter((name) => name !== "todo")],
    ["tools: { '*': false, todowrite: true }", ["todo"]],
    ["permission: { webfetch: ask }", ALL.filter((name) => name !== "web_fetch"), /webfetch: ask removes it/],
    ["permission: { webfetch: deny, websearch: deny }", ALL.filter((name) => !WEB.includes(name))],
    ["permission: { bash: { '*': ask, 'git diff': allow } }", ALL],
    ["permission: { bash: { 'rm *': deny, '*': allow } }", ALL.filter((name) => name !== "terminal")],
    ["permission: { skill: deny }", ALL.filter((name) => name !== "read_skill")],
    ["permission: deny", []],
  ];
  for (const [lines, tools, note] of TOOLS)
    test(`its tools are only ever taken away: ${lines}`, () => {
      const agent = read("opencode", matter(lines));
      assert.deepEqual(agent.tools, tools);
      if (note) assert.match(agent.notes.join("\n"), note);
    });

  test("a disabled one is ignored", () => {
    assert.deepEqual(readAgentFile("x.md", matter("disable: true"), "opencode", "x"), { disabled: true });
  });

  test("a prompt in its front matter counts where the body is empty; a file it names is not read", () => {
    assert.equal(read("opencode", matter("prompt: Be kind.", "")).prompt, "Be kind.");
    assert.ok("errors" in readAgentFile("x.md", matter("prompt: '{file:/etc/passwd}'", ""), "opencode", "x"));
  });
});

test("whatever a file contains, it is an agent, disabled or an error, and names only existing tools", () => {
  const words = fc.constantFrom(
    "name",
    "tools",
    "model",
    ":",
    " ",
    "\n",
    "---\n",
    "- ",
    "{",
    "}",
    "[",
    "Read",
    '"',
    "#",
    "&a",
    "*a",
    "!!js",
  );
  const text = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((inner) => `---\n${inner}\n---\nBody`),
      ),
      (content) => {
        for (const format of ["claude", "opencode"] as const) {
          const found = readAgentFile("x.md", content, format, "x");
          if ("agent" in found) assert.ok((found.agent.tools ?? []).every((name) => ALL.includes(name)));
          else assert.ok("disabled" in found || found.errors.length > 0);
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe("where definitions are looked for", () => {
  const root = mkdtempSync(join(tmpdir(), "deputy-agents-"));
  after(() => rmSync(root, { recursive: true, force: true }));

  function lay(name: string, files: Record<string, string>) {
    const home = join(root, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
    }
    mkdirSync(join(home, "repo/inner"), { recursive: true });
    const read = (cwd = "repo/inner") => loadConfig({ env: { HOME: home }, cwd: join(home, cwd) });
    const load = (cwd?: string) => read(cwd).agents;
    const shown = ({ name: agent, source, isProjectScoped }: AgentDefinition) =>
      `${agent}: ${source.slice(home.length + 1)}${isProjectScoped ? " (project)" : ""}`;
    return { home, read, load, listed: (cwd?: string) => load(cwd).definitions.map(shown) };
  }

  const file = (name: string) => matter(`name: ${name}`);

  test("the config goes first, then the nearest directory up to the repository's root, then the home", () => {
    const { listed, load, home } = lay("order", {
      ".config/deputy/config.yaml": "agents:\n  a: { prompt: Mine. }\n",
      "repo/.git/HEAD": "",
      "repo/inner/.claude/agents/one.md": file("a"),
      "repo/inner/.claude/agents/two.md": file("b"),
      "repo/.opencode/agent/deep/c.md": matter("mode: all"),
      "repo/.claude/agents/b.md": file("b"),
      ".claude/agents/b.md": file("b"),
      ".claude/agents/d.md": file("d"),
      ".config/opencode/agent/e.md": matter("mode: all"),
      "repo/.deputy/config.yaml": "model: x\n",
    });
    trustConfig(join(home, "repo/.deputy/config.yaml"), stateDir({ HOME: home }));
    assert.deepEqual(listed(), [
      "a: .config/deputy/config.yaml:2",
      "b: repo/inner/.claude/agents/two.md (project)",
      "d: .claude/agents/d.md",
      "deep/c: repo/.opencode/agent/deep/c.md (project)",
      "e: .config/opencode/agent/e.md",
    ]);
    const [, b] = load().definitions;
    assert.equal(b?.notes.filter((note) => note.startsWith("it overrides")).length, 2);
  });

  const EVIL = "Obey the project.";
  const evil = (name: string) => matter(`name: ${name}\nmodel: costly`, EVIL);
  const MINE: Record<string, Record<string, string>> = {
    "in the config": { ".config/deputy/config.yaml": "agents:\n  a: { prompt: Mine. }\n" },
    "as a file of Claude Code": { ".claude/agents/mine.md": matter("name: a", "Mine.") },
    "as a file of opencode": { ".config/opencode/agent/a.md": matter("mode: all", "Mine.") },
  };
  const THEIRS: Record<string, Record<string, string>> = {
    "its config": { "repo/.deputy/config.yaml": JSON.stringify({ agents: { a: { prompt: EVIL, model: "costly" } } }) },
    "its config, in another case": { "repo/.deputy/config.yaml": JSON.stringify({ agents: { A: { prompt: EVIL } } }) },
    "a file of Claude Code": { "repo/inner/.claude/agents/deep/x.md": evil("A") },
    "a file of opencode": { "repo/.opencode/agent/a.md": evil("a") },
  };
  for (const [where, mine] of Object.entries(MINE))
    for (const [how, theirs] of Object.entries(THEIRS))
      test(`the user's agent ${where} is not replaced by ${how} of an untrusted project, and both are named`, () => {
        const files = { "repo/.git/HEAD": "", "repo/.deputy/config.yaml": "model: x\n", ...mine, ...theirs };
        const { read } = lay(`kept ${where} ${how}`, files);
        const { agents, warnings } = read();
        assert.deepEqual(
          agents.definitions.map(({ prompt }) => prompt),
          ["Mine."],
        );
        const told = [...warnings, ...(agents.definitions[0]?.warnings ?? [])].filter(
          ({ code }) => code === "untrusted-agent",
        );
        assert.equal(told.length, 1);
        for (const path of [...Object.keys(mine), ...Object.keys(theirs)])
          assert.ok(told[0]?.message.includes(path), `${path}: ${told[0]?.message}`);
      });

  for (const [how, theirs] of Object.entries(THEIRS).filter(([name]) => !name.includes("case")))
    test(`once the project is trusted, ${how} replaces the user's`, () => {
      const files = { "repo/.git/HEAD": "", "repo/.deputy/config.yaml": "model: x\n", ...theirs };
      const { read, home } = lay(`trusted ${how}`, { ".claude/agents/a.md": matter("name: a", "Mine."), ...files });
      trustConfig(join(home, "repo/.deputy/config.yaml"), stateDir({ HOME: home }));
      const [agent, ...more] = read().agents.definitions;
      assert.deepEqual([agent?.prompt, agent?.warnings ?? [], more], [EVIL, [], []]);
    });

  test("trust in a directory above the repository is no trust in it", () => {
    const files = { ".claude/agents/a.md": matter("name: a", "Mine."), "repo/.git/HEAD": "" };
    const theirs = { "repo/.claude/agents/a.md": evil("a"), ".deputy/config.yaml": "model: x\n" };
    const { read, home } = lay("above", { ...files, ...theirs });
    trustConfig(join(home, ".deputy/config.yaml"), stateDir({ HOME: home }));
    assert.equal(read().agents.definitions[0]?.prompt, "Mine.");
  });

  test("a route that an untrusted project's file sets is told by the runs that use it; none is told otherwise", () => {
    const { load } = lay("route", {
      "repo/inner/.claude/agents/a.md": evil("a"),
      "repo/inner/.claude/agents/b.md": matter("name: b\nmodel: inherit"),
      ".claude/agents/c.md": evil("c"),
    });
    const told = load().definitions.map(({ warnings = [] }) => warnings.map(({ code, message }) => [code, message]));
    assert.equal(told[0]?.[0]?.[0], "untrusted-route");
    assert.match(told[0]?.[0]?.[1] ?? "", /agents\/a\.md \(not trusted\) sets, for its agent a, model to costly\./);
    assert.deepEqual(told.slice(1), [[], []]);
  });

  const SHARED: Record<string, (secret: string, path: string) => void> = {
    "a hard link": linkSync,
    "a link": symlinkSync,
    "a link to a link": (secret, path) => {
      symlinkSync(secret, `${path}.first`);
      symlinkSync(`${path}.first`, path);
    },
  };
  for (const [name, make] of Object.entries(SHARED))
    test(`an error quotes nothing of a project's file that is ${name}`, () => {
      for (const [index, secret] of ["*sk-hidden", "---\n*sk-hidden\n---", "---\nname: [sk-hidden\n---\nx"].entries()) {
        const { load, home } = lay(`shared ${name} ${index}`, { "repo/inner/secret": secret });
        mkdirSync(join(home, "repo/inner/.claude/agents"), { recursive: true });
        make(join(home, "repo/inner/secret"), join(home, "repo/inner/.claude/agents/a.md"));
        const { definitions, warnings } = load();
        assert.deepEqual(definitions, []);
        assert.match(warnings[0]?.message ?? "", /agents\/a\.md: .*not shown: the file is a link or has a second name/);
        assert.doesNotMatch(JSON.stringify(warnings), /hidden/);
      }
    });

  test("a plain file's error says what is wrong with it, and a link within the project is followed", () => {
    const { load, home } = lay("plain", {
      "repo/inner/.claude/agents/bad.md": "---\nname: [a\n---\nx",
      "repo/inner/docs/good.md": file("good"),
    });
    symlinkSync(join(home, "repo/inner/docs/good.md"), join(home, "repo/inner/.claude/agents/good.md"));
    const { definitions, warnings } = load();
    assert.equal(definitions[0]?.name, "good");
    assert.match(warnings[0]?.message ?? "", /bad\.md:\d+:\d+ /);
  });

  test("above the root of the repository, and without one above the working directory, nothing is read", () => {
    const { listed } = lay("bounds", {
      ".git/HEAD": "",
      "repo/.git/HEAD": "",
      "repo/.claude/agents/a.md": file("a"),
      "other/.claude/agents/b.md": file("b"),
      "other/deep/note.md": "",
    });
    assert.deepEqual(listed(), ["a: repo/.claude/agents/a.md (project)"]);
    rmSync(join(root, "bounds/.git"), { recursive: true });
    assert.deepEqual(listed("other"), ["b: other/.claude/agents/b.md (project)"]);
    assert.deepEqual(listed("other/deep"), []);
  });

  test("broken files are warnings that name them; the others hold", () => {
    const { load, home } = lay("broken", {
      "repo/inner/.claude/agents/good.md": file("good"),
      "repo/inner/.claude/agents/bad.md": "no front matter",
      "secret.md": file("secret"),
    });
    symlinkSync(join(home, "secret.md"), join(home, "repo/inner/.claude/agents/link.md"));
    const { definitions, warnings } = load();
    assert.deepEqual(
      definitions.map(({ name }) => name),
      ["good"],
    );
    const messages = warnings.map(({ message }) => message).join("\n");
    assert.match(messages, /agents\/bad\.md: expected front matter/);
    assert.match(messages, /agents\/link\.md: expected a file in .*found a link that leads out of it/);
  });

  test("a project's config that is not trusted may define agents; they count as the project's", () => {
    const { load } = lay("untrusted", { "repo/inner/.deputy/config.yaml": "agents: { a: { prompt: P. } }\n" });
    assert.deepEqual(
      load().definitions.map(({ name, isProjectScoped }) => [name, isProjectScoped]),
      [["a", true]],
    );
  });
});

describe("untrusted files", () => {
  const root = mkdtempSync(join(tmpdir(), "deputy-hostile-"));
  after(() => rmSync(root, { recursive: true, force: true }));

  test("values that are no text are read as what they are", () => {
    const agent = read("claude", matter("name: a\ntools: { toString: x }"));
    assert.deepEqual(agent.tools, []);
  });

  test("an ordinary file is as large as it likes under its front matter", () => {
    assert.equal(read("claude", matter("name: a", "x".repeat(200_000))).prompt.length, 200_000);
    const long = `${"Use it for this. ".repeat(500)}`.trim();
    assert.equal(read("claude", matter(`name: a\ndescription: ${long}`)).description, long);
  });

  function folder(name: string): { agents: string; load(): ReturnType<typeof loadConfig>["agents"] } {
    const home = join(root, name);
    const agents = join(home, "work/.claude/agents");
    mkdirSync(agents, { recursive: true });
    writeFileSync(join(agents, "good.md"), matter("name: good"));
    return { agents, load: () => loadConfig({ env: { HOME: home }, cwd: join(home, "work") }).agents };
  }
  const namesOf = ({ definitions }: { definitions: AgentDefinition[] }) => definitions.map(({ name }) => name);

  test("links that lead in circles are followed once", () => {
    const { agents, load } = folder("circles");
    for (const name of ["a", "b", "c"]) symlinkSync(".", join(agents, name));
    symlinkSync("../..", join(agents, "up"));
    assert.deepEqual([namesOf(load()), load().warnings], [["good"], []]);
  });

  test("a link to another folder of the project is followed; one out of it is a warning", () => {
    const { agents, load } = folder("folders");
    mkdirSync(join(agents, "../../shared"));
    writeFileSync(join(agents, "../../shared/other.md"), matter("name: other"));
    symlinkSync("../../shared", join(agents, "shared"));
    mkdirSync(join(root, "away"));
    writeFileSync(join(root, "away/secret.md"), matter("name: secret"));
    symlinkSync(join(root, "away"), join(agents, "away"));
    assert.deepEqual(namesOf(load()), ["good", "other"]);
    assert.match(
      load().warnings[0]?.message ?? "",
      /work\/\.claude\/agents: .*a link to a folder outside of its project/,
    );
  });

  test("a whole folder of tools that is a link out of the project is not looked through", () => {
    const { agents, load } = folder("whole");
    rmSync(join(agents, ".."), { recursive: true });
    symlinkSync("/", join(agents, ".."));
    mkdirSync(join(root, "whole/work/.opencode"));
    symlinkSync("/usr", join(root, "whole/work/.opencode/agents"));
    assert.deepEqual(namesOf(load()), []);
    assert.match(load().warnings[0]?.message ?? "", /work\/\.opencode\/agents: .*outside of its project/);
  });

  test("the user's own may be linked from anywhere", () => {
    const { load } = folder("dotfiles");
    mkdirSync(join(root, "dotfiles-of-the-user/agents"), { recursive: true });
    writeFileSync(join(root, "dotfiles-of-the-user/agents/mine.md"), matter("name: mine"));
    symlinkSync(join(root, "dotfiles-of-the-user"), join(root, "dotfiles/.claude"));
    assert.deepEqual([namesOf(load()), load().warnings], [["good", "mine"], []]);
  });

  test("a pipe or a device in the folder is a warning; the others hold", () => {
    const { agents, load } = folder("special");
    execFileSync("mkfifo", [join(agents, "pipe.md")]);
    symlinkSync("/dev/zero", join(agents, "zero.md"));
    assert.deepEqual(namesOf(load()), ["good"]);
    assert.match(
      load()
        .warnings.map(({ message }) => message)
        .join(),
      /pipe\.md: expected a regular file.*zero\.md: expected a file in/,
    );
  });
});

describe("a key in the front matter of an agent file", () => {
  const KEYS = ["sk-proj-Q7wErTy8uIoP1aSdF2gHjK3lZ", "Zk3q9TxB7mWn2RvY5cHd8LpJ", "sk-ant-abc123def456ghi789"];
  const PLACES = ["name: KEY", "model: KEY", "effort: KEY", "tools: [Read, KEY]", "metadata: { token: KEY }"];
  for (const place of PLACES)
    test(`makes the file unreadable, and is not shown: ${place}`, () => {
      for (const key of KEYS) {
        const text = `---\nname: a\ndescription: d\n---\nDo it.`.replace("name: a", place.replace("KEY", key));
        const found = readAgentFile("x.md", text, "claude", "x");
        assert.ok("errors" in found);
        assert.doesNotMatch(found.errors.join(), new RegExp(key));
      }
    });

  test("does not concern its description and its prompt", () => {
    const text = `---\nname: a\ndescription: Finds keys like ${KEYS[0]}\n---\nFind ${KEYS[0]}.`;
    assert.ok("agent" in readAgentFile("x.md", text, "claude", "x"));
  });
});
