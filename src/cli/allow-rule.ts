/** `--allow 'terminal: npm test'`: a permission that the person at the command line gives in advance. */
import { TOOLSETS } from "../config/schema.ts";
import { DeputyError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { PermissionRule } from "../tool.ts";
import { createTools } from "../tools/toolsets.ts";

/**
 * @param written `TOOL` for every call of a tool, `TOOL: WHAT` for this command or path; `*` stands for anything
 * @throws DeputyError `usage` for a tool there is not: a rule without effect would look like a permission
 */
export function parseAllowRule(written: string): PermissionRule {
  const [, tool = "", match = ""] = /^([^:]*):?(.*)$/s.exec(written)?.map((part) => part.trim()) ?? [];
  const names = toolNames();
  if (!tool.includes("*") && !names.includes(tool)) {
    const [close] = nearest(tool, names, 1);
    const hint = close === undefined ? `The tools are ${names.join(", ")}.` : `Did you mean ${close}?`;
    throw new DeputyError("usage", `--allow: expected TOOL or 'TOOL: WHAT'; found ${JSON.stringify(written)}. ${hint}`);
  }
  return { tool, ...(match === "" ? {} : { match }), then: "allow" };
}

function toolNames(): string[] {
  const reach = { workspace: "/", extraDirs: [], own: { directories: [], files: [] } };
  const options = { ...reach, toolsets: TOOLSETS, environment: {}, terminal: { timeoutMs: 0 } };
  return createTools({ ...options, redact: (text) => text }).map(({ name }) => name);
}
