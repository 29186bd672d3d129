/**
 * The tools that a server lists, read as what somebody else wrote: each on its own, so that one that is malformed does
 * not cost the others, and within limits.
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { matchesStars } from "../../text/star-pattern.ts";
import { isRecord, mapTexts } from "../../values/record.ts";
import { headOf } from "../cut.ts";
import { parametersOf } from "./parameters.ts";
import { toolNames } from "./tool-names.ts";

/** Maximum number of tools of one server: vendors take 128 in a request. */
const MAX_TOOLS = 100;
const MAX_DESCRIPTION = 4_000;
/** Tools with longer names are left out. */
const MAX_NAME = 200;

/** A tool of a server, as it is offered. */
export type ServerTool = {
  /** The server's own name of it. */
  tool: string;
  /** The name for models and rules. */
  name: string;
  description: string;
  parameters: Record<string, unknown>;
  /** Accepts any object; one for each tool, so that what is derived from it is its own. */
  input: z.ZodType;
};

export type ServerToolList = {
  offered: readonly ServerTool[];
  /** Hash of the definition of each tool that the server lists, by its own name. */
  definitions: ReadonlyMap<string, string>;
  /** Sentences about tools that were left out. */
  notes: string[];
};

export type ListRules = {
  server: string;
  /** Patterns of the names of tools to offer. */
  allowed: readonly string[];
  redact(text: string): string;
};

export function readToolList(listed: readonly unknown[], { server, allowed, redact }: ListRules): ServerToolList {
  const definitions = new Map<string, string>();
  const wanted: { tool: string; description: string; parameters: Record<string, unknown> }[] = [];
  const notes: string[] = [];
  let unusable = 0;
  for (const written of listed) {
    const { name: tool, description, inputSchema } = isRecord(written) ? written : {};
    if (typeof tool !== "string" || tool === "" || tool.length > MAX_NAME || definitions.has(tool)) {
      unusable += 1;
      continue;
    }
    const isAllowed = allowed.some((pattern) => matchesStars(pattern, tool));
    const parameters = parametersOf(inputSchema);
    if (parameters === undefined) {
      if (isAllowed) notes.push(`Its tool ${tool} is left out: its schema is too large.`);
      continue;
    }
    definitions.set(tool, digestOf({ description, inputSchema }));
    if (isAllowed) wanted.push({ tool, description: typeof description === "string" ? description : "", parameters });
  }
  if (unusable > 0)
    notes.push(`${unusable} of its tools are left out: they have no name of their own, or one too long.`);
  if (wanted.length > MAX_TOOLS)
    notes.push(
      `It lists ${wanted.length} tools; the first ${MAX_TOOLS} are offered. Choose in mcp_servers.${server}.tools.`,
    );
  const unmatched = allowed.filter((pattern) => ![...definitions.keys()].some((tool) => matchesStars(pattern, tool)));
  if (unmatched.length > 0 && definitions.size > 0) notes.push(`It lists no tool ${unmatched.join(", ")}.`);
  const chosen = wanted.slice(0, MAX_TOOLS);
  const names = toolNames(
    server,
    chosen.map(({ tool }) => tool),
  );
  const offered = chosen.map(({ tool, description, parameters }, index) => ({
    tool,
    name: names[index] ?? "",
    description: shortened(redact(description)) || `${tool} of the MCP server ${server}.`,
    parameters: Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, mapTexts(value, redact)])),
    input: z.preprocess((written) => written ?? {}, z.record(z.string(), z.unknown())),
  }));
  return { offered, definitions, notes };
}

function shortened(description: string): string {
  return description.length <= MAX_DESCRIPTION ? description : `${headOf(description, MAX_DESCRIPTION)} … (cut)`;
}

/** The same for the same definition, in whatever order a server's language writes the fields. */
function digestOf(definition: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(inOrder(definition)) ?? "")
    .digest("hex");
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, inOrder(inner)]),
  );
}
