/**
 * The providers, models and agents that a user can run on now, in the form of `deputy models --json` and the tool
 * `list_models`. `null` means unknown.
 */
import { z } from "zod";
import { EFFORTS, type Price } from "./route.ts";
import { present } from "./values/present.ts";

const effort = z.enum(EFFORTS);

const priceSchema = z
  .strictObject({ input: z.number(), output: z.number(), cached_input: z.number().optional() })
  .describe("USD per million tokens.");

export const availableModelSchema = z.strictObject({
  model: z.string(),
  provider: z.string(),
  default: z.boolean().describe("The model that runs when only the provider is given."),
  price_usd_per_million_tokens: priceSchema.nullable(),
  context_window: z.number().nullable().describe("Tokens."),
  reasoning_efforts: z.array(effort).readonly().nullable().describe("Effort levels it takes; empty: none."),
  vision: z.boolean().nullable().describe("Whether it takes images."),
  tools: z.boolean().nullable().describe("Whether it can call tools."),
  key_present: z.boolean(),
  key_name: z.string().nullable().describe("Source of the key; null if none is needed or found."),
});
export type AvailableModel = z.infer<typeof availableModelSchema>;

export const availableAliasSchema = z.strictObject({
  alias: z.string(),
  route: z
    .strictObject({ provider: z.string(), model: z.string(), reasoning_effort: effort.nullable() })
    .nullable()
    .describe("The route of a task that names it."),
  problem: z.string().nullable().describe("Why it is not usable now."),
});
export type AvailableAlias = z.infer<typeof availableAliasSchema>;

/** An agent definition that a task can name now. */
export const availableAgentSchema = z.strictObject({ name: z.string(), description: z.string().nullable() });
export type AvailableAgent = z.infer<typeof availableAgentSchema>;

export type AvailableModels = { aliases: AvailableAlias[]; models: AvailableModel[]; agents?: AvailableAgent[] };

/** Selects a part of the model list. */
export type ModelFilter = {
  /** Only models whose name contains this, ignoring case. */
  match?: string | undefined;
  /** Only this provider's models, by slug or other name. */
  provider?: string | undefined;
  /** Includes providers without a key. */
  all?: boolean | undefined;
};

/** Prices in USD per million tokens, with the field names of the documents. */
export function priceDocument(price: Price | undefined): z.infer<typeof priceSchema> | null {
  if (price === undefined) return null;
  const { input, output, cachedInput } = price;
  return present({ input, output, cached_input: cachedInput });
}
