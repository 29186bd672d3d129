/**
 * The whole matrix of dialects: each vendor × each kind of exchange × each following vendor × each kind of its
 * exchange.
 */
import { exchangesOf, oneOfEachKind, playExchange, playText } from "../support/dialect-matrix.ts";
import { createRandom, type Random } from "../support/end-to-end-moments.ts";
import { createVendorStage } from "../support/vendor-stage.ts";
import { VENDORS, type Vendor } from "../support/vendors.ts";
import type { Part } from "./rounds.ts";

type Cross = { exchanges: number; takeovers: number };

export const dialectsPart: Part = {
  what: "each vendor's dialect × each kind of exchange × each vendor that takes over",
  usualCount: 1,
  async run({ count, seed }, rounds) {
    const done = rounds.finished<Cross>();
    while (done.length < count * VENDORS.length) {
      const vendor = VENDORS[done.length % VENDORS.length] as Vendor;
      const cross = await playCross(vendor, createRandom(seed + done.length));
      done.push(cross);
      rounds.add(cross);
      console.log(`${vendor.name}: ${cross.exchanges} exchanges, taken over ${cross.takeovers} times`);
    }
    const sum = (name: keyof Cross) => done.reduce((total, cross) => total + cross[name], 0);
    return `${count} times the dialects of ${VENDORS.length} vendors, seed ${seed}: ${sum("exchanges")} exchanges, ${sum("takeovers")} takeovers.
0 answers or failures misread, 0 requests that a vendor rejects, 0 private states lost or with another model.`;
  },
};

/** Every exchange of a vendor by itself; one of each kind before each other vendor. */
async function playCross(from: Vendor, random: Random): Promise<Cross> {
  const stage = await createVendorStage();
  try {
    const exchanges = exchangesOf(from);
    for (const exchange of exchanges) await playText(stage, from, await playExchange(stage, from, exchange));
    let takeovers = 0;
    for (const first of oneOfEachKind(from, random)) {
      const messages = await playExchange(stage, from, first);
      for (const to of VENDORS.filter((vendor) => vendor !== from))
        for (const second of oneOfEachKind(to, random)) {
          await playText(stage, from, await playExchange(stage, to, second, messages));
          takeovers += 1;
        }
    }
    return { exchanges: exchanges.length, takeovers };
  } finally {
    await stage.close();
  }
}
