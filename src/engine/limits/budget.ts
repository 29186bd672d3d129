/**
 * Budgets in USD, for all children of a delegation and for each child: money is reserved before a request is sent and
 * committed after it. Spending plus reservations exceed a limit by at most the worst case of the requests in flight.
 */
import type { Reservation, WorstCase } from "../../child/worst-case.ts";
import { SHORTEST_ANSWER_TOKENS } from "../../plan.ts";

/** Shorter answers are not worth a request, in tokens. */
const MIN_ANSWER_TOKENS = 1_000;

/** A limit, and the amounts that count against it, in USD. */
export type Budget = {
  readonly limitUsd: number | undefined;
  spentUsd: number;
  reservedUsd: number;
  /** Number of requests with a reservation. */
  open: number;
  /** Callbacks of requests that wait for others' reservations. */
  readonly waiting: Set<() => void>;
};

export function createBudget(limitUsd: number | undefined, spentUsd = 0): Budget {
  return { limitUsd, spentUsd, reservedUsd: 0, open: 0, waiting: new Set() };
}

/**
 * Reserves money like `tryReserve`, and waits if others have reserved it: a request that ends returns what it did not
 * cost.
 * @param onWait called once, before the first wait, with the USD that others have reserved
 */
export async function reserve(
  budgets: readonly Budget[],
  worstCase: () => WorstCase,
  isFinalAnswer: boolean,
  signal: AbortSignal,
  onWait: (heldUsd: number) => void = () => {},
): Promise<Reservation | undefined> {
  for (let waits = 0; ; waits++) {
    if (signal.aborted) return undefined;
    const reservation = tryReserve(budgets, worstCase, isFinalAnswer);
    if (reservation !== "held") return reservation;
    if (waits === 0) onWait(tightest(budgets)?.reservedUsd ?? 0);
    await waitForRelease(budgets, signal);
  }
}

/**
 * Reserves money in every budget, or in none.
 * @returns undefined if a budget cannot pay for an answer of useful length; `held` if it could without others'
 * reservations
 */
export function tryReserve(
  budgets: readonly Budget[],
  worstCase: () => WorstCase,
  isFinalAnswer: boolean,
): Reservation | "held" | undefined {
  const unspentUsd = Math.min(...budgets.map(unspent));
  // Without a limit, skip the worst case: computing it reads the whole conversation.
  if (unspentUsd === Number.POSITIVE_INFINITY) return createReservation(budgets);
  const worst = worstCase();
  const { price } = worst.route.facts;
  if (price === undefined) return createReservation(budgets);
  // Writing all of it to the provider's cache may cost more than reading it.
  const inputUsd = usd(worst.inputTokens, Math.max(price.input, price.cacheWrite ?? 0));
  const keptBackUsd = isFinalAnswer ? 0 : inputUsd + usd(SHORTEST_ANSWER_TOKENS, price.output);
  const tokensOf = (leftUsd: number) => tokensFor(leftUsd - inputUsd - keptBackUsd, price.output);
  const outputTokens = Math.min(worst.outputTokens, tokensOf(unspentUsd));
  const least = Math.min(worst.outputTokens, isFinalAnswer ? SHORTEST_ANSWER_TOKENS : MIN_ANSWER_TOKENS);
  if (outputTokens < least) return undefined;
  if (outputTokens > tokensOf(Math.min(...budgets.map(available)))) return "held";
  const worstUsd = inputUsd + usd(outputTokens, price.output);
  return createReservation(budgets, { reservedUsd: worstUsd, maxOutputTokens: outputTokens });
}

/** The limit, in USD, with the least money left; undefined without limits. */
export function tightestUsd(budgets: readonly Budget[]): number | undefined {
  return tightest(budgets)?.limitUsd;
}

/** The remainder of that limit, in USD. */
export function leftUsd(budgets: readonly Budget[]): { left: number; limit: number } | undefined {
  const budget = tightest(budgets);
  return budget?.limitUsd === undefined ? undefined : { left: unspent(budget), limit: budget.limitUsd };
}

function tightest(budgets: readonly Budget[]): Budget | undefined {
  const limited = budgets.filter(({ limitUsd }) => limitUsd !== undefined);
  return limited.toSorted((one, other) => available(one) - available(other))[0];
}

function createReservation(
  budgets: readonly Budget[],
  terms: Pick<Reservation, "reservedUsd" | "maxOutputTokens"> = {},
): Reservation {
  const { reservedUsd: heldUsd = 0 } = terms;
  let open = true;
  for (const budget of budgets) {
    budget.reservedUsd += heldUsd;
    budget.open += 1;
  }
  const commit = (spentUsd: number) => {
    if (!open) return;
    open = false;
    for (const budget of budgets) {
      budget.open -= 1;
      // Reset to zero without reservations: a rounding error would make a request wait forever.
      budget.reservedUsd = budget.open === 0 ? 0 : budget.reservedUsd - heldUsd;
      budget.spentUsd += spentUsd;
    }
    for (const wake of new Set(budgets.flatMap(({ waiting }) => [...waiting]))) wake();
  };
  return {
    ...terms,
    commit,
    commitWorstCase: () => commit(heldUsd),
    release: () => commit(0),
  };
}

/** Waits until one of the budgets releases or commits a reservation, or the signal aborts. */
async function waitForRelease(budgets: readonly Budget[], signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = () => resolve();
  for (const budget of budgets) budget.waiting.add(wake);
  signal.addEventListener("abort", wake);
  await promise;
  signal.removeEventListener("abort", wake);
  for (const budget of budgets) budget.waiting.delete(wake);
}

function available(budget: Budget): number {
  return unspent(budget) - budget.reservedUsd;
}

function unspent({ limitUsd, spentUsd }: Budget): number {
  return limitUsd === undefined ? Number.POSITIVE_INFINITY : limitUsd - spentUsd;
}

function usd(tokens: number, perMillion: number): number {
  return (tokens * perMillion) / 1_000_000;
}

function tokensFor(leftUsd: number, perMillion: number): number {
  if (perMillion !== 0) return Math.floor((leftUsd * 1_000_000) / perMillion);
  return leftUsd >= 0 ? Number.POSITIVE_INFINITY : 0;
}
