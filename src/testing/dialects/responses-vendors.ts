/** Vendors of OpenAI's Responses API. */
import { bearerIn, headerIn } from "../wire-format.ts";
import { createResponsesWire, type ReasoningItems } from "../wires/responses-wire.ts";
import { CHAT_VENDORS } from "./chat-vendors.ts";
import { encryptedReasoning, noEncryptedContent, shortCallIds } from "./request-rules.ts";
import { asVendor, type DialectName, type VendorApi } from "./vendor-api.ts";

export type ResponsesVendor = VendorApi & { reasoning: ReasoningItems };

export function responsesWireOf(vendor: ResponsesVendor) {
  return asVendor(createResponsesWire(vendor.reasoning), vendor);
}

const OPENAI: ResponsesVendor = {
  source: "https://platform.openai.com/docs/api-reference/responses/create; vercel/ai#7543, pydantic/pydantic-ai#3331",
  reasoning: "closed",
  rejects: [encryptedReasoning, noEncryptedContent, shortCallIds],
};

const AZURE: ResponsesVendor = {
  ...OPENAI,
  source: "https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses",
  keyIn: (headers) => headerIn(headers, "api-key") ?? bearerIn(headers),
  path: /\/openai\/(v1\/responses|responses\?(.*&)?api-version=)/,
  // A deployment's name says nothing of its model.
  rejects: [encryptedReasoning, shortCallIds],
  errors: CHAT_VENDORS.azure.errors,
};

const XAI: ResponsesVendor = {
  source: "https://docs.x.ai/docs/guides/responses-api, …/docs/guides/reasoning",
  reasoning: "closed",
  rejects: [encryptedReasoning],
  errorBody: CHAT_VENDORS.xai.errorBody,
  errors: CHAT_VENDORS.xai.errors,
};

const LM_STUDIO: ResponsesVendor = {
  source: "https://lmstudio.ai/docs/developer/openai-compat/responses",
  fields: "any",
  reasoning: "open",
  errorBody: CHAT_VENDORS.lmstudio.errorBody,
  errors: CHAT_VENDORS.lmstudio.errors,
};

export const RESPONSES_VENDORS = {
  openai: OPENAI,
  azure: AZURE,
  xai: XAI,
  lmstudio: LM_STUDIO,
} satisfies Partial<Record<DialectName, ResponsesVendor>>;
