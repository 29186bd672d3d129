/** Answers are typed before their question is shown, and must not count; an answer to a shown question must. */
import { setTimeout as sleep } from "node:timers/promises";
import { stepOf } from "../../support/end-to-end.ts";
import { NO_TERMINAL } from "../../support/pty.ts";
import type { Round } from "./round.ts";
import { openAsked, typeDenial } from "./terminal.ts";

const TYPED = ["y\r", "yes\r", "a\r", "y\ry\r", "\ry\r", "Y\r", "y\n", "y\ry\ry\r", "always\r"];
/** Longer than the time during which typed text is ignored. */
const SEEN_MS = 800;

export async function attackByTypingAhead(round: Round): Promise<void> {
  if (NO_TERMINAL !== undefined) return;
  const { draw } = round;
  round.configure();
  const commands = ["first", "second"].slice(0, draw.whole(1, 2));
  const arrived = commands.map(() => Promise.withResolvers<void>());
  const typed = commands.map(() => Promise.withResolvers<void>());
  round.answerWith(async (request) => {
    const index = stepOf(request) - 1;
    const mark = commands[index];
    if (mark === undefined) return { text: "Done." };
    arrived[index]?.resolve();
    await typed[index]?.promise;
    return { toolCalls: [{ name: "terminal", input: { command: round.command(mark) } }] };
  });
  await openAsked(round, [{ goal: "Order 0" }], async (terminal) => {
    for (const [index, mark] of commands.entries()) {
      await Promise.race([arrived[index]?.promise, terminal.ended]);
      for (let count = draw.whole(1, 2); count > 0; count--) {
        terminal.type(draw.pick(TYPED));
        await sleep(draw.whole(20, 200));
      }
      typed[index]?.resolve();
      await terminal.see(/\[a\]lways/, 20_000);
      await sleep(SEEN_MS);
      const allowed = draw.chance(0.5);
      if (round.hasMark(mark)) return;
      if (allowed) round.approve(mark);
      if (allowed) terminal.type("y\r");
      else await typeDenial(terminal);
      await round.until(() => !allowed || round.hasMark(mark));
    }
  });
}
