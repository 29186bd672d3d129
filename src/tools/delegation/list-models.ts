/** `list_models`: the models that this user currently lets a delegating model choose from. */
import { z } from "zod";
import {
  type AvailableAgent,
  type AvailableAlias,
  type AvailableModel,
  type AvailableModels,
  availableAgentSchema,
  availableAliasSchema,
  availableModelSchema,
  type ModelFilter,
} from "../../available-models.ts";
import { shortLine } from "../../text/short-line.ts";
import type { Tool } from "../../tool.ts";

/** Maximum models per answer: some providers list hundreds. */
const MAX_MODELS = 50;

const input = z.strictObject({
  match: z.string().optional().describe("Part of the model's name: `glm`."),
  provider: z.string().optional().describe("Provider slug: `openrouter`."),
  all: z.boolean().optional().describe("Include providers without a key."),
  offset: z.int().nonnegative().optional().describe("Models to skip."),
});

const output = z.strictObject({
  aliases: z.array(availableAliasSchema).describe("The user's aliases."),
  agents: z.array(availableAgentSchema).describe("Agents that a task can name."),
  models: z.array(availableModelSchema),
  total: z.number().describe("Number of matching models; `models` may contain only some of them."),
});

export type ListModelsDeps = {
  /** Models and agents that the user lets a model choose from. @throws DeputyError `usage` if the filter names no provider */
  listModels(filter: ModelFilter): AvailableModels;
};

export function createListModels({ listModels }: ListModelsDeps): Tool<z.infer<typeof input>> {
  return {
    name: "list_models",
    description:
      "Lists what delegate_task can run on now: the user's aliases and agents, and the models of providers with a key " +
      "(price, context window, effort levels). Unlisted models may work too. Returns at most " +
      `${MAX_MODELS} models per call.`,
    effect: "read",
    input,
    output,
    subject: ({ match, provider }) => ({ target: [provider, match].filter(Boolean).join(" "), otherwise: "allow" }),
    run: async ({ offset = 0, ...filter }) => {
      const { aliases, agents = [], models } = listModels(filter);
      const shown = models.slice(offset, offset + MAX_MODELS);
      const named = offset === 0 ? { aliases, agents } : { aliases: [], agents: [] };
      const part = { ...named, models: shown, total: models.length };
      return { ok: true, text: inWords(part, offset), data: part };
    },
  };
}

function inWords({ aliases, agents, models, total }: z.infer<typeof output>, offset: number): string {
  const end = offset + models.length;
  const rest =
    end < total ? [`[${end} of ${total} models. Narrow with match or provider, or pass offset: ${end}.]`] : [];
  const lines = [
    ...(aliases.length > 0 ? ["Aliases (for `model`):", ...aliases.map(aliasLine), ""] : []),
    ...(agents.length > 0 ? ["Agents (for `agent`):", ...agents.map(agentLine), ""] : []),
    ...(models.length > 0
      ? ["Models (* = the provider's default; prices in USD per million tokens):"]
      : [total === 0 ? "No model matches. Without filters, all of the user's models are listed." : "No more models."]),
    ...models.map(modelLine),
  ];
  return [...lines, ...rest].join("\n");
}

/** Descriptions come from the user or the project's authors: one short line each. */
function agentLine({ name, description }: AvailableAgent): string {
  const line = shortLine(description ?? "", 160);
  return line === "" ? `- ${name}` : `- ${name}: ${line}`;
}

function aliasLine({ alias, route, problem }: AvailableAlias): string {
  if (route === null) return `- ${alias}: not usable now: ${problem}`;
  const effort = route.reasoning_effort === null ? "" : `, effort ${route.reasoning_effort}`;
  return `- ${alias}: ${route.model} @ ${route.provider}${effort}`;
}

function modelLine(model: AvailableModel): string {
  const { price_usd_per_million_tokens: price, context_window: window, reasoning_efforts: efforts } = model;
  const facts = [
    price === null ? "price unknown" : `${price.input} in, ${price.output} out`,
    ...(window === null ? [] : [`context ${window}`]),
    ...(efforts === null ? [] : [efforts.length === 0 ? "no effort levels" : `effort ${efforts.join(" ")}`]),
    ...(model.tools === false ? ["no tools"] : []),
    ...(model.vision === true ? ["images"] : []),
    ...(model.key_present ? [] : ["no key"]),
  ];
  return `- ${model.model}${model.default ? "*" : ""} @ ${model.provider}: ${facts.join("; ")}`;
}
