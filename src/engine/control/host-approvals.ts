/**
 * Decides which hosts the sandboxed commands of a run may reach: those of the config, those that a rule for `network`
 * allows, and those that a user approves. Each host and port is asked for once in a run, as it is sent: an
 * internationalized name in its ASCII form. After three refusals, nobody is asked again.
 */
import { isIP } from "node:net";
import { requestCode } from "../../approval-request.ts";
import type { ApprovalDecision, ChildDeps } from "../../child/child.ts";
import { decidePermission } from "../../child/permissions.ts";
import type { Clock } from "../../clock.ts";
import type { ChildEvent } from "../../event.ts";
import type { PermissionRule } from "../../tool.ts";
import type { HostDecision } from "../../tools/sandbox/network-proxy.ts";
import { getOrMake } from "../../values/get-or-make.ts";
import { unlessAborted } from "../../values/unless-aborted.ts";
import { isOnHost } from "../../web-host.ts";
import type { Approvals } from "./approvals.ts";

/** The name under which rules and approval requests mean a connection. */
const NETWORK = "network";
const MOST_REFUSALS = 3;

/** The child that wants to connect. */
export type ConnectingChild = { delegationId: string; childId: string; directory: string; goal: string };

export type HostApprovals = {
  /** @param signal aborts when the child's commands end */
  decide(child: ConnectingChild, host: string, port: number, signal: AbortSignal): Promise<HostDecision>;
};

export type HostApprovalsDeps = {
  clock: Clock;
  /** Hosts of `terminal.network`. */
  listed: readonly string[];
  rules: readonly PermissionRule[];
  approvals: Pick<Approvals, "answerBy"> & { approve: ChildDeps["approve"] };
  record(event: ChildEvent): Promise<void>;
};

export function createHostApprovals(deps: HostApprovalsDeps): HostApprovals {
  const { listed, rules } = deps;
  const asked = new Map<string, Promise<ApprovalDecision>>();
  /** Users are asked about one host at a time, so that refusals count for the next. */
  let turn: Promise<unknown> = Promise.resolve();
  let refusals = 0;

  function askInTurn(child: ConnectingChild, target: string, signal: AbortSignal): Promise<ApprovalDecision> {
    const before = turn;
    const answer = unlessAborted(before, signal).then(
      async () => {
        if (refusals >= MOST_REFUSALS) return NO_MORE;
        const decision = await ask(deps, child, target, signal);
        if (!decision.allowed && decision.by !== STOPPED.by) refusals += 1;
        return decision;
      },
      () => STOPPED,
    );
    turn = Promise.allSettled([before, answer]);
    return answer;
  }

  /** A child that was stopped has decided nothing for the others. */
  async function askOnce(child: ConnectingChild, target: string, signal: AbortSignal): Promise<HostDecision> {
    for (;;) {
      const isFirst = !asked.has(target);
      const answer = getOrMake(asked, target, () => askInTurn(child, target, signal));
      const decision = await (isFirst ? answer : unlessAborted(answer, signal).catch(() => STOPPED));
      if (decision.by === STOPPED.by && asked.get(target) === answer) asked.delete(target);
      if (decision.by !== STOPPED.by || signal.aborted)
        return decision.allowed ? { allowed: true } : refused(decision.reason);
    }
  }

  return {
    async decide(child, host, port, signal) {
      const url = URL.parse(`http://${host}:${port}`);
      if (url === null) return refused("it is not a host.");
      if (listed.some((each) => isOnHost(url, each))) return { allowed: true };
      if (isIP(host.replace(/^\[|\]$/g, "")) > 0) return refused(NO_ADDRESS);
      const target = `${host}:${port}`;
      const { decision, because } = decidePermission(rules, "ask", NETWORK, { target, otherwise: "ask" });
      if (decision === "ask") return askOnce(child, target, signal);
      return decision === "allow" ? { allowed: true } : refused(`${because}.`);
    },
  };
}

const NO_ADDRESS = "expected a name, found an address. Only terminal.network can open an address.";
const NO_MORE: ApprovalDecision = {
  allowed: false,
  by: "nobody",
  reason: `${MOST_REFUSALS} hosts were refused in this run, so nobody is asked for another one.`,
};
const STOPPED: ApprovalDecision = { allowed: false, by: "stop", reason: "the command was stopped." };

function refused(reason: string): HostDecision {
  return { allowed: false, reason };
}

async function ask(
  { clock, approvals, record }: HostApprovalsDeps,
  { delegationId, childId, directory, goal }: ConnectingChild,
  target: string,
  signal: AbortSignal,
): Promise<ApprovalDecision> {
  const facts = { childId, callId: `${NETWORK}:${target}`, toolName: NETWORK, target, directory, askedAt: clock.now() };
  const about = { delegationId, childId, callId: facts.callId };
  const answerBy = approvals.answerBy();
  const patience = answerBy !== undefined && { answerBy };
  const onlyUser = { onlyUser: true } as const;
  const shown = { name: NETWORK, target, directory, ...patience, ...onlyUser };
  await record({ kind: "approval-ask", at: facts.askedAt, ...about, ...shown });
  const decision = await approvals.approve({ ...facts, goal, request: requestCode(facts), ...onlyUser }, signal);
  await record({ kind: "approval-end", at: clock.now(), ...about, ...decision });
  return decision;
}
