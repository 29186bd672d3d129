/** The scripted server rejects the same requests as its vendor, in the vendor's words, and accepts all others. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ApiMode } from "../../src/route.ts";
import { dataUrl, TINY_PNG } from "../support/tiny-images.ts";
import { ask, errorMessage, MODEL, pathOf, withServer } from "./asking.ts";

type Refusal = {
  what: string;
  fields: Record<string, unknown>;
  says: RegExp;
  model?: string;
  status?: number;
};

const user = { role: "user", content: "Hello" };
const chatCall = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } };
const itemCall = { type: "function_call", call_id: "call_1", name: "weather", arguments: "{}" };
const toolUse = { type: "tool_use", id: "toolu_1", name: "weather", input: {} };
const toolResult = { type: "tool_result", tool_use_id: "toolu_1", content: "sunny" };
const asked = { role: "user", parts: [{ text: "Hello" }] };
const functionCall = { name: "weather", args: {} };
const functionResponse = { name: "weather", response: { output: "sunny" } };

const PNG = TINY_PNG.toString("base64");
const IMAGE = dataUrl(TINY_PNG);
const NO_IMAGE = dataUrl(Buffer.from("no image"));
const imageOf = (media_type: string, data: string) => ({ type: "image", source: { type: "base64", media_type, data } });

const REFUSALS: Record<ApiMode, Refusal[]> = {
  chat_completions: [
    {
      what: "bytes that are no image",
      fields: { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: NO_IMAGE } }] }] },
      says: /^You uploaded an unsupported image/,
    },
    {
      what: "a path in place of an image's URL",
      fields: { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "a.png" } }] }] },
      says: /^Failed to download image/,
    },
    {
      what: "an image in what the system says",
      fields: { messages: [{ role: "system", content: [{ type: "image_url", image_url: { url: IMAGE } }] }, user] },
      says: /only allowed for messages with role 'user', but this message with role 'system'/,
    },
    {
      what: "an image's URL that does not stand in an object",
      fields: { messages: [{ role: "user", content: [{ type: "image_url", image_url: IMAGE }] }] },
      says: /^Invalid value: .*'object'\.$/,
    },
    {
      what: "an unknown field",
      fields: { temprature: 1 },
      says: /^Unrecognized request argument supplied: temprature$/,
    },
    {
      what: "an unknown field of a message",
      fields: { messages: [{ ...user, mood: "good" }] },
      says: /^Unknown parameter: 'messages\[0\]\.mood'\.$/,
    },
    {
      what: "a role it does not know",
      fields: { messages: [{ role: "robot", content: "Hello" }] },
      says: /^Invalid value: 'robot'\. Supported values are: 'system', 'developer', 'user', 'assistant', and 'tool'\.$/,
    },
    { what: "no messages", fields: { messages: undefined }, says: /^Missing required parameter: 'messages'\.$/ },
    { what: "an empty list of messages", fields: { messages: [] }, says: /empty array/ },
    { what: "no model", fields: { model: undefined }, says: /^Missing required parameter: 'model'\.$/ },
    {
      what: "an unknown effort",
      fields: { reasoning_effort: "ultra" },
      says: /^Invalid value: 'ultra'\. Supported values are: 'none', 'minimal', .* and 'max'\.$/,
    },
    {
      what: "another vendor's way to set the effort",
      fields: { reasoning: { effort: "high" } },
      says: /^Unrecognized request argument supplied: reasoning$/,
    },
    {
      what: "a tool result without its call",
      fields: { messages: [user, { role: "tool", tool_call_id: "call_1", content: "sunny" }] },
      says: /must be a response to a preceeding message with 'tool_calls'/,
    },
    {
      what: "a tool call without its result",
      fields: { messages: [user, { role: "assistant", content: null, tool_calls: [chatCall] }, user] },
      says: /must be followed by tool messages .* did not have response messages: call_1$/,
    },
    {
      what: "a tool without a name",
      fields: { tools: [{ type: "function", function: { parameters: {} } }] },
      says: /^Missing required parameter: 'tools\[0\]\.function\.name'\.$/,
    },
  ],
  responses: [
    {
      what: "bytes that are no image",
      fields: { input: [{ role: "user", content: [{ type: "input_image", image_url: NO_IMAGE }] }] },
      says: /^You uploaded an unsupported image/,
    },
    {
      what: "an image of neither URL nor file",
      fields: { input: [{ role: "user", content: [{ type: "input_image" }] }] },
      says: /Expected an 'image_url' or a 'file_id'/,
    },
    { what: "an unknown field", fields: { messages: [user] }, says: /^Unknown parameter: 'messages'\.$/ },
    {
      what: "an unknown field of an item",
      fields: { input: [{ ...itemCall, parsed_arguments: {} }] },
      says: /^Unknown parameter: 'input\[0\]\.parsed_arguments'\.$/,
    },
    { what: "no input", fields: { input: undefined }, says: /^Missing required parameter: 'input'\.$/ },
    { what: "an unknown effort", fields: { reasoning: { effort: "ultra" } }, says: /^Invalid value: 'ultra'/ },
    {
      what: "Chat Completions' way to set the effort",
      fields: { reasoning_effort: "high" },
      says: /^Unknown parameter: 'reasoning_effort'\.$/,
    },
    {
      what: "a tool result without its call",
      fields: { input: [user, { type: "function_call_output", call_id: "call_1", output: "sunny" }] },
      says: /^No tool call found for function call output with call_id call_1\.$/,
    },
    {
      what: "a tool call without its result",
      fields: { input: [user, itemCall] },
      says: /^No tool output found for function call call_1\.$/,
    },
    {
      what: "a reference to an item it never sent",
      fields: { input: [user, { type: "item_reference", id: "msg_other" }] },
      says: /^Item with id 'msg_other' not found\.$/,
      status: 404,
    },
    {
      what: "another vendor's encrypted reasoning",
      fields: { input: [user, { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAA" }] },
      says: /could not be verified/,
    },
    {
      what: "a response to go on from that it never sent",
      fields: { previous_response_id: "resp_other" },
      says: /^Previous response with id 'resp_other' not found\.$/,
    },
  ],
  anthropic_messages: [
    {
      what: "an image of another type than it is said to be",
      fields: { messages: [{ role: "user", content: [imageOf("image/jpeg", PNG)] }] },
      says: /specified using the image\/jpeg media type, but the image appears to be a image\/png image$/,
    },
    {
      what: "an image of a type it does not take",
      fields: { messages: [{ role: "user", content: [imageOf("image/tiff", PNG)] }] },
      says: /media_type: Input should be 'image\/jpeg'/,
    },
    {
      what: "an image of more than 5 MB of base64",
      fields: { messages: [{ role: "user", content: [imageOf("image/png", PNG + "A".repeat(6 * 1024 * 1024))] }] },
      says: /image exceeds 5 MB maximum/,
    },
    {
      what: "an image in what the model said",
      fields: {
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: [imageOf("image/png", PNG)] },
        ],
      },
      says: /not permitted in assistant turns/,
    },
    {
      what: "an unknown field",
      fields: { reasoning_effort: "high" },
      says: /^reasoning_effort: Extra inputs are not permitted$/,
    },
    {
      what: "an unknown field of a block",
      fields: { messages: [{ role: "user", content: [{ type: "text", text: "Hello", id: 1 }] }] },
      says: /^messages\.0\.content\.0\.text\.id: Extra inputs are not permitted$/,
    },
    {
      what: "a beta field without its header",
      fields: { mcp_servers: [] },
      says: /^mcp_servers: Extra inputs are not permitted$/,
    },
    { what: "no max_tokens", fields: { max_tokens: undefined }, says: /^max_tokens: Field required$/ },
    { what: "no messages", fields: { messages: [] }, says: /^messages: at least one message is required$/ },
    {
      what: "an empty text",
      fields: { messages: [{ role: "user", content: "" }] },
      says: /^messages: text content blocks must be non-empty$/,
    },
    {
      what: "an unknown effort",
      fields: { output_config: { effort: "minimal" } },
      says: /^output_config\.effort: Input should be 'low' or 'medium' or 'high'/,
    },
    {
      what: "a thinking budget beyond max_tokens",
      fields: { max_tokens: 2000, thinking: { type: "enabled", budget_tokens: 2000 } },
      says: /^`max_tokens` must be greater than `thinking\.budget_tokens`/,
    },
    {
      what: "a thinking budget that is too small",
      fields: { thinking: { type: "enabled", budget_tokens: 100 } },
      says: /^thinking\.enabled\.budget_tokens: Input should be greater than or equal to 1024$/,
    },
    {
      what: "a temperature with thinking",
      fields: { temperature: 0.5, thinking: { type: "adaptive" } },
      says: /^`temperature` may only be set to 1 when thinking is enabled/,
    },
    {
      what: "a forced tool with thinking",
      fields: { tool_choice: { type: "any" }, thinking: { type: "adaptive" } },
      says: /^Thinking may not be enabled when tool_choice forces tool use/,
    },
    {
      what: "a tool result without its call",
      fields: { messages: [{ role: "user", content: [toolResult] }] },
      says: /^messages\.0\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1\./,
    },
    {
      what: "a tool call whose result comes a message late",
      fields: {
        messages: [
          user,
          { role: "assistant", content: [toolUse] },
          { role: "assistant", content: "Hm." },
          { role: "user", content: [toolResult] },
        ],
      },
      says: /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1\./,
    },
    {
      what: "another vendor's thinking",
      fields: {
        messages: [user, { role: "assistant", content: [{ type: "thinking", thinking: "Hm.", signature: "x" }] }, user],
      },
      says: /^messages\.1\.content\.0: Invalid `signature` in `thinking` block$/,
    },
  ],
  gemini: [
    {
      what: "a GIF",
      fields: { contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/gif", data: PNG } }] }] },
      says: /^Unsupported MIME type: image\/gif$/,
    },
    {
      what: "bytes that are no image",
      fields: { contents: [{ role: "user", parts: [{ inlineData: { mimeType: "image/png", data: "bm8=" } }] }] },
      says: /^Unable to process input image/,
    },
    {
      what: "a URL without https",
      fields: {
        contents: [{ role: "user", parts: [{ fileData: { mimeType: "image/png", fileUri: "http://a.test/x" } }] }],
      },
      says: /^Unsupported file URI type/,
    },
    {
      what: "an unknown field",
      fields: { max_tokens: 5 },
      says: /^Invalid JSON payload received\. Unknown name "max_tokens": Cannot find field\.$/,
    },
    {
      what: "an unknown field of its configuration",
      fields: { generationConfig: { maxTokens: 5 } },
      says: /^Invalid JSON payload received\. Unknown name "maxTokens" at 'generation_config': Cannot find field\.$/,
    },
    { what: "no contents", fields: { contents: undefined }, says: /contents is not specified/ },
    { what: "a content without parts", fields: { contents: [{ role: "user", parts: [] }] }, says: /must not be empty/ },
    {
      what: "an unknown thinking level",
      fields: { generationConfig: { thinkingConfig: { thinkingLevel: "xhigh" } } },
      says: /^Invalid value at 'generation_config\.thinking_config\.thinking_level', "xhigh"$/,
    },
    {
      what: "a function response without its call",
      fields: { contents: [asked, { role: "user", parts: [{ functionResponse }] }] },
      says: /function response turn comes immediately after a function call turn/,
    },
    {
      what: "fewer responses than calls",
      fields: {
        contents: [
          asked,
          { role: "model", parts: [{ functionCall }, { functionCall }] },
          { role: "user", parts: [{ functionResponse }] },
        ],
      },
      says: /number of function response parts is equal to the number of function call parts/,
    },
    {
      what: "a call that follows no user",
      fields: { contents: [{ role: "model", parts: [{ functionCall }] }] },
      says: /function call turn comes immediately after a user turn/,
    },
    {
      what: "a call of Gemini 3 without its signature",
      fields: {
        contents: [
          asked,
          { role: "model", parts: [{ functionCall }] },
          { role: "user", parts: [{ functionResponse }] },
        ],
      },
      model: "gemini-3-pro",
      says: /missing a thought_signature .* `default_api:weather`, position 2/,
    },
    {
      what: "another vendor's signature",
      fields: { contents: [asked, { role: "model", parts: [{ text: "Hm.", thoughtSignature: "x" }] }, asked] },
      says: /^Thought signature is not valid\.$/,
    },
  ],
};

for (const [mode, refusals] of Object.entries(REFUSALS)) {
  const apiMode = mode as ApiMode;
  describe(`${apiMode} refuses`, () => {
    for (const { what, fields, says, model, status = 400 } of refusals) {
      it(what, async () => {
        await withServer({ text: "Never said." }, async (server) => {
          const response = await ask(server, apiMode, { fields, ...(model !== undefined && { model }) });
          assert.match(await errorMessage(response), says);
          assert.equal(response.status, status);
          assert.equal(server.requests[0]?.status, status);
        });
      });
    }

    it("a body that is no JSON", async () => {
      await withServer({ text: "Never said." }, async (server) => {
        const path = pathOf(apiMode, MODEL, false);
        const headers = { "anthropic-version": "2023-06-01" };
        const response = await fetch(server.url + path, { method: "POST", headers, body: "{ half" });
        assert.equal(response.status, 400);
        assert.match(await errorMessage(response), /parse the JSON body/);
      });
    });
  });
}

describe("strictness", () => {
  it("takes the fields that are named as extra, and no others", async () => {
    const extra = { extraFields: ["reasoning"] };
    await withServer(
      {},
      async (server) => {
        const taken = await ask(server, "chat_completions", { fields: { reasoning: { effort: "high" } } });
        assert.equal(taken.status, 200);
        assert.equal(server.requests[0]?.effort, "high");
        const refused = await ask(server, "chat_completions", { fields: { reasoning: {}, thinking: {} } });
        assert.equal(refused.status, 400);
      },
      extra,
    );
  });

  it("takes a beta field with its header", async () => {
    await withServer({}, async (server) => {
      const headers = { "anthropic-beta": "mcp-client-2025-11-20" };
      const response = await ask(server, "anthropic_messages", { fields: { mcp_servers: [] }, headers });
      assert.equal(response.status, 200);
    });
  });

  it("wants Anthropic's version header", async () => {
    await withServer({}, async (server) => {
      const body = JSON.stringify({ model: "m", max_tokens: 1, messages: [user] });
      const response = await fetch(`${server.url}/v1/messages`, { method: "POST", body });
      assert.match(await errorMessage(response), /^anthropic-version: header is required$/);
    });
  });

  it("can be switched off, and then nothing malformed breaks the server", async () => {
    const odd = { messages: [1, null, "x", { content: 5 }], input: [[]], contents: { a: 1 }, tools: "none", system: 3 };
    await withServer(
      { text: "Hello." },
      async (server) => {
        for (const apiMode of Object.keys(REFUSALS) as ApiMode[]) {
          const response = await ask(server, apiMode, { fields: odd });
          assert.equal(response.status, 200, apiMode);
        }
        assert.deepEqual(server.scriptErrors, []);
      },
      { strict: false },
    );
  });
});
