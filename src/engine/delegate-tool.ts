/** `delegate_task` for a program that calls a model itself, with any framework. */
import { z } from "zod";
import type { Clock } from "../clock.ts";
import { invalidArguments } from "../invalid-arguments.ts";
import type { Report } from "../report.ts";
import { reportOf } from "../run/run-report.ts";
import type { Tool } from "../tool.ts";
import { parseArguments } from "../tool-arguments.ts";
import { createDelegate } from "../tools/delegation/delegate.ts";
import { present } from "../values/present.ts";
import type { SubmitOptions } from "./engine.ts";
import { listAvailableModels } from "./setup/list-available.ts";
import type { Opened } from "./setup/open-deputy.ts";
import { restOf } from "./start/nested-call.ts";

/** A tool in the form common to all frameworks: a description, a schema, and a function to call. */
export type DelegateTool = {
  name: "delegate_task";
  /** Includes this user's current providers and aliases. */
  description: string;
  /** JSON Schema of the arguments. */
  inputSchema: Record<string, unknown>;
  /**
   * Runs a call to its end. An error of the model does not throw: `ok` is false, and `text` says what would work.
   * @param signal stops the children; finished work is kept
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
    restOf,
    async submit(call, { signal }) {
      const under = await engine.submit(call, { ...options, askedBy: "model" });
      const stop = () => void under.stop("the caller").catch(() => {}); // The result reports it.
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      await under.result.finally(() => signal.removeEventListener("abort", stop));
      return reportOf({ run: under.run, owner: "none" }, clock.now());
    },
  });
  return {
    name: "delegate_task",
    description: tool.description,
    inputSchema: { ...z.toJSONSchema(tool.input, { io: "input" }) },
    async run(written, signal = new AbortController().signal) {
      const parsed = parseArguments(tool, written);
      if (!parsed.success) return { ok: false, text: invalidArguments(tool, parsed.error) };
      const { ok, text, data } = await tool.run(parsed.data, { childId: "", signal });
      return present({ ok, text, report: data as Report | undefined });
    },
  };
}
