/** The prompts of a run's children. */
import type { ChildInput } from "../../child/child.ts";
import type { Notes } from "../../child/notes.ts";
import { childPrompt, conversationPrompt, taskPrompt } from "../../child/prompt.ts";
import type { Ready } from "../../plan.ts";
import { isConversation, type Run } from "../../run/run.ts";
import { present } from "../../values/present.ts";
import type { Setup } from "../setup/setup.ts";

export type Prompts = (
  planned: Ready,
  tools: readonly { name: string }[],
  signal: AbortSignal,
) => Promise<Pick<ChildInput, "prompt" | "warnings">>;

/** Reads the project's notes once per workspace. A stopped child does not wait for them. */
export function createPrompts(
  run: Pick<Run, "call" | "agents" | "surface">,
  { readNotes }: Pick<Setup, "readNotes">,
): Prompts {
  const { call, agents } = run;
  const systemPrompt = isConversation(run) ? conversationPrompt : childPrompt;
  const notes = new Map<string, Promise<Notes>>();
  return async ({ task, workspace, realPaths, agent, images, files }, tools, signal) => {
    const known = notes.get(workspace) ?? readNotes({ workspace, ...present({ realPaths }) });
    notes.set(workspace, known);
    const { text, warnings } = await Promise.race([known, noNotesOnce(signal)]);
    const names = tools.map(({ name }) => name);
    const part = agent === undefined ? undefined : agents[agent];
    return {
      prompt: {
        system: systemPrompt(workspace, names, text, part),
        user: taskPrompt(task, call.context, present({ images, files })),
      },
      warnings,
    };
  };
}

function noNotesOnce(signal: AbortSignal): Promise<Notes> {
  return new Promise((resolve) => {
    const giveUp = () => resolve({ warnings: [] });
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
  });
}
