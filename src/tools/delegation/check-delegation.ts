/** `check_delegation`: status and results of a delegation, waiting if it has not ended; long answers in parts. */
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
  delegation: reportSchema.optional().describe("Set if `id` is a delegation."),
  answer: childAnswerSchema.optional().describe("Set if `id` is a child."),
  delegations: z.array(runLineSchema).optional().describe("Set without `id`: the newest runs."),
});

/** The call that returns the rest of a truncated answer. */
export function restOf(childId: string, offset: number): string {
  return `check_delegation with {"id": "${childId}", "offset": ${offset}}`;
}

export type CheckDelegationDeps = {
  /** Returns whether an id is a child's. */
  isChild(id: string): boolean;
  /** The user's newest runs. */
  newest(): RunLine[] | Promise<RunLine[]>;
  /** Status of a run once it has ended, has a new approval request, or the wait is over. @throws DeputyError */
  report(id: string, waitSeconds: number, signal: AbortSignal): Promise<Report>;
  /** A child's answer once it has ended or the wait is over. @throws DeputyError */
  answer(childId: string, offset: number, waitSeconds: number, signal: AbortSignal): Promise<ChildAnswer>;
  /** Maximum wait of one call, in seconds. */
  maxWaitSeconds: number;
};

export function createCheckDelegation(deps: CheckDelegationDeps) {
  const { maxWaitSeconds } = deps;
  const input = z.strictObject({
    id: z
      .string()
      .optional()
      .describe("Delegation (`7f3a…`), or child (`7f3a….2`) for its full answer. Without it: lists delegations."),
    wait_seconds: z
      .number()
      .nonnegative()
      .optional()
      .describe(`Default and maximum: ${maxWaitSeconds}. 0: do not wait.`),
    offset: z.int().nonnegative().optional().describe("Where to start in a child's answer, in characters."),
  });
  const tool: Tool<z.infer<typeof input>> = {
    name: "check_delegation",
    description:
      "Waits for a delegation, then returns its results, what unfinished children are doing, and pending approval " +
      "requests. Call again if it has not ended. With a child's id, returns that child's answer.",
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
  const rest = end < whole ? [`[${end} of ${whole} characters. Continue with offset ${end}.]`] : [];
  return [`${id} (${status})`, ...(text === "" ? [] : [text]), ...rest].join("\n");
}
