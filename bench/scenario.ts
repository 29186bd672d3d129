/**
 * The measured scenario: children that read two files each and then answer, with 200 ms per model response. The floor
 * sends the same requests as Deputy, and gets the same responses.
 */

import type { ModelRequest } from "../src/testing/model-request.ts";
import type { Turn } from "../src/testing/turn.ts";

export const TOOL_ROUNDS = 2;
export const REQUESTS_PER_CHILD = TOOL_ROUNDS + 1;
export const LATENCY_MS = 200;
/** Only the waits for the model, with all children concurrent. */
export const IDEAL_WALL_MS = REQUESTS_PER_CHILD * LATENCY_MS;

/** The model determines how its answers arrive: at once, or in 400 deltas over a second. */
export const MODELS = { plain: "bench-plain", deltas: "bench-deltas" } as const;
export type Pace = keyof typeof MODELS;
const DELTAS = 400;
const DELTAS_PER_SECOND = 400;

export const KEY_VARIABLE = "BENCH_API_KEY";
export const KEY = "bench-key-0123456789abcdef";

const WORDS = "It reads the notes, weighs what they say against the question and writes the answer down in order. ";

/** A tool call per round until the child has had its rounds, then the answer. */
export function turnFor(request: ModelRequest): Turn {
  const round = request.messages.filter((message) => message.role === "tool").length;
  const pace = request.model === MODELS.deltas ? { deltas: DELTAS, tokensPerSecond: DELTAS_PER_SECOND } : {};
  const text = request.model === MODELS.deltas ? WORDS.repeat(16) : WORDS;
  const turn = { latencyMs: LATENCY_MS, usage: { input: 900, output: 120 }, ...pace };
  if (round >= TOOL_ROUNDS) return { ...turn, text: WORDS.repeat(16) };
  return { ...turn, text, toolCalls: [{ name: "read_file", input: { path: `notes-${round}.md` } }] };
}

/** The files that the children read, by name. */
export const FILES: Record<string, string> = Object.fromEntries(
  Array.from({ length: TOOL_ROUNDS }, (_, round) => [`notes-${round}.md`, `# Notes ${round}\n\n${WORDS.repeat(8)}\n`]),
);

export function goalOf(index: number): string {
  return `Task ${index}: read notes-0.md and notes-1.md, then say in a paragraph what they have in common.`;
}

/** The config of a Deputy with the scripted server as its only provider. */
export function configFor(baseUrl: string, most: number, toolsets?: readonly string[]): string {
  const models = Object.values(MODELS).map(
    (model) => `      ${model}: { context_window: 200000, max_output_tokens: 8000, price: { input: 1, output: 2 } }\n`,
  );
  return `provider: bench
model: ${MODELS.plain}
providers:
  bench:
    base_url: ${baseUrl}
    api_mode: chat_completions
    api_key: \${${KEY_VARIABLE}}
    models:
${models.join("")}delegation:
  max_concurrent_children: ${most}
  max_tasks_per_call: ${most}
${toolsets === undefined ? "" : `  toolsets: [${toolsets.join(", ")}]\n`}`;
}
