/** A known key in what people and models write: tasks, notes, arguments and their names, messages, also where texts are cut. */
import { join } from "node:path";
import type { TurnToolCall } from "../../../src/testing/index.ts";
import { stepOf } from "../../support/end-to-end.ts";
import { write } from "./place.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

/** Lengths of the text before the key, so that limits of other parts cut it. */
const BEFORE = [0, 0, 20, 60, 75, 100, 190, 380, 490, 1_990, 9_990, 39_980];

const TASKS: readonly ((said: string) => object)[] = [
  (goal) => ({ goal: `${goal} Order 0` }),
  (context) => ({ context }),
  (said) => ({ images: [`https://pictures.example/${encodeURIComponent(said.slice(-200))}.png`] }),
  (said) => ({ output_schema: { type: "object", properties: { [said]: { type: "string", description: said } } } }),
  (said) => ({ model: `m1-${said.slice(-80)}` }),
  (workspace) => ({ workspace }),
];

const CALLS: readonly ((said: string) => TurnToolCall)[] = [
  (said) => ({ name: "list_dir", input: { path: ".", [said]: said } }),
  (said) => ({ name: "read_file", input: { path: `src/${said}` } }),
  (said) => ({ name: "grep", input: { pattern: said, more: [{ [said]: [said] }] } }),
  (said) => ({ name: said.slice(-60), input: {} }),
  (said) => ({ name: "terminal", input: { command: `echo '${said}'` } }),
  (said) => ({ name: "write_file", input: { path: "made.txt", content: said } }),
  (goal) => ({ name: "delegate_task", input: { goal } }),
];

export async function attackByKeysInTexts(round: Round): Promise<void> {
  const { draw, place } = round;
  round.configure({ delegation: { max_spawn_depth: 2 } });
  const say = () => `${wordsOf(draw.pick(BEFORE))}${place.key.value}${draw.pick(["", " is it", "\n", "é"])}`;
  if (draw.chance(0.5)) write(join(place.workspace, "AGENTS.md"), `${say()}\n`);
  round.userChanged();
  round.answerWith((request) => {
    if (stepOf(request) > 2) return { text: say(), reasoning: say() };
    return { text: say(), toolCalls: draw.some(CALLS, draw.whole(1, 4)).map((call) => call(say())) };
  });
  const task = Object.assign({ goal: "Order 0" }, ...draw.some(TASKS, draw.whole(0, 2)).map((part) => part(say())));
  await runSomehow(round, [{ ...task, role: "orchestrator" }]);
  await round.launch(draw.pick([["show", "last"], ["show", "last", "--json"], ["runs"], ["runs", "--json"]])).ended;
}

function wordsOf(length: number): string {
  return "word ".repeat(Math.ceil(length / 5)).slice(0, length);
}
