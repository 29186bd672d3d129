/** Requests to a run from users: they arrive through the journal, from this process like from any other. */
import { REQUESTS } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Approvals } from "../control/approvals.ts";
import type { Interrupts } from "./interrupts.ts";
import type { Recorder } from "./recorder.ts";

export type InboxDeps = {
  journal: Journal;
  recorder: Recorder;
  interrupts: Interrupts;
  approvals: Approvals;
};

/**
 * Handles stops and decisions as they arrive. A message needs no action: the fold queues it, and the child takes it
 * from there. @param after `seq` of the last entry in the run @returns a function that stops reading and waits for the
 * last request
 */
export function openInbox(deps: InboxDeps, delegationId: string, after: number): () => Promise<void> {
  const closing = new AbortController();
  const reading = readInbox(deps, delegationId, after, closing.signal).catch(deps.recorder.fail);
  return () => {
    closing.abort();
    return reading;
  };
}

async function readInbox(
  { journal, recorder, interrupts, approvals }: InboxDeps,
  delegationId: string,
  after: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const { event } of journal.watch({ delegationId, kinds: REQUESTS, after }, signal)) {
    recorder.apply(event);
    if (event.kind === "stop-request") interrupts.stop(event.by, event.target);
    if (event.kind === "approval-answer") approvals.resolve(event);
  }
}
