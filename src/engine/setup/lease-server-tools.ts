/**
 * The tools of MCP servers for a child. Its servers start when the first child needs them; one that cannot start costs
 * its tools alone. Their secrets are expanded here, and go to their server alone.
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Config, McpServerConfig } from "../../config-schema.ts";
import type { Warning } from "../../errors.ts";
import { serverOf, serverPrefix } from "../../mcp-names.ts";
import type { Environment, Template } from "../../template.ts";
import { withHome } from "../../text/home-path.ts";
import { matchesStars } from "../../text/star-pattern.ts";
import type { PinnedTool } from "../../tool.ts";
import type { ServerOptions } from "../../tools/mcp/server.ts";
import type { LeasedServer, ServerPool } from "../../tools/mcp/server-pool.ts";
import { createMissingTool, createServerTool } from "../../tools/mcp/server-tool.ts";
import { ToolError } from "../../tools/tool-error.ts";
import { presentable } from "../../tools/toolsets.ts";
import { type LeaseServerTools, NO_SERVER_TOOLS, type ServerTools, type ServerToolsPlan } from "./server-tools.ts";

export type ServerToolsDeps = {
  config: Pick<Config, "mcp_servers">;
  env: Environment;
  cwd: string;
  pool: ServerPool;
  /** A fetch that adds these headers, for the origin of this URL alone. */
  fetchFor(url: string, headers: Record<string, string>): typeof globalThis.fetch;
  /** The environment of commands. */
  environment(): Record<string, string>;
  redact(text: string): string;
};

export function serverToolsLeaser(deps: ServerToolsDeps): LeaseServerTools {
  const { config, redact } = deps;

  /** Leases one server, and makes its tools. Never rejects. */
  async function ofServer(
    serverName: string,
    plan: ServerToolsPlan,
    before: readonly PinnedTool[] | undefined,
    signal: AbortSignal,
  ): Promise<ServerTools> {
    const isNamed = ({ name }: { name: string }) => plan.tools?.some((each) => matchesStars(each, name)) !== false;
    const offeredBefore = before?.filter(({ name }) => name.startsWith(serverPrefix(serverName))).filter(isNamed) ?? [];
    let leased: LeasedServer | undefined;
    try {
      const entry = config.mcp_servers[serverName];
      if (entry === undefined) throw new ToolError(`mcp_servers of the config has no ${serverName} any more.`);
      leased = leaseServer(serverName, entry, plan, deps);
      const { server, release } = leased;
      const { offered, definitions, notes } = await server.list(signal);
      const chosen = offered.filter(isNamed);
      const pinned = chosen.map(({ name, tool }) => ({ name, sha256: definitions.get(tool) ?? "" }));
      const pins = new Map((before ?? pinned).map(({ name, sha256 }) => [name, sha256]));
      const tools = chosen.map((each) => {
        const effect = entry.read_only.includes(each.tool) ? "read" : "write";
        return createServerTool(each, { serverName, server, effect, pinned: pins.get(each.name) });
      });
      const gone = offeredBefore.filter(({ name }) => !chosen.some((each) => each.name === name));
      const missing = gone.map(({ name }) =>
        createMissingTool(name, `The MCP server ${serverName} no longer lists it.`),
      );
      const warnings = notes.map((note) => warning(`The MCP server ${serverName}: ${note}`));
      return { tools: [...tools, ...missing], pinned, warnings, release };
    } catch (error) {
      await leased?.release();
      if (signal.aborted) return NO_SERVER_TOOLS;
      if (!(error instanceof ToolError)) throw error;
      const missing = offeredBefore.map(({ name }) => createMissingTool(name, error.message));
      return { ...NO_SERVER_TOOLS, tools: missing, warnings: [warning(`${error.message}\nIts tools are missing.`)] };
    }
  }

  function warning(message: string): Warning {
    return { code: "mcp-server", message: redact(message) };
  }

  return async (plan, pinned, signal) => {
    const names = plan.toolsets.map(serverOf).filter((name) => name !== undefined);
    const servers = await Promise.all(names.map((name) => ofServer(name, plan, pinned, signal)));
    return {
      tools: servers.flatMap(({ tools }) => tools).map((tool) => presentable(tool, redact)),
      pinned: servers.flatMap((server) => server.pinned),
      warnings: servers.flatMap(({ warnings }) => warnings),
      release: async () => void (await Promise.all(servers.map(({ release }) => release()))),
    };
  };
}

/** @throws ToolError if a variable is not set, or its directory does not exist */
function leaseServer(
  name: string,
  entry: McpServerConfig,
  { workspace, realPaths = {} }: ServerToolsPlan,
  { pool, redact, ...deps }: ServerToolsDeps,
): LeasedServer {
  const isOwn = entry.per === "child";
  const directory = isOwn ? (realPaths[workspace] ?? workspace) : deps.cwd;
  const address = addressOf(name, entry, directory, deps);
  const options: ServerOptions = {
    server: name,
    address,
    allowed: entry.tools,
    redact,
    callTimeoutMs: entry.timeout_seconds * 1000,
    startTimeoutMs: entry.start_timeout_seconds * 1000,
  };
  return pool.lease(isOwn ? undefined : JSON.stringify(options), options);
}

function addressOf(
  name: string,
  { command, args = [], env = {}, cwd = ".", url, headers = {} }: McpServerConfig,
  directory: string,
  deps: Pick<ServerToolsDeps, "env" | "environment" | "fetchFor">,
): ServerOptions["address"] {
  const expanded = (part: string, template: Template): string => {
    const expansion = template.expand(deps.env);
    if ("text" in expansion) return expansion.text;
    throw new ToolError(`mcp_servers.${name}.${part} names ${expansion.unset.join(", ")}, which is not set.`);
  };
  const expandedAll = (part: string, templates: Record<string, Template>) =>
    Object.fromEntries(Object.entries(templates).map(([key, each]) => [key, expanded(`${part}.${key}`, each)]));
  if (url !== undefined) {
    const address = expanded("url", url);
    const secretHeaders = expandedAll("headers", headers);
    return { url: address, fetch: deps.fetchFor(address, secretHeaders), headers: secretHeaders };
  }
  if (command === undefined) throw new Error(`${name} has neither a command nor a URL`);
  const place = resolve(directory, withHome(cwd, deps.env.HOME));
  if (statSync(place, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ToolError(`The MCP server ${name} cannot be started: expected a directory at ${place}.`);
  const environment = { ...deps.environment(), ...expandedAll("env", env) };
  return { program: { program: command, args, cwd: place, environment } };
}
