/** Hundreds of calls in one response, on a machine with few descriptors. */
import type { TurnToolCall } from "../../../src/testing/index.ts";
import { stepOf } from "../../support/end-to-end.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

const CALLS: readonly ((index: number) => TurnToolCall)[] = [
  (index) => ({ name: "grep", input: { pattern: `line ${index}` } }),
  (index) => ({ name: "grep", input: { pattern: "line", include: `*.${index}` } }),
  () => ({ name: "glob", input: { pattern: "**/*.txt" } }),
  () => ({ name: "list_dir", input: {} }),
  (index) => ({ name: "read_file", input: { path: index % 2 === 0 ? "a.txt" : "src" } }),
  (index) => ({ name: "delegate_task", input: { goal: `Small ${index}` } }),
  (index) => ({ name: "write_file", input: { path: `made/${index % 7}/${index}.txt`, content: "x" } }),
  () => ({ name: "terminal", input: { command: "sleep 0.01" } }),
];

export async function attackByManyCalls(round: Round): Promise<void> {
  const { draw } = round;
  round.configure({
    delegation: { max_spawn_depth: 2, max_concurrent_children: draw.whole(1, 30) },
    permissions: [{ tool: "terminal", match: "sleep *", then: "allow" }],
  });
  const kinds = [...draw.some(CALLS.slice(0, 2), draw.whole(0, 2)), ...draw.some(CALLS.slice(2), draw.whole(1, 2))];
  const [slow] = kinds.filter((kind) => ["terminal", "delegate_task"].includes(kind(0).name));
  const most = slow === undefined ? 700 : 120;
  const count = round.isSample ? 70 : draw.whole(most / 5, most);
  let answered = 0;
  round.answerWith((request) => {
    if (!request.lastUserText.includes("Order")) return { text: "Small." };
    if (stepOf(request) === 1)
      return { toolCalls: Array.from({ length: count }, (_, index) => draw.pick(kinds)(index)) };
    answered = request.messages.flatMap(({ toolResults }) => toolResults).length;
    return { text: "Done." };
  });
  const limits = draw.pick(["ulimit -n 64", "ulimit -n 64", "ulimit -n 128", "ulimit -n 256", ":"]);
  const run = await runSomehow(round, [{ goal: "Order 0", role: "orchestrator" }], {
    limits,
    ends: ["by itself", "by itself", "by itself", "SIGTERM", "kill"],
  });
  const { code, stderr } = await run.ended;
  if (code === 0 && answered !== count) {
    round.breach({ kind: "lost", words: `${answered} of ${count} calls were answered: ${stderr.slice(-300)}` });
  }
}
