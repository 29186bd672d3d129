/** What vendors do differently on the wire, as tables. */
import type { Dialect, DialectMatch, DialectRow } from "../../src/child/wire/dialect/dialect.ts";
import { FINISH_REASONS } from "../../src/child/wire/dialect/finish-reasons.ts";
import { DIALECT_ROWS } from "../../src/child/wire/dialect/rows.ts";
import { code, markdownTable } from "./table.ts";

/** What a value of each field means for a request. */
const MEANINGS: { [Field in keyof Dialect]: (value: Dialect[Field]) => string } = {
  reasoningField: (field) => `reasoning goes back in ${code(field)}`,
  reasoningPlaceholder: (placeholder) =>
    placeholder === "none"
      ? "nothing stands for another model's reasoning"
      : `${placeholder === "" ? "an empty text" : "a space"} stands for another model's reasoning`,
  unsignedThinking: (is) => `thinking without a signature ${is ? "goes back" : "does not go back"}`,
  missingSignature: (signature) =>
    signature === "none" ? "another model's calls go unsigned" : `another model's calls are signed ${code(signature)}`,
  openReasoning: (is) => `reasoning without encrypted content ${is ? "goes back as text" : "does not go back"}`,
  encryptedReasoning: (is) => `encrypted reasoning is ${is ? "" : "not "}requested`,
  sumHoldsReasoning: (is) => `reasoning is ${is ? "" : "not "}counted in the sum of the usage alone`,
  cacheBreakpoints: (is) =>
    `the prompt is ${is ? "marked for the cache after the system prompt and the newest messages" : "not marked for the cache"}`,
  eagerToolInput: (is) => `${code("eager_input_streaming")} is ${is ? "" : "not "}sent`,
  tokenLimitField: (field) => `the token limit is sent as ${code(field)}`,
  userAfterTool: (is) => `${is ? "a user message may follow" : "an assistant message is put after"} a tool result`,
  userAfterUser: (is) => `user messages in a row are ${is ? "accepted" : "sent as one"}`,
  blankText: (is) => `blank texts are ${is ? "sent" : "left out"}`,
  toolCallIds: (form) => `ids of tool calls: ${form.replaceAll("-", " ")}`,
  editTool: (name) => `files are changed with ${code(name)}`,
  toolSchema: (subset) => `tool parameters use the schema of ${subset === "json-schema" ? "JSON Schema" : subset}`,
};

export function dialectTable(): string {
  return markdownTable(["who", "matched by", "difference", "source"], DIALECT_ROWS.flatMap(rowsOf));
}

function rowsOf({ name, matches, facts }: DialectRow): string[][] {
  const by = [...new Set(matches.flatMap(conditions))].join(", ");
  return Object.entries(facts).map(([field, { is, source }], index) => {
    const meaning = MEANINGS[field as keyof Dialect] as (value: unknown) => string;
    return index === 0 ? [name, by, meaning(is), source] : ["", "", meaning(is), source];
  });
}

function conditions({ providers = [], hosts = [], model, apiModes = [] }: DialectMatch): string[] {
  if (providers.length === 0 && hosts.length === 0 && model === undefined) return apiModes.map(code);
  return [...providers, ...hosts, ...(model === undefined ? [] : [`model ${model}`])].map(code);
}

export function finishReasonTable(): string {
  const rows = Object.entries(FINISH_REASONS).flatMap(([mode, reasons]) =>
    Object.entries(reasons).map(([word, { means, of, source }]) => [code(mode), code(word), code(means), of, source]),
  );
  return markdownTable(["API mode", "reason", "taken as", "sent by", "source"], rows);
}
