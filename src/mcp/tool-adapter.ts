/** Adapts a tool to MCP. A caller's mistake is reported in the tool result, never as a protocol error. */
import type { CallToolResult, Tool as McpTool } from "@modelcontextprotocol/server";
import { z } from "zod";
import { DeputyError } from "../errors.ts";
import { invalidArguments } from "../invalid-arguments.ts";
import { withoutKeyLikes } from "../secret.ts";
import type { Tool, ToolContext } from "../tool.ts";
import { parseArguments } from "../tool-arguments.ts";
import { present } from "../values/present.ts";
import { fieldsOf, isRecord } from "../values/record.ts";

/** Annotations that MCP asks for, in addition to the tool itself. */
export type ToolAnnotations = {
  title: string;
  /** The tool can undo or stop something. */
  destructive: boolean;
  /** Repeating a call with the same arguments has no further effect. */
  idempotent: boolean;
  /** The tool reaches beyond this machine. */
  openWorld: boolean;
  /** Shown to the model from the start, even if the client lets models search for tools. */
  alwaysLoad?: true;
};

/** Read by Claude Code 2.1: exempts the tool from its tool search. */
const ALWAYS_LOAD = { "anthropic/alwaysLoad": true };

export function shownTool(tool: Tool, annotations: ToolAnnotations | undefined): McpTool {
  if (annotations === undefined) throw new Error(`${tool.name} has no annotations`);
  const { title, destructive, idempotent, openWorld, alwaysLoad } = annotations;
  return {
    name: tool.name,
    title,
    description: tool.description,
    inputSchema: objectSchema(z.toJSONSchema(tool.input, { io: "input", override: withoutBounds })),
    ...present({ outputSchema: tool.output && outline(tool.output) }),
    annotations: {
      title,
      readOnlyHint: tool.effect === "read",
      ...(tool.effect !== "read" && { destructiveHint: destructive }),
      idempotentHint: idempotent,
      openWorldHint: openWorld,
    },
    ...(alwaysLoad && { _meta: ALWAYS_LOAD }),
  };
}

function objectSchema({ $schema: _, ...schema }: z.core.JSONSchema.BaseSchema): McpTool["inputSchema"] {
  return { ...schema, type: "object" } as McpTool["inputSchema"];
}

/** `z.int()` states the range of safe integers, which costs tokens and tells a model nothing. */
function withoutBounds({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  delete jsonSchema.minimum;
  delete jsonSchema.maximum;
}

/** The fields of the structured content and their types, one level deep: some clients show models this schema too. */
function outline(output: z.ZodType): NonNullable<McpTool["outputSchema"]> {
  const { properties = {} } = z.toJSONSchema(output);
  const fields = Object.entries(properties).map(([name, field]) => {
    const { type } = fieldsOf(field);
    return [name, type === undefined ? {} : { type }];
  });
  return { type: "object", properties: Object.fromEntries(fields) };
}

/** Runs a call. @throws only for a bug in Deputy */
export async function callTool(tool: Tool, written: unknown, context: ToolContext): Promise<CallToolResult> {
  const parsed = parseArguments(tool, withoutBlanks(written));
  if (!parsed.success) return refused(invalidArguments(tool, parsed.error));
  try {
    const { text, ok, data } = await tool.run(parsed.data, context);
    return {
      content: [{ type: "text", text }],
      ...present({ structuredContent: data, isError: ok ? undefined : true }),
    };
  } catch (error) {
    if (error instanceof DeputyError) return refused(error.message);
    throw error;
  }
}

export function refused(text: string): CallToolResult {
  return { content: [{ type: "text", text: withoutKeyLikes(text) }], isError: true };
}

/** Blank strings mean absent, as null does: models fill in optional fields. */
function withoutBlanks(written: unknown): unknown {
  if (!isRecord(written)) return written ?? {};
  const isBlank = (value: unknown) => typeof value === "string" && value.trim() === "";
  return Object.fromEntries(Object.entries(written).filter(([, value]) => !isBlank(value)));
}
