/** Optional parameters that a provider rejects: the request is repeated without them. Other failures stay failures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "../../../../src/child/message.ts";
import { rejectedParameters } from "../../../../src/child/wire/request/rejected-parameters.ts";
import type { ApiMode } from "../../../../src/route.ts";
import type { Turn } from "../../../../src/testing/index.ts";
import { createWireStage, wireRoute } from "../../../support/wire-stage.ts";

/** Rejections in the words of their vendors, and the parameter that is then left out. */
const WORDINGS: [vendor: string, refusal: string, parameter: string][] = [
  [
    "OpenAI",
    `{"error":{"message":"Unsupported parameter: 'store' is not supported with this model.","param":"store","code":"unsupported_parameter"}}`,
    "store",
  ],
  [
    "OpenAI, by its param",
    `{"error":{"message":"Encrypted content is not supported with this model.","param":"include","code":null}}`,
    "include",
  ],
  [
    "OpenAI, older",
    `{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error"}}`,
    "stream_options",
  ],
  [
    "Mistral",
    `{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}}`,
    "stream_options",
  ],
  ["a server in Go", `json: unknown field "stream_options"`, "stream_options"],
  [
    "a server in Rust",
    "unknown field `stream_options`, expected one of `model`, `messages`, `store` at line 1",
    "stream_options",
  ],
  ["Groq", `{"error":{"message":"property 'store' is unsupported, did you mean 'stop'?"}}`, "store"],
  [
    "Groq, in a message",
    `{"error":{"message":"'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]"}}`,
    "reasoning_content",
  ],
  [
    "Cerebras",
    `{"message":"messages.9.assistant.reasoning_content: property 'messages.9.assistant.reasoning_content' is unsupported"}`,
    "reasoning_content",
  ],
  [
    "Mistral, in a message",
    `{"detail":[{"type":"extra_forbidden","loc":["body","messages",2,"assistant","reasoning_content"],"msg":"Extra inputs are not permitted"}]}`,
    "reasoning_content",
  ],
  [
    "LiteLLM",
    `{"error":{"message":"litellm.UnsupportedParamsError: groq does not support parameters: ['store'], for model=x"}}`,
    "store",
  ],
  [
    "xAI",
    `{"code":"Client specified an invalid argument","error":"Argument not supported on this model: store"}`,
    "store",
  ],
  [
    "Anthropic",
    `{"type":"error","error":{"type":"invalid_request_error","message":"metadata: Extra inputs are not permitted"}}`,
    "metadata",
  ],
  [
    "a JSON Schema validator",
    `Additional properties are not allowed ('stream_options' was unexpected)`,
    "stream_options",
  ],
  ["a server in Python", `{"detail":"create() got an unexpected keyword argument 'store'"}`, "store"],
  [
    "Fireworks",
    `{"error":{"message":"Extra inputs are not permitted, field: 'stream_options', value: {'include_usage': True}"}}`,
    "stream_options",
  ],
  [
    "Fireworks, in a message",
    `{"error":{"message":"Extra inputs are not permitted, field: 'messages[0].reasoning_content', value: 'hm'"}}`,
    "reasoning_content",
  ],
  ["NVIDIA", '{"error":{"message":"Validation: Unsupported parameter(s): `stream_options`"}}', "stream_options"],
  ["a server with zod", `{"error":{"message":"Unrecognized key(s) in object: 'metadata'"}}`, "metadata"],
  ["a server with ajv", `{"message":"body must NOT have additional properties: store"}`, "store"],
  [
    "vLLM behind GPUStack",
    `{"error":{"message":"[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted', 'input': {'include_usage': True}}]"}}`,
    "stream_options",
  ],
  [
    "pydantic's text",
    `{"detail":"1 validation error for ChatRequest\\nstream_options\\n  Extra inputs are not permitted [type=extra_forbidden]"}`,
    "stream_options",
  ],
  [
    "LiteLLM, with the value",
    `{"error":{"message":"nvidia_nim does not support parameters: {'stream_options': {'include_usage': True}}"}}`,
    "stream_options",
  ],
  [
    "a gateway that speaks of the model",
    `{"error":{"message":"The following parameters are not supported by this model: metadata"}}`,
    "metadata",
  ],
  [
    "a nested option",
    `{"error":{"message":"Unknown parameter: 'stream_options.include_usage'.","param":"stream_options.include_usage"}}`,
    "stream_options",
  ],
];

const BODY = {
  model: "m",
  messages: [{ role: "assistant", content: "x", reasoning_content: "hm" }],
  stream_options: { include_usage: true },
  store: false,
  include: ["x"],
  metadata: {},
  max_tokens: 9,
  reasoning_effort: "high",
  tools: [{}],
  response_format: {},
};

for (const [vendor, refusal, parameter] of WORDINGS)
  test(`the words of ${vendor} name the parameter ${parameter}`, () => {
    assert.deepEqual(rejectedParameters(BODY, refusal), [{ parameter }]);
  });

for (const refusal of [
  '{"error":{"message":"Validation: Unsupported parameter(s): `store`, `stream_options`"}}',
  `{"error":{"message":"Unrecognized request arguments supplied: store, stream_options"}}`,
  `{"message":"Additional properties are not allowed ('store', 'stream_options' were unexpected)"}`,
  `{"message":"Unrecognized keys: \\"store\\" and \\"stream_options\\""}`,
])
  test(`several parameters are left out at once after: ${refusal}`, () => {
    assert.deepEqual(rejectedParameters(BODY, refusal), [{ parameter: "store" }, { parameter: "stream_options" }]);
  });

test("the limit on tokens is renamed, to the refusal's name or to the other one, and never left out", () => {
  const openAi = `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}`;
  const renamed = [{ parameter: "max_tokens", instead: "max_completion_tokens" }];
  assert.deepEqual(rejectedParameters(BODY, openAi), renamed);
  assert.deepEqual(rejectedParameters(BODY, `unknown field "max_tokens"`), renamed);
  const newer = { ...BODY, max_tokens: undefined, max_completion_tokens: 9 };
  assert.deepEqual(
    rejectedParameters(newer, `{"detail":"Unrecognized request argument supplied: max_completion_tokens"}`),
    [{ parameter: "max_completion_tokens", instead: "max_tokens" }],
  );
  assert.deepEqual(rejectedParameters({ max_output_tokens: 9 }, "Unsupported parameter: max_output_tokens"), []);
});

for (const refusal of [
  `{"error":{"message":"Unsupported value: 'reasoning_effort' does not support 'max' with this model. Supported values are: 'low', 'medium'.","param":"reasoning_effort","code":"unsupported_value"}}`,
  `{"error":{"message":"Unsupported parameter: 'reasoning_effort' is not supported with this model.","param":"reasoning_effort"}}`,
  `{"error":{"message":"Unsupported parameter: 'tools'","param":"tools"}}`,
  `{"error":{"message":"Invalid parameter: 'response_format' is not supported","param":"response_format"}}`,
  `{"error":{"message":"Unsupported parameter: top_k, include a prompt instead"}}`,
  `{"error":{"message":"Unexpected role 'user' after role 'tool'"}}`,
  `{"error":{"message":"max_tokens must be at most 8192","param":"max_tokens"}}`,
  `{"error":{"message":"Unsupported model: store is not supported in your region"}}`.replace("store", "gpt"),
  "x".repeat(300_000),
  "a_a_a_a_, and ".repeat(20_000),
])
  test(`nothing is left out after: ${refusal.slice(0, 80)}`, () => {
    assert.deepEqual(rejectedParameters(BODY, refusal), []);
  });

/** A server that rejects a parameter in every request, with the message `words`. */
function rejecting(parameter: string, words: string): (body: unknown) => Turn {
  return (body) =>
    JSON.stringify(body).includes(`"${parameter}"`)
      ? { fault: { kind: "response", status: 400, body: JSON.stringify({ error: { message: words } }) } }
      : { text: "Here." };
}

const REJECTED_BY_MODE: [ApiMode, string][] = [
  ["chat_completions", "stream_options"],
  ["responses", "include"],
  ["responses", "store"],
];
for (const [mode, parameter] of REJECTED_BY_MODE)
  test(`over ${mode} a request continues without ${parameter}, which its route never sends again`, async () => {
    const refuse = rejecting(parameter, `Unknown parameter: '${parameter}'.`);
    const stage = await createWireStage(({ body }) => refuse(body));
    for (const requests of [2, 3]) {
      const { reply } = await stage.ask(mode);
      assert.ok(reply.ok, JSON.stringify(reply));
      assert.equal(stage.server.requests.length, requests);
      assert.deepEqual(
        reply.warnings.map(({ code }) => code),
        ["parameter-rejected"],
      );
      assert.match(reply.warnings[0]?.message ?? "", new RegExp(`does not take the parameter ${parameter}`));
    }
    const elsewhere = wireRoute(stage.server.baseUrl(mode), mode, { model: "another-model" });
    await stage.ask(mode, { route: elsewhere });
    assert.equal(stage.server.requests.length, 5, "another route is asked as usual");
    await stage.close();
  });

test("a limit under its other name reaches the model, and a second rejection is the provider's answer", async () => {
  const route = (baseUrl: string) => wireRoute(baseUrl, "chat_completions", { facts: { maxOutputTokens: 800 } });
  const stage = await createWireStage(({ body }) =>
    rejecting("max_tokens", "Unsupported parameter: 'max_tokens'")(body),
  );
  const { reply } = await stage.ask("chat_completions", { route: route(stage.server.baseUrl("chat_completions")) });
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.match(JSON.stringify(stage.server.requests.at(-1)?.body), /"max_completion_tokens":800/);
  await stage.close();

  const refuseBoth: Turn = {
    fault: {
      kind: "response",
      status: 422,
      body: `{"detail":"unknown field max_tokens, unknown field max_completion_tokens"}`,
    },
  };
  const strict = await createWireStage(() => refuseBoth);
  const second = await strict.ask("chat_completions", { route: route(strict.server.baseUrl("chat_completions")) });
  assert.ok(!second.reply.ok);
  assert.equal(second.reply.failure.kind, "invalid-request");
  assert.match(second.reply.failure.message, /unknown field max_completion_tokens/, "in the provider's words");
  assert.equal(strict.server.requests.length, 2);
  await strict.close();
});

test("a limit without another name is left out if it equals the model's maximum, never if a budget lowered it", async () => {
  const refuse = rejecting("max_output_tokens", "Unsupported parameter: max_output_tokens");
  const stage = await createWireStage(({ body }) => refuse(body));
  const route = wireRoute(stage.server.baseUrl("responses"), "responses", { facts: { maxOutputTokens: 800 } });
  const whole = await stage.ask("responses", { route });
  assert.ok(whole.reply.ok, JSON.stringify(whole.reply));
  const lowered = await stage.ask("responses", { route, maxOutputTokens: 300 });
  assert.ok(!lowered.reply.ok);
  assert.match(lowered.reply.failure.message, /Unsupported parameter: max_output_tokens/);
  await stage.close();
});

test("a rejected effort fails with a message that names the accepted ones, and is sent once", async () => {
  const words = "Unsupported value: 'reasoning_effort' does not support 'max'. Supported values are: 'low' and 'high'.";
  const stage = await createWireStage(({ body }) => rejecting("reasoning_effort", words)(body));
  const route = wireRoute(stage.server.baseUrl("chat_completions"), "chat_completions", { effort: "max" });
  const { reply } = await stage.ask("chat_completions", { route });
  assert.ok(!reply.ok);
  assert.equal(reply.failure.kind, "invalid-request");
  assert.match(reply.failure.message, /Supported values are: 'low' and 'high'/);
  assert.equal(stage.server.requests.length, 1);
  await stage.close();
});

test("reasoning that a server wants no part of is left out of every message, calls included", async () => {
  const refuse = rejecting("reasoning_content", "property 'reasoning_content' is unsupported");
  const stage = await createWireStage(({ body }) => refuse(body));
  const said = (callId: string): Message[] => [
    {
      role: "assistant",
      provider: "vendor",
      parts: [
        { type: "reasoning", text: "hm" },
        { type: "tool-call", callId, name: "look", input: {} },
      ],
    },
    { role: "tool", callId, name: "look", text: "x", ok: true },
  ];
  const messages: Message[] = [{ role: "user", text: "Hello." }, ...said("a"), ...said("b")];
  const { reply } = await stage.ask("chat_completions", { messages });
  assert.ok(reply.ok, JSON.stringify(reply));
  assert.equal(stage.server.requests.length, 2);
  await stage.close();
});
