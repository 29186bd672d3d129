/**
 * Adapts the config for the route of a conversation with the user: it is planned like a task's, but only the top level
 * of the config applies. `delegation:` and `rules:` apply to children.
 */
import type { Config } from "../../config-schema.ts";

export function configOfConversation(config: Config): Config {
  const { model: _, provider: __, reasoning_effort: ___, max_cost_usd: ____, ...delegation } = config.delegation;
  return {
    ...config,
    rules: [],
    // Only the user waits for a conversation, and may take a minute to answer.
    delegation: { ...delegation, fallbacks: [], on_unresolved: "skip", child_timeout_seconds: 0 },
  };
}
