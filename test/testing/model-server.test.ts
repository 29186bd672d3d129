/** The scripted server as a whole: keys, models, the input of scripts, recorded requests, pace, and its end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { createFakeClock, type ModelRequest } from "../../src/testing/index.ts";
import { ask, errorMessage, eventsIn, inEveryMode, MODEL, withServer } from "./asking.ts";

const KEYS = { FIRST_KEY: "sk-first", SECOND_KEY: "sk-second" };

describe("keys", () => {
  it("let a request in and are named by their names", async () => {
    await withServer(
      { text: "Hello." },
      async (server) => {
        await inEveryMode(async (apiMode) => {
          assert.equal((await ask(server, apiMode, { key: "sk-second" })).status, 200);
        });
        assert.deepEqual(
          server.requests.map(({ keyName }) => keyName),
          API_MODES.map(() => "SECOND_KEY"),
        );
      },
      { keys: KEYS },
    );
  });

  it("that are wrong, missing or in another mode's header are refused as the vendor refuses them", async () => {
    const expected: Record<ApiMode, { wrong: number; missing: number }> = {
      chat_completions: { wrong: 401, missing: 401 },
      responses: { wrong: 401, missing: 401 },
      anthropic_messages: { wrong: 401, missing: 401 },
      gemini: { wrong: 400, missing: 403 },
    };
    await withServer(
      { text: "Hello." },
      async (server) => {
        await inEveryMode(async (apiMode) => {
          assert.equal((await ask(server, apiMode, { key: "sk-third" })).status, expected[apiMode].wrong);
          assert.equal((await ask(server, apiMode)).status, expected[apiMode].missing);
          const foreign = apiMode === "gemini" ? { "x-api-key": "sk-first" } : { "x-goog-api-key": "sk-first" };
          assert.equal((await ask(server, apiMode, { headers: foreign })).status, expected[apiMode].missing);
        });
        assert.ok(server.requests.every(({ keyName }) => keyName === undefined));
      },
      { keys: KEYS },
    );
  });

  it("of Anthropic may be bearer tokens", async () => {
    await withServer(
      {},
      async (server) => {
        const headers = { authorization: "Bearer sk-first" };
        assert.equal((await ask(server, "anthropic_messages", { headers })).status, 200);
      },
      { keys: KEYS },
    );
  });

  it("guard the list of models", async () => {
    await withServer(
      {},
      async (server) => {
        const url = `${server.baseUrl("chat_completions")}/models`;
        assert.equal((await fetch(url)).status, 401);
        assert.equal((await fetch(url, { headers: { authorization: "Bearer sk-first" } })).status, 200);
      },
      { keys: KEYS },
    );
  });
});

describe("models", () => {
  it("that are not served are answered with 404", async () => {
    await withServer(
      {},
      async (server) => {
        await inEveryMode(async (apiMode) => {
          assert.equal((await ask(server, apiMode, { model: "other" })).status, 404);
          assert.equal((await ask(server, apiMode)).status, 200);
        });
      },
      { models: [MODEL] },
    );
  });

  it("may be served under another name", async () => {
    await withServer({ text: "Hello.", servedModel: "scripted-1-20260101" }, async (server) => {
      await inEveryMode(async (apiMode) => {
        const answer = (await (await ask(server, apiMode)).json()) as { model?: string; modelVersion?: string };
        assert.equal(answer.model ?? answer.modelVersion, "scripted-1-20260101");
      });
    });
  });
});

describe("a script", () => {
  it("sees the same conversation in every mode", async () => {
    const settings: Record<ApiMode, Record<string, unknown>> = {
      chat_completions: {
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: [{ type: "text", text: "Weather?" }] },
          {
            role: "assistant",
            content: "Let me see.",
            tool_calls: ["a", "b"].map((id) => ({
              id,
              type: "function",
              function: { name: "weather", arguments: `{"city":"${id}"}` },
            })),
          },
          { role: "tool", tool_call_id: "a", content: "sunny" },
          { role: "tool", tool_call_id: "b", content: "rainy" },
          { role: "user", content: "Go on." },
        ],
        tools: [
          { type: "function", function: { name: "weather", description: "Tells.", parameters: { type: "object" } } },
        ],
        reasoning_effort: "high",
        max_completion_tokens: 500,
      },
      responses: {
        instructions: "Be brief.",
        input: [
          { role: "user", content: [{ type: "input_text", text: "Weather?" }] },
          { type: "message", role: "assistant", content: [{ type: "output_text", text: "Let me see." }] },
          ...["a", "b"].map((id) => ({
            type: "function_call",
            call_id: id,
            name: "weather",
            arguments: `{"city":"${id}"}`,
          })),
          { type: "function_call_output", call_id: "a", output: "sunny" },
          { type: "function_call_output", call_id: "b", output: "rainy" },
          { role: "user", content: "Go on." },
        ],
        tools: [{ type: "function", name: "weather", description: "Tells.", parameters: { type: "object" } }],
        reasoning: { effort: "high" },
        max_output_tokens: 500,
      },
      anthropic_messages: {
        system: [{ type: "text", text: "Be brief." }],
        messages: [
          { role: "user", content: "Weather?" },
          {
            role: "assistant",
            content: [
              { type: "text", text: "Let me see." },
              ...["a", "b"].map((id) => ({ type: "tool_use", id, name: "weather", input: { city: id } })),
            ],
          },
          {
            role: "user",
            content: [
              { type: "tool_result", tool_use_id: "a", content: "sunny" },
              { type: "tool_result", tool_use_id: "b", content: [{ type: "text", text: "rainy" }] },
              { type: "text", text: "Go on." },
            ],
          },
        ],
        tools: [{ name: "weather", description: "Tells.", input_schema: { type: "object" } }],
        output_config: { effort: "high" },
        max_tokens: 500,
      },
      gemini: {
        systemInstruction: { parts: [{ text: "Be brief." }] },
        contents: [
          { role: "user", parts: [{ text: "Weather?" }] },
          {
            role: "model",
            parts: [
              { text: "Let me see." },
              ...["a", "b"].map((id) => ({ functionCall: { id, name: "weather", args: { city: id } } })),
            ],
          },
          {
            role: "user",
            parts: [
              { functionResponse: { id: "a", name: "weather", response: { output: "sunny" } } },
              { functionResponse: { id: "b", name: "weather", response: { output: "rainy" } } },
            ],
          },
          { role: "user", parts: [{ text: "Go on." }] },
        ],
        tools: [{ functionDeclarations: [{ name: "weather", description: "Tells.", parameters: { type: "object" } }] }],
        generationConfig: { maxOutputTokens: 500, thinkingConfig: { thinkingLevel: "high" } },
      },
    };
    const seen: ModelRequest[] = [];
    const script = (request: ModelRequest) => {
      seen.push(request);
      return { text: "Fine." };
    };
    await withServer(script, async (server) => {
      await inEveryMode(async (apiMode) => {
        const response = await ask(server, apiMode, { fields: settings[apiMode] });
        assert.equal(response.status, 200, await response.text());
      });
    });
    assert.equal(seen.length, API_MODES.length);
    for (const { system, messages, tools, effort, maxTokens, lastUserText, index, apiMode } of seen) {
      assert.equal(apiMode, API_MODES[index]);
      assert.deepEqual(
        { system, messages, tools, effort, maxTokens, lastUserText },
        {
          system: "Be brief.",
          messages: [
            { role: "user", text: "Weather?", toolCalls: [], toolResults: [] },
            {
              role: "assistant",
              text: "Let me see.",
              toolCalls: ["a", "b"].map((id) => ({ id, name: "weather", input: { city: id } })),
              toolResults: [],
            },
            {
              role: "tool",
              text: "",
              toolCalls: [],
              toolResults: [
                { id: "a", name: "weather", text: "sunny" },
                { id: "b", name: "weather", text: "rainy" },
              ],
            },
            { role: "user", text: "Go on.", toolCalls: [], toolResults: [] },
          ],
          tools: [{ name: "weather", description: "Tells.", schema: { type: "object" } }],
          effort: "high",
          maxTokens: 500,
          lastUserText: "Go on.",
        },
      );
    }
  });

  it("that throws, or returns nothing, results in an error that explains it and is not retried", async () => {
    const script = ({ index }: ModelRequest) => {
      if (index === 0) throw new Error("no such line");
      return undefined as never;
    };
    await withServer(script, async (server) => {
      for (const words of [
        /script .* failed at request 0: Error: no such line/,
        /Expected a turn .* found undefined/,
      ]) {
        const response = await ask(server, "chat_completions");
        assert.equal(response.status, 400);
        assert.match(await errorMessage(response), words);
      }
      assert.equal(server.scriptErrors.length, 2);
    });
  });
});

describe("a text", () => {
  it("arrives whole in every mode, in as many pieces as were asked for, whatever it is made of", async () => {
    let text = "";
    let deltas = 1;
    await withServer(
      () => ({ text, deltas }),
      async (server) => {
        const anyText = fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 });
        await fc.assert(
          fc.asyncProperty(
            anyText,
            fc.integer({ min: 1, max: 40 }),
            fc.constantFrom(...API_MODES),
            async (t, d, mode) => {
              [text, deltas] = [t, d];
              const events = eventsIn(await (await ask(server, mode, { stream: true })).text());
              const pieces = events.flatMap((event) => pieceIn(mode, event));
              assert.equal(pieces.join(""), t);
              assert.ok(pieces.length <= d);
              assert.ok(pieces.every((piece) => piece.isWellFormed()));
              if (t.length >= d * 2) assert.equal(pieces.length, d);
            },
          ),
          { numRuns: 150 },
        );
      },
      { keepRequests: "none" },
    );
  });

  it("is paced by its tokens per second", async () => {
    const clock = createFakeClock();
    const turn = { text: "word ".repeat(80).trim(), tokensPerSecond: 50, latencyMs: 300 };
    await withServer(
      turn,
      async (server) => {
        const asked = ask(server, "chat_completions", { stream: true });
        while (clock.pending === 0) await delay(1);
        const startMs = clock.now();
        while (clock.pending > 0) await clock.advance(1);
        await (await asked).text();
        assert.equal(clock.now() - startMs, 300 + 100 * 20);
      },
      { clock },
    );
  });
});

describe("the log", () => {
  it("keeps everything, the outline, or nothing; the count continues", async () => {
    for (const keepRequests of ["whole", "brief", "none"] as const) {
      await withServer(
        { text: "Hello." },
        async (server) => {
          await ask(server, "chat_completions", { headers: { "x-team": "research" } });
          const [request] = server.requests;
          assert.equal(server.count, 1);
          assert.equal(request?.status, keepRequests === "none" ? undefined : 200);
          assert.equal(request?.model, keepRequests === "none" ? undefined : MODEL);
          assert.equal(request?.headers["x-team"], keepRequests === "whole" ? "research" : undefined);
          assert.equal(request?.messages.length, { whole: 1, brief: 0, none: undefined }[keepRequests]);
        },
        { keepRequests },
      );
    }
  });

  it("distinguishes prefixes of the path", async () => {
    await withServer({}, async (server) => {
      const body = JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "Hello" }] });
      await fetch(`${server.baseUrl("chat_completions", "/zai")}/chat/completions`, { method: "POST", body });
      assert.equal(server.requests[0]?.path, "/zai/v1/chat/completions");
    });
  });

  it("does not count what is not served", async () => {
    await withServer({}, async (server) => {
      const response = await fetch(`${server.url}/v1/embeddings`, { method: "POST", body: "{}" });
      assert.equal(response.status, 404);
      assert.match(await errorMessage(response), /POST \/v1\/embeddings\. Expected …\/chat\/completions/);
      assert.equal(server.count, 0);
    });
  });
});

describe("the server", () => {
  it("answers many requests at once and knows how many there were", async () => {
    const all = Promise.withResolvers<void>();
    let asked = 0;
    const script = async () => {
      asked += 1;
      if (asked === 64) all.resolve();
      await all.promise;
      return { text: "Hello." };
    };
    await withServer(script, async (server) => {
      const answers = Array.from({ length: 64 }, () => ask(server, "chat_completions", { stream: true }));
      const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
      assert.ok(texts.every((text) => text.includes("[DONE]")));
      assert.equal(server.maxInFlight, 64);
      while (server.inFlight > 0) await delay(1);
      assert.equal(server.count, 64);
    });
  });

  it("cuts everything when it closes, twice if need be", async () => {
    await withServer({ fault: { kind: "silence", afterDeltas: 1 }, text: "Hello." }, async (server) => {
      const response = await ask(server, "chat_completions", { stream: true });
      assert.equal(server.openConnections, 1);
      const read = response.text();
      await Promise.all([server.close(), assert.rejects(read)]);
      await server.close();
      assert.equal(server.openConnections, 0);
      await assert.rejects(ask(server, "chat_completions"), TypeError);
    });
  });

  it("leaves no timer behind for a client that has left", async () => {
    const clock = createFakeClock();
    await withServer(
      { text: "Hello.", latencyMs: 1000 },
      async (server) => {
        const leaving = new AbortController();
        const asked = ask(server, "chat_completions", { signal: leaving.signal });
        while (clock.pending === 0) await delay(1);
        leaving.abort();
        await assert.rejects(asked);
        while (clock.pending > 0) await delay(1);
        assert.equal(server.inFlight, 0);
      },
      { clock },
    );
  });
});

/** The piece of text in an event, if it has one. */
function pieceIn(apiMode: ApiMode, event: Record<string, unknown>): string[] {
  const { choices, type, delta, candidates } = event as {
    choices?: { delta: { content?: string } }[];
    type?: string;
    delta?: string | { text?: string };
    candidates?: { content: { parts: { text: string }[] } }[];
  };
  const found: Record<ApiMode, () => unknown> = {
    chat_completions: () => choices?.[0]?.delta.content,
    responses: () => (type === "response.output_text.delta" ? delta : undefined),
    anthropic_messages: () => (typeof delta === "object" ? delta.text : undefined),
    gemini: () => candidates?.[0]?.content.parts[0]?.text,
  };
  const piece = found[apiMode]();
  return typeof piece === "string" && piece !== "" ? [piece] : [];
}

describe("tools in a group of the responses format", () => {
  it("are seen with their group, and a call of one names it", async () => {
    const script = ({ tools: [tool] }: ModelRequest) => ({
      toolCalls: [{ name: tool?.name ?? "", input: {}, ...(tool?.namespace && { namespace: tool.namespace }) }],
    });
    await withServer(script, async (server) => {
      const grouped = { type: "function", name: "delegate_task", parameters: { type: "object" } };
      const body = {
        model: MODEL,
        input: "Hello.",
        stream: true,
        tools: [{ type: "namespace", name: "mcp__deputy", tools: [grouped] }],
      };
      const response = await fetch(`${server.baseUrl("responses")}/responses`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.match(text, /"name":"delegate_task","namespace":"mcp__deputy"/);
      assert.equal(server.requests[0]?.tools[0]?.namespace, "mcp__deputy");
    });
  });
});
