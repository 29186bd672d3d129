/** Azure OpenAI: the addresses, authentication and errors of its requests, against a scripted endpoint. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createModelServer, type Turn } from "../../src/testing/index.ts";
import { problem, ready } from "../routing/desk.ts";
import { kindOf, runAt } from "../support/cloud-stage.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const TOKEN = "eyJ0eXAiOiJKV1QifQ.eyJhdWQiOiJjb2duaXRpdmUifQ.c2lnbmF0dXJl";

async function azure(t: TestContext, script: (index: number) => Turn = () => ({ text: "Hello." })) {
  const server = await createModelServer({ script: ({ index }) => script(index) });
  t.after(server.close);
  return {
    server,
    run: (env: Record<string, string>, model = "my-deployment", config = {}) =>
      runAt({ provider: "azure", model }, { AZURE_OPENAI_ENDPOINT: server.url, ...env }, config),
  };
}

describe("Azure OpenAI", () => {
  test("is asked at its v1 API with the api-key header; a deployment may serve a model of another name", async (t) => {
    const { run, server } = await azure(t, (index) =>
      index === 0
        ? { toolCalls: [{ name: "list_dir", input: { path: "." } }], servedModel: "my-deployment" }
        : { text: "Hello." },
    );
    const { result } = await run({ AZURE_OPENAI_API_KEY: KEY, AZURE_API_VERSION: "2024-10-21" });
    assert.deepEqual([result.status, result.summary], ["completed", "Hello."], JSON.stringify(result.error));
    assert.equal(result.tool_trace.length, 1);
    for (const { path, headers, model } of server.requests) {
      assert.deepEqual([path, model], ["/openai/v1/responses", "my-deployment"]);
      assert.deepEqual([headers["api-key"], headers.authorization], [KEY, undefined]);
    }
  });

  test("takes a token of Entra ID as a bearer token, from its variable and from a command", async (t) => {
    const { run, server } = await azure(t);
    await run({ AZURE_OPENAI_AD_TOKEN: TOKEN });
    const entry = { base_url: server.url, api_key_command: ["printenv", "PRINTED"] };
    await run({ PRINTED: TOKEN }, "gpt-5", { providers: { azure: entry } });
    await run({ PRINTED: KEY }, "gpt-5", { providers: { azure: entry } });
    assert.deepEqual(
      server.requests.map(({ headers }) => [headers.authorization, headers["api-key"]]),
      [
        [`Bearer ${TOKEN}`, undefined],
        [`Bearer ${TOKEN}`, undefined],
        [undefined, KEY],
      ],
    );
  });

  test("is asked in chat completions for models of other makers, and where the path names a deployment", async (t) => {
    const { run, server } = await azure(t);
    const key = { AZURE_API_KEY: KEY };
    await run(key, "DeepSeek-V3.1");
    const pasted = `${server.url}/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview`;
    await run({ ...key, AZURE_OPENAI_ENDPOINT: pasted });
    await run({
      ...key,
      AZURE_OPENAI_ENDPOINT: `${server.url}/openai/deployments/mine`,
      OPENAI_API_VERSION: "2024-06-01",
    });
    assert.deepEqual(
      server.requests.map(({ path }) => path),
      [
        "/openai/v1/chat/completions",
        "/openai/deployments/mine/chat/completions?api-version=2025-01-01-preview",
        "/openai/deployments/mine/chat/completions?api-version=2024-06-01",
      ],
    );
  });

  const endpoints: [env: Record<string, string>, baseUrl: string, query?: string][] = [
    [{ AZURE_RESOURCE_NAME: "mine" }, "https://mine.openai.azure.com/openai/v1"],
    [{ AZURE_OPENAI_ENDPOINT: "https://mine.openai.azure.com/" }, "https://mine.openai.azure.com/openai/v1"],
    [{ AZURE_API_BASE: "https://mine.services.ai.azure.com/openai" }, "https://mine.services.ai.azure.com/openai/v1"],
    [
      { AZURE_OPENAI_ENDPOINT: "https://m.openai.azure.com/openai/v1/", AZURE_API_VERSION: "preview" },
      "https://m.openai.azure.com/openai/v1",
      "preview",
    ],
  ];
  for (const [env, baseUrl, version] of endpoints)
    test(`goes to ${baseUrl} for ${Object.keys(env).join(" and ")}`, () => {
      const { route } = ready({ provider: "azure", model: "gpt-5" }, { env: { AZURE_OPENAI_API_KEY: KEY, ...env } });
      assert.deepEqual(
        [route.endpoint.baseUrl, route.endpoint.apiMode, route.endpoint.query?.["api-version"]],
        [baseUrl, "responses", version],
      );
    });

  test("names the places that were searched where a variable is missing", () => {
    const say = (env: Record<string, string>) => problem({ provider: "azure", model: "m" }, { env }).message;
    assert.match(
      say({}),
      /AZURE_OPENAI_API_KEY, AZURE_API_KEY, AZURE_OPENAI_AD_TOKEN.*AZURE_OPENAI_ENDPOINT.*AZURE_RESOURCE_NAME/,
    );
    assert.match(say({ AZURE_API_KEY: KEY }), /no endpoint is named \(looked in .*AZURE_OPENAI_ENDPOINT.*base_url\)/);
    assert.match(
      say({ AZURE_RESOURCE_NAME: "mine.evil.example" }),
      /AZURE_RESOURCE_NAME: expected the name of a resource/,
    );
    assert.match(say({ AZURE_OPENAI_ENDPOINT: "mine" }), /AZURE_OPENAI_ENDPOINT: expected an http\(s\) URL/);
  });

  const refusals: [what: string, status: number, error: object, kind: string][] = [
    [
      "a missing deployment",
      404,
      { code: "DeploymentNotFound", message: "The API deployment for this resource does not exist." },
      "invalid-request",
    ],
    [
      "its content filter",
      400,
      {
        code: "content_filter",
        message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      },
      "refused",
    ],
    [
      "a wrong key",
      401,
      { code: "401", message: "Access denied due to invalid subscription key or wrong API endpoint." },
      "unauthorized",
    ],
    [
      "a rate",
      429,
      { code: "429", message: "Requests to the API have exceeded call rate limit. Please retry after 1 second." },
      "rate-limited",
    ],
  ];
  for (const [what, status, error, kind] of refusals)
    test(`refuses for ${what}: ${kind}, and its key stays where it belongs`, async (t) => {
      const body = JSON.stringify({ error, echo: KEY });
      const { run } = await azure(t, () => ({ fault: { kind: "response", status, body } }));
      const { result, everything } = await run({ AZURE_OPENAI_API_KEY: KEY });
      assert.equal(kindOf(result), kind, JSON.stringify(result.error));
      assert.ok(!everything.includes(KEY));
    });

  test("sends its key to no redirect and to no other address of the config", async (t) => {
    const elsewhere = await azure(t);
    const { run } = await azure(t, () => ({ fault: { kind: "redirect", location: elsewhere.server.url } }));
    await run({ AZURE_OPENAI_API_KEY: KEY });
    const moved = { providers: { azure: { base_url: "https://gateway.example/openai/v1" } } };
    const env = { AZURE_OPENAI_API_KEY: KEY, AZURE_RESOURCE_NAME: "mine" };
    const { message } = problem({ provider: "azure", model: "m" }, { env, config: moved });
    assert.match(
      message,
      /belongs to https:\/\/mine\.openai\.azure\.com, and is not sent to https:\/\/gateway\.example/,
    );
    assert.equal(elsewhere.server.count, 0);
  });
});
