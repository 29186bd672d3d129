/**
 * One model request over the wire: takes a route and a conversation, and shows the model's response as it arrives. The
 * provider packages speak the four wire formats; retries, limits and money are up to the caller.
 */
import type { Clock } from "../../clock.ts";
import type { Failure } from "../../errors.ts";
import type { RejectedParameter } from "../../event.ts";
import { type Route, routeName } from "../../route.ts";
import type { Access } from "../../secret.ts";
import { getOrMake } from "../../values/get-or-make.ts";
import { mapTexts } from "../../values/record.ts";
import type { Dialect } from "./dialect/dialect.ts";
import { dialectOf } from "./dialect/dialect-of.ts";
import { failureOf } from "./failure/failure.ts";
import { openWire } from "./open-wire.ts";
import { buildReply, failedReply, type Reply } from "./reply/reply.ts";
import { accumulate, createReplyBuilder, type Delta, flush, type StreamPart } from "./reply/reply-builder.ts";
import { withoutRejectedParameters } from "./request/parameter-retry.ts";
import { callOptions, type ModelCall, outputLimit } from "./request/request.ts";
import { createToolLists, type ToolList } from "./request/tool-list.ts";
import { type StallTimer, startStallTimer } from "./stall-timer.ts";
import { AnswerTooLarge, type Fetch, type Transport } from "./transport.ts";
import type { Wire } from "./wire.ts";

/** Minimum interval between live updates, in milliseconds. */
const DELTA_MS = 25;

/** Maximum length of an answer and its reasoning, in characters: what is kept in memory and sent back. */
const MAX_SPOKEN = 16 * 1024 * 1024;

/**
 * Never rejects. @param show receives the live text, in pieces @param beforeSend is awaited once, before anything is
 * sent; if it throws, nothing is
 */
export type Model = (
  request: ModelCall,
  signal: AbortSignal,
  show: (delta: Delta) => void,
  beforeSend?: (written: WrittenRequest) => Promise<void>,
) => Promise<Reply>;

/** A request as it is about to be sent, without its key. */
export type WrittenRequest = {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** The tools that it offers. */
  toolList: ToolList;
  /** Optional parameters that its route has rejected before. */
  leftOut: readonly RejectedParameter[];
};

type Written = Pick<WrittenRequest, "url" | "headers" | "body">;

/** A model at an endpoint: its wire, its dialect, and the parameters that it was seen to reject. */
type Peer = { dialect: Dialect; rejected: RejectedParameter[]; wire: Promise<Wire> };

export function createModel({ transport, clock }: { transport: Transport; clock: Clock }): Model {
  const peers = new Map<string, Peer>();
  const toolLists = createToolLists();

  function peerOf(route: Route): Peer {
    const { provider, model, endpoint } = route;
    return getOrMake(peers, `${provider} ${endpoint.apiMode} ${endpoint.baseUrl} ${model}`, () => {
      const dialect = dialectOf(route);
      return { dialect, rejected: [], wire: openWire(route, dialect) };
    });
  }

  return async function ask(request, signal, show, beforeSend = async () => {}) {
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

    const { dialect, rejected, wire: opening } = peerOf(route);
    let isUnsent = false;
    const finished = (reply: Reply) =>
      redacted({ ...reply, ...(rejected.length > 0 && { leftOut: [...rejected] }) }, access);
    try {
      const wire = await opening;
      const toolList = request.toolList ?? toolLists(request.tools, dialect.toolSchema);
      const announce = async (written: Written) => {
        await beforeSend({ ...written, toolList, leftOut: [...rejected] });
        isUnsent = signal.aborted;
        signal.throwIfAborted();
      };
      const sending = announcing(transport.fetchFor(route.endpoint.baseUrl, access), announce);
      learn(rejected, request.leftOut);
      const fetch = withoutRejectedParameters(sending, rejected, outputLimit(route));
      await wire(callOptions(request, dialect, toolList.tools, stall.signal), fetch, receive, stall.onActivity);
      showPending(true);
      const answerer = {
        who: routeName(route),
        asked: request,
        apiMode: route.endpoint.apiMode,
        mayCall: !request.mustAnswer,
        now: clock.now(),
        redact: access.redact,
        sumHoldsReasoning: dialect.sumHoldsReasoning,
        rejected,
      };
      return finished(buildReply(builder, answerer));
    } catch (error) {
      const reply = failedReply(builder, thrown(error, stall.stalledFor(), signal, request, clock.now()));
      return finished(isUnsent ? { ...reply, charged: false, isUnsent } : reply);
    } finally {
      stall.stop();
    }
  };
}

/** Adds the parameters that were rejected earlier in the conversation, in another process. */
function learn(rejected: RejectedParameter[], earlier: readonly RejectedParameter[] = []): void {
  const unknown = earlier.filter(({ parameter }) => rejected.every((known) => known.parameter !== parameter));
  rejected.push(...unknown);
}

/** A `fetch` that announces its first request, and waits until that was recorded. */
function announcing(fetch: Fetch, announce: (written: Written) => Promise<void>): Fetch {
  let isAnnounced = false;
  return async (input, init = {}) => {
    if (!isAnnounced) {
      isAnnounced = true;
      // The provider packages pass plain objects.
      const headers = { ...(init.headers as Record<string, string>) };
      await announce({ url: String(input), headers, body: String(init.body) });
    }
    return fetch(input, init);
  };
}

type Stall = ReturnType<StallTimer["stalledFor"]>;

function thrown(error: unknown, stall: Stall, signal: AbortSignal, request: ModelCall, now: number): Failure {
  const who = routeName(request.route);
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
