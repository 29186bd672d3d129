/** `control_delegation`: stops a delegation or a child, sends a child a message, answers an approval request. */
import { z } from "zod";
import { type Report, reportInWords, reportSchema } from "../../report.ts";
import type { Tool } from "../../tool.ts";
import { restOf } from "./check-delegation.ts";

const output = z.strictObject({
  done: z.string().describe("What was done."),
  delegation: reportSchema.describe("Status after the action."),
});

export type ControlDelegationDeps = {
  /** Resolves when the stopped children have ended, or after a short wait. @throws DeputyError */
  stop(id: string, signal: AbortSignal): Promise<Report>;
  /** @returns the receipt of the message, in words. @throws DeputyError */
  steer(id: string, message: string, signal: AbortSignal): Promise<{ told: string; report: Report }>;
  /** @returns the decision, in words. @throws DeputyError */
  answer(
    id: string,
    callId: string | undefined,
    allowed: boolean,
    reason: string,
  ): Promise<{ told: string; report: Report }>;
  /** Whether the operator lets a model approve requests of its own children. */
  mayApprove: boolean;
};

export function createControlDelegation(deps: ControlDelegationDeps) {
  const actions = deps.mayApprove
    ? (["stop", "steer", "deny", "approve"] as const)
    : (["stop", "steer", "deny"] as const);
  const approval = deps.mayApprove
    ? "`deny`/`approve`: answer a child's approval request."
    : "`deny`: refuse a child's approval request (only the user can approve).";
  const input = z.strictObject({
    id: z.string().describe("Delegation, or child: `7f3a….2`."),
    action: z
      .enum(actions)
      .describe(`\`stop\`: finished work is kept. \`steer\`: send a running child \`message\`. ${approval}`),
    message: z.string().optional().describe("For `steer`: instruction to the child; for `deny`: reason."),
    call_id: z.string().optional().describe("Which request, if the child has several."),
  });
  type ControlInput = z.infer<typeof input>;

  async function perform({ id, action, message, call_id: callId }: ControlInput, signal: AbortSignal) {
    switch (action) {
      case "stop":
        return { told: `Stopped ${id}. Finished work is kept.`, report: await deps.stop(id, signal) };
      case "steer":
        return message === undefined ? undefined : await deps.steer(id, message, signal);
      case "deny":
        return await deps.answer(id, callId, false, message ?? "denied by the agent that delegated the task");
      case "approve":
        return await deps.answer(id, callId, true, message ?? "allowed by the agent that delegated the task");
      default:
        return action satisfies never;
    }
  }

  const tool: Tool<ControlInput> = {
    name: "control_delegation",
    description:
      "Stops a delegation or one of its children, sends a running child a message, or denies a child's approval request. " +
      "check_delegation shows the ids.",
    effect: "write",
    input,
    output,
    subject: ({ id, action }) => ({ target: `${action} ${id}`, otherwise: "allow" }),
    run: async (asked, { signal }) => {
      const done = await perform(asked, signal);
      if (done === undefined) return { ok: false, text: "steer needs a `message`: the instruction to the child." };
      const { told, report } = done;
      return {
        ok: true,
        text: `${told}\n\n${reportInWords(report, restOf)}`,
        data: { done: told, delegation: report },
      };
    },
  };
  return tool;
}
