/** Prepares the next turn of a conversation: events to record before the user's message, and the message. */
import { applyEvent, createConversation } from "../../child/conversation.ts";
import type { Ending, StoredEvent } from "../../event.ts";
import { reportInWords, withinLimit } from "../../report.ts";
import { closeAbandoned } from "../../run/close-abandoned.ts";
import { nestedUsage, type Run } from "../../run/run.ts";
import { reportOf } from "../../run/run-report.ts";
import type { LoadedRun } from "../../run/run-store.ts";
import { hostsIn } from "../../web-host.ts";
import { restOf } from "./nested-call.ts";

/** Maximum length of the partial answer that is kept of a cut-short turn, in characters. */
const MOST_CHARS = 24_000;

/** A message of the user. `words`: the user's own part of the text, where data follows it. */
export type TurnMessage = { text: string; words?: string | undefined };

/** Adds a result to each open call of a cut-short turn, because no model may be asked with open calls. */
export function turnEvents(
  { run, past }: LoadedRun,
  childId: string,
  { text, words = text }: TurnMessage,
  at: number,
): StoredEvent[] {
  const { delegationId } = run;
  const conversation = createConversation();
  for (const event of past.get(childId) ?? []) applyEvent(conversation, event);
  const session = run.children.find(({ tally }) => tally.childId === childId);
  const ending = session?.tally.ending;
  const cause = causeOf(ending);
  const left = conversation.pending.flatMap((call): StoredEvent[] => {
    const about = { kind: "tool-end", at, delegationId, childId, callId: call.callId, name: call.name } as const;
    const facts = { target: "", filesChanged: [], durationMs: 0 };
    const nested = session?.delegations.findLast(({ parent }) => parent?.callId === call.callId);
    if (!call.started) return [{ ...about, ...facts, text: `Not run: ${cause}.`, ok: false, outcome: "denied" }];
    if (session === undefined || nested === undefined)
      return [{ ...about, ...facts, text: unknown(cause), ok: false, outcome: "unknown" }];
    return [
      ...(nested.endedAt === undefined ? closeAbandoned(nested, stopperIn(ending), at) : []),
      { ...about, ...facts, text: toldOf(nested, cause, at), ok: true, outcome: "ran" },
      { kind: "delegation-charge", at, delegationId, childId, charge: nestedUsage(nested, session.tally) },
    ];
  });
  const hosts = hostsIn(words);
  const named = hosts.length > 0 && { hosts };
  return [...left, { kind: "message-add", at, delegationId, childId, reason: "user", text, ...named }];
}

/** Says what cut the turn short, for its model: a crash is not a decision of the user. */
function causeOf(ending: Ending | undefined): string {
  if (ending === undefined) return "Deputy exited before the turn ended";
  return ending.status === "interrupted" ? `the turn was stopped (${ending.exitReason})` : "the turn had ended";
}

function stopperIn(ending: Ending | undefined): string {
  return ending?.status === "interrupted" ? ending.exitReason : "crash";
}

function unknown(cause: string): string {
  return `While this ran, ${cause}: it may or may not have taken effect. Check before you repeat it.`;
}

/** Describes the state of a delegation when the turn was cut short. */
function toldOf(nested: Run, cause: string, at: number): string {
  const report = withinLimit(reportOf({ run: nested, owner: "none" }, at), MOST_CHARS);
  return `While this ran, ${cause}.\n${reportInWords(report, restOf)}`;
}
