/**
 * Puts the pieces of streamed tool calls together. Vendors label them differently, so a piece is matched by what it
 * carries: by an id that was heard before, else by its index, else by its place (in a list of several pieces that is its
 * position, otherwise the call before it). Then it goes on with that call, unless it cannot be a part of it:
 *
 * - it names another tool;
 * - it has another id and a name, or another id while the call's arguments are whole;
 * - it has an index that no call has, and a name, or the call's arguments are whole;
 * - it has a name although the call has a part in the same list, or is whole. A whole call that was only sent again stays
 *   one call, which its label or its pieces tell; two calls with the same arguments stay two.
 *
 * A piece that goes on with no call begins one. Labels are fields of a format and names of tools, never of vendors.
 */
import { present } from "../../../values/present.ts";
import { fieldsOf, isRecord } from "../../../values/record.ts";

export type AssembledCall = { id: string; name: string; argumentsText: string; signature?: string };

type StreamedCall = {
  index: unknown;
  id: string;
  name: string;
  /** As they arrived: whether they are parts of one text is known only at its end. */
  pieces: string[];
  /** Named again when it was whole: the next arguments are those of another call. */
  namedAgain: boolean;
  signature?: string;
};

type Piece = { index: unknown; id: string; name: string; argumentsText: string; signature: string | undefined };

export type CallAssembly = {
  /** Adds one chunk's `tool_calls`. */
  add(pieces: readonly unknown[]): void;
  /** The calls in the order in which they began. A name is empty where none came. */
  calls(): AssembledCall[];
};

/** @param toolNames the tools that were offered: a name that comes in pieces is whole when it is one of them */
export function createCallAssembly(toolNames: readonly string[]): CallAssembly {
  const calls: StreamedCall[] = [];

  function add(list: readonly unknown[]): void {
    const last = calls.at(-1);
    const more = list.length === 1 && last !== undefined ? textOfMore(list[0], last) : undefined;
    if (more !== undefined) last?.pieces.push(more);
    else addPieces(list);
  }

  function addPieces(list: readonly unknown[]): void {
    const pieces = list.map(pieceOf).filter((piece) => piece !== undefined);
    const byPosition = pieces.length > 1 && pieces.every(isBare);
    const inThisList: StreamedCall[] = [];
    pieces.forEach((piece, position) => {
      const call = (byPosition ? calls[position] : undefined) ?? matching(piece);
      const isPart = call !== undefined && goesOn(call, piece, inThisList.includes(call));
      const target = isPart ? call : begin(piece, call);
      extend(target, piece);
      inThisList.push(target);
    });
  }

  function matching({ id, index }: Piece): StreamedCall | undefined {
    const last = calls.at(-1);
    if (id === "") return index === undefined || last?.index === index ? last : (lastOf({ index }) ?? last);
    return lastOf({ id, index }) ?? lastOf({ id }) ?? (index === undefined ? undefined : lastOf({ index })) ?? last;
  }

  function lastOf(labels: { id?: string; index?: unknown }): StreamedCall | undefined {
    return calls.findLast(
      (call) => (labels.id ?? call.id) === call.id && (!("index" in labels) || labels.index === call.index),
    );
  }

  function goesOn(call: StreamedCall, piece: Piece, isInThisList: boolean): boolean {
    const { name, argumentsText } = piece;
    const joined = joinedName(call, name);
    if (joined === undefined) return false;
    if (call.name !== "" && joined !== call.name) return true;
    const labels = compared(call, piece);
    if (labels.otherId || (labels.otherIndex && !labels.sameId))
      return name === "" && !call.namedAgain && !isOfAnother(call, argumentsText);
    if (call.name === "") return true;
    if (name === "") return !(call.namedAgain && argumentsText !== "");
    return goesOnNamed(call, piece, labels, isInThisList);
  }

  /** The name with a piece of it; undefined where the piece is the name of another call. */
  function joinedName({ name, pieces }: StreamedCall, more: string): string | undefined {
    if (more === "" || more === name) return name;
    if (name === "") return more;
    if (pieces.length > 0) return undefined;
    if (!toolNames.includes(name) && more.startsWith(name)) return more;
    if (toolNames.includes(more)) return undefined;
    return toolNames.some((tool) => tool.startsWith(name + more)) ? name + more : undefined;
  }

  function begin(piece: Piece, before: StreamedCall | undefined): StreamedCall {
    const name = piece.name === "" && before?.namedAgain ? before.name : piece.name;
    const call = { index: piece.index, id: piece.id, name, pieces: [], namedAgain: false };
    calls.push(call);
    return call;
  }

  function extend(call: StreamedCall, piece: Piece): void {
    const { id, index, argumentsText, signature } = piece;
    call.name = joinedName(call, piece.name) ?? call.name;
    call.namedAgain = id === "" && piece.name !== "" && argumentsText === "" && isWhole(call);
    call.id ||= id;
    call.index ??= index;
    if (argumentsText !== "") call.pieces.push(argumentsText);
    if (signature !== undefined) call.signature = signature;
  }

  return {
    add,
    calls: () =>
      calls
        .filter(({ name, pieces }) => name !== "" || pieces.length > 0)
        .map(({ id, name, pieces, signature }) => present({ id, name, argumentsText: joined(pieces), signature })),
  };
}

/** The text of a piece that has nothing but that, and the index of the last call: as nearly all are, this is the short way. */
function textOfMore(fields: unknown, { index, namedAgain }: StreamedCall): string | undefined {
  if (!isRecord(fields) || fields.index !== index || fields.id !== undefined || namedAgain) return undefined;
  const { function: called, extra_content: extra } = fields;
  if (!isRecord(called) || called.name !== undefined || extra !== undefined) return undefined;
  return typeof called.arguments === "string" && called.arguments !== "" ? called.arguments : undefined;
}

/**
 * `tool_calls` as a list: some send one call as it is, or calls by their index, as languages do whose lists are maps.
 */
export function listOfCalls(calls: unknown): readonly unknown[] {
  if (Array.isArray(calls)) return calls;
  if (!isRecord(calls)) return [];
  const entries = Object.entries(calls);
  const areByIndex = entries.length > 0 && entries.every(([key, call]) => /^\d+$/.test(key) && isRecord(call));
  return areByIndex ? entries.map(([key, call]) => ({ index: Number(key), ...fieldsOf(call) })) : [calls];
}

/** Undefined for a piece that says nothing. */
function pieceOf(fields: unknown): Piece | undefined {
  if (!isRecord(fields)) return undefined;
  const called = calledIn(fields);
  const piece = {
    index: typeof fields.index === "string" ? Number(fields.index) : (fields.index ?? undefined),
    id: typeof fields.id === "string" || typeof fields.id === "number" ? String(fields.id) : "",
    name: typeof called.name === "string" ? called.name : "",
    argumentsText: textOf(called.arguments ?? called.parameters ?? called.input),
    signature: signatureIn(fields.extra_content),
  };
  const isEmpty = piece.id === "" && piece.name === "" && piece.argumentsText === "" && piece.signature === undefined;
  return isEmpty ? undefined : piece;
}

/** Some leave `function` out, and say beside the labels what stands in it; or it is the name alone. */
function calledIn(fields: Record<string, unknown>): Record<string, unknown> {
  const { function: called, ...beside } = fields;
  if (typeof called === "string") return { ...beside, name: called };
  return isRecord(called) && (called.name || !beside.name)
    ? called
    : { ...beside, ...fieldsOf(called), name: beside.name };
}

function isBare({ id, index, name }: Piece): boolean {
  return id === "" && index === undefined && name === "";
}

/** Arguments that are an object are whole: some servers send them so, ggml-org/llama.cpp#20198. */
function textOf(argumentsField: unknown): string {
  if (typeof argumentsField === "string") return argumentsField;
  const isNothing = argumentsField === undefined || argumentsField === null || isEmptyList(argumentsField);
  return isNothing ? "" : JSON.stringify(argumentsField);
}

/** PHP's form of an empty object. */
function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Gemini behind a chat endpoint: its signature has to come back with the call. */
function signatureIn(extra: unknown): string | undefined {
  const google = isRecord(extra) && isRecord(extra.google) ? extra.google : {};
  return typeof google.thought_signature === "string" ? google.thought_signature : undefined;
}

/**
 * The text of pieces that follow one another; the last piece where it holds all the others: some send all arguments so
 * far with every piece (NousResearch/hermes-agent#35718), or once more at the end (lidge-jun/opencodex#361), or begin with
 * an empty object (openai/openai-agents-js#712).
 */
function joined(pieces: readonly string[]): string {
  const text = pieces.join("");
  const last = pieces.at(-1);
  if (last === undefined || pieces.length === 1 || isWholeText(text)) return text;
  const [first, ...rest] = pieces;
  if (isEmptyObject(first) && isWholeText(rest.join(""))) return rest.join("");
  const before = pieces.slice(0, -1);
  const holdsAll = last.startsWith(before.join("")) || before.every((piece) => last.startsWith(piece));
  return holdsAll && isWholeText(last) ? last : (merged(pieces) ?? text);
}

/** Objects that each tell some of the arguments, as one; undefined where they are no such objects, or contradict. */
function merged(pieces: readonly string[]): string | undefined {
  const all = new Map<string, unknown>();
  for (const piece of pieces) {
    const value = isWholeText(piece) ? JSON.parse(piece) : undefined;
    if (!isRecord(value)) return undefined;
    for (const [name, field] of Object.entries(value)) {
      if (all.has(name) && !goesOnAs(all.get(name), field)) return undefined;
      all.set(name, field);
    }
  }
  return JSON.stringify(Object.fromEntries(all));
}

/** Whether a field is the same as before, or a text that has become longer. */
function goesOnAs(before: unknown, after: unknown): boolean {
  if (typeof before === "string" && typeof after === "string") return after.startsWith(before);
  return JSON.stringify(before) === JSON.stringify(after);
}

function isWhole({ pieces }: StreamedCall): boolean {
  // Looked at before all the text is put together and parsed: most pieces of a text end otherwise.
  return /[}"]\s*$/.test(pieces.at(-1) ?? "") && isWholeText(joined(pieces));
}

/** Arguments are an object, or, written twice over, a text of one. */
function isWholeText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) || typeof value === "string";
  } catch {
    return false;
  }
}

function isEmptyObject(text: string | undefined): boolean {
  return /^\s*(\{\s*\}|null)\s*$/.test(text ?? "");
}

type Labels = { sameId: boolean; otherId: boolean; otherIndex: boolean };

function compared(call: StreamedCall, { id, index }: Piece): Labels {
  return {
    sameId: id !== "" && id === call.id,
    otherId: id !== "" && call.id !== "" && id !== call.id,
    otherIndex: index !== undefined && call.index !== undefined && index !== call.index,
  };
}

/** Whether a piece that names the tool once more goes on with the call, and is not the next call of the same tool. */
function goesOnNamed(call: StreamedCall, piece: Piece, labels: Labels, isInThisList: boolean): boolean {
  const { id, argumentsText } = piece;
  if (labels.otherIndex && argumentsText === "") return false;
  if (call.pieces.length === 0) return argumentsText !== "" || labels.sameId || !isInThisList;
  if (!isWhole(call)) return true;
  if (labels.otherIndex) return false;
  if (argumentsText === "") return true;
  // Whoever sends ids begins a call with one.
  const isLabelled = call.id !== "" && (labels.sameId || id === "");
  return (call.pieces.length > 1 || (isLabelled && !isInThisList)) && isSentAgain(call, argumentsText);
}

/** Whether a call is whole, and these arguments are none that it has. */
function isOfAnother(call: StreamedCall, argumentsText: string): boolean {
  return argumentsText !== "" && isWhole(call) && !isSentAgain(call, argumentsText);
}

/** Whether a whole call's arguments come once more; after an empty object they come for the first time. */
function isSentAgain({ pieces }: StreamedCall, argumentsText: string): boolean {
  const text = joined(pieces);
  return argumentsText === text || isEmptyObject(text);
}
