/**
 * Keys appear only in requests to their own provider: not in what Deputy prints or stores, and not where a child's
 * command can read them, even though the providers repeat the keys in every way they can.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Fault, ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, type Providers, processesWith, taskOf } from "../support/end-to-end.ts";

/** Everything readable of the parent processes, Deputy first, and of Deputy's config; stored in files, not printed. */
const SPY = [
  `env > spied-environment.txt`,
  "pid=$$",
  `while [ "$pid" -gt 1 ]; do cat /proc/$pid/environ /proc/$pid/cmdline >> spied-processes.txt`,
  `pid=$(sed 's/.*) . //; s/ .*//' /proc/$pid/stat); done; echo looked around`,
].join("; ");

/** The key of a request and any secret header, as their provider reads them. */
function keysOf({ headers }: ModelRequest): string {
  return (JSON.stringify(headers).match(/sk-[a-z]+-[0-9a-f]{40}/g) ?? []).toSorted().join(" ");
}

function response(status: number, body: string, headers: Record<string, string> = {}): Fault {
  return { kind: "response", status, body, headers: { "content-type": "application/json", ...headers } };
}

function complaint(key: string, type = "invalid_request_error"): string {
  return JSON.stringify({ type: "error", error: { message: `Incorrect API key provided: ${key}.`, type, code: type } });
}

/** Each task's answer from a provider that knows the key. */
const ANSWERS: Record<string, (key: string, request: ModelRequest) => Turn> = {
  "look around": (_, { messages }) =>
    messages.length > 1 ? { text: "Nothing found." } : { toolCalls: [{ name: "terminal", input: { command: SPY } }] },
  "read the config": (_, { messages }) =>
    messages.length > 1
      ? { text: messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text)).join("\n") }
      : { toolCalls: [{ name: "terminal", input: { command: "cat ../config.yaml ../.env" } }] },
  "say the key": (key) => ({ text: `You are ${key}, are you not? ${key}`, reasoning: `The key is ${key}.` }),
  "write the key": (key, { messages }) =>
    messages.length > 1
      ? { text: "Written." }
      : { toolCalls: [{ name: "write_file", input: { path: `${key}.txt`, content: key } }] },
  "refuse the key": (key) => ({ fault: response(401, complaint(key)) }),
  "refuse the key at length": (key) => ({ fault: response(401, complaint(`${"very ".repeat(70)}wrong: ${key}`)) }),
  "want money": (key) => ({ fault: response(402, complaint(key, "insufficient_quota")) }),
  "find a mistake": (key) => ({ fault: response(400, complaint(key)) }),
  "forbid with a page": (key) => ({
    fault: response(403, `<h1>Forbidden: ${key}</h1>`, { "content-type": "text/html" }),
  }),
  "send away": (key) => ({ fault: { kind: "redirect", location: `http://127.0.0.1:9/?key=${key}` } }),
  "break off": (key) => ({ text: `I see ${key}. And then more. And more.`, fault: { kind: "no-end", afterDeltas: 7 } }),
  "fail halfway": (key) => ({
    text: `Here is ${key}, as I said before.`,
    fault: { kind: "error-event", afterDeltas: 7, error: { kind: "unauthorized" } },
  }),
  "call itself by the key": (key) => ({ text: "It is me.", servedModel: key }),
};

const GOALS = Object.keys(ANSWERS);
const SLUGS = ["zai", "anthropic", "openai", "gemini", "xai"] as const;

describe("no key is found", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);
  const [workspace, state, output] = ["workspace", "state", "output"].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ];
  const keys: Record<string, string> = {};
  for (const name of ["header", "spare"]) keys[name] = `sk-${name}-${randomBytes(20).toString("hex")}`;
  const printed: Record<string, string> = {};
  let providers: Providers;
  let rawJournal: Buffer[];

  before(async () => {
    const gate = Promise.withResolvers<void>();
    const script = async (request: ModelRequest): Promise<Turn> => {
      if (taskOf(request) === "wait") await gate.promise;
      return ANSWERS[taskOf(request)]?.(keysOf(request), request) ?? { text: "Done." };
    };
    providers = await createProviders(SLUGS, script, { zai: { LAB_SPARE: String(keys.spare) } });
    Object.assign(keys, providers.keys);
    mkdirSync(workspace);

    // Keys from every possible source: a variable, one with an unsuspicious name, a .env, the config itself, a pool of
    // both, a command.
    const { GLM_API_KEY: _, OPENAI_API_KEY: __, GEMINI_API_KEY: ___, XAI_API_KEY: ____, ...env } = providers.env;
    const config = `
provider: anthropic
terminal: { sandbox: off }
providers:
  openai: { base_url: "\${OPENAI_BASE_URL}", api_key: "\${LAB_ACCESS}", headers: { x-team: "\${TEAM_PASS}" } }
  gemini: { base_url: "\${GEMINI_BASE_URL}", api_key_env: LAB_DOOR }
  zai: { base_url: "\${GLM_BASE_URL}", api_key: ${keys.zai}, api_keys: ["\${LAB_POOL}"] }
  xai: { base_url: "\${XAI_BASE_URL}", api_key_command: [cat, ${join(home, "xai-door.txt")}] }
`;
    writeFileSync(join(home, "config.yaml"), config);
    writeFileSync(join(home, ".env"), `LAB_DOOR=${keys.gemini}\n`);
    writeFileSync(join(home, "xai-door.txt"), `${keys.xai}\n`);
    const tasks = SLUGS.flatMap((provider) => GOALS.map((goal) => ({ goal, provider, model: "some-model" })));
    const places = tasks.map((task, index) => ({ ...task, workspace: join(workspace, String(index)) }));
    for (const { workspace: place } of places) mkdirSync(place);
    writeFileSync(join(home, "tasks.json"), JSON.stringify([...places, { goal: "wait", model: "some-model" }]));

    const surroundings = {
      cwd: home,
      env: {
        ...env,
        HOME: home,
        DEPUTY_STATE_DIR: state,
        DEPUTY_CONFIG: join(home, "config.yaml"),
        LAB_ACCESS: String(keys.openai),
        LAB_POOL: String(keys.spare),
        TEAM_PASS: String(keys.header),
      },
    };
    const start = (...argv: string[]) => launch(argv, surroundings);
    const run = start("run", "tasks.json", "--allow", "terminal: *", "-c", "64", "--ndjson", "--verbose", "-o", output);
    const ended = () => run.stdout().split('"kind":"child-end"').length - 1;
    await until(() => ended() === places.length || run.isOver());
    run.child.kill("SIGKILL");
    const killed = await run.ended;
    await until(() => processesWith(`DEPUTY_STATE_DIR=${state}\0`).length === 0);
    rawJournal = readdirSync(state)
      .map((name) => join(state, name))
      .filter((path) => statSync(path).isFile())
      .map((path) => readFileSync(path));
    Object.assign(printed, { run: killed.stdout + killed.stderr });
    assert.equal(ended(), places.length, killed.stderr);

    gate.resolve();
    const [{ delegation_id: id = "" } = {}] = JSON.parse((await start("runs", "--json").ended).stdout);
    const commands: string[][] = [
      ["resume", id, "--json", "--verbose", "--allow", "terminal: *", "-o", output],
      ["run", "--goal", "refuse the key", "--model", "some-model", "--provider", "zai"],
      ["show", id],
      ["show", id, "--json"],
      ...["say the key", "write the key", "refuse the key at length", "fail halfway"].map((goal) => [
        "show",
        `${id}.${GOALS.indexOf(goal) + 1}`,
      ]),
      ["runs"],
      ["doctor"],
      ["config", "show"],
      ["models"],
      ["run", "tasks.json", "--dry-run", "--json"],
    ];
    await Promise.all(
      commands.map(async (command) => {
        const { stdout, stderr, code } = await start(...command).ended;
        assert.ok(code === 0 || code === 1, stderr);
        printed[command.join(" ")] = stdout + stderr;
      }),
    );
    providers.checkScripts();
    // The keys did arrive, so they could have been found below.
    for (const slug of SLUGS) {
      const arrived = new Set(providers.server(slug).requests.map(keysOf));
      const own = slug === "openai" ? [`${keys.header} ${keys.openai}`] : [keys[slug]];
      assert.deepEqual([...arrived].toSorted(), [...(slug === "zai" ? [keys.spare] : []), ...own]);
    }
  });

  after(() => providers.close());

  test("in what is printed", () => {
    assert.match(printed.run ?? "", /Incorrect API key provided/);
    for (const [command, text] of Object.entries(printed)) assert.deepEqual(keysIn(text), [], command);
  });

  test("in the journal, its log and whatever else is kept in the state directory", () => {
    assert.ok(rawJournal.length >= 2);
    for (const bytes of rawJournal) assert.deepEqual(keysIn(bytes.toString("latin1")), []);
    assert.deepEqual(keysIn(textsBelow(state)), []);
  });

  test("in the results that are written to files", () => {
    assert.deepEqual(keysIn(textsBelow(output)), []);
  });

  test("in the environment or the arguments of any process above a command", (t) => {
    const spied = textsBelow(workspace, "spied-processes.txt");
    if (process.platform !== "linux") return t.skip("there is no /proc to look at");
    assert.match(spied, /deputy\.mjs\0run\0tasks\.json\0/);
    assert.match(spied, /\0HOME=/);
    assert.deepEqual(keysIn(spied), []);
  });

  test("in the environment of a command", () => {
    const spied = textsBelow(workspace, "spied-environment.txt");
    assert.match(spied, /^HOME=/m);
    assert.deepEqual(keysIn(spied), []);
    assert.doesNotMatch(spied, /LAB_ACCESS|LAB_POOL|TEAM_PASS|ANTHROPIC_API_KEY/);
  });

  /** Names of the keys of which a text contains a recognizable part. */
  function keysIn(text: string): string[] {
    const parts = (key: string) => Array.from({ length: key.length - 11 }, (_, from) => key.slice(from, from + 12));
    return Object.keys(keys).filter((name) => parts(keys[name]?.slice(-40) ?? "").some((part) => text.includes(part)));
  }
});

/** The bytes of every file below a directory, or of those with one name. */
function textsBelow(directory: string, name?: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && (name === undefined || entry.name === name))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"))
    .join("\n");
}
