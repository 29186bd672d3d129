/** `--since 2h`, `--since 3d`, `--since 2026-11-20`: the earliest time of what is listed. */
import { InvalidArgumentError } from "commander";

const UNITS_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A time before now, or a local date or time. */
export type Since = { agoMs: number } | { at: number };

/** @throws InvalidArgumentError for anything else */
export function parseSince(written: string): Since {
  const [, count = "", unit = ""] = /^(\d+)\s*([mhdw])$/.exec(written.trim()) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return { agoMs: Number(count) * unitMs };
  // A date alone would be midnight UTC.
  const at = Date.parse(/^\d{4}-\d\d-\d\d$/.test(written) ? `${written}T00:00` : written);
  if (/^\d{4}-\d\d-\d\d/.test(written) && Number.isFinite(at)) return { at };
  throw new InvalidArgumentError("Expected a time such as 30m, 12h, 3d, 2w, or a date such as 2026-11-20.");
}

/** @param now milliseconds since the epoch */
export function earliest(since: Since, now: number): number {
  return "at" in since ? since.at : now - since.agoMs;
}
