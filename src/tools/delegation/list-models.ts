/** `list_models`: what a model that delegates can choose from, for this user, now. */
import { z } from "zod";
import {
  type AvailableAlias,
  type AvailableModel,
  type AvailableModels,
  availableAliasSchema,
  availableModelSchema,
  type ModelFilter,
} from "../../available-models.ts";
import type { Tool } from "../../tool.ts";

/** Some providers list hundreds: more than this is asked for part by part. */
const MAX_MODELS = 50;

const input = z.strictObject({
  match: z.string().optional().describe("Only models with this in their name: `glm`, `haiku`."),
  provider: z.string().optional().describe("Only this provider's models, by slug: `openrouter`."),
  all: z.boolean().optional().describe("Also models of providers that the user has no key for. Left out: false."),
  offset: z.int().nonnegative().optional().describe("How many models to skip, where an earlier answer was cut."),
});

const output = z.strictObject({
  aliases: z.array(availableAliasSchema).describe("The user's own names for models."),
  models: z.array(availableModelSchema),
  total: z.number().describe("How many models there are; `models` may be a part of them."),
});

export type ListModelsDeps = {
  /** What the user lets a model choose from. @throws DeputyError `usage` where the filter names no provider */
  listModels(filter: ModelFilter): AvailableModels;
};

export function createListModels({ listModels }: ListModelsDeps): Tool<z.infer<typeof input>> {
  return {
    name: "list_models",
    description:
      "Lists what delegate_task can run on for this user now: the user's aliases, and the models of providers with a " +
      "key, with price, context window and effort levels. A model that is not listed may be used all the same. At most " +
      `${MAX_MODELS} models are shown: narrow with \`match\` or \`provider\`, or go on with \`offset\`.`,
    effect: "read",
    input,
    output,
    subject: ({ match, provider }) => ({ target: [provider, match].filter(Boolean).join(" "), otherwise: "allow" }),
    run: async ({ offset = 0, ...filter }) => {
      const { aliases, models } = listModels(filter);
      const shown = models.slice(offset, offset + MAX_MODELS);
      const part = { aliases: offset === 0 ? aliases : [], models: shown, total: models.length };
      return { ok: true, text: inWords(part, offset), data: part };
    },
  };
}

function inWords({ aliases, models, total }: z.infer<typeof output>, offset: number): string {
  const end = offset + models.length;
  const names = aliases.map(aliasLine);
  const rest =
    end < total ? [`[${end} of ${total} shown. Narrow with match or provider, or go on with offset: ${end}.]`] : [];
  const lines = [
    ...(names.length > 0 ? ["Aliases, to be named as `model`:", ...names, ""] : []),
    ...(models.length > 0
      ? ["Models (* runs where only the provider is named; prices in USD per million tokens):"]
      : [total === 0 ? "No such model. Without filters, all of the user's are listed." : "No more models."]),
    ...models.map(modelLine),
  ];
  return [...lines, ...rest].join("\n");
}

function aliasLine({ alias, route, problem }: AvailableAlias): string {
  if (route === null) return `- ${alias}: cannot be used now: ${problem}`;
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
