/** Google Vertex AI: its three ways to sign in, its paths by maker and its errors, against a scripted endpoint. */
import assert from "node:assert/strict";
import { createVerify, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { createModelServer, type Turn } from "../../src/testing/index.ts";
import { problem, ready, routingOf } from "../routing/desk.ts";
import { type CloudAnswer, createCloudServer, kindOf, runAt } from "../support/cloud-stage.ts";
import { temporaryDirectory } from "../support/command-line.ts";

const API_KEY = "AIzaSyA0123456789abcdefghijklmnopqrstuv";
const TOKEN = "ya29.a0AfB_byC0123456789abcdefghijklmnop";
const PLACE = { GOOGLE_VERTEX_PROJECT: "my-project", GOOGLE_VERTEX_LOCATION: "europe-west4" };
const IN_PLACE = "/v1/projects/my-project/locations/europe-west4";

async function vertex(t: TestContext, script: (index: number) => Turn = () => ({ text: "Hello." })) {
  const server = await createModelServer({ script: ({ index }) => script(index) });
  t.after(server.close);
  return {
    server,
    run: (env: Record<string, string>, model = "gemini-3.8-flash", config = {}) =>
      runAt({ provider: "vertex", model }, { GOOGLE_VERTEX_BASE_URL: server.url, ...env }, config),
  };
}

/** A credentials file, and the server that exchanges it for tokens. */
async function credentials(t: TestContext, fields: object, answer: (index: number) => CloudAnswer) {
  const tokens = await createCloudServer(t.after.bind(t), (_, index) => answer(index));
  const path = join(temporaryDirectory(t.after.bind(t)), "credentials.json");
  writeFileSync(path, JSON.stringify({ token_uri: `${tokens.url}/token`, ...fields }));
  return { tokens, path };
}

const given = (token = TOKEN, expires_in = 3599): CloudAnswer => ({
  body: JSON.stringify({ access_token: token, expires_in, token_type: "Bearer" }),
});

describe("Google Vertex AI", () => {
  test("takes an API key in Google's header, at a path without a project", async (t) => {
    const { run, server } = await vertex(t, (index) =>
      index === 0 ? { toolCalls: [{ name: "list_dir", input: { path: "." } }] } : { text: "Hello." },
    );
    const { result } = await run({ GOOGLE_VERTEX_API_KEY: API_KEY, ...PLACE });
    assert.deepEqual([result.status, result.tool_trace.length], ["completed", 1], JSON.stringify(result.error));
    for (const { path, headers } of server.requests) {
      assert.match(path, /^\/v1\/publishers\/google\/models\/gemini-3\.8-flash:streamGenerateContent/);
      assert.deepEqual([headers["x-goog-api-key"], headers.authorization], [API_KEY, undefined]);
    }
  });

  test("takes an access token, from its variable and from a command", async (t) => {
    const { run, server } = await vertex(t);
    await run({ GOOGLE_VERTEX_ACCESS_TOKEN: TOKEN, ...PLACE });
    const entry = { base_url: `${server.url}${IN_PLACE}`, api_key_command: ["printenv", "PRINTED"] };
    await run({ PRINTED: TOKEN }, "gemini-3.8-flash", { providers: { vertex: entry } });
    for (const { path, headers } of server.requests) {
      assert.ok(path.startsWith(`${IN_PLACE}/publishers/google/models/gemini-3.8-flash:`), path);
      assert.equal(headers.authorization, `Bearer ${TOKEN}`);
    }
    assert.equal(server.count, 2);
  });

  test("asks for a token with a service account's own signature, once for several requests", async (t) => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const private_key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const account = { type: "service_account", client_email: "deputy@my-project.iam.gserviceaccount.com", private_key };
    const { tokens, path } = await credentials(t, { ...account, private_key_id: "key-1" }, () => given());
    const { run, server } = await vertex(t, (index) =>
      index === 0 ? { toolCalls: [{ name: "list_dir", input: { path: "." } }] } : { text: "Hello." },
    );
    const { result, everything } = await run({ GOOGLE_APPLICATION_CREDENTIALS: path, ...PLACE });
    assert.equal(result.status, "completed", JSON.stringify(result.error));
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      [`Bearer ${TOKEN}`, `Bearer ${TOKEN}`],
    );
    assert.equal(tokens.requests.length, 1);
    const form = new URLSearchParams(tokens.requests[0]?.body);
    assert.equal(form.get("grant_type"), "urn:ietf:params:oauth:grant-type:jwt-bearer");
    const [header = "", claims = "", signature = ""] = form.get("assertion")?.split(".") ?? [];
    assert.ok(createVerify("RSA-SHA256").update(`${header}.${claims}`).verify(publicKey, signature, "base64url"));
    const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
    assert.deepEqual(read(header), { alg: "RS256", typ: "JWT", kid: "key-1" });
    const { iss, aud, scope, iat, exp } = read(claims);
    assert.deepEqual([iss, aud, exp - iat], [account.client_email, `${tokens.url}/token`, 3600]);
    assert.equal(scope, "https://www.googleapis.com/auth/cloud-platform");
    for (const secret of [TOKEN, private_key.slice(60, 120)]) assert.ok(!everything.includes(secret));
  });

  test("renews a user's login, and asks for another token where one is refused", async (t) => {
    const login = {
      type: "authorized_user",
      client_id: "client-1",
      client_secret: "d-FL95Q19q7MQmFpd7hHD0Ty",
      refresh_token: "1//0gRefreshTokenOfTheUser",
    };
    const { tokens, path } = await credentials(t, login, (index) => given(`${TOKEN}-${index}`));
    const refused: Turn = {
      fault: {
        kind: "response",
        status: 401,
        body: '{"error":{"code":401,"status":"UNAUTHENTICATED","message":"expired"}}',
      },
    };
    const { run, server } = await vertex(t, (index) => (index === 0 ? refused : { text: "Hello." }));
    const { result, everything } = await run({ GOOGLE_APPLICATION_CREDENTIALS: path, ...PLACE });
    assert.equal(result.status, "completed", JSON.stringify(result.error));
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      [`Bearer ${TOKEN}-0`, `Bearer ${TOKEN}-1`],
    );
    assert.match(tokens.requests[0]?.body ?? "", /grant_type=refresh_token&refresh_token=1%2F%2F0gRefresh/);
    for (const secret of [login.refresh_token, login.client_secret, `${TOKEN}-1`])
      assert.ok(!everything.includes(secret));
  });

  test("asks for a new token when the first has run out, and never follows the token's server elsewhere", async (t) => {
    const login = {
      type: "authorized_user",
      client_id: "c",
      client_secret: "d-FL95Q19q7MQm",
      refresh_token: "1//0gRefresh",
    };
    const short = await credentials(t, login, (index) => given(`${TOKEN}-${index}`, 10));
    const { run, server } = await vertex(t, (index) =>
      index === 0 ? { toolCalls: [{ name: "list_dir", input: { path: "." } }] } : { text: "Hello." },
    );
    await run({ GOOGLE_APPLICATION_CREDENTIALS: short.path, ...PLACE });
    assert.equal(server.requests[1]?.headers.authorization, `Bearer ${TOKEN}-1`);
    const elsewhere = await createCloudServer(t.after.bind(t), () => given());
    const moved = await credentials(t, login, () => ({ status: 307, headers: { location: elsewhere.url } }));
    const env = { GOOGLE_APPLICATION_CREDENTIALS: moved.path, GOOGLE_VERTEX_BASE_URL: server.url, ...PLACE };
    const routing = routingOf({ env });
    const { route } = ready({ provider: "vertex" }, { env });
    assert.ok("failure" in (await routing.credentials.lease(route, AbortSignal.timeout(5_000))));
    assert.deepEqual(elsewhere.requests, []);
  });

  test("serves Claude in Anthropic's own format, with the model in the path", async (t) => {
    const claude = [
      [
        "message_start",
        {
          message: {
            id: "msg_1",
            type: "message",
            role: "assistant",
            model: "claude-sonnet-4-5",
            content: [],
            stop_reason: null,
            usage: { input_tokens: 5, output_tokens: 1 },
          },
        },
      ],
      ["content_block_start", { index: 0, content_block: { type: "text", text: "" } }],
      ["content_block_delta", { index: 0, delta: { type: "text_delta", text: "Hello." } }],
      ["content_block_stop", { index: 0 }],
      ["message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 3 } }],
      ["message_stop", {}],
    ] as const;
    const body = claude
      .map(([type, fields]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`)
      .join("");
    const answer = { headers: { "content-type": "text/event-stream" }, body };
    const server = await createCloudServer(t.after.bind(t), () => answer);
    const env = { GOOGLE_VERTEX_BASE_URL: server.url, GOOGLE_VERTEX_ACCESS_TOKEN: TOKEN, ...PLACE };
    const { result } = await runAt({ provider: "vertex", model: "claude-sonnet-4-5@20250929" }, env);
    assert.deepEqual([result.status, result.summary], ["completed", "Hello."], JSON.stringify(result.error));
    const [request] = server.requests;
    assert.equal(request?.path, `${IN_PLACE}/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict`);
    const sent = JSON.parse(request?.body ?? "{}");
    assert.deepEqual([sent.anthropic_version, sent.model, sent.stream], ["vertex-2023-10-16", undefined, true]);
    assert.equal(request?.headers.authorization, `Bearer ${TOKEN}`);
  });

  test("serves open models in chat completions", async (t) => {
    const { run, server } = await vertex(t);
    const { result } = await run({ GOOGLE_VERTEX_ACCESS_TOKEN: TOKEN, ...PLACE }, "meta/llama-3.3-70b-instruct-maas");
    assert.equal(result.status, "completed", JSON.stringify(result.error));
    assert.equal(server.requests[0]?.path, `${IN_PLACE}/endpoints/openapi/chat/completions`);
  });

  const hosts: [location: string | undefined, host: string][] = [
    [undefined, "aiplatform.googleapis.com"],
    ["global", "aiplatform.googleapis.com"],
    ["us-central1", "us-central1-aiplatform.googleapis.com"],
    ["eu", "aiplatform.eu.rep.googleapis.com"],
  ];
  for (const [location, host] of hosts)
    test(`goes to ${host} for the location ${location ?? "that is not set"}`, () => {
      const place = { GOOGLE_CLOUD_PROJECT: "p", ...(location && { GOOGLE_CLOUD_LOCATION: location }) };
      const { route } = ready({ provider: "vertex" }, { env: { GOOGLE_VERTEX_ACCESS_TOKEN: TOKEN, ...place } });
      const path = `/v1/projects/p/locations/${location ?? "global"}/publishers/google`;
      assert.deepEqual([route.endpoint.baseUrl, route.endpoint.apiMode], [`https://${host}${path}`, "gemini"]);
    });

  test("names the places that were searched, and what is wrong with a file", (t) => {
    const say = (env: Record<string, string>) =>
      problem({ provider: "vertex", model: "gemini-3.8-flash" }, { env }).message;
    assert.match(
      say({}),
      /GOOGLE_VERTEX_API_KEY, GOOGLE_VERTEX_ACCESS_TOKEN, GOOGLE_APPLICATION_CREDENTIALS.*GOOGLE_CLOUD_PROJECT/,
    );
    assert.match(say({ GOOGLE_VERTEX_ACCESS_TOKEN: TOKEN }), /no endpoint is named \(looked in .*GOOGLE_CLOUD_PROJECT/);
    assert.match(
      say({ ...PLACE, GOOGLE_VERTEX_LOCATION: "evil.example/#" }),
      /GOOGLE_VERTEX_LOCATION: expected the name of a location/,
    );
    const file = (text: string) => {
      const path = join(temporaryDirectory(t.after.bind(t)), "credentials.json");
      writeFileSync(path, text);
      return say({ ...PLACE, GOOGLE_APPLICATION_CREDENTIALS: path });
    };
    assert.match(
      say({ ...PLACE, GOOGLE_APPLICATION_CREDENTIALS: "/no/such.json" }),
      /there is no file \/no\/such\.json/,
    );
    assert.match(file("no JSON"), /expected Google credentials of the type service_account or authorized_user/);
    assert.match(
      file('{"type":"service_account","token_uri":"http://token.example/"}'),
      /expected an https: URL as token_uri/,
    );
  });

  const refusals: [what: string, status: number, words: object, kind: string][] = [
    [
      "PERMISSION_DENIED",
      403,
      { message: "Permission 'aiplatform.endpoints.predict' denied on resource" },
      "unauthorized",
    ],
    ["RESOURCE_EXHAUSTED", 429, { message: "Resource exhausted. Please try again later." }, "rate-limited"],
    ["UNAUTHENTICATED", 401, { message: "Request had invalid authentication credentials." }, "unauthorized"],
    [
      "NOT_FOUND",
      404,
      { message: "Publisher Model was not found or your project does not have access to it." },
      "invalid-request",
    ],
  ];
  for (const [said, status, words, kind] of refusals)
    test(`refuses with ${said}: ${kind}, and its token is sent nowhere else`, async (t) => {
      const body = JSON.stringify({ error: { code: status, status: said, ...words, details: [{ token: TOKEN }] } });
      const { run } = await vertex(t, () => ({ fault: { kind: "response", status, body } }));
      const { result, everything } = await run({ GOOGLE_VERTEX_ACCESS_TOKEN: TOKEN, ...PLACE });
      assert.equal(kindOf(result), kind, JSON.stringify(result.error));
      assert.ok(!everything.includes(TOKEN));
    });
});
