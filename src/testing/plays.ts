/**
 * How each fault is played: a function from the answer that would have been to the moves that are made instead. A new
 * fault does not compile until it has one.
 */
import type { ErrorFault, Fault } from "./faults.ts";
import type { ModelRequest } from "./model-request.ts";
import { type Move, written } from "./moves.ts";
import { countTokens, type Reply, type Turn } from "./turn.ts";
import type { Frame, Wire, WireError } from "./wire.ts";

/** Who answers what to whom. */
export type Scene = { wire: Wire; request: ModelRequest; turn: Turn; reply: Reply; requestId: string };

type Plays = { [Kind in Fault["kind"]]: (fault: Extract<Fault, { kind: Kind }>, scene: Scene) => Move[] };

const PLAYS: Plays = {
  "rate-limited": playError,
  "quota-exhausted": playError,
  overloaded: playError,
  unauthorized: playError,
  "model-missing": playError,
  "context-overflow": playError,
  "effort-unsupported": playError,
  "parameter-unsupported": playError,

  refused: (fault, scene) =>
    answered({
      ...scene,
      reply: {
        ...scene.reply,
        toolCalls: [],
        finish: "refused",
        ...(fault.as === "message" && { text: [], reasoning: [], refusal: "I cannot help with that." }),
      },
    }),
  "reset-before-headers": () => [{ move: "reset" }],
  "reset-mid-stream": (fault, scene) => {
    const { before } = cut(framesOf(scene), fault.afterDeltas ?? 1);
    return [head(scene), ...writtenIn(scene, before), { move: "reset" }];
  },
  "no-end": (fault, scene) => {
    const { before } = cut(framesOf(scene), fault.afterDeltas ?? Number.POSITIVE_INFINITY);
    return [head(scene), ...writtenIn(scene, before), { move: "end" }];
  },
  silence: (fault, scene) => {
    const pause: Move = fault.ms === undefined ? { move: "hang" } : { move: "wait", ms: fault.ms };
    if (fault.afterDeltas === undefined) return [pause, ...answered(scene)];
    return interrupted(scene, fault.afterDeltas, [pause]);
  },
  garbage: (fault, scene) =>
    interrupted(scene, fault.afterDeltas ?? 1, [{ move: "write", data: 'data: {"half": an event\n\n::\ndata: ?\n\n' }]),
  "half-tool-call": (_, scene) => answered({ ...scene, reply: withHalfACall(scene.reply) }),
  html: (fault) =>
    document(
      fault.status ?? 200,
      "text/html; charset=utf-8",
      "<!doctype html><title>Sign in</title><h1>Sign in</h1>\n",
    ),
  empty: (_, scene) =>
    answered({ ...scene, reply: { ...scene.reply, text: [], reasoning: [], toolCalls: [], finish: "stop" } }),
  "error-event": (fault, scene) => {
    const error = scene.wire.error(fault.error ?? { kind: "overloaded" }, scene.request);
    if (!scene.request.streaming) return errorMoves(scene, error);
    const { before } = cut(framesOf(scene), fault.afterDeltas ?? 1);
    const data = scene.wire.errorFrame(error);
    return [head(scene), ...writtenIn(scene, before), { move: "write", data }, { move: "end" }];
  },
  "invalid-utf8": (_, scene) => {
    const [first = "", ...rest] = scene.reply.text;
    const marked = framesOf({ ...scene, reply: { ...scene.reply, text: [first + MARK, ...rest] } });
    return [head(scene), { move: "write", data: withInvalidBytes(joined(marked)) }, { move: "end" }];
  },
  huge: (fault, scene) => {
    const piece = "x".repeat(65_536);
    const text = Array.from({ length: Math.ceil(fault.bytes / piece.length) }, () => piece);
    return answered({ ...scene, reply: { ...scene.reply, text } });
  },
  "slow-drip": (fault, scene) => {
    const bytes = Buffer.from(joined(framesOf(scene)));
    const size = fault.bytes ?? 16;
    const drops = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index): Move[] => [
      { move: "wait", ms: fault.everyMs },
      { move: "write", data: bytes.subarray(index * size, (index + 1) * size) },
    ]);
    return [head(scene), ...drops.flat(), { move: "end" }];
  },
  redirect: (fault) => [
    { move: "head", status: fault.status ?? 302, headers: { location: fault.location } },
    { move: "end" },
  ],
  response: (fault) => [
    { move: "head", status: fault.status, headers: { "content-type": "application/json", ...fault.headers } },
    { move: "write", data: fault.body },
    { move: "end" },
  ],
};

/** What is done on the connection for this turn once its latency is over, its fault included. */
export function movesOf(scene: Scene): Move[] {
  const { fault } = scene.turn;
  if (fault === undefined) return answered(scene);
  const play = PLAYS[fault.kind] as (fault: Fault, scene: Scene) => Move[];
  return play(fault, scene);
}

export function errorMoves({ wire, requestId }: Pick<Scene, "wire" | "requestId">, error: WireError): Move[] {
  return document(error.status, "application/json", wire.errorBody(error, requestId), {
    ...wire.headers(requestId),
    ...error.headers,
  });
}

function playError(fault: ErrorFault, scene: Scene): Move[] {
  return errorMoves(scene, scene.wire.error(fault, scene.request));
}

function document(status: number, type: string, body: string, headers: Record<string, string> = {}): Move[] {
  return [
    { move: "head", status, headers: { ...headers, "content-type": type } },
    { move: "write", data: body },
    { move: "end" },
  ];
}

function answered(scene: Scene): Move[] {
  return [head(scene), ...writtenIn(scene, framesOf(scene)), { move: "end" }];
}

/** The whole answer, with something in the middle of it. */
function interrupted(scene: Scene, afterDeltas: number, between: Move[]): Move[] {
  const { before, after } = cut(framesOf(scene), afterDeltas);
  return [head(scene), ...writtenIn(scene, before), ...between, ...writtenIn(scene, after), { move: "end" }];
}

function head({ wire, request, requestId }: Scene): Move {
  const type = request.streaming ? "text/event-stream; charset=utf-8" : "application/json";
  return { move: "head", status: 200, headers: { ...wire.headers(requestId), "content-type": type } };
}

/** A document that is not streamed is two frames, so that every fault has a middle to happen in. */
function framesOf({ wire, request, reply }: Scene): Frame[] {
  if (request.streaming) return wire.stream(reply, request);
  const whole = wire.whole(reply, request);
  const middle = Math.floor(whole.length / 2);
  return [
    { data: whole.slice(0, middle), delta: true },
    { data: whole.slice(middle), delta: false },
  ];
}

function writtenIn({ turn, reply }: Scene, frames: Frame[]): Move[] {
  if (turn.tokensPerSecond === undefined) return written(frames, 0);
  const tokensPerDelta = countTokens(turn.text ?? "") / Math.max(1, reply.text.length);
  return written(frames, (tokensPerDelta / turn.tokensPerSecond) * 1000);
}

/** Splits behind the nth delta, or behind the last where there are fewer. */
function cut(frames: Frame[], deltas: number): { before: Frame[]; after: Frame[] } {
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

function withHalfACall(reply: Reply): Reply {
  const last = reply.toolCalls.at(-1);
  if (last === undefined) throw new Error("The fault half-tool-call needs a turn with a tool call; this one has none.");
  const argumentsText = last.argumentsText.slice(0, Math.ceil(last.argumentsText.length / 2));
  return { ...reply, toolCalls: [...reply.toolCalls.slice(0, -1), { ...last, argumentsText }] };
}

function joined(frames: Frame[]): string {
  return frames.map(({ data }) => data).join("");
}

/** Stands for the invalid bytes until the text is bytes; JSON leaves it as it is. */
const MARK = "\uffff";

function withInvalidBytes(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  const mark = Buffer.from(MARK);
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at)) bytes.set([0xff, 0xfe, 0xc0], at);
  return bytes;
}
