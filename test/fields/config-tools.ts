/** The config's settings for children's tools: which tools, which calls, and their reach. */
import assert from "node:assert/strict";
import type { TOOLSETS } from "../../src/config-schema.ts";
import type { Asker } from "../../src/engine/engine.ts";
import { withoutSandbox } from "../support/sandbox.ts";
import { type Document, endings, type Played, play, type Scene } from "../support/whole-stage.ts";
import { calls, type Effects, runs, writes } from "./effects.ts";

/** Runs one task, whose model calls tools as the scene's script says. */
function task(config: Document, scene: Scene): Promise<Played> {
  return play({ goal: "one" }, { ...scene, config });
}

/** Whether a command ran, which leaves a file. */
async function ran(config: Document, commandLine = "touch ran", options: Scene["options"] = {}): Promise<boolean> {
  const { files, results } = await task(config, { script: runs(commandLine), options });
  assert.deepEqual(
    results.map(({ tool_trace: [call] }) => call?.ok),
    ["work/ran" in files],
  );
  return "work/ran" in files;
}

/** The tool results that the child received. */
async function told(config: Document, scene: Scene): Promise<string> {
  return (await task(config, scene)).results[0]?.summary ?? "";
}

const YES: Asker = async () => ({ allowed: true, reason: "yes" });
const NO: Asker = async () => ({ allowed: false, reason: "not today" });

const SILENT: Asker = () => new Promise(() => {});

const ALLOW_ALL = [{ tool: "terminal", then: "allow" }];

const PERMISSION_EFFECTS: Effects = {
  "delegation.approvals": async () => {
    assert.equal(await ran({ delegation: { approvals: "allow" } }), true);
    assert.equal(await ran({ delegation: { approvals: "deny" } }, "touch ran", { asker: YES }), false);
    for (const delegation of [{}, { approvals: "ask" }]) {
      assert.equal(await ran({ delegation }, "touch ran", { asker: YES }), true);
      assert.equal(await ran({ delegation }, "touch ran", { asker: NO }), false);
      assert.equal(await ran({ delegation }), false);
    }
  },

  "delegation.approval_timeout_seconds": async () => {
    const scene = { script: runs("touch ran"), options: { asker: SILENT } };
    const answer = await told({ delegation: { approval_timeout_seconds: 0.02 } }, scene);
    assert.match(answer, /nobody answered within 0\.02 s/);
    assert.equal(await ran({}, "touch ran", { asker: YES }), true);
  },

  permissions: async () => {
    const deny = { tool: "terminal", match: "touch ran", then: "deny" };
    const allow = { tool: "terminal", match: "touch *", then: "allow" };
    assert.equal(await ran({ permissions: [allow, deny] }), true);
    assert.equal(await ran({ permissions: [deny, allow] }), false);
    assert.equal(await ran({}), false);
  },
  "permissions[].tool": async () => {
    assert.equal(await ran({ permissions: [{ tool: "terminal", then: "allow" }] }), true);
    assert.equal(await ran({ permissions: [{ tool: "t*", then: "allow" }] }), true);
    assert.equal(await ran({ permissions: [{ tool: "write_file", then: "allow" }] }), false);
  },
  "permissions[].match": async () => {
    const permissions = [{ tool: "terminal", match: "touch r*", then: "allow" }];
    assert.equal(await ran({ permissions }), true);
    assert.equal(await ran({ permissions }, "touch -c ran; touch ran"), false);
  },
  "permissions[].then": async () => {
    const then = (answer: string) => ({ permissions: [{ tool: "write_file", then: answer }] });
    const wrote = async (config: Document, options: Scene["options"] = {}) =>
      "work/new.txt" in (await task(config, { script: writes("new.txt"), options })).files;
    assert.equal(await wrote({}, { asker: NO }), true);
    assert.equal(await wrote(then("allow"), { asker: NO }), true);
    assert.equal(await wrote(then("ask"), { asker: NO }), false);
    assert.equal(await wrote(then("ask"), { asker: YES }), true);
    assert.equal(await wrote(then("deny"), { asker: YES }), false);
  },
};

const TOOLS_OF: Record<(typeof TOOLSETS)[number], string[]> = {
  file: ["read_file", "write_file", "edit_file", "list_dir"],
  search: ["glob", "grep"],
  terminal: ["terminal", "terminal_output", "terminal_stop"],
  todo: ["todo"],
  web: ["web_fetch"],
};

const REACH_EFFECTS: Effects = {
  "delegation.toolsets": async () => {
    for (const [toolset, tools] of Object.entries(TOOLS_OF)) {
      const { requests } = await play({ goal: "one" }, { config: { delegation: { toolsets: [toolset] } } });
      assert.deepEqual(
        requests[0]?.tools.map(({ name }) => name),
        tools,
      );
    }
    const call = { tasks: [{ goal: "one", toolsets: ["terminal"] }, { goal: "two" }] };
    const limited = await play(call, { config: { delegation: { toolsets: ["search"] } } });
    assert.deepEqual(endings(limited), ["rejected: toolset-unavailable", "completed"]);
    assert.deepEqual(endings(await play(call)), ["completed", "completed"]);
  },

  terminal: async () => {
    // Maps of two files are merged.
    const scene = { project: { terminal: { timeout_seconds: 0.1 } }, env: { MY_TOKEN: "token-71c4" } };
    const config = { permissions: ALLOW_ALL, terminal: { env: ["MY_TOKEN"] } };
    const answer = await told(config, { ...scene, script: runs("echo $MY_TOKEN; sleep 5") });
    assert.match(answer, /^token-71c4\n\[ended after 0\.1 s/);
  },
  "terminal.env": async () => {
    const scene = {
      script: runs("echo $MY_TOKEN $OTHER_TOKEN $PLAIN"),
      env: { MY_TOKEN: "m", OTHER_TOKEN: "o", PLAIN: "p" },
    };
    assert.equal(await told({ permissions: ALLOW_ALL, terminal: { env: ["MY_TOKEN"] } }, scene), "m p");
    assert.equal(await told({ permissions: ALLOW_ALL }, scene), "p");
  },
  "terminal.sandbox": async () => {
    const marked = { script: runs("echo [$NODE_USE_ENV_PROXY]") };
    const config = (sandbox: string) => ({ permissions: ALLOW_ALL, terminal: { sandbox } });
    assert.equal(await told(config("off"), marked), "[]");
    if (!withoutSandbox) assert.equal(await told(config("auto"), marked), "[1]");
  },
  "terminal.sandboxed": async () => {
    const runsWith = (sandboxed: string) => ran({ terminal: { sandboxed } }, "touch ran");
    assert.equal(await runsWith("ask"), false);
    assert.equal(await runsWith("isolated"), false);
    assert.equal(await runsWith("allow"), withoutSandbox === false);
  },
  "terminal.read": async () => {
    const scene = { script: runs("cat ~/notes/a.txt"), files: { "notes/a.txt": "ants" } };
    const config = (read: string[]) => ({ permissions: ALLOW_ALL, terminal: { read } });
    assert.equal(await told(config(["~/notes"]), scene), "ants");
    if (!withoutSandbox) assert.match(await told(config([]), scene), /No such file/);
  },
  "terminal.network": async () => {
    if (withoutSandbox) return;
    const connects =
      "exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT nowhere.invalid:443 HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3";
    const config = (network: string[]) => ({ permissions: ALLOW_ALL, terminal: { network } });
    assert.match(await told(config(["*.invalid"]), { script: runs(connects) }), /nowhere\.invalid cannot be found/);
    assert.match(await told(config([]), { script: runs(connects) }), /needs the user's approval/);
  },
  "terminal.timeout_seconds": async () => {
    const commandLine = "sleep 0.2 && touch ran";
    assert.equal(await ran({ permissions: ALLOW_ALL, terminal: { timeout_seconds: 0.05 } }, commandLine), false);
    assert.equal(await ran({ permissions: ALLOW_ALL }, commandLine), true);
  },

  extra_dirs: async () => {
    const reads = (path: string): Scene => ({
      script: calls({ name: "read_file", input: { path } }),
      files: { "notes/a.txt": "ants", "work/notes/b.txt": "bees" },
    });
    for (const directory of ["~/notes", "../notes"])
      assert.match(await told({ extra_dirs: [directory] }, reads("../notes/a.txt")), /ants/);
    assert.match(await told({}, reads("../notes/a.txt")), /leads out of the workspace/);
  },
};

export const TOOL_EFFECTS: Effects = { ...PERMISSION_EFFECTS, ...REACH_EFFECTS };
