/** The provider table is consistent, and base URLs are interpreted correctly. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nearnessOf } from "../../../src/base-url.ts";
import {
  BUILT_IN_PROVIDERS,
  familyOf,
  UNSUPPORTED_PROVIDERS,
} from "../../../src/routing/catalog/built-in-providers.ts";
import { baseUrlFromHost, modeOfUrl, normalBaseUrl, readBaseUrl } from "../../../src/routing/catalog/endpoints.ts";
import { nameOf, problem, ready, routingOf } from "../desk.ts";

describe("the provider table", () => {
  test("contains every provider once", () => {
    const names = BUILT_IN_PROVIDERS.flatMap(({ slug, otherNames = [] }) => [slug, ...otherNames]);
    assert.equal(new Set([...names, ...UNSUPPORTED_PROVIDERS.keys()]).size, names.length + UNSUPPORTED_PROVIDERS.size);
  });

  const ownEndpoint = BUILT_IN_PROVIDERS.filter(({ cloud }) => cloud === undefined);
  for (const { slug, otherNames = [], keys, defaultModel, family, baseUrl } of ownEndpoint)
    test(`${slug} plans with its own key, endpoint and default model, under each of its names`, () => {
      const env = Object.fromEntries(keys.slice(0, 1).map(({ name }) => [name, "key-of-it"]));
      for (const provider of [slug, ...otherNames, slug.toUpperCase()]) {
        const task = { provider, ...(defaultModel === undefined && { model: "some-model" }) };
        const { route } = ready(task, { env });
        assert.deepEqual([route.provider, route.model], [slug, defaultModel ?? "some-model"]);
        assert.equal(route.endpoint.baseUrl, baseUrl);
        assert.equal(route.keyName, keys[0]?.name);
      }
      assert.ok(family === undefined || defaultModel === undefined || familyOf(defaultModel) === family);
    });

  for (const provider of ["constructor", "toString", "__proto__"])
    test(`${provider} is no provider, and a problem of its task alone`, () => {
      assert.equal(problem({ provider }, {}).code, "unknown-provider");
    });

  test("names an existing replacement for known providers that it does not have", () => {
    for (const name of UNSUPPORTED_PROVIDERS.keys()) {
      const { code, suggestions } = problem({ provider: name }, {});
      assert.equal(code, "unsupported-provider");
      for (const slug of suggestions)
        if (slug !== "providers")
          assert.ok(
            BUILT_IN_PROVIDERS.some((row) => row.slug === slug),
            slug,
          );
    }
  });

  test("OpenRouter's effort goes where OpenRouter reads it", () => {
    const { endpoint } = ready({ provider: "openrouter" }, { env: { OPENROUTER_API_KEY: "key-1" } }).route;
    assert.equal(endpoint.effortField, "reasoning.effort");
  });

  test("an entry changes only what it names", () => {
    const config = { providers: { zai: { default_model: "glm-4.7" } } };
    const planned = ready({ provider: "zai" }, { config, env: { GLM_API_KEY: "key-1" } });
    assert.equal(nameOf(planned), "glm-4.7 @ zai");
    assert.equal(planned.route.endpoint.baseUrl, "https://api.z.ai/api/paas/v4");
  });

  test("an endpoint of the user's own needs a base_url", () => {
    const { message } = problem(
      { provider: "mylab", model: "m" },
      { config: { providers: { mylab: { default_model: "m" } } } },
    );
    assert.match(message, /mylab is not a built-in provider: expected providers\.mylab\.base_url/);
  });

  test("a provider that works without a key is the only one only if the user set it up", () => {
    const usable = (given: Parameters<typeof routingOf>[0]) =>
      routingOf(given)
        .credentials.usable()
        .map(({ slug }) => slug);
    assert.deepEqual(usable({}), []);
    assert.deepEqual(usable({ env: { OLLAMA_HOST: "127.0.0.1" } }), ["ollama"]);
    assert.deepEqual(usable({ env: { OLLAMA_API_KEY: "key-1" } }), ["ollama-cloud"]);
    assert.deepEqual(usable({ config: { providers: { lmstudio: { default_model: "m" } } } }), ["lmstudio"]);
  });
});

describe("the wire format", () => {
  const hosts: [url: string, mode: string | undefined][] = [
    ["https://api.openai.com/v1", "responses"],
    ["https://api.x.ai/v1", "responses"],
    ["https://api.anthropic.com", "anthropic_messages"],
    ["https://any.example/anthropic", "anthropic_messages"],
    ["https://any.example/anthropic/v1", "anthropic_messages"],
    ["https://api.kimi.com/coding", "anthropic_messages"],
    ["https://api.kimi.com/codingx", undefined],
    ["https://generativelanguage.googleapis.com/v1beta", "gemini"],
    ["https://api.openai.com.evil.example/v1", undefined],
    ["https://evil.example/api.openai.com", undefined],
    ["https://notapi.openai.com/v1", undefined],
  ];
  for (const [url, mode] of hosts)
    test(`at ${url} is ${mode ?? "not known"}`, () => assert.equal(modeOfUrl(url), mode));

  test("comes from the config, before the host and the row", () => {
    const mode = (entry: object) =>
      ready({ provider: "xai", model: "grok-4.6" }, { config: { providers: { xai: { api_key: "key-1", ...entry } } } })
        .route.endpoint.apiMode;
    assert.equal(mode({}), "responses");
    assert.equal(mode({ base_url: "https://gate.example/anthropic" }), "anthropic_messages");
    assert.equal(mode({ base_url: "https://gate.example/v1" }), "responses");
    assert.equal(
      mode({ base_url: "https://gate.example/anthropic", api_mode: "chat_completions" }),
      "chat_completions",
    );
  });

  test("is that of the endpoint that was pasted as the base URL, unless the config states another", () => {
    const mode = (entry: object, env: Record<string, string> = {}, provider = "mylab") =>
      ready({ provider, model: "m" }, { config: { providers: { [provider]: entry } }, env }).route.endpoint.apiMode;
    const base_url = "http://127.0.0.1:1/v1/messages";
    assert.equal(mode({ base_url }), "anthropic_messages");
    assert.equal(mode({ base_url, api_mode: "responses" }), "responses");
    assert.equal(mode({ base_url: "$" + "{LAB}" }, { LAB: base_url }), "anthropic_messages");
    const env = { OPENAI_API_KEY: "key-1", OPENAI_BASE_URL: "http://127.0.0.1:1/v1/chat/completions" };
    assert.equal(mode({}, env, "openai"), "chat_completions");
  });

  test("of a custom endpoint is chat_completions by default", () => {
    const config = { providers: { mylab: { base_url: "http://127.0.0.1:1/v1" } } };
    assert.equal(ready({ provider: "mylab", model: "m" }, { config }).route.endpoint.apiMode, "chat_completions");
  });
});

describe("a base URL", () => {
  const urls: [written: string, normal: string | undefined][] = [
    [" https://Api.Example/v1// ", "https://api.example/v1"],
    ["https://api.example:443", "https://api.example"],
    ["http://h:80/x/", "http://h/x"],
    ["https://h/v1?a=x#y", "https://h/v1"],
    ["HTTPS://H.Example/v1", "https://h.example/v1"],
    ["http://h//v1//chat/completions", "http://h/v1"],
    ['"http://h/v1"', "http://h/v1"],
    ["<http://h/v1>", "http://h/v1"],
    ["localhost:8000/v1", "http://localhost:8000/v1"],
    ["127.0.0.1:8000", "http://127.0.0.1:8000"],
    ["0.0.0.0:8000/v1", "http://127.0.0.1:8000/v1"],
    ["[::1]:8000/v1", "http://[::1]:8000/v1"],
    ["h:8000/v1", "http://h:8000/v1"],
    ["api.h.example/v1", "https://api.h.example/v1"],
    ["api.h.example:443/v1", "https://api.h.example/v1"],
    ["http://h:11434/api/chat", "http://h:11434"],
    ["https://h/v1/completions", "https://h/v1"],
    ["https://h/v1/chat/completions/", "https://h/v1"],
    ["https://h/openai/v1/responses", "https://h/openai/v1"],
    ["https://h/anthropic/v1/messages", "https://h/anthropic/v1"],
    ["https://h/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse", "https://h/v1beta"],
    ["https://h/v1/models", "https://h/v1"],
    ["https://h/chat", "https://h/chat"],
    ["https://h/messages", "https://h/messages"],
    ["https://h/responses", "https://h/responses"],
    ["https://h/models", "https://h/models"],
    ["https://u:p@h/v1", undefined],
    ["ftp://h", undefined],
    ["mylab", undefined],
    ["u:p@h:8000/v1", undefined],
    ["javascript:alert(1)", undefined],
    ["file:///v1", undefined],
    ["http://", undefined],
    ["", undefined],
  ];
  for (const [written, normal] of urls)
    test(`"${written}" is ${normal}`, () => assert.equal(normalBaseUrl(written), normal));

  const ollama: [written: string, url: string | undefined][] = [
    ["127.0.0.1:9999", "http://127.0.0.1:9999/v1"],
    ["gpu-box", "http://gpu-box:11434/v1"],
    ["0.0.0.0", "http://127.0.0.1:11434/v1"],
    ["http://gpu-box", "http://gpu-box/v1"],
    ["https://ollama.example/base/", "https://ollama.example/base"],
    ["[::1]:9", "http://[::1]:9/v1"],
    ["not a host", undefined],
  ];
  for (const [written, url] of ollama)
    test(`of OLLAMA_HOST=${written} is ${url}`, () => {
      const read = baseUrlFromHost(written, { port: 11434, path: "/v1" });
      assert.equal("baseUrl" in read ? read.baseUrl : undefined, url);
    });

  test("has a query that belongs to every request, without the one of a pasted Gemini stream", () => {
    const queryOf = (text: string) => {
      const read = readBaseUrl(text);
      return "expected" in read ? read.expected : read.query;
    };
    assert.deepEqual(queryOf("https://h/v1?api-version=2025-01-01&team=a%20b"), {
      "api-version": "2025-01-01",
      team: "a b",
    });
    assert.equal(queryOf("https://h/v1beta/models/m:streamGenerateContent?alt=sse"), undefined);
    for (const name of ["key", "api_key", "subscription-key", "access_token", "sig", "code"])
      assert.match(
        String(queryOf(`https://h/v1?a=b&${name}=abcdefgh1234`)),
        new RegExp(`query \\(${name}\\).*api_key`),
      );
    assert.match(String(queryOf(`https://h/v1?x=ghp_${"a1".repeat(15)}`)), /without a key in its query \(x\)/);
  });

  const places: [url: string, nearness: string][] = [
    ["http://localhost", "loopback"],
    ["http://127.9.9.9", "loopback"],
    ["http://[::1]", "loopback"],
    ["http://0x7f.1", "loopback"],
    ["http://192.168.0.1", "private"],
    ["http://172.16.0.1", "private"],
    ["http://172.32.0.1", "public"],
    ["http://[fd00::1]", "private"],
    ["http://box.local", "private"],
    ["http://8.8.8.8", "public"],
    ["http://10.example.com", "public"],
    ["http://localhost.example.com", "public"],
    ["http://127.0.0.1.example.com", "public"],
  ];
  for (const [url, nearness] of places) test(`${url} is ${nearness}`, () => assert.equal(nearnessOf(url), nearness));
});

test("the maker of a model is read from its name, and open-weight names have no maker", () => {
  const makers = [
    "claude-opus-5",
    "openai/gpt-6-sol",
    "o3",
    "gpt-oss-120b",
    "MiniMax-M2.7",
    "llama-3",
    "o3d",
    "Qwen/Qwen3-8B",
  ].map(familyOf);
  assert.deepEqual(makers, ["anthropic", "openai", "openai", undefined, "minimax", undefined, undefined, "qwen"]);
});
