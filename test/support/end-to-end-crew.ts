/**
 * A crew of children that change things: each reads a file, writes another, appends to a log with a command, and
 * answers. Their models are stateless: each step follows from the conversation they receive. After an unknown outcome
 * they check, and repeat only what did not happen.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelRequest, Turn, TurnToolCall } from "../../src/testing/index.ts";
import { type Slug, taskOf } from "./end-to-end.ts";

export const CREW_SIZE = 14;
/** The concurrency limit; the others wait. */
export const CREW_CONCURRENCY = 6;
export const CREW_SLUGS = ["zai", "anthropic", "gemini"] as const satisfies Slug[];

const MODELS = { zai: "glm-4.7", anthropic: "claude-sonnet-5", gemini: "gemini-3.8-flash" };
const LATENCY_MS = 20;

/** The task file of the crew. */
export function crewTasks(): object {
  const tasks = Array.from({ length: CREW_SIZE }, (_, index) => {
    const slug = CREW_SLUGS[index % CREW_SLUGS.length] ?? "zai";
    return { goal: `Work order ${nameOf(index)}`, model: MODELS[slug], provider: slug };
  });
  return { tasks };
}

/** Creates the crew's input. */
export function prepareWorkspace(path: string): void {
  for (const directory of ["input", "output", "log"]) mkdirSync(join(path, directory), { recursive: true });
  for (let index = 0; index < CREW_SIZE; index++) {
    writeFileSync(join(path, "input", `${nameOf(index)}.txt`), `material ${index * 7919}\n`);
  }
}

/** Every file and directory of a workspace with its content, except drafts left by a killed write. */
export function snapshot(path: string): Record<string, string> {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).filter(
    (name) => !/(^|\/)\.deputy-[^/]*\.tmp$/.test(name),
  );
  return Object.fromEntries(
    names.sort().map((name) => {
      const file = join(path, name);
      return [name, statSync(file).isDirectory() ? "directory" : readFileSync(file, "utf8")];
    }),
  );
}

function nameOf(index: number): string {
  return String(index + 1).padStart(2, "0");
}

/** A call and its result. */
type Deed = { name: string; input: Record<string, unknown>; text: string };
type State = "to-do" | "unsure" | "done";

const INTERRUPTED = /^Deputy was interrupted while this ran/;

/** A crew model's answer, which depends only on the request. */
export function crewAnswer(request: ModelRequest): Turn {
  const [, order = ""] = /^Work order (\d+)$/.exec(taskOf(request)) ?? [];
  const deeds = deedsOf(request);
  const material = deeds.map(({ text }) => /material \d+/.exec(text)?.[0]).find((found) => found !== undefined);
  if (material === undefined) return call({ name: "read_file", input: { path: `input/${order}.txt` } });

  const write = {
    name: "write_file",
    input: { path: `output/${order}.txt`, content: `made of ${material}\n` },
    proof: `made of ${material}`,
    evidence: `output/${order}.txt`,
  };
  const append = {
    name: "terminal",
    input: { command: commandOf(order) },
    proof: `finished ${order}`,
    evidence: `log/${order}.txt`,
  };
  const states = [write, append].map((work) => ({ work, state: stateOf(work, deeds) }));
  const looks = states
    .filter(({ state }) => state === "unsure")
    .map(({ work }) => ({ name: "read_file", input: { path: work.evidence } }));
  if (looks.length > 0) return call(...looks);
  const [next, ...further] = states.filter(({ state }) => state === "to-do").map(({ work }) => work);
  if (next === undefined) return { text: `Order ${order} is done: ${material}.`, latencyMs: LATENCY_MS };
  return call(next, ...(asksForAllAtOnce(order) ? further : []));
}

/** Some of them make both calls in one answer. */
function asksForAllAtOnce(order: string): boolean {
  return Number(order) % 3 === 0;
}

/** Leaves a process running that must end with the program; in some tasks in a separate process group. */
function commandOf(order: string): string {
  const lingerer = Number(order) % 5 === 0 ? "timeout 60 sleep 60" : "sleep 60";
  return `${lingerer} & mkdir -p made/${order} && sleep 0.05 && echo "finished ${order}" >> log/${order}.txt`;
}

function call(...calls: TurnToolCall[]): Turn {
  return { toolCalls: calls.map(({ name, input }) => ({ name, input })), latencyMs: LATENCY_MS };
}

/** Every call of the conversation with its result. */
function deedsOf({ messages }: ModelRequest): Deed[] {
  const results = messages.flatMap(({ toolResults }) => toolResults);
  const calls = messages.flatMap(({ toolCalls }) => toolCalls);
  return calls.map(({ id, name, input }) => {
    const result = results.find((other) => other.id === id) ?? assert.fail(`${name} has no result`);
    return { name, input: input as Deed["input"], text: result.text };
  });
}

/** The known state of a piece of work after all calls and checks. */
function stateOf(work: { name: string; proof: string; evidence: string }, deeds: readonly Deed[]): State {
  return deeds.reduce<State>((state, deed) => {
    if (deed.name === work.name) return INTERRUPTED.test(deed.text) ? "unsure" : "done";
    if (deed.name === "read_file" && deed.input.path === work.evidence)
      return deed.text.includes(work.proof) ? "done" : "to-do";
    return state;
  }, "to-do");
}
