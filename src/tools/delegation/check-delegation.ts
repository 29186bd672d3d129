/** `check_delegation`: how a delegation stands, waited for where it is not done; a long answer, part by part. */
import { z } from "zod";
import {
  type ChildAnswer,
  childAnswerSchema,
  type Report,
  type RunLine,
  reportInWords,
  reportSchema,
  runLineSchema,
} from "../../report.ts";
import type { Tool } from "../../tool.ts";

const output = z.strictObject({
  delegation: reportSchema.optional().describe("Where a delegation was asked for."),
  answer: childAnswerSchema.optional().describe("Where a child was asked for."),
  delegations: z.array(runLineSchema).optional().describe("Where no id was given: the user's newest."),
});

/** Where a model that has this tool finds the rest of an answer that was cut. */
export function restOf(childId: string, offset: number): string {
  return `check_delegation with {"id": "${childId}", "offset": ${offset}}`;
}

export type CheckDelegationDeps = {
  /** Whether an id is that of a child. */
  isChild(id: string): boolean;
  /** The user's newest runs. */
  newest(): RunLine[] | Promise<RunLine[]>;
  /** How a run stands when it has ended, something new waits for a person, or the time is over. @throws DeputyError */
  report(id: string, waitSeconds: number, signal: AbortSignal): Promise<Report>;
  /** What a child has answered, when it has ended or the time is over. @throws DeputyError */
  answer(childId: string, offset: number, waitSeconds: number, signal: AbortSignal): Promise<ChildAnswer>;
  /** Longest wait of one call, in seconds. */
  maxWaitSeconds: number;
};

export function createCheckDelegation(deps: CheckDelegationDeps) {
  const { maxWaitSeconds } = deps;
  const input = z.strictObject({
    id: z
      .string()
      .optional()
      .describe(
        "A delegation (`7f3a…`), or one of its children (`7f3a….2`) for its whole answer. Left out: lists them.",
      ),
    wait_seconds: z
      .number()
      .nonnegative()
      .optional()
      .describe(`How long to wait for the end, at most ${maxWaitSeconds}, which is the default; 0: only look.`),
    offset: z.int().nonnegative().optional().describe("Of a child's answer: where to go on reading, in characters."),
  });
  const tool: Tool<z.infer<typeof input>> = {
    name: "check_delegation",
    description:
      "Tells how a delegation stands: results of the tasks that have ended, what the others are doing, what waits for a " +
      "person's approval. Waits for the end first, for a while; call it again where it is not done. It never starts " +
      "anything. With a child's id it returns that child's answer, a long one in parts.",
    effect: "read",
    input,
    output,
    subject: ({ id = "" }) => ({ target: id, otherwise: "allow" }),
    run: async ({ id, wait_seconds: asked = maxWaitSeconds, offset = 0 }, { signal }) => {
      const seconds = Math.min(asked, maxWaitSeconds);
      if (id === undefined) {
        const delegations = await deps.newest();
        return { ok: true, text: listInWords(delegations), data: { delegations } };
      }
      if (deps.isChild(id)) {
        const answer = await deps.answer(id, offset, seconds, signal);
        return { ok: true, text: answerInWords(answer), data: { answer } };
      }
      const delegation = await deps.report(id, seconds, signal);
      return { ok: true, text: reportInWords(delegation, restOf), data: { delegation } };
    },
  };
  return tool;
}

function listInWords(runs: RunLine[]): string {
  if (runs.length === 0) return "No delegations yet.";
  return runs
    .map(({ delegation_id: id, state, done, tasks, started_at: at, surface, goal }) => {
      return `- ${id} (${state}, ${done}/${tasks} done, started ${at} by ${surface}): ${goal}`;
    })
    .join("\n");
}

function answerInWords({ child_id: id, status, text, offset, whole_chars: whole }: ChildAnswer): string {
  const end = offset + text.length;
  const rest = end < whole ? [`[${end} of ${whole} characters. Go on with offset ${end}.]`] : [];
  return [`${id} (${status})`, ...(text === "" ? [] : [text]), ...rest].join("\n");
}
