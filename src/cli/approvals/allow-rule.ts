/** `--allow 'terminal: npm test'`: a permission that the user gives on the command line, in advance. */
import { TOOLSETS } from "../../config-schema.ts";
import { DeputyError } from "../../errors.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { matchesStars } from "../../text/star-pattern.ts";
import type { PermissionRule } from "../../tool.ts";
import { createTools, type ToolsOptions } from "../../tools/toolsets.ts";

/**
 * @param written `TOOL` for every call of a tool, `TOOL: WHAT` for this command or path; `*` matches anything
 * @throws DeputyError `usage` for an unknown tool: a rule without effect would look like a permission
 */
export function parseAllowRule(written: string): PermissionRule {
  const colon = written.indexOf(":");
  const tool = (colon < 0 ? written : written.slice(0, colon)).trim();
  if (colon < 0) return { tool: knownTool(tool, written), then: "allow" };
  const match = written.slice(colon + 1).trim();
  if (match === "") throw malformed(written, "Name a command or path after the colon, or leave the colon out.");
  return { tool: knownTool(tool, written), match, then: "allow" };
}

/** Tools of MCP servers are known once their server has started. */
const OF_SERVER = /^mcp__[\w*]/;

function knownTool(tool: string, written: string): string {
  if (OF_SERVER.test(tool)) return tool;
  const names = toolNames();
  if (names.some((name) => matchesStars(tool, name))) return tool;
  const [close] = suggest(tool, names, 1);
  throw malformed(written, close === undefined ? `The tools are ${names.join(", ")}.` : `Did you mean ${close}?`);
}

function malformed(written: string, hint: string): DeputyError {
  const expected = "TOOL or 'TOOL: WHAT', such as 'terminal: npm test'";
  return new DeputyError("usage", `--allow: expected ${expected}; found ${JSON.stringify(written)}. ${hint}`);
}

function toolNames(): string[] {
  const reach = { workspace: "/", extraDirs: [], own: { directories: [], files: [] }, realPaths: {} };
  const options = { ...reach, toolsets: TOOLSETS, environment: () => ({}), terminal: { timeoutMs: 0 }, web: NO_WEB };
  return createTools({ ...options, redact: (text) => text }).map(({ name }) => name);
}

const unused = () => Promise.reject(new Error("only the names of these tools are read"));
/** With a search engine, so that its tool has a name. */
const NO_WEB: ToolsOptions["web"] = {
  hosts: [],
  privateHosts: [],
  proxyFor: () => undefined,
  convert: unused,
  search: { engine: "searxng", send: unused },
};
