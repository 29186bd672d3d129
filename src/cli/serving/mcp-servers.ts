/** Shared by `deputy mcp` and `deputy serve`: MCP servers on one Deputy. */
import { resolve } from "node:path";
import { type CreateMcpServer, createMcpServers } from "../../mcp/server.ts";
import type { ToolsDeps } from "../../mcp/tools.ts";
import type { Io } from "../io.ts";
import { startDetached } from "../start-detached.ts";
import { readVersion } from "../version.ts";

export const WORKSPACE_OPTION = [
  "-w, --workspace <dir>",
  "working directory of the children (default: the client's, else the current directory)",
] as const;

/**
 * @param flags `--config` and `--workspace` as given
 * @param server the name under which its next process continues its runs after a crash
 */
export async function mcpServers(
  { env, cwd, clock }: Io,
  deputy: ToolsDeps["deputy"],
  flags: { config?: string; workspace?: string },
  server: () => string,
): Promise<CreateMcpServer> {
  return createMcpServers({
    deputy,
    workspace: { path: resolve(cwd, flags.workspace ?? "."), isNamed: flags.workspace !== undefined },
    clock,
    version: await readVersion(),
    startDetached: (runId) => startDetached(runId, { env, cwd, routing: deputy.routing, configPath: flags.config }),
    server,
  });
}
