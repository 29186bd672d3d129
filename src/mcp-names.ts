/**
 * Names that MCP servers have in Deputy: the toolset of a server is `mcp:<server>`, and its tools are
 * `mcp__<server>__<tool>` for models and rules, as in Claude Code.
 */

/** Words joined by single `-` or `_`: because `__` is not among them, no two servers and tools share a name. */
export const SERVER_NAME = /^(?=.{1,32}$)[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$/;

const TOOLSET_PREFIX = "mcp:";

/** The toolset of one server. */
export function serverToolset(server: string): string {
  return TOOLSET_PREFIX + server;
}

/** The toolsets of all servers. */
export const ALL_SERVERS = serverToolset("*");

/** The server of a toolset; undefined if the toolset is not a server's. */
export function serverOf(toolset: string): string | undefined {
  const isServers = toolset.startsWith(TOOLSET_PREFIX) && toolset.length > TOOLSET_PREFIX.length;
  return isServers ? toolset.slice(TOOLSET_PREFIX.length) : undefined;
}

/** Prefix of the names of one server's tools. */
export function serverPrefix(server: string): string {
  return `mcp__${server}__`;
}
