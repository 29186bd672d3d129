// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** A child that falls back to a missing provider: it is interrupted, and continues once the provider is back. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { Result } from "../../src/result.ts";
import type { Script } from "../../src/testing/index.ts";
import { type Document, type Place, stage } from "../support/whole-stage.ts";

const CONFIG: Document = {
  models: { big: { model: "acme-1", provider: "acme", fallbacks: [{ model: "beta-1", provider: "beta" }] } },
};

type Change = (place: Place, edit: (change: (config: Document) => void) => void) => Place;

const providersOf = (config: Document) => config.providers as Record<string, Document>;

/** Runs between the stop of a run and its resume. */
const GONE: Record<string, Change> = {
  "its key is unset": (place) => {
    const { BETA_KEY: _, ...env } = place.env;
    return { ...place, env };
  },
  "its entry is removed from the config": (place, edit) => {
    edit((config) => delete providersOf(config).beta);
    return place;
  },
  "the command that prints its key fails": (place, edit) => {
    edit((config) => {
      const { api_key: _, ...beta } = providersOf(config).beta ?? {};
      providersOf(config).beta = { ...beta, api_key_command: "exit 3" };
    });
    return place;
  },
  "its key is removed from the config": (place, edit) => {
    edit((config) => delete providersOf(config).beta?.api_key);
    return place;
  },
};

const HONEST: Record<string, Change> = {
  "nothing changes": (place) => place,
  "its key is written under another name": (place, edit) => {
    edit((config) => Object.assign(providersOf(config).beta ?? {}, { api_key: "${OTHER_KEY}" }));
    return { ...place, env: { ...place.env, OTHER_KEY: place.env.BETA_KEY ?? "" } };
  },
};

/** Stops a run at acme's first request, changes its surroundings, and resumes it in the same place. */
async function resumed(change: Change): Promise<{ changed: Result; restored: Result; keyless: boolean }> {
  let isHeld = true;
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const script: Script = ({ keyName }) => {
    ask();
    if (isHeld) return { text: "late", fault: { kind: "silence" } };
    return keyName === "ACME_KEY" ? { fault: { kind: "quota-exhausted", status: 402 } } : { text: "done at beta" };
  };
  const { outcome, requests } = await stage({ config: CONFIG, script }, async (place) => {
    const path = join(place.env.HOME ?? "", ".config/deputy/config.yaml");
    const original = readFileSync(path, "utf8");
    const first = createDeputy(place);
    const { id, result } = await first.start({ goal: "one", model: "big" });
    await asked;
    await first.stop(id);
    await result;
    await first.close();
    isHeld = false;
    const resume = async (where: Place): Promise<Result> => {
      const deputy = createDeputy(where);
      const { results } = await (await deputy.resume(id)).result;
      await deputy.close();
      return results[0] as Result;
    };
    const changed = await resume(
      change(place, (edit) => {
        const config = JSON.parse(original);
        edit(config);
        writeFileSync(path, JSON.stringify(config));
      }),
    );
    writeFileSync(path, original);
    return { changed, restored: await resume(place) };
  });
  return { ...outcome, keyless: requests.some(({ keyName }) => keyName === undefined) };
}

describe("a child falls back to a provider", () => {
  for (const [name, change] of Object.entries(GONE))
    test(`and is interrupted if ${name}; it continues once that is back`, async () => {
      const { changed, restored, keyless } = await resumed(change);
      assert.deepEqual([changed.status, changed.exit_reason], ["interrupted", "route-gone"]);
      assert.match(
        JSON.stringify(changed.warnings),
        /beta is no longer configured as the run was planned|providers\.beta\.api_key_command ended with exit code 3/,
      );
      assert.deepEqual([restored.status, restored.summary], ["completed", "done at beta"]);
      assert.ok(!keyless, "no request leaves without its key");
    });

  for (const [name, change] of Object.entries(HONEST))
    test(`and runs there if ${name}`, async () => {
      const { changed } = await resumed(change);
      assert.deepEqual([changed.status, changed.summary], ["completed", "done at beta"]);
    });
});
