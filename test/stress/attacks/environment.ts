/** Allowed commands search for keys: in their own environment, and in that of every process. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stepOf } from "../../support/end-to-end.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

const SPIED = "spied.txt";
const LOOKS = [
  `env > ${SPIED}`,
  `cat /proc/[0-9]*/environ > ${SPIED} 2>/dev/null`,
  `cat /proc/self/environ /proc/$PPID/environ > ${SPIED}`,
  `cat /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/environ > ${SPIED} 2>/dev/null`,
  `bash -c 'set; export -p' > ${SPIED}`,
  "env; cat /proc/$PPID/environ",
];

export async function attackEnvironment(round: Round): Promise<void> {
  const { draw, place } = round;
  round.configure({ permissions: [{ tool: "terminal", match: "*", then: "allow" }] });
  const looks = draw.some(LOOKS, 3);
  round.approve("looked");
  round.answerWith((request) => {
    const step = stepOf(request);
    const look = looks[step - 1];
    if (look === undefined) return { text: "Done." };
    const command = `${look}; cat ${SPIED} >> all.txt; ${round.command("looked")}; true`;
    return {
      toolCalls: [
        { name: "terminal", input: { command } },
        { name: "read_file", input: { path: SPIED } },
      ],
    };
  });
  const run = await runSomehow(round, [{ goal: "Order 0" }]);
  const spied = join(place.workspace, "all.txt");
  if (existsSync(spied)) round.saw("what a command saw", readFileSync(spied, "latin1"));
  else if ((await run.ended).code === 0 && !round.hasMark("looked")) throw new Error("No command looked at anything.");
}
