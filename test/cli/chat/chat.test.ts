/** `deputy chat` as its user sees it, in process: commands, keys, text typed during a turn, what a model may not do. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openDeputy } from "../../../src/engine/setup/open-deputy.ts";
import { createMemoryJournal } from "../../../src/journal/memory.ts";
import { chatHere, chatPlace, heldBack } from "../../support/chat-place.ts";
import { deputy, until } from "../../support/command-line.ts";

/** The line below an answer. */
const TURN_END = /^[\d.]+s · \S+ @ \S+ · /m;

describe("a chat", { timeout: 110_000 }, () => {
  test("changes its model with /model, which its children inherit and no config records", async (t) => {
    const { see, say, leave, children, configPath } = await chatHere(t);
    const before = readFileSync(configPath, "utf8");
    say("hello");
    await see("You said: hello");
    say("/model glm-4.6 --global");
    await see("--global");
    await see("glm-4.6 @ zai");
    say("delegate a haiku about a bee");
    await see("Haiku of glm-4.6: the bee waits");
    await see(TURN_END);
    say("/model large");
    await see("claude-opus-4-5 @ anthropic");
    say("/effort high");
    await see("effort high");
    say("delegate a haiku about a bat");
    await see("Haiku of claude-opus-4-5: the bat waits");
    assert.deepEqual(children(), ["claude-opus-4-5 @ anthropic", "glm-4.6 @ zai"]);
    assert.equal(readFileSync(configPath, "utf8"), before);
    assert.equal(await leave(), 0);
  });

  test("an unavailable route is rejected with a suggestion, and the previous one stays", async (t) => {
    const { see, say, leave, providers } = await chatHere(t);
    say("/model x --provider zaii");
    await see("Did you mean zai");
    say("/effort hihg");
    await see("Expected one of none, minimal, low");
    say("hello");
    await see("You said: hello");
    assert.equal(providers.arrivals.at(-1)?.request.model, "glm-5.3");
    assert.equal(await leave(), 0);
  });

  test("an unknown command is not sent to the model; a path is", async (t) => {
    const { see, say, leave, providers } = await chatHere(t);
    say("/modle x");
    await see("There is no command /modle. Did you mean /model?");
    say("/frobnicate");
    await see("/help lists them all.");
    assert.equal(providers.arrivals.length, 0);
    say("/etc/hosts is a file");
    await see("You said: /etc/hosts is a file");
    assert.equal(await leave(), 0);
  });

  test("/help, /models, /runs, /show and /cost print what the commands of those names do", async (t) => {
    const { see, say, leave } = await chatHere(t);
    say("/cost");
    await see("No message was sent yet");
    say("delegate a haiku about a gnu");
    await see(TURN_END);
    for (const [command, expected] of [
      ["/help", "/steer ID.n TEXT"],
      ["/models glm-4.5", "glm-4.5-air"],
      ["/runs", "delegate a haiku"],
      ["/show", "Haiku of glm-5.3: the gnu waits"],
      ["/cost", "including these delegations:"],
      ["/stop", "This chat has no running delegations."],
      ["/steer", "Expected /steer ID.n TEXT."],
      ["/approve", "No approval requests are pending."],
    ] as const) {
      say(command);
      await see(expected);
    }
    assert.equal(await leave(), 0);
  });

  test("Tab completes commands, models, providers, efforts and runs", async (t) => {
    const { see, type, leave } = await chatHere(t);
    for (const [typed, completed] of [
      ["/eff", "/effort "],
      ["/effort hi", "/effort high "],
      ["/model glm-4.5-a", "/model glm-4.5-air "],
      ["/model x --provider openr", "/model x --provider openrouter "],
    ] as const) {
      type(typed);
      await see(typed);
      type("\t");
      await see(completed.slice(typed.length).trimEnd());
      type("\x15");
    }
    assert.equal(await leave(), 0);
  });

  test("text typed during an answer reaches the model with its next request", async (t) => {
    const { script, letGo } = heldBack();
    const { see, say, leave, providers } = await chatHere(t, { script });
    say("delegate a haiku about a wren");
    await see("1 running");
    say("make it short");
    await see("make it short (sent with the next request)");
    letGo();
    await see(TURN_END);
    const last = providers.arrivals.at(-1)?.request;
    assert.ok(last?.messages.some(({ role, text }) => role === "user" && text.includes("make it short")));
    assert.equal(await leave(), 0);
  });

  test("/stop ends the delegated work, and the answer continues with the results so far", async (t) => {
    const { script, letGo } = heldBack();
    const { see, say, leave, text } = await chatHere(t, { script });
    say("delegate a haiku on three animals");
    await see("3 running");
    say("/stop");
    await see("Asked to stop:");
    await see("Here is what came back.");
    await see(TURN_END);
    assert.doesNotMatch(text(), /^! stopping/m);
    letGo();
    assert.equal(await leave(), 0);
  });

  test("Esc stops the turn with its delegations, and the chat continues", async (t) => {
    const { script, letGo } = heldBack();
    const { see, say, type, leave, text } = await chatHere(t, { script });
    say("delegate a haiku on three animals");
    await see("3 running");
    type("\x1b");
    await see("Stopped with Esc");
    await see(TURN_END);
    assert.deepEqual(text().match(/^! .*$/gm), ["! Stopped with Esc; the answer so far is kept."]);
    letGo();
    await see("> ");
    say("are you there?");
    await see("You said: are you there?");
    assert.equal(await leave(), 0);
  });

  test("@file gives the model the file's content, and no file that is protected or outside of the workspace", async (t) => {
    const { see, say, type, leave, providers, cwd, root } = await chatHere(t);
    for (const [path, text] of [
      ["notes.md", "the otter sleeps"],
      ["with blank.md", "the wasp wakes"],
      [".env", "PASSWORD=hunter2"],
      ["../outside.md", "the fox is out"],
    ] as const)
      writeFileSync(join(cwd, path), text);
    symlinkSync(join(root, "outside.md"), join(cwd, "link.md"));
    say("read @notes.md and @with\\ blank.md, @alice");
    await see(TURN_END);
    const said = () => providers.arrivals.at(-1)?.request.lastUserText ?? "";
    assert.match(said(), /^read @notes\.md and .*@alice\n\nThe file notes\.md:\n\n.*the otter sleeps.*the wasp wakes/s);
    say("read @.env, @../outside.md, @link.md, @gone.md, @../state/deputy.db");
    await see("usually holds secrets");
    await see(TURN_END);
    assert.equal(said(), "read @.env, @../outside.md, @link.md, @gone.md, @../state/deputy.db");
    type("see @no");
    await see("see @no");
    type("\t");
    await see("tes.md");
    type("\x15");
    assert.equal(await leave(), 0);
  });

  test("!command shows its output and gives it to the model with the next message, and gets no keys", async (t) => {
    const { see, say, type, leave, providers, env, cwd, stdout } = await chatHere(t);
    say("!echo $((20 + 3)) $GLM_API_KEY; printf '\\033]0;title\\007'; pwd");
    await see("23");
    await see("The output goes with your next message.");
    assert.equal(providers.arrivals.length, 0);
    say("what is it?");
    await see(TURN_END);
    const [said = ""] = providers.arrivals.map(({ request }) => request.lastUserText);
    assert.match(said, /^what is it\?\n\nThe user ran this command in the workspace:\n\necho .*\n\nIts output:\n\n23/s);
    assert.ok(!stdout().includes("\x1b]0;"));
    assert.ok(!said.includes(env.GLM_API_KEY ?? "a key"));
    say("!echo $$ > started; sleep 1000");
    await until(() => existsSync(join(cwd, "started")));
    type("\x03");
    await see("[stopped]");
    say("and now?");
    await see("You said: and now?");
    assert.equal(await leave(), 0);
  });

  for (const line of ["!", "! ", "!  \\"])
    test(`an exclamation mark without a command is not sent to the model: ${JSON.stringify(line)}`, async (t) => {
      const { see, say, leave, providers } = await chatHere(t);
      say(line);
      if (line.endsWith("\\")) say("");
      await see("Expected a command after the exclamation mark");
      say("hello!");
      await see("You said: hello!");
      assert.deepEqual(
        providers.arrivals.map(({ request }) => request.lastUserText),
        ["hello!"],
      );
      assert.equal(await leave(), 0);
    });

  test("after a turn that was stopped during a delegation, the next message gives its model the outcome", async (t) => {
    const { script, letGo } = heldBack();
    const { see, say, type, leave, providers } = await chatHere(t, { script });
    say("delegate a haiku on three animals");
    await see("3 running");
    type("\x03");
    type("\x03");
    await see("Stopped with Ctrl-C");
    letGo();
    await see("> ");
    say("and now?");
    await see("You said: and now?");
    const last = providers.arrivals.at(-1)?.request;
    const told = last?.messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text)).join();
    assert.match(told ?? "", /Delegation \w+\.1\.1/);
    assert.equal(await leave(), 0);
  });

  test("/new begins anew on the same route; the one before stays among the runs", async (t) => {
    const { see, say, leave, providers } = await chatHere(t);
    say("/model glm-4.6");
    await see("glm-4.6 @ zai");
    say("one");
    await see("You said: one");
    await see(TURN_END);
    say("/new");
    await see("New conversation.");
    say("two");
    await see("You said: two");
    const last = providers.arrivals.at(-1)?.request;
    assert.deepEqual([last?.model, last?.messages.map(({ text }) => text)], ["glm-4.6", ["two"]]);
    assert.equal(await leave(), 0);
  });

  test("a model's text cannot move the cursor or change the terminal", async (t) => {
    const evil = "\x1b[2J\x1b]0;title\x07 gone\r\u202e";
    const { see, say, leave, stdout } = await chatHere(t, { script: () => ({ text: evil }) });
    say("hello");
    await see("\\x1b[2J\\x1b]0;title\\x07 gone");
    assert.ok(!stdout().includes("\x1b]0;") && !stdout().includes("\x1b[2J") && !stdout().includes("\u202e"));
    assert.equal(await leave(), 0);
  });

  test("lines are kept for the next time in a file of the user's own; one with a key, or after a blank, is not", async (t) => {
    const { see, say, leave, open, root, env } = await chatHere(t);
    for (const line of [`remember ${env.GLM_API_KEY}`, " in private", "an ordinary line"]) {
      say(line);
      await see(`You said: ${line.slice(0, 8)}`);
      await see(TURN_END);
    }
    assert.equal(await leave(), 0);
    const path = join(root, "state/chat-history.jsonl");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readFileSync(path, "utf8"), '"an ordinary line"\n');
    const again = open(["--continue"]);
    await again.see("You said: an ordinary line");
    await again.see("> ");
    again.type("\x1b[A");
    await again.see("an ordinary line");
    again.type("\x15\x04");
    assert.equal(await again.code, 0);
  });

  test("an answer is formatted as it arrives, and a continued chat shows it wrapped between words", async (t) => {
    const answer = `# Found\n\n${"several words ".repeat(12)}**bold**\n\n- one`;
    const { see, say, leave, open, text } = await chatHere(t, {
      script: () => ({ text: answer }),
      env: { NO_COLOR: "" },
    });
    say("hello");
    await see(TURN_END);
    assert.match(text(), /^Found\n\n(several words ?)+.*bold\n\n• one$/ms);
    assert.equal(await leave(), 0);
    const again = open(["--continue"]);
    await again.see("• one");
    const rows = again
      .text()
      .split("\n")
      .filter((row) => row.includes("words"));
    assert.ok(rows.length > 1 && rows.every((row) => row.length < 80 && /^(several|words)/.test(row)), rows.join("|"));
    await again.see("> ");
    again.type("\x04");
    assert.equal(await again.code, 0);
  });

  test("a known key in any message is replaced by its name, and a warning says so", async (t) => {
    const { see, say, leave, env, providers, stdout } = await chatHere(t);
    for (const place of ["tasks[0].goal", "message"]) {
      say(`my key is ${env.GLM_API_KEY}`);
      await see(`${place} contains a known API key`);
      await see(TURN_END);
    }
    say("no key");
    await see("You said: no key");
    await see(TURN_END);
    assert.equal(stdout().split("contains a known API key").length, 3);
    const sent = JSON.stringify(providers.arrivals.map(({ request }) => request.body));
    assert.ok(!sent.includes(env.GLM_API_KEY ?? "GLM_API_KEY"));
    assert.equal(await leave(), 0);
  });

  test("lines that are pasted, and lines that end in a backslash, are one message", async (t) => {
    const { see, say, type, leave, providers } = await chatHere(t);
    type("\x1b[200~first\nsec");
    type("ond\x1b[20");
    type("1~\r");
    await see("You said: first");
    await see(TURN_END);
    say("third\\");
    await see("… ");
    say("fourth");
    await see("You said: third");
    const said = providers.arrivals.map(({ request }) => request.lastUserText);
    assert.deepEqual(said, ["first\nsecond", "third\nfourth"]);
    assert.equal(await leave(), 0);
  });

  test("a conversation that has outgrown its model explains what to do", async (t) => {
    const { see, say, leave } = await chatHere(t, {
      script: ({ lastUserText }) =>
        lastUserText === "short" ? { text: "yes" } : { fault: { kind: "context-overflow" } },
    });
    say("short");
    await see(TURN_END);
    say("long");
    await see("no longer fits the context window");
    await see("/new");
    assert.equal(await leave(), 0);
  });

  test("a budget applies to its turns and delegations, and its end explains how to continue", async (t) => {
    const config = "providers: { zai: { models: { glm-5.3: { price: { input: 100, output: 100 } } } } }\n";
    const { see, say, leave } = await chatHere(t, { config }, ["--max-cost", "0.12"]);
    say("hello");
    await see("This conversation has reached its limit of $0.1200.");
    assert.equal(await leave(), 0);
  });
});

describe("deputy chat, as a command", () => {
  async function run(argv: string[], place: Awaited<ReturnType<typeof chatPlace>>, stdin = "") {
    return deputy(["chat", ...argv], {
      ...place,
      stdin,
      open: (options) => openDeputy({ ...options, journal: createMemoryJournal() }),
    });
  }

  test("takes its route from the flags, over the config's top level, never from delegation: or rules:", async (t) => {
    const config = "delegation: { model: glm-4.5 }\nrules: [{ when: { toolset: file }, use: glm-4.6 }]\n";
    const place = await chatPlace(t, { config });
    await run(["-p", "one"], place);
    await run(["-p", "two", "--model", "glm-5.1", "--effort", "high"], place);
    await run(["-p", "delegate a haiku about an ape"], place);
    const asked = place.providers.arrivals.map(({ slug, request: { model, effort } }) => [model, slug, effort]);
    assert.deepEqual(asked.slice(0, 2), [
      ["glm-5.3", "zai", undefined],
      ["glm-5.1", "zai", "high"],
    ]);
    assert.deepEqual(place.children(), ["glm-4.6 @ zai"]);
  });

  test("gives its tools to the parent, and --toolsets fewer of them", async (t) => {
    const place = await chatPlace(t);
    await run(["-p", "one"], place);
    await run(["-p", "two", "--toolsets", "search"], place);
    await run(["-p", "three", "--toolsets", "none"], place);
    const tools = place.providers.arrivals.map(({ request }) => request.tools.map(({ name }) => name));
    assert.ok(tools[0]?.includes("read_file") && tools[0].includes("terminal") && tools[0].includes("delegate_task"));
    assert.ok(tools[1]?.includes("grep") && !tools[1].includes("read_file"));
    assert.ok(!tools[2]?.includes("grep") && tools[2]?.includes("delegate_task"));
    assert.equal((await run(["-p", "x", "--toolsets", "serach"], place)).code, 3);
  });

  test("takes its message from -p, from a pipe, or from both", async (t) => {
    const place = await chatPlace(t);
    await run(["-p", "What is this?"], place, "a thing\n");
    await run([], place, "from a pipe\n");
    assert.deepEqual(
      place.providers.arrivals.map(({ request }) => request.lastUserText),
      ["What is this?\n\na thing", "from a pipe"],
    );
  });

  test("ends with 3 without a model to run on, with 2 without a message or conversation", async (t) => {
    const place = await chatPlace(t);
    const nowhere = await run(["--provider", "zaii", "-p", "hello"], place);
    assert.deepEqual([nowhere.code, nowhere.stdout], [3, ""]);
    assert.match(nowhere.stderr, /Did you mean zai/);
    assert.match((await run([], place)).stderr, /Expected a message/);
    assert.match((await run(["--continue", "-p", "x"], place)).stderr, /There is no conversation in .* yet/);
    assert.equal((await run(["--resume", "nothing", "-p", "x"], place)).code, 2);
    assert.equal(place.providers.arrivals.length, 0);
  });

  test("ends with 1 if the answer is incomplete, and gives the reason", async (t) => {
    const place = await chatPlace(t, { script: () => ({ fault: { kind: "unauthorized" } }) });
    const { code, stdout, stderr } = await run(["-p", "hello"], place);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /zai rejects the key/);
  });

  test("--allow permits a tool call when no user can be asked", async (t) => {
    const place = await chatPlace(t);
    const denied = await run(["-p", "delegate this: run `echo yes`"], place);
    assert.match(denied.stdout, /Answer: Not allowed/);
    const allowed = await run(["-p", "delegate this: run `echo yes`", "--allow", "terminal: echo *"], place);
    assert.match(allowed.stdout, /Answer: yes/);
  });
});
