/** Every model that Deputy chooses or shows has a price and a context window. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Usage } from "../../../src/event.ts";
import { familyOf } from "../../../src/routing/catalog/built-in-providers.ts";
import { tableModels } from "../../../src/routing/catalog/price-table.ts";
import { defaultModelOf } from "../../../src/routing/catalog/providers.ts";
import { ready, routingOf } from "../desk.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const { providers, catalog } = routingOf({});

/** Ids of models in a text. Those with a tag (`qwen3:8b`) are local. */
const MODEL_ID = /(?<![\w./:-])(?:[a-z-]+\/)?[a-z]+[a-z-]*-?v?\d[\w.-]*\w(?![\w:/*])/gi;

function idsIn(text: string): string[] {
  return [...text.matchAll(MODEL_ID)].map(([id]) => id).filter((id) => familyOf(id) !== undefined);
}

/** The model of the example endpoint, and another spelling that the page explains. */
const WITHOUT_PRICE = ["qwen3-235b", "glm-4-7"];

function isPriced(model: string): boolean {
  return providers.all().some((provider) => catalog.factsOf(provider, model).price !== undefined);
}

describe("a price and a context window are known", () => {
  for (const provider of providers.all()) {
    const model = defaultModelOf(provider);
    if (model === undefined) continue;
    test(`for ${model}, the default of ${provider.slug}`, () => {
      const { price, contextWindow } = catalog.factsOf(provider, model);
      assert.ok(price !== undefined && contextWindow !== undefined);
    });
  }

  test("for all models that the table of providers names", () => {
    for (const provider of providers.all())
      for (const model of provider.builtIn?.models ?? [])
        assert.ok(catalog.factsOf(provider, model).price !== undefined, `${model} @ ${provider.slug}`);
  });

  for (const file of ["README.md", ...globSync(["docs/**/*.md", "examples/**/*.*"], { cwd: ROOT })])
    test(`for the models in ${file}`, () => {
      const unpriced = idsIn(readFileSync(join(ROOT, file), "utf8")).filter((id) => !isPriced(id));
      assert.deepEqual(
        [...new Set(unpriced)].filter((id) => !WITHOUT_PRICE.includes(id)),
        [],
      );
    });
});

describe("the price table", () => {
  const env = { DASHSCOPE_API_KEY: "key-1", GLM_API_KEY: "key-2" };
  const usage = (input: number, output = 0): Usage => ({ input, output, cached: 0, reasoning: 0 });

  test("has only models of its provider with plausible prices", () => {
    for (const provider of providers.all())
      for (const model of tableModels(provider.slug)) {
        const { price } = catalog.factsOf(provider, model);
        assert.ok(price === undefined || (price.input > 0 && price.output > 0), `${model} @ ${provider.slug}`);
      }
  });

  test("prices a long prompt as the provider does", () => {
    const { route } = ready({ provider: "alibaba", model: "qwen3.7-plus" }, { env });
    const cost = (input: number) => routingOf({ env }).catalog.costUsd(route, usage(input));
    assert.equal(cost(100_000), 0.04);
    assert.equal(cost(300_000), 0.36);
  });

  test("yields to the user's price", () => {
    const config = { providers: { zai: { models: { "glm-4.7": { price: { input: 5, output: 6 } } } } } };
    const { route } = ready({ provider: "zai", model: "glm-4.7" }, { config, env });
    assert.equal(routingOf({ config, env }).catalog.costUsd(route, usage(1_000_000, 1_000_000)), 11);
  });
});
