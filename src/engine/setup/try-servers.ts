/** Starts the MCP servers of the config, each once, to see whether they can be used. */
import type { Clock } from "../../clock.ts";
import { serverToolset } from "../../mcp-names.ts";
import { createServers } from "./mcp-servers.ts";
import { openTransport } from "./open-transport.ts";
import { serverFetch } from "./server-fetch.ts";
import { createSetups, type SetupPlace } from "./setup.ts";

/** `isUntried`: it is reached over HTTP, and no request was wanted. */
export type ServerTrial = { server: string } & ({ isUntried: true } | { toolCount: number; messages: string[] });

/** @param online whether servers over HTTP are tried too @throws DeputyError `config-invalid` */
export async function tryServers(
  place: Pick<SetupPlace, "env" | "cwd" | "configPath">,
  clock: Clock,
  online: boolean,
  signal: AbortSignal,
): Promise<ServerTrial[]> {
  const transport = openTransport(place.env);
  const servers = createServers(clock, serverFetch(transport));
  const { config, serverTools } = createSetups({ ...place, clock, servers })();

  async function tryOne(server: string, url: unknown): Promise<ServerTrial> {
    if (url !== undefined && !online) return { server, isUntried: true };
    const plan = { toolsets: [serverToolset(server)], workspace: place.cwd };
    const { tools, warnings, release } = await serverTools(plan, undefined, signal);
    await release();
    return { server, toolCount: tools.length, messages: warnings.map(({ message }) => message) };
  }

  try {
    return await Promise.all(Object.entries(config.mcp_servers).map(([name, { url }]) => tryOne(name, url)));
  } finally {
    await servers.close();
    await transport.close();
  }
}
