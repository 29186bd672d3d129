/**
 * `delegate_task`: tasks that a model hands to child agents. What starts them is handed to it; what a model is told of
 * the tool, and what it answers, is the same wherever a model meets it.
 */
import { z } from "zod";
import type { AvailableModels } from "../../available-models.ts";
import { DeputyError } from "../../errors.ts";
import { type Report, reportInWords, reportSchema, withinLimit } from "../../report.ts";
import { type Call, delegateTaskJsonSchema, parseCall, type TaskError } from "../../task.ts";
import type { Tool, ToolContext } from "../../tool.ts";

/** What a model has to know of this user before it delegates, as it is now. */
export type DelegationFacts = {
  /** What the user lets a model choose from. */
  available: AvailableModels;
  /** `delegation.max_tasks_per_call` and `max_concurrent_children`. */
  maxTasks: number;
  maxConcurrent: number;
  /** Whether the children may be orchestrators themselves. */
  mayOrchestrate: boolean;
};

export type DelegateDeps = DelegationFacts & {
  /**
   * Plans and runs a call, to its end or as far as is waited for.
   * @throws DeputyError where nothing can start: its message tells the model what would
   */
  submit(call: Call, context: ToolContext, how: { background: boolean }): Promise<Report>;
  /** Whether a call may return at once, its tasks going on by themselves. */
  supportsBackground?: boolean;
  /** `delegation.max_summary_chars`. */
  maxSummaryChars: number;
  /** Where the rest of an answer that was cut is found. */
  restOf(childId: string, offset: number): string;
};

const BACKGROUND = {
  type: "boolean",
  description: "Return at once: the tasks go on by themselves, and check_delegation fetches their results.",
};

type DelegateInput = { call: Call; background: boolean };

/** Longer lists do not fit into a description. */
const MAX_NAMED = 30;

export function createDelegate(deps: DelegateDeps): Tool<DelegateInput> {
  return {
    name: "delegate_task",
    description: describeDelegation(deps),
    effect: "delegate",
    input: askedSchema(deps),
    output: reportSchema,
    subject: ({ call }) => ({ target: inShort(call.tasks), otherwise: "allow" }),
    async run({ call, background }, context) {
      try {
        const report = withinLimit(await deps.submit(call, context, { background }), deps.maxSummaryChars);
        return { ok: true, text: reportInWords(report, deps.restOf), data: report };
      } catch (error) {
        if (error instanceof DeputyError) return { ok: false, text: error.message };
        throw error;
      }
    },
  };
}

/** A call as models write it: told by the one JSON Schema, read by the one parser, whose mistakes name their place. */
function askedSchema({ maxTasks, supportsBackground = false }: DelegateDeps): z.ZodType<DelegateInput> {
  const { $schema: _, properties, ...schema } = delegateTaskJsonSchema();
  const fields = { ...(properties as object), ...(supportsBackground && { background: BACKGROUND }) };
  return z
    .unknown()
    .meta({ ...schema, properties: fields })
    .transform((written, context) => {
      try {
        const { background, rest } = supportsBackground ? apart(written) : { background: false, rest: written };
        return { call: parseCall(rest, maxTasks), background };
      } catch (error) {
        if (!(error instanceof DeputyError)) throw error;
        for (const { path, message } of error.details as TaskError[])
          context.addIssue({ code: "custom", message, path: path === "" ? [] : [path] });
        return z.NEVER;
      }
    });
}

/** What is said of the call as a whole. Whatever is no yes or no stays with the rest, which is then refused. */
function apart(written: unknown): { background: boolean; rest: unknown } {
  if (typeof written !== "object" || written === null || !("background" in written))
    return { background: false, rest: written };
  const { background, ...rest } = written;
  return typeof background === "boolean" ? { background, rest } : { background: false, rest: written };
}

/** The description of the tool: what it does, and what this user can run on now. */
export function describeDelegation({ available, maxTasks, maxConcurrent, mayOrchestrate }: DelegationFacts): string {
  return [
    "Hands tasks to child agents, each on its own model, provider and reasoning effort, all in parallel, and returns " +
      "their results in task order. One task: its fields directly. Several: `tasks`. A child sees nothing of this " +
      "conversation: write into each task all it has to know.",
    "Leave `model` and `provider` out unless the user asks for one: the child then runs on what the user has configured. " +
      "A task that cannot be run as it is written is rejected, never run on something else; its error says what would work.",
    `At most ${maxTasks} tasks in one call; ${maxConcurrent} children are at work at once, further ones wait their turn.`,
    ...(mayOrchestrate
      ? ["A task with `role: orchestrator` may delegate parts of its work itself."]
      : ["Children cannot delegate any further: all roles are `leaf`."]),
    ...providerLines(available),
    ...aliasLines(available),
    ...agentLines(available),
  ].join("\n\n");
}

function providerLines({ models }: AvailableModels): string[] {
  const providers = [...new Set(models.map(({ provider }) => provider))];
  if (providers.length === 0) return [];
  const named = providers.map((provider) => {
    const known = models.find((model) => model.provider === provider && model.default);
    return known === undefined ? provider : `${provider} (default model ${known.model})`;
  });
  return [`Providers with a key: ${listed(named)}.`];
}

function aliasLines({ aliases }: AvailableModels): string[] {
  const usable = aliases.flatMap(({ alias, route }) =>
    route === null ? [] : [`${alias} (${route.model} @ ${route.provider})`],
  );
  return usable.length === 0 ? [] : [`The user's own names for models: ${listed(usable)}.`];
}

/** Their descriptions are the user's, or those of whoever wrote the project: one line each, and not a long one. */
function agentLines({ agents = [] }: AvailableModels): string[] {
  if (agents.length === 0) return [];
  const lines = agents.slice(0, MAX_NAMED).map(({ name, description }) => {
    const line = (description ?? "").replace(/\s+/g, " ").trim();
    return line === "" ? `- ${name}` : `- ${name}: ${line.length <= 160 ? line : `${line.slice(0, 159)}…`}`;
  });
  const more = agents.length > MAX_NAMED ? [`- and ${agents.length - MAX_NAMED} more`] : [];
  return [["Agents that a task may name in `agent`:", ...lines, ...more].join("\n")];
}

function listed(names: string[]): string {
  const shown = names.slice(0, MAX_NAMED);
  return names.length > shown.length ? `${shown.join(", ")} and ${names.length - shown.length} more` : shown.join(", ");
}

function inShort(tasks: Call["tasks"]): string {
  const goal = (tasks[0]?.goal ?? "").replace(/\s+/g, " ").trim();
  const first = goal.length <= 60 ? goal : `${goal.slice(0, 59)}…`;
  return tasks.length === 1 ? first : `${tasks.length} tasks: ${first}`;
}
