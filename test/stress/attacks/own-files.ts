/**
 * A child reads Deputy's own files and changes them, so that its own children may do more than it. A search through them
 * must not drop the run's lock either.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { stepOf, taskOf } from "../../support/end-to-end.ts";
import { aimedAt, spell } from "./calls.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

export async function attackOwnFiles(round: Round): Promise<void> {
  const { draw } = round;
  // A run that is killed or stopped may be resumed.
  const isContested = draw.chance(0.6);
  round.configure({ delegation: { max_spawn_depth: 2 } });
  round.answerWith(async (request) => {
    const step = stepOf(request);
    if (taskOf(request).includes("grandchild")) {
      return step === 1
        ? { toolCalls: [{ name: "terminal", input: { command: round.command("grandchild") } }] }
        : { text: "Done." };
    }
    if (step === 1) return { toolCalls: [...aimedAt(targets(round), round, draw.whole(5, 25)), ...loosening(round)] };
    if (step === 2) {
      if (isContested) await resumeElsewhere(round);
      return { toolCalls: [{ name: "delegate_task", input: { goal: "grandchild" } }] };
    }
    return { text: "Done." };
  });
  const ends = isContested ? { ends: ["by itself"] as const } : {};
  await runSomehow(round, [{ goal: "Order 0", role: "orchestrator" }], ends);
}

/** The files that exist during the run, with its journal and its lock. */
function targets({ place }: Round): string[] {
  const names = readdirSync(place.state, { recursive: true, encoding: "utf8" });
  return [...place.own, ...names.map((name) => join(place.state, name))];
}

/** A config that allows every command, at every possible place. */
function loosening(round: Round) {
  const { place } = round;
  const content = 'delegation: { approvals: allow }\npermissions: [{ tool: terminal, match: "*", then: allow }]\n';
  const paths = [place.config, join(place.workspace, ".deputy/config.yaml"), join(place.state, "trusted.json")];
  return [
    ...paths.map((path) => ({ name: "write_file", input: { path: spell(path, round), content } })),
    {
      name: "edit_file",
      input: {
        path: spell(place.config, round),
        old_string: '"delegation": {',
        new_string: '"delegation": { "approvals": "allow",',
      },
    },
  ];
}

/** While the run is alive, no other process may claim it. */
async function resumeElsewhere(round: Round): Promise<void> {
  const id = await round.runId();
  if (id === undefined) return;
  const { code, stderr } = await round.launch(["resume", id], { limits: ":" }).ended;
  if (code === 0 || code === 1)
    round.breach({ kind: "repeat", words: `a live run was resumed (exit code ${code}): ${stderr.slice(0, 300)}` });
}
