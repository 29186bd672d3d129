/** What a delegation needs to know of the world, read anew for each: config, environment, routing. */

import type { Config } from "../config/schema.ts";
import type { Problem, Warning } from "../errors.ts";
import type { Usage } from "../event.ts";
import type { Planned } from "../plan.ts";
import type { Route, Wish } from "../route.ts";
import type { Access } from "../secret.ts";
import type { Call } from "../task.ts";
import type { PermissionRule, Tool } from "../tool.ts";

export type Setup = {
  config: Config;
  warnings: Warning[];
  plan(call: Call, parent: Wish, workspace: string): { planned: Planned[]; warnings: Warning[] };
  /** A journaled route with today's endpoint and credential for the same provider, model and effort. */
  renew(route: Route): { route: Route } | { problem: Problem };
  access(route: Route): Access;
  price(route: Route, usage: Usage): number | undefined;
  tools(toolsets: readonly string[], workspace: string): readonly Tool[];
  permissions: PermissionRule[];
};
