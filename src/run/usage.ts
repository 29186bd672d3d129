/**
 * Usage of the requests in a journal: a fold over stored events, one run at a time. The result that a retry carries over
 * has no requests in the new run, so nothing counts twice.
 */
import { DeputyError } from "../errors.ts";
import type { StoredEvent } from "../event.ts";
import type { Journal } from "../journal/journal.ts";
import type { Planned } from "../plan.ts";
import { applyToStats, type ChildStats, createChildStats, type UsageTotals, usedAlone } from "../result.ts";
import { present } from "../values/present.ts";
import { childIdOf, isChildEvent, parseRunId, rootIdOf } from "./run.ts";
import { isOfLaterFormat } from "./run-format.ts";
import { type RunFilter, runIds } from "./run-store.ts";

/** Requests of one child on one route in one period. */
export type UsageShare = {
  /** Id of the run at the root of the tree. */
  runId: string;
  provider: string;
  model: string;
  /** Tags of the task; a child's own delegations inherit those of its task if theirs have none. */
  tags: readonly string[];
  agent?: string;
  period: string;
  used: UsageTotals;
};

export type UsageQuery = {
  /** Runs that count. Default: all. */
  among?: RunFilter;
  /** Only requests that were sent then or later, in milliseconds since the epoch. */
  since?: number;
  /** The period of a request, by its time: its day, for example. */
  periodOf(at: number): string;
};

const COUNTED = [
  "delegation-start",
  "delegation-resume",
  "attempt-start",
  "step-start",
  "step-end",
  "step-fail",
  "child-end",
] as const satisfies StoredEvent["kind"][];

/** Shares of every run, oldest run first; runs that need a later Deputy are left out. */
export async function* usageShares(journal: Journal, query: UsageQuery): AsyncGenerator<UsageShare> {
  const active = query.since === undefined ? undefined : await activeRuns(journal, query.since);
  for (const runId of await runIds(journal, query.among)) {
    if (active !== undefined && !active.has(runId)) continue;
    yield* await sharesOf(journal, runId, query);
  }
}

/** Ids of the runs with a request at this time or later. */
async function activeRuns(journal: Journal, since: number): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { event } of journal.read({ kinds: ["step-start"], since })) ids.add(rootIdOf(event.delegationId));
  return ids;
}

type Attempt = Extract<StoredEvent, { kind: "attempt-start" }>;
/** A child while its events are read. */
type Sender = { planned: Planned; tags: readonly string[]; attempt?: Attempt; current?: ChildStats };
type Counted = { sender: Sender; attempt: Attempt; period: string; stats: ChildStats };

async function sharesOf(journal: Journal, runId: string, { since = 0, periodOf }: UsageQuery): Promise<UsageShare[]> {
  const senders = new Map<string, Sender>();
  const counted = new Map<string, Counted>();
  for await (const { event } of journal.read({ within: runId, kinds: COUNTED })) {
    if (isOfLaterFormat(event)) return [];
    if (event.kind === "delegation-start")
      for (const [id, sender] of sendersOf(event, senders)) senders.set(id, sender);
    const sender = isChildEvent(event) ? senders.get(event.childId) : undefined;
    if (sender === undefined || !isChildEvent(event)) continue;
    if (event.kind === "attempt-start") sender.attempt = event;
    if (event.kind === "step-start" && event.at < since) delete sender.current;
    else if (event.kind === "step-start") sender.current = statsFor(event.childId, sender, periodOf(event.at), counted);
    if (sender.current !== undefined && event.kind !== "attempt-start") applyToStats(sender.current, event);
  }
  return [...counted.values()].map(({ sender: { planned, tags }, attempt: { provider, model }, period, stats }) => ({
    runId,
    provider,
    model,
    tags,
    ...present({ agent: "agent" in planned ? planned.agent : undefined }),
    period,
    used: usedAlone(stats),
  }));
}

type FirstEvent = Extract<StoredEvent, { kind: "delegation-start" }>;

function sendersOf(
  { delegationId, planned, parent }: FirstEvent,
  above: ReadonlyMap<string, Sender>,
): [string, Sender][] {
  const inherited = (parent && above.get(parent.childId)?.tags) ?? [];
  return planned.map((entry, index) => {
    const { tags = [] } = entry.task;
    return [childIdOf(delegationId, index), { planned: entry, tags: tags.length > 0 ? tags : inherited }];
  });
}

/** The statistics that a request counts in: one for each route and period of a child. */
function statsFor(childId: string, sender: Sender, period: string, counted: Map<string, Counted>): ChildStats {
  const { attempt, planned } = sender;
  if (attempt === undefined) throw inconsistent(childId);
  const key = JSON.stringify([childId, attempt.provider, attempt.model, period]);
  const known = counted.get(key)?.stats;
  if (known !== undefined) return known;
  const stats = createChildStats(childId, parseRunId(childId).taskIndex ?? 0, planned);
  applyToStats(stats, attempt);
  counted.set(key, { sender, attempt, period, stats });
  return stats;
}

function inconsistent(childId: string): DeputyError {
  const message = `The journal is inconsistent at ${childId}: a request before any attempt. See what is wrong: deputy journal verify`;
  return new DeputyError("journal-unusable", message);
}
