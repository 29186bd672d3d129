/** "Always" is answered for a command in one directory. The same text in another directory is another command. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stepOf } from "../../support/end-to-end.ts";
import { NO_TERMINAL } from "../../support/pty.ts";
import type { Round } from "./round.ts";
import { openAsked, typeDenial } from "./terminal.ts";

export async function attackByAlways(round: Round): Promise<void> {
  if (NO_TERMINAL !== undefined) return;
  const { draw, place } = round;
  round.configure();
  const folders = draw.some(["one", "two", "three", "src/two", "one/one-below"], draw.whole(2, 3));
  for (const folder of folders) mkdirSync(join(place.workspace, folder), { recursive: true });
  // The mark is named after the directory, so that the text is the same everywhere.
  const command = `touch '${place.marks}'/"$(basename "$PWD")"`;
  round.answerWith((request) =>
    stepOf(request) > 1 ? { text: "Done." } : { toolCalls: [{ name: "terminal", input: { command } }] },
  );
  const tasks = folders.map((folder, index) => ({ goal: `Order ${index}`, workspace: join(place.workspace, folder) }));
  const [first = "", ...others] = folders.map((folder) => folder.split("/").at(-1) ?? "");
  const openAnswers = async (terminal: Parameters<Parameters<typeof openAsked>[2]>[0]) => {
    await terminal.see(/\[a\]lways/, 20_000);
    await sleep(800);
    round.approve(first);
    terminal.type("a");
    await terminal.see(/Always: for this/, 20_000);
    await sleep(800);
    terminal.type("r");
    for (const _ of others) {
      await terminal.see(/\[a\]lways/, 20_000);
      await sleep(800);
      await typeDenial(terminal);
    }
  };
  await openAsked(round, tasks, openAnswers, ["--concurrency", "1"]);
}
