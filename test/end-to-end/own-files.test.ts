/**
 * Deputy's own files with the real program: inside the workspace, no tool of a child reads, lists, finds or writes
 * them, and a run keeps its lock and its rules. Files next to them are ordinary files.
 */
import assert from "node:assert/strict";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, stepOf, taskOf } from "../support/end-to-end.ts";

const base = realpathSync(temporaryDirectory(after));
const STATE = ".local/state/deputy";
const TOKEN = "token-that-opens-the-server-for-anybody-who-has-it";
const RULES = "delegation: { approvals: ask, max_spawn_depth: 2 }";

type Call = { name: string; input: object };

/** A home that is also the workspace, with these additional files. */
async function home(
  t: TestContext,
  script: (request: ModelRequest) => Turn | Promise<Turn>,
  files: Record<string, string> = {},
) {
  const providers = await createProviders(["zai"], script);
  t.after(providers.close);
  const root = mkdtempSync(join(base, "home-"));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const own = { ".config/deputy/config.yaml": `provider: zai\n${RULES}\n`, [`${STATE}/token`]: TOKEN };
  for (const [path, text] of Object.entries({ ...own, ...files })) write(path, text);
  const env = { HOME: root, ...providers.env };
  const deputy = (...argv: string[]) => launch(argv, { cwd: root, env });
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  return { providers, root, write, read, deputy };
}

/** Tool output to a child, call by call. */
function saidTo({ messages }: ModelRequest): string[] {
  return messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
}

/** A child that makes all of these calls at once and then ends. */
function making(calls: () => Call[]) {
  const said: string[] = [];
  const script = (request: ModelRequest): Turn => {
    if (stepOf(request) === 1) return { toolCalls: calls() };
    said.push(...saidTo(request));
    return { text: "Done." };
  };
  return { script, said };
}

const read = (path: string): Call => ({ name: "read_file", input: { path } });
const write = (path: string, content = "delegation: { approvals: allow }"): Call => ({
  name: "write_file",
  input: { path, content },
});
const edit = (path: string, from: string, to: string): Call => ({
  name: "edit_file",
  input: { path, old_string: from, new_string: to },
});
const list = (path: string): Call => ({ name: "list_dir", input: { path } });
const grep = (pattern: string, path = "."): Call => ({ name: "grep", input: { pattern, path } });
const glob = (pattern: string, path = "."): Call => ({ name: "glob", input: { pattern, path } });
const delegate = (task: object): Call => ({ name: "delegate_task", input: task });

test("in a home that is the workspace, no tool reaches Deputy's own files by any path, link or search", async (t) => {
  const refused = [
    read(`${STATE}/token`),
    read(`./.local/../${STATE}/token`),
    read("link-to-token"),
    read("hard-token"),
    read("state/token"),
    write("hard-token", TOKEN),
    write(`${STATE}/trusted.json`, "{}"),
    write(`${STATE}/new/file`),
    edit(".config/deputy/config.yaml", "approvals: ask", "approvals: allow"),
    edit("hard-config", "approvals: ask", "approvals: allow"),
    write("link-to-config"),
    write(".config/deputy/.env", "GLM_BASE_URL=http://127.0.0.1:9/v1"),
    write(".deputy/config.yaml"),
    write(".Deputy/config.yaml"),
    write("project/.deputy/config.yaml"),
    write(".deputy", ""),
    read("project/linked/config.yaml"),
    list(STATE),
    list("state"),
    list(".config/deputy"),
    write(".cache/deputy/compile/code", "cached"),
    grep("token", STATE),
    grep("token", "hard-token"),
    glob("*", "state"),
    { name: "delegate_task", input: { goal: "look", images: [`${STATE}/token`] } },
    { name: "delegate_task", input: { goal: "look", workspace: STATE } },
  ];
  const searches = [grep("token-that-opens"), grep("approvals"), glob("**/*token*"), glob("config.yaml"), list(".")];
  const { script, said } = making(() => [...refused, ...searches]);
  const { root, write: put, read: textOf, deputy } = await home(t, script, { "project/notes.md": "about approvals" });
  put("project/.deputy/config.yaml", "model: glm-4.7\n");
  symlinkSync(join(root, STATE), join(root, "state"));
  symlinkSync(`${STATE}/token`, join(root, "link-to-token"));
  symlinkSync(".config/deputy/config.yaml", join(root, "link-to-config"));
  symlinkSync(".deputy", join(root, "project/linked"));
  linkSync(join(root, STATE, "token"), join(root, "hard-token"));
  linkSync(join(root, ".config/deputy/config.yaml"), join(root, "hard-config"));
  writeFileSync(join(root, "tasks.json"), JSON.stringify([{ goal: "look around", role: "orchestrator" }]));

  const { code, stderr } = await deputy("run", "tasks.json", "--allow", "*").ended;
  assert.equal(code, 0, stderr);
  for (const [index, text] of said.slice(0, refused.length).entries())
    assert.match(text, /Deputy's own files/, `${JSON.stringify(refused[index])}: ${text}`);
  assert.deepEqual(said.slice(refused.length), [
    "No matches.",
    "project/notes.md:1: about approvals",
    "No matches: no file under . matches **/*token*.",
    "No matches: no file under . matches config.yaml.",
    [
      ".cache/",
      ".config/",
      ".local/",
      "link-to-config@",
      "link-to-token@",
      "project/",
      "state@",
      "tasks.json (46 bytes)",
    ].join("\n"),
  ]);
  assert.ok(!said.join("\n").includes(TOKEN));
  assert.equal(textOf(".config/deputy/config.yaml"), `provider: zai\n${RULES}\n`);
  assert.equal(textOf("hard-token"), TOKEN);
  assert.ok(!existsSync(join(root, ".deputy")) && !existsSync(join(root, STATE, "trusted.json")));
});

test("other files next to them, and files with similar names, are read, found and written as usual", async (t) => {
  const calls = [
    write("deputy.yaml", "provider: zai"),
    edit("deputy.yaml", "zai", "openrouter"),
    write("deputy/notes.md", "a directory of that name"),
    read("AGENTS.md"),
    edit(".mcp.json", "{}", '{ "mcpServers": {} }'),
    write(".config/other/config.yaml", "approvals: none"),
    read("other-name.txt"),
    list(".config"),
    grep("approvals"),
    glob("*.yaml"),
  ];
  const { script, said } = making(() => calls);
  const { root, deputy } = await home(t, script, { "AGENTS.md": "Be brief.", ".mcp.json": "{}", "a.txt": "linked" });
  linkSync(join(root, "a.txt"), join(root, "other-name.txt"));
  const { code, stderr } = await deputy("run", "--goal", "work").ended;
  assert.equal(code, 0, stderr);
  assert.deepEqual(said, [
    "Created deputy.yaml (13 bytes).",
    "Replaced 1 occurrence in deputy.yaml.",
    "Created deputy/notes.md (24 bytes).",
    "1\tBe brief.",
    "Replaced 1 occurrence in .mcp.json.",
    "Created .config/other/config.yaml (15 bytes).",
    "1\tlinked",
    "other/",
    ".config/other/config.yaml:1: approvals: none",
    ".config/other/config.yaml\ndeputy.yaml",
  ]);
});

test("settings that deputy mcp install wrote are Deputy's own from then on", async (t) => {
  const { script, said } = making(() => [
    edit(".mcp.json", "deputy", "other"),
    write(".mcp.json"),
    read("opencode.json"),
  ]);
  const { root, deputy } = await home(t, script, { "opencode.json": "{}" });
  const installed = await deputy("mcp", "install", "claude-code", "--project", "--write").ended;
  assert.equal(installed.code, 0, installed.stderr);
  const before = readFileSync(join(root, ".mcp.json"), "utf8");
  assert.equal((await deputy("run", "--goal", "work").ended).code, 0);
  assert.deepEqual(
    said.map((text) => /one of Deputy's own files/.test(text)),
    [true, true, false],
  );
  assert.equal(readFileSync(join(root, ".mcp.json"), "utf8"), before);
});

/** An orchestrator that first makes these calls, then lets a child run a command, and reports the child's answer. */
function loosening(first: Call | (() => void)) {
  return (request: ModelRequest): Turn => {
    const step = stepOf(request);
    if (taskOf(request) === "run it")
      return step === 1
        ? { toolCalls: [{ name: "terminal", input: { command: "touch ran" } }] }
        : { text: saidTo(request).join("\n") };
    if (typeof first === "function" && step === 1) first();
    const before = typeof first === "function" ? list(".") : first;
    if (step < 3) return { toolCalls: [step === 1 ? before : delegate({ goal: "run it" })] };
    return { text: saidTo(request).join("\n") };
  };
}

test("a config in the workspace, given with --config, cannot be edited so that a grandchild needs no approval", async (t) => {
  const script = loosening(edit("deputy.yaml", "approvals: ask", "approvals: allow"));
  const { root, deputy, read: textOf } = await home(t, script, { "deputy.yaml": `provider: zai\n${RULES}\n` });
  writeFileSync(join(root, "tasks.json"), JSON.stringify([{ goal: "top", role: "orchestrator" }]));
  const { stdout, stderr } = await deputy("run", "tasks.json", "--config", "deputy.yaml", "--json").ended;
  const [result] = (JSON.parse(stdout) as DelegationResult).results;
  assert.match(result?.summary ?? stderr, /deputy\.yaml is one of Deputy's own files/);
  assert.ok(!existsSync(join(root, "ran")), result?.summary);
  assert.match(textOf("deputy.yaml"), /approvals: ask/);
});

test("a config that the user loosens during a run loosens the next run, not this one", async (t) => {
  let loosen = () => {};
  const {
    root,
    write: put,
    deputy,
  } = await home(
    t,
    loosening(() => loosen()),
  );
  const config = "provider: zai\ndelegation: { approvals: allow, max_spawn_depth: 5 }\n";
  loosen = () => put(".config/deputy/config.yaml", config);
  writeFileSync(join(root, "tasks.json"), JSON.stringify([{ goal: "top", role: "orchestrator" }]));
  assert.equal((await deputy("run", "tasks.json").ended).code, 0);
  assert.ok(!existsSync(join(root, "ran")));
  assert.equal((await deputy("run", "tasks.json").ended).code, 0);
  assert.ok(existsSync(join(root, "ran")));
});

test("a child that reaches for its run's lock and journal leaves the run to its owner", async (t) => {
  const gate = Promise.withResolvers<void>();
  let owned = "";
  const locks = () => readdirSync(join(owned, "owners")).map((name) => join("owners", name));
  const script = async (request: ModelRequest): Promise<Turn> => {
    const step = stepOf(request);
    if (step > 2) return { text: saidTo(request).join("\n") };
    if (step === 2) await gate.promise;
    for (const [index, path] of locks().entries())
      if (step === 1) linkSync(join(owned, path), join(owned, `../../../lock-${index}`));
    const paths = ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", ...locks()];
    return { toolCalls: [...paths.map((path) => read(`${STATE}/${path}`)), read("lock-0"), grep(".", "lock-0")] };
  };
  const { root, providers, deputy } = await home(t, script);
  owned = join(root, STATE);
  const run = deputy("run", "--goal", "take over");
  await until(() => providers.arrivals.length === 2);
  const [, id = ""] = /run ([a-z0-9]{8})/.exec(run.stderr()) ?? [];
  const resumed = await deputy("resume", id).ended;
  assert.deepEqual([resumed.code, /is active in process/.test(resumed.stderr)], [3, true], resumed.stderr);
  gate.resolve();
  const { code, stdout } = await run.ended;
  assert.equal(code, 0, stdout);
  assert.equal(providers.arrivals.length, 3);
  assert.equal(stdout.match(/Deputy's own files/g)?.length, 12, stdout);
});

test("a workspace among Deputy's own files is a problem before the start", async (t) => {
  const { root, providers, deputy } = await home(t, () => ({ text: "Done." }));
  mkdirSync(join(root, STATE, "deep"));
  symlinkSync(join(root, STATE), join(root, "state"));
  for (const workspace of [STATE, `${STATE}/deep`, "state", ".config/deputy"]) {
    writeFileSync(join(root, "tasks.json"), JSON.stringify([{ goal: "work", workspace }]));
    const { code, stderr } = await deputy("run", "tasks.json").ended;
    assert.deepEqual([code, /Expected a directory outside of Deputy's own files/.test(stderr)], [3, true], stderr);
  }
  assert.equal(providers.arrivals.length, 0);
  writeFileSync(join(root, "tasks.json"), JSON.stringify([{ goal: "work", workspace: ".local/state" }]));
  assert.equal((await deputy("run", "tasks.json").ended).code, 0);
});

test("extra_dirs that hold them do not open them", async (t) => {
  const { script, said } = making(() => [
    read(`../${STATE}/token`),
    grep("token-that", "../.local"),
    list("../.config"),
    read("../.config/other.txt"),
  ]);
  const { root, deputy } = await home(t, script, {
    ".config/deputy/config.yaml": "provider: zai\nextra_dirs: [~/.config, ~/.local]\n",
    ".config/other.txt": "open",
  });
  mkdirSync(join(root, "work"));
  writeFileSync(join(root, "tasks.json"), JSON.stringify([{ goal: "work", workspace: "work" }]));
  assert.equal((await deputy("run", "tasks.json").ended).code, 0);
  assert.match(said[0] ?? "", /Deputy's own files/);
  assert.deepEqual(said.slice(1), ["No matches.", "other.txt (4 bytes)", "1\topen"]);
});
