/**
 * Permission rules for paths, and files of secrets, with the real program: what a rule denies reaches no provider
 * through any tool, link, image, note or delegation, and what may be secret is asked for. Files next to them are
 * ordinary files.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { createProviders, launch, stepOf, taskOf } from "../support/end-to-end.ts";
import { TINY_PNG } from "../support/tiny-images.ts";

const base = realpathSync(temporaryDirectory(after));
const SECRET = "hunter2-hunter2";

type Call = { name: string; input: object };

/** A workspace with these files and rules, and a child that makes all of these calls at once and reports the texts. */
async function project(t: TestContext, config: string, files: Record<string, string | Buffer>, calls: Call[]) {
  const said: string[] = [];
  const script = (request: ModelRequest): Turn => {
    if (taskOf(request).includes("nested"))
      return stepOf(request) === 1 ? { toolCalls: [read("a.txt"), grep()] } : { text: "Nested." };
    if (stepOf(request) === 1) return { toolCalls: calls };
    said.push(...saidTo(request));
    return { text: "Done." };
  };
  const providers = await createProviders(["zai"], script);
  t.after(providers.close);
  const home = mkdtempSync(join(base, "home-"));
  const root = join(home, "work");
  const put = (path: string, text: string | Buffer) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  put(".config/deputy/config.yaml", `provider: zai\ndelegation: { max_spawn_depth: 2 }\n${config}\n`);
  put("work/tasks.json", JSON.stringify([{ goal: "look around", role: "orchestrator" }]));
  for (const [path, text] of Object.entries(files)) put(join("work", path), text);
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), ...providers.env };
  const run = async (...flags: string[]) => {
    const { code, stderr } = await launch(["run", "tasks.json", ...flags], { cwd: root, env }).ended;
    assert.equal(code, 0, stderr);
    assert.ok(!JSON.stringify(providers.arrivals.map(({ request }) => request.messages)).includes(SECRET));
    return said;
  };
  const link = (to: string, at: string) => symlinkSync(to, join(root, at));
  return { run, link, providers };
}

function saidTo({ messages }: ModelRequest): string[] {
  return messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));
}

const read = (path: string): Call => ({ name: "read_file", input: { path } });
const grep = (path = "."): Call => ({ name: "grep", input: { pattern: "hunter2|plain", path } });
const glob = (pattern: string, path = "."): Call => ({ name: "glob", input: { pattern, path } });
const list = (path: string): Call => ({ name: "list_dir", input: { path } });
const edit = (path: string): Call => ({ name: "edit_file", input: { path, old_string: "absent", new_string: "x" } });
const write = (path: string): Call => ({ name: "write_file", input: { path, content: "plain" } });
const terminal = (command: string): Call => ({ name: "terminal", input: { command } });
const delegate = (task: object): Call => ({ name: "delegate_task", input: { goal: "nested", ...task } });

test("what a rule for a path denies is shown by no tool, under no name, and through no link", async (t) => {
  const rules = `
permissions:
  - { tool: "*", match: .env, then: deny }
  - { tool: "*", match: "secrets/*", then: deny }
  - { tool: "*", match: .git/config, then: deny }
  - { tool: terminal, match: "cat *", then: allow }`;
  const denied = [
    ...[read(".env"), read("app/.env"), read("secrets/a.txt"), read("app/secrets/b/c.txt"), read("sub/.git/config")],
    ...[read("link"), read("folder/a.txt"), read("again/a.txt"), read("x/../secrets/a.txt"), read("secrets//a.txt")],
    ...[grep(".env"), grep("link"), glob("*", "secrets/a.txt"), edit("secrets/a.txt"), edit("link"), write("app/.env")],
    ...[terminal("cat .env"), terminal("cat secrets/a.txt"), terminal("cat app/../secrets/a.txt")],
  ];
  const searches = [grep(), grep("folder"), glob("**/*"), glob("a*", "folder"), list("secrets"), list("sub/.git")];
  const image = delegate({ images: ["secrets/plan.png"] });
  const { run, link } = await project(
    t,
    rules,
    {
      ...{ ".env": SECRET, "app/.env": SECRET, "secrets/a.txt": SECRET, "app/secrets/b/c.txt": SECRET },
      ...{ "sub/.git/config": SECRET, "secrets/plan.png": TINY_PNG, "notes.txt": "plain\n" },
    },
    [...denied, ...searches, image],
  );
  link("secrets/a.txt", "link");
  link("secrets", "folder");
  link("folder", "again");
  const said = await run();
  for (const [index, call] of denied.entries())
    assert.match(said[index] ?? "", /^Not allowed: the rule .* says deny/, JSON.stringify(call));
  assert.deepEqual(said.slice(denied.length, -1), [
    "notes.txt:1: plain\n[5 files are not shown: a permission rule denies them.]",
    "No matches.\n[2 files are not shown: a permission rule denies them.]",
    "notes.txt\ntasks.json\n[5 files are not shown: a permission rule denies them.]",
    "No matches: no file under secrets matches a*.\n[2 files are not shown: a permission rule denies them.]",
    "[2 files are not shown: a permission rule denies them.]",
    "[1 file is not shown: a permission rule denies it.]",
  ]);
  assert.match(said.at(-1) ?? "", /secrets\/plan\.png.*says deny/);
});

test("a rule reaches a delegation that starts in the denied directory, below it, or behind a link to it", async (t) => {
  const starts = ["secrets", "secrets/deep", "link"];
  const { run, link, providers } = await project(
    t,
    'permissions: [{ tool: "*", match: "secrets/*", then: deny }]',
    { "secrets/a.txt": SECRET, "secrets/deep/a.txt": SECRET, "src/a.txt": "plain" },
    [...starts, "src"].map((workspace) => delegate({ goal: "nested look", workspace })),
  );
  link("secrets", "link");
  await run();
  const found = providers.arrivals.filter(({ request }) => taskOf(request) === "nested look" && stepOf(request) === 2);
  const texts = found.map(({ request }) => saidTo(request).join("\n"));
  assert.equal(texts.filter((text) => /^Not allowed: .*says deny/.test(text)).length, 3, texts.join("\n---\n"));
  assert.equal(texts.filter((text) => text === "1\tplain\na.txt:1: plain").length, 1);
});

test("what usually holds secrets is asked for in every tool, and the child learns what would allow it", async (t) => {
  const asking = [
    ...[read(".env"), read("settings"), grep("tls/server.pem"), edit("id_rsa"), write(".env")],
    ...[terminal("cat .env"), terminal("cat tls/*.pem"), terminal("cat id_rsa notes.txt")],
  ];
  const free = [grep(), glob("*.pem"), list("tls"), read(".env.example"), write("new/.env"), terminal("cat notes.txt")];
  const { run, link, providers } = await project(
    t,
    'permissions: [{ tool: terminal, match: "cat *", then: allow }]',
    {
      ...{
        ".env": SECRET,
        "tls/server.pem": SECRET,
        id_rsa: SECRET,
        ".env.example": "plain\n",
        "notes.txt": "plain\n",
      },
    },
    [...asking, ...free],
  );
  link(".env", "settings");
  link(".env", "AGENTS.md");
  const said = await run();
  for (const [index, call] of asking.entries())
    assert.match(said[index] ?? "", /^Not allowed: .*nobody can answer.*usually holds secrets/, JSON.stringify(call));
  assert.match(said[0] ?? "", /--allow.*no rule such as `read_file: \.env` allows it/);
  assert.deepEqual(said.slice(asking.length), [
    ".env.example:1: plain\nnotes.txt:1: plain\n[3 files hold secrets and are not shown: read one by name to ask for approval.]",
    "tls/server.pem",
    `server.pem (${SECRET.length} bytes)`,
    "1\tplain",
    "Created new/.env (5 bytes).",
    "plain",
  ]);
  assert.doesNotMatch(JSON.stringify(providers.arrivals[0]?.request.messages), /Notes of this project/);
});

test("a rule that names such a file allows it, in a search too", async (t) => {
  const { run } = await project(t, "", { ".env": "plain\n", "app/.env": SECRET }, [
    read("app/.env"),
    read(".env"),
    grep(),
  ]);
  const said = await run("--allow", "read_file: .env");
  assert.deepEqual(said.slice(1), [
    "1\tplain",
    ".env:1: plain\n[1 file holds secrets and is not shown: read it by name to ask for approval.]",
  ]);
  assert.match(said[0] ?? "", /^Not allowed/);
});
