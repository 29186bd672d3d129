// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** The flags of `deputy run`, typed in the workspace; results are read from `--json`. */
import assert from "node:assert/strict";
import type { DelegationResult } from "../../src/result.ts";
import { type Commanded, command, routesIn, type Scene } from "../support/whole-stage.ts";
import { answers, COSTLY, type Effects, PRICED, runs, writes } from "./effects.ts";

const TASKS = "- goal: one\n- goal: two\n- goal: three\n";

/** `deputy run --goal one` with more flags. */
function runOne(flags: string[], scene?: Scene): Promise<Commanded> {
  return command(["run", "--goal", "one", ...flags], scene);
}

/** `deputy run - --json` with more flags and tasks on standard input. */
async function runMany(flags: string[], scene: Scene = {}, tasks = TASKS) {
  const done = await command(["run", "-", "--json", ...flags], scene, tasks);
  return { ...done, result: JSON.parse(done.stdout) as DelegationResult };
}

function reasonsIn({ results }: DelegationResult): string[] {
  return results.map(({ exit_reason }) => exit_reason);
}

export const FLAG_EFFECTS: Effects = {
  "[file]": async () => {
    const fromFile = await command(["run", "tasks.yaml"], { files: { "work/tasks.yaml": TASKS } });
    const fromInput = await command(["run", "-"], {}, TASKS);
    for (const { code, requests } of [fromFile, fromInput]) {
      assert.deepEqual([code, requests.map(({ lastUserText }) => lastUserText).sort()], [0, ["one", "three", "two"]]);
    }
    assert.deepEqual([(await command(["run"])).code, (await command(["run", "none.yaml"])).code], [2, 2]);
  },

  "--quiet": async () => {
    const script = answers({ text: "the answer" });
    const quiet = await command(["run", "--goal", "one", "-q"], { script });
    assert.equal(quiet.stdout, "the answer\n");
    assert.match(quiet.stderr, /^✓ \[1\/1\] one[\s\S]*1 of 1 task completed/m);
    const several = await command(["run", "-", "-q"], { script }, "- goal: one\n- goal: two\n");
    assert.equal(several.stdout, "[1/2] one\n\nthe answer\n\n[2/2] two\n\nthe answer\n");
    const atTerminal = async (...flags: string[]) =>
      (await command(["run", "--goal", "one", ...flags], { script }, { terminal: true })).stdout;
    assert.match(await atTerminal(), /1 of 1 task completed/);
    assert.doesNotMatch(await atTerminal("-q"), /1 of 1 task completed/);
  },

  "--goal": async () => {
    const { code, requests } = await command(["run", "--goal", "Count the ants."]);
    assert.deepEqual([code, requests.map(({ lastUserText }) => lastUserText)], [0, ["Count the ants."]]);
  },

  "--context": async () => {
    const { requests } = await runOne(["--context", "Ants live here."]);
    assert.equal(requests[0]?.lastUserText, "Ants live here.\n\none");
    assert.equal((await runOne([])).requests[0]?.lastUserText, "one");
  },

  "--max-spawn-depth": async () => {
    const task = "{ goal: one, role: orchestrator }";
    const { requests } = await runMany(["--max-spawn-depth", "2"], {}, task);
    assert.ok(requests[0]?.tools.some(({ name }) => name === "delegate_task"));
    assert.equal((await command(["run", "-"], {}, task)).code, 3);
    assert.equal((await runOne(["--max-spawn-depth", "-1"])).code, 2);
  },
  "--set": async () => {
    const { requests } = await command(["run", "--goal", "Count {{what}}.", "--set", "what=ants"]);
    assert.deepEqual(
      requests.map(({ lastUserText }) => lastUserText),
      ["Count ants."],
    );
  },
  "--items": async () => {
    const files = { "work/rows.csv": "what\nants\nbees\n" };
    const { requests } = await command(["run", "--goal", "Count {{item.what}}.", "--items", "rows.csv"], { files });
    assert.deepEqual(requests.map(({ lastUserText }) => lastUserText).sort(), ["Count ants.", "Count bees."]);
  },

  "--model": async () => {
    assert.deepEqual(routesIn(await runOne(["--model", "acme-2"])), ["acme-2 @ acme"]);
    assert.deepEqual(routesIn(await runOne(["-m", "x --provider beta"])), ["x @ beta"]);
    assert.deepEqual(routesIn(await runOne([])), ["acme-1 @ acme"]);
  },
  "--provider": async () => {
    assert.deepEqual(routesIn(await runOne(["--provider", "beta"])), ["beta-1 @ beta"]);
    const { requests } = await runMany(["-p", "beta"], {}, "- { goal: one, provider: acme }");
    assert.deepEqual(
      requests.map(({ vendor }) => vendor),
      ["acme"],
    );
  },
  "--effort": async () => {
    assert.deepEqual(routesIn(await runOne(["--effort", "high"])), ["acme-1 @ acme · high"]);
    assert.equal((await runOne(["-e", "highest"])).code, 2);
  },

  "--concurrency": async () => {
    const scene = { script: answers({ text: "done", latencyMs: 20 }) };
    assert.equal((await runMany(["--concurrency", "1"], scene)).most.acme, 1);
    assert.ok((await runMany([], scene)).most.acme > 1);
  },

  "--max-cost": async () => {
    const config = { ...PRICED, delegation: { max_concurrent_children: 1 } };
    const scene = { config, script: answers(COSTLY) };
    const limited = await runMany(["--max-cost", "2"], scene);
    assert.deepEqual(reasonsIn(limited.result), ["answered", "max_cost", "max_cost"]);
    assert.deepEqual(reasonsIn((await runMany([], scene)).result), ["answered", "answered", "answered"]);
    const unpriced = await runOne(["--max-cost", "2"]);
    assert.deepEqual([unpriced.code, unpriced.requests], [3, []]);
    assert.match(unpriced.stderr, /Expected a known price/);
  },

  "--allow": async () => {
    const scene = { script: runs("touch ran") };
    assert.ok("work/ran" in (await runOne(["--allow", "write_file", "--allow", "terminal: touch *"], scene)).files);
    assert.ok(!("work/ran" in (await runOne(["--allow", "terminal: rm *"], scene)).files));
  },

  "--wait-for-approval": async () => {
    const scene = { script: runs("touch ran"), config: { delegation: { approval_timeout_seconds: 0.2 } } };
    assert.match((await runOne(["--wait-for-approval"], scene)).stderr, /denied: nobody answered within 0\.2 s/);
    assert.match((await runOne([], scene)).stderr, /denied: .*nobody can answer here/);
  },

  "--strict": async () => {
    const tasks = "- goal: one\n- { goal: two, provider: nowhere }\n";
    const strict = await command(["run", "-", "--strict"], {}, tasks);
    assert.deepEqual([strict.code, strict.requests], [3, []]);
    const lenient = await command(["run", "-"], {}, tasks);
    assert.deepEqual([lenient.code, routesIn(lenient)], [1, ["acme-1 @ acme"]]);
  },

  "--dry-run": async () => {
    const dry = await runOne(["--dry-run"]);
    assert.deepEqual([dry.code, dry.requests], [0, []]);
    assert.match(dry.stdout, /acme-1 @ acme.*ACME_KEY[\s\S]*nothing has been started or spent/);
    const unpriced = await runOne(["--dry-run", "--max-cost", "2"]);
    assert.equal(unpriced.code, 3);
    assert.match(unpriced.stdout, /Expected a known price/);
    assert.equal((await runOne([])).requests.length, 1);
  },

  "--json": async () => {
    const { stdout, stderr } = await runOne(["--json"]);
    const { results } = JSON.parse(stdout) as DelegationResult;
    assert.deepEqual(
      results.map(({ summary, model }) => [summary, model]),
      [["done", "acme-1"]],
    );
    assert.match(stderr, /✓ \[1\/1\] one/);
    assert.match((await runOne([])).stderr, /✓ \[1\/1\] one/);
  },

  "--ndjson": async () => {
    const { stdout } = await runOne(["--ndjson"]);
    const kinds = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { kind: string }).kind);
    assert.deepEqual([kinds[0], kinds.at(-1)], ["delegation-start", "result"]);
    assert.ok(kinds.includes("step-end"));
  },

  "--output": async () => {
    const { files } = await runOne(["--output", "out"]);
    assert.equal(files["work/out/001-one.md"], "done\n");
    assert.equal((JSON.parse(files["work/out/001-one.json"] ?? "") as { summary: string }).summary, "done");
    assert.deepEqual(
      Object.keys((await runOne([])).files).filter((path) => path.startsWith("work/")),
      [],
    );
  },

  "--workspace": async () => {
    const scene = { script: writes("here.txt"), files: { "work/inner/note.txt": "" } };
    assert.ok("work/inner/here.txt" in (await runOne(["--workspace", "inner"], scene)).files);
    assert.ok("work/here.txt" in (await runOne([], scene)).files);
    assert.equal((await runOne(["-w", "nowhere"])).code, 2);
  },

  "--verbose": async () => {
    const scene = { script: writes("here.txt") };
    assert.match(
      (await runOne(["--verbose"], scene)).stderr,
      /· \[1\/1\] request 1\n.*\n· \[1\/1\] write_file: here\.txt/,
    );
    assert.doesNotMatch((await runOne([], scene)).stderr, /request 1|write_file/);
  },

  "--config": async () => {
    const config = { providers: { lab: { base_url: "${BETA_URL}/v1", api_key: "${BETA_KEY}", default_model: "x" } } };
    const scene = { files: { "work/other.yaml": JSON.stringify(config) } };
    assert.deepEqual(routesIn(await runOne(["--config", "other.yaml", "-p", "lab"], scene)), ["x @ beta"]);
    assert.equal((await runOne(["-p", "lab"], scene)).code, 3);
  },
};
