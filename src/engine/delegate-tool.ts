/** `delegate_task` for a program that has a model of its own, whatever it speaks to it with. */
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Report } from "../report.ts";
import { reportOf } from "../run/run-report.ts";
import type { Tool } from "../tool.ts";
import { createDelegate } from "../tools/delegation/delegate.ts";
import type { SubmitOptions } from "./engine.ts";
import { listAvailableModels } from "./setup/list-available.ts";
import type { Opened } from "./setup/open-deputy.ts";

/** A tool as every framework knows one: what the model is told of it, and what happens when it calls it. */
export type DelegateTool = {
  name: "delegate_task";
  /** Tells the model what it can delegate to: this user's providers and aliases as they are now. */
  description: string;
  /** JSON Schema of the arguments. */
  inputSchema: Record<string, unknown>;
  /**
   * Runs a call to its end. What a model got wrong is no exception: `ok` is false, and `text` tells it what would work.
   * @param signal stops the children; what they have done is kept
   */
  run(input: unknown, signal?: AbortSignal): Promise<{ ok: boolean; text: string; report?: Report }>;
};

export function createDelegateTool(
  { engine, loadConfig, routing }: Opened,
  clock: Clock,
  options: SubmitOptions,
): DelegateTool {
  const { config } = loadConfig();
  const { delegation } = config;
  const tool: Tool = createDelegate({
    available: listAvailableModels({ routing: routing(), config, cwd: options.workspace }, {}, "model"),
    maxTasks: delegation.max_tasks_per_call,
    maxConcurrent: delegation.max_concurrent_children,
    mayOrchestrate: delegation.max_spawn_depth > 1,
    maxSummaryChars: delegation.max_summary_chars,
    restOf: (childId) => `a person reads it with deputy show ${childId}`,
    async submit(call, { signal }) {
      const under = await engine.submit(call, { ...options, askedBy: "model" });
      const stop = () => void under.stop("the caller").catch(() => {}); // Its result tells.
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      await under.result.finally(() => signal.removeEventListener("abort", stop));
      return reportOf(engine.run(under.id), clock.now());
    },
  }) as Tool;
  return {
    name: "delegate_task",
    description: tool.description,
    inputSchema: z.toJSONSchema(tool.input, { io: "input" }) as Record<string, unknown>,
    async run(written, signal = new AbortController().signal) {
      const parsed = tool.input.safeParse(written);
      if (!parsed.success) return { ok: false, text: parsed.error.issues.map(fieldError).join("\n") };
      const { ok, text, data } = await tool.run(parsed.data, { childId: "", signal });
      return { ok, text, ...(data !== undefined && { report: data as Report }) };
    },
  };
}

function fieldError({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
