/** Agent definitions: what a task's `agent` may name. */
import type { AgentConfig, Config } from "./config-schema.ts";
import type { Warning } from "./errors.ts";

export type AgentDefinition = AgentConfig & {
  name: string;
  /** Of its toolsets only these tools, by name; absent = all of them. */
  tools?: string[];
  /** `file:line` of the config, or a file of its own. */
  source: string;
  /** It comes with the project: what a model may choose binds it, too. */
  isProjectScoped: boolean;
  /** What of it has no effect here. */
  notes: string[];
};

export type Agents = {
  /** One of each name, in any case; by name. */
  definitions: AgentDefinition[];
  /** Files that cannot be read. */
  warnings: Warning[];
};

/** Those of a config. @param placeOf where each stands, and whether that is the project's */
export function configuredAgents(
  config: Pick<Config, "agents">,
  placeOf: (name: string) => Pick<AgentDefinition, "source" | "isProjectScoped"> = (name) => ({
    source: `agents.${name}`,
    isProjectScoped: false,
  }),
): AgentDefinition[] {
  return Object.entries(config.agents).map(([name, agent]) => ({ ...agent, name, notes: [], ...placeOf(name) }));
}
