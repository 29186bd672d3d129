/**
 * Delegations of MCP clients. A call that takes long ends before its client loses patience, and tells how to get the rest;
 * a client that asks the same again joins what it asked for before. Nothing is started twice, nothing that ran is lost.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../clock.ts";
import { createDelegations, type Delegations } from "../engine/control/delegations.ts";
import type { Engine, SubmitOptions } from "../engine/engine.ts";
import { present } from "../present.ts";
import type { Report } from "../report.ts";
import type { RunListing } from "../run/run-store.ts";
import type { Call } from "../task.ts";
import type { ClientSession } from "./client-session.ts";
import { isClientTimeout } from "./client-timeout.ts";
import { type ClientWorkspace, workspaceAmong } from "./client-workspace.ts";
import { follow } from "./follow-run.ts";
import type { RequestContext } from "./request-context.ts";

const GOES_ON: readonly Report["state"][] = ["running", "paused"];

export type ClientDelegationsDeps = {
  engine: Engine;
  clock: Clock;
  /** Where tasks work that say nothing else. */
  workspace: ClientWorkspace;
  /** Has a process of its own begin a run that was left for one. @throws DeputyError where it cannot */
  startDetached(runId: string): Promise<void>;
  /** The server that owns what runs in the foreground, where it goes on with that after a crash. */
  server?: string;
  maxSummaryChars: number;
  returnAfterMs: number;
};

export type ClientDelegations = Omit<Delegations, "describe"> & {
  delegate(call: Call, how: { background: boolean }): Promise<Report>;
};

export function createClientDelegations(deps: ClientDelegationsDeps, context: RequestContext): ClientDelegations {
  const { engine, clock, returnAfterMs } = deps;
  const { client, signal, startedAt, resumed } = context;
  const delegations = createDelegations({
    ...deps,
    client,
    signal,
    wait: async (id, ms, until) => (await follow(deps, id, ms, context, until)).listing,
    onReport: async ({ delegation_id, state }) => {
      if (!GOES_ON.includes(state) && !signal.aborted) await forget(client, delegation_id);
    },
  });

  async function delegate(call: Call, { background }: { background: boolean }): Promise<Report> {
    const id = resumed?.runId ?? (await runFor(call, background));
    const { listing, lastToldAt } = await follow(deps, id, background ? 0 : returnAfterMs, context);
    if (signal.aborted) await giveUp(listing, background, lastToldAt);
    return delegations.describe(listing);
  }

  /** The run of this very call, where its client has not been told its end; else a new one. */
  function runFor(call: Call, background: boolean): Promise<string> {
    const asked = createHash("sha256")
      .update(JSON.stringify([call, background]))
      .digest("base64");
    const known = client.asked.get(asked);
    if (known !== undefined) return known;
    const started = start(call, background);
    client.asked.set(asked, started);
    started.catch(() => client.asked.delete(asked));
    return started;
  }

  async function start(call: Call, background: boolean): Promise<string> {
    const options: SubmitOptions = {
      surface: "mcp",
      askedBy: "model",
      workspace: workspaceAmong(deps.workspace, await context.roots()),
      answersFromElsewhere: true,
    };
    if (!background) {
      const { server } = deps;
      return (await engine.submit(call, { ...options, ...present({ server }) })).id;
    }
    const id = await engine.enqueue(call, options);
    try {
      await deps.startDetached(id);
    } catch (error) {
      await engine.stop(id, "the run could not start");
      throw error;
    }
    return id;
  }

  /** The client has stopped waiting: did it want the work to stop? */
  async function giveUp({ run }: RunListing, background: boolean, lastToldAt: number): Promise<void> {
    const now = clock.elapsed();
    if (background || isClientTimeout(signal.reason, [now - startedAt, now - lastToldAt])) return;
    await engine.stop(run.delegationId, `cancelled by ${client.name}`);
  }

  return { ...delegations, delegate };
}

/** Its end has been told: the same call asks for something new from now on. */
async function forget({ asked }: ClientSession, id: string): Promise<void> {
  for (const [call, run] of asked) if ((await run) === id) asked.delete(call);
}
