/** Keys at a real terminal that were pressed before the user could have read what they would answer. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { chatPlace } from "../support/chat-place.ts";
import { until } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";
import { NO_TERMINAL, openTerminal, type TerminalOptions } from "../support/pty.ts";

/** Longer than the time during which keys are ignored. */
const QUIET_MS = 600;
const quiet = () => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

/** Runs these commands one after another, each once it is approved. */
async function place(t: TestContext, commands: string[]) {
  const turns = commands.map(() => Promise.withResolvers<void>());
  const script = async (request: ModelRequest): Promise<Turn> => {
    const done = request.messages.filter(({ role }) => role === "tool").length;
    const command = commands[done];
    await turns[done]?.promise;
    return command === undefined ? { text: "All done." } : { toolCalls: [{ name: "terminal", input: { command } }] };
  };
  // The keys are typed at times that a sandbox's start would shift.
  const here = await chatPlace(t, { script, config: "terminal: { sandbox: off }\n" });
  const open = (argv: string[], env: Record<string, string> = {}, more: Partial<TerminalOptions> = {}) => {
    const terminal = openTerminal(argv, { ...here, ...more, env: { ...here.env, ...env } });
    t.after(terminal.kill);
    return terminal;
  };
  const ran = (name: string) => existsSync(join(here.cwd, name));
  return {
    ...here,
    open,
    ran,
    letGo: (at: number) => turns[at]?.resolve(),
    asked: () => here.providers.arrivals.length,
  };
}

const touch = (name: string) => `echo > ${name}`;

/** @param before typed before the request is shown. @param after typed under it, as the rest of a line */
async function typesAhead(t: TestContext, [before, after]: readonly [string, string], TERM = "xterm-256color") {
  const { open, ran, letGo, asked } = await place(t, [touch("one")]);
  const terminal = open(["run", "--goal", "x"], { TERM });
  await until(() => asked() === 1);
  terminal.type(before);
  await quiet();
  letGo(0);
  await terminal.see("Allow?");
  await quiet();
  if (after !== "") terminal.type(after);
  await quiet();
  assert.equal(ran("one"), false);
  terminal.type("y\r");
  assert.equal(await terminal.ended, 0);
  assert.equal(ran("one"), true);
}

describe("keys typed ahead of a request of deputy run", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  for (const keys of [
    ["y\r", ""],
    ["y", "\r"],
    ["a\ry\r", ""],
    ["ok", "ay\r"],
  ] as const)
    test(`run nothing: ${JSON.stringify(keys)}`, (t) => typesAhead(t, keys));
});

describe("keys typed ahead at a terminal whose cursor cannot be moved", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  for (const keys of [
    ["y\r", ""],
    ["y", "\r"],
  ] as const)
    test(`run nothing: ${JSON.stringify(keys)}`, (t) => typesAhead(t, keys, "dumb"));
});

describe("deputy run at a terminal", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  test("a second y that comes with the first does not allow the next request, and each shows its directory", async (t) => {
    const { open, ran, letGo, cwd } = await place(t, [touch("one"), touch("two")]);
    for (const at of [0, 1]) letGo(at);
    const terminal = open(["run", "--goal", "x"]);
    await terminal.see("Allow?");
    assert.match(terminal.text().replaceAll(/\n/g, ""), new RegExp(`in ${cwd}`));
    await quiet();
    terminal.type("y\ry\r");
    await terminal.see("Allow?");
    terminal.type("y\r");
    await quiet();
    assert.deepEqual([ran("one"), ran("two")], [true, false]);
    terminal.type("n");
    await terminal.see("Why?");
    terminal.type("enough\r");
    assert.equal(await terminal.ended, 0);
    assert.equal(ran("two"), false);
  });

  test("what is typed while it draws appears nowhere, and the terminal is given back", async (t) => {
    const { open, letGo, asked } = await place(t, [touch("one")]);
    const terminal = open(["run", "--goal", "x", "--allow", "terminal"]);
    await until(() => asked() === 1);
    terminal.type("zzz\r\r\x04");
    await quiet();
    letGo(0);
    assert.equal(await terminal.ended, 0);
    assert.doesNotMatch(terminal.raw(), /zzz/);
    assert.ok(terminal.raw().lastIndexOf("\x1b[?25h") > terminal.raw().lastIndexOf("\x1b[?25l"));
    assert.ok(terminal.raw().lastIndexOf("\x1b[?2004l") > terminal.raw().lastIndexOf("\x1b[?2004h"));
  });

  test("a paste of several lines answers nothing, and Ctrl-C stops the run", async (t) => {
    const { open, ran, letGo } = await place(t, [touch("one"), touch("two")]);
    for (const at of [0, 1]) letGo(at);
    const terminal = open(["run", "--goal", "x"]);
    await terminal.see("Allow?");
    await quiet();
    terminal.type("\x1b[200~y\ry\ry\r\x1b[201~\r");
    await quiet();
    assert.equal(ran("one"), false);
    terminal.type("\x03");
    assert.equal(await terminal.ended, 130);
    assert.equal(ran("one"), false);
  });
});

describe("Esc at a request", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  for (const [moment, keys] of [
    ["at once", ["\x1b"]],
    ["instead of a reason", ["n", "because", "\x1b"]],
    ["after it went back from always", ["a", "\x1b", "\x1b"]],
  ] as const) {
    test(`of deputy run denies it and nothing else: ${moment}`, async (t) => {
      const { open, ran, letGo, providers } = await place(t, [touch("one"), touch("two")]);
      for (const at of [0, 1]) letGo(at);
      const terminal = open(["run", "--goal", "x"]);
      await terminal.see("Esc denies");
      for (const key of keys) {
        await quiet();
        terminal.type(key);
      }
      await terminal.see("denied in the terminal: the user pressed Esc");
      await terminal.see("Allow?");
      await quiet();
      terminal.type("y");
      assert.equal(await terminal.ended, 0);
      assert.deepEqual([ran("one"), ran("two")], [false, true]);
      const results = providers.arrivals[1]?.request.messages.flatMap(({ toolResults }) => toolResults);
      assert.match(results?.[0]?.text ?? "", /denied in the terminal: the user pressed Esc/);
    });

    test(`of a chat denies it and stops the turn: ${moment}`, async (t) => {
      const { open, ran, letGo, asked } = await place(t, [touch("one"), touch("two")]);
      for (const at of [0, 1]) letGo(at);
      const terminal = open(["chat"]);
      await terminal.see("> ");
      terminal.type("go on\r");
      await terminal.see("Esc denies and stops");
      for (const key of keys) {
        await quiet();
        terminal.type(key);
      }
      await terminal.see("Stopped with Esc");
      await terminal.see("so far");
      await terminal.see("> ");
      assert.deepEqual([ran("one"), ran("two"), asked()], [false, false, 1]);
      terminal.type("\x04");
      assert.equal(await terminal.ended, 0);
    });
  }

  for (const command of [["run", "--goal", "x"], ["chat"]])
    test(`of deputy ${command[0]} does not count if it was typed ahead`, async (t) => {
      const { open, ran, letGo, asked } = await place(t, [touch("one")]);
      const terminal = open(command);
      if (command[0] === "chat") {
        await terminal.see("> ");
        terminal.type("go on\r");
      }
      await until(() => asked() === 1);
      letGo(0);
      await terminal.see("Allow?");
      for (const key of ["\x1b", "\x1b", "\x1b"]) terminal.type(key);
      await quiet();
      terminal.type("y");
      await until(() => ran("one"));
    });
});

describe("deputy run with tasks on standard input", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  const runs = async (t: TestContext, argv: string[], text: string, redirected = "") => {
    const { open, ran, letGo, asked, cwd } = await place(t, [touch("one")]);
    const stdin = join(cwd, "input");
    writeFileSync(stdin, text);
    const terminal = open(argv, {}, { stdin, redirected });
    await until(() => asked() === 1);
    terminal.type("y\r");
    await quiet();
    letGo(0);
    await terminal.see("Allow?");
    await quiet();
    assert.equal(ran("one"), false, "what was typed ahead answers nothing");
    terminal.type("y\r");
    assert.equal(await terminal.ended, 0);
    assert.equal(ran("one"), true);
  };
  test("asks the user at the keyboard", (t) => runs(t, ["run", "-"], "- x\n"));
  test("asks on the screen that is left when the answers go to a file", (t) =>
    runs(t, ["run", "-", "--json"], "goal: x\n", "> answers.json"));
  test("asks when the message of a chat is piped in", (t) => runs(t, ["chat", "-p"], "go on\n"));
  test("denies at once when nobody sees a request", async (t) => {
    const { open, ran, letGo, cwd } = await place(t, [touch("one")]);
    letGo(0);
    const stdin = join(cwd, "input");
    writeFileSync(stdin, "- x\n");
    const terminal = open(["run", "-"], {}, { stdin, redirected: "> answers.txt 2> errors.txt" });
    assert.equal(await terminal.ended, 0);
    assert.equal(ran("one"), false);
  });
});

describe("deputy chat at a terminal", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  test("sends a pasted block as one message, although the terminal does not mark pastes", async (t) => {
    const { open, providers } = await place(t, []);
    const terminal = open(["chat"]);
    await terminal.see("> ");
    terminal.type("first line\rsecond line\r/exit\r");
    await terminal.see("All done.");
    const said = providers.arrivals.map(({ request }) => request.lastUserText);
    assert.deepEqual(said, ["first line\nsecond line\n/exit"]);
  });

  test("a message typed right after an answer reaches the model, and answers no other request", async (t) => {
    const { open, ran, letGo, providers } = await place(t, [touch("one"), touch("two")]);
    const terminal = open(["chat"]);
    await terminal.see("> ");
    terminal.type("go on\r");
    letGo(0);
    await terminal.see("Allow?");
    await quiet();
    terminal.type("y");
    await terminal.see("stops: y");
    for (const key of "ay, and more\r") terminal.type(key);
    await terminal.see("ay, and more (sent with the next request)");
    assert.equal(ran("two"), false);
    letGo(1);
    await terminal.see("Allow?");
    await quiet();
    terminal.type("y");
    await terminal.see("All done.");
    const said = providers.arrivals.at(-1)?.request.messages.map(({ text }) => text) ?? [];
    assert.ok(said.includes("ay, and more"), said.join(" | "));
    terminal.type("\x04");
    assert.equal(await terminal.ended, 0);
  });

  test("a message that is being typed when a request appears answers nothing, and is not lost", async (t) => {
    const { open, ran, letGo, asked, providers } = await place(t, [touch("one"), touch("two")]);
    const terminal = open(["chat"]);
    await terminal.see("> ");
    terminal.type("go on\r");
    await until(() => asked() === 1);
    terminal.type("y");
    await quiet();
    letGo(0);
    await terminal.see("Allow?");
    terminal.type("es, and more");
    await quiet();
    terminal.type("\r");
    await quiet();
    assert.equal(ran("one"), false);
    terminal.type("y\r");
    await until(() => ran("one"));
    await quiet();
    terminal.type("\r");
    await terminal.see("yes, and more (sent with the next request)");
    letGo(1);
    await terminal.see("Allow?");
    terminal.type("y\r");
    await quiet();
    assert.equal(ran("two"), false);
    await quiet();
    terminal.type("y\r");
    await terminal.see("All done.");
    const said = providers.arrivals.at(-1)?.request.messages.map(({ text }) => text) ?? [];
    assert.ok(said.includes("yes, and more"), said.join(" | "));
  });
});

describe("deputy approve at a terminal", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  test("asks before it allows what was never listed, and takes nothing that was typed ahead", async (t) => {
    const { open, ran, letGo, ...here } = await place(t, [touch("one")]);
    letGo(0);
    const run = launch(["run", "--goal", "x", "--json", "--wait-for-approval"], here);
    await until(() => /asks to run/.test(run.stderr()));
    const [, id = ""] = /run (\w+)/.exec(run.stderr()) ?? [];
    const terminal = open(["approve", `${id}.1`]);
    terminal.type("y\ry");
    await terminal.see("Allow it? [y/N]");
    await quiet();
    terminal.type("\r");
    await quiet();
    assert.equal(ran("one"), false);
    terminal.type("y\r");
    assert.equal(await terminal.ended, 0);
    assert.equal((await run.ended).code, 0);
    assert.equal(ran("one"), true);
    const shown = await launch(["show", `${id}.1`], here).ended;
    assert.match(shown.stdout, /allowed by deputy approve \(\S+\)/);
    assert.equal(existsSync(join(here.root, "state/shown-requests.json")), false);
    const listed = await launch(["approve"], here).ended;
    assert.equal(listed.stdout, "No approval requests are pending.\n");
  });
});
