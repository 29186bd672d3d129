/** The terminal, with real processes: a command's output is returned, and none of its processes is left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { openWorkshop } from "../workshop.ts";

/**
 * Commands that start processes and write their ids to files: in the shell's group, in a separate one, and orphaned.
 */
const FAMILY =
  "sleep 301 & echo $! > sleep.pid; timeout 302 sleep 303 & echo $! > timeout.pid; " +
  "(sleep 304 >/dev/null 2>&1 & echo $! > orphan.pid); echo $$ > shell.pid; echo started";
const FAMILY_FILES = ["sleep.pid", "timeout.pid", "orphan.pid", "shell.pid"];

function idsIn(directory: string): number[] {
  return FAMILY_FILES.map((file) => Number(readFileSync(join(directory, file), "utf8")));
}

/** A zombie has ended; its parent has not collected it yet. */
function isRunning(pid: number): boolean {
  if (process.platform !== "linux") return canSignal(pid);
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false; // It has ended, perhaps between two checks.
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    assert.ok(Date.now() < deadline, "waited ten seconds in vain");
    await sleep(10);
  }
}

describe("a command", () => {
  test("runs in the workspace, its output and errors in the order they were written", async (context) => {
    const { call, workspace } = openWorkshop(context);
    assert.deepEqual(await call("terminal", { command: "pwd; echo a >&2; echo b; echo c >&2" }), {
      ok: true,
      text: `${workspace}\na\nb\nc`,
    });
  });

  test("reports its exit code, and the signal that ended it", async (context) => {
    const { call } = openWorkshop(context);
    assert.deepEqual(await call("terminal", { command: "echo x; exit 3" }), { ok: false, text: "x\n[exit code 3]" });
    assert.match((await call("terminal", { command: "kill -SEGV $$" })).text, /\[exit code 139: SIGSEGV\]$/);
    assert.match((await call("terminal", { command: "kill -KILL $$" })).text, /\[exit code 137: SIGKILL\]$/);
    assert.match((await call("terminal", { command: "no-such-program" })).text, /not found\n\[exit code 127\]$/);
    assert.equal((await call("terminal", { command: "true" })).text, "(no output)");
  });

  test("finds nothing to read", async (context) => {
    const { call } = openWorkshop(context);
    assert.equal((await call("terminal", { command: "cat; read x || echo none" })).text, "none");
  });

  test("that asks for an editor, a pager or a password fails at once, or shows what it has", async (context) => {
    const waiting = "sh -c 'sleep 307'";
    const { call } = openWorkshop(context, {
      environment: () => ({
        PATH: process.env.PATH ?? "",
        HOME: "/",
        EDITOR: waiting,
        VISUAL: waiting,
        PAGER: waiting,
      }),
    });
    const git = "git -c user.name=a -c user.email=a@b.test";
    const repository = `git init -q . && ${git} commit -q --allow-empty -m one`;
    const refused = await call("terminal", { command: `${repository}; ${git} commit --allow-empty` });
    assert.equal(refused.ok, false);
    assert.match(refused.text, /^No editor is available\. Give the text with -m/m);
    assert.match((await call("terminal", { command: `${git} rebase -i --root` })).text, /^No editor is available/m);
    assert.match((await call("terminal", { command: "$EDITOR x" })).text, /exit code 1/);
    assert.match(
      (await call("terminal", { command: "git -p log --format=%s | cat; echo shown | $PAGER" })).text,
      /shown/,
    );
    assert.match(
      (await call("terminal", { command: "git credential fill <<<'protocol=https\nhost=a.test'" })).text,
      /exit code/,
    );
  });

  test("may name an editor itself", async (context) => {
    const { call } = openWorkshop(context);
    const git = "git -c user.name=a -c user.email=a@b.test";
    const command = `git init -q . && ${git} commit -q --allow-empty -m one && GIT_EDITOR=true ${git} commit -q --amend --allow-empty && git log --format=%s`;
    assert.deepEqual(await call("terminal", { command }), { ok: true, text: "one" });
    const written = `GIT_EDITOR='echo two >' ${git} commit -q --allow-empty && git log -1 --format=%s`;
    assert.deepEqual(await call("terminal", { command: written }), { ok: true, text: "two" });
  });

  test("shows what a terminal would show at the end, and names binary data", async (context) => {
    const { call } = openWorkshop(context);
    const redraws =
      "for i in $(seq 1 500); do printf '\\033[2K\\r\\033[32m%d of 500\\033[0m' $i; done; echo; echo finished";
    assert.equal((await call("terminal", { command: redraws })).text, "500 of 500\nfinished");
    assert.equal((await call("terminal", { command: "printf 'a\\0b\\n'" })).text, "a\\0b");
    const data = "echo before; for i in $(seq 900); do printf '\\377\\001\\376\\002'; done; echo; echo after";
    assert.equal((await call("terminal", { command: data })).text, "before\n[binary data, not shown]\nafter");
  });

  test("is the words of a shell, quotes and all", async (context) => {
    const { call } = openWorkshop(context);
    const command = `printf '%s|' "a b" 'c"d' \\$x; echo "\${0##*/}"`;
    assert.match((await call("terminal", { command })).text, /^a b\|c"d\|\$x\|(bash|sh)$/);
  });

  test("with too much output is shown by its beginning and its end, in bounded memory", async (context) => {
    const { call } = openWorkshop(context);
    const before = process.memoryUsage().rss;
    const { ok, text } = await call("terminal", { command: "echo first; yes | head -c 500000000; echo last" });
    assert.ok(ok);
    assert.ok(process.memoryUsage().rss - before < 100_000_000);
    assert.match(text, /^first\ny\n/);
    assert.match(text, /\ny\nlast$/);
    const [, cut = "", total = ""] = /\n\[… (\d+) of (\d+) bytes cut here …\]\n/.exec(text) ?? [];
    assert.equal(Number(total), 500_000_011);
    const [head = "", tail = ""] = text.split(/\n\[….*…\]\n/);
    // The last line feed is not shown.
    assert.equal(Number(cut) + Buffer.byteLength(head) + Buffer.byteLength(tail) + 1, Number(total));
    assert.ok(text.length < 33_000);
  });

  test("that just fits is shown whole", async (context) => {
    const { call } = openWorkshop(context);
    const { text } = await call("terminal", { command: "seq 1 6000" });
    assert.deepEqual(
      text.split("\n"),
      Array.from({ length: 6_000 }, (_, index) => String(index + 1)),
    );
  });

  test("may not be blank, hold a NUL byte or wait a negative time", async (context) => {
    const { call } = openWorkshop(context);
    for (const input of [{ command: " " }, { command: "a\0b" }, { command: "a", timeout_seconds: -1 }, {}]) {
      await assert.rejects(call("terminal", input));
    }
  });

  test("too long for the system is refused in words", async (context) => {
    const { call } = openWorkshop(context);
    const { ok, text } = await call("terminal", { command: `echo ${"€".repeat(90_000)}` });
    assert.equal(ok, false);
    assert.match(text, /argument list too long \(E2BIG\)/);
  });

  test("is exactly the one that rules and users see", (context) => {
    const { target } = openWorkshop(context);
    assert.equal(target("terminal", { command: " git  status\n" }), " git  status\n");
  });
});

describe("when a command ends", () => {
  test("what it left in the background ends with it, though it holds on to the output", async (context) => {
    const { call, workspace } = openWorkshop(context);
    const { ok, text } = await call("terminal", { command: `${FAMILY}; sleep 0.2` });
    assert.deepEqual({ ok, text }, { ok: true, text: "started" });
    assert.deepEqual(idsIn(workspace).filter(isRunning), []);
  });

  test("a process that left the session on purpose blocks nobody", async (context) => {
    const { call, workspace } = openWorkshop(context);
    const command = "setsid sh -c 'echo $$ > away.pid; exec sleep 305' & until [ -s away.pid ]; do :; done; echo done";
    const { text } = await call("terminal", { command });
    assert.equal(text, "done");
    const away = Number(readFileSync(join(workspace, "away.pid"), "utf8"));
    if (isRunning(away)) process.kill(away, "SIGKILL");
  });
});

describe("a command is ended with all its processes", () => {
  test("when its time is over: its own limit where that is lower", async (context) => {
    const { call, workspace } = openWorkshop(context);
    const { ok, text } = await call("terminal", { command: `${FAMILY}; wait`, timeout_seconds: 0.5 });
    assert.deepEqual({ ok, text }, { ok: false, text: "started\n[ended after 0.5 s; up to 20 s are allowed]" });
    assert.deepEqual(idsIn(workspace).filter(isRunning), []);
  });

  test("when the operator's limit is reached, whatever the command wished for", async (context) => {
    const { call } = openWorkshop(context, { terminal: { timeoutMs: 300 } });
    const words = "(no output)\n[ended after 0.3 s, the maximum]";
    assert.equal((await call("terminal", { command: "sleep 306", timeout_seconds: 600 })).text, words);
    assert.equal((await call("terminal", { command: "sleep 306" })).text, words);
  });

  test("when the child is stopped, within a second, though it will not listen", async (context) => {
    const { call, workspace } = openWorkshop(context);
    const controller = new AbortController();
    const command = `trap '' TERM; ${FAMILY}; while :; do sleep 1; done`;
    const running = call("terminal", { command }, controller.signal);
    await until(() => existsSync(join(workspace, "shell.pid")) && idsIn(workspace).every((pid) => pid > 0));
    const stoppedAt = Date.now();
    controller.abort();
    const { ok, text } = await running;
    assert.ok(Date.now() - stoppedAt < 1_500);
    assert.deepEqual({ ok, text }, { ok: false, text: "started\n[stopped]" });
    assert.deepEqual(idsIn(workspace).filter(isRunning), []);
  });

  test("gently first: it may clean up", async (context) => {
    const { call } = openWorkshop(context);
    const command = "trap 'echo cleaned; exit' TERM; echo ready; while :; do sleep 0.05; done";
    const { text } = await call("terminal", { command, timeout_seconds: 0.3 });
    assert.match(text, /^ready\n(Terminated\n)?cleaned\n\[ended after 0\.3 s/);
  });

  test("does not start where the child is stopped already", async (context) => {
    const { call, workspace } = openWorkshop(context);
    const { ok } = await call("terminal", { command: "touch started" }, AbortSignal.abort());
    assert.equal(ok, false);
    assert.equal(existsSync(join(workspace, "started")), false);
  });

  test("when Deputy is killed with -9", async (context) => {
    const { workspace } = openWorkshop(context);
    const deputy = spawn(process.execPath, ["--input-type=module", "-e", killed(`${FAMILY}; wait`)], {
      cwd: workspace,
      stdio: ["ignore", "ignore", "inherit"],
    });
    await until(() => existsSync(join(workspace, "shell.pid")) && idsIn(workspace).every((pid) => pid > 0));
    assert.deepEqual(idsIn(workspace).map(isRunning), [true, true, true, true]);
    deputy.kill("SIGKILL");
    await once(deputy, "exit");
    await until(() => !idsIn(workspace).some(isRunning));
  });

  test("when Deputy is killed with -9 just as the command itself has ended", async (context) => {
    const { workspace } = openWorkshop(context);
    const deputy = spawn(process.execPath, ["--input-type=module", "-e", killed(FAMILY)], {
      cwd: workspace,
      stdio: ["ignore", "ignore", "inherit"],
    });
    const shell = () => Number(readFileSync(join(workspace, "shell.pid"), "utf8"));
    while (!existsSync(join(workspace, "shell.pid")) || shell() === 0 || isRunning(shell())) await setImmediate();
    deputy.kill("SIGKILL");
    await once(deputy, "exit");
    await until(() => !idsIn(workspace).some(isRunning));
  });
});

/** A program that runs a command in its working directory, as Deputy does. */
function killed(command: string): string {
  const module = new URL("../../../src/tools/toolsets.ts", import.meta.url);
  return `
    import { createTools } from ${JSON.stringify(module)};
    const [terminal] = createTools({
      workspace: process.cwd(), extraDirs: [], own: { directories: [], files: [] }, realPaths: {}, toolsets: ["terminal"], environment: () => process.env,
      terminal: { timeoutMs: 60_000 }, redact: (text) => text,
    });
    const context = { childId: "x", signal: new AbortController().signal };
    await terminal.run({ command: ${JSON.stringify(command)} }, context);
  `;
}
