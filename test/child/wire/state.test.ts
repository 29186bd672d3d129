/** Whole conversations with each vendor, and each vendor taking over from each other one, in the middle of its calls. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Message } from "../../../src/child/conversation.ts";
import { createModel } from "../../../src/child/wire/model.ts";
import type { Reply } from "../../../src/child/wire/reply.ts";
import { createTransport, type Transport } from "../../../src/child/wire/transport.ts";
import { systemClock } from "../../../src/clock.ts";
import type { Route } from "../../../src/route.ts";
import { route as routeOf, tool } from "../../support/child-stage.ts";
import { serveVendor, VENDORS, type Vendor, type VendorServer } from "../../support/vendors.ts";

const look = tool("look", "read", (word) => word);

/** The vendor's secret of a round. */
const secret = (vendor: Vendor, round: number) => `${vendor.name.replaceAll(/\W/g, "")}Secret${round}`;
/** Its id of a round's call, in a form of its own. */
const callId = ({ mode }: Vendor, round: number) =>
  mode === "responses" ? `call_${"0123456789".repeat(4)}${round}` : `look:${round}`;

describe("conversations", () => {
  let transport: Transport;
  const servers = new Map<Vendor, VendorServer>();
  before(async () => {
    transport = createTransport({ connectionsPerOrigin: 8, environment: {}, userAgent: "deputy/test" });
    for (const vendor of VENDORS) servers.set(vendor, await serveVendor((body) => answerOf(vendor, body)));
  });
  after(async () => {
    await transport.close();
    for (const server of servers.values()) await server.close();
  });

  function answerOf(vendor: Vendor, body: Record<string, unknown>) {
    const rejected = vendor.rejects(body);
    if (rejected !== undefined) return { rejected };
    const round = (JSON.stringify(body).match(/found it/g) ?? []).length;
    return vendor.call(callId(vendor, round), secret(vendor, round));
  }

  async function ask(vendor: Vendor, messages: Message[]): Promise<Reply> {
    const words = createModel({ transport, clock: systemClock })(
      {
        route: routeTo(vendor),
        access: { headers: {}, redact: (text) => text },
        system: "Be brief.",
        messages,
        images: [],
        tools: [look],
        mustAnswer: false,
        stallMs: 5_000,
      },
      new AbortController().signal,
    );
    for (;;) {
      const { done, value } = await words.next();
      if (done) return value;
    }
  }

  function routeTo({ provider, model, mode }: Vendor, url = ""): Route {
    const vendor = VENDORS.find((one) => one.provider === provider && one.mode === mode && one.model === model);
    const baseUrl = `${url || (vendor && servers.get(vendor)?.url)}/v1`;
    return routeOf(provider, model, { endpoint: { baseUrl, apiMode: mode }, facts: { maxOutputTokens: 4_000 } });
  }

  /** What is added to a conversation by one round: the answer, and the results of its calls. */
  function round({ provider, model }: Vendor, reply: Reply): Message[] {
    assert.ok(reply.ok, JSON.stringify(reply));
    assert.deepEqual(
      reply.warnings.filter(({ code }) => code !== "finish-unknown"),
      [],
      "nobody reads of a package's inner workings",
    );
    const calls = reply.parts.filter((part) => part.type === "tool-call");
    assert.equal(calls.length, 1);
    return [
      { role: "assistant", provider, model, parts: JSON.parse(JSON.stringify(reply.parts)) },
      ...calls.map((call) => ({
        role: "tool" as const,
        callId: call.callId,
        name: call.name,
        text: "found it",
        ok: true,
      })),
    ];
  }

  const lastBody = (vendor: Vendor) => JSON.stringify(servers.get(vendor)?.bodies.at(-1));

  for (const vendor of VENDORS) {
    test(`${vendor.name} gets all of its state back, round after round, and a message after a result`, async () => {
      const messages: Message[] = [{ role: "user", text: "Hello." }];
      for (const number of [0, 1, 2]) {
        messages.push(...round(vendor, await ask(vendor, messages)));
        if (number === 1) messages.push({ role: "user", text: "Be quick." });
      }
      await ask(vendor, messages);
      for (const number of [0, 1, 2]) assert.match(lastBody(vendor), new RegExp(secret(vendor, number)));
    });
  }

  for (const from of VENDORS) {
    test(`every other vendor takes over from ${from.name}, which keeps its private state to itself`, async () => {
      const messages: Message[] = [{ role: "user", text: "Hello." }];
      messages.push(...round(from, await ask(from, messages)));
      for (const to of VENDORS) {
        if (to === from) continue;
        const taken = [...messages, ...round(to, await ask(to, messages))];
        assert.doesNotMatch(lastBody(to), new RegExp(secret(from, 0)), `${from.name} → ${to.name}`);
        const back = await ask(from, taken);
        assert.ok(back.ok, `${from.name} → ${to.name} → ${from.name}: ${JSON.stringify(back)}`);
        assert.match(lastBody(from), new RegExp(secret(from, 0)), "back at its maker");
        assert.doesNotMatch(lastBody(from), new RegExp(secret(to, 1)));
      }
    });
  }
});
