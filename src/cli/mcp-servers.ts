/** What `deputy mcp` and `deputy serve` have in common: MCP servers that stand on one Deputy. */
import { type CreateMcpServer, createMcpServers } from "../mcp/server.ts";
import type { ToolsDeps } from "../mcp/tools.ts";
import { beginElsewhere } from "./background.ts";
import type { Io } from "./io.ts";
import { readVersion } from "./version.ts";

export const WORKSPACE_OPTION = [
  "-w, --workspace <dir>",
  "the directory children work in (default: where this command is started)",
] as const;

/** @param configPath as `--config` named it */
export async function mcpServers(
  { env, cwd, clock }: Io,
  configPath: string | undefined,
  deps: Pick<ToolsDeps, "deputy" | "workspace">,
): Promise<CreateMcpServer> {
  return createMcpServers({
    ...deps,
    clock,
    version: await readVersion(),
    beginElsewhere: (runId) => beginElsewhere(runId, { env, cwd, configPath }),
  });
}
