/** `control_delegation`: stops a delegation or one child, says something to a child, answers what a child asks. */
import { z } from "zod";
import { type Report, reportInWords, reportSchema } from "../../report.ts";
import type { Tool } from "../../tool.ts";
import { restOf } from "./check-delegation.ts";

const output = z.strictObject({
  done: z.string().describe("What was done."),
  delegation: reportSchema.describe("How it stands now."),
});

export type ControlDelegationDeps = {
  /** Resolves when those it is about have ended, or after a short while. @throws DeputyError */
  stop(id: string, signal: AbortSignal): Promise<Report>;
  /** @returns what became of the message, in words. @throws DeputyError */
  steer(id: string, message: string, signal: AbortSignal): Promise<{ told: string; report: Report }>;
  /** @returns what settled the question, in words. @throws DeputyError */
  answer(
    id: string,
    callId: string | undefined,
    allowed: boolean,
    reason: string,
  ): Promise<{ told: string; report: Report }>;
  /** The operator lets a model approve what its own children ask for. */
  mayApprove: boolean;
};

export function createControlDelegation(deps: ControlDelegationDeps) {
  const actions = deps.mayApprove
    ? (["stop", "steer", "deny", "approve"] as const)
    : (["stop", "steer", "deny"] as const);
  const approval = deps.mayApprove
    ? "`deny`, `approve`: answers what a child waits to be allowed."
    : "`deny`: refuses what a child waits to be allowed; only a person can approve it.";
  const input = z.strictObject({
    id: z.string().describe("A delegation, or one of its children: `7f3a….2`."),
    action: z
      .enum(actions)
      .describe(`\`stop\`: ends it; what is done is kept. \`steer\`: says \`message\` to a child at work. ${approval}`),
    message: z.string().optional().describe("With `steer`, what to say to the child; with `deny`, why."),
    call_id: z.string().optional().describe("Which question of the child, where it has several."),
  });
  type ControlInput = z.infer<typeof input>;

  async function perform({ id, action, message, call_id: callId }: ControlInput, signal: AbortSignal) {
    switch (action) {
      case "stop":
        return { told: `Stopped ${id}. Work that was done is kept.`, report: await deps.stop(id, signal) };
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
      "Acts on a delegation that is under way: stops it or one of its children, says something to a child, or refuses what " +
      "a child asks to be allowed. check_delegation shows what there is.",
    effect: "write",
    input,
    output,
    subject: ({ id, action }) => ({ target: `${action} ${id}`, otherwise: "allow" }),
    run: async (asked, { signal }) => {
      const done = await perform(asked, signal);
      if (done === undefined) return { ok: false, text: "steer needs a `message`: what to say to the child." };
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
