/** Times as people say them: relative while recent, else in the local time zone. (`Intl` would cost 10 ms.) */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `just now`, `5m ago`, `3h ago`; then `Nov 26 14:05`, and `2025-11-26` in another year. */
export function formatWhen(at: number, now: number): string {
  const ago = Math.max(0, now - at);
  if (ago < MINUTE_MS) return "just now";
  if (ago < HOUR_MS) return `${Math.floor(ago / MINUTE_MS)}m ago`;
  if (ago < DAY_MS) return `${Math.floor(ago / HOUR_MS)}h ago`;
  const [then, today] = [new Date(at), new Date(now)];
  if (then.getFullYear() !== today.getFullYear()) return localDay(at);
  const day = String(then.getDate()).padStart(2, "0");
  const clock = [then.getHours(), then.getMinutes()].map((part) => String(part).padStart(2, "0")).join(":");
  return `${MONTHS[then.getMonth()]} ${day} ${clock}`;
}

/** The day in the local time zone, as `2026-11-26`. @param at milliseconds since the epoch */
export function localDay(at: number): string {
  const then = new Date(at);
  const [month, day] = [then.getMonth() + 1, then.getDate()].map((part) => String(part).padStart(2, "0"));
  return `${then.getFullYear()}-${month}-${day}`;
}
