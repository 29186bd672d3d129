/**
 * A tool of an MCP server as a child's tool. The model keeps the definition that it was offered. Once the server lists
 * another one, a call needs approval, because a rule allowed the tool that the operator knew.
 */
import { z } from "zod";
import type { Tool, ToolEffect } from "../../tool.ts";
import { resultText } from "./result-text.ts";
import type { McpServer } from "./server.ts";
import type { ServerTool } from "./tool-list.ts";

export type ServerToolOptions = {
  /** The server's name in the config. */
  serverName: string;
  server: McpServer;
  effect: ToolEffect;
  /** Hash of the definition that the child was offered; absent if it was not offered this tool. */
  pinned: string | undefined;
};

export function createServerTool(
  { tool, name, description, parameters, input }: ServerTool,
  { serverName, server, effect, pinned }: ServerToolOptions,
): Tool {
  const label = `${serverName}/${tool}`;
  return {
    name,
    description,
    effect,
    parameters,
    input,
    refresh: server.refresh,
    subject(call) {
      const target = `${label} ${JSON.stringify(call)}`;
      const changed = changeOf(label, pinned, server.latest()?.definitions.get(tool));
      return { target, otherwise: "ask", ...(changed !== undefined && { changed }) };
    },
    run: async (call, { signal }) => resultText(label, await server.call(tool, call, signal)),
  };
}

function changeOf(label: string, pinned: string | undefined, current: string | undefined): string | undefined {
  if (pinned === undefined) return `${label} was not offered when the child started`;
  if (current === undefined) return `its server no longer lists ${label}`;
  return current === pinned ? undefined : `the description or schema of ${label} has changed since the child started`;
}

/**
 * Stands for a tool that a child was offered and that its server does not offer now, so that a call from before a crash
 * keeps its meaning.
 */
export function createMissingTool(name: string, reason: string): Tool {
  return {
    name,
    description: `Not available now. ${reason}`,
    effect: "write",
    parameters: { type: "object", properties: {} },
    input: z.record(z.string(), z.unknown()),
    subject: (call) => ({ target: `${name} ${JSON.stringify(call)}`, otherwise: "allow" }),
    run: async () => ({ ok: false, text: `${name} is not available now. ${reason}` }),
  };
}
