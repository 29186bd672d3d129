/**
 * The MCP servers of a process. A server that children share starts for the first of them and stays, unless its
 * definition changes: then it ends with the last child that uses it.
 */
import type { Clock } from "../../clock.ts";
import { createMcpServer, type McpServer, type ServerOptions } from "./server.ts";

/** A server in use. `release` is called once, by the child that used it. */
export type LeasedServer = { server: McpServer; release(): Promise<void> };

export type ServerPool = {
  /**
   * @param key the whole definition as a text: children with the same key share the server; undefined for a server of
   *   the caller's own
   */
  lease(key: string | undefined, options: ServerOptions): LeasedServer;
  /** Ends every server. */
  close(): Promise<void>;
};

type Shared = { key: string; server: McpServer; users: number };

export function createServerPool(clock: Clock): ServerPool {
  /** The newest definition of each shared server, by name. */
  const current = new Map<string, Shared>();
  const open = new Set<McpServer>();

  function start(options: ServerOptions): McpServer {
    const server = createMcpServer(options, clock);
    open.add(server);
    return server;
  }

  async function end(server: McpServer): Promise<void> {
    open.delete(server);
    await server.close();
  }

  function shared(key: string, options: ServerOptions): Shared {
    const known = current.get(options.server);
    if (known?.key === key) return known;
    const made = { key, server: start(options), users: 0 };
    current.set(options.server, made);
    if (known?.users === 0) void end(known.server);
    return made;
  }

  return {
    lease(key, options) {
      if (key === undefined) {
        const server = start(options);
        return { server, release: () => end(server) };
      }
      const used = shared(key, options);
      used.users += 1;
      return {
        server: used.server,
        async release() {
          used.users -= 1;
          if (used.users === 0 && current.get(options.server) !== used) await end(used.server);
        },
      };
    },
    async close() {
      await Promise.all([...open].map(end));
    },
  };
}
