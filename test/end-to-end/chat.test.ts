/**
 * Sentences that a user types into `deputy chat`, at a real terminal, against models that react to their input.
 * Promises are checked where their effect arrives: at the providers.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { chatPlace, heldBack, isParents, type Scene } from "../support/chat-place.ts";
import { until } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";
import { NO_TERMINAL, openTerminal, type TerminalOptions } from "../support/pty.ts";

/** Longer than the time during which keys answer nothing. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 600));

/** The line below an answer: its duration and route. */
const TURN_END = /^[\d.]+s · \S+ @ \S+ · /m;

async function chat(t: TestContext, scene: Scene = {}, size: Pick<TerminalOptions, "columns" | "rows"> = {}) {
  const here = await chatPlace(t, scene);
  const open = (more: string[] = []) => {
    const terminal = openTerminal(["chat", ...more], { ...here, ...size });
    t.after(terminal.kill);
    return terminal;
  };
  const terminal = open();
  await terminal.see("> ");
  const say = (line: string) => terminal.type(`${line}\r`);
  const leave = async () => {
    terminal.type("\x04");
    assert.equal(await terminal.ended, 0);
    here.providers.checkScripts();
  };
  return { ...here, terminal, open, say, leave };
}

const THREE =
  "please in parallel delegate a haiku on three separate animals to glm-4.7 via zai, glm-5.1 via not providing a " +
  "provider and stepfun/step-3.5-flash via openrouter";

describe("deputy chat at a terminal", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  test("does what the sentences of its user ask for, each task on its own model", async (t) => {
    const { terminal, say, children, leave, providers } = await chat(t);
    const sentences: [sentence: string, answer: string, ranOn: string[]][] = [
      [
        THREE,
        "Haiku of stepfun/step-3.5-flash: the dolphin waits",
        ["glm-4.7 @ zai", "glm-5.1 @ zai", "stepfun/step-3.5-flash @ openrouter"],
      ],
      ["please delegate a haiku about an owl", "Haiku of glm-5.3: the owl waits", ["glm-5.3 @ zai"]],
      ["delegate a haiku about a fox to glm-5.1 via zai with high effort", "Haiku of glm-5.1", ["glm-5.1 @ zai"]],
      ["ask large for a haiku about a yak", "Haiku of claude-opus-4-5: the yak", ["claude-opus-4-5 @ anthropic"]],
      [
        "let small explore this directory, then large shall review it",
        "Review by claude-opus-4-5: Found so far: Found: README.md",
        ["claude-opus-4-5 @ anthropic", "glm-4.5-air @ zai", "glm-4.5-air @ zai"],
      ],
      ["delegate a haiku about a crow to glm-4.7 via zaii", "Haiku of glm-4.7: the crow waits", ["glm-4.7 @ zai"]],
    ];
    for (const [sentence, answer, ranOn] of sentences) {
      const before = providers.arrivals.length;
      say(sentence);
      await terminal.see(answer);
      await terminal.see(TURN_END);
      assert.deepEqual(children(before), ranOn, sentence);
    }
    assert.match(terminal.text(), /✓ \[1\/3\] Write a haiku about a lion\. \([\d.]+s · glm-4\.7 @ zai · /);
    assert.match(terminal.text(), /I meant zai\./);
    const efforts = providers.arrivals.flatMap(({ request: { model, effort } }) => (effort ? [[model, effort]] : []));
    assert.deepEqual(efforts, [["glm-5.1", "high"]]);
    for (const { slug, request } of providers.arrivals) assert.equal(request.keyName, KEY_OF[slug]);
    await leave();
  });

  test("Ctrl-C stops the children and the answer continues; then the turn; then the chat, which --continue resumes", async (t) => {
    const { script, letGo } = heldBack();
    const silent = (request: ModelRequest): Turn | Promise<Turn> =>
      request.lastUserText.includes("wait") ? { text: "Never", fault: { kind: "silence" } } : script(request);
    const { terminal, say, open, env } = await chat(t, { script: silent });
    say("delegate a haiku on three animals");
    await terminal.see("3 running");
    terminal.type("\x03");
    await terminal.see("Stopped the delegations");
    await terminal.see(/✗ \[\d\/3\]/);
    await terminal.see("Here is what came back.");
    await terminal.see(TURN_END);
    letGo();
    say("wait for it");
    await terminal.see("thinking");
    terminal.type("\x03");
    await terminal.see("Stopped with Ctrl-C");
    await terminal.see(TURN_END);
    assert.doesNotMatch(terminal.text(), /^! (stopping|interrupted)/m);
    terminal.type("\x03");
    await terminal.see("or Ctrl-D, to exit");
    terminal.type("\x03");
    await terminal.see("deputy chat --resume");
    assert.equal(await terminal.ended, 130);
    assert.ok(!terminal.text().includes(env.GLM_API_KEY ?? "a key"));
    const again = open(["--continue"]);
    await again.see("> ");
    again.type("are you there?\r");
    await again.see("You said: are you there?");
    again.type("/quit\r");
    assert.equal(await again.ended, 0);
  });

  test("delegated work is stopped on request, continues in the background, can be checked, and inherits the chat's model", async (t) => {
    const { script, letGo } = heldBack();
    const { terminal, say, leave, children, providers, ...here } = await chat(t, { script });
    say("delegate a haiku on three animals");
    await terminal.see("3 running");
    say("/stop");
    await terminal.see("Here is what came back.");
    await terminal.see(TURN_END);
    say("in the background delegate a haiku about an ibex");
    await terminal.see(/Delegation \S+ \(running\)/);
    await terminal.see(TURN_END);
    const [, id = ""] = /Delegation (\S+) \(running\)/.exec(terminal.text()) ?? [];
    letGo();
    assert.equal((await launch(["watch", id], here).ended).code, 0);
    say(`check ${id}`);
    await terminal.see("Haiku of glm-5.3: the ibex");
    await terminal.see(TURN_END);
    const before = providers.arrivals.length;
    say("/model claude-opus-4-5 --provider anthropic");
    await terminal.see("claude-opus-4-5 @ anthropic");
    say("delegate a haiku about a bee");
    await terminal.see("Haiku of claude-opus-4-5: the bee");
    await terminal.see(TURN_END);
    assert.deepEqual(children(before), ["claude-opus-4-5 @ anthropic"]);
    await leave();
  });

  test("a terminal that is closed in the middle of a turn stops it, as leaving does", async (t) => {
    const silent = (): Turn => ({ text: "Never", fault: { kind: "silence" } });
    const { terminal, say, providers, ...here } = await chat(t, { script: silent });
    say("wait for it");
    await terminal.see("thinking");
    terminal.kill();
    await terminal.ended;
    for (let state = "running"; state !== "stopped"; ) {
      const { stdout } = await launch(["runs", "--json"], here).ended;
      [{ state }] = JSON.parse(stdout) as [{ state: string }];
      assert.match(state, /^(running|stopped)$/);
    }
  });

  test("a batch larger than the cap on forty columns: waiting children are shown, a question is asked and answered", async (t) => {
    const { script, letGo } = heldBack();
    const config = "delegation: { max_concurrent_children: 2 }\n";
    const { terminal, say, leave } = await chat(t, { script, config }, { columns: 40, rows: 16 });
    assert.match(terminal.text(), /^\/help lists the commands; Ctrl-D exits\.\n {2}Working in/m);
    say("delegate a haiku on twelve animals");
    await terminal.see(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] \[ ?\d+\/12\]/);
    await terminal.see("waiting");
    letGo();
    await terminal.see("Here is what came back.");
    await terminal.see(TURN_END);
    assert.equal(terminal.text().match(/✓ \[ ?\d+\/12\]/g)?.length, 12);
    const drawn = terminal
      .text()
      .split("\n")
      .filter((line) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏·] \[/.test(line));
    assert.ok(drawn.length > 0 && drawn.every((line) => line.length < 40), drawn.join("\n"));
    say("delegate this: run `echo from the child`");
    await terminal.see("asks to run terminal");
    await terminal.see("│ echo from the child");
    await terminal.see("[a]lways");
    await quiet(); // Text typed as it appears does not count.
    say("y");
    await terminal.see("Answer: from the child");
    await terminal.see(TURN_END);
    await leave();
  });
});

describe("an approval request in a chat", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [40, 24],
  ] as const)
    test(`a request appears below the children and finished siblings on ${columns} columns, and Esc ends the turn`, async (t) => {
      const { terminal, say, leave, providers, cwd, ...here } = await chat(t, {}, { columns, rows });
      say("delegate on two of them: run `echo > made`");
      await terminal.see(
        /\[1\/2\][\s\S]*\[2\/2\][\s\S]*0 of 2 done[\s\S]*Allow\?[\s\S]*Esc\s+denies[\s\S]*\(1\s+more\s+waiting\)/,
      );
      terminal.type("\x1b");
      await quiet();
      assert.doesNotMatch(terminal.text(), /Stopped with Esc/, "typed as it appears");
      terminal.type("\x1b");
      await terminal.see("Stopped with Esc; the");
      await terminal.see(TURN_END);
      assert.doesNotMatch(terminal.text(), /^! (stopping|interrupted)/m);
      assert.equal(existsSync(join(cwd, "made")), false);
      assert.equal(terminal.text().match(/Stopped with Esc/g)?.length, 1);
      const [, id = ""] = /run (\S+)\.1\.1/.exec(terminal.text()) ?? [];
      const shown = await launch(["show", `${id}.1.1`, "--json"], { ...here, cwd }).ended;
      assert.match(shown.stdout, /interrupted/);
      say("are you there?");
      await terminal.see("You said: are you there?");
      await leave();
    });
});

describe("deputy chat with runs in the background", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  test("/show and /stop without an id know a run in the background, and lines say when it starts and ends", async (t) => {
    const { script, letGo } = heldBack();
    const { terminal, say, leave, providers } = await chat(t, { script });
    say("in the background delegate a haiku about an ibex");
    await terminal.see(/· run \S+ in the background: 1 task · Write a haiku about a ibex\./);
    const [, id = ""] = /run (\S+) in the background/.exec(terminal.text()) ?? [];
    await terminal.see(TURN_END);
    say("/show");
    await terminal.see(`deputy show ${id}`);
    terminal.type("half a mess");
    await terminal.see("half a mess");
    await until(() => providers.arrivals.some(({ request }) => !isParents(request)));
    say("\x15/stop");
    await terminal.see(`Asked to stop: ${id}`);
    await terminal.see(`✗ run ${id} in the background: 0 of 1 completed in`);
    say("/stop");
    await terminal.see("This chat has no running delegations.");
    letGo();
    await leave();
  });

  test("a continued chat says which of its background runs are at work, and an end leaves the typed line", async (t) => {
    const { script, letGo } = heldBack();
    const { terminal, say, leave, open } = await chat(t, { script });
    say("in the background delegate a haiku about an ibex");
    await terminal.see(TURN_END);
    await leave();
    const again = open(["--continue"]);
    await again.see(/· run (\S+) in the background: 1 task/);
    const [, id = ""] = /run (\S+) in the background/.exec(again.text()) ?? [];
    again.type("half a mess");
    await again.see("half a mess");
    letGo();
    await again.see(new RegExp(`✓ run ${id} in the background: 1 of 1 completed in [\\d.]+s · \\S+ · /show\\s+${id}`));
    await again.see("> half a mess");
    again.type("age\r");
    await again.see("You said: half a message");
    again.type("/quit\r");
    assert.equal(await again.ended, 0);
  });
});

describe("deputy chat with the user's editor", { skip: NO_TERMINAL, timeout: 110_000 }, () => {
  test("Ctrl-G opens the message in $EDITOR without keys, and the text comes back to the input line", async (t) => {
    const edit = `sh -c 'cat "$1" > seen; env > env; printf "line one\\nline two\\n" > "$1"' sh`;
    const { terminal, say, leave, providers, cwd, env } = await chat(t, { env: { EDITOR: edit } });
    terminal.type("draft");
    await terminal.see("draft");
    terminal.type("\x07");
    await terminal.see("line one⏎line two");
    say(" three");
    await terminal.see(TURN_END);
    assert.equal(providers.arrivals[0]?.request.lastUserText, "line one\nline two three");
    assert.equal(readFileSync(join(cwd, "seen"), "utf8"), "draft");
    assert.ok(!readFileSync(join(cwd, "env"), "utf8").includes(env.GLM_API_KEY ?? "a key"));
    await leave();
  });
});

const KEY_OF: Record<string, string> = {
  zai: "GLM_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
};

describe("deputy chat -p", { timeout: 110_000 }, () => {
  test("prints only the answer; delegations are on stderr; --continue resumes it", async (t) => {
    const here = await chatPlace(t);
    const first = await launch(["chat", "-p", "delegate a haiku about an elk"], here).ended;
    const answer = "Here is what came back.\nHaiku of glm-5.3: the elk waits, the grass moves, evening.\n";
    assert.deepEqual([first.code, first.stdout], [0, answer]);
    assert.match(first.stderr, /✓ \[1\/1\] Write a haiku about a elk/);
    const second = await launch(["chat", "--continue", "-p", "-"], { ...here, stdin: "and from a pipe" }).ended;
    assert.deepEqual([second.code, second.stdout], [0, "You said: and from a pipe\n"]);
    const last = here.providers.arrivals.at(-1)?.request;
    assert.equal(last?.messages[0]?.text, "delegate a haiku about an elk");
  });

  test("a turn whose process was killed continues with `deputy resume`, and with the same tools", async (t) => {
    let isSilent = true;
    const script = ({ tools }: ModelRequest): Turn => ({
      text: tools.map(({ name }) => name).join(" "),
      ...(isSilent && { fault: { kind: "silence" } }),
    });
    const here = await chatPlace(t, { script });
    const killed = launch(["chat", "-p", "hello", "--ndjson"], here);
    await until(() => here.providers.arrivals.length === 1);
    killed.child.kill("SIGKILL");
    const [start = ""] = (await killed.ended).stdout.split("\n");
    isSilent = false;
    const { delegationId } = JSON.parse(start) as { delegationId: string };
    const { stdout } = await launch(["resume", delegationId, "--json"], here).ended;
    const [resumed] = (JSON.parse(stdout) as { results: { summary: string }[] }).results;
    const next = await launch(["chat", "--continue", "-p", "and now?"], here).ended;
    assert.match(next.stdout, /delegate_task.* check_delegation control_delegation/);
    assert.equal(resumed?.summary, next.stdout.trim());
  });

  test("leaves work to a separate process, which continues after the chat has ended; the agent checks on it", async (t) => {
    const { script, letGo } = heldBack();
    const here = await chatPlace(t, { script });
    const left = await launch(["chat", "-p", "in the background delegate a haiku about an ibex"], here).ended;
    assert.equal(left.code, 0, left.stderr);
    const [, id = ""] = /Delegation (\S+) \(running\)/.exec(left.stdout) ?? [];
    letGo();
    const watched = await launch(["watch", id], here).ended;
    assert.equal(watched.code, 0, watched.stderr);
    const asked = await launch(["chat", "--continue", "-p", `check ${id}`], here).ended;
    assert.match(asked.stdout, /Haiku of glm-5\.3: the ibex/);
    assert.deepEqual(here.children(), ["glm-5.3 @ zai"]);
  });

  test("is one document with --json, and a line for each event with --ndjson", async (t) => {
    const here = await chatPlace(t);
    const whole = await launch(["chat", "-p", "hello", "--json"], here).ended;
    const { results } = JSON.parse(whole.stdout) as { results: { summary: string; model: string }[] };
    assert.deepEqual(
      results.map(({ summary, model }) => [summary, model]),
      [["You said: hello", "glm-5.3"]],
    );
    const { stdout } = await launch(["chat", "-p", "delegate a haiku about an elk", "--ndjson"], here).ended;
    const lines = stdout.trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as { kind: string; delegationId?: string });
    assert.deepEqual([events[0]?.kind, events.at(-1)?.kind], ["delegation-start", "result"]);
    assert.equal(new Set(events.flatMap(({ delegationId }) => delegationId ?? [])).size, 2);
  });
});
