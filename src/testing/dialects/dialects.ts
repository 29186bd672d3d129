/** The dialects of the scripted model server, by the names of their vendors. */
import type { WireName } from "../request-target.ts";
import type { WireFormat } from "../wire-format.ts";
import { createChatWire } from "../wires/chat-wire.ts";
import { converseWire } from "../wires/converse-wire.ts";
import { geminiWire } from "../wires/gemini-wire.ts";
import { createMessagesWire } from "../wires/messages-wire.ts";
import { createResponsesWire } from "../wires/responses-wire.ts";
import { CHAT_VENDORS, type ChatVendor, chatWireOf } from "./chat-vendors.ts";
import { CONVERSE_VENDORS, converseWireOf } from "./converse-vendors.ts";
import { GEMINI_VENDORS, geminiWireOf } from "./gemini-vendors.ts";
import { MESSAGES_VENDORS, type MessagesVendor, messagesWireOf } from "./messages-vendors.ts";
import { RESPONSES_VENDORS, type ResponsesVendor, responsesWireOf } from "./responses-vendors.ts";
import type { VendorApi } from "./vendor-api.ts";

/** A vendor, gateway or local server that the server can act as, in each API mode that it offers. */
export type DialectName =
  | keyof typeof CHAT_VENDORS
  | keyof typeof RESPONSES_VENDORS
  | keyof typeof MESSAGES_VENDORS
  | keyof typeof GEMINI_VENDORS
  | keyof typeof CONVERSE_VENDORS;

/** An API as one vendor serves it. */
export type ServedApi = { wire: WireFormat; path?: RegExp };

type Family<Vendor extends VendorApi> = {
  vendors: Readonly<Record<string, Vendor>>;
  wireOf(vendor: Vendor): WireFormat;
  usual(): WireFormat;
};

function family<Vendor extends VendorApi>({ vendors, wireOf, usual }: Family<Vendor>) {
  return (name: DialectName | undefined): ServedApi | undefined => {
    if (name === undefined) return { wire: usual() };
    const vendor = Object.hasOwn(vendors, name) ? vendors[name] : undefined;
    return vendor && { wire: wireOf(vendor), ...(vendor.path && { path: vendor.path }) };
  };
}

const FAMILIES: Record<WireName, (name: DialectName | undefined) => ServedApi | undefined> = {
  chat_completions: family<ChatVendor>({ vendors: CHAT_VENDORS, wireOf: chatWireOf, usual: createChatWire }),
  responses: family<ResponsesVendor>({
    vendors: RESPONSES_VENDORS,
    wireOf: responsesWireOf,
    usual: createResponsesWire,
  }),
  anthropic_messages: family<MessagesVendor>({
    vendors: MESSAGES_VENDORS,
    wireOf: messagesWireOf,
    usual: createMessagesWire,
  }),
  converse: family<VendorApi>({ vendors: CONVERSE_VENDORS, wireOf: converseWireOf, usual: () => converseWire }),
  gemini: family<VendorApi>({ vendors: GEMINI_VENDORS, wireOf: geminiWireOf, usual: () => geminiWire }),
};

/** The API of a vendor, or the format itself without a name. Undefined if the vendor does not offer it. */
export type ServedApis = (format: WireName, name?: DialectName) => ServedApi | undefined;

/** The APIs of one server: each is made once, because some keep what they have sent. */
export function createServedApis(): ServedApis {
  const served = new Map<string, ServedApi | undefined>();
  return (format, name) => {
    const key = `${format} ${name ?? ""}`;
    if (!served.has(key)) served.set(key, FAMILIES[format](name));
    return served.get(key);
  };
}
