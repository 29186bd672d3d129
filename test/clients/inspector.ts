/**
 * The protocol's own inspector, from its command line, lists and calls each tool over both transports. Separate from
 * the default tests, because npx may have to download it: `npm run test:clients`.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { Report } from "../../src/report.ts";
import { until } from "../support/command-line.ts";
import { launch, PROGRAM } from "../support/end-to-end.ts";
import { type Place, stage } from "../support/whole-stage.ts";

const INSPECTOR = "@modelcontextprotocol/inspector@2.12.0";

type Answer = {
  tools?: { name: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
};
type Ask = (...argv: string[]) => Promise<Answer>;

async function inspect(argv: string[]): Promise<Answer> {
  const { stdout } = await promisify(execFile)("npx", ["-y", INSPECTOR, "--cli", ...argv], {
    timeout: 120_000,
    maxBuffer: 16_000_000,
  });
  return JSON.parse(stdout) as Answer;
}

function overStdio({ env, cwd }: Place): Ask {
  const variables = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  return (...argv) => inspect([PROGRAM, "mcp", "--workspace", cwd, ...variables, ...argv]);
}

function overHttp(url: string, token: string): Ask {
  return (...argv) => inspect([url, "--transport", "http", "--header", `Authorization: Bearer ${token}`, ...argv]);
}

async function useAll(ask: Ask): Promise<void> {
  const call = async (name: string, args: object) => {
    const { structuredContent, isError } = await ask(
      ...["--method", "tools/call", "--tool-name", name, "--tool-args-json", JSON.stringify(args)],
    );
    assert.ok(structuredContent && !isError, `${name} ${JSON.stringify(args)}`);
    return structuredContent;
  };
  const { tools = [] } = await ask("--method", "tools/list", "--strict"); // Fails if a schema is invalid.
  assert.deepEqual(
    tools.map(({ name }) => name),
    ["delegate_task", "list_models", "check_delegation", "control_delegation"],
  );
  const report = (await call("delegate_task", {
    tasks: [{ goal: "one" }, { goal: "two", provider: "beta" }],
  })) as Report;
  assert.deepEqual(
    report.results.map(({ summary, provider }) => `${summary} @ ${provider}`),
    ["done @ acme", "done @ beta"],
  );
  assert.equal((await call("list_models", { match: "beta-1" })).total, 1);
  await call("check_delegation", { id: report.delegation_id });
  await call("control_delegation", { id: report.delegation_id, action: "stop" });
}

describe("the inspector's command line", () => {
  test("lists and calls each tool of deputy mcp", async () => {
    await stage({}, async (place) => useAll(overStdio(place)));
  });

  test("lists and calls each tool of deputy serve", async () => {
    await stage({}, async ({ env, cwd }) => {
      const server = launch(["serve", "--port", "0"], { cwd, env });
      await until(() => server.stderr().includes("Token"));
      const [url = ""] = /http:\S+/.exec(server.stderr()) ?? [];
      await useAll(overHttp(url, readFileSync(join(env.DEPUTY_STATE_DIR ?? "", "token"), "utf8").trim()));
      server.child.kill("SIGTERM");
      assert.equal((await server.ended).code, 0);
    });
  });
});
