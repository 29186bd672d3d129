/** The operator's routing table, `rules:` in the config: the first rule that matches a task decides. */
import type { RuleConfig } from "../config/schema.ts";
import type { Call, Task } from "../task.ts";
import type { Said } from "./walk.ts";

/** What a rule says about a task, or nothing. @param givenToAll toolsets of a child that asks for none */
export function ruleFor(
  rules: readonly RuleConfig[],
  task: Task,
  call: Call,
  givenToAll: readonly string[],
): Said | undefined {
  const toolsets = task.toolsets ?? call.toolsets ?? givenToAll;
  const index = rules.findIndex(({ when }) => {
    const { tag, toolset } = when;
    return (tag === undefined || hasTag(task, tag)) && (toolset === undefined || toolsets.includes(toolset));
  });
  const rule = rules[index];
  return rule && { level: "rule", place: `rules[${index}] of the config`, model: rule.use };
}

function hasTag({ tags = [] }: Task, wanted: string): boolean {
  return tags.some((tag) => tag.trim().toLowerCase() === wanted.trim().toLowerCase());
}
