/** Vendors of Anthropic's Messages API. */
import { textOf } from "../json-fields.ts";
import { bearerIn } from "../wire-format.ts";
import type { ThinkingSignatures } from "../wires/messages-request.ts";
import { createMessagesWire } from "../wires/messages-wire.ts";
import { noEmptyContent, noToolFields, thinkingBeforeCalls, toolUseIds, toolUseInputs } from "./request-rules.ts";
import { asVendor, type DialectName, type VendorApi } from "./vendor-api.ts";

export type MessagesVendor = VendorApi & { signatures: ThinkingSignatures };

export function messagesWireOf(vendor: MessagesVendor) {
  return asVendor(createMessagesWire(vendor.signatures), vendor);
}

const noEagerInput = noToolFields(
  ["eager_input_streaming"],
  (index, field) => `tools.${index}.custom.${field}: Extra inputs are not permitted`,
);

const ANTHROPIC: MessagesVendor = {
  source: "https://docs.anthropic.com/en/api/messages, …/en/docs/build-with-claude/extended-thinking",
  signatures: "verified",
  rejects: [noEmptyContent, toolUseIds, toolUseInputs],
};

const VERTEX: MessagesVendor = {
  ...ANTHROPIC,
  source: "https://docs.anthropic.com/en/api/claude-on-vertex-ai",
  keyIn: bearerIn,
  // The model is in the path, and the version in the body.
  inFormat: ({ anthropic_version: version, ...body }, headers, model) => ({
    body: { ...body, model },
    headers: { ...headers, "anthropic-version": textOf(version) || undefined },
  }),
  path: /\/publishers\/anthropic\/models\/[^/]+:(streamR|r)awPredict/,
  rejects: [noEmptyContent, toolUseIds, toolUseInputs, noEagerInput],
};

const DEEPSEEK: MessagesVendor = {
  source: "https://api-docs.deepseek.com/guides/anthropic_api, …/guides/thinking_mode",
  fields: "any",
  signatures: "none",
  rejects: [thinkingBeforeCalls, noEmptyContent, toolUseIds, toolUseInputs],
  errors: { "quota-exhausted": { status: 402, message: "Insufficient Balance" } },
};

const KIMI: MessagesVendor = {
  source: "https://platform.moonshot.ai/docs/guide/agent-support; NousResearch/hermes-agent#14018",
  fields: "any",
  signatures: "none",
  rejects: [thinkingBeforeCalls, noEmptyContent, toolUseIds, toolUseInputs],
  errors: {
    "context-overflow": { message: "Invalid request: Your request exceeded model token limit: 262144" },
    "quota-exhausted": { status: 403, message: "You've reached your usage limit for this billing cycle." },
  },
};

const MINIMAX: MessagesVendor = {
  source: "https://platform.minimax.io/docs/api-reference/text-anthropic-api, …/api-reference/errorcode",
  fields: "any",
  signatures: "unchecked",
  rejects: [noEmptyContent, toolUseIds, toolUseInputs, noEagerInput],
  errors: {
    "context-overflow": { message: "invalid params, context window exceeds limit (2013)" },
    "quota-exhausted": { status: 429, type: "insufficient_balance_error", message: "insufficient balance (1008)" },
    "prompt-refused": { status: 422, message: "input new_sensitive (1026)" },
  },
};

export const MESSAGES_VENDORS = {
  anthropic: ANTHROPIC,
  vertex: VERTEX,
  deepseek: DEEPSEEK,
  kimi: KIMI,
  minimax: MINIMAX,
} satisfies Partial<Record<DialectName, MessagesVendor>>;
