/**
 * The routing hook of a program that uses Deputy: a function that sees a task and what it could run on, and says what it
 * should. It sees no key. What it says is a level of its own: over the config's rules, under agent, call and task.
 */
import { z } from "zod";
import { errorMessage, type Problem } from "../../errors.ts";
import { present } from "../../present.ts";
import { EFFORTS, type ModelFacts, type Wish } from "../../route.ts";
import type { Task } from "../../task.ts";

/** A model that could run a task now. Models that no list knows can be used all the same. */
export type Candidate = { provider: string; model: string; facts: ModelFacts };

/** Chooses for one task; undefined leaves it to the config. Throwing makes it that task's problem. */
export type RouteHook = (task: Task, candidates: readonly Candidate[]) => Wish | undefined | Promise<Wish | undefined>;

/** What the hook said of one task. */
export type HookDecision = { wish: Wish } | { problem: Problem } | undefined;

const wishSchema = z.strictObject({
  model: z.string().optional(),
  provider: z.string().optional(),
  effort: z.enum(EFFORTS).optional(),
});

/** Asks the hook about every task, each on its own. It works on copies: nothing it does to them has an effect. */
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
