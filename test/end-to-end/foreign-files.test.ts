/**
 * A workspace that somebody else has made: its notes, configs, agent files, images and tasks are links to secrets, pipes
 * and devices. Nothing of it reaches a provider or the disk, and nothing waits for it.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { createProviders, launch, launchCommand, type Providers, taskOf } from "../support/end-to-end.ts";

const SECRET = "TOP-SECRET-0123456789";
const NOTES = "Use tabs.";

/** Workspaces by what is wrong with their notes; `home` is where the user's own files are. */
const REFUSED: Record<string, (workspace: string, home: string) => void> = {
  "a link to the user's .env": (ws, home) => symlinkSync(join(home, ".config/deputy/.env"), join(ws, "AGENTS.md")),
  "a link to a private key": (ws, home) => symlinkSync(join(home, ".ssh/id_ed25519"), join(ws, "CLAUDE.md")),
  "a relative link": (ws) => symlinkSync("../../.ssh/id_ed25519", join(ws, "AGENTS.md")),
  "a link through a linked folder": (ws, home) => {
    symlinkSync(join(home, ".ssh"), join(ws, "docs"));
    symlinkSync("docs/id_ed25519", join(ws, "AGENTS.md"));
  },
  "a link through /proc": (ws, home) =>
    symlinkSync(`/proc/self/root${join(home, ".ssh/id_ed25519")}`, join(ws, "AGENTS.md")),
  "the process's own environment": (ws) => symlinkSync("/proc/self/environ", join(ws, "AGENTS.md")),
  "a named pipe": (ws) => void execFileSync("mkfifo", [join(ws, "AGENTS.md")]),
  "the terminal": (ws) => symlinkSync("/dev/tty", join(ws, "AGENTS.md")),
  "an endless device": (ws) => symlinkSync("/dev/zero", join(ws, "CLAUDE.md")),
  "a folder": (ws) => mkdirSync(join(ws, "AGENTS.md")),
};

const READ: Record<string, (workspace: string) => void> = {
  "a file": (ws) => writeFileSync(join(ws, "AGENTS.md"), NOTES),
  "a link to another file of the workspace": (ws) => {
    mkdirSync(join(ws, "docs"));
    writeFileSync(join(ws, "docs/AGENTS.md"), NOTES);
    symlinkSync("docs/AGENTS.md", join(ws, "CLAUDE.md"));
  },
  "a file with a known key in it": (ws) => writeFileSync(join(ws, "AGENTS.md"), `${NOTES} Key: ${SECRET}`),
  "a file that is far too long": (ws) => writeFileSync(join(ws, "AGENTS.md"), `${NOTES} ${"x".repeat(3_000_000)}`),
};

describe("in a workspace of somebody else's", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);
  const state = join(home, "state");
  let providers: Providers;

  before(async () => {
    providers = await createProviders(["zai"], () => ({ text: "Done." }));
    mkdirSync(join(home, ".config/deputy"), { recursive: true });
    mkdirSync(join(home, ".ssh"));
    mkdirSync(join(home, "work"));
    writeFileSync(join(home, ".config/deputy/.env"), `LAB_API_KEY=${SECRET}\n`);
    writeFileSync(
      join(home, ".config/deputy/config.yaml"),
      "providers: { lab: { base_url: http://127.0.0.1:9/v1, api_key_env: LAB_API_KEY } }\n",
    );
    writeFileSync(join(home, ".ssh/id_ed25519"), `${SECRET}-of-ssh\n`);
  });
  after(() => providers.close());

  const deputy = (cwd: string, ...argv: string[]) =>
    launch(argv, { cwd, env: { HOME: home, DEPUTY_STATE_DIR: state, ...providers.env } });
  const promptsOf = (goal: string) =>
    JSON.stringify(providers.arrivals.filter(({ request }) => taskOf(request) === goal).map(({ request }) => request));

  async function run(cwd: string, tasks: unknown[], ...flags: string[]): Promise<DelegationResult> {
    const file = join(mkdtempSync(join(home, "tasks-")), "tasks.json");
    writeFileSync(file, JSON.stringify(tasks));
    const { code, stdout, stderr } = await deputy(cwd, "run", file, "--json", "--provider", "zai", ...flags).ended;
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  function workspaces(made: Record<string, (workspace: string, home: string) => void>) {
    return Object.entries(made).map(([goal, make]) => {
      const workspace = mkdtempSync(join(home, "work", "case-"));
      make(workspace, home);
      return { goal, workspace, model: "some-model", timeout_seconds: 60 };
    });
  }

  async function assertNowhere(id: string): Promise<void> {
    const shown = await Promise.all(
      [
        ["show", id],
        ["show", id, "--json"],
        ["show", `${id}.1`],
      ].map((argv) => deputy(home, ...argv).ended),
    );
    const kept = readdirSync(state).filter((name) => name.startsWith("journal"));
    const journal = kept.map((name) => readFileSync(join(state, name), "latin1"));
    for (const text of [...journal, JSON.stringify(shown), JSON.stringify(providers.arrivals)])
      assert.ok(!text.includes(SECRET));
  }

  test("notes that lead out of it or are no files are warnings, and every child runs without them", async () => {
    const { delegation_id: id, results } = await run(home, workspaces(REFUSED));
    for (const [index, { status, warnings }] of results.entries()) {
      const goal = Object.keys(REFUSED)[index] ?? "";
      assert.equal(status, "completed", goal);
      assert.match(warnings[0]?.message ?? "none", /(AGENTS|CLAUDE)\.md: expected .*; found .*runs without/, goal);
      assert.doesNotMatch(promptsOf(goal), /Notes of this project/, goal);
    }
    await assertNowhere(id);
  });

  test("notes that are files of the workspace are read, without keys and up to a length", async () => {
    const { delegation_id: id, results } = await run(home, workspaces(READ));
    for (const [index, { status, warnings }] of results.entries()) {
      const goal = Object.keys(READ)[index] ?? "";
      assert.deepEqual([status, warnings], ["completed", []], goal);
      assert.match(promptsOf(goal), /Notes of this project:.*Use tabs\./, goal);
    }
    assert.match(promptsOf("a file with a known key in it"), /Key: \[secret LAB_API_KEY\]/);
    assert.match(
      promptsOf("a file that is far too long"),
      /x\\n\[truncated: these are the first 40000 characters of AGENTS\.md/,
    );
    await assertNowhere(id);
  });

  test("where the home itself is the workspace, what Deputy keeps there is no notes", async () => {
    symlinkSync(".config/deputy/.env", join(home, "AGENTS.md"));
    const { delegation_id: id, results } = await run(home, [{ goal: "at home", model: "some-model" }]);
    assert.match(results[0]?.warnings[0]?.message ?? "", /AGENTS\.md: .*one of Deputy's own/);
    await assertNowhere(id);
  });

  test("pipes and devices in the place of its config, agents and images hold up nothing", async () => {
    const workspace = mkdtempSync(join(home, "work", "special-"));
    mkdirSync(join(workspace, ".deputy"));
    mkdirSync(join(workspace, ".claude/agents"), { recursive: true });
    writeFileSync(join(workspace, ".deputy/config.yaml"), "delegation: { max_iterations: 5 }\n");
    symlinkSync("/dev/zero", join(workspace, ".deputy/.env"));
    execFileSync(
      "mkfifo",
      [".claude/agents/pipe.md", "pipe.png"].map((name) => join(workspace, name)),
    );
    symlinkSync("/dev/zero", join(workspace, ".claude/agents/zero.md"));
    const task = { goal: "special", model: "some-model" };
    assert.equal((await run(workspace, [task])).results[0]?.status, "completed");
    writeFileSync(join(workspace, "tasks.json"), JSON.stringify([{ ...task, images: ["pipe.png"] }]));
    const { code, stderr } = await deputy(workspace, "run", "tasks.json", "--provider", "zai", "--strict").ended;
    assert.deepEqual([code, /pipe\.png is not a regular file/.test(stderr)], [3, true], stderr);
  });

  test("a project's config that leads to the user's secrets is an error that says nothing of them", async () => {
    for (const [name, target] of [
      ["config.yaml", join(home, ".ssh/id_ed25519")],
      ["config.yaml", join(home, ".config/deputy/.env")],
    ] as const) {
      const workspace = mkdtempSync(join(home, "work", "config-"));
      mkdirSync(join(workspace, ".deputy"));
      symlinkSync(target, join(workspace, ".deputy", name));
      for (const argv of [["run", "--goal", "x"], ["config", "show"], ["config", "trust"], ["doctor"]]) {
        const { code, stdout, stderr } = await deputy(workspace, ...argv).ended;
        assert.notEqual(code, 0, argv.join(" "));
        assert.match(stdout + stderr, /\.deputy\/config\.yaml.*found a link that leads out of it/);
        assert.ok(!(stdout + stderr).includes("TOP-SECRET"));
      }
    }
  });

  test("tasks come from a pipe that is written to; one without a writer and a device are refused", async () => {
    const cwd = mkdtempSync(join(home, "work", "tasks-"));
    execFileSync("mkfifo", [join(cwd, "pipe.yaml"), join(cwd, "silent.yaml")]);
    symlinkSync("/dev/zero", join(cwd, "zero.yaml"));
    const writer = launchCommand(["sh", "-c", "sleep 0.3; echo goal: fed > pipe.yaml"], { cwd, env: {} });
    const fed = await deputy(cwd, "run", "pipe.yaml", "--provider", "zai", "--model", "some-model").ended;
    assert.equal(fed.code, 0, fed.stderr);
    assert.equal((await writer.ended).code, 0);
    for (const [name, reason] of [
      ["silent.yaml", /silent\.yaml is empty/],
      ["zero.yaml", /zero\.yaml is a device/],
    ] as const) {
      const { code, stderr } = await deputy(cwd, "run", name).ended;
      assert.equal(code, 2);
      assert.match(stderr, reason);
    }
  });
});
