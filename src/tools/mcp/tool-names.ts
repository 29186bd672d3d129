/**
 * Names under which models call the tools of MCP servers, with characters and a length that every vendor takes. A name
 * depends only on the server's set of tools, not on their order.
 */
import { createHash } from "node:crypto";
import { serverPrefix } from "../../mcp-names.ts";

/** The shortest limit of OpenAI, Anthropic, Gemini and Bedrock. */
const MAX_LENGTH = 64;
const DIGEST_LENGTH = 6;

/** The names of a server's tools, in their order. @param tools distinct */
export function toolNames(server: string, tools: readonly string[]): string[] {
  const plain = tools.map((tool) => serverPrefix(server) + tool.replaceAll(/[^\w-]/g, "_"));
  const counts = new Map<string, number>();
  for (const name of plain) counts.set(name, (counts.get(name) ?? 0) + 1);
  return plain.map((name, index) => {
    const tool = tools[index] ?? "";
    const isItsOwn = name === serverPrefix(server) + tool || counts.get(name) === 1;
    if (isItsOwn && name.length <= MAX_LENGTH) return name;
    const digest = createHash("sha256").update(tool).digest("hex").slice(0, DIGEST_LENGTH);
    return `${name.slice(0, MAX_LENGTH - DIGEST_LENGTH - 1)}_${digest}`;
  });
}
