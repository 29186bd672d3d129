/**
 * How the route of a conversation with the user is planned: as a task's is, but of the config only the top level counts.
 * What `delegation:` and `rules:` say is said of children.
 */
import type { Config } from "../../config-schema.ts";

export function configOfConversation(config: Config): Config {
  const { model: _, provider: __, reasoning_effort: ___, max_cost_usd: ____, ...delegation } = config.delegation;
  return {
    ...config,
    rules: [],
    // Nobody waits for a conversation but its user, who may also take a minute to answer.
    delegation: { ...delegation, fallbacks: [], on_unresolved: "skip", child_timeout_seconds: 0 },
  };
}
