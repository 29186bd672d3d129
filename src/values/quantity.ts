/** Durations and money as people write them: `10m`, `1h30m`, `$2`. A field's name ends in the unit it is stored in. */

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };
const NAMES: Readonly<Record<string, string>> = { sec: "s", second: "s", min: "m", minute: "m", hour: "h", day: "d" };
const PARTS = /(\d+(?:\.\d+)?|\.\d+) ?([a-z]+) ?/gy;
const USD = /^(?:\$ ?(\d+(?:\.\d+)?|\.\d+)|(\d+(?:\.\d+)?|\.\d+) ?(?:\$|usd))$/i;

/** The number that a text means for a field, such as 600 for `timeout_seconds: 10m`; undefined if it has no unit. */
export function quantityIn(field: string, text: string): number | undefined {
  if (field.endsWith("_seconds")) return secondsIn(text.trim().toLowerCase());
  return field.endsWith("_usd") ? usdIn(text) : undefined;
}

export function usdIn(text: string): number | undefined {
  const [, before, after] = USD.exec(text.trim()) ?? [];
  const amount = before ?? after;
  return amount === undefined ? undefined : Number(amount);
}

function secondsIn(text: string): number | undefined {
  const parts = [...text.matchAll(PARTS)];
  if (text === "" || parts.map(([part]) => part).join("") !== text) return undefined;
  const seconds = parts.map(([, amount, unit = ""]) => Number(amount) * (secondsOf(unit) ?? Number.NaN));
  const sum = seconds.reduce((total, each) => total + each, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

function secondsOf(unit: string): number | undefined {
  const singular = unit.length > 2 ? unit.replace(/s$/, "") : unit;
  const short = Object.hasOwn(NAMES, singular) ? NAMES[singular] : unit;
  return short !== undefined && Object.hasOwn(SECONDS, short) ? SECONDS[short] : undefined;
}
