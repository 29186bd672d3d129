/** Rounds to the six decimals that documents have; a cost is never rounded to nothing. */
export function roundUsd<Amount extends number | null>(usd: Amount): Amount | number {
  return usd !== null && usd > 0 ? Math.max(Math.round(usd * 1e6), 1) / 1e6 : usd;
}

/** Formats an amount of money for every surface. */
export function formatUsd(usd: number): string {
  if (usd > 0 && usd < 0.0001) return "<$0.0001";
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`;
}

/** Formats a total of which a part may be unknown: `$0.0017 + unknown`. */
export function formatTotalUsd(knownUsd: number, isComplete: boolean): string {
  if (isComplete) return formatUsd(knownUsd);
  return knownUsd > 0 ? `${formatUsd(knownUsd)} + unknown` : "cost unknown";
}

/** A cost in USD, null if unknown, as results have it. */
type ShownCost = { usd: number | null; status: "known" | "estimated" | "unknown" };

/** `$0.0012`, `~$0.0012` if a failed request may have been charged, `cost unknown` without a price. */
export function formatCost({ usd, status }: ShownCost): string {
  if (usd === null) return "cost unknown";
  return `${status === "estimated" ? "~" : ""}${formatUsd(usd)}`;
}

/**
 * Formats a total: `~$0.0017 + unknown` if one cost is an estimate and one is unknown.
 * @param totalUsd the sum before its parts were rounded, if it is known
 */
export function formatTotalCost(costs: readonly ShownCost[], totalUsd?: number | null): string {
  const knownUsd = totalUsd ?? costs.reduce((sum, { usd }) => sum + (usd ?? 0), 0);
  const isComplete = costs.every(({ usd }) => usd !== null);
  const isEstimated = knownUsd > 0 && costs.some(({ status }) => status === "estimated");
  return `${isEstimated ? "~" : ""}${formatTotalUsd(knownUsd, isComplete)}`;
}
