/** Commands in the background, with real processes: they are read on, stopped, and none outlives its child. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ToolOutput } from "../../../src/tool.ts";
import { createCommandExecutor } from "../../../src/tools/terminal/command-executor.ts";
import { openWorkshop } from "../workshop.ts";

function idIn({ text }: ToolOutput): string {
  const id = /\[(\d+-[\da-f]{4}) /.exec(text)?.[1];
  assert.ok(id !== undefined, text);
  return id;
}

/** The times in an answer differ from run to run. */
function timeless({ text }: ToolOutput): string {
  return text.replaceAll(/\d+-[\da-f]{4}/g, "ID").replaceAll(/[\d.]+ s/g, "N s");
}

/** @param before ids of commands of an earlier process */
function openBackground(context: TestContext, before: string[] = []) {
  const workshop = openWorkshop(context, {}, undefined, createCommandExecutor(undefined, new Set(before)));
  const { call, workspace } = workshop;
  return {
    ...workshop,
    start: (command: string, more: object = {}) => call("terminal", { command, background: true, ...more }),
    output: (id: string, wait_seconds = 0) => call("terminal_output", { id, wait_seconds }),
    stop: (id: string) => call("terminal_stop", { id }),
    /** Makes a waiting command go on. */
    tell: (name: string) => writeFileSync(join(workspace, name), ""),
    isRunning: (file: string) => isRunning(Number(readFileSync(join(workspace, file), "utf8"))),
  };
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

const WHEN = (name: string) => `until [ -e ${name} ]; do sleep 0.02; done`;

describe("a background command", () => {
  test("returns at once with its first output, and its new output when asked", async (context) => {
    const { start, output, tell } = openBackground(context);
    const started = await start(`echo ready; ${WHEN("go")}; echo more; ${WHEN("end")}; echo bye; exit 3`);
    assert.equal(timeless(started), "ready\n[ID runs in the background, for N s so far]");
    const id = idIn(started);
    assert.equal(timeless(await output(id)), "(no new output)\n[ID runs in the background, for N s so far]");
    tell("go");
    assert.equal(timeless(await output(id, 30)), "more\n[ID runs in the background, for N s so far]");
    tell("end");
    const ended = await output(id, 30);
    assert.deepEqual([ended.ok, timeless(ended)], [false, "bye\n[ID has ended after N s: exit code 3]"]);
    assert.equal(timeless(await output(id)), "(no new output)\n[ID has ended after N s: exit code 3]");
  });

  test("that ends at once says how", async (context) => {
    const { start } = openBackground(context);
    assert.equal(timeless(await start("echo done")), "done\n[ID has ended after N s: exit code 0]");
    assert.match(timeless(await start("no-such-program")), /not found\n\[ID has ended after N s: exit code 127\]$/);
    const long = await start(`echo ${"€".repeat(90_000)}`);
    assert.match(timeless(long), /argument list too long \(E2BIG\)\.\n\[ID has ended after N s: exit code 126\]$/);
    assert.match(timeless(await start("sleep 308", { timeout_seconds: 0.2 })), /ended at its limit of N s\]$/);
  });

  test("is stopped with everything that it started, and a foreground command leaves it alone", async (context) => {
    const { start, stop, output, call, isRunning } = openBackground(context);
    const id = idIn(await start("sleep 309 & echo $! > sleep.pid; echo $$ > shell.pid; trap '' TERM; wait; wait"));
    assert.deepEqual(await call("terminal", { command: "echo hi" }), { ok: true, text: "hi" });
    assert.deepEqual([isRunning("sleep.pid"), isRunning("shell.pid")], [true, true]);
    assert.equal(timeless(await stop(id)), "(no new output)\n[ID was stopped after N s]");
    assert.deepEqual([isRunning("sleep.pid"), isRunning("shell.pid")], [false, false]);
    assert.match(timeless(await stop(id)), /was stopped/);
    assert.match(timeless(await output(id)), /was stopped/);
  });

  test("ends with its child, and none starts after it", async (context) => {
    const { start, commands, isRunning } = openBackground(context);
    await start("echo $$ > one.pid; sleep 310");
    await start("echo $$ > two.pid; setsid true; sleep 311");
    await commands.close();
    assert.deepEqual([isRunning("one.pid"), isRunning("two.pid"), commands.running()], [false, false, []]);
    assert.match((await start("touch late")).text, /no command is started/);
  });

  test("is one of eight at most, and says which to stop", async (context) => {
    const { start, stop } = openBackground(context);
    const ids: string[] = [];
    for (let count = 0; count < 8; count++) ids.push(idIn(await start("echo x; sleep 312")));
    const refused = await start("touch ninth");
    assert.equal(refused.ok, false);
    assert.match(refused.text, new RegExp(`^8 commands run in the background \\(${ids.join(", ")}\\)\\. Stop one`));
    await stop(ids[3] ?? "");
    assert.match(timeless(await start("echo ninth")), /^ninth/);
  });

  test("prints as much as it likes: what is kept of it is bounded", async (context) => {
    const { start, output } = openBackground(context);
    const before = process.memoryUsage().rss;
    const begun = await start("echo first; yes | head -c 300000000; echo last");
    const id = idIn(begun);
    // A fast machine prints all of it before the start is answered.
    const texts = [begun.text];
    do texts.push((await output(id, 30)).text);
    while (!/has ended/.test(texts.at(-1) ?? ""));
    assert.ok(process.memoryUsage().rss - before < 100_000_000);
    for (const text of texts) assert.ok(text.length < 34_000);
    assert.match(texts.join("\n"), /\nlast\n\[/);
  });

  test("shows a word only once it is whole: it could be a key", async (context) => {
    const { start, output, tell } = openBackground(context);
    const id = idIn(await start(`printf 'line\\nthe sk-first'; ${WHEN("go")}; echo half of it; sleep 313`));
    tell("go");
    assert.match((await output(id, 30)).text, /^sk-firsthalf of it\n/);
  });

  test("is found by its own id alone; one of an earlier process has ended", async (context) => {
    const { start, output, stop } = openBackground(context, ["1-beef"]);
    const id = idIn(await start("echo x; sleep 314"));
    for (const answer of [await output("1-beef"), await stop("1-beef")]) {
      assert.deepEqual(answer, {
        ok: true,
        text: "[1-beef has ended: it ended with the process that ran it. Start it again if you still need it.]",
      });
    }
    const quick = idIn(await start("true"));
    const [, tag] = id.split("-");
    for (const wrong of [`99-${tag}`, "2-beef", "npm"])
      for (const answer of [await output(wrong), await stop(wrong)]) {
        const known = `1-beef (has ended), ${id} (echo x; sleep 314; runs), ${quick} (true; has ended)`;
        assert.deepEqual(answer, {
          ok: false,
          text: `There is no background command ${wrong}. Those that you started: ${known}.`,
        });
      }
  });

  test("that ended before many others is known, but its output is no longer kept", async (context) => {
    const { start, output } = openBackground(context);
    const ids: string[] = [];
    for (let count = 0; count < 18; count++) ids.push(idIn(await start("true")));
    assert.deepEqual(await output(ids[0] ?? ""), {
      ok: true,
      text: `[${ids[0]} has ended: its output is no longer kept.]`,
    });
    assert.match((await output(ids[5] ?? "")).text, /has ended after .*: exit code 0\]$/);
  });

  test("of which there never was one is none, whatever the id looks like", async (context) => {
    const { output, stop } = openBackground(context);
    for (const answer of [await output("1-beef"), await stop("1-beef")])
      assert.deepEqual(answer, {
        ok: false,
        text: "There is no background command 1-beef. Those that you started: none.",
      });
  });

  test("is waited for until the child is stopped, at the longest", async (context) => {
    const { start, call } = openBackground(context);
    const id = idIn(await start("echo x; sleep 315"));
    const controller = new AbortController();
    const waiting = call("terminal_output", { id, wait_seconds: 60 }, controller.signal);
    const stoppedAt = performance.now();
    controller.abort();
    await waiting;
    assert.ok(performance.now() - stoppedAt < 1_000);
  });
});

test("an executor that runs nothing keeps nothing alive", async () => {
  const executor = createCommandExecutor();
  assert.deepEqual(executor.running(), []);
  await executor.close();
  assert.equal(executor.find("1-0000"), undefined);
  assert.equal(existsSync("/proc") && executor.find("x"), undefined);
  await sleep(0);
});
