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
