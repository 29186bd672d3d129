/** The dialects of the scripted model server for a page, from its own tables. */
import { CHAT_VENDORS } from "../../src/testing/dialects/chat-vendors.ts";
import { CONVERSE_VENDORS } from "../../src/testing/dialects/converse-vendors.ts";
import { GEMINI_VENDORS } from "../../src/testing/dialects/gemini-vendors.ts";
import { MESSAGES_VENDORS } from "../../src/testing/dialects/messages-vendors.ts";
import { RESPONSES_VENDORS } from "../../src/testing/dialects/responses-vendors.ts";
import type { VendorApi } from "../../src/testing/dialects/vendor-api.ts";
import { code, markdownTable } from "./table.ts";

const FAMILIES: readonly (readonly [api: string, vendors: Readonly<Record<string, VendorApi>>])[] = [
  ["`chat_completions`", CHAT_VENDORS],
  ["`responses`", RESPONSES_VENDORS],
  ["`anthropic_messages`", MESSAGES_VENDORS],
  ["`gemini`", GEMINI_VENDORS],
  ["`anthropic_messages` in Amazon's Converse API", CONVERSE_VENDORS],
];

export function serverDialectTable(): string {
  const rows = FAMILIES.flatMap(([api, vendors]) =>
    Object.entries(vendors).map(([name, { source }]) => ({ name, api, source })),
  );
  const byName = Map.groupBy(rows, ({ name }) => name);
  return markdownTable(
    ["dialect", "API", "sources"],
    [...byName].map(([name, apis]) => [
      code(name),
      apis.map(({ api }) => api).join("<br>"),
      apis.map(({ source }) => source).join("<br>"),
    ]),
  );
}
