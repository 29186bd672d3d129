/**
 * The journal format that a run names. A program refuses a run of a later format instead of ignoring what it does not
 * know about it.
 */
import { DeputyError } from "../errors.ts";
import { DURABILITY, JOURNAL_FORMAT, type StoredEvent } from "../event.ts";

/** Returns whether the event says that its run needs a later Deputy. */
export function isOfLaterFormat(event: StoredEvent): boolean {
  return "format" in event && event.format !== undefined && event.format > JOURNAL_FORMAT;
}

/** @throws DeputyError `run-newer` if this program cannot read the event's run */
export function assertKnownFormat(event: StoredEvent): void {
  const { delegationId, kind } = event;
  if (isOfLaterFormat(event)) {
    const { format } = event as { format?: number };
    throw laterRun(delegationId, `it needs journal format ${format}, this program reads up to ${JOURNAL_FORMAT}`);
  }
  if (!Object.hasOwn(DURABILITY, kind))
    throw laterRun(delegationId, `this program does not know its event kind ${kind}`);
}

/** Returns whether an error says that a run needs a later Deputy. */
export function isOfLaterRun(error: unknown): boolean {
  return error instanceof DeputyError && error.code === "run-newer";
}

function laterRun(delegationId: string, why: string): DeputyError {
  return new DeputyError(
    "run-newer",
    `Run ${delegationId} was written by a newer Deputy: ${why}. Nothing was changed. ` +
      "Update Deputy (npm install -g deputize@latest), then try again.",
  );
}
