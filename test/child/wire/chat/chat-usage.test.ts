/** The usage of a chat answer, wherever and however its chunks report it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JSONObject } from "@ai-sdk/provider";
import fc from "fast-check";
import { addUsage, type UsageSoFar, usageOf } from "../../../../src/child/wire/chat/chat-usage.ts";

type Counts = { input?: number; output?: number; cached?: number; cacheWrite?: number; reasoning?: number };

function counted(...chunks: JSONObject[]): Counts {
  let soFar: UsageSoFar | undefined;
  for (const chunk of chunks)
    soFar = addUsage(soFar, chunk, Array.isArray(chunk.choices) ? chunk.choices[0] : undefined);
  const { inputTokens, outputTokens } = usageOf(soFar);
  const counts = {
    input: inputTokens.total,
    output: outputTokens.total,
    cached: inputTokens.cacheRead,
    cacheWrite: inputTokens.cacheWrite,
    reasoning: outputTokens.reasoning,
  };
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== undefined && count !== 0));
}

const PLAIN = { prompt_tokens: 20, completion_tokens: 8 };

describe("a usage is read", () => {
  const CASES: [what: string, chunks: JSONObject[], counts: Counts][] = [
    ["inside the choice", [{ choices: [{ delta: {}, usage: PLAIN }] }], { input: 20, output: 8 }],
    ["inside the delta", [{ choices: [{ delta: { usage: PLAIN } }] }], { input: 20, output: 8 }],
    ["inside the message", [{ choices: [{ message: { usage: PLAIN } }] }], { input: 20, output: 8 }],
    ["beside the choices", [{ choices: [{}], prompt_eval_count: 20, eval_count: 8 }], { input: 20, output: 8 }],
    ["in numbers as text", [{ usage: { prompt_tokens: "20", completion_tokens: "8" } }], { input: 20, output: 8 }],
    ["by Ollama's names", [{ usage: { prompt_eval_count: 20, eval_count: 8 } }], { input: 20, output: 8 }],
    ["by names without underscores", [{ usage: { promptTokens: 20, completionTokens: 8 } }], { input: 20, output: 8 }],
    [
      "by Gemini's names",
      [{ usage: { promptTokenCount: 20, candidatesTokenCount: 5, thoughtsTokenCount: 3, totalTokenCount: 28 } }],
      { input: 20, output: 8, reasoning: 3 },
    ],
    [
      "with vLLM's name for the cached",
      [{ usage: { ...PLAIN, num_cached_tokens: 16 } }],
      { input: 20, output: 8, cached: 16 },
    ],
    ["in a field of the vendor", [{ choices: [{}], x_groq: { id: "r", usage: PLAIN } }], { input: 20, output: 8 }],
    [
      "from timings, where nothing else counts",
      [{ timings: { prompt_n: 1, cache_n: 236, predicted_n: 35 } }],
      { input: 237, output: 35, cached: 236 },
    ],
    [
      "once, where two chunks or two places repeat it",
      [{ usage: PLAIN, choices: [{ usage: PLAIN }] }, { usage: PLAIN }],
      { input: 20, output: 8 },
    ],
    ["though empty reports follow", [{ usage: PLAIN }, { usage: null }, { usage: {} }], { input: 20, output: 8 }],
    [
      "with all so far in every chunk",
      [1, 3, 8].map((output) => ({ usage: { prompt_tokens: 20, completion_tokens: output } })),
      { input: 20, output: 8 },
    ],
    [
      "with what is new in every chunk",
      [
        [20, 4],
        [0, 1],
        [0, 3],
      ].map(([input = 0, output = 0]) => ({ usage: { prompt_tokens: input, completion_tokens: output } })),
      { input: 20, output: 8 },
    ],
    [
      "with what is new in every chunk and all at the end",
      [3, 1, 4, 8].map((output) => ({ usage: { prompt_tokens: 20, completion_tokens: output } })),
      { input: 20, output: 8 },
    ],
    [
      "with the input first and the output last",
      [{ usage: { prompt_tokens: 20, completion_tokens: 0 } }, { usage: { completion_tokens: 8 } }],
      { input: 20, output: 8 },
    ],
    [
      "with an input that was only estimated at first",
      [{ usage: { prompt_tokens: 25, completion_tokens: 0 } }, { usage: PLAIN }],
      { input: 20, output: 8 },
    ],
  ];
  for (const [what, chunks, counts] of CASES)
    test(what, () => {
      assert.deepEqual(counted(...chunks), counts);
    });
});

describe("counts within a total are distinguished from counts next to it", () => {
  const reasoning_tokens = 340;
  const CASES: [what: string, usage: JSONObject, counts: Counts][] = [
    [
      "by the sum: reasoning beside",
      { prompt_tokens: 12, completion_tokens: 400, total_tokens: 752, completion_tokens_details: { reasoning_tokens } },
      { input: 12, output: 740, reasoning: 340 },
    ],
    [
      "by the sum: reasoning within",
      { prompt_tokens: 12, completion_tokens: 400, total_tokens: 412, completion_tokens_details: { reasoning_tokens } },
      { input: 12, output: 400, reasoning: 340 },
    ],
    [
      "by the numbers, where there is no sum",
      { prompt_tokens: 12, completion_tokens: 2, reasoning_tokens },
      { input: 12, output: 342, reasoning: 340 },
    ],
    [
      "by the numbers, where a gateway added up the wrong ones",
      { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14, reasoning_tokens },
      { input: 12, output: 342, reasoning: 340 },
    ],
    [
      "by the sum: what no count names is output, whatever it is",
      { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 },
      { input: 20, output: 603 },
    ],
    [
      "by the sum: cached beside",
      { prompt_tokens: 100, completion_tokens: 5, total_tokens: 185, cached_tokens: 80 },
      { input: 180, output: 5, cached: 80 },
    ],
    [
      "by Anthropic's names",
      { input_tokens: 100, output_tokens: 5, cache_read_input_tokens: 80, cache_creation_input_tokens: 10 },
      { input: 190, output: 5, cached: 80, cacheWrite: 10 },
    ],
    [
      "by the numbers: more was written to the cache than there is input",
      { prompt_tokens: 3, completion_tokens: 5, cache_creation_input_tokens: 480 },
      { input: 483, output: 5, cacheWrite: 480 },
    ],
  ];
  for (const [what, usage, counts] of CASES)
    test(what, () => {
      assert.deepEqual(counted({ usage }), counts);
    });
});

test("a value that is not a number does not count", () => {
  assert.equal(counted({ usage: { prompt_tokens: 5 } }).output, Number.NaN);
  assert.equal(counted({ usage: { prompt_tokens: "five", completion_tokens: 3 } }).input, Number.NaN);
  assert.deepEqual(counted({}), {});
});

/** The field of a report that contains a count. */
const INPUT = ["prompt_tokens", "input_tokens"];
const OUTPUT = ["completion_tokens", "output_tokens"];
const CACHED = [
  "prompt_tokens_details.cached_tokens",
  "input_tokens_details.cached_tokens",
  "cached_tokens",
  "prompt_cache_hit_tokens",
  "cache_read_input_tokens",
  "input_cached_tokens",
];
const WRITTEN = [
  "prompt_tokens_details.cache_write_tokens",
  "prompt_tokens_details.cache_creation_input_tokens",
  "cache_creation_input_tokens",
  "cache_write_tokens",
];
const REASONING = [
  "completion_tokens_details.reasoning_tokens",
  "output_tokens_details.reasoning_tokens",
  "reasoning_tokens",
];

function put(report: JSONObject, path: string, count: number): void {
  const [field = "", inner] = path.split(".");
  if (inner === undefined) report[field] = count;
  else report[field] = { ...(report[field] as JSONObject | undefined), [inner]: count };
}

const usage = fc.record({
  fresh: fc.integer({ min: 1, max: 5_000 }),
  cached: fc.nat({ max: 5_000 }),
  cacheWrite: fc.nat({ max: 5_000 }),
  text: fc.integer({ min: 1, max: 5_000 }),
  reasoning: fc.nat({ max: 5_000 }),
  reasoningBeside: fc.boolean(),
  cacheBeside: fc.boolean(),
  summed: fc.boolean(),
  spelled: fc.record({
    input: fc.constantFrom(...INPUT),
    output: fc.constantFrom(...OUTPUT),
    cached: fc.subarray(CACHED, { minLength: 1, maxLength: 2 }),
    cacheWrite: fc.subarray(WRITTEN, { minLength: 1, maxLength: 2 }),
    reasoning: fc.subarray(REASONING, { minLength: 1, maxLength: 2 }),
  }),
  place: fc.constantFrom("usage", "choice", "x_groq"),
  times: fc.integer({ min: 1, max: 3 }),
});

test("for any consistent split of the counts, in any spelling and place, the usage is the same", () => {
  fc.assert(
    fc.property(usage, ({ fresh, cached, cacheWrite, text, reasoning, spelled, ...how }) => {
      const cache = cached + cacheWrite;
      // Only a sum shows whether a count is separate or included, and only different numbers show which one is
      // separate.
      fc.pre(how.summed || !(how.reasoningBeside || how.cacheBeside));
      fc.pre(new Set([reasoning, cache, cached, cacheWrite]).size === 4 || !(how.reasoningBeside || how.cacheBeside));
      fc.pre(how.summed || spelled.input === "prompt_tokens");
      const report: JSONObject = {};
      put(report, spelled.input, how.cacheBeside ? fresh : fresh + cache);
      put(report, spelled.output, how.reasoningBeside ? text : text + reasoning);
      for (const path of spelled.cached) put(report, path, cached);
      for (const path of spelled.cacheWrite) put(report, path, cacheWrite);
      for (const path of spelled.reasoning) put(report, path, reasoning);
      if (how.summed) report.total_tokens = fresh + cache + text + reasoning;
      const chunk: JSONObject =
        how.place === "choice"
          ? { choices: [{ usage: report }] }
          : how.place === "x_groq"
            ? { x_groq: { usage: report } }
            : { usage: report };
      const expected = { input: fresh + cache, output: text + reasoning, cached, cacheWrite, reasoning };
      const chunks = Array.from({ length: how.times }, () => chunk);
      assert.deepEqual(
        counted(...chunks),
        Object.fromEntries(Object.entries(expected).filter(([, count]) => count !== 0)),
      );
    }),
  );
});
