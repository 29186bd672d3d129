/** The agent definition a task names, out of those there are. A model may name one, never define one. */
import type { AgentDefinition, Agents } from "../../config/agents.ts";
import { suggest } from "../../did-you-mean.ts";
import type { Problem } from "../../errors.ts";

/** Nothing where the task names none. */
export function agentNamed(
  written: string | undefined,
  agents: Agents,
): { agent?: AgentDefinition } | { problem: Problem } {
  if (written === undefined) return {};
  const agent = agents.definitions.find(({ name }) => name.toLowerCase() === written.trim().toLowerCase());
  return agent === undefined ? { problem: unknownAgent(written, agents) } : { agent };
}

function unknownAgent(written: string, { definitions, warnings }: Agents): Problem {
  const names = definitions.map(({ name }) => name);
  const close = suggest(written, names);
  const meant = close.length > 0 ? ` Did you mean ${close.join(" or ")}?` : "";
  const known =
    names.length > 0 ? `There are ${names.join(", ")}.` : "There are none: define one under agents: in the config.";
  const file = `${written.trim().toLowerCase()}.md`;
  const broken = warnings.filter(({ message }) => message.toLowerCase().includes(file));
  return {
    code: "unknown-agent",
    field: "agent",
    message: `Expected the name of an agent definition; found ${written}.${meant} ${[known, ...broken.map(({ message }) => message)].join(" ")}`,
    suggestions: close.length > 0 ? close : names,
  };
}
