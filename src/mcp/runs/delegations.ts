/**
 * Delegations of MCP clients. A long call ends before its client times out, and says how to get the rest; a client that
 * repeats a call joins its run. Nothing is started twice, and no finished work is lost.
 */
import type { Clock } from "../../clock.ts";
import { createDelegations, type Delegations, type ManagedRuns } from "../../engine/control/delegations.ts";
import type { Report } from "../../report.ts";
import type { Run } from "../../run/run.ts";
import type { RunListing } from "../../run/run-store.ts";
import type { Call } from "../../task.ts";
import type { ClientSession } from "../client/client-session.ts";
import { isClientTimeout, isDisconnect } from "../client/client-timeout.ts";
import type { RequestContext } from "../client/request-context.ts";
import { follow } from "./follow-run.ts";
import { cancelledBy, type RunForCallDeps, runForCall } from "./run-for-call.ts";

const GOES_ON: readonly Report["state"][] = ["running", "paused"];

export type ClientDelegationsDeps = RunForCallDeps & {
  clock: Clock;
  /** The runs that the client's model may name. */
  seen: ManagedRuns;
  maxSummaryChars: number;
  returnAfterMs: number;
};

export type ClientDelegations = Omit<Delegations, "describe"> & {
  delegate(call: Call, how: { background: boolean }): Promise<Report>;
};

export function createClientDelegations(deps: ClientDelegationsDeps, context: RequestContext): ClientDelegations {
  const { engine, seen, clock, returnAfterMs } = deps;
  const { client, signal, startedAt, resumed } = context;
  const delegations = createDelegations({
    ...deps,
    engine: seen,
    client,
    signal,
    wait: async (id, ms, until) => (await follow({ engine: seen, clock }, id, ms, context, until)).listing,
    onReport: async ({ state }, run) => {
      if (!GOES_ON.includes(state) && !signal.aborted) await close(run);
    },
  });

  async function delegate(call: Call, { background }: { background: boolean }): Promise<Report> {
    const id = resumed?.runId ?? (await runForCall(deps, context, { call, background }));
    const { listing, lastToldAt } = await follow(deps, id, background ? 0 : returnAfterMs, context);
    if (signal.aborted) await giveUp(listing, background, lastToldAt);
    return delegations.describe(listing);
  }

  /** The client has stopped waiting: did it want the work to stop? */
  async function giveUp({ run }: RunListing, background: boolean, lastToldAt: number): Promise<void> {
    const now = clock.elapsed();
    if (background || isClientTimeout(signal.reason, [now - startedAt, now - lastToldAt])) return;
    await engine.stop(run.delegationId, cancelledBy(client.name));
    if (!isDisconnect(signal.reason)) await engine.closeCall(run, client.name);
  }

  /** Its client has the end: the same call asks for something new from now on. */
  async function close(run: Run): Promise<void> {
    await engine.closeCall(run, client.name);
    await forget(client, run.delegationId);
  }

  return { ...delegations, delegate };
}

async function forget({ asked }: ClientSession, id: string): Promise<void> {
  for (const [call, run] of asked) if ((await run) === id) asked.delete(call);
}
