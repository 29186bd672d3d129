/**
 * Messages to running children, whichever process owns the run: recorded here, read by the owner, receipts folded from
 * events.
 */
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { Journal } from "../../journal/journal.ts";
import { childIdOf, hasEnded, parseRunId, type Run, type RunChild, type Steer } from "../../run/run.ts";
import { catchUp, findRun, isOwned, type LoadedRun, loadRun } from "../../run/run-store.ts";
import { followRun } from "../../run/watch-run.ts";

/**
 * Delivery state of a message. `owner` is `dead` if no process works on the run; a resume would deliver the message.
 */
export type SteerReceipt = { id: string; childId: string; state: Steer["state"]; owner: "alive" | "dead" };

export type Steering = {
  steer(id: string, text: string, by: string): Promise<SteerReceipt>;
  settleSteer(receipt: SteerReceipt, signal: AbortSignal): Promise<SteerReceipt>;
};

type SteeringDeps = {
  clock: Clock;
  journal: Journal;
  pid: number;
  newId: () => string;
};

export function createSteering({ clock, journal, pid, newId }: SteeringDeps): Steering {
  /** The runs that this process's receipts came from: settling a receipt continues there. */
  const runs = new WeakMap<SteerReceipt, LoadedRun>();

  async function steer(id: string, text: string, by: string): Promise<SteerReceipt> {
    if (text.trim() === "") throw new DeputyError("usage", "Expected a message for the child; found nothing.");
    const loaded = await findRun(journal, id, pid);
    const { delegationId } = loaded.run;
    const { childId: target } = addressee(loaded.run, id).tally;
    const steerId = newId();
    await journal.append([{ kind: "steer-request", at: clock.now(), delegationId, id: steerId, target, text, by }]);
    await catchUp(journal, loaded);
    return receiptOf(loaded, target, steerId);
  }

  async function settleSteer(receipt: SteerReceipt, signal: AbortSignal): Promise<SteerReceipt> {
    const { childId, id } = receipt;
    const loaded = runs.get(receipt) ?? (await loadRun(journal, parseRunId(childId).delegationId));
    await catchUp(journal, loaded);
    const now = await receiptOf(loaded, childId, id);
    if (now.state !== "queued" || now.owner === "dead") return now;
    for await (const { run } of followRun({ journal, clock }, loaded, signal)) {
      if (stateIn(run, childId, id) !== "queued") break;
    }
    return receiptOf(loaded, childId, id);
  }

  async function receiptOf(loaded: LoadedRun, childId: string, id: string): Promise<SteerReceipt> {
    const owner = (await isOwned(journal, loaded.run.delegationId)) ? "alive" : "dead";
    const receipt: SteerReceipt = { id, childId, state: stateIn(loaded.run, childId, id) ?? "missed", owner };
    runs.set(receipt, loaded);
    return receipt;
  }

  return { steer, settleSteer };
}

function stateIn({ children }: Run, childId: string, id: string): Steer["state"] | undefined {
  const child = children.find(({ tally }) => tally.childId === childId);
  return child?.steers.find((steer) => steer.id === id)?.state;
}

/** Returns the child that an id means: the named child or, for a run, its one open child. */
function addressee(run: Run, id: string): RunChild {
  const { taskIndex } = parseRunId(id);
  if (taskIndex !== undefined) {
    const childId = childIdOf(run.delegationId, taskIndex);
    const child = run.children.find(({ tally }) => tally.childId === childId);
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
