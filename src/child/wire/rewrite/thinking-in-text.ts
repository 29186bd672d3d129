/**
 * Takes reasoning between tags out of the answer's first text, as `chat-stream.ts` does: servers of open models speak the
 * other formats as well. Where reasoning came by itself, a text that begins with a tag is an answer.
 */
import { createThinkSplitter, type ThinkPiece } from "../chat/think-tags.ts";
import type { Receive, StreamPart } from "../reply/reply-builder.ts";
import type { Wire } from "../wire.ts";

type TextPart = Extract<StreamPart, { type: "text-start" | "text-delta" | "text-end" }>;

export function withoutThinkTags(wire: Wire): Wire {
  return async (options, fetch, receive, onActivity) => {
    const filter = createFilter(receive);
    await wire(options, fetch, filter.apply, onActivity);
    filter.end();
  };
}

function createFilter(receive: Receive) {
  const splitter = createThinkSplitter();
  let state: "before" | "first text" | "ended" | "after" = "before";
  /** Of the first text: its beginning, until there is text, and its end, until what follows is known. */
  let held: TextPart[] = [];
  let id = "";

  function emit(pieces: readonly ThinkPiece[]): void {
    for (const piece of pieces) {
      if (piece.type === "text-was-reasoning") receive(piece);
      else if (piece.type === "reasoning")
        receive({ type: "reasoning-delta", id: `${id}-thinking`, delta: piece.text });
      else {
        release();
        receive({ type: "text-delta", id, delta: piece.text });
      }
    }
  }

  function release(): void {
    const waiting = held;
    held = [];
    for (const part of waiting) receive(part);
  }

  /** Passes on the rest of the first text, once it is known what follows it. */
  function end(next?: StreamPart): void {
    if (state !== "first text" && state !== "ended") return;
    state = "after";
    const ends = held.filter(({ type }) => type === "text-end");
    held = held.filter(({ type }) => type !== "text-end");
    const isFinished = next?.type === "text-start" || (next?.type === "finish" && next.finishReason.unified === "stop");
    emit(splitter.end(isFinished, next?.type.startsWith("tool-") ?? false));
    release();
    for (const part of ends) receive(part);
  }

  function apply(part: StreamPart): void {
    if (state === "before" && part.type === "text-start") {
      state = "first text";
      id = part.id;
      held.push(part);
    } else if (state === "before" && part.type === "reasoning-delta") {
      state = "after";
      receive(part);
    } else if (state === "first text" && part.type === "text-delta") {
      if (part.providerMetadata !== undefined) release();
      emit(splitter.read(part.delta));
      if (part.providerMetadata !== undefined) receive({ ...part, delta: "" });
    } else if (state === "first text" && part.type === "text-end") {
      state = "ended";
      held.push(part);
    } else {
      if (part.type !== "raw" && part.type !== "response-metadata") end(part);
      receive(part);
    }
  }

  return { apply, end: () => end() };
}
