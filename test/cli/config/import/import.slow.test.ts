// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** Random Hermes configs: the import of any of them loads, and never mixes two endpoints. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { importHermes } from "../../../../src/cli/config/import/hermes.ts";
import { configSchema } from "../../../../src/config-schema.ts";

const known = {
  slugOf: (name: string) => (name === "zai" ? name : undefined),
  insteadOf: (name: string) => (name === "nous" ? "`zai`" : undefined),
  slugAt: () => undefined,
  modeOf: () => undefined,
  isUsableKey: (text: string) => text.length > 3,
};

test("whatever a Hermes config contains, no key is placed next to another provider's URL", () => {
  const host = fc.constantFrom("one", "two", "three");
  const name = fc.constantFrom("lab", "gate", "zai", "custom", "custom:lab", "delegation", "fallback-1");
  const endpoint = fc.record({ host, isKeyed: fc.boolean(), name, provider: name }).map((made) => ({
    name: made.name,
    provider: made.provider,
    model: "m",
    base_url: `https://${made.host}.example/v1`,
    ...(made.isKeyed && { api_key: `\${KEY_OF_${made.host}}` }),
  }));
  const endpoints = fc.array(endpoint, { maxLength: 3 });
  const named = fc.dictionary(name, endpoint, { maxKeys: 3 });
  const hermes = fc.record(
    {
      model: endpoint,
      providers: named,
      custom_providers: endpoints,
      model_aliases: named,
      model_tiers: named,
      delegation: endpoint,
      fallback_providers: endpoints,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(hermes, (source) => {
      const { providers = {} } = importHermes(source, known).config as { providers?: Record<string, object> };
      for (const entry of Object.values(providers) as { base_url?: string; api_key?: string }[])
        if (entry.api_key !== undefined)
          assert.equal(entry.base_url, `https://${entry.api_key.slice("${KEY_OF_".length, -1)}.example/v1`);
    }),
    { numRuns: 1000 },
  );
});

test("whatever a Hermes config holds, the result loads", () => {
  const text = fc.constantFrom("zai", "nous", "custom", "custom:lab", "https://h.example/v1", "${A_KEY}", "", "m/n");
  const leaf = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 2 }));
  const names = [
    "model",
    "provider",
    "base_url",
    "api_key",
    "models",
    "name",
    "default",
    "reasoning_effort",
    "timeout",
  ];
  const map = fc.dictionary(fc.constantFrom(...names), leaf, { maxKeys: 4 });
  const section = fc.oneof(leaf, map, fc.dictionary(text, map, { maxKeys: 2 }), fc.array(map, { maxLength: 2 }));
  const sections = ["model", "providers", "custom_providers", "model_aliases", "model_tiers", "delegation"];
  const rest = ["fallback_providers", "agent", "terminal", "provider", "base_url"];
  const hermes = fc.dictionary(fc.constantFrom(...sections, ...rest), section, { maxKeys: 6 });
  fc.assert(
    fc.property(hermes, (source) => {
      const before = stringify(source);
      assert.ok(configSchema.safeParse(importHermes(source, known).config).success);
      assert.equal(stringify(source), before);
    }),
    { numRuns: 500 },
  );
});
