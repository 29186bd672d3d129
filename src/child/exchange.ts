/**
 * One request and its reply: money and a key are obtained, the intent is recorded, the request is sent, and its cost is
 * counted. However it ends, the money that it did not cost, the key and the provider's permit are returned.
 */
import type { Failure } from "../errors.ts";
import type { ChildEvent, RequestFacts } from "../event.ts";
import type { Route } from "../route.ts";
import type { Access, KeyAvailability, Lease } from "../secret.ts";
import { present } from "../values/present.ts";
import type { Child, Permit } from "./child.ts";
import { charactersIn } from "./message.ts";
import { warnOnce } from "./warnings.ts";
import { nameOf } from "./wire/model.ts";
import type { Reply } from "./wire/reply/reply.ts";
import type { Delta } from "./wire/reply/reply-builder.ts";
import { plausibleUsage, usageInWords } from "./wire/reply/usage.ts";
import { type Reservation, type Sent, worstCase } from "./worst-case.ts";

/** What is asked of whom. */
export type RequestToSend = {
  route: Route;
  sent: Sent;
  mustAnswer: boolean;
  /** The event that records the intent. @param reserved its `reservedUsd`, if money was reserved */
  intent(reserved: { reservedUsd?: number }): ChildEvent;
  /** Longest answer, in tokens, if it is less than the budget allows. */
  maxOutputTokens?: number;
  /** Receives the text as it arrives. */
  hear?(delta: Delta): void;
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
  const reply = yield* believed(child, wanted, reservation, yield* ask(child, wanted, lease, reservation, permit));
  const costUsd = reply.usage && deps.price(route, reply.usage);
  const isWhole = reply.ok || !reply.usageSoFar;
  if (costUsd !== undefined && (isWhole || costUsd > (reservation.reservedUsd ?? 0))) reservation.commit(costUsd);
  else if (reply.ok || reply.charged) reservation.commitWorstCase();
  // A wait must not keep the reserved money from others.
  reservation.release();
  const durationMs = deps.clock.elapsed() - askedAt;
  const facts = { ...present({ usage: reply.usage, costUsd, keyName: lease.keyName }), durationMs };
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
async function* believed(
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
  const message = `${nameOf(route)} reported an impossible usage (${usageInWords(usage)}). It is not counted: budgets count the request's worst case.`;
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
    else {
      yield wanted.intent(present({ reservedUsd: reservation.reservedUsd }));
      reply = await sendRequest(child, wanted, lease, reservation, permit);
    }
    return reply;
  } finally {
    lease.release(reply.ok ? undefined : reply.failure);
  }
}

/** Returns the complete reply. */
function sendRequest(
  child: Child,
  wanted: RequestToSend,
  { access, keyName }: { access: Access; keyName?: string },
  reservation: Reservation,
  permit: Permit,
): Promise<Reply> {
  const { deps, input, signal } = child;
  const { route, sent, mustAnswer } = wanted;
  const { system, messages, images, tools } = sent;
  const limits = [reservation.maxOutputTokens, wanted.maxOutputTokens].filter((limit) => limit !== undefined);
  const maxOutputTokens = limits.length === 0 ? undefined : Math.min(...limits);
  return deps.model(
    {
      ...{ route, access, system, messages, images, tools, mustAnswer },
      ...present({ keyName, maxOutputTokens }),
      stallMs: input.planned.limits.stallMs,
    },
    signal,
    (delta) => {
      permit.accepted();
      wanted.hear?.(delta);
    },
  );
}
