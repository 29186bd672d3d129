/** Whole conversations with each vendor. `matrix.slow.test.ts` tests a change of vendors. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "../../../src/child/message.ts";
import { added, createVendorStage, secretOf, type VendorStage } from "../../support/vendor-stage.ts";
import { turnOf, VENDORS, type Vendor } from "../../support/vendors.ts";

describe("conversations", () => {
  let stage: VendorStage;
  before(async () => {
    stage = await createVendorStage();
  });
  after(() => stage.close());

  /** One more round: the user's message, an answer with a call, and the result of the call. */
  async function round(vendor: Vendor, messages: Message[], number: number): Promise<Message[]> {
    const sent = turnOf(vendor, { calls: 1 }, secretOf(vendor, number));
    const reply = await stage.ask(vendor, messages, sent);
    assert.ok(reply.ok, `${vendor.name}: ${JSON.stringify(reply)}`);
    assert.deepEqual(reply.warnings, [], "nobody reads of a package's inner workings");
    assert.equal(reply.finish, "tool-calls");
    return [...messages, ...added(vendor, reply)];
  }

  const hello: Message = { role: "user", text: "Hello." };

  for (const vendor of VENDORS) {
    test(`${vendor.name} gets all of its state back, round after round, and a message after a result`, async () => {
      let messages = await round(vendor, [hello], 0);
      messages = await round(vendor, messages, 1);
      messages = await round(vendor, [...messages, { role: "user", text: "Be quick." }], 2);
      await round(vendor, messages, 3);
    });
  }
});
