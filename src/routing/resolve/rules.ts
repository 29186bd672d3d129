/** The operator's routing table, `rules:` in the config: the first rule that matches a task decides. */
import type { RuleConfig } from "../../config-schema.ts";
import type { Task } from "../../task.ts";
import { matchesStars } from "../../text/star-pattern.ts";
import type { RouteLayer } from "./precedence.ts";

/** The decision of the first matching rule, or nothing. @param toolsets those of the child */
export function ruleFor(rules: readonly RuleConfig[], task: Task, toolsets: readonly string[]): RouteLayer | undefined {
  const index = rules.findIndex(({ when }) => {
    const { tag, toolset, agent, images, role } = when;
    return (
      (tag === undefined || hasTag(task, tag)) &&
      (toolset === undefined || toolsets.some((name) => matchesStars(toolset, name))) &&
      (agent === undefined || isSameWord(task.agent, agent)) &&
      (images === undefined || images === hasImages(task)) &&
      (role === undefined || role === (task.role ?? "leaf"))
    );
  });
  const rule = rules[index];
  return rule && { level: "rule", place: `rules[${index}] of the config`, model: rule.use };
}

function hasImages({ images = [] }: Task): boolean {
  return images.length > 0;
}

function hasTag({ tags = [] }: Task, wanted: string): boolean {
  return tags.some((tag) => isSameWord(tag, wanted));
}

function isSameWord(word: string | undefined, wanted: string): boolean {
  return word?.trim().toLowerCase() === wanted.trim().toLowerCase();
}
