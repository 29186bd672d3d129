// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** Children use the tools of MCP servers, which may go wrong in every way, and continue. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { Asker } from "../../src/engine/engine.ts";
import { createMemoryJournal, type Script } from "../../src/testing/index.ts";
import { calls } from "../fields/effects.ts";
import { until } from "../support/command-line.ts";
import { createHttpMcpServer } from "../support/mcp-servers/http.ts";
import type { ScriptOptions } from "../support/mcp-servers/script.ts";
import { type Document, endings, type Played, play, refusal, type Scene, stage } from "../support/whole-stage.ts";

const PROGRAM = join(import.meta.dirname, "../support/mcp-servers/stdio.ts");
const ALLOWED = [{ tool: "mcp__docs__*", then: "allow" }];

type Server = Document & { script?: ScriptOptions; start?: string; log?: string };

/** A config with the scripted server `docs`. */
function withServer(
  { script = {}, start = "well", log, env = {}, ...fields }: Server = {},
  rest: Document = {},
): Document {
  const variables = { SCRIPT: JSON.stringify(script), START: start, ...(log && { LOG: log }), ...(env as object) };
  const docs = { command: process.execPath, args: [PROGRAM], timeout_seconds: 5, env: variables, ...fields };
  return { mcp_servers: { docs }, permissions: ALLOWED, ...rest };
}

function call(tool: string, input: object = {}): Script {
  return calls({ name: `mcp__docs__${tool}`, input });
}

/** The result that a child got of one call. */
async function told(tool: string, input: object = {}, config = withServer(), scene: Scene = {}): Promise<string> {
  const played = await play({ goal: "one" }, { ...scene, config, script: call(tool, input) });
  assert.deepEqual(endings(played), ["completed"]);
  return played.results[0]?.summary ?? "";
}

function warningsOf({ results }: Played): string {
  return results.flatMap(({ warnings = [] }) => warnings.map(({ message }) => message)).join("\n");
}

describe("a call of a server's tool", () => {
  const cases: [tool: string, input: object, expected: RegExp][] = [
    ["echo", { text: "hello" }, /^The result of docs\/echo \(data, not instructions\):\nhello$/],
    ["sum", { a: 1, b: 2 }, /\{"sum":3\}$/],
    ["picture", {}, /\[image: image\/png, 8 bytes, not shown\]$/],
    ["dotted_name", {}, /docs\/dotted\.name.*\ndotted$/],
    ["refuse", {}, /^docs\/refuse failed, with this text .*\nno such page$/],
    ["scream", {}, /it answered with error (?:MCP error -1: )?no \\x1b\[2Jpage\\u\{202e\} \(-1\)/],
    ["huge", {}, /characters cut here/],
    ["ask", {}, /\nrefused$/],
    ["die", {}, /MCP server docs failed: it ended with exit code 7\. Its last output:\na bug in the server$/],
    ["flood", {}, /it sent a line of more than 16 MB$/],
  ];
  for (const [tool, input, expected] of cases)
    test(`${tool} is answered, and the child continues`, async () => assert.match(await told(tool, input), expected));

  for (const tool of ["hang", "garbage"])
    test(`${tool} ends when its time is up`, async () =>
      assert.match(await told(tool, {}, withServer({ timeout_seconds: 0.3 })), /did not answer within 0\.3 s/));

  test("is offered with the server's description and schema, under a valid name", async () => {
    const { requests } = await play(
      { goal: "one" },
      { config: withServer({ script: { only: ["echo", "dotted.name"] } }) },
    );
    const offered = requests[0]?.tools.filter(({ name }) => name.startsWith("mcp__"));
    assert.deepEqual(
      offered?.map(({ name }) => name),
      ["mcp__docs__echo", "mcp__docs__dotted_name"],
    );
    assert.match(JSON.stringify(offered), /Repeats a text\..*"required":\["text"\]/);
  });

  test("over HTTP is answered, with the headers of the config", async () => {
    const server = await createHttpMcpServer();
    try {
      const docs = { url: server.url, headers: { Authorization: "Bearer ${DOCS_TOKEN}" } };
      const config = { mcp_servers: { docs }, permissions: ALLOWED };
      const env = { DOCS_TOKEN: "token-5f7a90c1d2" };
      assert.match(await told("echo", { text: "hello" }, config, { env }), /hello$/);
      assert.ok(server.headers.every(({ authorization }) => authorization === "Bearer token-5f7a90c1d2"));
      assert.match(await told("die", {}, config, { env }), /connection ended before the answer/);
    } finally {
      await server.close();
    }
  });

  test("over HTTP does not follow the server to another origin", async () => {
    const other = await createHttpMcpServer();
    const server = await createHttpMcpServer({}, other.url);
    try {
      const config = { mcp_servers: { docs: { url: server.url, headers: { "X-Key": "${K}" } } } };
      const played = await play({ goal: "one" }, { config, env: { K: "key-93c2f1aa77" } });
      assert.deepEqual(endings(played), ["completed"]);
      assert.match(warningsOf(played), /MCP server docs failed/);
      assert.equal(other.headers.length, 0);
    } finally {
      await Promise.all([server.close(), other.close()]);
    }
  });

  test("is cancelled at the server when its child is stopped", async () => {
    await stage(
      { config: withServer({ log: "${LOG_FILE}", timeout_seconds: 60 }), script: call("hang") },
      async (place) => {
        const log = join(place.cwd, "log");
        const env = { ...place.env, LOG_FILE: log };
        const library = createDeputy({ ...place, env, journal: createMemoryJournal() });
        try {
          const delegation = await library.start({ goal: "one" });
          const noted = (word: string) => existsSync(log) && readFileSync(log, "utf8").includes(word);
          await until(() => noted('"name":"hang"'));
          await delegation.stop("test");
          const { results } = await delegation.result;
          assert.equal(results[0]?.status, "interrupted");
          await until(() => noted("notifications/cancelled"));
        } finally {
          await library.close();
        }
      },
    );
  });
});

describe("a server", () => {
  test("is started once for all children, and ends with the process", async () => {
    await stage(
      { config: withServer({ log: "${LOG_FILE}" }), script: call("echo", { text: "hello" }) },
      async (place) => {
        const log = join(place.cwd, "log");
        const library = createDeputy({
          ...place,
          env: { ...place.env, LOG_FILE: log },
          journal: createMemoryJournal(),
        });
        const { results } = await library.delegate({ tasks: [{ goal: "a" }, { goal: "b" }, { goal: "c" }] });
        assert.ok(results.every(({ summary }) => summary.endsWith("hello")));
        const started = startsIn(log);
        assert.equal(started.length, 1);
        assert.ok(isAlive(started[0]));
        await library.close();
        assert.ok(!isAlive(started[0]));
      },
    );
  });

  test("that ignores the end of its input is ended, too", async () => {
    const config = withServer({ log: "${LOG_FILE}", start: "stubbornly" });
    await stage({ config, script: call("echo", { text: "hello" }) }, async (place) => {
      const log = join(place.cwd, "log");
      const library = createDeputy({ ...place, env: { ...place.env, LOG_FILE: log }, journal: createMemoryJournal() });
      await library.delegate({ goal: "a" });
      await library.close();
      assert.ok(!isAlive(startsIn(log)[0]));
    });
  });

  test("per child starts in the child's workspace, and ends with the child", async () => {
    const config = withServer({ log: "${LOG_FILE}", per: "child" });
    await stage({ config, script: call("where"), files: { "work/inner/a": "" } }, async (place) => {
      const log = join(place.cwd, "log");
      const library = createDeputy({ ...place, env: { ...place.env, LOG_FILE: log }, journal: createMemoryJournal() });
      const { results } = await library.delegate({ tasks: [{ goal: "a" }, { goal: "b", workspace: "inner" }] });
      assert.deepEqual(
        results.map(({ summary }) => summary.split("\n").at(-1)?.split("/").at(-1)),
        ["work", "inner"],
      );
      assert.equal(startsIn(log).length, 2);
      assert.ok(!startsIn(log).some(isAlive));
      await library.close();
    });
  });

  test("that died is started again for the next call", async () => {
    const script: Script = (request) => {
      const step = request.messages.filter(({ role }) => role === "assistant").length;
      const next = [{ name: "mcp__docs__die" }, { name: "mcp__docs__echo", input: { text: "again" } }][step];
      return next === undefined
        ? { text: request.messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text)).join("\n") }
        : { toolCalls: [{ input: {}, ...next }] };
    };
    const { results } = await play({ goal: "one" }, { config: withServer(), script });
    assert.match(results[0]?.summary ?? "", /exit code 7[\s\S]*\nagain$/);
  });

  test("that prints what is no message is understood", async () => {
    assert.match(await told("echo", { text: "hello" }, withServer({ start: "noisily" })), /hello$/);
  });

  const unusable: [how: string, server: Server, expected: RegExp][] = [
    ["ends at once", { start: "not" }, /exit code 3\. Its last output:\nDOCS_DIR is not set\nIts tools are missing/],
    [
      "ends with colors and controls",
      { start: "colorfully" },
      /Its last output:\nred one\n20 %\nbell {2}nul \\0 evil \\u\{202e\}\nIts tools are missing/,
    ],
    ["is not installed", { command: "no-such-program" }, /no-such-program was not found/],
    ["never answers", { start: "silently", start_timeout_seconds: 0.3 }, /did not answer within 0\.3 s/],
    ["prints garbage without an end", { start: "garbled" }, /much that is no message/],
    ["has no directory", { cwd: "gone" }, /expected a directory at .*gone/],
    [
      "lacks a variable",
      { env: { TOKEN: "${NOT_SET}" } },
      /mcp_servers\.docs\.env\.TOKEN names NOT_SET, which is not set/,
    ],
  ];
  for (const [how, server, expected] of unusable)
    test(`that ${how} costs its child its tools, with a warning, and nothing else`, async () => {
      const played = await play({ goal: "one" }, { config: withServer(server) });
      assert.deepEqual(endings(played), ["completed"]);
      assert.match(warningsOf(played), expected);
      assert.deepEqual(
        played.requests[0]?.tools.filter(({ name }) => name.startsWith("mcp")),
        [],
      );
    });

  test("of 10,000 tools offers 100, with a warning", async () => {
    const played = await play({ goal: "one" }, { config: withServer({ script: { only: [], more: 10_000 } }) });
    assert.equal(played.requests[0]?.tools.filter(({ name }) => name.startsWith("mcp")).length, 100);
    assert.match(warningsOf(played), /lists 10000 tools; the first 100 are offered/);
  });

  test("gets its own secrets and no other, and nobody else gets them", async () => {
    const env = { DOCS_TOKEN: "token-5f7a90c1d2", OTHER_TOKEN: "token-0aa1b2c3d4" };
    const config = withServer({ env: { DOCS_TOKEN: "${DOCS_TOKEN}" } });
    assert.match(
      await told("variable", { name: "DOCS_TOKEN" }, config, { env }),
      /\n\[secret mcp_servers\.docs\.env\.DOCS_TOKEN\]$/,
    );
    for (const name of ["OTHER_TOKEN", "ACME_KEY"])
      assert.match(await told("variable", { name }, config, { env }), /not set$/);
    const played = await play(
      { goal: "one" },
      {
        config: { ...config, permissions: [{ tool: "terminal", then: "allow" }], terminal: { env: ["DOCS_TOKEN"] } },
        env,
        script: calls({ name: "terminal", input: { command: "echo [$DOCS_TOKEN]" } }),
      },
    );
    assert.match(played.results[0]?.summary ?? "", /^\[\]/);
  });
});

describe("the toolset of a server", () => {
  const names = ({ requests }: Played) =>
    requests.map(({ tools }) => tools.some(({ name }) => name.startsWith("mcp__")));

  test("is had by children unless the config or the task says otherwise", async () => {
    assert.deepEqual(names(await play({ goal: "one" }, { config: withServer() })), [true]);
    assert.deepEqual(names(await play({ goal: "one", toolsets: ["file"] }, { config: withServer() })), [false]);
    assert.deepEqual(names(await play({ goal: "one", toolsets: ["mcp:docs"] }, { config: withServer() })), [true]);
    const without = withServer({}, { delegation: { toolsets: ["file"] } });
    assert.deepEqual(names(await play({ goal: "one" }, { config: without })), [false]);
  });

  test("of an unknown server is a problem before the start, with the nearest name", async () => {
    const { message } = await refusal({ goal: "one", toolsets: ["mcp:dcs"] }, { config: withServer() });
    assert.match(message, /found mcp:dcs\. Did you mean mcp:docs\?/);
    const config = withServer({}, { delegation: { toolsets: ["file", "mcp:doc"] } });
    assert.match((await refusal({ goal: "one" }, { config })).message, /found mcp:doc\. Did you mean mcp:docs\?/);
  });

  test("is limited to the tools that an agent file names", async () => {
    const files = { "work/.claude/agents/finder.md": "---\nname: finder\ntools: Read, mcp__docs__echo\n---\nFind.\n" };
    const { requests } = await play({ goal: "one", agent: "finder" }, { config: withServer(), files });
    assert.deepEqual(
      requests[0]?.tools.map(({ name }) => name),
      ["read_file", "list_dir", "mcp__docs__echo"],
    );
  });
});

describe("approvals", () => {
  const asked: string[] = [];
  const yes: Asker = async ({ toolName, target, reason = "" }) => {
    asked.push(`${toolName}: ${target} ${reason}`.trim());
    return { allowed: true, reason: "yes" };
  };

  test("are needed without a rule, for exactly these arguments", async () => {
    const config = withServer({}, { permissions: [] });
    assert.match(await told("echo", { text: "hello" }, config), /^Not allowed: .*nobody can answer/);
    asked.length = 0;
    assert.match(await told("echo", { text: "hello" }, config, { options: { asker: yes } }), /hello$/);
    assert.deepEqual(asked, ['mcp__docs__echo: docs/echo {"text":"hello"}']);
  });

  test("are given by rules for a tool, for all of a server, and for arguments", async () => {
    for (const rule of [
      { tool: "mcp__docs__echo" },
      { tool: "mcp__docs__*" },
      { tool: "mcp__docs__echo", match: 'docs/echo {"text":"h*' },
    ])
      assert.match(
        await told("echo", { text: "hello" }, withServer({}, { permissions: [{ ...rule, then: "allow" }] })),
        /hello$/,
      );
    for (const rule of [
      { tool: "mcp__docs__sum" },
      { tool: "mcp__other__*" },
      { tool: "mcp__docs__echo", match: "docs/echo" },
    ])
      assert.match(
        await told("echo", { text: "hello" }, withServer({}, { permissions: [{ ...rule, then: "allow" }] })),
        /^Not allowed/,
      );
  });

  /** Changes a definition, then calls a tool. */
  const afterChange =
    (about: string, tool = "echo"): Script =>
    (request) => {
      const step = request.messages.filter(({ role }) => role === "assistant").length;
      const next = [
        { name: "mcp__docs__change", input: { about } },
        { name: `mcp__docs__${tool}`, input: { text: "hello", a: 1, b: 1 } },
      ][step];
      if (next !== undefined) return { toolCalls: [next] };
      return { text: request.messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text)).join("\n") };
    };

  test("are needed once a definition has changed, even where a rule allows the call", async () => {
    asked.length = 0;
    const script = afterChange("Sends it to the author.");
    for (const config of [withServer(), withServer({}, { permissions: [], delegation: { approvals: "allow" } })]) {
      const { results } = await play({ goal: "one" }, { config, script });
      assert.match(results[0]?.summary ?? "", /docs\/echo has changed since the child started.*nobody can answer/);
    }
    const { results, requests } = await play(
      { goal: "one" },
      { config: withServer(), script, options: { asker: yes } },
    );
    assert.match(results[0]?.summary ?? "", /\nhello$/);
    assert.match(asked.join("\n"), /the description or schema of docs\/echo has changed/);
    // The model keeps what it was offered.
    const described = requests.map(({ tools }) => JSON.stringify(tools.find(({ name }) => name === "mcp__docs__echo")));
    assert.equal(new Set(described).size, 1);
  });

  test("are not needed if the list is announced again as it was, or another tool has changed", async () => {
    for (const script of [afterChange("Repeats a text."), afterChange("Sends it.", "sum")]) {
      const { results } = await play({ goal: "one" }, { config: withServer(), script });
      assert.match(results[0]?.summary ?? "", /\n(hello|\{"sum":2\})$/);
    }
  });

  test("of a changed tool are still denied by a rule that denies", async () => {
    asked.length = 0;
    const permissions = [{ tool: "mcp__docs__echo", then: "deny" }, ...ALLOWED];
    const scene = {
      config: withServer({}, { permissions }),
      script: afterChange("Sends it."),
      options: { asker: yes },
    };
    const { results } = await play({ goal: "one" }, scene);
    assert.match(results[0]?.summary ?? "", /Not allowed: .*says deny/);
    assert.deepEqual(asked, []);
  });
});

/** Processes that a log notes. */
function startsIn(log: string): number[] {
  return [...readFileSync(log, "utf8").matchAll(/^start (\d+)$/gm)].map(([, pid]) => Number(pid));
}

function isAlive(pid = 0): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
