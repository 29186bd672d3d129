/**
 * Approval forms: an approval request shown to the client's user as a form, with the exact command and a required
 * choice.
 */

import type { Engine } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import type { OpenQuestion, Run } from "../../run/run.ts";
import { shortLine } from "../../text/short-line.ts";
import { longCommandEnds, spelledLines, spelledPath } from "../../text/spelled-text.ts";
import { fieldsOf } from "../../values/record.ts";
import type { ElicitationForm } from "./request-context.ts";

/** `request`: the code of the one request that the form decides. */
export type ApprovalForm = { request: string; childId: string; answerBy: number; form: ElicitationForm };

/** Returns forms for the approval requests in a tree of runs. */
export function approvalForms(run: Run): ApprovalForm[] {
  const { children, call } = run;
  const own = children.flatMap(({ tally: { childId, taskIndex }, questions }) =>
    questions.flatMap((question) => {
      const { request, answerBy } = question;
      if (answerBy === undefined) return [];
      return [{ request, childId, answerBy, form: formOf(childId, call.tasks[taskIndex]?.goal ?? "", question) }];
    }),
  );
  return [...own, ...children.flatMap(({ delegations }) => delegations.flatMap(approvalForms))];
}

function formOf(childId: string, goal: string, { toolName, target, directory }: OpenQuestion): ElicitationForm {
  const head = `${childId} (${spelledPath(shortLine(goal, 100))}) asks to run ${spelledPath(toolName)}`;
  const long = longCommandEnds(target);
  const overview = long === undefined ? [] : [`${long.size} ${long.ends}`];
  return {
    message: [`${head} in ${spelledPath(directory)}:`, spelledLines(target).join("\n"), ...overview].join("\n\n"),
    requestedSchema: {
      type: "object",
      properties: {
        decision: { type: "string", title: "May it run?", enum: ["allow", "deny"] },
        reason: { type: "string", title: "Reason for denying (sent to the child)" },
      },
      required: ["decision"],
    },
  };
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

function decisionOf(answer: unknown): { allowed: boolean; reason: string } | undefined {
  const { action, content } = fieldsOf(answer);
  if (action === "decline") return { allowed: false, reason: "denied by the user" };
  if (action !== "accept") return undefined;
  const { decision, reason } = fieldsOf(content);
  if (decision === "allow") return { allowed: true, reason: "allowed by the user" };
  const why = typeof reason === "string" && reason.trim() !== "" ? `: ${reason.trim()}` : "";
  return decision === "deny" ? { allowed: false, reason: `denied by the user${why}` } : undefined;
}
