/**
 * The protocol's own conformance suite against the server, over HTTP. Some of its scenarios call tools and read
 * resources with fixed names; those that concern Deputy are mapped to Deputy's, the others are listed with the reason.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Report } from "../../src/report.ts";
import type { Script } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import type { McpHttp } from "../support/mcp-http.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const SUITE = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));

/** Scenarios for features that Deputy does not offer. The suite must report exactly these as failed. */
const NOT_OFFERED = {
  "logging-set-level": "log messages to the client, which the protocol gave up in 2026",
  "tools-call-with-logging": "the same",
  "tools-call-image": "tools that return pictures",
  "tools-call-audio": "tools that return sound",
  "tools-call-embedded-resource": "tools that return resources",
  "tools-call-mixed-content": "tools that return all of these",
  "tools-call-sampling": "asking the client's own model, which the protocol gave up in 2026",
  "json-schema-2020-12": "a tool that exists for this scenario",
  "elicitation-sep1034-defaults": "a form of that shape: Deputy's has no defaults, on purpose",
  "elicitation-sep1330-enums": "a form of that shape",
  "server-sse-polling": "streams that a client picks up again: a run is asked for by its id",
  "resources-read-binary": "resources that are no text",
  "resources-subscribe": "subscriptions to resources",
  "resources-unsubscribe": "the same",
  "prompts-list": "prompts",
  "prompts-get-simple": "prompts",
  "prompts-get-with-args": "prompts",
  "prompts-get-embedded-resource": "prompts",
  "prompts-get-with-image": "prompts",
};

/** A task may request a command; a slow one takes some seconds. */
const script: Script = async ({ messages, lastUserText }) => {
  if (lastUserText === "ask" && messages.at(-1)?.role === "user")
    return { toolCalls: [{ name: "terminal", input: { command: "true" } }] };
  if (lastUserText === "slow") await new Promise((resolve) => setTimeout(resolve, 2_300));
  return { text: "123" };
};

/** The suite's names, and their counterparts in Deputy. */
const tools: Record<string, unknown> = {
  test_simple_text: { goal: "speak" },
  test_error_handling: { gaol: "speak" },
  test_tool_with_progress: { tasks: [{ goal: "slow" }, { goal: "speak" }, { goal: "slow" }] },
  test_elicitation: { goal: "ask" },
};

function resources(id: string): Record<string, string> {
  return {
    "test://static-text": `deputy://runs/${id}`,
    "test://template/123/data": `deputy://runs/${id}/children/${id}.1/result`,
  };
}

type Message = { params?: { name?: string; uri?: string } };

function translated(message: Message, runId: string): Message {
  const { params } = message;
  const call = params?.name === undefined ? undefined : tools[params.name];
  const uri = params?.uri === undefined ? undefined : resources(runId)[params.uri];
  if (call !== undefined) return { ...message, params: { ...params, ...{ name: "delegate_task", arguments: call } } };
  return uri === undefined ? message : { ...message, params: { ...params, uri } };
}

/** Authorizes the suite, which does not know tokens, and translates its requests. */
async function interpreter({ url, token }: McpHttp, runId: string) {
  const { hostname, port, pathname } = new URL(url);
  const server = createServer(async (incoming, outgoing) => {
    const written = await text(incoming);
    const body = written === "" ? "" : JSON.stringify(translated(JSON.parse(written), runId));
    const headers = {
      ...incoming.headers,
      authorization: `Bearer ${token}`,
      "content-length": Buffer.byteLength(body),
    };
    const { method } = incoming;
    const onward = forward({ hostname, port, path: pathname, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    onward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test("every scenario of the conformance suite that is about what Deputy offers passes", async (t) => {
  const folder = temporaryDirectory((cleanUp) => t.after(cleanUp));
  const baseline = join(folder, "not-offered.yaml");
  writeFileSync(baseline, JSON.stringify({ server: Object.keys(NOT_OFFERED) }));
  const config = { delegation: { approval_timeout_seconds: 0.2 }, mcp: { share: "all" } };
  await onMcpStage({ script, config }, async ({ http, client }) => {
    const spoken = await (await client("2.x")).call("delegate_task", { goal: "speak" });
    const door = await interpreter(await http(), (spoken.data as Report).delegation_id);
    const argv = [SUITE, "server", "--url", door.url, "--suite", "all", "--expected-failures", baseline];
    const suite = spawn(process.execPath, argv, { cwd: folder, env: { PATH: process.env.PATH ?? "" } });
    const [said, complaints, code] = await Promise.all([
      text(suite.stdout),
      text(suite.stderr),
      new Promise((resolve) => suite.on("close", resolve)),
    ]);
    door.close();
    const passed = [...said.matchAll(/^✓ (\S+): [1-9]/gm)].map(([, scenario]) => scenario);
    assert.deepEqual([code, passed.length], [0, 13], `${said}\n${complaints}`);
  });
});
