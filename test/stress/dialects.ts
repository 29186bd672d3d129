/**
 * The whole matrix of dialects: each vendor × each kind of exchange × each following vendor × each kind of its exchange.
 * A round has each pair of vendors with each kind of exchange once before and once after the change; which kinds meet
 * differs from round to round, so that as many rounds as there are kinds are the full cross.
 */
import { type Exchange, exchangesOf, oneOfEachKind, playExchange, playText } from "../support/dialect-matrix.ts";
import { createRandom, type Random } from "../support/end-to-end-moments.ts";
import { createVendorStage } from "../support/vendor-stage.ts";
import { VENDORS, type Vendor } from "../support/vendors.ts";
import type { Part } from "./rounds.ts";

type Cross = { exchanges: number; takeovers: number; failed: string[] };

export const dialectsPart: Part = {
  what: "each vendor's dialect × each kind of exchange × each vendor that takes over; 10 for the full cross",
  usualCount: 1,
  async run({ count, seed }, rounds) {
    const done = rounds.finished<Cross>();
    while (done.length < count * VENDORS.length) {
      const vendor = VENDORS[done.length % VENDORS.length] as Vendor;
      const cross = await playCross(vendor, Math.floor(done.length / VENDORS.length), createRandom(seed + done.length));
      done.push(cross);
      rounds.add(cross);
      console.log(`${vendor.name}: ${cross.exchanges} exchanges, taken over ${cross.takeovers} times`);
      for (const cell of cross.failed) console.log(`  FAILED ${cell}`);
    }
    return report(done, count, seed);
  },
};

/** Every exchange of a vendor by itself; one of each kind before each other vendor. */
async function playCross(from: Vendor, round: number, random: Random): Promise<Cross> {
  const stage = await createVendorStage();
  const cross: Cross = { exchanges: 0, takeovers: 0, failed: [] };

  async function attempt(cell: string, play: () => Promise<unknown>): Promise<void> {
    await play().catch((error: unknown) => cross.failed.push(`${cell}: ${String(error).slice(0, 500)}`));
  }

  try {
    for (const exchange of exchangesOf(from)) {
      await attempt(cellOf(from, exchange), async () =>
        playText(stage, from, await playExchange(stage, from, exchange)),
      );
      cross.exchanges += 1;
    }
    for (const [row, first] of oneOfEachKind(from, random).entries())
      for (const [column, to] of VENDORS.filter((vendor) => vendor !== from).entries()) {
        const kinds = oneOfEachKind(to, random);
        const second = kinds[(row + column + round) % kinds.length] as Exchange;
        await attempt(`${cellOf(from, first)}, then ${cellOf(to, second)}`, async () => {
          const messages = await playExchange(stage, from, first);
          await playText(stage, from, await playExchange(stage, to, second, messages));
        });
        cross.takeovers += 1;
      }
    return cross;
  } finally {
    await stage.close();
  }
}

function cellOf({ name }: Vendor, { kind, words }: Exchange): string {
  return `${name}, ${kind}${words === undefined ? "" : ` (${words})`}`;
}

/** Throws if a cell failed. */
function report(done: readonly Cross[], count: number, seed: number): string {
  const sum = (name: "exchanges" | "takeovers") => done.reduce((total, cross) => total + cross[name], 0);
  const kinds = Math.max(...VENDORS.map((vendor) => oneOfEachKind(vendor).length));
  const played = `${count} of ${kinds} rounds of the dialects of ${VENDORS.length} vendors, seed ${seed}: ${sum("exchanges")} exchanges, ${sum("takeovers")} takeovers.`;
  const failed = done.flatMap((cross) => cross.failed);
  if (failed.length > 0) throw new Error(`${played}\n${failed.length} failed:\n${failed.join("\n")}`);
  return `${played}
0 answers or failures misread, 0 requests that a vendor rejects, 0 private states lost or with another model.`;
}
