/**
 * The matrix of dialects: each vendor of `vendors.ts` × each kind of exchange, alone and followed by another vendor.
 * Failures and finish reasons are the vendor's own, where the tables have some.
 */
import assert from "node:assert/strict";
import type { Message } from "../../src/child/message.ts";
import type { DialectRow } from "../../src/child/wire/dialect/dialect.ts";
import { dialectOf, rowsFor } from "../../src/child/wire/dialect/dialect-of.ts";
import { FINISH_REASONS } from "../../src/child/wire/dialect/finish-reasons.ts";
import { DIALECT_ROWS } from "../../src/child/wire/dialect/rows.ts";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { FailureKind } from "../../src/errors.ts";
import type { Finish } from "../../src/event.ts";
import type { ApiMode } from "../../src/route.ts";
import type { Turn } from "../../src/testing/index.ts";
import type { Random } from "./end-to-end-moments.ts";
import { ERROR_RESPONSES } from "./error-responses.ts";
import { added, routeTo, secretOf, type VendorStage } from "./vendor-stage.ts";
import { type Answer, inputOf, turnOf, VENDORS, type Vendor } from "./vendors.ts";

// Rows ---------------------------------------------------------------------------------------------------------------

/** The first vendor of each distinct dialect, and each cloud. */
export function distinctVendors(): Vendor[] {
  const byDialect = Map.groupBy(VENDORS, (vendor) => {
    const { mode, path, framing, keyHeader, dialect } = vendor;
    return JSON.stringify([mode, path, framing, keyHeader, dialect, dialectOf(routeTo(vendor))]);
  });
  return [...byDialect.values()].map(([first]) => first as Vendor);
}

/** Rows of the table without a vendor, each with the API mode that lacks one. */
export function rowsWithoutVendor(rows: readonly DialectRow[] = DIALECT_ROWS): string[] {
  return rows.flatMap((row) => {
    const shown = VENDORS.filter((vendor) => rowsFor(routeTo(vendor)).includes(row)).map(({ mode }) => mode);
    const named = new Set<ApiMode>(row.matches.flatMap(({ apiModes = [] }) => apiModes));
    if (named.size === 0) return shown.length > 0 ? [] : [row.name];
    return [...named].filter((mode) => !shown.includes(mode)).map((mode) => `${row.name}, in ${mode}`);
  });
}

// Kinds of exchanges -------------------------------------------------------------------------------------------------

/** What a vendor sends, and what is read of it. */
type ExpectedTurn =
  | { answer: Answer; finish: Finish }
  | { answer: Answer; failure: FailureKind }
  | { status: number; body: unknown; failure: FailureKind };

/** An exchange of one or more turns. `words`: those that make it what it is. */
export type Exchange = { kind: string; words?: string; turns: readonly [ExpectedTurn, ...ExpectedTurn[]] };

const TEXT: ExpectedTurn = { answer: { text: "The Rhine." }, finish: "stop" };
const ROUND: ExpectedTurn = { answer: { calls: 1 }, finish: "tool-calls" };
const PARALLEL: ExpectedTurn = { answer: { text: "I look twice.", calls: 2 }, finish: "tool-calls" };
const BLANK: ExpectedTurn = { answer: { text: "\n\n", calls: 1 }, finish: "tool-calls" };

export function exchangesOf(vendor: Vendor): Exchange[] {
  return [
    { kind: "a text", turns: [TEXT] },
    { kind: "a tool round", turns: [ROUND] },
    { kind: "two rounds with reasoning", turns: [ROUND, ROUND] },
    { kind: "parallel calls", turns: [PARALLEL] },
    { kind: "a blank text before a call", turns: [BLANK] },
    ...saidBy(vendor, "an overflow", "context-overflow"),
    ...saidBy(vendor, "a used-up quota", "quota-exhausted"),
    ...saidBy(vendor, "a refusal", "refused"),
    ...wordsOf(vendor, "refused").map((finish): Exchange => {
      const answer = { text: "I would rather", finish };
      return { kind: "a refusal in the answer", words: finish, turns: [{ answer, failure: "refused" }] };
    }),
    ...wordsOf(vendor, "length").map((finish): Exchange => {
      return {
        kind: "a truncated answer",
        words: finish,
        turns: [{ answer: { text: "The Rh", finish }, finish: "length" }],
      };
    }),
  ];
}

/** One exchange of each kind, the first or a random one. */
export function oneOfEachKind(vendor: Vendor, random: Random = () => 0): Exchange[] {
  const byKind = Map.groupBy(exchangesOf(vendor), ({ kind }) => kind);
  return [...byKind.values()].map((exchanges) => exchanges[Math.floor(random() * exchanges.length)] as Exchange);
}

/** The vendor whose failures and finish reasons are used for vendors without their own. */
const USUAL: Record<ApiMode, string> = {
  chat_completions: "OpenAI",
  responses: "OpenAI",
  anthropic_messages: "Anthropic",
  gemini: "Gemini",
};

/** The vendor's own entries, or the usual ones of its API mode. */
function ownOrUsual<Row>({ name, mode }: Vendor, rows: readonly Row[], whose: (row: Row) => string): Row[] {
  const [maker = name] = name.split(/,| in | behind /);
  const of = (who: string) => {
    const isTheirs = new RegExp(`(?:^|, )${RegExp.escape(who)}(?=$|\\W)`);
    return rows.filter((row) => isTheirs.test(whose(row)));
  };
  const own = of(maker);
  return own.length > 0 ? own : of(USUAL[mode]);
}

function saidBy(vendor: Vendor, kind: string, failure: FailureKind): Exchange[] {
  return ownOrUsual(vendor, ERROR_RESPONSES[failure] ?? [], ([who]) => who).map(([who, status, body]) => {
    return { kind, words: who, turns: [{ status, body, failure }] };
  });
}

function wordsOf(vendor: Vendor, meaning: Finish): string[] {
  const words = Object.entries(FINISH_REASONS[vendor.mode]).filter(([, { means }]) => means === meaning);
  return ownOrUsual(vendor, words, ([, { of }]) => of.replace(/^all$/, USUAL[vendor.mode])).map(([word]) => word);
}

// Play ---------------------------------------------------------------------------------------------------------------

/** Plays an exchange at the end of a conversation. Returns the extended conversation. */
export async function playExchange(
  stage: VendorStage,
  vendor: Vendor,
  { kind, words, turns }: Exchange,
  before: readonly Message[] = [],
): Promise<Message[]> {
  const messages = [...before];
  for (const turn of turns) {
    if (isAnswered(messages)) messages.push({ role: "user", text: `Message ${messages.length}.` });
    const reply = await stage.ask(vendor, messages, sentIn(turn, vendor, messages.length));
    checkRead(reply, turn, `${vendor.name}, ${kind}${words === undefined ? "" : ` (${words})`}`);
    assert.deepEqual(
      textsOf(messages).filter((text) => !stage.lastBody().includes(text)),
      [],
      "nothing said is lost",
    );
    if (reply.ok) messages.push(...added(vendor, reply));
  }
  return messages;
}

/** Adds a user message, even after tool results or an unanswered message, and plays a text. Everything must be sent. */
export function playText(stage: VendorStage, vendor: Vendor, before: readonly Message[]): Promise<Message[]> {
  return playExchange(stage, vendor, { kind: "a text at last", turns: [TEXT] }, [
    ...before,
    { role: "user", text: "Be quick." },
  ]);
}

/** A conversation in which a model's arguments are no JSON, and its tool says so. */
export function brokenCall({ provider, model }: Vendor): Message[] {
  const call = { callId: "call_broken", name: "look" };
  return [
    { role: "user", text: "Look." },
    { role: "assistant", provider, model, parts: [{ type: "tool-call", ...call, input: '{"word": "w' }] },
    { role: "tool", ...call, text: "Invalid arguments for look", ok: false },
  ];
}

function isAnswered(messages: readonly Message[]): boolean {
  const last = messages.at(-1);
  return last === undefined || last.role === "assistant";
}

function sentIn(turn: ExpectedTurn, vendor: Vendor, number: number): Turn {
  if ("answer" in turn) return turnOf(vendor, turn.answer, secretOf(vendor, number));
  const body = typeof turn.body === "string" ? turn.body : JSON.stringify(turn.body);
  return { fault: { kind: "response", status: turn.status, body } };
}

function textsOf(messages: readonly Message[]): string[] {
  return messages.flatMap((message) => {
    if (message.role !== "assistant") return [message.text];
    return message.parts.flatMap((part) => (part.type === "text" && part.text.trim() !== "" ? [part.text] : []));
  });
}

function checkRead(reply: Reply, turn: ExpectedTurn, what: string): void {
  const { text = "", calls = 0 } = "answer" in turn ? turn.answer : {};
  if ("failure" in turn) {
    assert.ok(!reply.ok, `${what}: ${JSON.stringify(reply)}`);
    assert.deepEqual([reply.failure.kind, reply.partialText], [turn.failure, text], what);
    return;
  }
  assert.ok(reply.ok, `${what}: ${JSON.stringify(reply)}`);
  const called = reply.parts.filter((part) => part.type === "tool-call");
  const read = {
    finish: reply.finish,
    // Blank text behind reasoning in tags belongs to the tags.
    text: reply.parts
      .map((part) => (part.type === "text" ? part.text : ""))
      .join("")
      .trim(),
    inputs: called.map(({ input }) => input),
    ids: new Set(called.map(({ callId }) => callId)).size,
    warnings: reply.warnings,
  };
  const inputs = Array.from({ length: calls }, (_, index) => inputOf(index));
  assert.deepEqual(read, { finish: turn.finish, text: text.trim(), inputs, ids: calls, warnings: [] }, what);
}
