/**
 * The routing hook of a program that uses Deputy: a function that receives a task and the models it could run on, and
 * chooses one. It sees no key. Its choice is a level of its own: above the config's rules, below agent, call and task.
 */
import { z } from "zod";
import { errorMessage, type Problem } from "../../errors.ts";
import { EFFORTS, type ModelFacts, type Wish } from "../../route.ts";
import type { Task } from "../../task.ts";
import { present } from "../../values/present.ts";

/** A model that could run a task now. Models in no list can be used too. */
export type Candidate = { provider: string; model: string; facts: ModelFacts };

/** Chooses a route for one task; undefined leaves it to the config. If it throws, the task gets that problem. */
export type RouteHook = (task: Task, candidates: readonly Candidate[]) => Wish | undefined | Promise<Wish | undefined>;

/** The hook's decision for one task. */
export type HookDecision = { wish: Wish } | { problem: Problem } | undefined;

const wishSchema = z.strictObject({
  model: z.string().optional(),
  provider: z.string().optional(),
  effort: z.enum(EFFORTS).optional(),
});

/** Calls the hook for every task separately. It gets copies: changing them has no effect. */
export function askHook(
  hook: RouteHook,
  tasks: readonly Task[],
  candidates: readonly Candidate[],
): Promise<HookDecision[]> {
  const shown = structuredClone(candidates);
  return Promise.all(tasks.map((task) => askOnce(hook, task, shown)));
}

async function askOnce(hook: RouteHook, task: Task, candidates: readonly Candidate[]): Promise<HookDecision> {
  try {
    const answer: unknown = (await hook(structuredClone(task), candidates)) ?? undefined;
    if (answer === undefined) return undefined;
    const parsed = wishSchema.safeParse(answer);
    return parsed.success ? { wish: present(parsed.data) } : { problem: failed(expected(answer, parsed.error)) };
  } catch (error) {
    return { problem: failed(`it threw: ${errorMessage(error)}`) };
  }
}

function expected(answer: unknown, { issues }: z.ZodError): string {
  const mistakes = issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
  return `expected { model, provider, effort } or undefined; found ${typeof answer} (${mistakes})`;
}

function failed(reason: string): Problem {
  return {
    code: "hook-failed",
    field: "model",
    message: `The program's routing hook did not choose: ${reason}.`,
    suggestions: [],
  };
}
