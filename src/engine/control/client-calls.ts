/**
 * Calls of MCP clients that have not received their end: a client that repeats its call after its server has died gets
 * the run that it started. A server holds its open calls by claims, which die with its process: as long as it lives, no
 * other server gives them to a client of the same name.
 */
import type { Clock } from "../../clock.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Run } from "../../run/run.ts";

/** Time after the start of a run in which a repeated call means that run, in milliseconds. */
const REPEATABLE_MS = 24 * 60 * 60 * 1000;

export type ClientCalls = {
  /** Holds the client's call that a run answers, so that no other process takes it over. */
  holdCall(delegationId: string, client: string): Promise<void>;
  /** The newest run of a call that is open and held by nobody; this process holds it from now on. */
  takeOverCall(callKey: string, client: string): Promise<string | undefined>;
  /** Records that the client has received the end of its call, or no longer wants it. */
  closeCall(run: Run, client: string): Promise<void>;
};

export function createClientCalls({ clock, journal }: { clock: Clock; journal: Journal }): ClientCalls {
  /** The client of each held call, by run. The journal lets a process claim again what it has. */
  const held = new Map<string, string>();

  async function holdCall(delegationId: string, client: string): Promise<void> {
    held.set(delegationId, client);
    await journal.claim(callOf(delegationId));
  }

  async function takeOverCall(callKey: string, client: string): Promise<string | undefined> {
    for (const delegationId of (await openCalls(callKey, client)).toReversed()) {
      if (held.has(delegationId)) continue;
      held.set(delegationId, client);
      if ((await journal.claim(callOf(delegationId))).claimed) return delegationId;
      held.delete(delegationId);
    }
    return undefined;
  }

  /** Ids of the recent runs of a call whose end its client has not received, oldest first. */
  async function openCalls(callKey: string, client: string): Promise<string[]> {
    const open = new Set<string>();
    const since = clock.now() - REPEATABLE_MS;
    for await (const { event } of journal.read({ roots: true, kinds: ["delegation-start", "call-close"], since })) {
      if (event.kind === "delegation-start" && event.callKey === callKey) open.add(event.delegationId);
      if (event.kind === "call-close" && event.client === client) open.delete(event.delegationId);
    }
    return [...open];
  }

  async function closeCall({ delegationId, callKey, closedBy }: Run, client: string): Promise<void> {
    if (callKey === undefined || closedBy.has(client)) return;
    await journal.append([{ kind: "call-close", at: clock.now(), delegationId, client }]);
    if (held.get(delegationId) !== client) return;
    held.delete(delegationId);
    await journal.release(callOf(delegationId));
  }

  return { holdCall, takeOverCall, closeCall };
}

/** Id of the claim on the call of a run. No run has such an id. */
function callOf(delegationId: string): string {
  return `${delegationId} call`;
}
