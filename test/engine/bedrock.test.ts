/** Amazon Bedrock: its signatures, its frames, its conversation and its errors, against a scripted endpoint. */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { problem, routingOf } from "../routing/desk.ts";
import {
  awsEvent,
  awsException,
  type CloudAnswer,
  type CloudRequest,
  createCloudServer,
  EVENT_STREAM,
  kindOf,
  runAt,
} from "../support/cloud-stage.ts";
import { temporaryDirectory } from "../support/command-line.ts";

const SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const BEARER = "bedrock-api-key-YmVkcm9jay0wMTIzNDU2Nzg5";
const SIGNING = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AWS_SESSION_TOKEN: "IQoJb3JpZ2luX2VjEXAMPLETOKEN==",
  AWS_REGION: "eu-central-1",
};

const usage = { inputTokens: 30, outputTokens: 12, totalTokens: 50, cacheReadInputTokens: 8 };

function stream(...events: Buffer[]): CloudAnswer {
  return { headers: EVENT_STREAM, body: Buffer.concat(events) };
}

const said = (index: number, delta: object) => awsEvent("contentBlockDelta", { contentBlockIndex: index, delta });
const over = (index: number) => awsEvent("contentBlockStop", { contentBlockIndex: index });
const ended = (stopReason: string) => [awsEvent("messageStop", { stopReason }), awsEvent("metadata", { usage })];

const HELLO = stream(
  awsEvent("messageStart", { role: "assistant" }),
  said(0, { text: "Hel" }),
  said(0, { text: "lo." }),
  over(0),
  ...ended("end_turn"),
);

const LOOK = stream(
  awsEvent("messageStart", { role: "assistant" }),
  said(0, { reasoningContent: { text: "I should look." } }),
  said(0, { reasoningContent: { signature: "c2lnbmVk" } }),
  over(0),
  said(1, { text: "Looking." }),
  over(1),
  awsEvent("contentBlockStart", {
    contentBlockIndex: 2,
    start: { toolUse: { toolUseId: "tooluse_1", name: "list_dir" } },
  }),
  said(2, { toolUse: { input: '{"pa' } }),
  said(2, { toolUse: { input: 'th":"."}' } }),
  over(2),
  ...ended("tool_use"),
);

async function bedrock(t: TestContext, answer: (request: CloudRequest, index: number) => CloudAnswer) {
  const server = await createCloudServer(t.after.bind(t), answer);
  const env = { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url };
  return {
    ...server,
    run: (more: Record<string, string>, model = SONNET, task = {}, config = {}) =>
      runAt({ provider: "bedrock", model, ...task }, { ...env, ...more }, config),
  };
}

describe("Amazon Bedrock", () => {
  test("takes an API key as a bearer token, and answers in frames", async (t) => {
    const { run, requests } = await bedrock(t, () => HELLO);
    const { result } = await run({ AWS_BEARER_TOKEN_BEDROCK: BEARER, ...SIGNING });
    assert.deepEqual([result.status, result.summary], ["completed", "Hello."], JSON.stringify(result.error));
    assert.deepEqual([result.tokens.input, result.tokens.output, result.tokens.cached], [38, 12, 8]);
    const [request] = requests;
    assert.equal(request?.path, `/model/${encodeURIComponent(SONNET)}/converse-stream`);
    assert.equal(request?.headers.authorization, `Bearer ${BEARER}`);
    assert.equal(request?.headers["x-amz-date"], undefined);
  });

  for (const model of [
    SONNET,
    "anthropic.claude-3-5-haiku-20241022-v1:0",
    "amazon.nova-pro-v1:0",
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123",
  ])
    test(`is asked for ${model} with a signature that holds`, async (t) => {
      const { run, requests, url } = await bedrock(t, () => HELLO);
      const { result } = await run(SIGNING, model);
      assert.deepEqual([result.status, result.model], ["completed", model], JSON.stringify(result.error));
      assert.deepEqual(result.warnings, []);
      const [request] = requests;
      assert.ok(request !== undefined);
      assert.equal(request.path, `/model/${encodeURIComponent(model)}/converse-stream`);
      assert.equal(request.headers["x-amz-security-token"], SIGNING.AWS_SESSION_TOKEN);
      assert.equal(request.headers.authorization, signatureOf(request, new URL(url).host));
    });

  test("signs without a session token, with the other variable of the region", async (t) => {
    const { run, requests, url } = await bedrock(t, () => HELLO);
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = SIGNING;
    await run({ AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION: AWS_REGION });
    const [request] = requests;
    assert.ok(request !== undefined);
    assert.equal(request.headers["x-amz-security-token"], undefined);
    assert.equal(request.headers.authorization, signatureOf(request, new URL(url).host));
  });

  test("signs with credentials that a command prints, and asks it again when they have expired", async (t) => {
    const { run, requests, url } = await bedrock(t, (_, index) =>
      index === 0 ? refusal(403, "The security token included in the request is expired") : HELLO,
    );
    const { AWS_ACCESS_KEY_ID: AccessKeyId, AWS_SECRET_ACCESS_KEY: SecretAccessKey, AWS_REGION: Region } = SIGNING;
    const path = join(temporaryDirectory(t.after.bind(t)), "credentials.json");
    writeFileSync(path, JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey, Region }));
    const entry = { base_url: url, api_key_command: ["cat", path] };
    const { result, everything } = await run({}, SONNET, {}, { providers: { bedrock: entry } });
    assert.equal(result.status, "completed", JSON.stringify(result.error));
    const [, request] = requests;
    assert.ok(request !== undefined);
    assert.equal(request.headers.authorization, signatureOf(request, new URL(url).host));
    assert.ok(!everything.includes(SecretAccessKey));
  });

  test("runs a round of tools: thinking goes back with its signature, the result with the call's id", async (t) => {
    const { run, requests } = await bedrock(t, (_, index) => (index === 0 ? LOOK : HELLO));
    const { result } = await run({ AWS_BEARER_TOKEN_BEDROCK: BEARER }, SONNET, { reasoning_effort: "high" });
    assert.deepEqual([result.status, result.tool_trace.length], ["completed", 1], JSON.stringify(result.error));
    const [first, second] = requests.map(({ body }) => JSON.parse(body));
    const [tool] = first.toolConfig.tools;
    assert.equal(typeof tool.toolSpec.inputSchema.json, "object");
    assert.equal(first.additionalModelRequestFields.thinking.type, "enabled");
    assert.ok(first.additionalModelRequestFields.thinking.budget_tokens < first.inferenceConfig.maxTokens);
    assert.deepEqual(
      second.messages.map(({ role }: { role: string }) => role),
      ["user", "assistant", "user"],
    );
    assert.deepEqual(second.messages[1].content, [
      { reasoningContent: { reasoningText: { text: "I should look.", signature: "c2lnbmVk" } } },
      { text: "Looking." },
      { toolUse: { toolUseId: "tooluse_1", name: "list_dir", input: { path: "." } } },
    ]);
    assert.equal(second.messages[2].content[0].toolResult.toolUseId, "tooluse_1");
  });

  test("marks Claude's prompt for the cache, after the system prompt and the newest messages", async (t) => {
    const { run, requests } = await bedrock(t, (_, index) => (index < 2 ? LOOK : HELLO));
    await run({ AWS_BEARER_TOKEN_BEDROCK: BEARER });
    const points = requests.map(({ body }) => {
      const { system, messages } = JSON.parse(body);
      const isPoint = (block: object) => "cachePoint" in block;
      assert.deepEqual(system.slice(1), [{ cachePoint: { type: "default" } }]);
      return messages.map(({ content }: { content: object[] }) => content.map(isPoint));
    });
    const said = [false, false, false];
    assert.deepEqual(points, [
      [[false, true]],
      [[false, true], said, [false, true]],
      [[false], said, [false, true], said, [false, true]],
    ]);
  });

  for (const model of [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "amazon.nova-pro-v1:0",
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123",
  ])
    test(`does not mark the prompt for ${model}, which may reject it`, async (t) => {
      const { run, requests } = await bedrock(t, (_, index) => (index === 0 ? LOOK : HELLO));
      await run({ AWS_BEARER_TOKEN_BEDROCK: BEARER }, model);
      assert.equal(requests.length, 2);
      for (const { body } of requests) assert.doesNotMatch(body, /cachePoint|cache_control/);
    });

  const efforts: [model: string, fields: object, warns: boolean][] = [
    [
      "global.anthropic.claude-opus-4-6-v1:0",
      { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
      false,
    ],
    ["global.amazon.nova-2-lite-v1:0", { reasoningConfig: { type: "enabled", maxReasoningEffort: "high" } }, false],
    ["openai.gpt-oss-120b-1:0", { reasoning_effort: "high" }, false],
    ["meta.llama3-3-70b-instruct-v1:0", {}, true],
  ];
  for (const [model, fields, warns] of efforts)
    test(`carries an effort in the form of ${model}, or reports that it takes none`, async (t) => {
      const { run, requests } = await bedrock(t, () => HELLO);
      const { result } = await run({ AWS_BEARER_TOKEN_BEDROCK: BEARER }, model, { reasoning_effort: "high" });
      const body = JSON.parse(requests[0]?.body ?? "");
      assert.deepEqual(body.additionalModelRequestFields ?? {}, fields);
      assert.equal(body.inferenceConfig, undefined);
      assert.equal(
        result.warnings.some(({ code }) => code === "setting-ignored"),
        warns,
      );
    });
});

function refusal(status: number, message: string, type = "ValidationException"): CloudAnswer {
  const headers = { "content-type": "application/json", "x-amzn-errortype": `${type}:http://internal.amazon.com/` };
  return { status, headers, body: JSON.stringify({ message }) };
}

describe("Amazon Bedrock refuses", () => {
  const cases: [what: string, answer: CloudAnswer, kind: string][] = [
    ["ThrottlingException", refusal(429, "Too many requests, please wait before trying again."), "rate-limited"],
    ["ThrottlingException for the day", refusal(429, "Too many tokens per day, please wait."), "quota-exhausted"],
    ["a prompt that is too long", refusal(400, "Input is too long for requested model."), "context-overflow"],
    ["ValidationException", refusal(400, "The provided model identifier is invalid."), "invalid-request"],
    [
      "AccessDeniedException",
      refusal(403, "You don't have access to the model with the specified model ID."),
      "unauthorized",
    ],
    ["ExpiredTokenException", refusal(403, "The security token included in the request is expired"), "unauthorized"],
    [
      "a gateway's words",
      { status: 403, body: '{"Message":"User is not authorized to perform: bedrock:InvokeModel"}' },
      "unauthorized",
    ],
    [
      "ModelErrorException",
      refusal(424, "The system encountered an unexpected error during processing."),
      "overloaded",
    ],
    ["ServiceUnavailableException", refusal(503, "Bedrock is unable to process your request."), "overloaded"],
    [
      "throttling halfway",
      stream(said(0, { text: "Hel" }), awsException("throttlingException", "Rate exceeded")),
      "rate-limited",
    ],
    ["a model that fails halfway", stream(awsException("modelStreamErrorException", "The model failed")), "overloaded"],
    ["too long, halfway", stream(awsException("validationException", "Input is too long.")), "context-overflow"],
    ["an answer that is cut off", stream(said(0, { text: "Hel" })), "malformed-response"],
    ["half a frame", stream(said(0, { text: "Hel" }), over(0).subarray(0, 20)), "malformed-response"],
    ["a page", { headers: { "content-type": "text/html" }, body: "<h1>Sign in</h1>" }, "malformed-response"],
    ["a guardrail", stream(said(0, { text: "No." }), over(0), ...ended("guardrail_intervened")), "refused"],
    ["a filter", stream(said(0, { text: "No." }), over(0), ...ended("content_filtered")), "refused"],
  ];
  for (const [what, answer, kind] of cases)
    test(`${what}: ${kind}`, async (t) => {
      const { run } = await bedrock(t, () => answer);
      const { result, everything } = await run(SIGNING);
      assert.equal(kindOf(result), kind, JSON.stringify(result.error));
      for (const secret of Object.values(SIGNING).slice(0, 3)) assert.ok(!everything.includes(secret));
    });
});

describe("Amazon's keys", () => {
  test("are not sent where a redirect leads, nor to a base URL of the config that they were not set for", async (t) => {
    const elsewhere = await createCloudServer(t.after.bind(t), () => HELLO);
    const { run, requests } = await bedrock(t, () => ({
      status: 307,
      headers: { location: `${elsewhere.url}/model` },
    }));
    const { result } = await run(SIGNING);
    assert.match(JSON.stringify(result.error), /redirect to 127\.0\.0\.1:\d+, which is not followed/);
    assert.equal(requests.length, 1);
    const moved = { providers: { bedrock: { base_url: "https://gateway.example/bedrock" } } };
    const refused = await run(SIGNING, SONNET, {}, moved).catch((error: Error) => error.message);
    assert.match(
      JSON.stringify(refused),
      /AWS_ACCESS_KEY_ID \(belongs to .*is not sent to https:\/\/gateway\.example\)/,
    );
    assert.deepEqual(elsewhere.requests, []);
  });

  const missing: [what: string, env: Record<string, string>, says: RegExp][] = [
    [
      "nothing",
      {},
      /AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID, providers\.bedrock\.api_key, AWS_ENDPOINT_URL_BEDROCK_RUNTIME, AWS_REGION, AWS_DEFAULT_REGION/,
    ],
    [
      "half a key",
      { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_REGION: "eu-west-1" },
      /AWS_BEARER_TOKEN_BEDROCK, AWS_SECRET_ACCESS_KEY/,
    ],
    ["no region", { AWS_BEARER_TOKEN_BEDROCK: BEARER }, /no endpoint is named \(looked in .*AWS_REGION/],
    ["a host for a region", { ...SIGNING, AWS_REGION: "x.evil.example/" }, /AWS_REGION: expected the name of a region/],
  ];
  for (const [what, env, says] of missing)
    test(`are missed by the places that were searched: ${what}`, () => {
      assert.match(problem({ provider: "bedrock", model: SONNET }, { env }).message, says);
    });

  test("that every program of Amazon's reads do not make Bedrock a provider by themselves", () => {
    const { credentials } = routingOf({ env: { ...SIGNING, ANTHROPIC_API_KEY: "key-of-anthropic" } });
    assert.deepEqual(
      credentials.usable().map(({ slug }) => slug),
      ["anthropic"],
    );
    assert.equal(credentials.holdsKey("AWS_SECRET_ACCESS_KEY", SIGNING.AWS_SECRET_ACCESS_KEY), false);
    assert.equal(credentials.redact(`it is ${SIGNING.AWS_SECRET_ACCESS_KEY}`), "it is [secret AWS_SECRET_ACCESS_KEY]");
    const own = routingOf({ env: { AWS_BEARER_TOKEN_BEDROCK: BEARER, AWS_REGION: "us-east-1" } });
    assert.deepEqual(
      own.credentials.usable().map(({ slug }) => slug),
      ["bedrock"],
    );
  });
});

/** The expected Authorization header, computed from the received request. */
function signatureOf({ method, path, headers, body }: CloudRequest, host: string): string {
  const [, names = ""] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "") ?? [];
  const sent: Record<string, unknown> = { ...headers, host };
  const date = String(headers["x-amz-date"]);
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const mac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const twice = path.replaceAll("%", "%25");
  const lines = names.split(";").map((name) => `${name}:${sent[name]}\n`);
  const canonical = [method, twice, "", lines.join(""), names, hash(body)].join("\n");
  const scope = `${date.slice(0, 8)}/eu-central-1/bedrock/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n");
  const dayKey = mac(`AWS4${SIGNING.AWS_SECRET_ACCESS_KEY}`, date.slice(0, 8));
  const signature = mac(mac(mac(mac(dayKey, "eu-central-1"), "bedrock"), "aws4_request"), toSign).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=${SIGNING.AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
}
