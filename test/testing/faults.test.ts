/** Every fault that a script can inject, as a plain client sees it, in every API mode. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { createFakeClock, type ErrorFault, type Fault, type Turn } from "../../src/testing/index.ts";
import { ask, eventsIn, type Question, withServer } from "./asking.ts";

const TEXT = "One two three four five six seven eight.";
const toolCalls = [{ name: "weather", input: { city: "Rome", days: 3 } }];

type ErrorCase = {
  fault: ErrorFault;
  status: Record<ApiMode, number> | number;
  words: Record<ApiMode, RegExp> | RegExp;
};

const ERRORS: Record<string, ErrorCase> = {
  "rate limited": { fault: { kind: "rate-limited" }, status: 429, words: /rate.limit|quota/i },
  "out of quota": {
    fault: { kind: "quota-exhausted" },
    status: { chat_completions: 429, responses: 429, anthropic_messages: 400, gemini: 429 },
    words: /insufficient_quota|credit balance is too low|PerDay/,
  },
  "in need of payment": {
    fault: { kind: "quota-exhausted", status: 402 },
    status: 402,
    words: /insufficient_quota|billing_error|RESOURCE_EXHAUSTED/,
  },
  overloaded: {
    fault: { kind: "overloaded" },
    status: { chat_completions: 503, responses: 503, anthropic_messages: 529, gemini: 503 },
    words: /overloaded/i,
  },
  broken: { fault: { kind: "overloaded", status: 500 }, status: 500, words: /server_error|api_error|INTERNAL/ },
  unauthorized: {
    fault: { kind: "unauthorized" },
    status: { chat_completions: 401, responses: 401, anthropic_messages: 401, gemini: 400 },
    words: /invalid_api_key|authentication_error|API_KEY_INVALID/,
  },
  forbidden: {
    fault: { kind: "unauthorized", status: 403 },
    status: 403,
    words: /does not have access|permission_error|PERMISSION_DENIED/,
  },
  "without the model": {
    fault: { kind: "model-missing" },
    status: 404,
    words: /model_not_found|not_found_error|NOT_FOUND/,
  },
  "out of context": {
    fault: { kind: "context-overflow" },
    status: 400,
    words: {
      chat_completions: /maximum context length is \d+ tokens.*context_length_exceeded/,
      responses: /exceeds the context window.*context_length_exceeded/,
      anthropic_messages: /prompt is too long: \d+ tokens > \d+ maximum/,
      gemini: /input token count \(\d+\) exceeds the maximum number of tokens/,
    },
  },
  "without the effort": {
    fault: { kind: "effort-unsupported" },
    status: 400,
    words: {
      chat_completions: /reasoning_effort/,
      responses: /reasoning\.effort/,
      anthropic_messages: /hinking/,
      gemini: /hinking/,
    },
  },
  "without the parameter": {
    fault: { kind: "parameter-unsupported", parameter: "top_k" },
    status: 400,
    words: /unsupported_parameter|top_k: Extra inputs|Unknown name \\"top_k\\"/,
  },
};

function ofMode<Value>(value: Value | Record<ApiMode, Value>, apiMode: ApiMode): Value {
  return typeof value === "object" && value !== null && apiMode in value
    ? (value as Record<ApiMode, Value>)[apiMode]
    : (value as Value);
}

type Sight = { status: number; text: string; broken: boolean; headers: Headers };

/** The part of an answer that a client receives, to its end or to the break. */
async function see(apiMode: ApiMode, turn: Turn, question: Question = { stream: true }): Promise<Sight> {
  let sight: Sight | undefined;
  await withServer(turn, async (server) => {
    const response = await ask(server, apiMode, question);
    const decoder = new TextDecoder();
    let text = "";
    let broken = false;
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    } catch {
      broken = true;
    }
    sight = { status: response.status, text, broken, headers: response.headers };
    assert.deepEqual(server.scriptErrors, []);
  });
  assert.ok(sight);
  return sight;
}

const END: Record<ApiMode, RegExp> = {
  chat_completions: /\[DONE\]/,
  responses: /response\.completed/,
  anthropic_messages: /message_stop/,
  gemini: /finishReason/,
};

/** A piece of text in a stream. */
const PIECE: Record<ApiMode, RegExp> = {
  chat_completions: /"content":"[^"]/g,
  responses: /"type":"response.output_text.delta"/g,
  anthropic_messages: /"type":"text_delta"/g,
  gemini: /"text":"[^"]/g,
};

for (const apiMode of API_MODES) {
  const pieces = (text: string) => text.match(PIECE[apiMode])?.length ?? 0;

  describe(`in ${apiMode}`, () => {
    for (const [name, { fault, status, words }] of Object.entries(ERRORS)) {
      it(`a vendor that is ${name} responds with its status and its words, streaming or not`, async () => {
        for (const stream of [true, false]) {
          const seen = await see(apiMode, { fault }, { stream });
          assert.equal(seen.status, ofMode(status, apiMode));
          assert.match(seen.text, ofMode(words, apiMode));
          assert.match(seen.headers.get("content-type") ?? "", /json/);
          assert.ok(JSON.parse(seen.text).error.message.length > 0);
        }
      });
    }

    it("Retry-After is seconds, a date, or not there", async () => {
      const date = new Date("2026-03-01T12:00:00Z");
      const header = async (retryAfter?: number | Date) => {
        const fault: Fault = { kind: "rate-limited", ...(retryAfter !== undefined && { retryAfter }) };
        return (await see(apiMode, { fault })).headers.get("retry-after");
      };
      assert.equal(await header(7), "7");
      assert.equal(await header(date), "Sun, 01 Mar 2026 12:00:00 GMT");
      assert.equal(await header(), null);
    });

    it("an exhausted quota names the time of its reset", async () => {
      const resetsAt = new Date(Date.now() + 3_600_000);
      const { text, headers } = await see(apiMode, { fault: { kind: "quota-exhausted", status: 429, resetsAt } });
      const said = text + JSON.stringify([...headers]);
      const epochSeconds = String(Math.floor(resetsAt.getTime() / 1000));
      assert.ok(said.includes(epochSeconds) || /"retryDelay":"(3599|3600)/.test(said), said);
    });

    it("a refusal has the vendor's form", async () => {
      const finish: Record<ApiMode, RegExp> = {
        chat_completions: /"finish_reason":"content_filter"/,
        responses: /response\.incomplete.*"incomplete_details":{"reason":"content_filter"}/s,
        anthropic_messages: /"stop_reason":"refusal"/,
        gemini: /"finishReason":"SAFETY"/,
      };
      const message: Record<ApiMode, RegExp> = {
        chat_completions: /"refusal":"I cannot help with that\."/,
        responses: /response\.refusal\.done.*"refusal":"I cannot help with that\."/s,
        anthropic_messages: /"stop_reason":"refusal"/,
        gemini: /"promptFeedback":{"blockReason"/,
      };
      assert.match((await see(apiMode, { text: TEXT, fault: { kind: "refused" } })).text, finish[apiMode]);
      assert.match((await see(apiMode, { fault: { kind: "refused", as: "message" } })).text, message[apiMode]);
    });

    it("a reset before the headers fails the request", async () => {
      await assert.rejects(see(apiMode, { text: TEXT, fault: { kind: "reset-before-headers" } }), (error) => {
        assert.equal(((error as Error).cause as { code?: string }).code, "ECONNRESET");
        return true;
      });
    });

    it("a reset in the middle of a stream comes after as many pieces as were asked for", async () => {
      const { status, text, broken } = await see(apiMode, {
        text: TEXT,
        deltas: 8,
        fault: { kind: "reset-mid-stream", afterDeltas: 3 },
      });
      assert.equal(status, 200);
      assert.equal(broken, true);
      assert.equal(pieces(text), 3);
    });

    it("a stream without an end has every piece, no finish, and closes cleanly", async () => {
      const { text, broken } = await see(apiMode, { text: TEXT, deltas: 8, fault: { kind: "no-end" } });
      assert.equal(broken, false);
      assert.equal(pieces(text), 8);
      assert.doesNotMatch(text, END[apiMode]);
    });

    it("silence lasts as long as scripted, before the headers or in the middle of a stream", async () => {
      for (const where of [{}, { afterDeltas: 2 }]) {
        const clock = createFakeClock();
        const turn: Turn = { text: TEXT, fault: { kind: "silence", ms: 60_000, ...where } };
        await withServer(
          turn,
          async (server) => {
            let text = "";
            let ended = false;
            const asked = ask(server, apiMode, { stream: true }).then(async (response) => {
              for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
              ended = true;
            });
            while (clock.pending === 0) await delay(1);
            if ("afterDeltas" in where) while (pieces(text) === 0) await delay(1);
            await clock.advance(59_999);
            assert.equal(pieces(text), "afterDeltas" in where ? 2 : 0);
            assert.equal(ended, false);
            await clock.advance(1);
            await asked;
            assert.match(text, END[apiMode]);
          },
          { clock },
        );
      }
    });

    it("silence without an end lasts until the client leaves", async () => {
      await withServer({ text: TEXT, fault: { kind: "silence" } }, async (server) => {
        const leaving = new AbortController();
        const asked = ask(server, apiMode, { stream: true, signal: leaving.signal });
        while (server.inFlight === 0) await delay(1);
        leaving.abort();
        await assert.rejects(asked, { name: "AbortError" });
        while (server.inFlight > 0) await delay(1);
        assert.equal(server.requests[0]?.status, undefined);
      });
    });

    it("garbage appears among the events of a stream that continues", async () => {
      const { text } = await see(apiMode, { text: TEXT, fault: { kind: "garbage" } });
      assert.throws(() => eventsIn(text), SyntaxError);
      assert.match(text, END[apiMode]);
    });

    it("half a tool call cannot be parsed", async () => {
      const { text } = await see(apiMode, { toolCalls, fault: { kind: "half-tool-call" } });
      assert.match(text, /city/);
      assert.doesNotMatch(text, /days[\\": ]+3/);
      assert.match(text, END[apiMode]);
    });

    it("an HTML page comes with status 200", async () => {
      const { status, text, headers } = await see(apiMode, { text: TEXT, fault: { kind: "html" } });
      assert.equal(status, 200);
      assert.match(headers.get("content-type") ?? "", /text\/html/);
      assert.match(text, /^<!doctype html>/);
    });

    it("an empty answer is well formed", async () => {
      const { text } = await see(apiMode, { text: TEXT, toolCalls, fault: { kind: "empty" } });
      assert.equal(pieces(text), 0);
      assert.doesNotThrow(() => eventsIn(text));
      assert.match(text, END[apiMode]);
    });

    it("an error event ends a stream that had begun", async () => {
      const { status, text } = await see(apiMode, {
        text: TEXT,
        deltas: 8,
        fault: { kind: "error-event", afterDeltas: 2 },
      });
      assert.equal(status, 200);
      assert.equal(pieces(text), 2);
      assert.match(JSON.stringify(eventsIn(text).at(-1)), /overloaded/i);
      assert.doesNotMatch(text, END[apiMode]);
    });

    it("invalid UTF-8 is not text", async () => {
      await withServer({ text: TEXT, fault: { kind: "invalid-utf8" } }, async (server) => {
        const bytes = await (await ask(server, apiMode, { stream: true })).arrayBuffer();
        assert.throws(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes), TypeError);
        assert.match(new TextDecoder().decode(bytes), END[apiMode]);
      });
    });

    it("a huge answer is as big as it was asked to be", async () => {
      const { text } = await see(apiMode, { fault: { kind: "huge", bytes: 3_000_000 } });
      assert.ok(text.length > 3_000_000);
      assert.match(text, END[apiMode]);
    });

    it("a slow drip takes its time and splits events anywhere", async () => {
      const clock = createFakeClock();
      await withServer(
        { text: "Déjà vu 😀", fault: { kind: "slow-drip", everyMs: 100, bytes: 100 } },
        async (server) => {
          const response = ask(server, apiMode, { stream: true });
          while (clock.pending === 0) await delay(1);
          const startMs = clock.now();
          while (clock.pending > 0) await clock.advance(100);
          const text = await (await response).text();
          assert.match(text, END[apiMode]);
          assert.equal(clock.now() - startMs, Math.ceil(Buffer.byteLength(text) / 100) * 100);
        },
        { clock },
      );
    });

    it("a redirect points to another origin", async () => {
      const location = "http://127.0.0.1:9/v1/steal";
      const { status, headers } = await see(apiMode, { fault: { kind: "redirect", location } });
      assert.equal(status, 302);
      assert.equal(headers.get("location"), location);
    });

    it("an answer that is not streamed can be cut in half", async () => {
      for (const kind of ["no-end", "reset-mid-stream"] as const) {
        const { text } = await see(apiMode, { text: TEXT, fault: { kind } }, { stream: false });
        assert.ok(text.length > 20);
        assert.throws(() => JSON.parse(text), SyntaxError);
      }
    });

    it("anything else can be answered word for word", async () => {
      const fault: Fault = { kind: "response", status: 418, body: "teapot", headers: { "content-type": "text/plain" } };
      const seen = await see(apiMode, { fault });
      assert.deepEqual([seen.status, seen.text, seen.headers.get("content-type")], [418, "teapot", "text/plain"]);
    });
  });
}
