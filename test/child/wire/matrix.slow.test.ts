/** The matrix of dialects. `npm run stress -- dialects` tests the full cross of all vendors. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "../../../src/child/message.ts";
import {
  brokenCall,
  distinctVendors,
  oneOfEachKind,
  playExchange,
  playText,
  rowsWithoutVendor,
} from "../../support/dialect-matrix.ts";
import { createVendorStage, type VendorStage } from "../../support/vendor-stage.ts";

test("every row of the dialect table has a vendor in test/support/vendors.ts, in each of its API modes", () => {
  assert.deepEqual(rowsWithoutVendor(), []);
});

test("a row without a vendor is called by its name", () => {
  const matches = [{ providers: ["nobody"] }, { model: /^nothing-/, apiModes: ["gemini"] as const }];
  assert.deepEqual(rowsWithoutVendor([{ name: "Nobody", matches, facts: {} }]), ["Nobody, in gemini"]);
  assert.deepEqual(rowsWithoutVendor([{ name: "Nobody", matches: [], facts: {} }]), ["Nobody"]);
});

describe("in the dialect of", () => {
  let stage: VendorStage;
  before(async () => {
    stage = await createVendorStage();
  });
  after(() => stage.close());

  const rows = distinctVendors().map((vendor) => ({ vendor, exchanges: oneOfEachKind(vendor) }));
  const nth = <Item>(items: readonly Item[], index: number) => items[index % items.length] as Item;

  for (const [index, { vendor, exchanges }] of rows.entries()) {
    const others = [...rows.slice(index + 1), ...rows.slice(0, index)];

    for (const [column, exchange] of exchanges.entries())
      test(`${vendor.name}: ${exchange.kind} is read correctly, and sent back, or to another vendor`, async () => {
        const messages = await playExchange(stage, vendor, exchange);
        await playText(stage, vendor, messages);
        await playText(stage, nth(others, column).vendor, messages);
      });

    test(`${vendor.name}: calls with broken arguments are accepted back, its own and another vendor's`, async () => {
      await playText(stage, vendor, brokenCall(vendor));
      await playText(stage, vendor, brokenCall(nth(others, 0).vendor));
    });

    test(`${vendor.name}: results of its calls go to any other vendor, and the other's answer comes back`, async () => {
      const rounds = exchanges.filter(({ turns: [turn] }) => "answer" in turn && turn.answer.calls !== undefined);
      const called: Message[][] = [];
      for (const round of rounds) called.push(await playExchange(stage, vendor, round));
      for (const [column, other] of others.entries()) {
        const taken = await playExchange(stage, other.vendor, nth(other.exchanges, column), nth(called, column));
        await playText(stage, vendor, taken);
      }
    });
  }
});
