/** The prompts of a run's children, and the skills that they can read. */
import type { ChildInput } from "../../child/child.ts";
import type { Notes } from "../../child/notes.ts";
import { childPrompt, conversationPrompt, taskPrompt } from "../../child/prompt.ts";
import type { Ready } from "../../plan.ts";
import { isConversation, type Run } from "../../run/run.ts";
import type { Skill, Skills } from "../../skill.ts";
import { getOrMake } from "../../values/get-or-make.ts";
import { present } from "../../values/present.ts";
import type { Setup } from "../setup/setup.ts";

export type Prompts = (
  planned: Ready,
  tools: readonly { name: string }[],
  skills: readonly Skill[],
  signal: AbortSignal,
) => Promise<Pick<ChildInput, "prompt" | "warnings">>;

/** The skills of a child's workspace. */
export type SkillsOf = (planned: Ready, signal: AbortSignal) => Promise<readonly Skill[]>;

/** Reads the project's notes once per workspace. A stopped child does not wait for them. */
export function createPrompts(
  run: Pick<Run, "call" | "agents" | "surface">,
  { readNotes }: Pick<Setup, "readNotes">,
): Prompts {
  const { call, agents } = run;
  const systemPrompt = isConversation(run) ? conversationPrompt : childPrompt;
  const notes = new Map<string, Promise<Notes>>();
  return async ({ task, workspace, realPaths, agent, images, files, copy }, tools, skills, signal) => {
    const reading = getOrMake(notes, workspace, () => readNotes({ workspace, ...present({ realPaths }) }));
    const { text, warnings } = await Promise.race([reading, whenAborted<Notes>(signal, { warnings: [] })]);
    const names = tools.map(({ name }) => name);
    const part = agent === undefined ? undefined : agents[agent];
    return {
      prompt: {
        system: systemPrompt(
          workspace,
          names,
          { skills, ...present({ notes: text }), isCopy: copy !== undefined },
          part,
        ),
        user: taskPrompt(task, call.context, present({ images, files })),
      },
      warnings,
    };
  };
}

/** Looks for skills once per workspace. A stopped child does not wait for them. */
export function createSkillsOf({ findSkills }: Pick<Setup, "findSkills">): SkillsOf {
  const skills = new Map<string, Promise<Skills>>();
  return async ({ workspace, realPaths }, signal) => {
    const finding = getOrMake(skills, workspace, () => findSkills({ workspace, ...present({ realPaths }) }));
    const { found } = await Promise.race([finding, whenAborted<Skills>(signal, { found: [], warnings: [] })]);
    return found;
  };
}

/** Resolves with the given value when the signal aborts. */
function whenAborted<Value>(signal: AbortSignal, value: Value): Promise<Value> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(value);
    signal.addEventListener("abort", () => resolve(value), { once: true });
  });
}
