/**
 * The real program, killed during a run and resumed when something that the run needs is gone: nothing is lost, and
 * once it is back the run finishes without repeating a step.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import type { DelegationResult } from "../../src/result.ts";
import type { Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { type Ended, launch, processesWith } from "../support/end-to-end.ts";
import { type Document, KEYS, type Place, stage } from "../support/whole-stage.ts";

/** Each child calls a tool, and gets an answer only once it is open. */
function scripted() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  let waiting = 0;
  const script: Script = async ({ messages }) => {
    const goal = messages[0]?.text ?? "";
    if (messages.at(-1)?.role !== "tool") {
      if (!goal.includes("delegate")) return { toolCalls: [{ name: "list_dir", input: {} }] };
      const tasks = [{ goal: "below", provider: "beta" }];
      return { toolCalls: [{ name: "delegate_task", input: { tasks } }] };
    }
    waiting += 1;
    await opened;
    return { text: `done: ${goal.split("\n")[0]}` };
  };
  return { script, open, waiting: () => waiting };
}

/** The recorded events, and the owner of the run. */
async function journalOf(place: Place, id: string) {
  const journal = openSqliteJournal({ stateDir: place.env.DEPUTY_STATE_DIR ?? "" });
  const entries = await Array.fromAsync(journal.read({}));
  const owner = await journal.owner(id);
  await journal.close();
  return { entries, owner };
}

/** A run that is killed once this many of its children wait for an answer. */
async function killed(place: Place, tasks: object[], waiting: () => number): Promise<string> {
  writeFileSync(join(place.cwd, "tasks.json"), JSON.stringify({ tasks }));
  const run = launch(["run", "tasks.json", "--json"], place);
  await until(() => waiting() >= tasks.length || run.isOver());
  run.child.kill("SIGKILL");
  await run.ended;
  const [, id = ""] = /run (\w+)/.exec(run.stderr()) ?? assert.fail(run.stderr());
  return id;
}

const resume = (id: string, place: Place): Promise<Ended> => launch(["resume", id, "--json"], place).ended;

function resultOf({ code, stdout, stderr }: Ended, expected: number): DelegationResult {
  assert.equal(code, expected, stderr);
  return JSON.parse(stdout);
}

const endings = ({ results }: DelegationResult) => results.map(({ status, exit_reason }) => `${status} ${exit_reason}`);

const without = ({ env, cwd }: Place, name: string): Place => {
  const { [name]: _, ...rest } = env;
  return { env: rest, cwd };
};

/** Changes the user's config while an action runs. */
async function withConfig<Outcome>({ env }: Place, change: (config: Document) => unknown, act: () => Promise<Outcome>) {
  const path = join(env.HOME ?? "", ".config/deputy/config.yaml");
  const before = readFileSync(path, "utf8");
  const changed = change(JSON.parse(before));
  writeFileSync(path, typeof changed === "string" ? changed : JSON.stringify(changed));
  try {
    return await act();
  } finally {
    writeFileSync(path, before);
  }
}

/** Runs an action while a provider's key comes from a command, instead of or in addition to the config's. */
function withKeyCommand<Outcome>(
  place: Place,
  [provider, api_key_command, api_key]: [provider: string, command: string | string[], key?: string],
  act: () => Promise<Outcome>,
) {
  const change = ({ providers, ...config }: Document): Document => {
    const { [provider]: entry, ...others } = providers as Record<string, Document>;
    return { ...config, providers: { ...others, [provider]: { ...entry, api_key, api_key_command } } };
  };
  return withConfig(place, change, act);
}

type Gone = {
  /** Resumes while it is missing, then restores it. */
  resumed(id: string, place: Place): Promise<Ended>;
  code?: number;
  says: RegExp;
  project?: Document;
};

const GONE: Record<string, Gone> = {
  "the key is gone": {
    resumed: (id, place) => resume(id, without(place, "ACME_KEY")),
    says: /\.1 \(look around\): No key for acme, which the run was planned with \(ACME_KEY\)/,
  },
  "the provider is gone from the config": {
    resumed: (id, place) =>
      withConfig(
        place,
        ({ providers: { acme: _, ...others } = {} as Document, ...config }: Document & { providers?: Document }) => ({
          ...config,
          provider: "beta",
          providers: others,
        }),
        () => resume(id, place),
      ),
    says: /\.1 \(look around\): .*provider.*acme/,
  },
  "it is resumed in a directory where the project's config is not found": {
    project: {
      provider: "lab",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a config names a variable.
      providers: { lab: { base_url: "${ACME_URL}/v1", api_key: "${ACME_KEY}", default_model: "m" } },
    },
    resumed: (id, { env }) => resume(id, { env, cwd: env.HOME ?? "" }),
    says: /\.1 \(look around\): .*provider.*lab.*deputy resume \w+, in a directory with the run's config/s,
  },
  "the command that prints its key fails": {
    resumed: (id, place) => withKeyCommand(place, ["acme", "echo sk-half; exit 3"], () => resume(id, place)),
    says: /\.1 \(look around\): No key: providers\.acme\.api_key_command ended with exit code 3\./,
  },
  "the command that prints its key is gone": {
    resumed: (id, place) => withKeyCommand(place, ["acme", ["/no/such/program"]], () => resume(id, place)),
    says: /\.1 \(look around\): No key: providers\.acme\.api_key_command cannot be run \(ENOENT\)\./,
  },
  "the command that prints its key prints none": {
    resumed: (id, place) => withKeyCommand(place, ["acme", "echo"], () => resume(id, place)),
    says: /\.1 \(look around\): No key: providers\.acme\.api_key_command printed no key\./,
  },
  "the workspace is gone": {
    async resumed(id, { env, cwd }) {
      renameSync(cwd, `${cwd}-moved`);
      const ended = await resume(id, { env, cwd: env.HOME ?? "" });
      renameSync(`${cwd}-moved`, cwd);
      return ended;
    },
    says: /\.1 \(look around\): Expected its workspace, a directory at .*work; found none/,
  },
  "a link to another directory is in the workspace's place": {
    async resumed(id, { env, cwd }) {
      renameSync(cwd, `${cwd}-moved`);
      mkdirSync(`${cwd}-other`);
      symlinkSync(`${cwd}-other`, cwd);
      const ended = await resume(id, { env, cwd: env.HOME ?? "" });
      rmSync(cwd);
      renameSync(`${cwd}-moved`, cwd);
      return ended;
    },
    says: /\.1 \(look around\): Expected the workspace .*work to be the directory .*work, as when the task was planned/,
  },
  "the config cannot be read": {
    resumed: (id, place) =>
      withConfig(
        place,
        () => "providers: [",
        () => resume(id, place),
      ),
    code: 2,
    says: /config\.yaml/,
  },
};

describe("a killed run that is resumed while something it needs is missing", {
  timeout: 110_000,
  concurrency: true,
}, () => {
  for (const [what, { resumed, says, code = 3, project }] of Object.entries(GONE))
    test(`stays unchanged while ${what}, and continues once that is back`, async () => {
      const { script, open, waiting } = scripted();
      const { requests } = await stage({ script, ...(project && { project }) }, async (place) => {
        const id = await killed(place, [{ goal: "look around" }], waiting);
        open();
        const before = await journalOf(place, id);
        const refused = await resumed(id, place);
        assert.equal(refused.code, code, refused.stderr);
        assert.match(refused.stderr, says);
        assert.equal(refused.stdout, "");
        const after = await journalOf(place, id);
        assert.deepEqual(after.entries, before.entries);
        assert.ok(after.owner?.alive !== true);
        assert.deepEqual(endings(resultOf(await resume(id, place), 0)), ["completed answered"]);
      });
      assert.equal(requests.length, 3, "the second request, which was under way, is sent again, and no other");
    });
});

describe("a run that was killed, where a part of it cannot continue", { timeout: 110_000, concurrency: true }, () => {
  test("loses no child if one of two providers is missing: the other's continues, and the missing one is reported", async () => {
    const { script, open, waiting } = scripted();
    const { requests } = await stage({ script }, async (place) => {
      const tasks = [{ goal: "here" }, { goal: "there", provider: "beta" }];
      const id = await killed(place, tasks, waiting);
      open();
      const ended = await resume(id, without(place, "BETA_KEY"));
      const half = resultOf(ended, 1);
      assert.deepEqual(endings(half), ["completed answered", "interrupted route-gone"]);
      const warning = new RegExp(`${id}\\.2 stays interrupted.*beta`);
      assert.match(half.warnings.map(({ message }) => message).join("\n"), warning);
      assert.match(ended.stderr, warning);
      const written = (await journalOf(place, id)).entries.slice(-3);
      assert.ok(written.every(({ event }) => !("childId" in event && event.childId === `${id}.2`)));
      const listed = JSON.parse((await launch(["runs", "--json"], place).ended).stdout);
      assert.equal(listed[0].state, "stopped");
      const again = await resume(id, without(place, "BETA_KEY"));
      assert.equal(again.code, 3, again.stderr);
      const whole = resultOf(await resume(id, place), 0);
      assert.deepEqual(endings(whole), ["completed answered", "completed answered"]);
      assert.deepEqual(whole.warnings, []);
    });
    assert.equal(requests.length, 6);
  });

  test("waits with a child whose own delegation cannot continue, and finishes both once it can", async () => {
    const { script, open, waiting } = scripted();
    const config = { delegation: { max_spawn_depth: 2 } };
    await stage({ script, config }, async (place) => {
      const id = await killed(place, [{ goal: "delegate", role: "orchestrator" }], waiting);
      open();
      const before = (await journalOf(place, id)).entries;
      const ways = [
        () => resume(id, without(place, "BETA_KEY")),
        () => withKeyCommand(place, ["beta", "exit 3"], () => resume(id, place)),
      ];
      for (const resumed of ways) {
        const refused = await resumed();
        assert.equal(refused.code, 3, refused.stderr);
        const said = `${id}\\.1 .*It waits for ${id}\\.1\\.1\\.1, which cannot .*No key(:.*| for )beta`;
        assert.match(refused.stderr, new RegExp(said));
        assert.deepEqual((await journalOf(place, id)).entries, before);
      }
      assert.deepEqual(endings(resultOf(await resume(id, place), 0)), ["completed answered"]);
    });
  });

  test("runs the command that prints a key once for all children, and not if there is another key", async () => {
    const { script, open, waiting } = scripted();
    const note = 'echo run >> "$HOME/runs"';
    const runsIn = ({ env }: Place) => readFileSync(join(env.HOME ?? "", "runs"), "utf8").split("\n").length - 1;
    await stage({ script }, async (place) => {
      const tasks = [{ goal: "one" }, { goal: "two" }, { goal: "three", provider: "beta" }];
      const id = await killed(place, tasks, waiting);
      open();
      const half = await withKeyCommand(place, ["acme", `${note}; exit 3`], () => resume(id, place));
      assert.deepEqual(endings(resultOf(half, 1)), [
        "interrupted route-gone",
        "interrupted route-gone",
        "completed answered",
      ]);
      assert.equal(runsIn(place), 1);
      const both: [string, string, string] = ["acme", "exit 3", KEYS.ACME_KEY];
      const whole = await withKeyCommand(place, both, () => resume(id, place));
      assert.deepEqual(endings(resultOf(whole, 0)), Array(3).fill("completed answered"));
    });
  });

  test("continues with the key that a command prints, and runs that once", async () => {
    const { script, open, waiting } = scripted();
    await stage({ script }, async (place) => {
      const id = await killed(place, [{ goal: "one" }, { goal: "two" }], waiting);
      open();
      const print = `echo run >> "$HOME/runs"; echo ${KEYS.ACME_KEY}`;
      const whole = await withKeyCommand(place, ["acme", print], () => resume(id, place));
      assert.deepEqual(endings(resultOf(whole, 0)), Array(2).fill("completed answered"));
      assert.equal(readFileSync(join(place.env.HOME ?? "", "runs"), "utf8"), "run\n");
    });
  });

  test("gives up at Ctrl-C while the command that prints its key hangs, and leaves nothing behind", async () => {
    const { script, open, waiting } = scripted();
    await stage({ script }, async (place) => {
      const id = await killed(place, [{ goal: "look around" }], waiting);
      open();
      const before = (await journalOf(place, id)).entries;
      const pidFile = join(place.env.HOME ?? "", "pid");
      const ended = await withKeyCommand(place, ["acme", 'echo $$ > "$HOME/pid"; exec sleep 600'], async () => {
        const resumed = launch(["resume", id], place);
        await until(() => resumed.isOver() || (existsSync(pidFile) && readFileSync(pidFile, "utf8") !== ""));
        resumed.child.kill("SIGINT");
        return resumed.ended;
      });
      assert.equal(ended.code, 130, ended.stderr);
      assert.deepEqual((await journalOf(place, id)).entries, before);
      await until(() => processesWith(place.env.DEPUTY_STATE_DIR ?? "").length === 0);
      assert.deepEqual(endings(resultOf(await resume(id, place), 0)), ["completed answered"]);
    });
  });

  test("continues in a workspace that was a link from the start, and in one that was created again", async () => {
    const { script, open, waiting } = scripted();
    await stage({ script }, async (place) => {
      mkdirSync(join(place.cwd, "anew"));
      mkdirSync(join(place.cwd, "real"));
      symlinkSync("real", join(place.cwd, "link"));
      const tasks = [
        { goal: "look", workspace: "link" },
        { goal: "look", workspace: "anew" },
      ];
      const id = await killed(place, tasks, waiting);
      open();
      rmSync(join(place.cwd, "anew"), { recursive: true });
      mkdirSync(join(place.cwd, "anew"));
      assert.deepEqual(endings(resultOf(await resume(id, place), 0)), ["completed answered", "completed answered"]);
    });
  });

  test("continues without an agent definition that was removed, because its content is recorded", async () => {
    const { script, open, waiting } = scripted();
    const agents = { looker: { description: "Looks.", prompt: "You look." } };
    await stage({ script, config: { agents } }, async (place) => {
      const id = await killed(place, [{ goal: "look", agent: "looker" }], waiting);
      open();
      const { agents: _, ...rest } = JSON.parse(
        readFileSync(join(place.env.HOME ?? "", ".config/deputy/config.yaml"), "utf8"),
      );
      const ended = await withConfig(
        place,
        () => rest,
        () => resume(id, place),
      );
      assert.deepEqual(endings(resultOf(ended, 0)), ["completed answered"]);
    });
  });
});
