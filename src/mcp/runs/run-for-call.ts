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
  /** Where tasks work that say nothing else. */
  workspace: ClientWorkspace;
  /** Has a process of its own begin a run that was left for one. @throws DeputyError where it cannot */
  startDetached(runId: string): Promise<void>;
  /** Name of the server, which owns what runs in the foreground: its next process goes on with that after a crash. */
  server(): string;
};

type CallPlace = Required<Pick<SubmitOptions, "workspace" | "callKey" | "client">>;

export type ClientCall = { call: Call; background: boolean };

/** How a client's runs are stopped where it has not said so: it went away. */
export const cancelledBy = (client: string) => `cancelled by ${client}`;

/** @returns the id of the run @throws DeputyError where none can start */
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
 * Goes on with a run that the end of its server, or of its client, has cut off. What somebody stopped stays stopped.
 * @returns false where it cannot continue, so that the call needs a new one
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
  const isLetGo = owner === "none" && wasLetGo(run, client);
  if (!isCutOff && !isLetGo) return true;
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
    if (error.code === "run-owned") return true; // Somebody else goes on with it.
    if (error.code !== "nothing-to-run") throw error;
    await engine.closeCall(run, client);
    return false;
  }
}

/** Whether the end of its server or client, and nobody's wish, has stopped all that is unfinished of a run. */
function wasLetGo({ children }: Run, client: string): boolean {
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

/** The same for the same facts, in whatever order their fields are. */
function keyOf(facts: unknown): string {
  const inOrder = (_: string, value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value;
  return createHash("sha256").update(JSON.stringify(facts, inOrder)).digest("base64");
}
