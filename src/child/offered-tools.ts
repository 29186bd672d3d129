/** The tools that a request offers: of those that change a part of a file, the one that the route's model is trained on. */
import type { Route } from "../route.ts";
import { EDIT_TOOLS, type Tool } from "../tool.ts";
import { dialectOf } from "./wire/dialect/dialect-of.ts";

/** A child that has only the other one, because its agent definition names it, is offered that. */
export function toolsFor<Named extends Pick<Tool, "name">>(route: Route, tools: readonly Named[]): readonly Named[] {
  const has = (name: string) => tools.some((tool) => tool.name === name);
  if (!EDIT_TOOLS.every(has)) return tools;
  const { editTool } = dialectOf(route);
  return tools.filter(({ name }) => name === editTool || !EDIT_TOOLS.some((each) => each === name));
}
