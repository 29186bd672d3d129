/** Rules of the command line or a program for tools of MCP servers that the config does not have: they allow nothing. */
import type { Config } from "../../config-schema.ts";
import type { Warning } from "../../errors.ts";
import { serverPrefix } from "../../mcp-names.ts";
import { suggest } from "../../text/did-you-mean.ts";
import type { PermissionRule } from "../../tool.ts";

export function rulesWithoutServer(
  rules: readonly PermissionRule[],
  { mcp_servers: servers }: Pick<Config, "mcp_servers">,
): Warning[] {
  const known = Object.keys(servers);
  const lost = rules.filter(({ tool }) => ANY_SERVER.test(tool) && !known.some((server) => mayMean(tool, server)));
  return [...new Set(lost.map(({ tool }) => tool))].map((tool) => ({
    code: "rule-without-effect",
    message: `The rule for ${tool} has no effect${reasonFor(tool, known)}`,
  }));
}

const ANY_SERVER = /^mcp__(?<server>(?:(?!__).)*)/;

/** Whether a pattern can match the name of a tool of this server. */
function mayMean(pattern: string, server: string): boolean {
  const prefix = serverPrefix(server);
  const [start = ""] = pattern.split("*", 1);
  return start.startsWith(prefix) || (start !== pattern && prefix.startsWith(start));
}

function reasonFor(tool: string, known: readonly string[]): string {
  const named = ANY_SERVER.exec(tool)?.groups?.server ?? "";
  if (known.includes(named))
    return `, because it names no tool. Write ${serverPrefix(named)}* for all tools of ${named}.`;
  const [close] = suggest(named, known, 1);
  const hint = close === undefined ? "" : ` Did you mean ${serverPrefix(close)}…?`;
  return `: expected a server of mcp_servers (${known.join(", ") || "there is none"}); found ${named || "no name"}.${hint}`;
}
