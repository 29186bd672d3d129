/**
 * A command finds no secret of the environment that Deputy was started with: neither in its own environment nor in that
 * of any Deputy process above it, in the foreground or in the background.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { createProviders, launch, launchCommand, PROGRAM, processesWith } from "../support/end-to-end.ts";
import { connect } from "../support/mcp-clients.ts";

/** Contained in every secret below; the rest of each differs. */
const MARK = randomBytes(8).toString("hex");

const WORDS = [
  "PASSWORD",
  "PASS",
  "PWD",
  "SECRETS",
  "TOKEN",
  "KEY",
  "API_KEY_2",
  "PAT",
  "AUTH",
  "CREDENTIALS",
  "JWT",
  "DSN",
];
const NAMES = [
  ...["PG", "DB_", "MY_", "AWS_X_", "github_"].flatMap((before) => WORDS.map((word) => before + word)),
  ...["githubToken", "npm_config_//host/:_authToken", "AWS_ACCESS_KEY_ID", "SSHPASS", "COOKIE", "ANTHROPIC_API_KEY_2"],
].filter((name) => !["PGPAT", "PGAUTH", "PGJWT", "PGDSN"].includes(name)); // Attached to other letters, these mean nothing.
const VALUES = {
  DATABASE_URL: `postgres://u:${MARK}@127.0.0.1/db`,
  HTTP_PROXY: `http://u:${MARK}@127.0.0.1:9`,
  LAB_A: `ghp_${MARK}${MARK}`,
  LAB_B: `-----BEGIN PRIVATE KEY-----\n${MARK}\n-----END PRIVATE KEY-----`,
  LAB_C: `host=h password=${MARK}`,
  LAB_D: `eyJhbGciOiJIUzI1NiJ9.${MARK}.c2ln`,
};
/**
 * Their names and values look harmless, but the config makes them secret: a key, its copies, and a key in the config.
 */
const KEYS_OF_CONFIG = {
  ODD: `odd-${MARK}`,
  COPY: `odd-${MARK}`,
  COPY_WITHIN: `before odd-${MARK} after`,
  QUERY: `http://127.0.0.1/?k=odd-${MARK}`,
  LITERAL: `written-${MARK}`,
};
const LAB = { base_url: "http://127.0.0.1:9/v1", default_model: "m" };
const PROVIDERS = { odd: { ...LAB, api_key_env: "ODD" }, written: { ...LAB, api_key: KEYS_OF_CONFIG.LITERAL } };
const SECRETS: Record<string, string> = {
  ...KEYS_OF_CONFIG,
  ...Object.fromEntries(NAMES.map((name, at) => [name, `${MARK}-${at}`])),
  ...VALUES,
};
const PLAIN = {
  KEYBOARD_LAYOUT: "us",
  MAX_TOKENS: "4096",
  SSH_AUTH_SOCK: "/tmp/agent.1",
  HTTPS_PROXY: "http://127.0.0.1:9",
  TOKENIZERS_PARALLELISM: "maybe",
  BEGINNING: "odd-",
};

/** The environment of a command, and those of all Deputy processes above it, as the command sees them. */
const SPY = [
  "env > own.txt",
  "pid=$$",
  'while [ "$pid" -gt 1 ]; do',
  "if tr '\\0' ' ' < /proc/$pid/cmdline | grep -q '^[^ ]*node [^ ]*deputy.mjs '; then cat /proc/$pid/environ >> above.txt; fi",
  "pid=$(sed 's/.*) . //; s/ .*//' /proc/$pid/stat); done",
].join("\n");

/** The environments of processes with such a command line and state directory, from their start on. */
function watchEnvironments(commandLine: RegExp, state: string): { stop(): string[] } {
  const blocks = new Set<string>();
  const look = () => {
    for (const pid of processesWith(`DEPUTY_STATE_DIR=${state}\0`)) {
      try {
        const [line = "", block = ""] = ["cmdline", "environ"].map((name) =>
          readFileSync(`/proc/${pid}/${name}`, "latin1"),
        );
        if (commandLine.test(line)) blocks.add(block);
      } catch {
        // It has ended.
      }
    }
  };
  const looking = setInterval(look, 1);
  return {
    stop() {
      clearInterval(looking);
      return [...blocks];
    },
  };
}

describe("no secret is found", { timeout: 110_000, skip: process.platform !== "linux" }, () => {
  const home = temporaryDirectory(after);

  async function place(t: { after(cleanUp: () => Promise<void>): void }, config: object = {}) {
    const cwd = mkdtempSync(join(home, "work-"));
    const providers = await createProviders(["zai"], ({ messages }) =>
      messages.length > 1 ? { text: "Seen." } : { toolCalls: [{ name: "terminal", input: { command: SPY } }] },
    );
    t.after(providers.close);
    writeFileSync(
      join(cwd, "config.yaml"),
      JSON.stringify({
        provider: "zai",
        providers: PROVIDERS,
        permissions: [{ tool: "terminal", then: "allow" }],
        terminal: { sandbox: "off" },
        ...config,
      }),
    );
    const state = join(cwd, "state");
    const files = { DEPUTY_STATE_DIR: state, DEPUTY_CONFIG: join(cwd, "config.yaml") };
    const env = { PATH: process.env.PATH ?? "", HOME: home, ...files, ...providers.env, ...PLAIN, ...SECRETS };
    return { cwd, env, state };
  }

  /** The environment that the command saw, which must include the plain variables. */
  function seen(cwd: string): { own: string; above: string } {
    const [own, above] = ["own.txt", "above.txt"].map((name) => readFileSync(join(cwd, name), "latin1")) as [
      string,
      string,
    ];
    for (const [name, value] of Object.entries(PLAIN)) {
      assert.ok(own.split("\n").includes(`${name}=${value}`), name);
      assert.ok(above.split("\0").includes(`${name}=${value}`), name);
    }
    return { own, above };
  }

  test("by a command of a run in the foreground", async (t) => {
    const { cwd, env } = await place(t);
    const { code, stderr } = await launch(["run", "--goal", "look"], { cwd, env }).ended;
    assert.equal(code, 0, stderr);
    const { own, above } = seen(cwd);
    assert.ok(!own.includes(MARK), own);
    assert.ok(!above.includes(MARK), above.replaceAll("\0", "\n"));
  });

  test("by a command of a run that continues in a separate process", async (t) => {
    const { cwd, env, state } = await place(t);
    const client = await connect("1.x", { command: PROGRAM, args: ["mcp"], env, cwd });
    const owner = watchEnvironments(/deputy\.mjs\0resume\0/, state);
    const { data } = await client.call("delegate_task", { goal: "look", background: true });
    await client.close();
    await until(() => processesWith(`DEPUTY_STATE_DIR=${state}\0`).length === 0);
    const blocks = owner.stop();
    assert.ok(blocks.length > 0, "its environment was read while it started");
    for (const block of blocks) assert.ok(!block.includes(MARK), block.replaceAll("\0", "\n"));
    const shown = await launch(["show", (data as Report).delegation_id, "--json"], { cwd, env }).ended;
    assert.match(shown.stdout, /Seen\./, shown.stderr);
    const { own, above } = seen(cwd);
    assert.ok(!own.includes(MARK), own);
    assert.ok(!above.includes(MARK), above.replaceAll("\0", "\n"));
  });

  test("but for what terminal.env lists, which a command gets and still cannot read from Deputy", async (t) => {
    const { cwd, env } = await place(t, {
      terminal: { sandbox: "off", env: ["MY_TOKEN", "HTTP_PROXY", "GLM_API_KEY", "COPY"] },
    });
    const { code, stderr } = await launch(["run", "--goal", "look"], { cwd, env }).ended;
    assert.equal(code, 0, stderr);
    const { own, above } = seen(cwd);
    const passed = own.split("\n").filter((line) => line.includes(MARK));
    assert.deepEqual(passed.sort(), [`HTTP_PROXY=${VALUES.HTTP_PROXY}`, `MY_TOKEN=${SECRETS.MY_TOKEN}`]);
    assert.doesNotMatch(own, /^GLM_API_KEY=/m);
    assert.ok(!above.includes(MARK), above.replaceAll("\0", "\n"));
  });
});

test("doctor names the secrets in the environment of the process that started it, without their values", {
  skip: process.platform !== "linux",
}, async () => {
  const home = temporaryDirectory(after);
  const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), PARENT_TOKEN: `t-${MARK}`, PARENT_COLOR: "blue" };
  const script = `"${PROGRAM}" doctor; true`;
  const { stdout, stderr } = await launchCommand(["/bin/sh", "-c", script], { cwd: home, env }).ended;
  assert.match(stdout, /! parent +commands of children can read 1 secret .* \(PARENT_TOKEN\)/, stderr);
  assert.ok(!stdout.includes(MARK));
  const clean = ["/usr/bin/env", "-i", `HOME=${home}`, `PATH=${process.env.PATH}`, "/bin/sh", "-c", script];
  assert.doesNotMatch((await launchCommand(clean, { cwd: home, env: {} }).ended).stdout, /! parent/);
});
