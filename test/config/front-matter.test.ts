/** Agent files as people and other tools write them, whose front matter is not always YAML. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type FileAgent, readAgentFile } from "../../src/config/agents/agent-file.ts";

function read(text: string, format: "claude" | "opencode" = "claude"): FileAgent {
  const found = readAgentFile("x.md", text, format, "x");
  assert.ok("agent" in found, JSON.stringify(found));
  return found.agent;
}

function errorsOf(text: string): string[] {
  const found = readAgentFile("x.md", text, "claude", "x");
  assert.ok("errors" in found, JSON.stringify(found));
  return found.errors;
}

const file = (matter: string, body = "Do it well.") => `---\n${matter}\n---\n${body}\n`;
const FILES = ["read_file", "list_dir", "grep"];

/** A description that continues over lines that look like keys. */
const RUNNING = `Use this agent to check plans. Examples:

<example>
Context: A plan was written
user: "Is it sound?"
assistant: "I'll use the plan-checker agent."
<commentary>
New: check it.
</commentary>
</example>`;

describe("an agent file has its name, tools and model whatever its description looks like", () => {
  const DESCRIPTIONS: [shape: string, written: string, description: RegExp][] = [
    ["over several lines, unquoted", RUNNING, /^Use this agent.*Context: A plan.*<\/example>$/s],
    ["in one line with \\n for its lines", RUNNING.replaceAll("\n", "\\n"), /^Use this agent.*\nuser: "Is it sound/s],
    ["with a colon and a hash", "Use it like so: #1 of all", /^Use it like so: #1 of all$/],
    [
      "in quotes that enclose others",
      '"Use it when they say "check this" or "look": now"',
      /^Use it when.*"look": now$/,
    ],
    ["in a quote that is never closed", '"Use it: when a plan', /^Use it: when a plan$/],
    ["in an apostrophe that is never closed", "'Use it: it's good", /^Use it: it's good$/],
    ["as a block", "|\n  Use it: when\n\n  user: x", /^Use it: when\n\nuser: x$/],
    ["as a folded block", ">-\n  Use it: when\n  a plan is there", /^Use it: when a plan is there$/],
    ["as a block without its indent", "|\nUse it when\nuser: x", /^Use it when\nuser: x$/],
    ["indented, with colons", "Use it\n  Context: a plan\n  user: x", /^Use it\n\s+Context: a plan\n\s+user: x$/],
    ["with the name of a field that is there", `${RUNNING}\nname: another`, /name: another$/],
    ["beginning with what YAML reserves", "@plan `check`: yes", /^@plan `check`: yes$/],
    ["with a tab", "\tUse it:\twhen", /^Use it:\twhen$/],
  ];
  for (const [shape, written, description] of DESCRIPTIONS)
    for (const [line, ending] of Object.entries({ "\\n": "\n", "\\r\\n": "\r\n" }))
      test(`${shape}, lines ending in ${line}`, () => {
        const lines = [
          "name: plan-checker",
          `description: ${written}`,
          "",
          "model: inherit",
          "color: red",
          "tools: Read, Grep",
        ];
        const agent = read(file(lines.join("\n"), "Check.\n\n---\n\nAlso this.").replaceAll("\n", ending));
        assert.match(agent.description ?? "", description);
        assert.deepEqual([agent.name, agent.model, agent.tools], ["plan-checker", "inherit", FILES]);
        assert.match(agent.prompt, /^Check\.\s+---\s+Also this\.$/);
        assert.deepEqual(agent.notes, ["without effect here: color"]);
      });

  const TOOLS: [written: string, tools: string[] | undefined][] = [
    ["tools: Read, Grep", FILES],
    ["tools: Read,Grep,", FILES],
    ["tools: [Read, Grep]", FILES],
    ["tools:\n  - Read\n  - Grep", FILES],
    ["tools:\n- Read\n- Grep", FILES],
    ["tools:\n\t- Read\n\t- Grep", FILES],
    ['tools: ["Read", "Grep"]', FILES],
    ["tools: read, grep", FILES],
    ["tools: Read Grep", FILES],
    ["tools: `Read`, `Grep`", FILES],
    [`tools: '["Read", "Grep"]'`, FILES],
    ["tools:\n  read: true\n  grep: true\n  bash: false", FILES],
    ["Tools: Read, Grep", FILES],
    ["tools : Read, Grep", FILES],
    ["tools: All tools", undefined],
    ["tools: *", undefined],
    ["tools:", undefined],
  ];
  for (const [written, tools] of TOOLS)
    test(`its tools are those it names: ${JSON.stringify(written)}`, () => {
      for (const matter of [
        `${written}\nname: a\ndescription: ${RUNNING}`,
        `name: a\ndescription: ${RUNNING}\n${written}`,
      ])
        assert.deepEqual(read(file(matter)).tools, tools);
    });

  test("with a byte order mark, blank lines above and blanks after the lines of ---", () => {
    assert.equal(read("\uFEFF\n\n---  \nname: a\n--- \nDo it.").name, "a");
  });

  test("whose front matter nobody closed ends at the blank line below its fields", () => {
    const agent = read("---\nname: a\ndescription: Use it.\ntools: Read, Grep\n\n# Role\n\nDo it: well.");
    assert.deepEqual([agent.name, agent.tools, agent.prompt], ["a", FILES, "# Role\n\nDo it: well."]);
    assert.equal(read("----\nname: a\n...\nDo it.").prompt, "Do it.");
    assert.match(
      errorsOf("---\nname: a\n\ntools: Read\n\nDo it.")[0] ?? "",
      /two lines of ---.*found the first, in line 1/,
    );
    assert.match(errorsOf("---\nname: a\nDo it.\n\nAll.")[0] ?? "", /found the first, in line 1/);
    assert.match(errorsOf("# Role\n\nDo it.")[0] ?? "", /found none$/);
  });

  test("of opencode, with its tools as a list, has those, whichever tool's names they are", () => {
    for (const tools of ["Read, Grep", "[read, grep]", "\n  - Read\n  - grep"])
      assert.deepEqual(read(file(`description: x\nmode: subagent\ntools: ${tools}`), "opencode").tools, FILES);
    assert.equal(read(file("description: x\nmode: subagent"), "opencode").tools, undefined);
    const denied = read(file("description: x\ntools: read, bash\npermission:\n  bash: deny"), "opencode");
    assert.deepEqual(denied.tools, ["read_file", "list_dir"]);
  });

  test("opencode's patterns may stand without quotes, and tabs before them", () => {
    const matter = (permission: string) => file(`description: Use it: now\nmode: subagent\n${permission}`);
    const agent = read(matter("permission:\n  bash:\n    *: deny\n  edit: deny\ntools:\n\twrite: false"), "opencode");
    assert.deepEqual(agent.tools, [
      "read_file",
      "list_dir",
      "glob",
      "grep",
      "web_fetch",
      "web_search",
      "todo",
      "read_skill",
    ]);
  });

  test("with Claude Code's own words for models", () => {
    const model = (written: string) => read(file(`name: a\nmodel: ${written}`)).model;
    assert.deepEqual(["sonnet[1m]", "opusplan", "default", "claude-opus-4-7"].map(model), [
      "sonnet",
      "opus",
      "inherit",
      "claude-opus-4-7",
    ]);
  });
});

describe("an agent file is left out, with its line, rather than half read", () => {
  const BROKEN: Record<string, string> = {
    "tools twice, of which one may be an example": `name: a\ndescription: ${RUNNING}\ntools: Read\nmodel: x\ntools: Bash`,
    "a list of tools that is never closed": `name: a\ndescription: Use it: now\ntools: [Read, {`,
    "tools over lines that are no list": `name: a\ntools: Read\nGrep all`,
    "a model with words below it": `name: a\ndescription: Use it: now\nmodel: opus\nwhatever`,
  };
  for (const [what, matter] of Object.entries(BROKEN))
    test(what, () => assert.match(errorsOf(file(matter)).join(), /^x\.md:\d+:\d+ /));

  test("without front matter", () => assert.match(errorsOf("# A title\n\nWords.").join(), /expected front matter/));
});

test("whatever a description contains, only the named tools are available", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "",
      "user: x",
      "Context: y",
      "<example>",
      "- a",
      "  b: c",
      "# d",
      '"',
      "'",
      "model",
      "name: z",
      "{",
      "|",
    ),
    fc.string({ maxLength: 30 }).map((text) => text.replaceAll(/[\r\n]/g, " ").replace(/^(---|tools)/, "")),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const matter = `name: a\ndescription: ${lines.join("\n")}\ntools: Read, Grep`;
      const found = readAgentFile("x.md", file(matter), "claude", "x");
      if ("agent" in found) assert.deepEqual(found.agent.tools, FILES);
    }),
  );
});
