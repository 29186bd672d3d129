/** Finds the agent definition that a task names. A model can name one, but never define one. */
import { sep } from "node:path";
import type { AgentDefinition, Agents } from "../../agent-definition.ts";
import type { Problem, Warning } from "../../errors.ts";
import { suggest } from "../../text/did-you-mean.ts";

/** Returns an empty result if the task names none. */
export function agentNamed(
  written: string | undefined,
  agents: Agents,
): { agent?: AgentDefinition } | { problem: Problem } {
  if (written === undefined) return {};
  const agent = agents.definitions.find(({ name }) => name.toLowerCase() === written.trim().toLowerCase());
  return agent === undefined ? { problem: unknownAgent(written, agents) } : { agent };
}

/** Unreadable files with the name of an agent. */
export function unreadableFiles(written: string, { warnings }: Agents): Warning[] {
  const file = `${sep}${written.trim().toLowerCase()}.md:`;
  return warnings.filter(({ message }) => message.toLowerCase().includes(file));
}

function unknownAgent(written: string, agents: Agents): Problem {
  const { definitions } = agents;
  const names = definitions.map(({ name }) => name);
  const close = suggest(written, names);
  const meant = close.length > 0 ? ` Did you mean ${close.join(" or ")}?` : "";
  const known =
    names.length > 0 ? `There are ${names.join(", ")}.` : "There are none: define one under agents: in the config.";
  const broken = unreadableFiles(written, agents);
  return {
    code: "unknown-agent",
    field: "agent",
    message: `Expected the name of an agent definition; found ${written}.${meant} ${[known, ...broken.map(({ message }) => message)].join(" ")}`,
    suggestions: close.length > 0 ? close : names,
  };
}
