/** Questions of children, put to the client's person as a form: exactly what would run, and a choice that has to be made. */
import type { ElicitResult } from "@modelcontextprotocol/server";
import type { Engine } from "../engine/engine.ts";
import type { Run } from "../engine/run.ts";
import { DeputyError } from "../errors.ts";
import type { Form } from "./incoming.ts";

export type OpenForm = { key: string; childId: string; callId: string; answerBy: number; form: Form };

/** Forms of what children of a tree of runs ask. */
export function openForms(run: Run): OpenForm[] {
  const { children, call } = run;
  const own = children.flatMap(({ tally: { childId, taskIndex }, questions }) =>
    questions.flatMap(({ callId, toolName, target, answerBy }) => {
      if (answerBy === undefined) return [];
      const form = formOf(childId, call.tasks[taskIndex]?.goal ?? "", toolName, target);
      return [{ key: `${childId} ${callId}`, childId, callId, answerBy, form }];
    }),
  );
  return [...own, ...children.flatMap(({ delegations }) => delegations.flatMap(openForms))];
}

function formOf(childId: string, goal: string, toolName: string, target: string): Form {
  return {
    message: `${childId} (${inShort(goal)}) asks to run ${toolName}:\n\n${spelled(target)}`,
    requestedSchema: {
      type: "object",
      properties: {
        decision: { type: "string", title: "May it run?", enum: ["allow", "deny"] },
        reason: { type: "string", title: "Why not (the child is told)" },
      },
      required: ["decision"],
    },
  };
}

function inShort(goal: string): string {
  const line = goal.replace(/\s+/g, " ").trim();
  return spelled(line.length <= 100 ? line : `${line.slice(0, 99)}…`);
}

/** What could hide in a text is spelled out: control characters, and those that change the direction of reading. */
function spelled(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`);
}

/**
 * Hands a person's answer to whoever owns the run. One that was only dismissed is none: the question stays open for
 * others, until its time is over.
 */
export async function passOn(engine: Engine, { childId, callId }: OpenForm, answer: unknown): Promise<void> {
  const verdict = verdictOf(answer);
  if (verdict === undefined) return;
  await engine.answer({ id: childId, callId, by: "person", ...verdict }).catch((error: unknown) => {
    // Somebody else was first, or the time was over.
    if (!(error instanceof DeputyError)) throw error;
  });
}

function verdictOf(answer: unknown): { allowed: boolean; reason: string } | undefined {
  const { action, content } = Object(answer) as Partial<ElicitResult>;
  if (action === "decline") return { allowed: false, reason: "denied by the person" };
  if (action !== "accept") return undefined;
  const { decision, reason } = Object(content) as Record<string, unknown>;
  if (decision === "allow") return { allowed: true, reason: "allowed by the person" };
  const why = typeof reason === "string" && reason.trim() !== "" ? `: ${reason.trim()}` : "";
  return decision === "deny" ? { allowed: false, reason: `denied by the person${why}` } : undefined;
}
