/**
 * Deputy as an MCP server: one `Server` for each connection (for each request, where the protocol knows no connections).
 * Everything it offers is made anew at each request, so that it tells of config, keys and runs as they are then.
 */
import { type Implementation, Server, type ServerContext } from "@modelcontextprotocol/server";
import { nearest } from "../nearest.ts";
import type { Tool } from "../tool.ts";
import { callTool, type Manners, refused, shownTool } from "./tool-face.ts";

export type Offered = { tool: Tool; manners: Manners };

export type McpServerDeps = {
  version: string;
  /** The tools as they are at this moment. */
  tools(): Offered[];
};

const INSTRUCTIONS =
  "Deputy runs tasks as child agents, each on its own model, provider and effort. list_models tells what they can run on.";

export function createMcpServer({ version, tools }: McpServerDeps): Server {
  const about: Implementation = { name: "deputy", title: "Deputy", version };
  const server = new Server(about, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
  server.setRequestHandler("tools/list", () => ({
    tools: tools().map(({ tool, manners }) => shownTool(tool, manners)),
  }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const offered = tools();
    const found = offered.find(({ tool }) => tool.name === params.name);
    if (found === undefined) return refused(unknownTool(params.name, offered));
    return callTool(found.tool, params.arguments, contextOf(context));
  });
  return server;
}

function contextOf({ mcpReq }: ServerContext) {
  return { childId: "", signal: mcpReq.signal };
}

function unknownTool(name: string, offered: readonly Offered[]): string {
  const names = offered.map(({ tool }) => tool.name);
  const [close] = nearest(name, names, 1);
  return `There is no tool ${name}. ${close ? `Did you mean ${close}?` : `Tools: ${names.join(", ")}.`}`;
}
