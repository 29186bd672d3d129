/** Model lists fetched from providers over real HTTP, cached, and used offline. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import { systemClock } from "../../../src/clock.ts";
import { configSchema } from "../../../src/config-schema.ts";
import { askAll, askProviders, refreshLists } from "../../../src/engine/setup/provider-lists.ts";
import { createSetups } from "../../../src/engine/setup/setup.ts";
import type { ApiMode } from "../../../src/route.ts";
import { readListCache, saveLists } from "../../../src/routing/catalog/list-cache.ts";
import { readModelList } from "../../../src/routing/catalog/model-list.ts";
import { createRouting } from "../../../src/routing/routing.ts";
import { createFakeClock } from "../../../src/testing/fake-clock.ts";
import { createModelServer } from "../../../src/testing/model-server.ts";

const KEY = "key-of-the-lab";

/** A home whose config has these providers, and its path. */
function homeWith(t: TestContext, providers: object) {
  const home = mkdtempSync(join(tmpdir(), "deputy-lists-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const place = { env: { HOME: home, LAB_KEY: KEY, DEPUTY_STATE_DIR: join(home, "state") }, cwd: home };
  const configure = (changed: object) => {
    mkdirSync(join(home, ".config/deputy"), { recursive: true });
    writeFileSync(join(home, ".config/deputy/config.yaml"), JSON.stringify({ providers: changed }));
  };
  configure(providers);
  return { place, configure, cache: join(home, "state/models.json") };
}

/** A server that answers every GET with this list. */
async function listServer(t: TestContext, answer: (request: IncomingMessage) => { status?: number; body: unknown }) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const { status = 200, body } = answer(request);
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const factsOf = (place: Parameters<typeof createSetups>[0], slug: string, model: string) => {
  const { routing } = createSetups(place)();
  const found = routing.providers.find(slug);
  assert.ok("provider" in found);
  return routing.catalog.factsOf(found.provider, model);
};

const MODES: [ApiMode, header: string, value: string][] = [
  ["chat_completions", "authorization", `Bearer ${KEY}`],
  ["responses", "authorization", `Bearer ${KEY}`],
  ["anthropic_messages", "x-api-key", KEY],
  ["gemini", "x-goog-api-key", KEY],
];

describe("a provider's own list", () => {
  for (const [api_mode] of MODES)
    test(`is fetched in ${api_mode}, with the key in the place of that mode`, async (t) => {
      const server = await createModelServer({
        script: () => ({ text: "" }),
        keys: { lab: KEY },
        models: ["lion-1", "lion-2"],
      });
      t.after(server.close);
      const lab = { base_url: server.baseUrl(api_mode), api_mode, api_key_env: "LAB_KEY" };
      const [answer] = await askProviders(homeWith(t, { lab }).place, systemClock);
      assert.ok(answer && "models" in answer, JSON.stringify(answer));
      assert.deepEqual([Object.keys(answer.models), answer.keyName], [["lion-1", "lion-2"], "LAB_KEY"]);
    });

  for (const [api_mode, header, value] of MODES)
    test(`of ${api_mode} is asked for with the ${header} header alone`, async (t) => {
      const { url, requests } = await listServer(t, () => ({ body: { data: [] } }));
      const lab = { base_url: url, api_mode, api_key_env: "LAB_KEY" };
      await askProviders(homeWith(t, { lab }).place, systemClock);
      const { headers } = requests[0] as IncomingMessage;
      const carried = ["authorization", "x-api-key", "x-goog-api-key"].filter((name) => headers[name] !== undefined);
      assert.deepEqual([carried, headers[header]], [[header], value]);
    });

  test("is kept for its owner alone, without the key, and holds without a network", async (t) => {
    const model = {
      id: "maker/lion",
      context_length: 4096,
      pricing: { prompt: "0.000002", completion: "0.00001", input_cache_read: "0.0000002" },
      architecture: { input_modalities: ["text", "image"], output_modalities: ["text"] },
      supported_parameters: ["temperature", "tools"],
      top_provider: { max_completion_tokens: 4096 },
    };
    const picture = { id: "maker/painter", architecture: { output_modalities: ["image"] } };
    const server = await listServer(t, () => ({ body: { data: [model, picture] } }));
    const lab = { base_url: `${server.url}/v1`, api_key_env: "LAB_KEY" };
    const { place, configure, cache } = homeWith(t, { lab });
    await refreshLists(place, systemClock);
    assert.equal(statSync(cache).mode & 0o777, 0o600);
    assert.ok(!readFileSync(cache, "utf8").includes(KEY));
    const known = {
      contextWindow: 4096,
      price: { input: 2, output: 10, cachedInput: 0.2 },
      vision: true,
      tools: true,
    };
    assert.deepEqual(factsOf(place, "lab", "maker/lion"), known);
    assert.deepEqual(factsOf(place, "lab", "maker/painter"), {});
    configure({ lab: { ...lab, models: { "maker/lion": { context_window: 9, tools: false } } } });
    assert.deepEqual(factsOf(place, "lab", "maker/lion"), { ...known, contextWindow: 9, tools: false });
    configure({ lab: { ...lab, base_url: `${server.url}/elsewhere` } });
    assert.deepEqual(factsOf(place, "lab", "maker/lion"), {}, "a list holds for the base URL it came from");
    assert.equal(server.requests.length, 1, "nothing is fetched unless asked");
  });

  test("that cannot be fetched affects neither the others nor the cached one", async (t) => {
    let isUp = true;
    const flaky = await listServer(t, () =>
      isUp ? { body: { data: [{ id: "old" }] } } : { status: 401, body: { error: { message: `no ${KEY}` } } },
    );
    const good = await listServer(t, () => ({ body: [{ id: "new" }] }));
    const { place } = homeWith(t, {
      flaky: { base_url: flaky.url, api_key_env: "LAB_KEY" },
      good: { base_url: good.url },
    });
    await refreshLists(place, systemClock);
    isUp = false;
    const [first, second] = (await refreshLists(place, systemClock)).sort((a, b) =>
      a.provider.localeCompare(b.provider),
    );
    assert.ok(first && "failure" in first && second && "models" in second);
    assert.equal(first.failure.kind, "unauthorized");
    assert.ok(!first.failure.message.includes(KEY), first.failure.message);
    const { catalog, providers } = createSetups(place)().routing;
    const found = providers.find("flaky");
    assert.ok("provider" in found);
    assert.deepEqual(catalog.modelsOf(found.provider), ["old"]);
  });

  test("that is empty is a failure, and does not replace the cached one", async (t) => {
    let data: object[] = [{ id: "old" }];
    const lab = await listServer(t, () => ({ body: { data } }));
    const { place } = homeWith(t, { lab: { base_url: lab.url } });
    await refreshLists(place, systemClock);
    data = [];
    const [answer] = await refreshLists(place, systemClock);
    assert.ok(answer && "failure" in answer);
    assert.match(answer.failure.message, /empty list of models\. The models known so far are kept/);
    const { catalog, providers } = createSetups(place)().routing;
    const found = providers.find("lab");
    assert.ok("provider" in found);
    assert.deepEqual(catalog.modelsOf(found.provider), ["old"]);
  });

  test("is not waited for longer than ten seconds", async (t) => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.closeAllConnections());
    t.after(() => server.close());
    const clock = createFakeClock();
    const lab = { base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    const asking = askProviders(homeWith(t, { lab }).place, clock);
    await clock.advance(10_000);
    const [answer] = await asking;
    assert.ok(answer && "failure" in answer);
    assert.deepEqual(
      [answer.failure.kind, answer.failure.message],
      ["stalled", "lab did not answer within 10 seconds"],
    );
  });

  test("that is public does not validate the key, which is tried at a protected endpoint", async () => {
    const config = configSchema.parse({});
    const asked: string[] = [];
    const transport = {
      close: async () => {},
      fetchFor: () => async (url: unknown) => {
        asked.push(String(url));
        const body = new Blob([JSON.stringify({ data: [] })]).stream();
        return { ok: true, body } as unknown as Response;
      },
    };
    const env = { OPENROUTER_API_KEY: "key-1234", HF_TOKEN: "key-5678" };
    const routing = createRouting({ config, env });
    const answers = await askAll(routing.credentials.usable(), { routing, transport, clock: systemClock });
    assert.deepEqual(
      answers.map((answer) => [answer.provider, "keyTried" in answer && answer.keyTried]),
      [
        ["openrouter", true],
        ["huggingface", false],
      ],
    );
    assert.ok(asked.includes("https://openrouter.ai/api/v1/key"));
  });

  test("that is damaged is ignored with a warning, and written anew", async (t) => {
    const server = await listServer(t, () => ({ body: { data: [{ id: "lion" }] } }));
    const { place, cache } = homeWith(t, { lab: { base_url: server.url } });
    mkdirSync(join(cache, ".."), { recursive: true });
    writeFileSync(cache, '{"version":1,"lists":[{"provider":');
    assert.deepEqual(
      createSetups(place)().warnings.map(({ code }) => code),
      ["model-lists-unreadable"],
    );
    await refreshLists(place, systemClock);
    assert.deepEqual(createSetups(place)().warnings, []);
  });

  test("may contain anything: the stored part can be read again", (t) => {
    const { place } = homeWith(t, {});
    const odd = fc.oneof(fc.anything(), fc.double(), fc.constantFrom("1e400", "-1", "", "0.1", 1e300, 4096));
    const inner = fc.record({
      prompt: odd,
      completion: odd,
      input_modalities: odd,
      output_modalities: odd,
      vision: odd,
    });
    const entry = fc.record(
      {
        id: fc.oneof(fc.string(), odd),
        context_length: odd,
        max_tokens: odd,
        pricing: fc.oneof(inner, odd),
        architecture: fc.oneof(inner, odd),
        capabilities: fc.oneof(inner, odd),
        supported_parameters: odd,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(entry), fc.constantFrom(...MODES.map(([mode]) => mode)), (data, mode) => {
        const models = readModelList({ data }, mode);
        assert.ok(models);
        saveLists(place.env.DEPUTY_STATE_DIR, [{ provider: "lab", baseUrl: "http://h", models }], new Date(0));
        const cache = readListCache(place.env.DEPUTY_STATE_DIR);
        assert.deepEqual(cache.warnings, []);
        const list = cache.listOf("lab", "http://h");
        for (const [id, facts] of Object.entries(models))
          if (id !== "__proto__") assert.deepEqual(list?.factsOf(id), facts);
      }),
      { numRuns: 200 },
    );
  });

  test("with today's price goes before the library's, which counts where both agree", (t) => {
    const costAt = (input: number) => {
      const { place, cache } = homeWith(t, {});
      const models = { "gpt-6-astra": { price: { input, output: 50 } } };
      const list = { provider: "openai", baseUrl: "https://api.openai.com/v1", fetchedAt: "2026-01-01T00:00:00Z" };
      mkdirSync(join(cache, ".."), { recursive: true });
      writeFileSync(cache, JSON.stringify({ version: 1, lists: [{ ...list, models }] }));
      const keyed = { ...place, env: { ...place.env, OPENAI_API_KEY: "key-1234" } };
      const route = { provider: "openai", model: "gpt-6-astra", facts: factsOf(keyed, "openai", "gpt-6-astra") };
      const usage = { input: 300_000, output: 0, cached: 0, reasoning: 0 };
      return createSetups(keyed)().routing.catalog.costUsd(route, usage) ?? 0;
    };
    assert.equal(costAt(7).toFixed(4), "2.1000");
    assert.ok(costAt(10) > 3, "a long prompt costs more than the base price, as the library knows");
  });
});
