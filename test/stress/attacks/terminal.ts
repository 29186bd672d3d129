/** A run at a terminal with a user who answers its questions. */
import { setTimeout as sleep } from "node:timers/promises";
import { openTerminal, type Terminal } from "../../support/pty.ts";
import { findCrashes, findHang } from "./detectors.ts";
import type { Round } from "./round.ts";

/** Denies the request that is shown, without a reason. */
export async function typeDenial(terminal: Terminal): Promise<void> {
  terminal.type("n");
  await terminal.see(/Why\?/, 20_000);
  await sleep(800);
  terminal.type("\r");
}

/** @param answer what the user does; throws if the expected text does not appear in time */
export async function openAsked(
  round: Round,
  tasks: unknown,
  answer: (terminal: Terminal) => Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  const { place, draw, hangMs } = round;
  const argv = ["run", round.tasks(tasks), ...options, ...place.configOptions];
  const terminal = openTerminal(argv, {
    cwd: place.workspace,
    env: place.env,
    rows: draw.pick([8, 24, 50]),
    columns: draw.pick([40, 80, 200]),
  });
  try {
    await answer(terminal).catch((error: Error) => round.breach({ kind: "lost", words: error.message.slice(0, 600) }));
    const answeredAt = performance.now();
    const late = sleep(hangMs + 1, undefined, { ref: false });
    const code = await Promise.race([terminal.ended, late]);
    const took = performance.now() - answeredAt;
    if (code === undefined) for (const breach of findHang(argv, took, hangMs, "was answered")) round.breach(breach);
    const ending = {
      argv,
      code: code ?? null,
      signal: null,
      stdout: terminal.text(),
      stderr: "",
      killed: code === undefined,
    };
    for (const breach of findCrashes(ending)) round.breach(breach);
  } finally {
    terminal.kill();
    round.saw("a terminal", terminal.raw());
  }
}
