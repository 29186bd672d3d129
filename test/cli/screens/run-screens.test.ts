/** A run, an approval request in it, a child stepped into, and its end, on terminals of three sizes. */
import { describe, test } from "node:test";
import { formatAnswers, resultStyleOn } from "../../../src/cli/terminal/final-answers.ts";
import type { RunKeyboard } from "../../../src/cli/terminal/run-keyboard.ts";
import { createTree } from "../../../src/cli/terminal/tree.ts";
import type { Event, Usage } from "../../../src/event.ts";
import { foldRun, type Run, resultsOf } from "../../../src/run/run.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { ready, route } from "../../support/child-stage.ts";
import { createFakeTerminal } from "../../support/fake-terminal.ts";
import { assertScreen, SIZES } from "../../support/golden-screen.ts";

const plain = (_style: unknown, text: string) => text;
const usage: Usage = { input: 1200, output: 80, cached: 0, reasoning: 0 };
const GOALS = [
  "Write a haiku about a lion.",
  "Run the tests of the parser, find out why the one about nested lists fails, and propose the smallest correction",
  "List the files that have no tests, and say for each in one sentence what a test of it would have to look at first",
  "Write a haiku about a falcon.",
];

/** The screen after each moment of one run. */
async function play(size: (typeof SIZES)[number]) {
  const clock = createFakeClock();
  const terminal = createFakeTerminal(size.columns, size.rows);
  let press: Parameters<RunKeyboard["onKey"]>[0] = () => {};
  const keyboard: RunKeyboard = {
    typed: "",
    start() {},
    close() {},
    ask: async () => undefined,
    onKey(listener) {
      press = listener;
    },
  };
  const tree = createTree({ output: terminal, paint: plain, clock, verbose: false, asksHere: true, keyboard });
  let run: Run | undefined;
  const tell = (event: Event) => {
    run = foldRun(run, event);
    tree.onEvent(event, run);
  };
  const about = (child: number) => ({ at: clock.now(), delegationId: "7f3a9c2e", childId: `7f3a9c2e.${child}` });
  const begin = (child: number) => {
    tell({ ...about(child), kind: "child-start", taskIndex: child - 1, prompt: { system: "", user: "" } });
    tell({ ...about(child), kind: "attempt-start", position: 0, provider: "zai", model: "glm-4.7" });
    tell({ ...about(child), kind: "step-start", step: 1 });
  };
  const finish = (child: number, text: string) => {
    const facts = { step: 1, usage, costUsd: 0.0012, durationMs: 4700 };
    tell({ ...about(child), kind: "step-end", ...facts, parts: [{ type: "text", text }], finish: "stop" });
    tell({ ...about(child), kind: "child-end", ending: { status: "completed", text }, durationMs: 4700 });
  };
  const screens: Record<string, string> = {};
  const keep = async (name: string) => {
    await clock.advance(200);
    screens[name] = terminal.text();
  };

  const planned = GOALS.map((goal) => ready({ task: { goal }, route: route("zai", "glm-4.7") }));
  const call = { tasks: GOALS.map((goal) => ({ goal })) };
  const { childId: _, ...atStart } = about(1);
  tell({ ...atStart, kind: "delegation-start", surface: "cli", warnings: [], planned, call });
  for (const child of [1, 2, 3]) begin(child);
  await clock.advance(2000);
  finish(1, "Gold grass holds its breath –\nthe lion lets the noon pass,\ncrowned by idle light.");
  tell({ ...about(2), kind: "text-delta", text: "I run the tests first, and then I look at the lists." });
  tell({ ...about(3), kind: "text-delta", text: "The files without tests are these." });
  await keep("run");

  const asking = { name: "terminal", target: "npm test -- --grep 'nested lists'", directory: "/work/parser" };
  const request = { callId: "call-1", step: 1, answerBy: clock.now() + 300_000, request: "0123456789ab" };
  tell({ ...about(2), kind: "approval-ask", ...asking, ...request } as Event);
  tell({ ...about(3), kind: "approval-ask", ...asking, ...request, request: "ba9876543210" } as Event);
  const question = tree.openQuestion?.();
  question?.output.write(
    `\n? 7f3a9c2e.2 (glm-4.7 @ zai) ${GOALS[1]}\n  asks to run terminal:\n  │ ${asking.target}\n  in ${asking.directory}\n`,
  );
  question?.ask("Allow? [y]es, once · [n]o, and why · [a]lways · Esc denies: ", () => "");
  await keep("approval");
  question?.close();

  press("down");
  press("enter");
  await keep("child");
  press("escape");
  finish(2, "The parser counts one level too few.");
  const failure = { kind: "unauthorized", message: "zai rejected the key ZAI_API_KEY (401)." } as const;
  tell({ ...about(3), kind: "child-end", ending: { status: "failed", failure, text: "" }, durationMs: 900 } as Event);
  tell({
    ...about(4),
    kind: "child-end",
    ending: { status: "interrupted", exitReason: "Ctrl-C", text: "" },
    durationMs: 0,
  });
  const hunks = [{ start: 12, lines: 3, their_start: 12, their_lines: 1 }];
  tell({
    ...{ ...atStart, at: clock.now(), kind: "conflict-check", compared: ["7f3a9c2e.1", "7f3a9c2e.3"] },
    conflicts: [{ children: ["7f3a9c2e.1", "7f3a9c2e.3"], files: [{ path: "src/lion.ts", kind: "content", hunks }] }],
  });
  tell({ ...atStart, at: clock.now(), kind: "delegation-end", durationMs: 4900 } as Event);
  tree.end();
  if (run !== undefined)
    screens.end = `${terminal.text()}\n${formatAnswers(run, resultsOf(run), resultStyleOn(terminal, { NO_COLOR: "1", TERM: "xterm" }))}`;
  return screens;
}

describe("the screens of deputy run", () => {
  for (const size of SIZES)
    test(`are as kept, at ${size.columns}×${size.rows}`, async () => {
      for (const [name, screen] of Object.entries(await play(size))) assertScreen(name, size, screen.trimEnd());
    });
});
