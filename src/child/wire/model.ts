/**
 * One model request over the wire: takes a route and a conversation, and shows the model's response as it arrives. The
 * provider packages speak the four wire formats; retries, limits and money are up to the caller.
 */
import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import type { Failure } from "../../errors.ts";
import type { Route } from "../../route.ts";
import type { Access } from "../../secret.ts";
import type { Tool } from "../../tool.ts";
import { mapTexts } from "../../values/record.ts";
import type { Dialect } from "./dialect/dialect.ts";
import { dialectOf } from "./dialect/dialect-of.ts";
import { failureOf } from "./failure/failure.ts";
import { buildReply, failedReply, type Reply } from "./reply/reply.ts";
import { accumulate, createReplyBuilder, type Delta, flush, type StreamPart } from "./reply/reply-builder.ts";
import { withoutRejectedParameters } from "./request/parameter-retry.ts";
import type { RejectedParameter } from "./request/rejected-parameters.ts";
import { callOptions, type ModelCall, outputLimit } from "./request/request.ts";
import { toolSchema } from "./request/tool-schema.ts";
import { type StallTimer, startStallTimer } from "./stall-timer.ts";
import { AnswerTooLarge, type Transport } from "./transport.ts";
import { openWire, type Wire } from "./wire.ts";

/** Minimum interval between live updates, in milliseconds. */
const DELTA_MS = 25;

/** Maximum length of an answer and its reasoning, in characters: what is kept in memory and sent back. */
const MAX_SPOKEN = 16 * 1024 * 1024;

/** Never rejects. @param show receives the live text, in pieces */
export type Model = (request: ModelCall, signal: AbortSignal, show: (delta: Delta) => void) => Promise<Reply>;

/** A model at an endpoint: what it does differently, and what it was seen to reject. */
type Peer = { dialect: Dialect; rejected: RejectedParameter[] };

export function createModel({ transport, clock }: { transport: Transport; clock: Clock }): Model {
  const wires = new WeakMap<Access, Map<string, Promise<Wire>>>();
  const peers = new Map<string, Peer>();
  const toolSpecs = new WeakMap<z.ZodType, Map<string, LanguageModelV4FunctionTool>>();

  function connect(route: Route, access: Access): { wire: Promise<Wire>; peer: Peer } {
    const { provider, model, endpoint } = route;
    const name = `${provider} ${endpoint.apiMode} ${endpoint.baseUrl} ${model}`;
    const peer = getOrMake(peers, name, () => ({ dialect: dialectOf(route), rejected: [] }));
    const opened = getOrMake(wires, access, () => new Map<string, Promise<Wire>>());
    const open = () => {
      const fetch = withoutRejectedParameters(
        transport.fetchFor(endpoint.baseUrl, access),
        peer.rejected,
        outputLimit(route),
      );
      return openWire(route, peer.dialect, fetch);
    };
    return { wire: getOrMake(opened, name, open), peer };
  }

  function toolSpec(tool: Tool, subset: Dialect["toolSchema"]): LanguageModelV4FunctionTool {
    const ofTool = getOrMake(toolSpecs, tool.input, () => new Map<string, LanguageModelV4FunctionTool>());
    return getOrMake(ofTool, subset, () => ({
      type: "function",
      name: tool.name,
      description: tool.description,
      inputSchema: toolSchema(
        z.toJSONSchema(tool.input, { io: "input" }),
        subset,
      ) as LanguageModelV4FunctionTool["inputSchema"],
    }));
  }

  return async function ask(request, signal, show) {
    const { route, access, stallMs } = request;
    const builder = createReplyBuilder(request.tools.map(({ name }) => name));
    const stall = startStallTimer(clock, stallMs, signal);
    let lastShownAt = clock.elapsed();
    let spokenCharacters = 0;

    function receive(part: StreamPart): void {
      if ("delta" in part) spokenCharacters += part.delta.length;
      if (spokenCharacters > MAX_SPOKEN) throw new AnswerTooLarge(MAX_SPOKEN);
      accumulate(builder, part);
      if (builder.pending.length > 0 && clock.elapsed() - lastShownAt >= DELTA_MS) showPending(false);
    }

    function showPending(isOver: boolean): void {
      lastShownAt = clock.elapsed();
      for (const { type, text } of flush(builder, isOver)) show({ type, text: access.redact(text) });
    }

    try {
      const { wire: opening, peer } = connect(route, access);
      const { dialect, rejected } = peer;
      const wire = await opening;
      const tools = request.tools.map((tool) => toolSpec(tool, dialect.toolSchema));
      await wire(callOptions(request, dialect, tools, stall.signal), receive, stall.onActivity);
      showPending(true);
      const answerer = {
        who: nameOf(route),
        asked: request,
        apiMode: route.endpoint.apiMode,
        now: clock.now(),
        redact: access.redact,
        sumHoldsReasoning: dialect.sumHoldsReasoning,
        rejected,
      };
      return redacted(buildReply(builder, answerer), access);
    } catch (error) {
      return redacted(failedReply(builder, thrown(error, stall.stalledFor(), signal, request, clock.now())), access);
    } finally {
      stall.stop();
    }
  };
}

/** A route's name in messages: `glm-4.7 @ zai`. */
export function nameOf(route: Route): string {
  return `${route.model} @ ${route.provider}`;
}

type Stall = ReturnType<StallTimer["stalledFor"]>;

function thrown(error: unknown, stall: Stall, signal: AbortSignal, request: ModelCall, now: number): Failure {
  const who = nameOf(request.route);
  if (signal.aborted) return { kind: "aborted", message: `The request to ${who} was aborted.` };
  if (stall !== undefined) return { kind: "stalled", message: `${who} ${silence(stall)}.` };
  return failureOf(error, who, now, request.access.redact, request);
}

function silence({ ms, hadSignsOfLife }: NonNullable<Stall>): string {
  return hadSignsOfLife ? `sent signs of life but no content for ${ms / 1000} s` : `was silent for ${ms / 1000} s`;
}

/** Maximum length kept of a cut-off answer, in characters. */
const MAX_PARTIAL = 200_000;

/** Redacts a reply before it is kept, wherever a provider may repeat a key. */
function redacted(reply: Reply, { redact }: Access): Reply {
  const clean = mapTexts(reply, (text) => redact(text)) as Reply;
  if (clean.ok || clean.partialText.length <= MAX_PARTIAL) return clean;
  const cut = `… (cut: the answer was cut off after ${clean.partialText.length} characters)`;
  return { ...clean, partialText: clean.partialText.slice(0, MAX_PARTIAL) + cut };
}

type Cache<Key, Value> = { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown };

function getOrMake<Key, Value>(cache: Cache<Key, Value>, key: Key, make: () => Value): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
