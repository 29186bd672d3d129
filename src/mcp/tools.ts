/** The tools that Deputy offers over MCP, each with what MCP is told of it. */

import { offerOf } from "../engine/offer.ts";
import type { Opened } from "../engine/open.ts";
import type { Tool } from "../tool.ts";
import { createListModels } from "../tools/list-models.ts";
import type { Offered } from "./server.ts";

export type ToolsDeps = {
  deputy: Opened;
  /** Directory that tasks work in where they say nothing else. */
  workspace: string;
};

export function createMcpTools({ deputy, workspace }: ToolsDeps): Offered[] {
  const listModels = createListModels({
    offer: (filter) =>
      offerOf({ routing: deputy.routing(), config: deputy.loadConfig().config, cwd: workspace }, filter, "model"),
  });
  return [
    {
      tool: listModels as Tool,
      manners: { title: "List models", destructive: false, idempotent: true, openWorld: false },
    },
  ];
}
