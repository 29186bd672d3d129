/**
 * What an endpoint and its model do differently on the wire. Shared code asks the dialect of a route and never who is
 * behind it: a new vendor is a row in `rows.ts`, a new kind of difference is a field here.
 */
import type { ApiMode } from "../../../route.ts";
import type { EditTool } from "../../../tool.ts";

/**
 * Where a `chat_completions` message of the assistant carries its reasoning: a field, `thinking` parts of its content
 * (Mistral), or `<think>` tags in its text (MiniMax).
 */
export type ReasoningField = "reasoning_content" | "reasoning" | "thinking-parts" | "think-tags";

/**
 * Raise it whenever the same conversation would be written differently than before: by a row, by the code that writes
 * requests, or by a provider package. `deputy show --request` then says why a request of the past differs.
 */
export const DIALECT_VERSION = 2;

export type Dialect = {
  /** Where reasoning goes back; `as-received`: in the field in which it came. */
  reasoningField: ReasoningField | "as-received" | "none";
  /**
   * Sent as the reasoning of an assistant message that has none of this model, where the vendor rejects a message without
   * it; `none`: nothing is sent.
   */
  reasoningPlaceholder: "none" | "" | " ";
  /** Thinking blocks in Anthropic's format go back also where they have no signature. */
  unsignedThinking: boolean;
  /** Signature of a call that has none because another model made it; `none`: it goes without. */
  missingSignature: "none" | "skip_thought_signature_validator";
  /** Reasoning items without encrypted content go back with their text, in `responses`. */
  openReasoning: boolean;
  /** Takes `include: ["reasoning.encrypted_content"]`, in `responses`. */
  encryptedReasoning: boolean;
  /** Tokens of reasoning are counted in the sum of the usage alone, in `chat_completions`. */
  sumHoldsReasoning: boolean;
  /** Caches a prompt only up to where the request marks it, and takes such marks. */
  cacheBreakpoints: boolean;
  /** Takes `eager_input_streaming` in a tool, in `anthropic_messages`. */
  eagerToolInput: boolean;
  /** What `chat_completions` calls the limit on output tokens. */
  tokenLimitField: "max_tokens" | "max_completion_tokens";
  /** A user message may follow a tool result. If not, an assistant message stands between them. */
  userAfterTool: boolean;
  /** Several user messages in a row are accepted. If not, they are sent as one. */
  userAfterUser: boolean;
  /** A text of an assistant message may be blank. If not, it is left out. */
  blankText: boolean;
  /** The form that ids of tool calls must have. */
  toolCallIds: CallIdForm;
  /** The subset of JSON Schema that a tool's parameters may use. */
  toolSchema: "json-schema" | "gemini" | "moonshot" | "llama.cpp";
  /** The tool for changing a part of a file that the model is trained on. */
  editTool: EditTool;
};

export type CallIdForm = "any" | "nine-alphanumeric" | "letters-digits-dashes" | "at-most-64";

export const CALL_ID_FORMS: Record<CallIdForm, RegExp> = {
  any: /^/,
  "nine-alphanumeric": /^[a-zA-Z0-9]{9}$/,
  "letters-digits-dashes": /^[a-zA-Z0-9_-]+$/,
  "at-most-64": /^.{1,64}$/s,
};

/** A fact, and the public place that it is known from. */
export type Fact<Value> = { is: Value; source: string };
export type DialectFacts = { [Field in keyof Dialect]?: Fact<Dialect[Field]> };

/** The routes that a row applies to: every condition must hold, but of providers and hosts one is enough. */
export type DialectMatch = {
  /** Slugs of built-in providers, also where the user changed their base URL. */
  providers?: readonly string[];
  /** Host names, whole or, with a leading dot, their ends. */
  hosts?: readonly string[];
  /** Model ids, without the vendor's prefix and in lower case. */
  model?: RegExp;
  apiModes?: readonly ApiMode[];
};

/** `matches`: one of them is enough. */
export type DialectRow = { name: string; matches: readonly DialectMatch[]; facts: DialectFacts };
