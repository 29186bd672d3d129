/** A child on its own stage: a scripted model, tools that are functions, no time, no network. */
import { z } from "zod";
import type { ChildDeps, ChildInput, StopReason } from "../../src/child/child.ts";
import { distinctId } from "../../src/child/compaction/state.ts";
import { runChild } from "../../src/child/loop.ts";
import { createSchemaChecker } from "../../src/child/schema/schema-checker.ts";
import type { Model, WrittenRequest } from "../../src/child/wire/model.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ModelCall } from "../../src/child/wire/request/request.ts";
import type { FailureKind } from "../../src/errors.ts";
import type { ChildEvent, LiveEvent, Part } from "../../src/event.ts";
import type { Ready } from "../../src/plan.ts";
import { applyToStats, createChildStats, type Result, resultOf } from "../../src/result.ts";
import type { Route } from "../../src/route.ts";
import type { Lease } from "../../src/secret.ts";
import type { Tool } from "../../src/tool.ts";
import { createRecall, type EarlierResult } from "../../src/tools/recall.ts";
import { createCommandExecutor } from "../../src/tools/terminal/command-executor.ts";

export function route(provider: string, model: string, more: Partial<Route> = {}): Route {
  return {
    provider,
    model,
    endpoint: { baseUrl: `https://${provider}.test/v1`, apiMode: "chat_completions" },
    keyName: `${provider.toUpperCase()}_API_KEY`,
    facts: {},
    requested: { provider, model },
    chosenBy: { provider: "task", model: "task" },
    fallbacks: [],
    warnings: [],
    ...more,
  };
}

export function ready(more: Partial<Ready> = {}): Ready {
  return {
    task: { goal: "Do it." },
    route: route("zai", "glm-4.7"),
    limits: { maxIterations: 50, timeoutMs: 0, stallMs: 0 },
    toolsets: [],
    workspace: "/work",
    ...more,
  };
}

/** The route's only key. */
export function leaseOf({ keyName }: Route): Lease {
  return {
    access: { headers: {}, redact: (text) => text },
    ...(keyName !== undefined && { keyName }),
    release: () => {},
    availability: ({ retryAfterMs, kind }) => ({
      another: false,
      backInMs: retryAfterMs ?? 0,
      kind,
      isTold: retryAfterMs !== undefined,
    }),
  };
}

/** A reply in which the model answers. */
export function says(text: string, more: Partial<Reply & { ok: true }> = {}): Reply {
  const usage = { input: 10, output: 5, cached: 0, reasoning: 0 };
  return { ok: true, parts: [{ type: "text", text }], finish: "stop", usage, warnings: [], ...more };
}

/** A reply in which the model calls tools: pairs of a name and its input. */
export function calls(...wanted: [name: string, input: unknown][]): Reply {
  const parts: Part[] = wanted.map(([name, input], index) => ({
    type: "tool-call",
    callId: `call-${name}-${index}-${JSON.stringify(input)}`,
    name,
    input,
  }));
  return says("", { parts, finish: "tool-calls" });
}

export function fails(kind: FailureKind, more: Partial<Reply & { ok: false }> = {}): Reply {
  return { ok: false, failure: { kind, message: `it failed: ${kind}` }, partialText: "", charged: false, ...more };
}

/** A tool that is a function of its `word`. */
export function tool(name: string, effect: Tool["effect"], run: (word: string) => string | Promise<string>): Tool {
  const input = z.object({ word: z.string() });
  return {
    name,
    description: name,
    effect,
    input,
    subject: (value) => ({ target: (value as { word: string }).word, otherwise: "allow" }),
    run: async (value) => ({ ok: true, text: await run((value as { word: string }).word) }),
  };
}

export type Staged = {
  planned?: Partial<Ready>;
  past?: ChildEvent[];
  images?: ChildInput["images"];
  tools?: Tool[];
  deps?: Partial<ChildDeps>;
  signal?: AbortSignal;
  /** Called with each request, before it is answered. */
  onRequest?: (request: ModelCall) => void;
};

export type Played = {
  result: Result;
  events: (ChildEvent | LiveEvent)[];
  stored: ChildEvent[];
  requests: ModelCall[];
};

/** Runs a child against replies in order, or as a function gives them. A request beyond the last reply is an error. */
export async function play(
  replies: Reply[] | ((request: ModelCall, index: number) => Reply),
  staged: Staged = {},
): Promise<Played> {
  const requests: ModelCall[] = [];
  const model: Model = async (request, _signal, show, beforeSend) => {
    await beforeSend?.(written(request));
    requests.push({ ...request, messages: [...request.messages] });
    staged.onRequest?.(request);
    const index = requests.length - 1;
    const reply = typeof replies === "function" ? replies(request, index) : replies[index];
    if (reply === undefined) throw new Error(`request ${requests.length} was not expected`);
    const text = reply.ok ? textOf(reply.parts) : reply.partialText;
    if (text !== "") show({ type: "text", text });
    return reply;
  };
  let now = 1_000;
  const input: ChildInput = {
    delegationId: "d",
    childId: "d.1",
    taskIndex: 0,
    planned: ready(staged.planned),
    prompt: { system: "system", user: "Do it." },
    warnings: [],
    images: staged.images ?? [],
    past: staged.past ?? [],
    earlierMs: 0,
  };
  const events: (ChildEvent | LiveEvent)[] = [];
  const stored: ChildEvent[] = [];
  const deps: ChildDeps = {
    clock: { now: () => now++, elapsed: () => now++, sleep: async () => {}, after: () => () => {} },
    model,
    tools: staged.tools ?? [],
    commands: createCommandExecutor(),
    recall: createRecall({
      resultsOf: async () => resultsIn([...input.past, ...stored]),
      imageOf: async () => undefined,
    }),
    permissions: { rules: [], otherwise: "ask" },
    explainBug: String,
    approve: async () => ({ allowed: false, by: "nobody", reason: "nobody can answer" }),
    answerBy: () => undefined,
    isWarned: () => false,
    steered: () => undefined,
    lease: async (wanted) => leaseOf(wanted),
    price: () => 0.001,
    reserve: async () => ({ commit: () => {}, commitWorstCase: () => {}, release: () => {} }),
    budgetUsd: () => undefined,
    limitsLeft: () => [],
    recover: () => ({ action: "give-up" }),
    pause: async () => {},
    sleepUntil: async () => {},
    admit: async () => ({ accepted: () => {}, end: () => {} }),
    show: (event) => events.push(event),
    keep: () => {},
    schemas: createSchemaChecker(),
    onServedMismatch: "warn",
    ...staged.deps,
  };
  for await (const event of runChild(input, deps, staged.signal ?? new AbortController().signal)) {
    events.push(event);
    stored.push(event);
  }
  return { result: resultAfter(input, [...input.past, ...stored]), events, stored, requests };
}

/** What a wire would write of it. */
export function written({ system, messages }: ModelCall): WrittenRequest {
  const body = JSON.stringify({ system, messages });
  return {
    url: "https://zai.test/v1/chat/completions",
    headers: {},
    body,
    toolList: { tools: [], sha256: "" },
    leftOut: [],
  };
}

function resultsIn(events: readonly ChildEvent[]): EarlierResult[] {
  const counts = new Map<string, number>();
  return events.flatMap((event) =>
    event.kind === "tool-end" ? [{ ...event, ref: distinctId(counts, event.callId) }] : [],
  );
}

function resultAfter({ childId, taskIndex, planned }: ChildInput, events: readonly ChildEvent[]): Result {
  const stats = createChildStats(childId, taskIndex, planned);
  for (const event of events) applyToStats(stats, event);
  return resultOf(stats);
}

function textOf(parts: Part[]): string {
  return parts.map((part) => (part.type === "text" ? part.text : "")).join("");
}

export function stopSignal(reason: StopReason): AbortSignal {
  return AbortSignal.abort(reason);
}
