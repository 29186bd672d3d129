/** The scripted answers compared with recorded ones: the same events, fields, types and order. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ApiMode } from "../../src/route.ts";
import type { Fault, Turn } from "../../src/testing/index.ts";
import { ask, eventsIn, withServer } from "./asking.ts";

const FOLDER = join(import.meta.dirname, "../../../shared/recordings");
const absent = existsSync(FOLDER) ? false : "The recordings are not here: expected ../shared/recordings.";

type Json = Record<string, unknown>;

type Comparison = {
  file: string;
  apiMode: ApiMode;
  turn: Turn;
  fields?: Json;
  /** Events missing from this file, although the vendor's library knows them. */
  unrecorded?: string[];
  /** Fields that are omitted on purpose. */
  leftOut?: string[];
};

const toolCalls = [{ name: "weather", input: { location: "San Francisco" } }];

const COMPARISONS: Comparison[] = [
  {
    file: "chat-azure-text.chunks.txt",
    apiMode: "chat_completions",
    turn: { text: "Capital of Denmark." },
    fields: { stream_options: { include_usage: true } },
    // Random padding. Only one of Azure's recordings contains a usage chunk.
    leftOut: [".obfuscation"],
  },
  {
    file: "chat-deepseek-reasoning-tool-call.chunks.txt",
    apiMode: "chat_completions",
    turn: { reasoning: "The user is asking about the weather.", toolCalls },
    // OpenAI sends usage only on request; these vendors always do.
    leftOut: [".usage"],
  },
  { file: "responses-openai-text.chunks.txt", apiMode: "responses", turn: { text: "Dummy PDF file" } },
  {
    file: "responses-lmstudio-tool-call.chunks.txt",
    apiMode: "responses",
    turn: { reasoning: "The user is asking for the weather.", text: "I'll get the current weather.", toolCalls },
    unrecorded: ["response.function_call_arguments.delta"],
  },
  {
    file: "messages-anthropic-text.chunks.txt",
    apiMode: "anthropic_messages",
    turn: { text: "Hello! I'm doing well." },
  },
  {
    file: "messages-anthropic-thinking.chunks.txt",
    apiMode: "anthropic_messages",
    turn: { reasoning: "The previous result was 925.", text: "925 ÷ 5 = 185" },
  },
  {
    file: "messages-anthropic-tool-call.chunks.txt",
    apiMode: "anthropic_messages",
    turn: { text: "I'll update the issue list for you.", toolCalls },
  },
  { file: "messages-anthropic-refusal.chunks.txt", apiMode: "anthropic_messages", turn: { finish: "refused" } },
  {
    file: "gemini-text.chunks.txt",
    apiMode: "gemini",
    turn: { text: "There are **3** r's in strawberry.", usage: { output: 208, reasoning: 185 } },
  },
  { file: "gemini-tool-call.chunks.txt", apiMode: "gemini", turn: { toolCalls, usage: { output: 60, reasoning: 45 } } },
];

describe("a scripted stream", { skip: absent }, () => {
  for (const { file, apiMode, turn, fields = {}, unrecorded = [], leftOut = [] } of COMPARISONS) {
    it(`is like the recorded one: ${file}`, async () => {
      await withServer(turn, async (server) => {
        const ours = eventsIn(await (await ask(server, apiMode, { stream: true, fields })).text());
        const kinds = sequence(apiMode, ours).filter((kind) => !unrecorded.includes(kind));
        assert.deepEqual(kinds, sequence(apiMode, recorded(file)));
        const compared = ours.filter((event) => !unrecorded.includes(KIND[apiMode](event)));
        assert.deepEqual(differences(apiMode, compared, leftOut), []);
      });
    });
  }
});

describe("a scripted error", { skip: absent }, () => {
  const errors: [string, ApiMode, Fault][] = [
    [
      "chat-error-unsupported-parameter.json",
      "chat_completions",
      { kind: "parameter-unsupported", parameter: "max_tokens" },
    ],
    ["gemini-error-429.json", "gemini", { kind: "rate-limited", retryAfter: 34.4 }],
  ];
  for (const [file, apiMode, fault] of errors) {
    it(`is like the recorded one: ${file}`, async () => {
      await withServer({ fault }, async (server) => {
        const ours = await (await ask(server, apiMode)).json();
        const theirs = JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
        assert.deepEqual(placesOf(ours), placesOf(theirs));
      });
    });
  }
});

function recorded(file: string): Json[] {
  return readFileSync(join(FOLDER, file), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line));
}

const FILES_OF: Record<ApiMode, string> = {
  chat_completions: "chat-",
  responses: "responses-",
  anthropic_messages: "messages-",
  gemini: "gemini-",
};

function everyRecorded(apiMode: ApiMode): Json[] {
  return readdirSync(FOLDER)
    .filter((file) => file.startsWith(FILES_OF[apiMode]) && file.endsWith(".chunks.txt"))
    .flatMap(recorded);
}

/** The kind of an event; formats without types are distinguished by their fields. */
const KIND: Record<ApiMode, (event: Json) => string> = {
  chat_completions: ({ choices, prompt_filter_results }) => {
    const [choice] = choices as { delta: Json; finish_reason: string | null }[];
    if (choice === undefined) return prompt_filter_results ? PROMPT_FILTER : "usage";
    if (choice.finish_reason !== null) return "finish";
    const { tool_calls, reasoning_content, content } = choice.delta;
    if (tool_calls) return "tool call";
    if (reasoning_content) return "reasoning";
    return content ? "text" : "start";
  },
  responses: ({ type, item, part }) => words(type, (item as Json | undefined)?.type, (part as Json | undefined)?.type),
  anthropic_messages: ({ type, content_block, delta }) =>
    words(type, (content_block as Json | undefined)?.type, (delta as Json | undefined)?.type),
  gemini: ({ candidates }) => {
    const [candidate] = candidates as { content: { parts: Json[] }; finishReason?: string }[];
    if (candidate?.finishReason) return `finish ${candidate.finishReason}`;
    return candidate?.content.parts[0]?.functionCall ? "tool call" : "text";
  },
};

/** Azure's own fields. */
const PROMPT_FILTER = "prompt filter";

function words(...parts: unknown[]): string {
  return parts.filter((part) => part !== undefined).join(" ");
}

/** Kinds in order, repeats as one. Pings are ignored, because they may come anywhere. */
function sequence(apiMode: ApiMode, events: Json[]): string[] {
  return events
    .map(KIND[apiMode])
    .filter((kind) => kind !== "ping" && kind !== PROMPT_FILTER)
    .filter((kind, index, kinds) => kind !== kinds[index - 1]);
}

/** Every path in a value, with the type unless it is null: `.choices[].index number`. */
function placesOf(value: unknown, path = ""): string[] {
  if (value === null) return [path];
  if (Array.isArray(value)) return [path, ...new Set(value.flatMap((item) => placesOf(item, `${path}[]`)))];
  if (typeof value !== "object") return [path, `${path} ${typeof value}`];
  return [path, ...Object.entries(value).flatMap(([name, field]) => placesOf(field, `${path}.${name}`))];
}

/** Paths in our events that no recorded event of the kind has, and paths in all of those that ours lacks. */
function differences(apiMode: ApiMode, ours: Json[], leftOut: string[]): string[] {
  const theirs = everyRecorded(apiMode);
  return ours.flatMap((event) => {
    const kind = KIND[apiMode](event);
    const alike = theirs.filter((other) => KIND[apiMode](other) === kind).map((other) => new Set(placesOf(other)));
    const own = new Set(placesOf(event));
    const added = [...own].filter((place) => !alike.some((places) => places.has(place)));
    const missing = [...(alike[0] ?? [])]
      .filter((place) => alike.every((places) => places.has(place)) && !own.has(place))
      .filter((place) => !leftOut.some((field) => place.startsWith(field)));
    return [
      ...added.map((place) => `${kind}: ${place} was never recorded`),
      ...missing.map((place) => `${kind}: ${place} was in every recording`),
    ];
  });
}
