/** The config is loosened during a run, which keeps the rules it began with. */
import { stepOf, taskOf } from "../../support/end-to-end.ts";
import { write } from "./place.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

export async function attackByChangedConfig(round: Round): Promise<void> {
  const { draw, place } = round;
  const delegation = { max_spawn_depth: 2 };
  round.configure({ delegation });
  const looser = draw.pick([
    { delegation: { ...delegation, approvals: "allow" } },
    { delegation, permissions: [{ tool: "terminal", match: "*", then: "allow" }] },
    { delegation, permissions: [{ tool: "*", match: "*", then: "allow" }] },
  ]);
  round.answerWith((request) => {
    const isGrandchild = taskOf(request).includes("grandchild");
    const command = { name: "terminal", input: { command: round.command(isGrandchild ? "grandchild" : "child") } };
    if (stepOf(request) > 1) return { text: "Done." };
    if (isGrandchild) return { toolCalls: [command] };
    round.configure(looser);
    if (draw.chance(0.3)) write(`${place.config}.tmp`, "# beside it\n");
    round.userChanged();
    return { toolCalls: [command, { name: "delegate_task", input: { goal: "grandchild", toolsets: ["terminal"] } }] };
  });
  await runSomehow(round, [{ goal: "Order 0", role: "orchestrator" }], { ends: ["by itself", "SIGTERM", "stop"] });
}
