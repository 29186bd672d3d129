// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** The config's settings for the MCP servers of children. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createHttpMcpServer } from "../support/mcp-servers/http.ts";
import { type Document, type Played, play, type Scene } from "../support/whole-stage.ts";
import { calls, type Effects } from "./effects.ts";

const PROGRAM = join(import.meta.dirname, "../support/mcp-servers/stdio.ts");
const DOCS: Document = { command: process.execPath, args: [PROGRAM] };

function task(docs: Document, scene: Scene = {}): Promise<Played> {
  const config = { mcp_servers: { docs }, permissions: [{ tool: "mcp__*", then: "allow" }] };
  return play({ goal: "one" }, { ...scene, config });
}

/** What a child was told by one tool of the server. */
async function told(docs: Document, tool: string, input: object = {}, scene: Scene = {}): Promise<string> {
  const script = calls({ name: `mcp__docs__${tool}`, input });
  return (await task(docs, { ...scene, script })).results[0]?.summary ?? "";
}

async function offered(docs: Document): Promise<string[]> {
  const names = (await task(docs)).requests[0]?.tools.map(({ name }) => name) ?? [];
  return names.filter((name) => name.startsWith("mcp__"));
}

/** Whether two calls of one answer run at the same time: then both end within the time of one. */
async function runTogether(docs: Document): Promise<boolean> {
  const hang = { name: "mcp__docs__hang", input: {} };
  const { results } = await task({ ...docs, timeout_seconds: 0.4 }, { script: calls(hang, hang) });
  const [first, second] = results[0]?.tool_trace ?? [];
  assert.ok(first !== undefined && second !== undefined);
  return (results[0]?.duration_seconds ?? 0) < 0.75;
}

export const MCP_SERVER_EFFECTS: Effects = {
  mcp_servers: async () => {
    assert.deepEqual(
      (await play({ goal: "one" })).requests[0]?.tools.filter(({ name }) => name.startsWith("mcp")),
      [],
    );
    assert.notDeepEqual(await offered(DOCS), []);
  },
  "mcp_servers.*": async () => {
    const config = { mcp_servers: { docs: DOCS, more: DOCS } };
    const { requests } = await play({ goal: "one" }, { config });
    const names = requests[0]?.tools.map(({ name }) => name) ?? [];
    assert.ok(["mcp__docs__echo", "mcp__more__echo"].every((name) => names.includes(name)));
  },
  "mcp_servers.*.command": async () => {
    assert.match(await told(DOCS, "echo", { text: "hello" }), /hello$/);
    assert.deepEqual(await offered({ command: "no-such-program" }), []);
  },
  "mcp_servers.*.args": async () => {
    assert.notDeepEqual(await offered(DOCS), []);
    assert.deepEqual(await offered({ ...DOCS, args: ["--version"] }), []);
  },
  "mcp_servers.*.env": async () => {
    assert.match(await told({ ...DOCS, env: { LEVEL: "debug" } }, "variable", { name: "LEVEL" }), /debug$/);
    assert.match(await told(DOCS, "variable", { name: "LEVEL" }), /not set$/);
  },
  "mcp_servers.*.env.*": async () => {
    const scene = { env: { PLACE: "/srv/docs" } };
    const docs = { ...DOCS, env: { PLACE_OF_DOCS: "${PLACE}/en" } };
    assert.match(await told(docs, "variable", { name: "PLACE_OF_DOCS" }, scene), /\/srv\/docs\/en$/);
  },
  "mcp_servers.*.cwd": async () => {
    const scene = { files: { "notes/a": "", "work/inner/a": "" } };
    assert.match(await told({ ...DOCS, cwd: "~/notes" }, "where", {}, scene), /\/notes$/);
    assert.match(await told({ ...DOCS, cwd: "inner" }, "where", {}, scene), /\/work\/inner$/);
    assert.match(await told(DOCS, "where", {}, scene), /\/work$/);
  },
  "mcp_servers.*.url": async () => {
    const server = await createHttpMcpServer();
    assert.match(await told({ url: server.url }, "echo", { text: "hello" }), /hello$/);
    await server.close();
    assert.deepEqual(await offered({ url: server.url }), []);
  },
  "mcp_servers.*.headers": async () => {
    const server = await createHttpMcpServer();
    await task({ url: server.url, headers: { "X-Team": "research" } });
    await server.close();
    assert.ok(server.headers.length > 0 && server.headers.every((headers) => headers["x-team"] === "research"));
  },
  "mcp_servers.*.headers.*": async () => {
    const server = await createHttpMcpServer();
    await task({ url: server.url, headers: { Authorization: "Bearer ${T}" } }, { env: { T: "token-1b7e" } });
    await server.close();
    assert.ok(server.headers.every(({ authorization }) => authorization === "Bearer token-1b7e"));
  },
  "mcp_servers.*.tools": async () => {
    assert.deepEqual(await offered({ ...DOCS, tools: ["echo", "su*"] }), ["mcp__docs__echo", "mcp__docs__sum"]);
    assert.ok((await offered(DOCS)).length > 10);
  },
  "mcp_servers.*.read_only": async () => {
    assert.equal(await runTogether({ ...DOCS, read_only: ["hang"] }), true);
    assert.equal(await runTogether(DOCS), false);
  },
  "mcp_servers.*.per": async () => {
    const scene = { files: { "work/inner/a": "" }, script: calls({ name: "mcp__docs__where", input: {} }) };
    const placeOf = async (per: Document) => {
      const config = { mcp_servers: { docs: { ...DOCS, ...per } }, permissions: [{ tool: "mcp__*", then: "allow" }] };
      const { results } = await play({ goal: "one", workspace: "inner" }, { ...scene, config });
      return results[0]?.summary.split("/").at(-1);
    };
    assert.deepEqual([await placeOf({ per: "child" }), await placeOf({})], ["inner", "work"]);
  },
  "mcp_servers.*.timeout_seconds": async () => {
    assert.match(await told({ ...DOCS, timeout_seconds: 0.2 }, "hang"), /did not answer within 0\.2 s/);
  },
  "mcp_servers.*.start_timeout_seconds": async () => {
    const silent = { ...DOCS, env: { START: "silently" }, start_timeout_seconds: 0.2 };
    const { results } = await task(silent);
    assert.match(results[0]?.warnings?.[0]?.message ?? "", /did not answer within 0\.2 s/);
  },
};
