/** An entry added to realistic settings: nothing else changes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { addEntry, type SettingsFormat, snippetOf } from "../../../src/cli/serving/settings-entry.ts";
import type { EntryPath } from "../../../src/cli/serving/settings-syntax.ts";

const ENTRY = { type: "stdio", command: "deputy", args: ["mcp"] };

function added(format: SettingsFormat, text: string, at: EntryPath, { entry = ENTRY, force = false } = {}): string {
  const result = addEntry(format, text, at, entry, force);
  if ("text" in result) return result.text;
  return "same" in result ? "same" : result.refused;
}

describe("JSON with comments", () => {
  const servers = ["servers", "deputy"] as const;

  test("VS Code: keeps comments with what they are about, and formats no neighbor anew", () => {
    const text = `{
\t// Servers of this workspace
\t"inputs": [],
\t"servers": {
\t\t"docs": { "command": "docs", "args": [1,  2] }, // keep
\t\t/* "old": {}, */
\t\t"web": { "url": "https://a.test//x" } // last
\t\t// "next": {}
\t}
}
`;
    assert.equal(
      added("json", text, servers),
      text
        .replace('"https://a.test//x" }', '"https://a.test//x" },')
        .replace(
          '"next": {}\n',
          '"next": {}\n\t\t"deputy": {\n\t\t\t"type": "stdio",\n\t\t\t"command": "deputy",\n\t\t\t"args": ["mcp"]\n\t\t}\n',
        ),
    );
  });

  test("opencode: keeps trailing commas, and adds one", () => {
    const text =
      '{\n    "$schema": "https://opencode.ai/config.json",\n    "mcp": {\n        "a": {}, // one\n    },\n}\n';
    const entry = { enabled: true };
    assert.equal(
      added("json", text, ["mcp", "deputy"], { entry: entry as never }),
      text.replace("// one\n", '// one\n        "deputy": {\n            "enabled": true\n        },\n'),
    );
  });

  test("Cursor: keeps line breaks of Windows and the byte order mark", () => {
    const text = '\uFEFF{\r\n  "mcpServers": {} // none yet\r\n}\r\n';
    assert.equal(
      added("json", text, ["mcpServers", "deputy"]),
      text.replace(
        "{}",
        '{\r\n    "deputy": {\r\n      "type": "stdio",\r\n      "command": "deputy",\r\n      "args": ["mcp"]\r\n    }\r\n  }',
      ),
    );
  });

  test("an object in one line stays in one line", () => {
    const text = '{"mcpServers": {"docs": {"command": "docs"}}, "last": 1.0}';
    assert.equal(
      added("json", text, ["mcpServers", "deputy"]),
      text.replace('"docs"}}', '"docs"}, "deputy": {"type":"stdio","command":"deputy","args":["mcp"]}}'),
    );
  });

  test("a file without servers, with nothing, with comments only", () => {
    const snippet = snippetOf("json", servers, ENTRY);
    assert.equal(added("json", "", servers), snippet);
    assert.equal(added("json", " \n\n", servers), snippet);
    assert.equal(added("json", "// mine", servers), `// mine\n${snippet}`);
    assert.equal(added("json", "{}\n", servers), snippet);
    assert.equal(added("json", '{\n  "a": 1 // one\n}\n', servers), snippet.replace("{\n", '{\n  "a": 1, // one\n'));
    assert.equal(added("json", '{\n  "servers": null\n}\n', servers), snippet);
  });

  test("an entry that is there, however it is written, is the same; --force replaces another one alone", () => {
    const text = '{ // mine\n  "servers": {\n    "deputy": { "command": "old" }, // ours\n    "b": [1,2]\n  }\n}\n';
    assert.match(added("json", text, servers), /it has a different entry of that name/);
    const replaced = added("json", text, servers, { force: true });
    assert.equal(
      replaced,
      text.replace(
        '{ "command": "old" }',
        '{\n      "type": "stdio",\n      "command": "deputy",\n      "args": ["mcp"]\n    }',
      ),
    );
    assert.equal(added("json", replaced.replace('["mcp"]', '[ "mcp", /* one */ ]'), servers), "same");
  });

  test("a file that is no JSON is refused with line and column", () => {
    assert.equal(
      added("json", '{\n  // mine\n  "a": 1\n  "b": 2\n}', servers),
      'it is not valid JSON: line 4, column 3: expected a comma; found "\\""',
    );
    assert.match(added("json", '{\r\n  "a": "x\r\n}', servers), /line 2, column 8: .*end of string/);
    assert.match(added("json", '{"a": 1', servers), /line 1, column 8: expected a close brace; found the end/);
    assert.match(added("json", "/* mine", servers), /line 1, column 1: .*end of comment/);
    assert.match(added("json", "[".repeat(100_000), servers), /column 1001: expected at most 1000 levels/);
  });

  test("settings without a place for the entry are rejected", () => {
    assert.equal(added("json", '{"servers":5}', servers), "servers is not an object in it");
    assert.equal(added("json", "[]", servers), "it does not contain an object");
    assert.match(added("json", '{"servers":{},"servers":{"a":{}}}', servers), /without changing more/);
  });
});

describe("TOML", () => {
  const servers = ["mcp_servers", "deputy"] as const;
  const entry = { command: "deputy", args: ["mcp"], env_vars: ["A", "B"] };
  const table = '[mcp_servers.deputy]\ncommand = "deputy"\nargs = ["mcp"]\nenv_vars = ["A", "B"]\n';
  const put = (text: string, force = false) => added("toml", text, servers, { entry: entry as never, force });

  test("Codex: the table comes last; comments, spacing, dates and big numbers stay", () => {
    const text = `# mine
model   = "gpt" # the big one
since = 2026-11-28T07:32:00Z
big = 9223372036854775807
list = [
  [1, 2], # pairs
]
text = """
[mcp_servers.deputy]
"""

[mcp_servers.docs]
command = 'docs'
`;
    assert.equal(put(text), `${text}\n${table}`);
    assert.equal(put(text.replaceAll("\n", "\r\n")), `${text}\n${table}`.replaceAll("\n", "\r\n"));
    assert.equal(put(text.trimEnd()), `${text}\n${table}`);
    assert.equal(put(""), table);
    assert.equal(put("# only\n"), `# only\n\n${table}`);
    assert.equal(
      put('[profiles.x]\nmcp_servers.deputy.command = "q"\n[mcp_servers.deputy2]\na = 1\n').endsWith(table),
      true,
    );
  });

  test("an entry that is there, in any spelling, is the same or another", () => {
    assert.equal(put(`${table}\n[tui]\ntheme = "x"\n`), "same");
    assert.equal(
      put('mcp_servers = { deputy = { command = "deputy", args = ["mcp"], env_vars = ["A", "B"] } }\n'),
      "same",
    );
    assert.equal(
      put("[mcp_servers]\n'deputy'.command = 'deputy'\ndeputy.args = ['mcp',]\ndeputy.env_vars = ['A', 'B']\n"),
      "same",
    );
    for (const text of [
      '["mcp_servers"."deputy"]\ncommand = "q"\n',
      "[mcp_servers.'deputy'.env]\nA = \"q\"\n",
      'mcp_servers.deputy.command = "q"\n',
      '[mcp_servers]\ndeputy.command = "q"\n',
      '[mcp_servers] # mine\n"deputy" = { command = "q" }\n',
    ])
      assert.match(put(text), /it has a different entry of that name/, text);
  });

  test("--force replaces the tables of the entry where they are, and leaves what is around them", () => {
    const before = 'model = "x"\n\n# ours\n';
    const after = '\n# theme\n[tui]\ntheme = "x" # keep\n';
    const old = "[mcp_servers.deputy] # old\ncommand = 'q'\n\n[ mcp_servers . \"deputy\".env]\nA = '[tui]'\n";
    assert.equal(put(before + old + after, true), before + table + "\n".repeat(1) + after);
  });

  test("settings that cannot take the entry without another change are rejected", () => {
    assert.match(put('mcp_servers = { docs = { command = "x" } }\n'), /its mcp_servers without changing more/);
    assert.match(put('mcp_servers.deputy.command = "q"\n', true), /without changing more/);
    assert.match(put("[[mcp_servers]]\n"), /mcp_servers is not an object in it/);
  });

  test("a file that is no TOML is refused with line and column", () => {
    assert.match(put('model = "x"\nkey\n'), /^it is not valid TOML: line 2, column \d+: \S/);
    assert.match(put("a = 1\r\na = 2\r\n"), /line 2, column \d+: /);
    assert.match(put("[a]\n[a\n"), /line 2, column \d+: /);
  });
});

describe("YAML", () => {
  const servers = ["mcp_servers", "deputy"] as const;
  const entry = { command: "deputy", args: ["mcp"] };
  const put = (text: string, force = false) => added("yaml", text, servers, { entry: entry as never, force });

  test("Hermes: the entry goes between the lines, which stay as they are", () => {
    const text = `# mine
model:   x      # aligned
list:
- a
-   b
mcp_servers:
    # documentation
    docs:   { command: docs,args: [a,  b] } # keep
    # "other": {}

# the end
last: 1
`;
    const lines = "    deputy:\n      command: deputy\n      args:\n        - mcp\n";
    const expected = text.replace("# keep\n", `# keep\n${lines}`);
    assert.equal(put(text), expected);
    assert.equal(put(text.replaceAll("\n", "\r\n")), expected.replaceAll("\n", "\r\n"));
    assert.equal(put(expected), "same");
  });

  test("a file without servers, with an empty list of them, with comments only", () => {
    const snippet = snippetOf("yaml", servers, entry);
    assert.equal(put("# mine\n"), `# mine\n${snippet}`);
    assert.equal(put("model:  x"), `model:  x\n${snippet}`);
    assert.equal(put("mcp_servers:\nmodel: x\n"), `${snippet}model: x\n`);
    assert.deepEqual(parseYaml(put("{mcp_servers: {}, model: x}\n")), { mcp_servers: { deputy: entry }, model: "x" });
  });

  test("an entry with other settings, and a file that is not YAML, with line and column", () => {
    const other = "mcp_servers:\n  deputy: { command: q } # ours\n  docs: {}\n";
    assert.match(put(other), /it has a different entry of that name/);
    assert.deepEqual(parseYaml(put(other, true)), { mcp_servers: { deputy: entry, docs: {} } });
    assert.match(put("a: 1\nb: [\n"), /^it is not valid YAML: line \d, column \d+: \S/);
    assert.match(put("a: 1\na: 2\n"), /line 2, column 1: expected each key once/);
    assert.match(put("a: 1\n\tb: 2\n"), /line 2, column \d+: /);
  });
});

test("whatever JSON settings hold, only the entry is added", () => {
  const settings = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }), { noNullPrototype: true });
  const indent = fc.constantFrom(undefined, 2, 4, "\t");
  fc.assert(
    fc.property(settings, indent, (given, space) => {
      const before = JSON.parse(JSON.stringify(given));
      if ("__proto__" in given || "mcpServers" in given) return;
      const text = added("json", JSON.stringify(before, null, space), ["mcpServers", "deputy"]);
      assert.deepEqual(JSON.parse(text), { ...before, mcpServers: { deputy: ENTRY } });
    }),
  );
});

test("an entry that was added is found to be there, in each format", () => {
  for (const format of ["json", "yaml", "toml"] as const)
    assert.equal(added(format, snippetOf(format, ["servers", "deputy"], ENTRY), ["servers", "deputy"]), "same");
});
