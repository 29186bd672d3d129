/** The dialects of the scripted model server, by the names of their vendors. */
import type { IncomingMessage } from "node:http";
import type { ModelRequest } from "../model-request.ts";
import { apiModeOf, type RequestTarget, type WireName } from "../request-target.ts";
import type { WireFormat } from "../wire-format.ts";
import { createChatWire } from "../wires/chat-wire.ts";
import { converseWire } from "../wires/converse-wire.ts";
import { geminiWire } from "../wires/gemini-wire.ts";
import { createMessagesWire } from "../wires/messages-wire.ts";
import { createResponsesWire } from "../wires/responses-wire.ts";
import type { ChatVendor } from "./chat-servers.ts";
import { CHAT_VENDORS, chatWireOf } from "./chat-vendors.ts";
import { CONVERSE_VENDORS, converseWireOf } from "./converse-vendors.ts";
import { GEMINI_VENDORS, geminiWireOf } from "./gemini-vendors.ts";
import { MESSAGES_VENDORS, type MessagesVendor, messagesWireOf } from "./messages-vendors.ts";
import { RESPONSES_VENDORS, type ResponsesVendor, responsesWireOf } from "./responses-vendors.ts";
import type { DialectName, VendorApi } from "./vendor-api.ts";

/** Chooses the vendor that a request is for, such as by its path. Undefined: the API mode's own format. */
export type DialectOf = (request: Pick<ModelRequest, "apiMode" | "path" | "headers">) => DialectName | undefined;

/** An API as one vendor serves it. */
type ServedApi = { wire: WireFormat; path?: RegExp };

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

/** The wire format of a request; undefined if the vendor serves nothing at its path. */
export type ServedWires = (
  target: RequestTarget,
  request: Pick<IncomingMessage, "url" | "headers">,
) => WireFormat | undefined;

/** The wire formats of one server. Each is made once, because some keep what they have sent. */
export function createServedWires(dialect: DialectName | DialectOf | undefined): ServedWires {
  const apis = new Map<string, ServedApi | undefined>();
  return ({ format, asks }, { url: path = "", headers }) => {
    const name = typeof dialect === "function" ? dialect({ apiMode: apiModeOf(format), path, headers }) : dialect;
    const key = `${format} ${name ?? ""}`;
    if (!apis.has(key)) apis.set(key, FAMILIES[format](name));
    const api = apis.get(key);
    const isServed = asks === "models" || api?.path === undefined || api.path.test(path);
    return isServed ? api?.wire : undefined;
  };
}
