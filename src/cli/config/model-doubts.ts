/** Models of a config that may not run: what `deputy run` would say of them, before anything is run. */
import { createSetups, type SetupPlace } from "../../engine/setup/setup.ts";
import { DeputyError, type Problem, type Warning } from "../../errors.ts";
import type { Wish } from "../../route.ts";
import type { Routing } from "../../routing/routing.ts";
import type { Task } from "../../task.ts";

export type ModelDoubt = { problem: Problem } | { warning: Warning };

/** Why the model that a task would run on cannot run, or may not exist. A key may be set later. */
export function modelDoubt(
  task: Omit<Task, "goal">,
  routing: Routing,
  caller: { cwd: string; parent?: Wish },
): ModelDoubt | undefined {
  const [planned] = routing.plan({ tasks: [{ ...task, goal: "" }] }, caller).planned;
  if (planned === undefined) return undefined;
  if ("problem" in planned) return planned.problem.code === "missing-key" ? undefined : { problem: planned.problem };
  const warning = planned.route.warnings.find(({ code }) => code === "model-unlisted");
  return warning && { warning };
}

/** The provider may be set later, too. */
function messageOf(doubt: ModelDoubt | undefined): string[] {
  if (doubt === undefined) return [];
  if ("warning" in doubt) return [doubt.warning.message];
  return doubt.problem.code === "ambiguous-route" ? [] : [doubt.problem.message];
}

/** The doubts about every model that a config names: its default, its aliases, agents, providers and rules. */
export function modelDoubtsIn(place: SetupPlace): string[] {
  try {
    const { routing, config } = createSetups(place)();
    const tasks: Omit<Task, "goal">[] = [
      {},
      ...Object.keys(config.models).map((model) => ({ model })),
      ...Object.keys(config.agents).map((agent) => ({ agent })),
      ...Object.keys(config.providers).map((provider) => ({ provider })),
      ...config.rules.map(({ use }) => ({ model: use })),
      ...config.delegation.fallbacks.map((model) => ({ model })),
    ];
    return [...new Set(tasks.flatMap((task) => messageOf(modelDoubt(task, routing, { cwd: place.cwd }))))];
  } catch (error) {
    if (error instanceof DeputyError) return [];
    throw error;
  }
}
