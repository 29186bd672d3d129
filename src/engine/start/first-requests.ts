/**
 * The first request of a planned task, as far as it is known before the start: its prompts, and its tools without those
 * of MCP servers, which have not started.
 */
import { toolsFor } from "../../child/offered-tools.ts";
import type { Planned, Ready } from "../../plan.ts";
import { bytesOf } from "../../routing/files.ts";
import type { Call } from "../../task.ts";
import type { Tool } from "../../tool.ts";
import type { Setup } from "../setup/setup.ts";
import { createPrompts, createSkillsOf } from "../work/prompts.ts";
import { ownTools } from "../work/toolbox.ts";

/** A planned call. `agents`: prompts of the agent definitions that its tasks use, by name. */
export type PlannedCall = { planned: Planned[]; call: Call; agents: Record<string, string>; setup: Setup };

export type FirstRequest = {
  /** Characters of the system prompt. */
  system: number;
  /** Characters of the task prompt, and bytes of the files before it. */
  task: number;
  tools: readonly Tool[];
  /** Names of the tools to delegate with, which are made when the child starts. */
  delegationTools: readonly string[];
};

const DELEGATION_TOOLS = ["delegate_task", "list_models"];

/** @returns a function that reads the notes and skills of each workspace once */
export function createFirstRequests(
  { call, agents, setup }: Omit<PlannedCall, "planned">,
  surface: string,
): (ready: Ready) => Promise<FirstRequest> {
  const promptsOf = createPrompts({ call, agents, surface }, setup);
  const skillsOf = createSkillsOf(setup);
  const { signal } = new AbortController();
  return async (ready) => {
    const skills = await skillsOf(ready, signal);
    const tools = toolsFor(ready.route, ownTools({ setup, skills }, ready));
    const delegationTools = ready.role === undefined ? [] : DELEGATION_TOOLS;
    const named = [...tools, ...delegationTools.map((name) => ({ name }))];
    const { prompt } = await promptsOf(ready, named, skills, signal);
    const task = prompt.user.length + bytesOf(ready.files ?? []);
    return { system: prompt.system.length, task, tools, delegationTools };
  };
}
