/**
 * Money, set aside before a request leaves and settled after it: over all children of a delegation, and for each. What
 * is spent and what is held never exceed a limit by more than the requests in flight at their worst case.
 */
import type { Reservation, WorstCase } from "../../child/worst-case.ts";
import { SHORTEST_ANSWER_TOKENS } from "../../plan.ts";

/** Shorter answers than this are not worth asking for, in tokens. */
const MIN_ANSWER_TOKENS = 1_000;

/** One limit and what stands against it, in USD. */
export type Budget = {
  readonly limitUsd: number | undefined;
  spentUsd: number;
  reservedUsd: number;
  /** Requests for which money is held. */
  open: number;
  /** Who waits for money that others hold. */
  readonly waiting: Set<() => void>;
};

export function createBudget(limitUsd: number | undefined, spentUsd = 0): Budget {
  return { limitUsd, spentUsd, reservedUsd: 0, open: 0, waiting: new Set() };
}

/**
 * Sets money aside as `tryReserve` does, and waits where others hold it: a request that ends gives back what it did not cost.
 * @param onWait called once, before the first wait, with the USD that others hold
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
 * Sets money aside in every budget, or in none.
 * @returns undefined where a budget cannot pay for an answer of useful length; `held` where it could, were it not for
 * what others hold
 */
export function tryReserve(
  budgets: readonly Budget[],
  worstCase: () => WorstCase,
  isFinalAnswer: boolean,
): Reservation | "held" | undefined {
  const unspentUsd = Math.min(...budgets.map(unspent));
  // Without a limit nobody needs to know the worst case, which costs a walk through the whole conversation.
  if (unspentUsd === Number.POSITIVE_INFINITY) return createReservation(budgets);
  const worst = worstCase();
  const { price } = worst.route.facts;
  if (price === undefined) return createReservation(budgets);
  const inputUsd = usd(worst.inputTokens, price.input);
  const keptBackUsd = isFinalAnswer ? 0 : inputUsd + usd(SHORTEST_ANSWER_TOKENS, price.output);
  const tokensOf = (leftUsd: number) => tokensFor(leftUsd - inputUsd - keptBackUsd, price.output);
  const outputTokens = Math.min(worst.outputTokens, tokensOf(unspentUsd));
  const least = Math.min(worst.outputTokens, isFinalAnswer ? SHORTEST_ANSWER_TOKENS : MIN_ANSWER_TOKENS);
  if (outputTokens < least) return undefined;
  if (outputTokens > tokensOf(Math.min(...budgets.map(available)))) return "held";
  const worstUsd = inputUsd + usd(outputTokens, price.output);
  return createReservation(budgets, { reservedUsd: worstUsd, maxOutputTokens: outputTokens });
}

/** The limit, in USD, of which the least is left; undefined where there is none. */
export function tightestUsd(budgets: readonly Budget[]): number | undefined {
  return tightest(budgets)?.limitUsd;
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
      // Where nothing is held there is not even a rounding error, for which somebody would wait in vain.
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

/** Until money that is held in one of them is given back or spent, or the signal aborts. */
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
  return perMillion === 0
    ? leftUsd >= 0
      ? Number.POSITIVE_INFINITY
      : 0
    : Math.floor((leftUsd * 1_000_000) / perMillion);
}
