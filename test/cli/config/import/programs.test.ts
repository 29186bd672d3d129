// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** `deputy config import claude-code|codex|opencode`: every config imports, and no rule allows more than it did. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { parse as parseToml } from "smol-toml";
import { parse } from "yaml";
import { decidePermission } from "../../../../src/child/permissions.ts";
import { parseJsonc } from "../../../../src/cli/input/json-text.ts";
import { loadConfig } from "../../../../src/config/load.ts";
import type { PermissionRule } from "../../../../src/tool.ts";
import { deputy, temporaryDirectory } from "../../../support/command-line.ts";
import { CLAUDE_CODE } from "./configs/claude-code.ts";
import { CODEX } from "./configs/codex.ts";
import { OPENCODE } from "./configs/opencode.ts";

const FILES = {
  "claude-code": ".claude/settings.json",
  codex: ".codex/config.toml",
  opencode: ".config/opencode/opencode.json",
};
type Program = keyof typeof FILES;

async function imported(context: TestContext, program: Program, written: object | string, flags: string[] = []) {
  const home = temporaryDirectory((cleanUp) => context.after(cleanUp));
  const text = typeof written === "string" ? written : JSON.stringify(written);
  const file = join(home, FILES[program]);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state") };
  const shown = await deputy(["config", "import", program, ...flags], { cwd: home, env });
  assert.equal(shown.code, 0, shown.stderr);
  await deputy(["config", "import", program, "--write"], { cwd: home, env });
  const { config } = loadConfig({ env, cwd: home });
  const notes = shown.stdout
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .join("\n");
  return { config, notes, shown: shown.stdout, value: parse(shown.stdout) ?? {} };
}

function decision(rules: readonly PermissionRule[], command: string): string {
  return decidePermission(rules, "ask", "terminal", { target: command, isCommandLine: true, otherwise: "ask" })
    .decision;
}

describe("a rule for a tool that children lack", () => {
  const NOTES: [Program, object, string][] = [
    [
      "claude-code",
      { permissions: { deny: ["ExitPlanMode"] } },
      "deny ExitPlanMode: not needed: children have no tool",
    ],
    ["claude-code", { permissions: { ask: ["ExitPlanMode"] } }, "ask ExitPlanMode: not needed: children have no tool"],
    ["opencode", { permission: { question: "deny" } }, "deny permission.question: not needed: children have no tool"],
  ];
  for (const [program, written, note] of NOTES)
    test(`of ${program} is named as it was written: ${note.split(":")[0]}`, async (context) => {
      const { notes } = await imported(context, program, written);
      assert.ok(notes.includes(`- ${note}`), notes);
      assert.doesNotMatch(notes, /WARNING: this denial is not taken/);
    });

  test("does not affect the denial of a tool that they have", async (context) => {
    const { notes, value } = await imported(context, "claude-code", { permissions: { deny: ["Bash(rm:*)"] } });
    assert.ok(JSON.stringify(value).includes('"rm *"'), notes);
    const server = await imported(context, "claude-code", { permissions: { deny: ["mcp__git"] } });
    assert.deepEqual(server.value.permissions, [{ tool: "mcp__git__*", then: "deny" }], server.notes);
  });
});

describe("rules for pages of the web", () => {
  const onPage = (rules: readonly PermissionRule[], target: string) =>
    decidePermission(rules, "ask", "web_fetch", { target, otherwise: "ask", isPage: true }).decision;
  const decisions = (config: { permissions: PermissionRule[] }, urls: Record<string, string>) =>
    Object.fromEntries(Object.keys(urls).map((url) => [url, onPage(config.permissions, url)]));

  const CLAUDE: [what: string, permissions: object, expected: Record<string, string>][] = [
    [
      "a domain that is allowed",
      { allow: ["WebFetch(domain:docs.example)"] },
      {
        "https://docs.example/": "allow",
        "https://docs.example/a/b?c=d": "allow",
        "http://docs.example/": "ask",
        "https://docs.example:8443/": "ask",
        "https://www.docs.example/": "ask",
        "https://docs.example.evil.test/": "ask",
        "https://evil.test/docs.example/": "ask",
      },
    ],
    [
      "domains below one that is allowed",
      { allow: ["WebFetch(domain:*.docs.example)"] },
      {
        "https://a.docs.example/x": "allow",
        "https://a.b.docs.example/": "allow",
        "https://docs.example/": "ask",
        "https://evil-docs.example/": "ask",
      },
    ],
    [
      "a domain that is denied",
      { deny: ["WebFetch(domain:evil.example)"], allow: ["WebFetch"] },
      {
        "https://evil.example/": "deny",
        "http://EVIL.example:8080/a?b": "deny",
        "https://evil.example/%2e%2e/a": "deny",
        "https://good.example/": "allow",
        "https://not-evil.example/": "allow",
      },
    ],
    [
      "a domain that asks",
      { ask: ["WebFetch(domain:*.intern.example)"], allow: ["WebFetch(domain:a.intern.example)"] },
      { "https://a.intern.example/": "ask", "https://b.intern.example:8443/": "ask" },
    ],
    ["all pages", { deny: ["WebFetch"] }, { "https://docs.example/": "deny", "http://127.0.0.1/": "deny" }],
  ];
  for (const [what, permissions, expected] of CLAUDE)
    test(`of Claude Code: ${what}`, async (context) => {
      const { config, notes } = await imported(context, "claude-code", { permissions });
      assert.deepEqual(decisions(config, expected), expected);
      assert.doesNotMatch(notes, /WebFetch/);
    });

  for (const written of ["WebFetch(domain:*)", "WebFetch(https://a.example/*)", "WebFetch(domain:a.example/b)"])
    test(`of Claude Code that cannot be expressed are named, and a denial loudly: ${written}`, async (context) => {
      const { config, notes } = await imported(context, "claude-code", {
        permissions: { deny: [written], allow: [written] },
      });
      assert.deepEqual(config.permissions, []);
      assert.ok(
        notes.includes(`WARNING: this denial is not taken, so Deputy does not deny it: deny ${written}`),
        notes,
      );
      assert.ok(notes.includes(`- allow ${written}: `), notes);
    });

  test("of opencode keep their patterns, which cover no other host", async (context) => {
    const webfetch = {
      "*": "ask",
      "https://docs.example*": "allow",
      "docs.example/*": "allow",
      "*evil.example*": "deny",
    };
    const { config, notes } = await imported(context, "opencode", { permission: { webfetch, websearch: "deny" } });
    const expected = {
      "https://docs.example/a": "allow",
      "https://docs.example.evil.test/": "ask",
      "https://www.evil.example/": "deny",
      "https://other.example/": "ask",
    };
    assert.deepEqual(decisions(config, expected), expected);
    assert.match(notes, /allow permission\.webfetch "docs\.example\/\*": .*must name their scheme/);
    const search = { target: "x", otherwise: "allow" } as const;
    assert.equal(decidePermission(config.permissions, "ask", "web_search", search).decision, "deny");
  });

  test("for searches become rules of web_search", async (context) => {
    const { config } = await imported(context, "claude-code", {
      permissions: { deny: ["WebSearch"], allow: ["WebSearch(cats)"] },
    });
    assert.deepEqual(config.permissions, [{ tool: "web_search", then: "deny" }]);
  });
});

describe("every config imports: its result loads, each key is kept or named, and no secret is copied", () => {
  const parsed = (program: Program, written: object | string): object =>
    typeof written !== "string" ? written : program === "codex" ? parseToml(written) : (parseJsonc(written) as object);
  /** Parts of the result that a key becomes. */
  const KEPT: Record<string, string[]> = {
    model: ["model"],
    small_model: ["models"],
    model_provider: ["provider"],
    model_reasoning_effort: ["reasoning_effort"],
    model_providers: ["providers"],
    provider: ["providers"],
    permissions: ["permissions", "delegation"],
    permission: ["permissions"],
    tools: ["permissions"],
    sandbox_mode: ["permissions"],
    mcpServers: ["mcp_servers"],
    mcp_servers: ["mcp_servers"],
    mcp: ["mcp_servers"],
    $schema: [],
  };
  const all: [Program, Record<string, object | string>][] = [
    ["claude-code", CLAUDE_CODE],
    ["codex", CODEX],
    ["opencode", OPENCODE],
  ];
  for (const [program, configs] of all) {
    test(`${program}: there are at least twenty`, () => assert.ok(Object.keys(configs).length >= 20));
    for (const [name, written] of Object.entries(configs))
      test(`${program}: ${name}`, async (context) => {
        const { notes, value, shown } = await imported(context, program, written);
        for (const key of Object.keys(parsed(program, written))) {
          const isKept = KEPT[key]?.some((part) => part in value) ?? false;
          assert.ok(
            key === "$schema" || isKept || notes.includes(key) || /denial|allow |Claude Code asks/.test(notes),
            `${key}:\n${shown}`,
          );
        }
        assert.doesNotMatch(shown, /sk-[a-z]/);
      });
  }
});

describe("rules of Claude Code", () => {
  test("keep their order: deny, ask, allow", async (context) => {
    const { config } = await imported(context, "claude-code", CLAUDE_CODE["pushes that ask"] ?? {});
    const decided = ["git log", "git push", "git push origin", "rm -rf x", "gitk", "git log; rm -rf x", "ls"];
    assert.deepEqual(
      decided.map((command) => decision(config.permissions, command)),
      ["allow", "ask", "ask", "deny", "ask", "deny", "ask"],
    );
  });

  test("cover a command alone or with arguments, and no other", async (context) => {
    const { config } = await imported(context, "claude-code", { permissions: { allow: ["Bash(npm test:*)"] } });
    const decided = ["npm test", "npm test -- x", "npm tests", "npm test && rm x", "npm test > x"];
    assert.deepEqual(
      decided.map((command) => decision(config.permissions, command)),
      ["allow", "allow", "ask", "ask", "ask"],
    );
  });

  test("protect files from reading, by commands too", async (context) => {
    const { config } = await imported(context, "claude-code", CLAUDE_CODE["the example of the documentation"] ?? {});
    assert.equal(decision(config.permissions, "cat .env"), "deny");
    assert.equal(decision(config.permissions, "cat secrets/a/b"), "deny");
    const { config: other } = await imported(context, "claude-code", { permissions: { deny: ["Read(~/.ssh/**)"] } });
    assert.equal(decision(other.permissions, "cat ~/.ssh/id"), "deny");
  });

  test("that allow more here are left out, and lost denials are loud and first", async (context) => {
    const { value, notes } = await imported(context, "claude-code", CLAUDE_CODE["files by ending"] ?? {});
    assert.match(notes.split("\n").slice(1, 3).join("\n"), /WARNING: this denial is not taken.*Read\(!keep\.pem\)/);
    assert.match(notes, /allow Edit\(\*\.md\): Deputy's \* would allow more/);
    const allowed = value.permissions.filter(({ then }: PermissionRule) => then === "allow");
    assert.deepEqual(
      allowed.map(({ tool, match }: PermissionRule) => `${tool}: ${match}`),
      ["write_file: docs/*", "edit_file: docs/*"],
    );
  });

  test("with an empty pattern never lose the other rules", async (context) => {
    const deny = ["Bash(:*)", "Read(./)", "Edit(/)", "Bash(rm:*)"];
    const { value, notes } = await imported(context, "claude-code", { permissions: { deny } });
    assert.deepEqual(
      value.permissions.map(({ match }: PermissionRule) => match),
      [undefined, "rm", "rm *"],
    );
    assert.equal(notes.match(/WARNING: this denial/g)?.length, 2);
  });

  test("a gateway's model is not sent to Anthropic", async (context) => {
    const { value, notes } = await imported(context, "claude-code", CLAUDE_CODE["a gateway"] ?? {});
    assert.equal(value.model, undefined);
    assert.match(notes, /model is omitted: env sends it to another endpoint/);
    assert.match(notes, /ANTHROPIC_AUTH_TOKEN/);
  });
});

describe("a config of Codex", () => {
  test("gives its model, effort and provider, with the key by variable", async (context) => {
    const { value } = await imported(context, "codex", CODEX["a gateway"] ?? "");
    const gw = { base_url: "https://gw.example/v1", api_mode: "chat_completions", api_key_env: "GW_KEY" };
    assert.deepEqual(value, { model: "x-1", provider: "gw", providers: { gw } });
    const plain = await imported(context, "codex", CODEX["a model with effort"] ?? "");
    assert.deepEqual(plain.value, { model: "gpt-5.5", provider: "openai", reasoning_effort: "high" });
  });

  test("that only reads makes writing ask, or denies it where nothing is asked", async (context) => {
    const asks = await imported(context, "codex", CODEX["the careful one"] ?? "");
    assert.deepEqual(
      asks.value.permissions.map(({ then }: PermissionRule) => then),
      ["ask", "ask"],
    );
    const denies = await imported(context, "codex", CODEX["a reviewer"] ?? "");
    assert.deepEqual(
      denies.value.permissions.map(({ then }: PermissionRule) => then),
      ["deny", "deny"],
    );
  });

  test("with full access allows nothing", async (context) => {
    const { config, notes } = await imported(context, "codex", CODEX["full access"] ?? "");
    assert.deepEqual([config.permissions, config.delegation.approvals], [[], "ask"]);
    assert.match(notes, /sandbox_mode: danger-full-access is not taken/);
  });
});

describe("a config of opencode", () => {
  test("keeps what wins: there the last rule, here the first", async (context) => {
    const { config } = await imported(context, "opencode", OPENCODE["the example of the documentation"] ?? {});
    const decided = ["git log", "git", "rm x", "npm i", "ls", "git log; rm x"];
    assert.deepEqual(
      decided.map((command) => decision(config.permissions, command)),
      ["allow", "allow", "deny", "allow", "ask", "deny"],
    );
  });

  test("widens what it denies, and leaves out what it cannot allow exactly", async (context) => {
    const { config, notes } = await imported(context, "opencode", OPENCODE["one character"] ?? {});
    assert.deepEqual(
      ["ls -l", "rm -r"].map((command) => decision(config.permissions, command)),
      ["ask", "deny"],
    );
    assert.match(notes, /allow permission\.bash "ls -\?": Deputy has no sign for one character/);
  });

  test("gives an endpoint with its models, and keys by variable", async (context) => {
    const { value } = await imported(context, "opencode", OPENCODE["a lab"] ?? {});
    const models = { qwen3: { context_window: 32768, max_output_tokens: 4096 } };
    const lab = { base_url: "http://127.0.0.1:8000/v1", api_mode: "chat_completions", models };
    assert.deepEqual(value, { model: "qwen3", provider: "lab", providers: { lab } });
    const keys = await imported(context, "opencode", OPENCODE["keys by variable"] ?? {});
    assert.equal(keys.value.providers.anthropic.api_key_env, "MY_KEY");
    assert.deepEqual(keys.value.providers.gw.headers, { "X-Team": "${TEAM}" });
  });
});

describe("the command", () => {
  test("reads a project's files on request, and writes the project's config", async (context) => {
    const home = temporaryDirectory((cleanUp) => context.after(cleanUp));
    mkdirSync(join(home, "work/.claude"), { recursive: true });
    writeFileSync(join(home, "work/.claude/settings.json"), '{"permissions":{"allow":["Bash(make)"]}}');
    writeFileSync(join(home, "work/.claude/settings.local.json"), '{"permissions":{"deny":["Bash(make deploy)"]}}');
    const stage = { cwd: join(home, "work"), env: { HOME: home } };
    assert.equal((await deputy(["config", "import", "claude-code", "--project", "--write"], stage)).code, 0);
    const { permissions } = parse(readFileSync(join(home, "work/.deputy/config.yaml"), "utf8"));
    assert.deepEqual(
      permissions.map(({ match }: PermissionRule) => match),
      ["make deploy", "make"],
    );
  });

  test("names what is wrong, and quotes nothing of the file", async (context) => {
    const home = temporaryDirectory((cleanUp) => context.after(cleanUp));
    const stage = { cwd: home, env: { HOME: home } };
    const none = await deputy(["config", "import", "codex"], stage);
    assert.deepEqual([none.code, /Expected a Codex config at .*there is no such file/.test(none.stderr)], [2, true]);
    writeFileSync(join(home, "bad.toml"), 'key = "sk-abcdefghijklmnopqrstuvwx');
    const bad = await deputy(["config", "import", "codex", "bad.toml"], stage);
    assert.match(bad.stderr, /bad\.toml:1:\d+; it cannot be read: its syntax is wrong there/);
    assert.doesNotMatch(bad.stderr, /sk-a/);
    for (const words of [["codx", "x"], ["codx"]])
      assert.match((await deputy(["config", "import", ...words], stage)).stderr, /Did you mean codex\?/);
  });
});

describe("rules for tools of MCP servers", () => {
  const toolDecision = (rules: readonly PermissionRule[], tool: string) =>
    decidePermission(rules, "ask", tool, { target: "docs/x {}", otherwise: "ask" }).decision;
  const tools = ["mcp__github__get_issue", "mcp__github__delete_repo", "mcp__docs__find", "mcp__docsy__find"];

  test("of Claude Code are taken, for one tool or a whole server", async (context) => {
    const { config } = await imported(context, "claude-code", CLAUDE_CODE["tools of servers"] ?? {});
    const decided = tools.map((tool) => toolDecision(config.permissions, tool));
    assert.deepEqual(decided, ["allow", "deny", "allow", "ask"]);
  });

  test("of opencode are taken for the servers of its config", async (context) => {
    const mcp = { docs: { type: "local", command: ["docs-mcp"] } };
    const written = { mcp, permission: { "docs_*": "allow", docs_delete: "deny", other_find: "deny" } };
    const { config, notes } = await imported(context, "opencode", written);
    const decided = ["mcp__docs__find", "mcp__docs__delete", "mcp__other__find"].map((tool) =>
      toolDecision(config.permissions, tool),
    );
    assert.deepEqual(decided, ["allow", "deny", "ask"]);
    assert.match(notes, /other_find/);
  });
});
