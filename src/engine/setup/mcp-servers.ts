/** The MCP servers of a process, for its children. Their code is loaded with the first toolset of a server. */
import type { Clock } from "../../clock.ts";
import { serverOf } from "../../mcp-names.ts";
import type { ServerPool } from "../../tools/mcp/server-pool.ts";
import type { ServerToolsDeps } from "./lease-server-tools.ts";
import { type LeaseServerTools, NO_SERVER_TOOLS } from "./server-tools.ts";

export type Servers = {
  /** Returns the function by which children with this config lease the tools of servers. */
  leaser(deps: Omit<ServerToolsDeps, "pool" | "fetchFor">): LeaseServerTools;
  /** Ends every server. */
  close(): Promise<void>;
};

/** For a setup that only plans. */
export const NO_SERVERS: Servers = { leaser: () => async () => NO_SERVER_TOOLS, close: async () => {} };

/** @param fetchFor sends the requests to servers over HTTP */
export function createServers(clock: Clock, fetchFor: ServerToolsDeps["fetchFor"]): Servers {
  let pool: ServerPool | undefined;

  async function load() {
    const [{ createServerPool }, { serverToolsLeaser }] = await Promise.all([
      import("../../tools/mcp/server-pool.ts"),
      import("./lease-server-tools.ts"),
    ]);
    pool ??= createServerPool(clock);
    return { pool, serverToolsLeaser };
  }

  return {
    leaser: (deps) => async (plan, pinned, signal) => {
      if (!plan.toolsets.some((toolset) => serverOf(toolset) !== undefined)) return NO_SERVER_TOOLS;
      const { serverToolsLeaser, ...loaded } = await load();
      return serverToolsLeaser({ ...deps, ...loaded, fetchFor })(plan, pinned, signal);
    },
    async close() {
      await pool?.close();
    },
  };
}
