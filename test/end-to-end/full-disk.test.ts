/** The disk fills up during a run: it ends with a clear error, keeps what was finished, and can be resumed. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { createProviders, launchCommand, PROGRAM, taskOf } from "../support/end-to-end.ts";

/** Runs one task after the other: a large answer arrives after two small ones are stored, and exceeds the disk. */
const TASKS = ["small 1", "small 2", "large 1", "large 2", "small 3"];

function answer(request: ModelRequest): Turn {
  const task = taskOf(request);
  return { text: task.startsWith("large") ? "x".repeat(900_000) : `Done: ${task}.` };
}

/** Shell commands that make the disk too small for the following program, and enlarge it afterwards. */
type Shortage = { within: string[]; restrict: string; lift: string };

const FILE_SIZE_LIMIT: Shortage = { within: [], restrict: "ulimit -f 600", lift: ":" };
/** On private mounts. */
const SMALL_DISK: Shortage = {
  within: ["unshare", "-rm"],
  restrict: ":",
  lift: "mount -o remount,size=64m none state",
};
const MOUNT_SMALL_DISK = "mount -t tmpfs -o size=700k none state";

describe("a run whose journal cannot grow", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);

  test("because of a limit on file sizes ends with a clear message, and continues when the limit is lifted", (t) =>
    endsAndGoesOn(t, FILE_SIZE_LIMIT, ":"));

  test("because the disk is full ends with a clear message, and continues when there is space", async (t) => {
    const attempt = launchCommand([...SMALL_DISK.within, "sh", "-c", `mkdir state && ${MOUNT_SMALL_DISK}`], {
      cwd: mkdtempSync(join(home, "trial-")),
      env: {},
    });
    if ((await attempt.ended).code !== 0) return t.skip("a small disk cannot be mounted here");
    await endsAndGoesOn(t, SMALL_DISK, MOUNT_SMALL_DISK);
  });

  type TestContext = { after(cleanUp: () => Promise<void>): void };

  async function endsAndGoesOn(t: TestContext, { within, restrict, lift }: Shortage, prepare: string) {
    const cwd = mkdtempSync(join(home, "disk-"));
    mkdirSync(join(cwd, "state"));
    writeFileSync(join(cwd, "tasks.json"), JSON.stringify(TASKS));
    const providers = await createProviders(["zai"], answer);
    t.after(providers.close);
    const script = `
      ${prepare} || exit 99
      (${restrict}; exec "$0" run tasks.json --concurrency 1 --json >run.out 2>run.err); echo $? >run.code
      ${lift} || exit 98
      "$0" runs --json >runs.out
      id=$(sed -n 's/.*"delegation_id": "\\(.*\\)",/\\1/p' runs.out)
      "$0" resume "$id" --json >resume.out 2>resume.err; echo $? >resume.code`;
    const env = { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state"), ...providers.env };
    const shell = await launchCommand([...within, "sh", "-c", script, PROGRAM], { cwd, env }).ended;
    assert.equal(shell.code, 0, shell.stderr);
    const said = (name: string) => readFileSync(join(cwd, name), "utf8");

    assert.equal(said("run.code"), "1\n", said("run.err"));
    assert.match(
      said("run.err"),
      /^deputy: The journal .* cannot grow: .*\. Everything that was acknowledged is kept\./m,
    );
    assert.match(said("run.err"), /Free some space there, .* then continue with: deputy resume ID/);
    const reported = JSON.parse(said("run.out")) as DelegationResult;
    assert.deepEqual(
      reported.results.map(({ status, exit_reason, summary }) => [status, exit_reason, summary]),
      [
        ["completed", "answered", "Done: small 1."],
        ["completed", "answered", "Done: small 2."],
        ...Array.from({ length: 3 }, () => ["interrupted", "journal-full", ""]),
      ],
    );
    assert.match(reported.warnings.find(({ code }) => code === "journal-full")?.message ?? "", /cannot grow/);
    const finished = reported.results.slice(0, 2);
    const [listed] = JSON.parse(said("runs.out"));
    assert.deepEqual([listed.state, listed.completed], ["unfinished", 2]);

    assert.equal(said("resume.code"), "0\n", said("resume.err"));
    const { results } = JSON.parse(said("resume.out")) as DelegationResult;
    assert.deepEqual(results.slice(0, 2), finished);
    assert.deepEqual(
      results.map(({ status, summary }) => [status, summary.length]),
      TASKS.map((task) => ["completed", answerLength(task)]),
    );
    // Finished work is not requested again.
    const asked = Map.groupBy(providers.arrivals, ({ request }) => taskOf(request));
    assert.deepEqual([asked.get("small 1")?.length, asked.get("small 2")?.length], [1, 1]);
  }
});

function answerLength(task: string): number {
  return task.startsWith("large") ? 900_000 : `Done: ${task}.`.length;
}
