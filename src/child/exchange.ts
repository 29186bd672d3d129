/**
 * One request and its reply: money and a key are obtained, the intent is recorded, the request is sent, and its cost is
 * counted. However it ends, the money that it did not cost, the key and the provider's permit are returned.
 */
import { hash } from "node:crypto";
import type { Failure } from "../errors.ts";
import type { ChildEvent, RequestFacts, RequestRecord } from "../event.ts";
import { type Route, routeName } from "../route.ts";
import type { Access, KeyAvailability, Lease } from "../secret.ts";
import { present } from "../values/present.ts";
import type { Child, Permit } from "./child.ts";
import { charactersIn } from "./message.ts";
import { warnOnce } from "./warnings.ts";
import { DIALECT_VERSION } from "./wire/dialect/dialect.ts";
import type { WrittenRequest } from "./wire/model.ts";
import type { Reply } from "./wire/reply/reply.ts";
import type { Delta } from "./wire/reply/reply-builder.ts";
import { plausibleUsage, usageInWords } from "./wire/reply/usage.ts";
import { type Reservation, type Sent, worstCase } from "./worst-case.ts";

/** A request, the route that gets it, and how it is recorded. */
export type RequestToSend = {
  route: Route;
  sent: Sent;
  mustAnswer: boolean;
  /** The event that records the intent. */
  intent(record: RequestRecord & { reservedUsd?: number }): ChildEvent;
  /** Longest answer, in tokens, if it is less than the budget allows. */
  maxOutputTokens?: number;
  /** Receives the text as it arrives. */
  onDelta?(delta: Delta): void;
  /** A reason for which the request must fail without being sent. */
  unsendable?: Failure | undefined;
};

export type Replied = { reply: Reply & { ok: true }; facts: RequestFacts };
/** `keys`: which keys are left after the failure, and when. */
export type Failed = { reply: Reply & { ok: false }; facts: RequestFacts; keys: KeyAvailability };
export type Exchanged = Replied | Failed;

/** @returns undefined if no budget allows the request, or the child was stopped while it waited for money */
export async function* exchange(
  child: Child,
  wanted: RequestToSend,
  permit: Permit,
): AsyncGenerator<ChildEvent, Exchanged | undefined> {
  const { deps, signal } = child;
  const { route, sent, mustAnswer } = wanted;
  let reservation: Reservation | undefined;
  try {
    reservation = await deps.reserve(() => worstCase(route, sent), mustAnswer, signal);
    return reservation && (yield* spend(child, wanted, reservation, permit));
  } finally {
    reservation?.release();
    permit.end({ unsent: true });
  }
}

async function* spend(
  child: Child,
  wanted: RequestToSend,
  reservation: Reservation,
  permit: Permit,
): AsyncGenerator<ChildEvent, Exchanged> {
  const { conversation, deps, signal } = child;
  const { route } = wanted;
  const lease = await deps.lease(route, signal);
  const askedAt = deps.clock.elapsed();
  const reply = yield* withPlausibleUsage(
    child,
    wanted,
    reservation,
    yield* ask(child, wanted, lease, reservation, permit),
  );
  const costUsd = reply.usage && deps.price(route, reply.usage);
  const isWhole = reply.ok || !reply.usageSoFar;
  if (costUsd !== undefined && (isWhole || costUsd > (reservation.reservedUsd ?? 0))) reservation.commit(costUsd);
  else if (reply.ok || reply.charged) reservation.commitWorstCase();
  // A wait must not keep the reserved money from others.
  reservation.release();
  const durationMs = deps.clock.elapsed() - askedAt;
  const { usage, leftOut } = reply;
  const facts = { ...present({ usage, costUsd, keyName: lease.keyName, leftOut }), durationMs };
  if (reply.ok) {
    permit.accepted();
    permit.end(reply.usage && { tokens: reply.usage.input + reply.usage.output });
    return { reply, facts };
  }
  const keys = lease.availability(reply.failure, conversation.keysTried);
  // If another key is available, the limit was the key's and not the provider's.
  permit.end(keys.another ? {} : { setback: { kind: keys.kind, backInMs: keys.backInMs } });
  return { reply, facts, keys };
}

/** Returns the reply without an impossible usage: the request was charged, but the amount is unknown. */
async function* withPlausibleUsage(
  child: Child,
  { route, sent }: RequestToSend,
  reservation: Reservation,
  reply: Reply,
): AsyncGenerator<ChildEvent, Reply> {
  const { usage, ...rest } = reply;
  if (usage === undefined) return reply;
  const worst = worstCase(route, sent);
  const counted = plausibleUsage(usage, {
    inputTokens: worst.inputTokens,
    outputTokens: reservation.maxOutputTokens ?? worst.outputTokens,
    saidTokens: child.conversation.outputTokens,
    heardCharacters: reply.ok ? charactersIn(reply.parts) : reply.partialText.length,
  });
  if (counted !== undefined) return { ...reply, usage: counted };
  const message = `${routeName(route)} reported an impossible usage (${usageInWords(usage)}). It is not counted: budgets count the request's worst case.`;
  yield* warnOnce(child, [{ code: "usage-implausible", message }]);
  if (rest.ok) return rest;
  const { usageSoFar: _, ...unknown } = rest;
  return { ...unknown, charged: true };
}

const NO_REPLY: Reply = {
  ok: false,
  failure: { kind: "aborted", message: "The caller stopped listening." },
  partialText: "",
  charged: true,
};

function unsent(failure: Failure): Reply {
  return { ok: false, failure, partialText: "", charged: false };
}

/** Sends the request if a key is available. However it ends, the key is released. */
async function* ask(
  child: Child,
  wanted: RequestToSend,
  lease: Lease,
  reservation: Reservation,
  permit: Permit,
): AsyncGenerator<ChildEvent, Reply> {
  let reply: Reply = NO_REPLY;
  try {
    if ("failure" in lease) reply = unsent(lease.failure);
    else if (wanted.unsendable !== undefined) reply = unsent(wanted.unsendable);
    else reply = yield* sendRequest(child, wanted, lease, reservation, permit);
    return reply;
  } finally {
    lease.release(reply.ok ? undefined : reply.failure);
  }
}

/** Has the request written, records the intent with its hash, and sends it. Returns the complete reply. */
async function* sendRequest(
  child: Child,
  wanted: RequestToSend,
  { access, keyName }: { access: Access; keyName?: string },
  { maxOutputTokens: affordable, reservedUsd }: Reservation,
  permit: Permit,
): AsyncGenerator<ChildEvent, Reply> {
  const { conversation, deps, input, signal } = child;
  const { route, sent, mustAnswer } = wanted;
  const { system, messages, images, tools } = sent;
  const limits = [affordable, wanted.maxOutputTokens].filter((limit) => limit !== undefined);
  const limit = present({ maxOutputTokens: limits.length === 0 ? undefined : Math.min(...limits) });
  const written = Promise.withResolvers<WrittenRequest>();
  const recorded = Promise.withResolvers<void>();
  recorded.promise.catch(() => {}); // A request may fail before it waits for this.
  const replying = deps.model(
    {
      ...{ route, access, system, messages, images, imageBytes: child.imageBytes, tools, mustAnswer },
      ...present({ keyName, leftOut: conversation.leftOut.get(routeName(route)) }),
      ...limit,
      stallMs: input.planned.limits.stallMs,
    },
    signal,
    (delta) => {
      permit.accepted();
      wanted.onDelta?.(delta);
    },
    (request) => {
      written.resolve(request);
      return recorded.promise;
    },
  );
  try {
    const request = await Promise.race([written.promise, replying]);
    if (!("body" in request)) return request;
    yield wanted.intent({ ...recordOf(child, request), ...limit, ...present({ reservedUsd }) });
    recorded.resolve();
    return await replying;
  } finally {
    recorded.reject(new Error("The request was not recorded, so it is not sent."));
  }
}

/** Stores the tools that a request offers, and returns the request's record. */
function recordOf({ deps }: Child, { body, toolList, leftOut }: WrittenRequest): RequestRecord {
  const { tools, sha256 } = toolList;
  if (tools.length > 0) deps.keep({ kind: "tool-list-add", sha256, tools });
  return {
    requestSha256: hash("sha256", body, "hex"),
    dialectVersion: DIALECT_VERSION,
    ...(tools.length > 0 && { toolsSha256: sha256 }),
    ...(leftOut.length > 0 && { leftOut }),
  };
}
