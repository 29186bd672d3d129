/// <reference types="node" preserve="true" />
/** `deputize/ai-sdk`: `delegate_task` as a tool for the Vercel AI SDK (`ai`). */
import { jsonSchema, type Tool, tool } from "ai";
import type { DelegateTool } from "./engine/delegate-tool.ts";
import type { DelegateOptions, Deputy } from "./engine/deputy.ts";

export type DelegateOutput = Awaited<ReturnType<DelegateTool["run"]>>;

/**
 * Returns a tool for `generateText`, `streamText` and agents: `tools: { delegate_task: await delegateTaskTool(deputy)
 * }`. The model reads the results as text; `output.report` has them as data. Aborting the generation stops the
 * children.
 */
export async function delegateTaskTool(
  deputy: Deputy,
  options?: Omit<DelegateOptions, "askedBy">,
): Promise<Tool<unknown, DelegateOutput>> {
  const { description, inputSchema, run } = await deputy.tool(options);
  return tool({
    description,
    inputSchema: jsonSchema<unknown>(inputSchema),
    execute: (input, { abortSignal }) => run(input, abortSignal),
    toModelOutput: ({ output: { ok, text } }) => ({ type: ok ? "text" : "error-text", value: text }),
  });
}
