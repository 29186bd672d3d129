/**
 * Messages to running children, whichever process owns the run: recorded here, read by the owner, receipts folded from
 * events.
 */
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { SteerAuthor } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import {
  hasEnded,
  mayReceive,
  namedChild,
  type Run,
  type RunChild,
  type RunUpdate,
  type Steer,
} from "../../run/run.ts";
import { isAtWork } from "../../run/run-store.ts";
import { present } from "../../values/present.ts";
import { hostsIn } from "../../web-host.ts";
import type { CurrentRuns, FoundRun } from "./current-runs.ts";

/**
 * Delivery state of a message. `owner` is `dead` if no process works on the child: a resume would deliver the message.
 */
export type SteerReceipt = {
  id: string;
  childId: string;
  state: Steer["state"];
  owner: "alive" | "dead";
  /** The message contained a known key, which was replaced with its name. */
  keyRemoved?: true;
};

export type Steering = {
  /** @param words the user's own part of the text, where data follows it */
  steer(id: string, text: string, by: string, author?: SteerAuthor, words?: string): Promise<SteerReceipt>;
  settleSteer(receipt: SteerReceipt, signal: AbortSignal): Promise<SteerReceipt>;
};

type SteeringDeps = CurrentRuns & {
  clock: Clock;
  journal: Journal;
  newId: () => string;
  /** Removes known keys. @throws DeputyError `config-invalid` */
  redact(text: string): string;
};

export function createSteering({ clock, journal, newId, redact, find, refresh, follow }: SteeringDeps): Steering {
  /** The runs that this process's receipts came from: settling a receipt continues there. */
  const runs = new WeakMap<SteerReceipt, FoundRun>();

  async function steer(
    id: string,
    written: string,
    by: string,
    author?: SteerAuthor,
    words = written,
  ): Promise<SteerReceipt> {
    const text = redact(written);
    if (text.trim() === "") throw new DeputyError("usage", "Expected a message for the child; found nothing.");
    const found = await find(id);
    const { delegationId } = found.run;
    const { childId: target } = addressee(found.run, id).tally;
    const steerId = newId();
    const hosts = author === undefined ? hostsIn(redact(words)) : [];
    const named = hosts.length > 0 && { hosts };
    const message = { id: steerId, target, text, by, ...present({ author }), ...named };
    await journal.append([{ kind: "steer-request", at: clock.now(), delegationId, ...message }]);
    await refresh(found);
    const receipt = receiptOf(found, target, steerId);
    return text === written ? receipt : Object.assign(receipt, { keyRemoved: true });
  }

  async function settleSteer(receipt: SteerReceipt, signal: AbortSignal): Promise<SteerReceipt> {
    const { childId, id } = receipt;
    const found = runs.get(receipt) ?? (await find(childId));
    await refresh(found);
    const now = receiptOf(found, childId, id);
    if (now.state !== "queued" || now.owner === "dead") return now;
    const settled = new AbortController();
    const onUpdate = ({ run }: RunUpdate) => {
      if (stateIn(run, childId, id) !== "queued" || isIdle(run, childId)) settled.abort();
    };
    await follow(found, onUpdate, AbortSignal.any([signal, settled.signal]));
    return receiptOf(found, childId, id);
  }

  function receiptOf(found: FoundRun, childId: string, id: string): SteerReceipt {
    const owner = isAtWork(found) && !isIdle(found.run, childId) ? "alive" : "dead";
    const receipt: SteerReceipt = { id, childId, state: stateIn(found.run, childId, id), owner };
    runs.set(receipt, found);
    return receipt;
  }

  return { steer, settleSteer };
}

/** A run of this process receives a message that is in the journal a moment later. */
function stateIn(run: Run, childId: string, id: string): Steer["state"] {
  const child = childIn(run, childId);
  if (child === undefined) return "missed";
  return child.steers.find((steer) => steer.id === id)?.state ?? (mayReceive(child, run) ? "queued" : "missed");
}

function childIn({ children }: Run, childId: string): RunChild | undefined {
  return children.find(({ tally }) => tally.childId === childId);
}

/** Returns whether the child has ended for now: only a resume can continue it. */
function isIdle(run: Run, childId: string): boolean {
  const child = childIn(run, childId);
  return child === undefined || hasEnded(child);
}

/** Returns the child that an id means: the named child or, for a run, its one open child. */
function addressee(run: Run, id: string): RunChild {
  const childId = namedChild(run.delegationId, id);
  if (childId !== undefined) {
    const child = childIn(run, childId);
    if (child === undefined || hasEnded(child)) throw over(childId, child?.tally.ending?.status ?? "rejected");
    return child;
  }
  const open = run.children.filter((child) => !hasEnded(child));
  const [only] = open;
  if (only === undefined) throw over(run.delegationId, "all children have ended");
  if (open.length === 1) return only;
  const some = open.slice(0, 5).map(({ tally }) => tally.childId);
  const more = open.length > some.length ? ", …" : "";
  throw new DeputyError(
    "usage",
    `Expected one child of ${run.delegationId}; ${open.length} are open. Choose one: ${some.join(", ")}${more}.`,
  );
}

function over(id: string, how: string): DeputyError {
  return new DeputyError("run-ended", `${id} has ended (${how}) and cannot receive messages. See deputy show ${id}.`);
}
