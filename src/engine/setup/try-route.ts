/**
 * Tries a route with two real, short requests: a tool call, so that everything a model returns is sent back once,
 * and an answer. Shows what a run would encounter, and what differs from what Deputy knows about the endpoint.
 */
import { z } from "zod";
import type { Message } from "../../child/message.ts";
import { createModel, type Model } from "../../child/wire/model.ts";
import type { Reply } from "../../child/wire/reply/reply.ts";
import { isSameModel } from "../../child/wire/reply/served-model.ts";
import type { Clock } from "../../clock.ts";
import { DeputyError, type Failure } from "../../errors.ts";
import type { Part, Usage } from "../../event.ts";
import type { Route } from "../../route.ts";
import type { Access, Lease } from "../../secret.ts";
import type { Tool } from "../../tool.ts";
import { present } from "../../values/present.ts";
import { openTransport } from "./open-transport.ts";
import { createSetups, type SetupPlace, type WholeSetup } from "./setup.ts";

/** Longest silence before a request counts as stalled, in milliseconds. */
const STALL_MS = 60_000;
/** Limit on output tokens if a run would send one, with room for reasoning. */
const MAX_OUTPUT_TOKENS = 4_096;

const SYSTEM = "You are being tested. Follow the instructions exactly.";
const TASK = 'Call the tool `echo` with the word "river". When you have its result, answer with that one word only.';
const RESULT = "river";

export type RouteTrial = {
  route: Route;
  keyName?: string;
  /** Answered requests, in order. */
  answers: TrialAnswer[];
  /** The failure of the request that was not answered. */
  failure?: Failure;
};

export type TrialAnswer = {
  text: string;
  /** Whether it called the tool; `malformed`: with other arguments than it was asked for. */
  call: "none" | "made" | "malformed";
  hasReasoning: boolean;
  usage?: Usage;
  servedModel?: string;
  isSameModel: boolean;
  /** Facts about the endpoint that Deputy did not know. */
  warnings: string[];
  durationMs: number;
};

/** @param model as in a task @throws DeputyError `nothing-to-run` if it has no route */
export async function tryRoute(
  place: SetupPlace,
  model: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<RouteTrial> {
  const setup = createSetups(place)();
  const route = routeOf(setup, model, place.cwd);
  const transport = openTransport(place.env);
  try {
    const lease = await setup.lease(route, signal);
    return await talk({ route, lease, model: createModel({ transport, clock }), clock }, signal);
  } finally {
    await transport.close();
  }
}

function routeOf(setup: WholeSetup, model: string, cwd: string): Route {
  const [planned] = setup.plan({ tasks: [{ goal: TASK, model }] }, { cwd }).planned;
  if (planned === undefined) throw new Error("a plan without its task");
  if ("route" in planned) return planned.route;
  throw new DeputyError("nothing-to-run", planned.problem.message, { details: planned.problem });
}

type TrialDeps = { route: Route; lease: Lease; model: Model; clock: Clock };

async function talk(deps: TrialDeps, signal: AbortSignal): Promise<RouteTrial> {
  const { route, lease } = deps;
  const trial: RouteTrial = { route, ...present({ keyName: lease.keyName }), answers: [] };
  if ("failure" in lease) return { ...trial, failure: lease.failure };
  const messages: Message[] = [{ role: "user", text: TASK }];
  for (let round = 1; round <= 2; round++) {
    const startedAt = deps.clock.elapsed();
    const reply = await ask({ ...deps, access: lease.access }, messages, signal);
    if (!reply.ok) return { ...trial, failure: reply.failure };
    trial.answers.push(answerOf(reply, route, deps.clock.elapsed() - startedAt));
    const calls = reply.parts.filter((part) => part.type === "tool-call");
    if (calls.length === 0) break;
    messages.push({ role: "assistant", provider: route.provider, parts: reply.parts });
    for (const { callId, name } of calls) messages.push({ role: "tool", callId, name, text: RESULT, ok: true });
  }
  return trial;
}

function ask(
  { route, access, model }: TrialDeps & { access: Access },
  messages: Message[],
  signal: AbortSignal,
): Promise<Reply> {
  const { maxOutputTokens: limit } = route.facts;
  return model(
    {
      route,
      access,
      system: SYSTEM,
      messages,
      images: [],
      tools: route.facts.tools === false ? [] : [ECHO],
      mustAnswer: false,
      ...present({ maxOutputTokens: limit && Math.min(limit, MAX_OUTPUT_TOKENS) }),
      stallMs: STALL_MS,
    },
    signal,
    () => {},
  );
}

function answerOf({ parts, usage, servedModel, warnings }: Reply & { ok: true }, route: Route, durationMs: number) {
  return {
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    call: callIn(parts),
    hasReasoning: parts.some(({ type }) => type === "reasoning"),
    ...present({ usage, servedModel }),
    isSameModel:
      servedModel === undefined ||
      isSameModel(route.model, servedModel, { provider: route.provider, baseUrl: route.endpoint.baseUrl }),
    warnings: warnings.map(({ message }) => message),
    durationMs,
  } satisfies TrialAnswer;
}

function callIn(parts: readonly Part[]): TrialAnswer["call"] {
  const calls = parts.filter((part) => part.type === "tool-call");
  if (calls.length === 0) return "none";
  const isAsAsked = calls.every(({ name, input }) => name === ECHO.name && ECHO.input.safeParse(input).success);
  return isAsAsked ? "made" : "malformed";
}

/** Never runs: its result is known. */
const ECHO: Tool = {
  name: "echo",
  description: "Returns the word that it is given.",
  effect: "read",
  input: z.strictObject({ word: z.string().describe("The word.") }),
  subject: () => ({ target: "", otherwise: "allow" }),
  run: async () => ({ text: RESULT, ok: true }),
};
