/** What `deputy mcp` and `deputy serve` have in common: MCP servers that stand on one Deputy. */
import { createMcpServer } from "../mcp/server.ts";
import { createMcpTools, type ToolsDeps } from "../mcp/tools.ts";
import { readVersion } from "./version.ts";

export const WORKSPACE_OPTION = [
  "-w, --workspace <dir>",
  "the directory children work in (default: where this command is started)",
] as const;

/** Makes a server for each client. */
export async function mcpServers(deps: ToolsDeps): Promise<() => ReturnType<typeof createMcpServer>> {
  const version = await readVersion();
  return () => createMcpServer({ version, tools: () => createMcpTools(deps) });
}
