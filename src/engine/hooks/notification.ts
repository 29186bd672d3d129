/** The notifications of `notify:`, for people and programs: a child waits for an approval, or a run has ended. */
import type { StoredEvent } from "../../event.ts";
import { costOf } from "../../result.ts";
import { hasEnded, isConversation, type Run, resultsOf, runIn } from "../../run/run.ts";
import { formatTotalCost } from "../../text/money.ts";
import { shortLine } from "../../text/short-line.ts";
import { commandInLine } from "../../text/spelled-text.ts";
import { wantedCall } from "../../text/wanted-call.ts";
import { isoTime } from "../../values/iso-time.ts";

export type Notification = {
  /** The same for the same event, however often it is sent. */
  id: string;
  title: string;
  /** One line, without controls or invisible characters. */
  text: string;
  /** The webhook's JSON. */
  payload: Record<string, unknown>;
};

export type AskEvent = Extract<StoredEvent, { kind: "approval-ask" }>;

/** The longest text for a person, in characters. */
const MAX_TEXT = 300;

/** @param root the run whose tree contains the child */
export function approvalNotification(
  event: AskEvent,
  root: Run,
): (Notification & { request: string; answerBy: number }) | undefined {
  const { childId, callId, name, target, directory, answerBy } = event;
  const child = runIn(root, event.delegationId)?.children.find(({ tally }) => tally.childId === childId);
  const request = child?.questions.find((question) => question.callId === callId)?.request;
  if (request === undefined || answerBy === undefined) return undefined; // Already decided, or nobody can answer.
  return {
    id: `approval_${request}`,
    request,
    answerBy,
    title: "Deputy: approval needed",
    text: shortLine(`${childId} asks to ${wantedCall(name, event)}: ${commandInLine(target)}`, MAX_TEXT),
    payload: {
      type: "approval-request",
      delegation_id: event.delegationId,
      child_id: childId,
      goal: child?.asked,
      tool: name,
      command: target,
      directory,
      request,
      answer_by: isoTime(answerBy),
    },
  };
}

export function endNotification(run: Run, at: number, seconds: number): Notification {
  const { delegationId, children } = run;
  const statuses = children.map(({ tally }) => ("problem" in tally.planned ? "rejected" : tally.ending?.status));
  const completed = statuses.filter((status) => status === "completed").length;
  const { total_cost_usd: costUsd, total_duration_seconds: durationSeconds } = resultsOf(run);
  const cost = formatTotalCost(children.map(({ tally }) => costOf(tally)));
  const stopped = children.every(hasEnded) ? "" : ", the run was stopped";
  const outcome = `${completed} of ${children.length} completed${stopped}`;
  return {
    id: `end_${delegationId}_${at}`,
    title: isConversation(run) ? "Deputy: the answer is here" : "Deputy: run ended",
    text: `${delegationId}: ${outcome} (${Math.round(seconds)} s · ${cost})`,
    payload: {
      type: "run-end",
      delegation_id: delegationId,
      surface: run.surface,
      children: children.map(({ tally, asked }, index) => ({
        child_id: tally.childId,
        goal: asked,
        status: statuses[index],
      })),
      total_duration_seconds: durationSeconds,
      total_cost_usd: costUsd,
    },
  };
}
