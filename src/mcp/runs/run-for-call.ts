/**
 * The run of a client's call. A client that repeats a call whose end it has not received gets the run that it started,
 * also from the next server after a restart; else the call starts a new run.
 */
import { createHash } from "node:crypto";
import { type Engine, SHUTDOWN, type SubmitOptions } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { setAsideReason } from "../../run/crash-loop.ts";
import { type Run, wasCutOff } from "../../run/run.ts";
import type { Call } from "../../task.ts";
import { isRecord } from "../../values/record.ts";
import { type ClientWorkspace, realPathOf, workspaceAmong } from "../client/client-workspace.ts";
import type { RequestContext } from "../client/request-context.ts";

export type RunForCallDeps = {
  engine: Engine;
  /** Default workspace of tasks. */
  workspace: ClientWorkspace;
  /** Starts a process that begins an enqueued run. @throws DeputyError if it cannot */
  startDetached(runId: string): Promise<void>;
  /** Name of the server, which owns runs in the foreground: after a crash, its next process continues them. */
  server(): string;
};

type CallPlace = Required<Pick<SubmitOptions, "workspace" | "callKey" | "client">>;

export type ClientCall = { call: Call; background: boolean };

/** The `by` of stops when a client has gone away or cancelled its call. */
export const cancelledBy = (client: string) => `cancelled by ${client}`;

/** @returns the id of the run @throws DeputyError if none can start */
export async function runForCall(
  deps: RunForCallDeps,
  { client, roots }: RequestContext,
  asked: ClientCall,
): Promise<string> {
  const workspace = workspaceAmong(deps.workspace, await roots());
  const begunBy = { name: client.name, workspace: realPathOf(workspace) };
  const callKey = keyOf([deps.server(), client.name, begunBy.workspace, asked]);
  const known = client.asked.get(callKey);
  if (known !== undefined) return known;
  const begun = joinOrStart(deps, client.name, asked, { workspace, callKey, client: begunBy });
  client.asked.set(callKey, begun);
  begun.catch(() => client.asked.delete(callKey));
  return begun;
}

async function joinOrStart(deps: RunForCallDeps, client: string, asked: ClientCall, place: CallPlace): Promise<string> {
  const left = await deps.engine.takeOverCall(place.callKey, client);
  if (left !== undefined && (await pickUp(deps, left, client, asked))) return left;
  return start(deps, client, asked, place);
}

/**
 * Continues a run that ended because its server or its client did. What a user stopped stays stopped.
 * @returns false if it cannot continue, so that the call needs a new run
 */
async function pickUp(
  { engine, server, startDetached }: RunForCallDeps,
  id: string,
  client: string,
  { background }: ClientCall,
): Promise<boolean> {
  const found = await engine.run(id);
  const { run, owner } = found;
  const isCutOff = owner === "dead" && wasCutOff(run) && setAsideReason(found) === undefined;
  const isAbandoned = owner === "none" && wasAbandoned(run, client);
  if (!isCutOff && !isAbandoned) return true;
  if (background) {
    await startDetached(id);
    return true;
  }
  const options = { answersFromElsewhere: true };
  try {
    await (isCutOff ? engine.resumeAfterCrash(found, server(), options) : engine.resume(id, options));
    return true;
  } catch (error) {
    if (!(error instanceof DeputyError)) throw error;
    if (error.code === "run-owned") return true; // Another process continues it.
    if (error.code !== "nothing-to-run") throw error;
    await engine.closeCall(run, client);
    return false;
  }
}

/** Returns whether the end of its server or client, and no user, stopped every unfinished child of a run. */
function wasAbandoned({ children }: Run, client: string): boolean {
  const reasons = children.flatMap(({ tally: { ending } }) =>
    ending?.status === "interrupted" ? [ending.exitReason] : [],
  );
  return reasons.length > 0 && reasons.every((reason) => reason === SHUTDOWN || reason === cancelledBy(client));
}

async function start(
  { engine, server, startDetached }: RunForCallDeps,
  client: string,
  { call, background }: ClientCall,
  place: CallPlace,
): Promise<string> {
  const options: SubmitOptions = { surface: "mcp", askedBy: "model", answersFromElsewhere: true, ...place };
  if (!background) {
    const { id } = await engine.submit(call, { ...options, server: server() });
    await engine.holdCall(id, client);
    return id;
  }
  const id = await engine.enqueue(call, options);
  await engine.holdCall(id, client);
  try {
    await startDetached(id);
  } catch (error) {
    await engine.stop(id, "the run could not start");
    throw error;
  }
  return id;
}

/** A hash of the facts, whatever the order of their fields. */
function keyOf(facts: unknown): string {
  const inOrder = (_: string, value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(facts, inOrder)).digest("base64");
}
