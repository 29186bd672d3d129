/** Requests to clouds, written again from the journal: the same bytes at the same address, without the credentials. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { Task } from "../../src/task.ts";
import { createMemoryJournal, createModelServer, type Script } from "../../src/testing/index.ts";
import {
  awsEvent,
  type CloudAnswer,
  type CloudRequest,
  createCloudServer,
  EVENT_STREAM,
} from "../support/cloud-stage.ts";
import { TINY_PNG } from "../support/tiny-images.ts";
import { type Scene, stage } from "../support/whole-stage.ts";

/** An endpoint, and what it has received so far. */
type Cloud = { url: string; received(): Pick<CloudRequest, "path" | "body">[] };

const CALLS = [
  { id: "call_1", name: "list_dir", input: { path: "." } },
  { id: "call_2", name: "read_file", input: { path: "dot.png" } },
];
const files = { "work/plan.md": "# Plan ✓\nDo \u2028 it.\n", "work/dot.png": TINY_PNG };

const looksAround: Script = ({ messages }) =>
  messages.some(({ toolResults }) => toolResults.length > 0)
    ? { text: "done ✓" }
    : { reasoning: "I should look around.", text: "Let me look.", toolCalls: CALLS };

/** A scripted model server as the cloud's endpoint. */
async function modelCloud(t: TestContext): Promise<Cloud> {
  const server = await createModelServer({ script: looksAround });
  t.after(server.close);
  const received = () =>
    server.requests.map(({ path, body, bodyBytes }) => {
      assert.equal(Buffer.byteLength(JSON.stringify(body)), bodyBytes);
      return { path, body: JSON.stringify(body) };
    });
  return { url: server.url, received };
}

/** An endpoint that answers with these bodies in turn. */
const bytesCloud =
  (...answers: CloudAnswer[]) =>
  async (t: TestContext): Promise<Cloud> => {
    const { url, requests } = await createCloudServer(t.after.bind(t), (_, index) => answers[index] ?? {});
    return { url, received: () => requests };
  };

const converse = (...events: Buffer[]): CloudAnswer => ({ headers: EVENT_STREAM, body: Buffer.concat(events) });
const delta = (index: number, fields: object) =>
  awsEvent("contentBlockDelta", { contentBlockIndex: index, delta: fields });
const converseEnd = (stopReason: string) => [
  awsEvent("messageStop", { stopReason }),
  awsEvent("metadata", { usage: { inputTokens: 30, outputTokens: 12 } }),
];
const LOOKS = converse(
  delta(0, { reasoningContent: { text: "I should look around." } }),
  delta(0, { reasoningContent: { signature: "c2lnbmVk" } }),
  delta(1, { text: "Let me look." }),
  ...CALLS.flatMap(({ id, name, input }, index) => [
    awsEvent("contentBlockStart", { contentBlockIndex: index + 2, start: { toolUse: { toolUseId: id, name } } }),
    delta(index + 2, { toolUse: { input: JSON.stringify(input) } }),
  ]),
  ...converseEnd("tool_use"),
);
const bedrockCloud = bytesCloud(LOOKS, converse(delta(0, { text: "done ✓" }), ...converseEnd("end_turn")));

/** An answer of Claude: its blocks, each with its first fields and its deltas. */
function claude(stop_reason: string, ...blocks: [start: object, ...deltas: object[]][]): CloudAnswer {
  const usage = { input_tokens: 5, output_tokens: 1 };
  const message = { id: "msg_1", type: "message", role: "assistant", model: "claude-sonnet-4-5", content: [] };
  const events = [
    { type: "message_start", message: { ...message, stop_reason: null, usage } },
    ...blocks.flatMap(([content_block, ...deltas], index) => [
      { type: "content_block_start", index, content_block },
      ...deltas.map((each) => ({ type: "content_block_delta", index, delta: each })),
      { type: "content_block_stop", index },
    ]),
    { type: "message_delta", delta: { stop_reason }, usage: { output_tokens: 3 } },
    { type: "message_stop" },
  ];
  const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  return { headers: { "content-type": "text/event-stream" }, body };
}
const claudeCloud = bytesCloud(
  claude(
    "tool_use",
    [
      { type: "thinking", thinking: "" },
      { type: "thinking_delta", thinking: "I should look around." },
      { type: "signature_delta", signature: "c2lnbmVk" },
    ],
    ...CALLS.map(({ id, name, input }): [object, object] => [
      { type: "tool_use", id, name, input: {} },
      { type: "input_json_delta", partial_json: JSON.stringify(input) },
    ]),
  ),
  claude("end_turn", [
    { type: "text", text: "" },
    { type: "text_delta", text: "done ✓" },
  ]),
);

const AWS = {
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AWS_REGION: "eu-central-1",
};
const AZURE_KEY = "0123456789abcdef0123456789abcdef";
const VERTEX = {
  GOOGLE_VERTEX_ACCESS_TOKEN: "ya29.a0AfB_byC0123456789abcdefghijklmnop",
  GOOGLE_VERTEX_PROJECT: "my-project",
  GOOGLE_VERTEX_LOCATION: "europe-west4",
};

const SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const FACTS = { vision: true, reasoning_efforts: ["high"], price: { input: 1, output: 1 } };

type Case = {
  provider: string;
  model: string;
  open(t: TestContext): Promise<Cloud>;
  env(url: string): Record<string, string>;
};
const bedrock = { provider: "bedrock", env: (url: string) => ({ AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url, ...AWS }) };
const azure = {
  provider: "azure",
  env: (url: string) => ({ AZURE_OPENAI_ENDPOINT: url, AZURE_OPENAI_API_KEY: AZURE_KEY }),
};
const vertex = { provider: "vertex", env: (url: string) => ({ GOOGLE_VERTEX_BASE_URL: url, ...VERTEX }) };
const CASES: Case[] = [
  { ...bedrock, model: SONNET, open: bedrockCloud },
  { ...bedrock, model: "global.amazon.nova-2-lite-v1:0", open: bedrockCloud },
  { ...bedrock, model: "openai.gpt-oss-120b-1:0", open: bedrockCloud },
  { ...azure, model: "gpt-5", open: modelCloud },
  { ...azure, model: "DeepSeek-V3.1", open: modelCloud },
  {
    ...azure,
    model: "my-deployment",
    env: (url) => ({ ...azure.env(`${url}/openai/deployments/mine`), OPENAI_API_VERSION: "2024-06-01" }),
    open: modelCloud,
  },
  { ...vertex, model: "gemini-3.8-flash", open: modelCloud },
  { ...vertex, model: "claude-sonnet-4-5@20250929", open: claudeCloud },
  { ...vertex, model: "meta/llama-3.3-70b-instruct-maas", open: modelCloud },
];

describe("a request to a cloud is shown byte for byte as it was received", () => {
  const tasks: Record<string, Partial<Task>> = {
    "with an effort, images and a file": { images: ["dot.png"], files: ["plan.md"], reasoning_effort: "high" },
    "without any of them": {},
    "within a budget, and as the last turn": { max_cost_usd: 0.5, max_iterations: 1 },
  };
  for (const { provider, model, open, env } of CASES)
    for (const [how, more] of Object.entries(tasks))
      test(`${model} at ${provider}, ${how}`, async (t) => {
        const { url, received } = await open(t);
        const config = { providers: { [provider]: { models: { [model]: FACTS } } } };
        const task = { goal: "Look.", provider, model, ...more };
        const { status, shown } = await runAndShow(task, { config, files, env: env(url) }, 2);
        assert.equal(status, more.max_iterations === undefined ? "completed" : "incomplete");
        assertSame(
          shown,
          received().map((request) => ({ ...request, url })),
        );
      });

  test("after a fallback from one cloud to another, in a format of its own", async (t) => {
    const first = await bytesCloud(LOOKS, {
      status: 429,
      body: JSON.stringify({ message: "Too many tokens per day, please wait." }),
    })(t);
    const second = await claudeCloud(t);
    const models = {
      big: { model: SONNET, provider: "bedrock", fallbacks: ["claude-sonnet-4-5@20250929 --provider vertex"] },
    };
    const providers = {
      bedrock: { models: { [SONNET]: FACTS } },
      vertex: { models: { "claude-sonnet-4-5@20250929": FACTS } },
    };
    const env = { ...bedrock.env(first.url), ...vertex.env(second.url) };
    const { status, shown } = await runAndShow(
      { goal: "Look.", model: "big" },
      { config: { models, providers }, files, env },
      4,
    );
    assert.equal(status, "completed");
    assertSame(
      shown,
      [first, second].flatMap(({ url, received }) => received().map((request) => ({ ...request, url }))),
    );
  });
});

/** Runs one task, then has another process of Deputy write its requests again. */
async function runAndShow(task: Task, scene: Scene, count: number) {
  const { outcome } = await stage(scene, async (place) => {
    const journal = createMemoryJournal();
    const first = createDeputy({ ...place, journal });
    const { delegation_id: id, results } = await first.delegate(task);
    await first.close();
    const second = createDeputy({ ...place, journal });
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    const shown = await Promise.all(numbers.map((number) => second.request(`${id}.1`, number)));
    await second.close();
    return { status: results[0]?.status, shown };
  });
  return outcome;
}

type Shown = Awaited<ReturnType<typeof runAndShow>>["shown"];

function assertSame(shown: Shown, received: readonly (Pick<CloudRequest, "path" | "body"> & { url: string })[]): void {
  assert.equal(shown.length, received.length);
  for (const [index, { url, path, body }] of received.entries()) {
    const request = shown[index];
    assert.equal(request?.body, body);
    assert.equal(request?.url, url + path);
    assert.deepEqual(request?.differences, []);
    assert.equal(request?.sha256, request?.recorded_sha256);
  }
  for (const secret of [AWS.AWS_SECRET_ACCESS_KEY, AZURE_KEY, VERTEX.GOOGLE_VERTEX_ACCESS_TOKEN])
    assert.ok(!JSON.stringify(shown).includes(secret));
}
