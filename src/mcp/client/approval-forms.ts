/**
 * Approval forms: an approval request shown to the client's user, with the child's route and the exact command. Accept
 * allows, decline denies.
 */

import type { Engine } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { type ChildStats, routeAt } from "../../result.ts";
import type { OpenQuestion, Run } from "../../run/run.ts";
import { shortLine } from "../../text/short-line.ts";
import { longCommandEnds, spelledLines, spelledPath } from "../../text/spelled-text.ts";
import { wantedCall } from "../../text/wanted-call.ts";
import { fieldsOf } from "../../values/record.ts";
import type { ElicitationForm } from "./request-context.ts";

/** `request`: the code of the one request that the form decides. */
export type ApprovalForm = { request: string; childId: string; answerBy: number; form: ElicitationForm };

type AskedFacts = { goal: string; route: string; question: OpenQuestion };

/** Returns forms for the approval requests in a tree of runs. */
export function approvalForms(run: Run): ApprovalForm[] {
  const { children, call } = run;
  const own = children.flatMap(({ tally, questions }) =>
    questions.flatMap((question) => {
      const { request, answerBy } = question;
      if (answerBy === undefined) return [];
      const facts = { goal: call.tasks[tally.taskIndex]?.goal ?? "", route: shownRoute(tally), question };
      return [{ request, childId: tally.childId, answerBy, form: formOf(tally.childId, facts) }];
    }),
  );
  return [...own, ...children.flatMap(({ delegations }) => delegations.flatMap(approvalForms))];
}

/**
 * A form without fields: clients show its text with their buttons for accept and decline, and need no further step. A
 * field would hide the choice (Claude Code opens a list of options only on a key), or lose it (Codex accepts without
 * content: https://github.com/openai/codex/issues/9053).
 */
function formOf(childId: string, { goal, route, question }: AskedFacts): ElicitationForm {
  const { toolName, target, directory, reason } = question;
  const asker = `${childId} (${spelledPath(shortLine(goal, 100))}) on ${spelledPath(route)}`;
  const long = longCommandEnds(target);
  const message = [
    `${asker} asks to ${wantedCall(spelledPath(toolName), question)} in ${spelledPath(directory)}:`,
    spelledLines(target).join("\n"),
    ...(long === undefined ? [] : [`${long.size} ${long.ends}`]),
    ...(reason === undefined ? [] : [`Asked whatever the rules say: ${spelledPath(reason)}`]),
    "Accept allows exactly this, once. Decline denies it.",
  ].join("\n\n");
  return { message, requestedSchema: { type: "object", properties: {} } };
}

function shownRoute({ planned, position }: ChildStats): string {
  if (!("route" in planned)) return "an unknown route";
  const { model, provider } = routeAt(planned, position);
  return `${model} @ ${provider}`;
}

/**
 * Submits a user's decision to the run's owner. A dismissed form is not a decision: the request stays pending for
 * others until it expires.
 */
export async function submitDecision(
  engine: Pick<Engine, "answer">,
  form: ApprovalForm,
  answer: unknown,
  by: string,
): Promise<void> {
  const decision = decisionOf(answer);
  if (decision === undefined) return;
  const { childId, request } = form;
  await engine.answer({ id: childId, request, by, ...decision }).catch((error: unknown) => {
    // Somebody else answered first, or the request has expired.
    if (!(error instanceof DeputyError)) throw error;
  });
}

/** An accepted form that contains a denial, as forms of earlier versions could, is a denial. */
function decisionOf(answer: unknown): { allowed: boolean; reason: string } | undefined {
  const { action, content } = fieldsOf(answer);
  const { decision, reason } = fieldsOf(content);
  const why = typeof reason === "string" && reason.trim() !== "" ? `: ${reason.trim()}` : "";
  if (action === "decline" || (action === "accept" && decision === "deny"))
    return { allowed: false, reason: `denied by the user${why}` };
  return action === "accept" ? { allowed: true, reason: "allowed by the user" } : undefined;
}
