/**
 * Fault handlers: each maps a normal response to the steps that are performed instead. A new fault does not compile
 * until it has one.
 */
import type { ErrorFault, Fault } from "./faults.ts";
import type { ModelRequest } from "./model-request.ts";
import { type ResponseStep, written } from "./response-steps.ts";
import { countTokens, type ScriptedReply, type Turn } from "./turn.ts";
import type { WireError, WireFormat, WireFrame } from "./wire-format.ts";

/** A request with its scripted reply. */
export type Exchange = { wire: WireFormat; request: ModelRequest; turn: Turn; reply: ScriptedReply; requestId: string };

type FaultHandlers = {
  [Kind in Fault["kind"]]: (fault: Extract<Fault, { kind: Kind }>, exchange: Exchange) => ResponseStep[];
};

const FAULT_HANDLERS: FaultHandlers = {
  "rate-limited": injectError,
  "quota-exhausted": injectError,
  overloaded: injectError,
  unauthorized: injectError,
  "model-missing": injectError,
  "context-overflow": injectError,
  "effort-unsupported": injectError,
  "parameter-unsupported": injectError,

  refused: (fault, exchange) => {
    if (fault.as === "error")
      return errorSteps(exchange, exchange.wire.error({ kind: "prompt-refused" }, exchange.request));
    return answered({
      ...exchange,
      reply: {
        ...exchange.reply,
        toolCalls: [],
        finish: "refused",
        ...(fault.as === "message" && { text: [], reasoning: [], refusal: "I cannot help with that." }),
      },
    });
  },
  "reset-before-headers": () => [{ type: "reset" }],
  "reset-mid-stream": (fault, exchange) => {
    const { before } = cut(framesOf(exchange), fault.afterDeltas ?? 1);
    return [head(exchange), ...writtenIn(exchange, before), { type: "reset" }];
  },
  "no-end": (fault, exchange) => {
    const { before } = cut(framesOf(exchange), fault.afterDeltas ?? Number.POSITIVE_INFINITY);
    return [head(exchange), ...writtenIn(exchange, before), { type: "end" }];
  },
  silence: (fault, exchange) => {
    const pause: ResponseStep = fault.ms === undefined ? { type: "hang" } : { type: "wait", ms: fault.ms };
    if (fault.afterDeltas === undefined) return [pause, ...answered(exchange)];
    return interrupted(exchange, fault.afterDeltas, [pause]);
  },
  garbage: (fault, exchange) =>
    interrupted(exchange, fault.afterDeltas ?? 1, [
      { type: "write", data: 'data: {"half": an event\n\n::\ndata: ?\n\n' },
    ]),
  "half-tool-call": (_, exchange) => answered({ ...exchange, reply: withHalfACall(exchange.reply) }),
  html: (fault) =>
    document(
      fault.status ?? 200,
      "text/html; charset=utf-8",
      "<!doctype html><title>Sign in</title><h1>Sign in</h1>\n",
    ),
  empty: (_, exchange) =>
    answered({ ...exchange, reply: { ...exchange.reply, text: [], reasoning: [], toolCalls: [], finish: "stop" } }),
  "error-event": (fault, exchange) => {
    const error = exchange.wire.error(fault.error ?? { kind: "overloaded" }, exchange.request);
    if (!exchange.request.streaming) return errorSteps(exchange, error);
    const { before } = cut(framesOf(exchange), fault.afterDeltas ?? 1);
    const data = exchange.wire.errorFrame(error);
    return [head(exchange), ...writtenIn(exchange, before), { type: "write", data }, { type: "end" }];
  },
  "invalid-utf8": (_, exchange) => {
    const [first = "", ...rest] = exchange.reply.text;
    const marked = framesOf({ ...exchange, reply: { ...exchange.reply, text: [first + MARK, ...rest] } });
    return [head(exchange), { type: "write", data: withInvalidBytes(joined(marked)) }, { type: "end" }];
  },
  huge: (fault, exchange) => {
    const piece = "x".repeat(65_536);
    const text = Array.from({ length: Math.ceil(fault.bytes / piece.length) }, () => piece);
    return answered({ ...exchange, reply: { ...exchange.reply, text } });
  },
  "slow-drip": (fault, exchange) => {
    const bytes = bytesOf(joined(framesOf(exchange)), exchange);
    const size = fault.bytes ?? 16;
    const drops = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index): ResponseStep[] => [
      { type: "wait", ms: fault.everyMs },
      { type: "write", data: bytes.subarray(index * size, (index + 1) * size) },
    ]);
    return [head(exchange), ...drops.flat(), { type: "end" }];
  },
  redirect: (fault) => [
    { type: "head", status: fault.status ?? 302, headers: { location: fault.location } },
    { type: "end" },
  ],
  response: (fault) => [
    { type: "head", status: fault.status, headers: { "content-type": "application/json", ...fault.headers } },
    { type: "write", data: fault.body },
    { type: "end" },
  ],
};

/** The steps on the connection for this turn once its latency is over, including its fault. */
export function responseSteps(exchange: Exchange): ResponseStep[] {
  const { fault } = exchange.turn;
  if (fault === undefined) return inBytes(answered(exchange), exchange);
  const inject = FAULT_HANDLERS[fault.kind] as (fault: Fault, exchange: Exchange) => ResponseStep[];
  return inBytes(inject(fault, exchange), exchange);
}

export function errorSteps(
  { wire, requestId }: Pick<Exchange, "wire" | "requestId">,
  error: WireError,
): ResponseStep[] {
  return document(error.status, "application/json", wire.errorBody(error, requestId), {
    ...wire.headers(requestId),
    ...error.headers,
  });
}

function injectError(fault: ErrorFault, exchange: Exchange): ResponseStep[] {
  return errorSteps(exchange, exchange.wire.error(fault, exchange.request));
}

function document(status: number, type: string, body: string, headers: Record<string, string> = {}): ResponseStep[] {
  return [
    { type: "head", status, headers: { ...headers, "content-type": type } },
    { type: "write", data: body },
    { type: "end" },
  ];
}

function answered(exchange: Exchange): ResponseStep[] {
  return [head(exchange), ...writtenIn(exchange, framesOf(exchange)), { type: "end" }];
}

/** The whole response, with something in the middle of it. */
function interrupted(exchange: Exchange, afterDeltas: number, between: ResponseStep[]): ResponseStep[] {
  const { before, after } = cut(framesOf(exchange), afterDeltas);
  return [head(exchange), ...writtenIn(exchange, before), ...between, ...writtenIn(exchange, after), { type: "end" }];
}

function head({ wire, request, requestId }: Exchange): ResponseStep {
  const type = request.streaming ? (wire.binary ?? "text/event-stream; charset=utf-8") : "application/json";
  return { type: "head", status: 200, headers: { ...wire.headers(requestId), "content-type": type } };
}

/** A document that is not streamed is split into two frames, so that every fault has a middle to happen in. */
function framesOf({ wire, request, reply }: Exchange): WireFrame[] {
  if (request.streaming) return wire.stream(reply, request);
  const whole = wire.whole(reply, request);
  const middle = Math.floor(whole.length / 2);
  return [
    { data: whole.slice(0, middle), delta: true },
    { data: whole.slice(middle), delta: false },
  ];
}

function writtenIn({ turn, reply }: Exchange, frames: WireFrame[]): ResponseStep[] {
  if (turn.tokensPerSecond === undefined) return written(frames, 0);
  const tokensPerDelta = countTokens(turn.text ?? "") / Math.max(1, reply.text.length);
  return written(frames, (tokensPerDelta / turn.tokensPerSecond) * 1000);
}

/** Splits after the nth delta, or after the last one if there are fewer. */
function cut(frames: WireFrame[], deltas: number): { before: WireFrame[]; after: WireFrame[] } {
  let edge = 0;
  let seen = 0;
  for (const [index, frame] of frames.entries()) {
    if (!frame.delta) continue;
    if (deltas === 0) edge = index;
    if (seen === deltas) break;
    seen += 1;
    edge = index + 1;
  }
  return { before: frames.slice(0, edge), after: frames.slice(edge) };
}

function withHalfACall(reply: ScriptedReply): ScriptedReply {
  const last = reply.toolCalls.at(-1);
  if (last === undefined) throw new Error("The fault half-tool-call needs a turn with a tool call; this one has none.");
  const argumentsText = last.argumentsText.slice(0, Math.ceil(last.argumentsText.length / 2));
  return { ...reply, toolCalls: [...reply.toolCalls.slice(0, -1), { ...last, argumentsText }] };
}

function joined(frames: WireFrame[]): string {
  return frames.map(({ data }) => data).join("");
}

function bytesOf(text: string, { wire, request }: Exchange): Buffer {
  return Buffer.from(text, wire.binary !== undefined && request.streaming ? "latin1" : "utf8");
}

/** The texts of a binary stream, as bytes. */
function inBytes(steps: ResponseStep[], exchange: Exchange): ResponseStep[] {
  if (exchange.wire.binary === undefined || !exchange.request.streaming) return steps;
  return steps.map((step) =>
    step.type === "write" && typeof step.data === "string" ? { ...step, data: bytesOf(step.data, exchange) } : step,
  );
}

/** Marks the invalid bytes until the text becomes bytes; JSON leaves it unchanged. */
const MARK = "\uffff";

function withInvalidBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const mark = Buffer.from(MARK);
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at)) bytes.set([0xff, 0xfe, 0xc0], at);
  return bytes;
}
