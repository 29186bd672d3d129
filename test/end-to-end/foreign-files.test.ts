/**
 * A workspace that someone else has created: its notes, configs, agent files, images and tasks are links to secrets,
 * pipes and devices. Nothing of it reaches a provider or the disk, and nothing blocks.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import { temporaryDirectory, until } from "../support/command-line.ts";
import {
  createProviders,
  type Ended,
  launch,
  launchCommand,
  PROGRAM,
  type Providers,
  taskOf,
} from "../support/end-to-end.ts";

const SECRET = "TOP-SECRET-0123456789";
const NOTES = "Use tabs.";

/** Workspaces by the problem of their notes; `home` contains the user's own files. */
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
  "a link to the project's own .env": (ws) => {
    writeFileSync(join(ws, ".env"), SECRET);
    symlinkSync(".env", join(ws, "AGENTS.md"));
  },
  "a link to a key of the project, through another": (ws) => {
    mkdirSync(join(ws, "tls"));
    writeFileSync(join(ws, "tls/server.pem"), SECRET);
    symlinkSync("tls/server.pem", join(ws, "notes.md"));
    symlinkSync("notes.md", join(ws, "CLAUDE.md"));
  },
  "a link to a file that a rule denies": (ws) => {
    mkdirSync(join(ws, "denied"));
    writeFileSync(join(ws, "denied/plan.md"), SECRET);
    symlinkSync("denied/plan.md", join(ws, "AGENTS.md"));
  },
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

describe("in a workspace of another user", { timeout: 110_000 }, () => {
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
      "providers: { lab: { base_url: http://127.0.0.1:9/v1, api_key_env: LAB_API_KEY } }\n" +
        'permissions: [{ tool: "*", match: "denied/*", then: deny }]\n',
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
      const expected = goal === "a file with a known key in it" ? ["key-removed"] : [];
      assert.deepEqual([status, warnings.map(({ code }) => code)], ["completed", expected], goal);
      assert.match(promptsOf(goal), /Notes of this project:.*Use tabs\./, goal);
    }
    assert.match(promptsOf("a file with a known key in it"), /Key: \[secret LAB_API_KEY\]/);
    assert.match(
      promptsOf("a file that is far too long"),
      /x\\n\[truncated: these are the first 40000 characters of AGENTS\.md/,
    );
    await assertNowhere(id);
  });

  test("if the home itself is the workspace, Deputy's own files are not notes", async () => {
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

  test("skills that lead out of it or are no files are left out, and hold up nothing", async () => {
    const skill = "---\nname: NAME\ndescription: Of the project.\n---\nDo it.\n";
    const inFolder = (make: (folder: string, workspace: string) => void) => (workspace: string) => {
      const folder = join(workspace, ".claude/skills/bad");
      mkdirSync(folder, { recursive: true });
      make(folder, workspace);
    };
    const refused = {
      "a skill that is a link to a private key": inFolder((folder) =>
        symlinkSync(join(home, ".ssh/id_ed25519"), join(folder, "SKILL.md")),
      ),
      "a skill that is a pipe": inFolder((folder) => void execFileSync("mkfifo", [join(folder, "SKILL.md")])),
      "a skill that is an endless device": inFolder((folder) => symlinkSync("/dev/zero", join(folder, "SKILL.md"))),
      "a skill in a linked folder": inFolder((folder, workspace) => {
        writeFileSync(join(home, ".ssh/SKILL.md"), skill);
        symlinkSync(join(home, ".ssh"), join(workspace, ".claude/skills/linked"));
        rmSync(folder, { recursive: true });
      }),
      "a pipe in place of the folder": (workspace: string) => {
        mkdirSync(join(workspace, ".claude"));
        execFileSync("mkfifo", [join(workspace, ".claude/skills")]);
      },
    };
    const honest = {
      "a skill with a key": inFolder((folder) =>
        writeFileSync(join(folder, "SKILL.md"), skill.replace("project.", `project: ${SECRET}`)),
      ),
    };
    const { delegation_id: id, results } = await run(home, workspaces({ ...refused, ...honest }));
    assert.ok(results.every(({ status }) => status === "completed"));
    for (const goal of Object.keys(refused)) assert.doesNotMatch(promptsOf(goal), /read_skill/, goal);
    assert.match(promptsOf("a skill with a key"), /- NAME: Of the project: \[secret LAB_API_KEY\]/);
    await assertNowhere(id);
  });

  test("unreadable definitions are reported in agents, doctor and for a task that names the agent", async () => {
    const workspace = mkdtempSync(join(home, "work", "agents-"));
    const folder = join(workspace, ".claude/agents");
    mkdirSync(folder, { recursive: true });
    execFileSync("mkfifo", [join(folder, "pipe.md")]);
    mkdirSync(join(home, ".claude/agents"), { recursive: true });
    const definition = (name: string) => `---\nname: ${name}\ndescription: Looks.\n---\nLook.\n`;
    writeFileSync(join(folder, "reviewer.md"), definition("reviewer"));
    writeFileSync(join(folder, "broken.md"), "no front matter");
    writeFileSync(join(home, ".claude/agents/broken.md"), definition("broken"));
    const planned = (agent: string) => {
      writeFileSync(join(workspace, "tasks.json"), JSON.stringify([{ goal: "x", agent, model: "some-model" }]));
      return deputy(workspace, "run", "tasks.json", "--dry-run", "--provider", "zai").ended;
    };
    const told = async (ended: Promise<Ended>) => {
      const { stdout, stderr } = await ended;
      return ["pipe", "broken"].filter((name) => `${stdout}${stderr}`.includes(`${name}.md: expected`));
    };
    assert.deepEqual(await told(planned("reviewer")), []);
    assert.deepEqual(await told(planned("broken")), ["broken"], "the user's own one is used in its place");
    assert.deepEqual(await told(planned("pipe")), ["pipe"]);
    assert.deepEqual(await told(deputy(workspace, "agents").ended), ["pipe", "broken"]);
    assert.deepEqual(await told(deputy(workspace, "doctor").ended), ["pipe", "broken"]);
  });

  test("a project's config that links to the user's secrets is an error that shows nothing of them", async () => {
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

type Piped = {
  /** The pipe, relative to the home. */
  pipe: string;
  argv: string[];
  code: number;
  says: RegExp;
};

/** The place of one of the user's own files. */
const PIPES: Piped[] = [
  { pipe: "state/trusted.json", argv: ["config", "show"], code: 2, says: /the list of project configs that you trust/ },
  {
    pipe: "state/trusted.json",
    argv: ["config", "trust"],
    code: 2,
    says: /the list of project configs that you trust/,
  },
  { pipe: "state/settings.json", argv: ["models"], code: 2, says: /the list of settings files that Deputy wrote/ },
  { pipe: "state/token", argv: ["serve", "--port", "0"], code: 2, says: /the access token for clients/ },
  { pipe: ".config/deputy/config.yaml", argv: ["config", "show"], code: 2, says: /Expected a config file/ },
  { pipe: "work/.deputy/config.yaml", argv: ["run", "--goal", "x"], code: 2, says: /Expected a config file/ },
  {
    pipe: "named.yaml",
    argv: ["config", "show", "--config", "../named.yaml"],
    code: 2,
    says: /Name a file that Deputy/,
  },
  { pipe: "state/models.json", argv: ["models"], code: 0, says: /models\.json cannot be read and is ignored/ },
  { pipe: "state/shown-requests.json", argv: ["approve"], code: 0, says: /^/ },
];

describe("a pipe in the place of a file of the user's own", { timeout: 110_000 }, () => {
  function staged(): { home: string; launchHere: (...argv: string[]) => ReturnType<typeof launch> } {
    const home = temporaryDirectory(after);
    for (const folder of ["state", "work/.deputy", ".config/deputy"])
      mkdirSync(join(home, folder), { recursive: true });
    const config = "delegation: { max_iterations: 5 }\n";
    for (const path of ["work/.deputy/config.yaml", "named.yaml"]) writeFileSync(join(home, path), config);
    const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state") };
    return { home, launchHere: (...argv) => launchCommand(argv, { cwd: join(home, "work"), env, stdin: config }) };
  }

  for (const { pipe, argv, code, says } of PIPES)
    test(`${pipe} does not block deputy ${argv.join(" ")}, which reports it`, async () => {
      const { home, launchHere } = staged();
      rmSync(join(home, pipe), { force: true });
      execFileSync("mkfifo", [join(home, pipe)]);
      const ended = await launchHere(PROGRAM, ...argv).ended;
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stdout + ended.stderr, says);
      if (code !== 0) assert.match(ended.stderr, /found a pipe, a device or a socket/);
    });

  test("a config on standard input is rejected by its file type, and read if it is a file", async () => {
    const { launchHere } = staged();
    const piped = await launchHere(PROGRAM, "config", "show", "--config", "/dev/stdin").ended;
    assert.equal(piped.code, 2, piped.stderr);
    assert.match(piped.stderr, /\/dev\/stdin.*found a pipe, a device or a socket\. Name a file/);
    const ofFile = 'exec "$0" config show --config /dev/stdin < ../named.yaml';
    const read = await launchHere("sh", "-c", ofFile, PROGRAM).ended;
    assert.deepEqual([read.code, /max_iterations +5/.test(read.stdout)], [0, true], read.stderr);
  });

  test("existing files are read: a trusted config is in effect, and the token stays the same", async () => {
    const { home, launchHere } = staged();
    assert.equal((await launchHere(PROGRAM, "config", "trust").ended).code, 0);
    const shown = await launchHere(PROGRAM, "config", "show").ended;
    assert.match(shown.stdout, /max_iterations +5/);
    assert.doesNotMatch(shown.stderr, /not trusted/);
    writeFileSync(join(home, "state/token"), `${"t".repeat(43)}\n`);
    const server = launchHere(PROGRAM, "serve", "--port", "0");
    await until(() => server.isOver() || server.stderr().includes("Token:"));
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).code, 0);
    assert.match(server.stderr(), /Token: tttt…tt/);
  });
});
