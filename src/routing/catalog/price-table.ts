/**
 * Deputy's dated table of prices and context windows, for models that the price library lacks. `npm run prices`
 * rebuilds it; `price-table.json` names its source and date.
 */
import type { Usage } from "../../event.ts";
import type { ModelFacts, Price } from "../../route.ts";
import { present } from "../../values/present.ts";
import { withoutDate } from "./model-table.ts";
import table from "./price-table.json" with { type: "json" };

/** A model of the table. `longPrompts`: prices of requests with more input tokens than `above`, lowest first. */
export type TableEntry = {
  price?: Price;
  longPrompts?: readonly (Price & { above: number })[];
  contextWindow?: number;
};

const PROVIDERS: Readonly<Record<string, Readonly<Record<string, TableEntry>>>> = table.providers;

/** Facts about a provider's model; undefined if the table does not have it. */
export function tableFacts(slug: string, model: string): Pick<ModelFacts, "price" | "contextWindow"> | undefined {
  const entry = entryOf(slug, model);
  return entry && present({ price: entry.price, contextWindow: entry.contextWindow });
}

/** The price of a request, by the length of its prompt; undefined if the table does not have it. */
export function tablePrice(slug: string, model: string, { input }: Pick<Usage, "input">): Price | undefined {
  const { price, longPrompts = [] } = entryOf(slug, model) ?? {};
  return longPrompts.findLast(({ above }) => input > above) ?? price;
}

/** Ids of a provider's models in the table. */
export function tableModels(slug: string): string[] {
  return Object.keys(modelsAt(slug));
}

function modelsAt(slug: string): Readonly<Record<string, TableEntry>> {
  return (Object.hasOwn(PROVIDERS, slug) ? PROVIDERS[slug] : undefined) ?? {};
}

/** Ids may be any text, even `constructor`; a dated id is the same model. */
function entryOf(slug: string, model: string): TableEntry | undefined {
  const models = modelsAt(slug);
  const id = [model, withoutDate(model)].find((name) => Object.hasOwn(models, name));
  return id === undefined ? undefined : models[id];
}
