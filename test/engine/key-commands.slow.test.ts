/**
 * A command that prints the key, over real HTTP and with real processes: when it runs, and which of its output is
 * shown.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import type { Script } from "../../src/testing/index.ts";
import { runs, worksFor } from "../fields/effects.ts";
import { until } from "../support/command-line.ts";
import { command, endings, KEYS, type Played, play, type Scene } from "../support/whole-stage.ts";

const PRINTED = { CMD_1: "sk-printed-1-aa", CMD_2: "sk-printed-2-bb", CMD_3: "sk-printed-3-cc" };
const NAME = "providers.acme.api_key_command";

/** Prints a different key each time, and records that in `runs`. Standard error contains the key too. */
const PRINT = `
cd "$HOME"; echo run >> runs; env > env-of-command
case $(wc -l < runs) in *1) key=1-aa;; *2) key=2-bb;; *) key=3-cc;; esac
echo "the key is sk-printed-$key" >&2
sleep 0.05
echo "sk-printed-$key"; echo "and more"`;

/** A scene in which acme's key comes only from a command. */
function withCommand(api_key_command: string, scene: Scene = {}): Scene {
  const acme = { api_key: undefined, api_key_command };
  return { ...scene, keys: { ...scene.keys, ...PRINTED }, config: { ...scene.config, providers: { acme } } };
}

const runsIn = ({ files }: Pick<Played, "files">) => (files.runs ?? "").split("\n").length - 1;
const keysOf = ({ requests }: Played) => requests.map(({ keyName }) => keyName);
const tasks = (count: number) => ({ tasks: Array.from({ length: count }, (_, index) => ({ goal: `task ${index}` })) });
const refusing =
  (refused: string[], then: Script): Script =>
  (request) =>
    refused.includes(request.keyName ?? "") ? { fault: { kind: "unauthorized" } } : then(request);

describe("a key that a command prints", () => {
  test("is asked for once, however many children need it and however often", async () => {
    const played = await play(tasks(6), withCommand(PRINT, { script: worksFor(2) }));
    assert.deepEqual(new Set(endings(played)), new Set(["completed"]));
    assert.deepEqual([runsIn(played), played.requests.length, new Set(keysOf(played))], [1, 18, new Set(["CMD_1"])]);
    assert.equal(played.results[0]?.route?.key_name, NAME);
  });

  test("is run again, once, when the provider rejects its key, and the request continues at once", async () => {
    let requests = 0;
    const answer = worksFor(3);
    const script: Script = (request) =>
      ++requests > 2 && request.keyName === "CMD_1" ? { fault: { kind: "unauthorized" } } : answer(request);
    const played = await play({ goal: "one" }, withCommand(PRINT, { script }));
    assert.deepEqual(endings(played), ["completed"]);
    assert.deepEqual(keysOf(played), ["CMD_1", "CMD_1", "CMD_1", "CMD_2", "CMD_2"]);
    assert.equal(runsIn(played), 2);
  });

  test("is asked for again once by all whom it failed together", async () => {
    const script = refusing(["CMD_1"], () => ({ text: "done", latencyMs: 30 }));
    const played = await play(tasks(6), withCommand(PRINT, { script }));
    assert.deepEqual([new Set(endings(played)), runsIn(played)], [new Set(["completed"]), 2]);
  });

  test("and is refused again fails the child, without running the command on and on", async () => {
    const script = refusing(Object.keys(PRINTED), () => ({ text: "done" }));
    const played = await play({ goal: "one" }, withCommand(PRINT, { script }));
    assert.deepEqual([endings(played), keysOf(played)], [["failed: unauthorized"], ["CMD_1", "CMD_2"]]);
    assert.equal(runsIn(played), 2);
  });

  test("is in no stored or printed text, and a child's command does not see it", async () => {
    const scene = withCommand(PRINT, { script: runs('env; echo "sk-printed-""1-aa"'), journal: "disk" });
    scene.options = { permissions: [{ tool: "terminal", then: "allow" }] };
    const { files, result } = await play({ goal: "one" }, scene);
    assert.match(result.results[0]?.summary ?? "", /\[secret providers\.acme\.api_key_command\]$/);
    assert.ok(Object.keys(files).some((path) => path.startsWith("state/")));
    assert.ok(!JSON.stringify([result, files]).includes("sk-printed-1-aa"));
  });

  test("is one of several keys of a pool", async () => {
    const acme = { api_key_command: PRINT };
    const played = await play(tasks(2), { keys: PRINTED, config: { providers: { acme } } });
    assert.deepEqual(keysOf(played).sort(), ["ACME_KEY", "CMD_1"]);
  });
});

test("the command sees no provider's key, and the rest of the environment", async () => {
  const env = {
    ACME_KEY: "",
    ZAI_API_KEY: "short",
    VAULT_TOKEN: "of the password manager",
    COPY_OF_KEY: KEYS.BETA_KEY,
  };
  const { files } = await play({ goal: "one" }, withCommand(PRINT, { env }));
  const seen = files["env-of-command"] ?? "";
  assert.match(seen, /^VAULT_TOKEN=of the password manager$/m);
  assert.doesNotMatch(seen, /sk-acme|sk-beta|^BETA_KEY=|^ZAI_API_KEY=/m);
});

test("neither a dry run nor the doctor runs it, and both report that", async () => {
  for (const argv of [["run", "--goal", "one", "--dry-run"], ["doctor"], ["models"]]) {
    const { stdout, files, requests } = await command(argv, withCommand(PRINT));
    assert.match(stdout, /providers\.acme\.api_key_command \(not run\)/, argv.join(" "));
    assert.deepEqual([runsIn({ files }), requests], [0, []]);
  }
});

describe("a command that prints no key is reported by name and outcome, without its output:", () => {
  const cases: [how: string, command: string, told: RegExp][] = [
    ["an exit code", "echo sk-half-a-secret; exit 3", /api_key_command ended with exit code 3\. Expected the key/],
    ["nothing", "echo; echo sk-half-a-secret", /api_key_command printed no key\./],
    ["a placeholder", "echo changeme", /api_key_command printed no key\./],
    ["a program there is not", "exec /no/such/program", /ended with exit code 127\./],
    ["a signal", "echo sk-half-a-secret; kill -TERM $$", /was ended by SIGTERM\./],
  ];
  for (const [how, line, told] of cases)
    test(how, async () => {
      const { requests, result, files } = await play({ goal: "one" }, withCommand(line, { journal: "disk" }));
      const [only] = result.results;
      assert.deepEqual([only?.status, only?.exit_reason, only?.route?.key_name], ["interrupted", "route-gone", NAME]);
      assert.match(only?.warnings.find(({ code }) => code === "route-gone")?.message ?? "", told);
      assert.deepEqual([requests, only?.api_calls, only?.cost_usd], [[], 0, 0]);
      const { ".config/deputy/config.yaml": _, ...written } = files;
      assert.ok(!JSON.stringify([result, written]).includes("half-a-secret"));
    });

  test("and another key of the pool does the work", async () => {
    const acme = { api_key_command: "exit 3" };
    const played = await play(tasks(4), { config: { providers: { acme } } });
    assert.deepEqual(endings(played), Array(4).fill("completed"));
    assert.deepEqual(new Set(keysOf(played)), new Set(["ACME_KEY"]));
  });
});

test("a command that hangs is ended with the last child that waits for it, and all that it started", async () => {
  const call = { tasks: [{ goal: "one" }, { goal: "two" }], timeout_seconds: 0.3 };
  const hanging = 'sleep 60 & echo $! > "$HOME/pid"; sleep 60';
  const began = systemClock.now();
  const { files, ...played } = await play(call, withCommand(hanging));
  assert.deepEqual(endings({ files, ...played }), Array(2).fill("timeout: timeout_seconds"));
  assert.ok(systemClock.now() - began < 5_000);
  await until(() => !isAlive(Number(files.pid)));
});

/** Whether a process exists and has not ended. */
function isAlive(pid: number): boolean {
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : "";
  return stat !== "" && !/\) [ZX] /.test(stat);
}
