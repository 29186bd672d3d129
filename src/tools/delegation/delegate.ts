/**
 * `delegate_task`: runs a model's tasks in child agents. The engine that starts them is passed in; the tool's
 * description and output are the same on every surface.
 */

import { z } from "zod";
import type { AvailableModels } from "../../available-models.ts";
import { DeputyError } from "../../errors.ts";
import { type Report, reportInWords, reportSchema, withinLimit } from "../../report.ts";
import { type Call, delegateTaskJsonSchema, parseCall, type TaskError } from "../../task.ts";
import { shortLine } from "../../text/short-line.ts";
import type { Tool, ToolContext } from "../../tool.ts";
import { plainValue } from "../../values/plain-value.ts";
import { fieldsOf } from "../../values/record.ts";

/** Facts about the user's current setup that a model needs before it delegates. */
export type DelegationFacts = {
  /** Models and agents that the user lets a model choose from. */
  available: AvailableModels;
  /** `delegation.max_tasks_per_call` and `max_concurrent_children`. */
  maxTasks: number;
  maxConcurrent: number;
  /** Whether the children may be orchestrators themselves. */
  mayOrchestrate: boolean;
};

export type DelegateDeps = DelegationFacts & {
  /**
   * Plans and runs a call, to its end or until the wait is over.
   * @throws DeputyError if nothing can start: its message tells the model what would work
   */
  submit(call: Call, context: ToolContext, how: { background: boolean }): Promise<Report>;
  /** Whether a call may return at once while its tasks continue. */
  supportsBackground?: boolean;
  /** `delegation.max_summary_chars`. */
  maxSummaryChars: number;
  /** Returns how to read the rest of a truncated answer. */
  restOf(childId: string, offset: number): string;
};

const BACKGROUND = {
  type: "boolean",
  description: "Return at once; fetch the results with check_delegation.",
};

type DelegateInput = { call: Call; background: boolean };

/** Maximum length of a list of names in the description, in characters. `list_models` has the rest. */
const MAX_PROVIDERS_CHARS = 140;
const MAX_ALIASES_CHARS = 180;

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

/** The schema of a call: models see the one JSON Schema, and the one parser reads the call and locates its errors. */
function askedSchema({ maxTasks, supportsBackground = false }: DelegateDeps): z.ZodType<DelegateInput> {
  const { properties, ...schema } = delegateTaskJsonSchema();
  const fields = { ...fieldsOf(properties), ...(supportsBackground && { background: BACKGROUND }) };
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

/**
 * Separates the option of the call as a whole. A value other than a boolean stays in the rest, which then is rejected.
 */
function apart(written: unknown): { background: boolean; rest: unknown } {
  if (typeof written !== "object" || written === null || !("background" in written))
    return { background: false, rest: written };
  const { background: asked, ...rest } = written;
  const background = plainValue(z.boolean(), asked);
  return typeof background === "boolean" ? { background, rest } : { background: false, rest: written };
}

/** Description of the tool: its purpose, the limits, and the providers and aliases this user can run on now. */
export function describeDelegation({ available, maxTasks, maxConcurrent, mayOrchestrate }: DelegationFacts): string {
  const { agents = [] } = available;
  return [
    "Runs tasks as parallel child agents, each on its own model, provider and effort, and returns the results in task " +
      "order. Pass one task's fields directly, or several as `tasks`.",
    "Omit `model` and `provider` unless the user names one. A task that cannot run as written is rejected with an error " +
      "that says what would work.",
    `Limits: ${maxTasks} tasks per call, ${maxConcurrent} children at once (more wait)` +
      `; ${mayOrchestrate ? "a task with `role: orchestrator` may delegate" : "all roles are `leaf`"}.`,
    ...providerLines(available),
    ...aliasLines(available),
    ...(agents.length > 0 ? [`Agents: ${agents.length}; list_models describes them.`] : []),
  ].join("\n");
}

function providerLines({ models }: AvailableModels): string[] {
  const providers = [...new Set(models.map(({ provider }) => provider))];
  if (providers.length === 0) return [];
  const named = providers.map((provider) => {
    const known = models.find((model) => model.provider === provider && model.default);
    return known === undefined ? provider : `${provider} (default ${known.model})`;
  });
  return [`Providers with a key: ${listed(named, MAX_PROVIDERS_CHARS)}.`];
}

function aliasLines({ aliases }: AvailableModels): string[] {
  const usable = aliases.flatMap(({ alias, route }) =>
    route === null ? [] : [`${alias} (${route.model} @ ${route.provider})`],
  );
  return usable.length === 0 ? [] : [`Aliases: ${listed(usable, MAX_ALIASES_CHARS)}.`];
}

/** The first names, as many as fit, and how many more there are. */
function listed(names: string[], maxChars: number): string {
  let list = "";
  for (const [index, name] of names.entries()) {
    const separator = list === "" ? "" : ", ";
    const longer = `${list}${separator}${name}`;
    if (longer.length > maxChars) return `${list}${separator}${names.length - index} more in list_models`;
    list = longer;
  }
  return list;
}

function inShort(tasks: Call["tasks"]): string {
  const first = shortLine(tasks[0]?.goal);
  return tasks.length === 1 ? first : `${tasks.length} tasks: ${first}`;
}
