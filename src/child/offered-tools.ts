/** The tools that a request offers. Of the tools that edit files, it is the one that the route's model is trained on. */
import type { Route } from "../route.ts";
import { EDIT_TOOLS, type Tool } from "../tool.ts";
import { dialectOf } from "./wire/dialect/dialect-of.ts";

/** A child that has only one of the editing tools, because its agent definition names it, is offered that one. */
export function toolsFor<Named extends Pick<Tool, "name">>(route: Route, tools: readonly Named[]): readonly Named[] {
  const has = (name: string) => tools.some((tool) => tool.name === name);
  if (!EDIT_TOOLS.every(has)) return tools;
  const { editTool } = dialectOf(route);
  return tools.filter(({ name }) => name === editTool || !EDIT_TOOLS.some((each) => each === name));
}
