/** Controls, C1 codes, invisible characters and those that reorder text, wherever others choose a text. */
import { join } from "node:path";
import { stepOf } from "../../support/end-to-end.ts";
import { write } from "./place.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

const SIGNS = [
  ...["\u001b[2J\u001b[H", "\u001b]0;title\u0007", "\u009b31m", "\u0090$q\u009c", "\u0000", "\b\b\b", "\u007f", "\r"],
  ...["\u202e", "\u2066", "\u061c", "\u200f", "\u2028", "\u00ad", "\u{e0041}", "\u200b", "\ufeff", "\ud800"],
];

export async function attackByControlCharacters(round: Round): Promise<void> {
  const { draw, place } = round;
  round.configure();
  const say = () => `a${draw.some(SIGNS, draw.whole(1, 4)).join("b")}c`;
  const fileName = say().replaceAll(/[\0\ud800/]/g, "x");
  write(join(place.workspace, fileName), `${say()}\n`);
  if (draw.chance(0.5))
    write(join(place.workspace, ".claude/agents/odd.md"), `---\nname: ${say()}\ntools: ${say()}\n---\n`);
  round.userChanged();
  round.answerWith((request) => {
    const calls = [
      { name: "read_file", input: { path: fileName } },
      { name: "terminal", input: { command: `echo '${say()}'`, [say()]: say() } },
      { name: say(), input: {} },
      { name: "grep", input: { pattern: say() } },
    ];
    if (stepOf(request) <= 2) return { text: say(), toolCalls: draw.some(calls, 3) };
    return { text: say(), servedModel: draw.pick(["m1", `m1${say()}`]) };
  });
  await runSomehow(round, [{ goal: `${say()} Order 0`, context: say() }], { ends: ["by itself", "SIGTERM"] });
  const shows = [["show", "last"], ["runs"], ["agents"], ["usage"], ["journal", "verify"], ["watch", "last"]];
  for (const command of draw.some(shows.slice(0, 5), 2)) await round.launch([...command, "--json"]).ended;
}
