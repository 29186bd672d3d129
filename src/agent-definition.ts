/** Agent definitions: reusable prompts and settings that a task names in `agent`. */
import type { AgentConfig, Config } from "./config-schema.ts";
import type { Warning } from "./errors.ts";

export type AgentDefinition = AgentConfig & {
  name: string;
  /** Limits its toolsets to these tools, by name; absent = all of their tools. */
  tools?: string[];
  /** `file:line` in the config, or the path of an agent file. */
  source: string;
  /** Set for definitions from a project's files, unless its trusted config has them: bound by what a model may choose. */
  isProjectScoped: boolean;
  /** Fields of the definition that have no effect here. */
  notes: string[];
  /** What a run that uses it says: which definition it replaces or did not yield to, or where it runs. */
  warnings?: Warning[];
};

export type Agents = {
  /** One per name, ignoring case, sorted by name. */
  definitions: AgentDefinition[];
  /** Files that could not be read. */
  warnings: Warning[];
};

/**
 * Returns the definitions in a config. @param placeOf returns an entry's location, and whether the project's config
 * contains it
 */
export function configuredAgents(
  config: Pick<Config, "agents">,
  placeOf: (name: string) => Pick<AgentDefinition, "source" | "isProjectScoped"> = (name) => ({
    source: `agents.${name}`,
    isProjectScoped: false,
  }),
): AgentDefinition[] {
  return Object.entries(config.agents).map(([name, agent]) => ({ ...agent, name, notes: [], ...placeOf(name) }));
}
